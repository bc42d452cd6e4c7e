// Package queue carries out Actions when they are due: commit the intent, act
// in the user store, commit the outcome. It also lets questions lapse and
// forgets what has been kept long enough.
//
// The queue looks at an Action when its time has come:
//
//	unconfirmed   its question lapses
//	held          the date has come until which staff put it off: it needs a person again
//	scheduled     the letter that tells of it must have been sent, which is when its cool-off begins, the
//	              mail of its cool-off read, an earlier Action of the Case ended, and a copy accepted by
//	              SMTP before a delete; the brake must allow one more irreversible effect
//	running       only after a crash: it is scheduled again, and the effect key tells the store
//
// An attempt whose answer was lost may have been carried out. It is tried again
// under the same effect key; and when the person or staff want it ended, the
// queue only asks the user store: what was carried out ends as done.
//
// While effects are paused nothing that is scheduled starts; questions still
// lapse, and the user store is still asked.
package queue

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"runtime/debug"
	"slices"
	"time"

	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/cases"
	"push.guru/supportd/inbox/policy"
	"push.guru/supportd/inbox/state"
)

// Performer carries out a Job. It must be idempotent by the Job's effect key.
// A *inbox.StaleError says that the plan is not the confirmed one any more;
// inbox.IsTemporary tells what is worth another try.
type Performer interface {
	// Perform carries out the job and gives its receipt.
	Perform(ctx context.Context, job inbox.Job) (inbox.Outcome, error)
}

// Config is what the queue needs. Every field must be set, but Erase, Log, Point
// and Replies.
type Config struct {
	State     *state.DB
	Cases     *cases.Keeper
	Performer Performer
	Rules     policy.Rules
	Keep      func(inbox.End) time.Duration // how long what ended cases hold stays readable
	Records   time.Duration                 // how long their records stay after that, and the journal; 0: for ever
	Erase     func(mailbox string) bool     // whether mails of deleted people are taken off the server; nil: of none
	Reapply   time.Duration                 // how long a delete that was carried out can be repeated; 0: not at all
	Log       *slog.Logger
	Point     func(name string) // called at "before effect" and "after effect"; nil: not at all
	Replies   func()            // called when a Reply may be due; nil: nobody waits

	// ReadUpTo gives the moment up to which the mail of every mailbox was read:
	// a stop may wait there. nil: it was.
	ReadUpTo func() time.Time

	// Beat is called before a step that takes no longer than within; a loop that
	// has not called again by then hangs. Within is 0 when it has ended. nil:
	// nobody listens.
	Beat func(loop string, within time.Duration)
}

// Queue is the loop. One goroutine runs it.
type Queue struct {
	Config
	wake      chan struct{}
	began     time.Time  // when Run was called; zero in a single run, which reads the mailboxes first
	unsettled []result   // carried out, but their commit failed: a full disk
	walk      state.Walk // through the cases that have ended
}

// result is what came of a Job.
type result struct {
	id      inbox.ActionID
	outcome inbox.Outcome
	c       inbox.MailID
	files   []string // that it attached
	small   [][]byte // those of them that the commit stores; nil: it is saved beside the state
	failure error
}

// New gives a Queue.
func New(c Config) *Queue {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Point == nil {
		c.Point = func(string) {}
	}
	if c.Replies == nil {
		c.Replies = func() {}
	}
	if c.Erase == nil {
		c.Erase = func(string) bool { return false }
	}
	if c.Beat == nil {
		c.Beat = func(string, time.Duration) {}
	}
	if c.ReadUpTo == nil {
		c.ReadUpTo = func() time.Time { return c.State.Now() }
	}
	return &Queue{Config: c, wake: make(chan struct{}, 1)}
}

// Wake makes the loop look at once. It never blocks.
func (q *Queue) Wake() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

const (
	batch     = 64
	idle      = time.Minute // longest wait between two looks
	tidyEvery = 10 * time.Minute
	maxTries  = 30 // then a temporary failure counts as a permanent one: after 21 hours

	// What was carried out, and only the rest of the site was not told of, is
	// tried for a week; staff hear of it after three hours.
	unheardTries = 178
	unheardTell  = 12

	loop     = "queue"          // its name
	stepTime = 15 * time.Minute // the longest that one action, or forgetting, may take before it is taken for hanging
	grace    = 30 * time.Second // for the action that is being carried out when the loop is told to stop
)

// Run works until ctx ends. It returns ctx's error, or nil when ctx ended.
func (q *Queue) Run(ctx context.Context) error {
	q.began = q.State.Now()
	defer q.Beat(loop, 0)
	q.Beat(loop, stepTime)
	if err := q.Recover(ctx); err != nil {
		return err
	}
	var tidied time.Time
	for ctx.Err() == nil {
		q.Beat(loop, stepTime)
		next, err := q.pass(ctx)
		if err != nil && ctx.Err() == nil {
			q.Log.Error("queue: will try again", "err", err)
		}
		if time.Since(tidied) > tidyEvery {
			tidied = time.Now()
			q.Beat(loop, stepTime)
			if err := q.Tidy(ctx); err != nil && ctx.Err() == nil {
				q.Log.Error("queue: forgetting what was kept long enough", "err", err)
			}
		}
		q.sleep(ctx, next)
	}
	return nil
}

func (q *Queue) sleep(ctx context.Context, next time.Time) {
	d := idle
	if !next.IsZero() {
		d = min(idle, max(next.Sub(q.State.Now()), 0))
	}
	q.Beat(loop, d+stepTime)
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-q.wake:
	case <-t.C:
	}
}

// Recover puts what was running when the process ended back into the queue. It
// may have been carried out: nothing ends it before the user store was asked.
// What is open gets the dates of the law that the configuration now names.
func (q *Queue) Recover(ctx context.Context) error {
	return errors.Join(q.recover(ctx), q.dateAnew(ctx))
}

// dateAnew commits only when a date has changed.
func (q *Queue) dateAnew(ctx context.Context) error {
	var undated []inbox.ActionID
	err := q.State.View(func(tx *state.Tx) (err error) { undated, err = tx.Undated(); return err })
	if err != nil || len(undated) == 0 {
		return err
	}
	q.Log.Info("queue: open actions get other dates than they had", "actions", len(undated))
	return q.State.Update(ctx, "deadlines", func(tx *state.Tx) error { return tx.DateAnew(undated) })
}

func (q *Queue) recover(ctx context.Context) error {
	return q.State.Update(ctx, "recover", func(tx *state.Tx) error {
		var running []*inbox.Action
		if err := tx.ActionsIn(inbox.StateRunning, func(a *inbox.Action) bool { running = append(running, a); return true }); err != nil {
			return err
		}
		for _, a := range running {
			if a.Begun == "" { // it was started before that was noted
				a.Begun = tx.EffectKey(a.ID)
			}
			a.RunAfter = tx.Now
			if err := tx.MoveFor(a, inbox.EventLater, cases.Program, "the program ended while it ran; the effect key tells what was done"); err != nil {
				return err
			}
		}
		return nil
	})
}

// Drain works until nothing is due now, and returns.
func (q *Queue) Drain(ctx context.Context) error {
	for {
		n, err := q.work(ctx)
		if err != nil || n == 0 {
			return err
		}
	}
}

// pass works off what is due and says when to look again.
func (q *Queue) pass(ctx context.Context) (next time.Time, err error) {
	began := q.State.Now()
	if err := q.Drain(ctx); err != nil {
		return q.State.Now().Add(5 * time.Second), err
	}
	// What was due and did not move waits for something that wakes the loop.
	err = q.State.View(func(tx *state.Tx) error { next = tx.NextDue(began); return nil })
	return next, err
}

// standsStill tells whether an Action that is scheduled may not start. While
// effects are paused the user store can still be asked about one.
func (q *Queue) standsStill(tx *state.Tx, a *inbox.Action) bool {
	paused, _ := tx.Paused()
	return q.Rules.Mode == policy.Observe || paused && a.Wish == ""
}

// dueNow lists the Actions that can move now; the others cost no commit. While
// the queue stands still nothing that is scheduled can, and at any time not
// what waits for something else and says so already.
func (q *Queue) dueNow(tx *state.Tx) (due []*inbox.Action, err error) {
	for _, id := range tx.DueActions(math.MaxInt) {
		a, err := tx.Action(id)
		if err != nil {
			return nil, err
		}
		waits := q.standsStill(tx, a)
		if a.State == inbox.StateScheduled && !waits && a.Wish == "" {
			if waits, err = q.known(tx, a); err != nil {
				return nil, err
			}
		}
		if a.State != inbox.StateScheduled || !waits {
			due = append(due, a)
		}
		if len(due) == batch {
			break
		}
	}
	return due, nil
}

// work looks at the Actions that are due and gives how many of them moved.
func (q *Queue) work(ctx context.Context) (moved int, err error) {
	if err := q.settleRest(ctx); err != nil {
		return 0, err
	}
	var due []*inbox.Action
	err = q.State.View(func(tx *state.Tx) error { due, err = q.dueNow(tx); return err })
	if err != nil {
		return 0, err
	}
	rounds, alone := split(due)
	for i, ids := range rounds {
		n, err := q.readers(ctx, ids)
		moved += n
		if err != nil { // which of them it was shows when each is alone
			alone = append(slices.Concat(rounds[i:]...), alone...)
			break
		}
	}
	for _, id := range alone {
		if ctx.Err() != nil {
			break
		}
		q.Beat(loop, stepTime)
		ok, failure := q.one(ctx, id)
		if ok {
			moved++
		}
		err = errors.Join(err, failure) // and on to the next: one bad Action never blocks the others
	}
	if len(due) > 0 {
		q.Replies()
	}
	return moved, err
}

// one looks at one Action: commit the intent, act, commit the outcome.
func (q *Queue) one(ctx context.Context, id inbox.ActionID) (moved bool, err error) {
	var l look
	err = q.State.Update(ctx, "claim", func(tx *state.Tx) (err error) { l, err = q.look(tx, id); return err })
	if err != nil || l.job == nil {
		return l.moved, err
	}
	if !q.act(ctx, l) {
		return false, nil
	}
	return true, q.settleRest(ctx)
}

// outlive gives a context that ends a while after ctx has: what was begun may
// finish. release frees it.
func outlive(ctx context.Context) (acting context.Context, release func()) {
	acting, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		t := time.NewTimer(grace)
		defer t.Stop()
		select {
		case <-t.C:
			cancel()
		case <-acting.Done():
		}
	})
	return acting, func() { stop(); cancel() }
}

// look is what came of a look at an Action.
type look struct {
	id    inbox.ActionID
	c     inbox.MailID
	moved bool
	job   *inbox.Job // nil: there is nothing to carry out
}

// look starts an Action whose time has come, or lets it lapse.
func (q *Queue) look(tx *state.Tx, id inbox.ActionID) (look, error) {
	l := look{id: id}
	a, err := tx.Action(id)
	if err != nil {
		return l, err
	}
	before := a.State
	l.c = a.Case
	switch {
	case a.State == inbox.StateUnconfirmed && !a.Expires.After(tx.Now):
		err = q.Cases.Expire(tx, a)
	case a.State == inbox.StateHeld && !a.Until.IsZero() && !a.Until.After(tx.Now):
		err = q.Cases.HoldOver(tx, a)
	case a.State == inbox.StateScheduled && !a.RunAfter.After(tx.Now) && !q.standsStill(tx, a):
		l.job, err = q.claim(tx, a)
	}
	if l.moved = a.State != before; err == nil && l.moved && l.job == nil {
		err = q.Cases.Report(tx, a.Case) // others of the Case may have waited to be told with it
	}
	return l, err
}

// act carries out what a look has started and keeps the outcome for its
// commit; false when it was given up because ctx had ended.
func (q *Queue) act(ctx context.Context, l look) bool {
	r := result{id: l.id, c: l.c}
	l.job.Attach = q.saver(&r)
	acting, release := outlive(ctx)
	defer release()
	q.Point("before effect")
	r.outcome, r.failure = q.perform(acting, *l.job)
	q.Point("after effect")
	if acting.Err() != nil && r.failure != nil {
		return false // not the store's fault: Recover takes it from here
	}
	q.unsettled = append(q.unsettled, r)
	return true
}

// perform carries a Job out. A panic is a failure of this Action and of no
// other.
func (q *Queue) perform(ctx context.Context, job inbox.Job) (o inbox.Outcome, err error) {
	defer func() {
		if r := recover(); r != nil {
			q.Log.Error("queue: an action made the program panic", "effect", job.EffectKey, "stack", string(debug.Stack()))
			err = &inbox.InDoubtError{Err: errors.New("it made the program panic; the log has the details")}
		}
	}()
	return q.Performer.Perform(ctx, job)
}

// settleRest commits the outcomes that are not committed yet: together, or in
// order where one of them cannot be.
func (q *Queue) settleRest(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	if len(q.unsettled) > 1 && q.settle(ctx, q.unsettled...) == nil {
		q.unsettled = nil
	}
	for len(q.unsettled) > 0 {
		r := q.unsettled[0]
		err := q.settle(ctx, r)
		if inbox.IsTemporary(err) {
			return err // the state cannot be written at the moment
		}
		q.unsettled = q.unsettled[1:]
		if err != nil { // it stays running; the next start runs it again, and the effect key answers
			return fmt.Errorf("settling %s: %w", r.id, err)
		}
	}
	return nil
}

// claim starts an Action unless something must come first.
func (q *Queue) claim(tx *state.Tx, a *inbox.Action) (*inbox.Job, error) {
	if a.Detail == nil {
		return nil, tx.MoveFor(a, inbox.EventRefuse, cases.Program, "its content was forgotten")
	}
	proved := q.Rules.Missing(a, a.Detail.Plan.Digest(a.Detail.Person, a.Kind)) == policy.ProofComplete
	switch {
	case a.Begun != "" && (a.Wish != "" || !proved):
		return q.start(tx, a, true)
	case !proved:
		return nil, q.Cases.AskProof(tx, a) // what proved it has become void
	}
	acts, err := earlier(tx, a)
	if err != nil {
		return nil, err
	}
	why, late, err := q.waits(tx, a, acts)
	if err != nil {
		return nil, err
	}
	if why != "" {
		return nil, q.wait(tx, a, why, late)
	}
	if held, err := q.barrier(tx, a, acts); held || err != nil {
		return nil, err
	}
	if stopped, err := q.brake(tx, a); stopped || err != nil {
		return nil, err
	}
	if policy.Irreversible(a) {
		if err := tx.Effect(a.ID); err != nil {
			return nil, err
		}
	}
	return q.start(tx, a, false)
}

// start notes that an attempt begins, or that the user store is asked what
// came of an earlier one, and makes the Job. From here on the Action may have
// been carried out, whatever becomes of this process: its effect key stays, so
// that also a restored state asks under the key of the attempt.
func (q *Queue) start(tx *state.Tx, a *inbox.Action, ask bool) (*inbox.Job, error) {
	a.Attempts++
	a.Error = ""
	if a.Begun == "" {
		a.Begun = tx.EffectKey(a.ID)
	}
	job := &inbox.Job{EffectKey: a.Begun, Kind: a.Kind, Scope: a.Scope, Undo: a.Undo, Person: a.Detail.Person, Ask: ask,
		Address: a.Detail.Address, Request: a.Detail.Request, Digest: a.Detail.Plan.Digest(a.Detail.Person, a.Kind), Language: a.Language, Approved: a.Approved}
	if (a.Kind == inbox.KindCopy || a.Kind == inbox.KindDescribe) && !ask {
		past, err := q.Cases.Past(tx, a.Detail.Person, a.Detail.Address)
		if err != nil {
			return nil, err
		}
		job.Past = past
	}
	return job, tx.Move(a, inbox.EventStart, cases.Program, map[string]string{"effect": job.EffectKey, "plan": job.Digest})
}

// waits says why an Action whose time has come cannot start yet, "" when it
// can. late tells that staff must hear of it. acts are those before it.
func (q *Queue) waits(tx *state.Tx, a *inbox.Action, acts []*inbox.Action) (why string, late bool, err error) {
	if why, err = untold(tx, a); why != "" || err != nil {
		return why, false, err
	}
	if q.ReadUpTo().Before(a.StopBy) {
		return "waits: mail from before the end of its cool-off has not been read", q.overdue(tx, a), nil
	}
	for _, b := range acts {
		if !b.State.Ended() && b.State != inbox.StateFailed && b.Kind != inbox.KindQuestion {
			return "waits: " + b.ID.String() + ", which comes before it, has not ended", false, nil
		}
	}
	copied, r, err := copyBefore(tx, a, acts)
	if copied && err == nil && (r == nil || !r.State.Ended() && r.State != inbox.ReplyHeld) {
		return "waits: the copy before it was not sent yet", false, nil
	}
	return "", false, err
}

// earlier gives the Actions of the same Case that come before one, in order, and
// without what is sealed of them.
func earlier(tx *state.Tx, a *inbox.Action) ([]*inbox.Action, error) {
	acts, err := tx.CaseStates(a.Case)
	if err != nil {
		return nil, err
	}
	return acts[:slices.IndexFunc(acts, func(b *inbox.Action) bool { return b.ID == a.ID })], nil
}

// copyBefore tells whether a copy comes before an irreversible Action, and
// gives a letter that carries it or a part of it, one that was not sent first.
func copyBefore(tx *state.Tx, a *inbox.Action, acts []*inbox.Action) (copied bool, r *inbox.Reply, err error) {
	copied = slices.ContainsFunc(acts, func(b *inbox.Action) bool { return b.Kind == inbox.KindCopy && b.State == inbox.StateDone })
	if !copied || !policy.Irreversible(a) {
		return false, nil, nil
	}
	replies, err := tx.CaseReplies(a.Case)
	for _, x := range replies {
		if x.Detail != nil && len(x.Detail.Files) > 0 && (r == nil || r.State == inbox.ReplySent) {
			r = x
		}
	}
	return true, r, err
}

// wait notes why an Action cannot start. What has ended in its Case is told
// without it then.
func (q *Queue) wait(tx *state.Tx, a *inbox.Action, why string, late bool) error {
	a.Error = why
	if late {
		a.Warned = true
		if err := q.Cases.Notify(tx, "an action waits: mail from before the end of its cool-off has not been read", a.Case, a); err != nil {
			return err
		}
	}
	if err := tx.PutAction(a); err != nil {
		return err
	}
	return q.Cases.Report(tx, a.Case)
}

// known tells whether an Action waits, and that is on record already.
func (q *Queue) known(tx *state.Tx, a *inbox.Action) (bool, error) {
	acts, err := earlier(tx, a)
	if err != nil {
		return false, err
	}
	why, late, err := q.waits(tx, a, acts)
	return why != "" && a.Error == why && !late, err
}

// untold says which letter that tells of an Action with a cool-off was not sent
// yet for all that is known, "" when every one was: nobody can stop what they
// were not told of.
func untold(tx *state.Tx, a *inbox.Action) (string, error) {
	if a.StopBy.IsZero() {
		return "", nil
	}
	replies, err := tx.CaseReplies(a.Case)
	if err != nil {
		return "", err
	}
	for _, r := range replies {
		if slices.Contains(r.Actions, a.ID) && (r.State == inbox.ReplyDue || r.State == inbox.ReplySending || r.State == inbox.ReplyUnknown) {
			return "waits: " + r.ID.String() + ", which tells of it, was not sent", nil
		}
	}
	return "", nil
}

// overdue tells whether staff must hear that an Action still waits for mail to
// be read: not for the time in which nobody tried.
func (q *Queue) overdue(tx *state.Tx, a *inbox.Action) bool {
	return !a.Warned && tx.Now.Sub(a.StopBy) > time.Hour && tx.Now.Sub(q.began) > time.Hour
}

// barrier holds an Action when one of those before it failed, or when the
// copy before it will not arrive: staff decide.
func (q *Queue) barrier(tx *state.Tx, a *inbox.Action, acts []*inbox.Action) (held bool, err error) {
	for _, b := range acts {
		if b.State == inbox.StateFailed {
			return true, q.Cases.HoldFor(tx, a, b)
		}
	}
	copied, r, err := copyBefore(tx, a, acts)
	if !copied || err != nil || r.State == inbox.ReplySent {
		return false, err
	}
	why := "the copy was not delivered (" + r.ID.String() + " is " + string(r.State) + ")"
	if err := tx.MoveFor(a, inbox.EventHold, cases.Program, why); err != nil {
		return true, err
	}
	return true, q.Cases.Notify(tx, "a delete is held: the copy before it was not delivered", a.Case, a)
}

// brake puts an Action before staff when too many irreversible effects happen
// in an hour, or when what it asks for is what a stolen address would be used
// for, or when only staff act upon the account. Their approval afterwards is
// final.
func (q *Queue) brake(tx *state.Tx, a *inbox.Action) (bool, error) {
	if a.Reviewed || a.Begun != "" { // what may have been carried out must be tried to its end
		return false, nil
	}
	why := ""
	if policy.Irreversible(a) {
		n, err := tx.Effects(tx.Now.Add(-time.Hour), a.ID)
		if err != nil {
			return false, err
		}
		if n >= q.Rules.Limits.EffectsPerHour {
			why = fmt.Sprintf("the brake: %d irreversible effects in an hour (policy.limits.effects_per_hour)", n)
		}
	}
	if why == "" && a.Approved {
		return false, nil
	}
	if why == "" && cases.GuardedAfterMove(a) && tx.MovedSince(a.Detail.Person, cases.MovedWindow(tx.Now)) {
		why = "the address on record changed less than 30 days ago"
	}
	if why == "" && q.Cases.Guards.Names(a.Detail.Person) {
		why = (&inbox.ProtectedError{}).Error()
	}
	if why == "" {
		return false, nil
	}
	a.Released = false
	if err := tx.MoveFor(a, inbox.EventBrake, cases.Program, why); err != nil {
		return false, err
	}
	return true, q.Cases.Notify(tx, "an action was stopped for review", a.Case, a)
}

// settle commits what came of Jobs.
func (q *Queue) settle(ctx context.Context, results ...result) error {
	return q.State.Update(ctx, "outcome", func(tx *state.Tx) error {
		for _, r := range results {
			a, err := tx.Action(r.id)
			if err != nil {
				return err
			}
			if r.failure == nil {
				err = errors.Join(r.attach(tx), q.done(tx, a, r.outcome, r.files))
			} else {
				err = q.failed(tx, a, r.failure)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// saver gives what keeps the files of a Job, one after the other: a large one
// beside the state before the commit that needs it, a small one in memory for
// that commit.
func (q *Queue) saver(r *result) func([]byte) error {
	return func(b []byte) error {
		name := fmt.Sprintf("%s-%d", r.id, len(r.files)+1)
		if state.Small(b) {
			r.files, r.small = append(r.files, name), append(r.small, bytes.Clone(b))
			return nil
		}
		if err := q.State.SaveFile(r.c, name, b); err != nil {
			return inbox.Temporary(err)
		}
		r.files, r.small = append(r.files, name), append(r.small, nil)
		return nil
	}
}

// attach stores the small files.
func (r *result) attach(tx *state.Tx) error {
	for i, b := range r.small {
		if b == nil {
			continue
		}
		if err := tx.SaveAttached(r.c, r.files[i], b); err != nil {
			return err
		}
	}
	return nil
}

func (q *Queue) done(tx *state.Tx, a *inbox.Action, o inbox.Outcome, files []string) error {
	receipt := o.Plan.Digest(a.Detail.Person, a.Kind)
	if err := q.remember(tx, a, o.Plan); err != nil {
		return err
	}
	a.Begun = ""
	if err := tx.Move(a, inbox.EventDone, cases.Program, map[string]any{"receipt": receipt, "done": o.Plan}); err != nil {
		return err
	}
	return q.Cases.Done(tx, a, o, files)
}

// remember keeps what it takes to repeat a delete that was carried out, should
// the site restore its data from before. What was done has no values when an
// earlier attempt did it: those that were shown stand for it then.
func (q *Queue) remember(tx *state.Tx, a *inbox.Action, done inbox.Plan) error {
	if a.Kind != inbox.KindDelete || q.Reapply == 0 {
		return nil
	}
	return tx.AddDeleted(&state.Deleted{Action: a.ID, Effect: a.Begun, Kind: a.Kind, Scope: a.Scope,
		Digest: a.Detail.Plan.Digest(a.Detail.Person, a.Kind), Person: a.Detail.Person, Fields: a.Detail.Request.Fields}, a.Detail.Address, slices.Concat(a.Detail.Plan.Steps, done.Steps))
}

func (q *Queue) failed(tx *state.Tx, a *inbox.Action, failure error) error {
	var stale *inbox.StaleError
	var moved *inbox.MovedError
	var guarded *inbox.ProtectedError
	var refused *datamap.RefusedError
	a.Error = failure.Error()
	if !inbox.InDoubt(failure) {
		a.Begun = ""
	}
	switch {
	case a.Begun == "" && a.Wish != "" || errors.Is(failure, inbox.ErrNotDone):
		return q.Cases.NotDone(tx, a)
	case errors.As(failure, &stale):
		return q.Cases.Stale(tx, a, stale.Plan)
	case errors.As(failure, &moved):
		return q.Cases.ToReview(tx, a, moved.Error())
	case errors.As(failure, &guarded):
		return q.Cases.Guarded(tx, a, guarded.Error())
	case errors.As(failure, &refused):
		a.Detail.Reason, a.Error = string(refused.Reason), refused.Error()
		if err := tx.Move(a, inbox.EventFail, cases.Program, nil); err != nil {
			return err
		}
		if err := tx.MoveFor(a, inbox.EventRefuse, cases.Program, a.Error); err != nil {
			return err
		}
		return q.Cases.Failed(tx, a)
	case inbox.IsTemporary(failure) && a.Attempts < tries(failure):
		a.RunAfter = tx.Now.Add(backoff(a.Attempts))
		q.Log.Warn("queue: an action will be tried again", "action", a.ID.String(), "attempt", a.Attempts, "err", failure)
		if err := tx.MoveFor(a, inbox.EventLater, cases.Program, a.Error); err != nil {
			return err
		}
		if unheard(failure) && a.Attempts == unheardTell {
			return q.Cases.Notify(tx, "an action was carried out, and users.after has not succeeded yet; it is tried for a week", a.Case, a)
		}
		if a.Wish == inbox.EventNo && a.Attempts == 1 { // the first time that the store was asked in vain
			return q.Cases.Unclear(tx, a)
		}
		return nil
	}
	q.Log.Error("queue: an action failed", "action", a.ID.String(), "err", failure)
	if err := tx.MoveFor(a, inbox.EventFail, cases.Program, a.Error); err != nil {
		return err
	}
	return q.Cases.Failed(tx, a)
}

// unheard tells of a failure that the Action was carried out, and only the rest
// of the site has not heard of it.
func unheard(failure error) bool {
	_, yes := errors.AsType[*inbox.UntoldError](failure)
	return yes
}

// tries is how often an Action that failed so is tried.
func tries(failure error) int {
	if unheard(failure) {
		return unheardTries
	}
	return maxTries
}

// LongestRetry gives the longest wait between two attempts.
func LongestRetry() time.Duration { return backoff(maxTries) }

// backoff doubles from five seconds up to an hour.
func backoff(attempt int) time.Duration {
	d := 5 * time.Second
	for range attempt - 1 {
		if d *= 2; d >= time.Hour {
			return time.Hour
		}
	}
	return d
}

// Tidy drops the keys of people whose account was deleted and of Cases that
// were kept long enough, forgets deletes that nobody needs to repeat any more,
// drops the records that are left of what was forgotten, and removes files that
// nothing needs. One call does so much and no more, whatever the size of the
// state.
func (q *Queue) Tidy(ctx context.Context) error {
	return errors.Join(q.erase(ctx), q.forget(ctx), q.forgetDeleted(ctx), q.dropRecords(ctx), q.dropJournal(ctx), q.sweep(), q.alarm(ctx))
}

func (q *Queue) forgetDeleted(ctx context.Context) error {
	until, over := q.State.Now().Add(-q.Reapply), false
	err := q.State.View(func(tx *state.Tx) error { over = tx.DeletedBefore(until); return nil })
	if err != nil || !over {
		return err
	}
	return q.State.Update(ctx, "forget deletes", func(tx *state.Tx) error { return tx.ForgetDeleted(until, batch*4) })
}

// alarm tells staff of what is due soon, and of what is late, once each.
func (q *Queue) alarm(ctx context.Context) error {
	near := false
	err := q.State.View(func(tx *state.Tx) error { near = q.Cases.Alarming(tx); return nil })
	if err != nil || !near {
		return err
	}
	err = q.State.Update(ctx, "alarm", func(tx *state.Tx) error { return q.Cases.Alarm(tx) })
	q.Replies()
	return err
}

func (q *Queue) sweep() error {
	stray, err := q.State.StrayFiles()
	for _, name := range stray {
		err = errors.Join(err, q.State.RemoveFile(name))
	}
	return err
}
