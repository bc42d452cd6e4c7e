package handlers_test

import (
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/handlers/users/datamap/mapfile"
	"push.guru/supportd/inbox"
)

// frameworks say of each ready map what it can do beside finding, copying,
// describing, moving and deleting, and what stays of anna when she goes.
var frameworks = map[string]struct {
	fields      []inbox.Field  // that hold something and can be emptied
	deactivates bool           // the site can
	records     int            // that anna has
	fixed       int            // of these, that keep the address of their time
	stays       map[string]int // rows by table, without anything of hers in them
	guest       int            // records of the guest; 0: the map knows no guests
	guestStays  int            // rows of theirs
}{
	"wordpress": {fields: []inbox.Field{inbox.FieldAbout}, records: 17, stays: map[string]int{"wp_comments": 2}, guest: 3, guestStays: 2},
	"django":    {fields: []inbox.Field{inbox.FieldGivenName}, deactivates: true, records: 12},
	"laravel":   {records: 5, fixed: 1, guest: 1},
	"rails":     {records: 6, stays: map[string]int{"active_storage_blobs": 2}},
}

// TestFrameworks carries out requests on the tables that frameworks make, with
// what they write in them, under the ready maps.
func TestFrameworks(t *testing.T) {
	if got, want := slices.Sorted(maps.Keys(frameworks)), mapfile.Examples(); !slices.Equal(got, want) {
		t.Fatalf("tried are %v, and there are ready maps for %v", got, want)
	}
	for _, name := range mapfile.Examples() {
		for _, store := range databases {
			t.Run(name+"/"+store, func(t *testing.T) {
				s := newSite(t, store)
				s.script(t, readFile(t, "users", "datamap", "mapfile", "examples", name+"."+store+".sql"))
				s.script(t, readFile(t, "testdata", "frameworks", name+".sql"))
				d := s.desk(t, readMap(t, mapfile.Example(name)))
				before := d.dump()
				d.readsAnna(t, name)
				d.changesAnna(t, name)
				for i, line := range before { // by now it is written as the account has it
					before[i] = strings.ReplaceAll(line, "|anna@Users.test|https", "|anna@users.test|https")
				}
				slices.Sort(before)
				if now := theirs(d.dump()); !slices.Equal(now, before) {
					t.Errorf("changed there and back there is\n%s\nand was\n%s", strings.Join(now, "\n"), strings.Join(before, "\n"))
				}
				d.erasesAnna(t, name)
				d.erasesGuest(t, name)
			})
		}
	}
}

// readsAnna wants all that is held about her in a copy, and no secret.
func (d *desk) readsAnna(t *testing.T, name string) {
	want := frameworks[name]
	anna := d.find("anna@USERS.test")
	if anna.Guest || anna.ID != "1700" || !anna.Active || anna.Protected {
		t.Errorf("anna is %+v", anna)
	}
	if n := d.records(anna); n != want.records {
		t.Errorf("anna has %d records, want %d", n, want.records)
	}
	d.perform(d.job("k-copy", anna, copied, false))
	hers := 0
	for _, row := range rowsOf(t, d.sent) {
		if strings.Contains(row[3], "secret") || strings.Contains(row[3], "boris") || strings.Contains(row[3], "guest") {
			t.Errorf("the copy has %v in it", row)
		}
		if strings.Contains(strings.ToLower(row[3]), "anna") {
			hers++
		}
	}
	if hers == 0 {
		t.Error("the copy has nothing of hers")
	}
	for _, held := range d.perform(d.job("k-describe", anna, describe, false)).Holdings {
		if held.Label == "" || held.Purpose == "" || held.Retention == "" || held.Recipients == "" {
			t.Errorf("of the place %q it is said: %+v", held.Place, held)
		}
	}
}

// changesAnna does what can be done to a record, and takes it back.
func (d *desk) changesAnna(t *testing.T, name string) {
	set := func(key, from, to string) {
		t.Helper()
		r := inbox.Request{Kind: inbox.KindChange, Changes: []inbox.Change{{Field: inbox.FieldEmail, Op: inbox.OpSet, Value: to}}}
		d.perform(d.job(key, d.find(from), r, false))
		d.find(to)
	}
	set("k-1", "anna@users.test", "anna.new@users.test")
	if n, want := d.records(d.find("anna.new@users.test")), frameworks[name].records-frameworks[name].fixed; n != want {
		t.Errorf("under the new address there are %d records, want %d", n, want)
	}
	set("k-2", "anna.new@users.test", "anna@users.test")
	anna := d.find("anna@users.test")
	taken := inbox.Request{Kind: inbox.KindChange, Changes: []inbox.Change{{Field: inbox.FieldEmail, Op: inbox.OpSet, Value: "boris@USERS.test"}}}
	_, err := d.Perform(t.Context(), d.job("k-3", anna, taken, false))
	wantRefused(t, err, datamap.ReasonTaken)
	if frameworks[name].deactivates {
		d.perform(d.job("k-4", anna, deactivate, false))
		if d.find("anna@users.test").Active {
			t.Error("the account is active")
		}
		d.perform(d.job("k-5", d.find("anna@users.test"), deactivate, true))
	} else {
		_, err := d.Plan(t.Context(), anna, deactivate, false)
		wantRefused(t, err, datamap.ReasonNoDeactivate)
	}
	_, err = d.Plan(t.Context(), anna, withdraw, false)
	wantRefused(t, err, datamap.ReasonNoWithdraw)
	for _, f := range frameworks[name].fields {
		old := anna.Fields[f]
		r := inbox.Request{Kind: inbox.KindDelete, Scope: inbox.ScopeFields, Fields: []inbox.Field{f}}
		d.perform(d.job("k-6-"+string(f), anna, r, false))
		if v := d.find("anna@users.test").Fields[f]; v != "" {
			t.Errorf("%s is %q after it was removed", f, v)
		}
		back := inbox.Request{Kind: inbox.KindChange, Changes: []inbox.Change{{Field: f, Op: inbox.OpSet, Value: old}}}
		d.perform(d.job("k-7-"+string(f), d.find("anna@users.test"), back, false))
	}
}

func wantRefused(t *testing.T, err error, want datamap.Reason) {
	t.Helper()
	if r, ok := errors.AsType[*datamap.RefusedError](err); !ok || r.Reason != want || inbox.IsTemporary(err) {
		t.Errorf("%v, want it refused: %s", err, want)
	}
}

// erasesAnna wants nothing of her left but the rows that the map keeps, those
// without her name, and others to have what they had.
func (d *desk) erasesAnna(t *testing.T, name string) {
	before := d.dump()
	anna := d.find("anna@users.test")
	job := d.job("k-delete", anna, deleteAccount, false)
	for range 2 {
		d.perform(job)
	}
	after := theirs(d.dump())
	for _, who := range []string{"boris", "guest"} {
		if got, want := whose(who, after), whose(who, theirs(before)); !slices.Equal(got, want) {
			t.Errorf("of %s there is\n%s\nand was\n%s", who, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	stays := map[string]int{}
	for _, line := range whose("anna", after) {
		if hers.MatchString(line) {
			t.Errorf("it is still there: %s", line)
		}
		table, _, _ := strings.Cut(line, ":")
		stays[table]++
	}
	if !maps.Equal(stays, frameworks[name].stays) {
		t.Errorf("rows of hers that stay: %v, want %v", stays, frameworks[name].stays)
	}
	if found, err := d.Find(t.Context(), "anna@users.test"); err != nil || len(found) > 0 {
		t.Errorf("found %d afterwards, %v", len(found), err)
	}
	if len(of("anna", d.dump())) != len(of("anna", after)) {
		t.Error("the record of the effects has her name in it")
	}
}

// erasesGuest is the same for somebody without an account.
func (d *desk) erasesGuest(t *testing.T, name string) {
	want := frameworks[name]
	if want.guest == 0 {
		if found, err := d.Find(t.Context(), "guest@users.test"); err != nil || len(found) > 0 {
			t.Errorf("found %d guests, %v", len(found), err)
		}
		return
	}
	before := theirs(d.dump())
	guest := d.find("guest@users.test")
	if n := d.records(guest); !guest.Guest || n != want.guest {
		t.Errorf("the guest is %+v, with %d records", guest, n)
	}
	d.perform(d.job("k-guest", guest, deleteAccount, false))
	after := theirs(d.dump())
	if !slices.Equal(whose("boris", after), whose("boris", before)) {
		t.Error("somebody else was touched")
	}
	left := whose("guest", after)
	for _, line := range left {
		if strings.Contains(strings.ToLower(line), "guest") || strings.Contains(line, "192.0.2.190") {
			t.Errorf("it is still there: %s", line)
		}
	}
	if len(left) != want.guestStays {
		t.Errorf("%d rows of the guest stay, want %d", len(left), want.guestStays)
	}
	if found, err := d.Find(t.Context(), "guest@users.test"); err != nil || len(found) > 0 {
		t.Errorf("found %d afterwards, %v", len(found), err)
	}
}

// hers is what nobody else has.
var hers = regexp.MustCompile(`(?i)anna|petrova|bees|192\.0\.2\.17`)

// whose gives the lines of one of the people of the frameworks' data, by name or
// by the numbers that are theirs.
func whose(who string, lines []string) (found []string) {
	numbers := map[string]*regexp.Regexp{"anna": regexp.MustCompile(`\b17\d\d\b`), "boris": regexp.MustCompile(`\b18\d\d\b`), "guest": regexp.MustCompile(`\b19\d\d\b`)}
	owner := func(line string) string {
		for _, name := range []string{"boris", "guest", "anna"} {
			if strings.Contains(strings.ToLower(line), name) {
				return name
			}
		}
		for _, name := range []string{"anna", "guest", "boris"} {
			if numbers[name].MatchString(line) {
				return name
			}
		}
		return ""
	}
	for _, line := range lines {
		if owner(line) == who {
			found = append(found, line)
		}
	}
	return found
}
