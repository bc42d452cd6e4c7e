package handlers

import (
	"context"
	"errors"
	"testing"

	"push.guru/supportd/handlers/after"
	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/inbox"
)

// told is a site that answers each note with the next of its errors, then nil.
type told struct {
	errs  []error
	notes []after.Note
}

func (s *told) Tell(_ context.Context, n after.Note) error {
	s.notes = append(s.notes, n)
	if len(s.errs) == 0 {
		return nil
	}
	err := s.errs[0]
	s.errs = s.errs[1:]
	return err
}

// TestSiteIsTold: a job is done when the site has said that it is, and the
// effect is not repeated while it has not.
func TestSiteIsTold(t *testing.T) {
	h := open(t)
	site := &told{errs: []error{inbox.Temporary(errors.New("no answer")), inbox.Temporary(errors.New("no answer"))}}
	h.Handlers = New(h.store, datamap.Embedded(), Copies{Site: "Push.Guru"}, site)
	job := h.job("k-1", deleteAccount, false)
	for range 2 {
		if _, err := h.Perform(t.Context(), job); !inbox.IsTemporary(err) || !inbox.InDoubt(err) {
			t.Fatalf("Perform while the site does not answer: %v, want a temporary error that leaves it in doubt", err)
		}
	}
	job.Ask = true // somebody says stop: what was done is found, and the site told
	h.perform(job)
	want := after.Note{Effect: "k-1", Kind: inbox.KindDelete, Scope: inbox.ScopeAccount, Person: "17"}
	if len(site.notes) != 3 {
		t.Fatalf("the site was told %d times, want 3", len(site.notes))
	}
	for _, n := range site.notes {
		if n != want {
			t.Errorf("the site was told %+v, want %+v", n, want)
		}
	}
}

// TestSiteIsToldOfEffectsOnly: not of what only reads, and not of what was not
// done.
func TestSiteIsToldOfEffectsOnly(t *testing.T) {
	h := open(t)
	site := new(told)
	h.Handlers = New(h.store, datamap.Embedded(), Copies{Site: "Push.Guru"}, site)
	h.perform(h.job("k-1", inbox.Request{Kind: inbox.KindCopy}, false))
	h.perform(h.job("k-2", inbox.Request{Kind: inbox.KindDescribe}, false))
	stale := h.job("k-3", setPhone("+77019999999"), false)
	stale.Digest = "another"
	if _, err := h.Perform(t.Context(), stale); err == nil {
		t.Error("a stale plan was carried out")
	}
	if len(site.notes) != 0 {
		t.Errorf("the site was told %+v", site.notes)
	}
	h.perform(h.job("k-4", inbox.Request{Kind: inbox.KindDeactivate}, false))
	h.perform(h.job("k-5", inbox.Request{Kind: inbox.KindDeactivate}, true))
	if len(site.notes) != 2 || site.notes[0].Undo || !site.notes[1].Undo || site.notes[1].Effect != "k-5" {
		t.Errorf("of a deactivate and its undo the site was told %+v", site.notes)
	}
}
