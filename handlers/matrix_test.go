package handlers_test

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/inbox"
)

func isNotFound(err error) bool { return errors.Is(err, users.ErrNotFound) }

var (
	change        = inbox.Request{Kind: inbox.KindChange, Changes: []inbox.Change{{Field: inbox.FieldPhone, Op: inbox.OpSet, Value: "+77019999999"}}}
	deleteAccount = inbox.Request{Kind: inbox.KindDelete, Scope: inbox.ScopeAccount}
	deleteFields  = inbox.Request{Kind: inbox.KindDelete, Scope: inbox.ScopeFields, Fields: []inbox.Field{inbox.FieldAbout, inbox.FieldPhone}}
	deactivate    = inbox.Request{Kind: inbox.KindDeactivate}
	copied        = inbox.Request{Kind: inbox.KindCopy}
	describe      = inbox.Request{Kind: inbox.KindDescribe}
	withdraw      = inbox.Request{Kind: inbox.KindWithdraw}
	question      = inbox.Request{Kind: inbox.KindQuestion}
)

// stores are the columns of the matrix.
var stores = append([]string{"bolt"}, databases...)

// kinds are its rows: what is asked, by whom, and whether it came about.
var kinds = []struct {
	name string
	from string // the address that asks
	r    inbox.Request
	done func(p users.Person, gone bool) bool
}{
	{"change", "anna@users.test", change, func(p users.Person, _ bool) bool { return p.Fields[inbox.FieldPhone] == "+77019999999" }},
	{"delete account", "anna@users.test", deleteAccount, func(_ users.Person, gone bool) bool { return gone }},
	{"delete fields", "anna@users.test", deleteFields, func(p users.Person, _ bool) bool {
		return p.Fields[inbox.FieldAbout] == "" && p.Fields[inbox.FieldPhone] == "" && p.Name() == "Anna"
	}},
	{"deactivate, undo", "anna@users.test", deactivate, func(p users.Person, _ bool) bool { return !p.Active }},
	{"copy", "anna@users.test", copied, nil},
	{"describe", "anna@users.test", describe, nil},
	{"withdraw", "anna@users.test", withdraw, func(p users.Person, _ bool) bool { return !p.Withdrawn.IsZero() }},
	{"question", "anna@users.test", question, nil},
	{"copy of a guest", "guest@users.test", copied, nil},
	{"delete of a guest", "guest@users.test", deleteAccount, func(_ users.Person, gone bool) bool { return gone }},
}

// TestMatrix carries out every kind on every store, through Handlers: plan,
// perform, perform again under the same key, and look at what is left. It
// prints what it saw as a table, which is the one in testdata/matrix.txt; a
// store that is not installed is left out.
func TestMatrix(t *testing.T) {
	seen := map[string][]string{} // by store: a cell a row
	for _, store := range stores {
		t.Run(store, func(t *testing.T) {
			for _, k := range kinds {
				d := opened(t, store)
				if store == "bolt" && strings.HasPrefix(k.from, "guest") {
					seen[store] = append(seen[store], "has no guests")
					continue
				}
				who := d.find(k.from)
				cell := ""
				switch k.r.Kind {
				case inbox.KindQuestion:
					cell = d.asked(who)
				case inbox.KindCopy, inbox.KindDescribe:
					cell = d.read(who, k.r)
				default:
					cell = d.acted(who, k.r, k.done)
				}
				seen[store] = append(seen[store], cell)
			}
		})
	}
	got, want := table(seen), readFile(t, "testdata", "matrix.txt")
	t.Logf("\n%s", got)
	if len(seen) == len(stores) && got != want {
		t.Errorf("testdata/matrix.txt has\n%s", want)
	}
}

func opened(t *testing.T, store string) *desk {
	if store == "bolt" {
		return embedded(t)
	}
	return shop(t, store).desk(t, shopMap(t))
}

// table lays the cells out.
func table(seen map[string][]string) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "asked\t"+strings.Join(stores, "\t"))
	for i, k := range kinds {
		cells := []string{k.name}
		for _, store := range stores {
			cell := "not installed"
			if i < len(seen[store]) {
				cell = seen[store][i]
			}
			cells = append(cells, cell)
		}
		fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	w.Flush()
	return b.String()
}

// asked wants a question to have no plan and no effect.
func (d *desk) asked(who users.Person) string {
	d.t.Helper()
	before := d.dump()
	if plan, err := d.Plan(d.t.Context(), who, question, false); err == nil {
		d.t.Errorf("a question has the plan %+v", plan)
	}
	if _, err := d.Perform(d.t.Context(), d.confirmed("k-1", who, question, false, "")); err == nil || inbox.IsTemporary(err) {
		d.t.Errorf("a question: %v, want a permanent error", err)
	}
	d.unchanged(before)
	return "is for people"
}

// read carries out twice what only reads, and wants the same both times.
func (d *desk) read(who users.Person, r inbox.Request) string {
	d.t.Helper()
	before := d.dump()
	job := d.job("k-1", who, r, false)
	first := d.perform(job)
	parts := d.sent
	again := d.perform(job)
	if !reflect.DeepEqual(first, again) || !slices.EqualFunc(parts, d.sent, bytes.Equal) {
		d.t.Errorf("a %s gives something else the second time", r.Kind)
	}
	d.unchanged(before)
	if r.Kind == inbox.KindDescribe {
		return fmt.Sprintf("%d places described", len(first.Holdings))
	}
	n := 0
	for _, row := range rowsOf(d.t, parts) {
		if n++; strings.Contains(row[3], "boris") || row[3] == "another's" {
			d.t.Errorf("the copy has %v in it", row)
		}
	}
	return fmt.Sprintf("%d values of %d records, %d part", n, d.records(who), len(parts))
}

// acted carries out an effect twice and looks at what it left: nothing happens
// the second time, nothing to somebody else, and an undo brings all back.
func (d *desk) acted(who users.Person, r inbox.Request, done func(users.Person, bool) bool) string {
	d.t.Helper()
	before, held := d.dump(), d.records(who)
	job := d.job("k-1", who, r, false)
	ask := job
	ask.Ask = true
	if _, err := d.Perform(d.t.Context(), ask); !errors.Is(err, inbox.ErrNotDone) {
		d.t.Errorf("asked before it began: %v", err)
	}
	d.unchanged(before)
	first := d.perform(job)
	after := d.dump()
	for _, job := range []inbox.Job{job, ask} {
		again := d.perform(job)
		if !slices.Equal(again.Plan.Steps, users.WithoutValues(first.Plan).Steps) || !slices.Equal(again.Plan.Keeps, first.Plan.Keeps) {
			d.t.Errorf("a %s says %+v the second time", r.Kind, again.Plan)
		}
	}
	d.unchanged(after)
	now, err := d.store.Get(d.t.Context(), who.ID)
	if err != nil && !isNotFound(err) {
		d.t.Fatal(err)
	}
	if !done(now, err != nil) {
		d.t.Errorf("a %s is not done", r.Kind)
	}
	if got, want := of("boris", after), of("boris", before); !slices.Equal(got, want) {
		d.t.Errorf("of somebody else there is\n%s\nand was\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if mine := of("anna", after); len(theirs(mine)) != len(mine) {
		d.t.Errorf("the record of the effect has values in it:\n%s", strings.Join(mine, "\n"))
	}
	cell := fmt.Sprintf("%d of %d records stay", d.records(who), held)
	if r.Kind == inbox.KindDelete && r.Scope == inbox.ScopeAccount {
		d.wantKept(who, first.Plan)
	}
	if r.Kind == inbox.KindDeactivate {
		d.perform(d.job("k-2", now, r, true))
		if back := theirs(d.dump()); !slices.Equal(back, theirs(before)) {
			d.t.Errorf("after the undo there is\n%s", strings.Join(back, "\n"))
		}
		cell += ", undone"
	}
	return cell
}

// wantKept wants somebody who is gone to be held only where the plan said so.
func (d *desk) wantKept(who users.Person, plan inbox.Plan) {
	d.t.Helper()
	for _, line := range d.dump() {
		if strings.Contains(line, who.Address()) {
			d.t.Errorf("the address is still there: %s", line)
		}
	}
	left, err := d.store.Left(d.t.Context(), who, plan)
	if err != nil || len(left) > 0 {
		d.t.Errorf("left: %v, %v", left, err)
	}
	for r, err := range d.store.Records(d.t.Context(), who) {
		if isNotFound(err) {
			return
		}
		if err != nil {
			d.t.Fatal(err)
		}
		if !slices.ContainsFunc(plan.Keeps, func(k inbox.Keep) bool { return k.Place == r.Place }) {
			d.t.Errorf("a record of the place %q stays, and the plan says nothing of it", r.Place)
		}
	}
}

// unchanged wants the store to hold what it held.
func (d *desk) unchanged(before []string) {
	d.t.Helper()
	if now := d.dump(); !slices.Equal(now, before) {
		d.t.Errorf("the store holds\n%s\nand held\n%s", strings.Join(now, "\n"), strings.Join(before, "\n"))
	}
}
