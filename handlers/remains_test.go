package handlers

import (
	"context"
	"errors"
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
