package handlers

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/inbox"
)

// Remains tells what is left of a delete that was carried out, or is there
// again because the site has restored a backup. Whether the backup knows the
// effect does not matter: where it does, what it says that was done is looked
// for, else what the map says now. Of a job that Took fields, one that holds
// another value by now is not left of the delete; it is told.
//
// Of somebody who is not there any more, what is found by address is looked for
// with Job.Had, and given as a guest's.
//
// When something is left, the delete can be performed again, as a Job with the
// Key, the Digest, the Address and, where there is one, the Guest that Remains gives. Its key is another one
// than the job's, under which a backup that knows it would do nothing. While
// the store does not know that key it stays the same, so that two who perform
// it do it once.
func (h *Handlers) Remains(ctx context.Context, job inbox.Job) (inbox.Remains, error) {
	rest, err := h.remains(ctx, job)
	if err != nil {
		return inbox.Remains{}, fmt.Errorf("looking for what is left of %s (%s): %w", job.EffectKey, job.Kind, err)
	}
	return rest, nil
}

func (h *Handlers) remains(ctx context.Context, job inbox.Job) (rest inbox.Remains, err error) {
	before, err := h.store.Recorded(ctx, job.EffectKey, job.Kind, job.Digest)
	recorded := err == nil
	if err != nil && !errors.Is(err, users.ErrNotFound) {
		return rest, err
	}
	p, err := h.store.Get(ctx, job.Person)
	if errors.Is(err, users.ErrNotFound) {
		p, rest.Gone, err = users.Person{ID: job.Person}, true, nil
	}
	if err != nil {
		return rest, err
	}
	plan, alone, err := h.planNow(ctx, p, job)
	var refused *datamap.RefusedError
	if err != nil && !(errors.As(err, &refused) && refused.Reason == datamap.ReasonSame) {
		return rest, err
	}
	if len(alone) > 0 {
		rest.LeftAlone, rest.Address = alone, p.Address()
	}
	if len(plan.Steps) == 0 { // none of the fields holds anything that was deleted
		return rest, nil
	}
	look := plan
	if recorded {
		look = before.Plan
		look.Steps = slices.DeleteFunc(look.Steps, func(s inbox.Step) bool { return s.Op == inbox.StepClear && holdsOther(p, job, s.Field) })
	}
	rest.Left, err = h.store.Left(ctx, p, look)
	switch {
	case err == nil && len(rest.Left) == 0 && rest.Gone && job.Had != nil:
		return h.remainsByAddress(ctx, job)
	case err != nil || len(rest.Left) == 0:
		return rest, err
	}
	rest.Address, rest.Digest = p.Address(), plan.Digest(p.ID, job.Kind)
	rest.Key, err = h.unused(ctx, job, rest.Digest)
	return rest, err
}

// remainsByAddress looks for what is there of somebody under the address that
// they had, and under no ID that is known.
func (h *Handlers) remainsByAddress(ctx context.Context, job inbox.Job) (inbox.Remains, error) {
	gone := inbox.Remains{Gone: true}
	addr, err := h.had(ctx, job)
	if err != nil || addr == "" {
		return gone, err
	}
	found, err := h.store.ByAddress(ctx, addr)
	switch {
	case err != nil || len(found) == 0:
		return gone, err
	case !found[0].Guest:
		return gone, &inbox.Error{Err: errors.New("rows with the address of the person are there, and an account has that address now"),
			Hint: "look whose they are: supportd users show; what is not theirs is removed by hand"}
	}
	p := found[0]
	plan, err := h.Plan(ctx, p, inbox.Request{Kind: job.Kind, Scope: job.Scope}, false)
	var refused *datamap.RefusedError
	if errors.As(err, &refused) { // all that is there is kept
		return gone, nil
	}
	if err != nil {
		return gone, err
	}
	rest := inbox.Remains{Gone: true, Guest: p.ID, Address: p.Address(), Digest: plan.Digest(p.ID, job.Kind)}
	if rest.Left, err = h.store.Left(ctx, p, plan); err != nil || len(rest.Left) == 0 {
		return gone, err
	}
	rest.Key, err = h.unused(ctx, job, rest.Digest)
	return rest, err
}

// had gives the address of the job's person as rows have it, "" when none does.
func (h *Handlers) had(ctx context.Context, job inbox.Job) (string, error) {
	for addr, err := range h.store.Addresses(ctx) {
		if err != nil || job.Had(addr) {
			return addr, err
		}
	}
	return "", nil
}

// repeats is how often one delete can be repeated: each time the site has
// restored a backup that knew of the time before.
const repeats = 1000

// unused gives the first key of a repetition that the store does not know.
func (h *Handlers) unused(ctx context.Context, job inbox.Job, digest string) (string, error) {
	for n := range repeats {
		key := fmt.Sprintf("%s-again-%d", job.EffectKey, n+1)
		_, err := h.store.Recorded(ctx, key, job.Kind, digest)
		var other *users.MismatchError
		switch {
		case errors.Is(err, users.ErrNotFound):
			return key, nil
		case err != nil && !errors.As(err, &other): // with another plan it was used all the same
			return "", err
		}
	}
	return "", fmt.Errorf("it was repeated %d times already", repeats)
}
