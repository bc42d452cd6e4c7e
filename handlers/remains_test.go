package handlers

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/handlers/users/boltusers"
	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/inbox"
)

var deletePhone = inbox.Request{Kind: inbox.KindDelete, Scope: inbox.ScopeFields, Fields: []inbox.Field{inbox.FieldPhone}}

// back puts Anna's data back, as a backup of the people alone does.
func (h *house) back(fields map[inbox.Field]string) {
	h.t.Helper()
	if err := h.store.Put(h.t.Context(), boltusers.Import{ID: "17", Fields: fields}); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) remains(job inbox.Job) inbox.Remains {
	h.t.Helper()
	rest, err := h.Remains(h.t.Context(), job)
	if err != nil {
		h.t.Fatal(err)
	}
	return rest
}

// again performs what Remains says is left.
func (h *house) again(job inbox.Job, rest inbox.Remains) {
	h.t.Helper()
	job.EffectKey, job.Digest, job.Address = rest.Key, rest.Digest, rest.Address
	h.perform(job)
}

// TestRemains: what a delete left behind, or a backup brought back, is found
// and taken away under a key that the store did not know, each time.
func TestRemains(t *testing.T) {
	for name, r := range map[string]inbox.Request{"account": deleteAccount, "fields": deletePhone} {
		t.Run(name, func(t *testing.T) {
			h := open(t)
			job := h.job("k-1", r, false)
			fields := h.get("17").Fields
			before := h.remains(job) // of a backup from before
			if len(before.Left) == 0 || before.Gone || before.Address != "anna@users.test" || before.Key != "k-1-again-1" {
				t.Errorf("before it was done: %+v", before)
			}
			h.perform(job)
			for _, key := range []string{"k-1-again-1", "k-1-again-2"} {
				if rest := h.remains(job); len(rest.Left) != 0 || rest.Key != "" {
					t.Errorf("when it is done: %+v", rest)
				}
				h.back(fields)
				rest := h.remains(job)
				if len(rest.Left) == 0 || rest.Key != key {
					t.Fatalf("when it is there again: %+v, want %s", rest, key)
				}
				h.again(job, rest)
			}
			if rest := h.remains(job); len(rest.Left) != 0 {
				t.Errorf("at the end: %+v", rest)
			}
		})
	}
}

// TestRemainsOfWhatWasTaken: of a delete of fields only what it took is taken
// again, whether the backup knows the effect or not; other values stay and are
// told, also those that follow from what is taken.
func TestRemainsOfWhatWasTaken(t *testing.T) {
	const phone, full, given, family = inbox.FieldPhone, inbox.FieldFullName, inbox.FieldGivenName, inbox.FieldFamilyName
	type fields = map[inbox.Field]string
	for _, c := range []struct {
		name  string
		asked []inbox.Field
		before,
		back, // what is there again
		want fields // what is there in the end
		alone []inbox.Field
	}{
		{"the same", []inbox.Field{phone}, fields{phone: "1"}, fields{phone: "1"}, fields{}, nil},
		{"another", []inbox.Field{phone}, fields{phone: "1"}, fields{phone: "2"}, fields{phone: "2"}, []inbox.Field{phone}},
		{"one of each", []inbox.Field{phone, full}, fields{phone: "1", full: "Anna"}, fields{phone: "2", full: "Anna"},
			fields{phone: "2"}, []inbox.Field{phone}},
		{"one is not back", []inbox.Field{phone, full}, fields{phone: "1", full: "Anna"}, fields{full: "Eve"}, fields{full: "Eve"}, []inbox.Field{full}},
		{"held nothing then", []inbox.Field{phone, full}, fields{phone: "1"}, fields{phone: "1", full: "Eve"}, fields{full: "Eve"}, nil},
		{"a part is another, the rest of the name is back", []inbox.Field{full}, fields{full: "Anna Petrova", given: "Anna", family: "Petrova"},
			fields{full: "Anna Petrova", given: "Eve", family: "Petrova"}, fields{given: "Eve"}, []inbox.Field{given}},
		{"the whole is another, its parts are back", []inbox.Field{full}, fields{full: "Anna Petrova", given: "Anna", family: "Petrova"},
			fields{full: "Eve", given: "Anna", family: "Petrova"}, fields{full: "Eve"}, []inbox.Field{full}},
		{"a whole of parts that are back", []inbox.Field{given, family}, fields{full: "A. P.", given: "Anna", family: "Petrova"},
			fields{full: "Anna Petrova", given: "Anna", family: "Petrova"}, fields{full: "Anna Petrova"}, []inbox.Field{full}},
		{"a part of the name is another", []inbox.Field{phone, family}, fields{phone: "1", full: "Anna Petrova", given: "Anna", family: "Petrova"},
			fields{phone: "1", full: "Anna Bee", given: "Anna", family: "Bee"}, fields{full: "Anna Bee", given: "Anna", family: "Bee"}, []inbox.Field{family}},
		{"a whole that was deleted, too, and is another", []inbox.Field{given, family}, fields{full: "Anna Petrova", given: "Anna", family: "Petrova"},
			fields{full: "Eve Petrova", given: "Eve", family: "Petrova"}, fields{full: "Eve Petrova", given: "Eve"}, []inbox.Field{given, full}},
		{"the name follows its part", []inbox.Field{family}, fields{full: "Anna Petrova", given: "Anna", family: "Petrova"},
			fields{full: "Eve Petrova", given: "Eve", family: "Petrova"}, fields{full: "Eve", given: "Eve"}, nil},
	} {
		for _, known := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, known %t", c.name, known), func(t *testing.T) {
				h := open(t)
				h.holding(c.before)
				job := h.job("k-1", inbox.Request{Kind: inbox.KindDelete, Scope: inbox.ScopeFields, Fields: c.asked}, false)
				out := h.perform(job)
				if !known {
					job.EffectKey = "k-2"
				}
				h.takeAgain(job.EffectKey, repeated(job, out.Plan), c.back, c.want, c.alone)
			})
		}
	}
}

// holding gives Anna these fields beside her address, and no others.
func (h *house) holding(fields map[inbox.Field]string) {
	h.t.Helper()
	all := map[inbox.Field]string{inbox.FieldEmail: "anna@users.test", inbox.FieldFullName: "", inbox.FieldPhone: "", inbox.FieldAbout: "",
		inbox.FieldGivenName: "", inbox.FieldFamilyName: ""}
	maps.Copy(all, fields)
	h.back(all)
}

// repeated gives the job that repeats a delete of fields.
func repeated(job inbox.Job, done inbox.Plan) inbox.Job {
	took := map[inbox.Field]string{}
	job.Request.Fields = nil
	for _, s := range done.Steps {
		if s.Op == inbox.StepClear && s.Old != "" {
			took[s.Field] = s.Old
			job.Request.Fields = append(job.Request.Fields, s.Field)
		}
	}
	job.Took = func(f inbox.Field, v string) bool { return took[f] == v }
	return job
}

// takeAgain puts fields back, takes again what the job took, and compares what
// was left alone, and what is there in the end.
func (h *house) takeAgain(key string, job inbox.Job, back, want map[inbox.Field]string, alone []inbox.Field) {
	h.t.Helper()
	h.holding(back)
	rest := h.remains(job)
	if !slices.Equal(rest.LeftAlone, alone) || rest.Address != "anna@users.test" {
		h.t.Errorf("it says %+v", rest)
	}
	if slices.ContainsFunc(rest.Left, func(s inbox.Step) bool { return slices.Contains(alone, s.Field) }) {
		h.t.Errorf("what is left alone is left of the delete: %+v", rest)
	}
	if changes := len(want) != len(back) || !maps.Equal(want, back); changes != (len(rest.Left) > 0) || changes != (rest.Key == key+"-again-1") {
		h.t.Fatalf("it says %+v", rest)
	} else if changes {
		h.again(job, rest)
	}
	got := maps.Clone(h.get("17").Fields)
	delete(got, inbox.FieldEmail)
	maps.DeleteFunc(got, func(_ inbox.Field, v string) bool { return v == "" })
	if !maps.Equal(got, want) {
		h.t.Errorf("in the end there is %q, want %q", got, want)
	}
	if rest := h.remains(job); len(rest.Left) > 0 {
		h.t.Errorf("and still it says %+v", rest)
	}
}

// TestGivenMeanwhile: a value that the person gives between the look and the
// act stays.
func TestGivenMeanwhile(t *testing.T) {
	h := open(t)
	job := h.job("k-1", deletePhone, false)
	fields := h.get("17").Fields
	job = repeated(job, h.perform(job).Plan)
	h.back(fields)
	rest := h.remains(job)
	h.back(map[inbox.Field]string{inbox.FieldPhone: "+77019999999"})
	job.EffectKey, job.Digest, job.Address = rest.Key, rest.Digest, rest.Address
	if _, err := h.Perform(t.Context(), job); inbox.InDoubt(err) || !isStale(err) {
		t.Errorf("got %v", err)
	}
	if got := h.get("17").Fields[inbox.FieldPhone]; got != "+77019999999" {
		t.Errorf("the number is %q", got)
	}
}

// TestRemainsOfNobody: who never was in a backup is not missed there, and what
// is left of somebody whose own record is gone is told.
func TestRemainsOfNobody(t *testing.T) {
	h := open(t)
	job := h.job("k-1", deleteAccount, false)
	job.Person = "19"
	job.Digest = "of another time"
	if rest := h.remains(job); len(rest.Left) != 0 || !rest.Gone {
		t.Errorf("got %+v", rest)
	}
	h.Handlers = New(orphan{h.store}, datamap.Embedded(), Copies{}, nil)
	if rest := h.remains(job); len(rest.Left) != 1 || !rest.Gone || rest.Address != "" {
		t.Errorf("got %+v", rest)
	}
}

// orphan is a store that holds visits of somebody whose own record is gone.
type orphan struct{ users.Store }

func (orphan) Left(_ context.Context, _ users.Person, plan inbox.Plan) ([]inbox.Step, error) {
	return plan.Steps[:1], nil
}

// TestRemainsFails: a store that does not answer, a key that stands for
// something else and a field that is gone from the map are no "nothing is left".
func TestRemainsFails(t *testing.T) {
	h := open(t)
	job := h.job("k-1", deletePhone, false)
	h.perform(h.job("k-1", deleteAccount, false))
	var other *users.MismatchError
	if _, err := h.Remains(t.Context(), job); !errors.As(err, &other) {
		t.Errorf("of a key that stands for something else: %v", err)
	}
	h = open(t)
	job = h.job("k-1", deletePhone, false)
	job.Request.Fields = []inbox.Field{"shoe_size"}
	if _, err := h.Remains(t.Context(), job); err == nil || strings.Contains(err.Error(), "anna") {
		t.Errorf("of a field that nobody knows: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.Remains(ctx, job); err == nil {
		t.Error("it answered after the end")
	}
}

// TestRepetitionIsTold: the rest of the site is told of a delete that is done
// again, under its own key, until it has said that it is done.
func TestRepetitionIsTold(t *testing.T) {
	h := open(t)
	job := h.job("k-1", deleteAccount, false)
	fields := h.get("17").Fields
	h.perform(job)
	h.back(fields)
	site := &told{errs: []error{inbox.Temporary(errors.New("no answer"))}}
	h.Handlers = New(h.store, datamap.Embedded(), Copies{}, site)
	rest := h.remains(job)
	job.EffectKey, job.Digest, job.Address = rest.Key, rest.Digest, rest.Address
	if _, err := h.Perform(t.Context(), job); !inbox.InDoubt(err) {
		t.Fatalf("while the site does not answer: %v", err)
	}
	job.Address, job.Ask = "", true // another run: the address is not known any more
	h.perform(job)
	if len(site.notes) != 2 || site.notes[0] != site.notes[1] || site.notes[1].Effect != "k-1-again-1" || site.notes[1].Person != "17" {
		t.Errorf("the site was told %+v", site.notes)
	}
}
