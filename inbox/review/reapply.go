package review

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/policy"
	"push.guru/supportd/inbox/state"
)

// ErrNotKept says that a run began at a time before which deletes are not kept
// any more. Those that are were looked at.
var ErrNotKept = errors.New("what was deleted long ago is not known any more")

// Eraser repeats deletes in the user store.
type Eraser interface {
	// Remains tells what is left of a delete that was carried out as job.
	Remains(ctx context.Context, job inbox.Job) (inbox.Remains, error)
	// Perform carries a delete out, once for its effect key.
	Perform(ctx context.Context, job inbox.Job) (inbox.Outcome, error)
}

// Repetition is what came of one delete that was to be repeated.
type Repetition struct {
	Action inbox.ActionID `json:"id"`
	Effect string         `json:"effect"` // the key under which it was carried out first
	Kind   inbox.Kind     `json:"kind"`
	Scope  inbox.Scope    `json:"scope"`
	Fields []inbox.Field  `json:"fields,omitempty"`
	Person string         `json:"person"`
	At     time.Time      `json:"at"` // when it was carried out first
	Result Result         `json:"result"`
	Error  string         `json:"error,omitempty"` // of a failure: why

	// LeftAlone are the fields that hold another value than the one that was
	// deleted: the person gave it since, or the backup is from before they had
	// the other. Nothing is done to them, whatever the Result.
	LeftAlone []inbox.Field `json:"left_alone,omitempty"`
}

// Result is how a Repetition ended.
type Result string

// The results.
const (
	ResultAlready   Result = "already"      // nothing of it is there
	ResultReapplied Result = "reapplied"    // it was there again, and is gone
	ResultDue       Result = "due"          // it would be repeated, but was only asked about
	ResultValue     Result = "other-value"  // nothing of it is there, but other values are: they were left alone
	ResultOther     Result = "other-person" // somebody with another address has the ID: nothing was done
	ResultFailed    Result = "failed"       // it could not be repeated
)

// Results lists every Result, in the order in which they are counted to staff.
func Results() []Result {
	return []Result{ResultAlready, ResultReapplied, ResultDue, ResultValue, ResultOther, ResultFailed}
}

// page is how many deletes are read in one transaction.
const page = 64

// Reapply repeats, oldest first, every delete that was carried out since a
// time, after the site has restored a backup of its data that was made then,
// and tells put of each. With dry it only looks.
//
// Another run goes on where one was cut short. Nothing is done for whoever has
// the ID now under another address: staff are told. A field is cleared only
// where it holds what was deleted. The error says why the run
// could not look at all that was asked for; a delete that could not be repeated
// is told to put alone.
func (d *Desk) Reapply(ctx context.Context, who string, since time.Time, dry bool, put func(Repetition) error) error {
	now := d.State.Now() // deletes are kept with it
	if err := d.reappliable(since, now, dry); err != nil {
		return err
	}
	if !d.reapplying.TryLock() {
		return errors.New("deletes are being repeated already: wait until that has ended")
	}
	defer d.reapplying.Unlock()
	run := &repeating{Desk: d, who: who, dry: dry, count: map[Result]int{}}
	err := run.all(ctx, since, put)
	err = errors.Join(err, run.end(context.WithoutCancel(ctx), since))
	if first := now.Add(-d.KeepDeleted); err == nil && since.Before(first) {
		err = &inbox.Error{Err: fmt.Errorf("%w: before %s", ErrNotKept, first.UTC().Format(time.RFC3339)),
			Hint: "users.reapply in the configuration says how long it is kept"}
	}
	return err
}

// reappliable tells why deletes cannot be repeated.
func (d *Desk) reappliable(since, now time.Time, dry bool) error {
	switch {
	case d.KeepDeleted == 0:
		return &inbox.Error{Err: errors.New("no delete is kept that could be repeated"), Hint: "users.reapply in the configuration is 0s"}
	case since.After(now):
		return errors.New("that time is still to come: name the one at which the restored backup was made")
	case !dry && d.Cases.Rules.Mode == policy.Observe:
		return &inbox.Error{Err: errors.New("mode is observe: nothing is done"), Hint: "see with --dry-run what would be; set policy.mode to assist or auto and restart"}
	}
	return nil
}

// repeating is one run of Reapply.
type repeating struct {
	*Desk
	who    string
	dry    bool
	count  map[Result]int
	others []string // whose ID is somebody else's now, and of which effect; the first of them
}

// all repeats what was deleted from since on, by a clock that was ahead then
// included.
func (r *repeating) all(ctx context.Context, since time.Time, put func(Repetition) error) error {
	from, id := since, inbox.ActionID(0)
	for {
		var found []*state.Deleted
		err := r.State.View(func(tx *state.Tx) (err error) { found, err = tx.DeletedFrom(from, id, page); return err })
		if err != nil {
			return err
		}
		for _, del := range found {
			from, id = del.At, del.Action+1
			told := r.tell(ctx, del)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err := put(told); err != nil {
				return err
			}
		}
		if len(found) < page {
			return nil
		}
	}
}

// tell repeats one delete and says what came of it.
func (r *repeating) tell(ctx context.Context, del *state.Deleted) Repetition {
	out := Repetition{Action: del.Action, Effect: del.Effect, Kind: del.Kind, Scope: del.Scope, Fields: del.Fields, Person: del.Person, At: del.At}
	result, alone, err := r.one(ctx, del)
	if err != nil {
		result = ResultFailed
		r.Config.Log.Error("review: a delete could not be repeated", "action", del.Action.String(), "err", err)
		if !r.dry {
			err = errors.Join(err, r.note(ctx, "not reapplied", del, map[string]any{"why": err.Error()}))
		}
		out.Error = err.Error()
	}
	out.Result, out.LeftAlone = result, alone
	r.count[result]++
	return out
}

// one repeats one delete, and gives the fields that it left alone.
func (r *repeating) one(ctx context.Context, del *state.Deleted) (Result, []inbox.Field, error) {
	job := r.repetition(del)
	rest, err := r.Eraser.Remains(ctx, job)
	if err != nil {
		return "", nil, err
	}
	result := ResultAlready
	if len(rest.Left) == 0 {
		result, err = r.gone(ctx, del)
	}
	if err == nil && result == ResultAlready && len(rest.Left)+len(rest.LeftAlone) > 0 {
		result, err = r.again(ctx, del, job, rest)
	}
	return result, rest.LeftAlone, err
}

// again takes a delete of which something is there again: commit the intent,
// act, commit the outcome.
func (r *repeating) again(ctx context.Context, del *state.Deleted, job inbox.Job, rest inbox.Remains) (Result, error) {
	if rest.Gone && rest.Guest == "" {
		return "", &inbox.Error{Err: fmt.Errorf("the place %q holds records of a person whose own record is not there", rest.Left[0].Place), Hint: "remove them by hand"}
	}
	switch {
	case !r.State.SameAddress(del, rest.Address):
		return ResultOther, r.other(ctx, del)
	case len(rest.Left) == 0:
		return ResultValue, r.skip(ctx, del, map[string]any{"why": "other values than those that were deleted are there", "left_alone": rest.LeftAlone})
	case r.dry:
		return ResultDue, nil
	}
	job.EffectKey, job.Digest, job.Address = rest.Key, rest.Digest, rest.Address
	if rest.Guest != "" {
		job.Person = rest.Guest
	}
	del.Begun, del.BegunDigest = rest.Key, rest.Digest
	intent := map[string]any{"as": rest.Key, "plan": rest.Digest}
	if len(rest.LeftAlone) > 0 {
		intent["left_alone"] = rest.LeftAlone
	}
	if err := r.note(ctx, "reapply", del, intent); err != nil {
		return "", err
	}
	return r.perform(ctx, del, job)
}

// gone takes a delete of which nothing is there. When an earlier run may have
// done that, and did not come to its end, the rest of the site is told now.
func (r *repeating) gone(ctx context.Context, del *state.Deleted) (Result, error) {
	switch {
	case del.Begun == "":
		return ResultAlready, nil
	case r.dry:
		return ResultDue, nil
	}
	job := r.repetition(del)
	job.EffectKey, job.Digest, job.Ask = del.Begun, del.BegunDigest, true
	result, err := r.perform(ctx, del, job)
	if errors.Is(err, inbox.ErrNotDone) {
		del.Begun, del.BegunDigest = "", ""
		return ResultAlready, r.note(ctx, "reapply not needed", del, nil)
	}
	return result, err
}

func (r *repeating) perform(ctx context.Context, del *state.Deleted, job inbox.Job) (Result, error) {
	out, err := r.Eraser.Perform(ctx, job)
	if err != nil {
		return "", err
	}
	del.Begun, del.BegunDigest = "", ""
	return ResultReapplied, r.note(ctx, "reapplied", del, map[string]any{"as": job.EffectKey, "receipt": out.Plan.Digest(del.Person, del.Kind)})
}

// other notes that nothing is done for somebody else who has the ID by now.
func (r *repeating) other(ctx context.Context, del *state.Deleted) error {
	if len(r.others) < page {
		r.others = append(r.others, fmt.Sprintf("person %s (%s, effect %s)", del.Person, del.Action, del.Effect))
	}
	return r.skip(ctx, del, map[string]any{"why": "the person with that ID has another address"})
}

// skip notes why nothing is done.
func (r *repeating) skip(ctx context.Context, del *state.Deleted, detail map[string]any) error {
	if r.dry {
		return nil
	}
	return r.note(ctx, "not reapplied", del, detail)
}

// note stores where the repetition of a delete stands, and what happened. Its
// detail is the house's own: it outlives the keys of the person, and is about
// effects.
func (r *repeating) note(ctx context.Context, what string, del *state.Deleted, detail map[string]any) error {
	all := map[string]any{"effect": del.Effect}
	for k, v := range detail {
		all[k] = v
	}
	return r.State.Update(context.WithoutCancel(ctx), what, func(tx *state.Tx) error { // what was done is noted also when the caller has gone
		return errors.Join(tx.PutDeleted(del), tx.Journal(what, r.who, 0, del.Action, all))
	})
}

// end notes how a run ended, and tells staff whose ID is somebody else's now.
func (r *repeating) end(ctx context.Context, since time.Time) error {
	if r.dry {
		return nil
	}
	r.Config.Log.Info("review: deletes repeated", "since", since, "already", r.count[ResultAlready], "reapplied", r.count[ResultReapplied],
		"other-value", r.count[ResultValue], "other-person", r.count[ResultOther], "failed", r.count[ResultFailed])
	err := r.State.Update(ctx, "reapply ended", func(tx *state.Tx) error {
		if err := tx.Journal("reapply ended", r.who, 0, 0, map[string]any{"since": since, "results": r.count}); err != nil || len(r.others) == 0 {
			return err
		}
		what := fmt.Sprintf("%d deletes were not repeated in the restored user store, because somebody with another address has the ID now: %s",
			r.count[ResultOther], strings.Join(r.others, ", "))
		return r.Cases.Notify(tx, what, 0)
	})
	r.Changed()
	return err
}

// repetition gives the Job that a delete was. Of fields it takes no more than
// that did.
func (d *Desk) repetition(del *state.Deleted) inbox.Job {
	job := inbox.Job{EffectKey: del.Effect, Kind: del.Kind, Scope: del.Scope, Person: del.Person, Digest: del.Digest, Approved: true,
		Request: inbox.Request{Kind: del.Kind, Scope: del.Scope, Fields: del.Fields}}
	if del.Scope == inbox.ScopeAccount {
		job.Had = func(addr string) bool { return d.State.SameAddress(del, addr) }
	}
	if del.Scope == inbox.ScopeFields {
		job.Request.Fields = del.Cleared()
		job.Took = func(f inbox.Field, value string) bool { return d.State.Took(del, f, value) }
	}
	return job
}
