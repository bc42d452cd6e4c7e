package outbox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/cases"
	"push.guru/supportd/inbox/policy"
	"push.guru/supportd/inbox/state"
)

// Sender hands one mail over to an SMTP server. [Transport] is the real one.
type Sender interface {
	// Send makes one try to hand over msg to the recipient, and says what came
	// of it. It is called for one mail at a time.
	Send(ctx context.Context, from, to string, msg []byte) Result
	// Close ends the connection that the Sender may still hold.
	Close() error
}

// Box is where the Replies of one mailbox are handed over.
type Box struct {
	Name        string        // the mailbox
	Connections int           // Senders used at the same time; at least 1
	MaxBytes    int           // a larger mail goes to staff; 0: no limit
	Open        func() Sender // called once for each connection
}

// Config is what the outbox needs. Every field must be set, but Log and Sent.
type Config struct {
	State *state.DB
	Cases *cases.Keeper
	Boxes []Box
	Mode  policy.Mode
	Log   *slog.Logger
	Sent  func() // called after Replies were accepted; nil: nobody waits
	Watch Watch
}

// Watch is who sees how the work goes; nil: nobody.
type Watch struct {
	// Beat is called by the loop, and by each connection's worker, before a step
	// that takes no longer than within; one that has not called again by then
	// hangs. Within is 0 when nothing is to be done.
	Beat func(loop string, within time.Duration)
	// Reached is called with what a try says about a mailbox's server: nil when
	// it does its work. What says nothing about it is not told.
	Reached func(mailbox string, err error)
	// Ended is called for each Reply that came to its end, after the commit.
	Ended func(mailbox string, s inbox.ReplyState)
}

// orNobody puts a function in place of each that is nil.
func (w Watch) orNobody() Watch {
	if w.Beat == nil {
		w.Beat = func(string, time.Duration) {}
	}
	if w.Reached == nil {
		w.Reached = func(string, error) {}
	}
	if w.Ended == nil {
		w.Ended = func(string, inbox.ReplyState) {}
	}
	return w
}

// Outbox is the loop that delivers what is owed.
type Outbox struct {
	Config
	wake     chan struct{}
	jobs     map[string]chan job
	results  chan result
	inFlight map[inbox.ReplyID]flight
	lanes    map[inbox.ReplyID]lane // of what is due, so that a long queue is read once
	unnoted  []result               // known, but not committed yet
	noteBy   time.Time              // when they must be at the latest
	ended    []ending               // in the transaction that is under way
	workers  sync.WaitGroup
}

// flight is a Reply that was claimed, and what came of which is not committed.
type flight struct {
	lane
	bytes int
}

// lane is what a Reply waits for: a connection of its mailbox, and the letters
// of its Case that come before it.
type lane struct {
	box  string
	mail inbox.MailID // the Case
}

// job is a Reply on its way to a connection.
type job struct {
	reply *inbox.Reply
	bytes []byte
	later bool // the disk failed while it was rendered: nothing is wrong with the Reply
}

type result struct {
	reply *inbox.Reply
	Result
	unsent bool // the loop was told to stop before it was tried
}

// ending is that a Reply came to its end.
type ending struct {
	box   string
	state inbox.ReplyState
}

// New gives an Outbox.
func New(c Config) *Outbox {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Sent == nil {
		c.Sent = func() {}
	}
	c.Watch = c.Watch.orNobody()
	return &Outbox{Config: c, wake: make(chan struct{}, 1)}
}

// Wake makes the loop look at once. It never blocks.
func (o *Outbox) Wake() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

const (
	outIdle     = time.Minute
	grace       = 30 * time.Second   // for what is being sent when the loop is told to stop
	giveUp      = 5 * 24 * time.Hour // from the first try; after that a temporary failure is a permanent one
	tryAgain    = 5 * time.Second    // the state could not be written
	leastTries  = 10                 // within them: the days may have passed while nobody tried
	unknownWait = time.Hour          // until a mail that may have arrived is sent once more

	// batch is how many Replies for each connection one commit claims, and how
	// many outcomes for each one commit notes. While a batch is sent the next one
	// waits behind it, so that no connection is idle during a commit.
	batch      = 16
	batchBytes = 8 << 20     // of claimed mails, and one more mail
	noteWithin = time.Second // an outcome waits for others so long at most

	firstRest = 5 * time.Second // of a connection whose server takes nothing at the moment
	longRest  = time.Minute

	loop     = "outbox"         // its name
	stepTime = 15 * time.Minute // the longest that claiming or noting may take before it is taken for hanging
	sendTime = 2 * time.Hour    // the same of handing one mail over: the largest, over a line of 4 KB a second
)

// Run delivers until ctx ends; what is being sent then may finish.
func (o *Outbox) Run(ctx context.Context) error { return o.run(ctx, false) }

// Drain delivers what is due and returns when nothing is due now.
func (o *Outbox) Drain(ctx context.Context) error { return o.run(ctx, true) }

func (o *Outbox) run(ctx context.Context, once bool) error {
	sending, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	o.start(ctx, sending)
	defer o.Watch.Beat(loop, 0)
	if err := o.recover(); err != nil {
		return errors.Join(err, o.stop(ctx, cancel))
	}
	for ctx.Err() == nil {
		o.Watch.Beat(loop, stepTime)
		next, err := o.step(ctx)
		if err != nil && ctx.Err() == nil {
			o.Log.Error("outbox: will try again", "err", err)
			if once {
				break
			}
			next = o.State.Now().Add(tryAgain)
		}
		if err == nil && o.complete() {
			next = o.State.Now() // a full batch of outcomes has come meanwhile
		}
		if once && len(o.inFlight) == 0 && (next.IsZero() || next.After(o.State.Now())) {
			break
		}
		o.wait(ctx, next)
	}
	return o.stop(ctx, cancel)
}

// recover takes up letters that a server had taken over when the process ended
// before their commit.
func (o *Outbox) recover() error {
	accepted, err := o.State.Accepted()
	for _, r := range accepted {
		o.keep(result{reply: r, Result: Result{Outcome: Sent}})
	}
	return err
}

// step notes outcomes that wait for nothing more, and claims what is due.
func (o *Outbox) step(ctx context.Context) (time.Time, error) {
	if o.complete() {
		if err := o.commit(ctx); err != nil {
			return time.Time{}, err
		}
	}
	return o.claim(ctx)
}

// complete tells whether the outcomes that are known are to be committed now:
// a batch of them, those that everything else waits for, or old ones.
func (o *Outbox) complete() bool {
	n := len(o.unnoted)
	return n > 0 && (n >= o.batches() || n >= len(o.inFlight) || !time.Now().Before(o.noteBy))
}

// batches is how many outcomes one commit notes.
func (o *Outbox) batches() (n int) {
	for _, b := range o.Boxes {
		n += batch * b.Connections
	}
	return n
}

// start opens the connections' workers. They take no new mail when quit ends.
func (o *Outbox) start(quit, ctx context.Context) {
	o.jobs, o.inFlight = make(map[string]chan job), make(map[inbox.ReplyID]flight)
	for _, b := range o.Boxes {
		ch := make(chan job, 2*batch*b.Connections)
		o.jobs[b.Name] = ch
		for n := range b.Connections {
			name := fmt.Sprintf("%s %s %d", loop, b.Name, n+1)
			o.workers.Go(func() { o.work(quit, ctx, name, b, ch) })
		}
	}
	o.results = make(chan result, 2*o.batches())
}

// work sends what it is given over one connection. After a failure that is the
// server's, and of no mail, it rests: a server that takes nothing is not told
// of each mail that waits.
func (o *Outbox) work(quit, ctx context.Context, name string, b Box, jobs <-chan job) {
	s := b.Open()
	defer func() {
		if err := s.Close(); err != nil {
			o.Log.Debug("outbox: closing a connection", "mailbox", b.Name, "err", err)
		}
	}()
	pause := firstRest
	for j := range jobs {
		if quit.Err() != nil {
			o.results <- result{reply: j.reply, unsent: true}
			continue
		}
		d := j.reply.Detail
		o.Watch.Beat(name, sendTime)
		res := s.Send(ctx, d.From.Addr, d.To, j.bytes)
		o.Watch.Beat(name, 0)
		if said, err := res.OfServer(); said && ctx.Err() == nil {
			o.Watch.Reached(b.Name, err)
		}
		if res.Outcome == Sent {
			if err := o.State.NoteAccepted(d.MessageID); err != nil {
				o.Log.Error("outbox: until its commit a crash would send a reply again", "reply", j.reply.ID.String(), "err", err)
			}
		}
		o.results <- result{reply: j.reply, Result: res}
		if !res.Busy {
			pause = firstRest
			continue
		}
		rest(quit, pause)
		pause = min(2*pause, longRest)
	}
}

// rest waits, but not longer than until quit ends.
func rest(quit context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-quit.Done():
	case <-t.C:
	}
}

// stop lets what is being sent finish, within reason, and commits it.
func (o *Outbox) stop(ctx context.Context, cancel context.CancelFunc) error {
	for _, ch := range o.jobs {
		close(ch)
	}
	t := time.AfterFunc(grace, cancel)
	defer t.Stop()
	for len(o.unnoted) < len(o.inFlight) {
		o.unnoted = append(o.unnoted, <-o.results)
	}
	o.workers.Wait()
	return o.commit(context.WithoutCancel(ctx))
}

// wait sleeps until a result comes, the next Reply is due or somebody wakes
// it. It keeps the results that are there, and commits them when they are a
// batch.
func (o *Outbox) wait(ctx context.Context, next time.Time) {
	d := outIdle
	if !next.IsZero() {
		d = min(d, max(next.Sub(o.State.Now()), 0))
	}
	if len(o.unnoted) > 0 {
		d = min(d, max(time.Until(o.noteBy), 0))
	}
	o.Watch.Beat(loop, d+stepTime)
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-o.wake:
	case <-t.C:
	case r := <-o.results:
		o.keep(r)
		for len(o.results) > 0 {
			o.keep(<-o.results)
		}
	}
	if !o.complete() {
		return
	}
	if err := o.commit(context.WithoutCancel(ctx)); err != nil {
		o.Log.Error("outbox: what was sent could not be noted", "err", err)
	}
}

// keep puts a result to those that wait for their commit.
func (o *Outbox) keep(r result) {
	if len(o.unnoted) == 0 {
		o.noteBy = time.Now().Add(noteWithin)
	}
	o.unnoted = append(o.unnoted, r)
}

// claim commits the intent to send what is due and gives it to the workers.
// next is when the earliest of the others is due.
func (o *Outbox) claim(ctx context.Context) (next time.Time, err error) {
	if o.Mode == policy.Observe {
		return time.Time{}, nil
	}
	ready, err := o.ready()
	if err != nil {
		return time.Time{}, err
	}
	var claimed []job
	if len(ready) > 0 {
		err = o.State.Update(ctx, "send", func(tx *state.Tx) error {
			claimed, o.ended = claimed[:0], nil
			for _, j := range ready {
				ok, err := o.begin(tx, &j)
				if err != nil {
					return err
				}
				if ok {
					claimed = append(claimed, j)
				}
			}
			return nil
		})
		if err != nil {
			return time.Time{}, err
		}
		o.tellEnded()
	}
	for _, j := range claimed {
		o.inFlight[j.reply.ID] = flight{lane{j.reply.Mailbox, j.reply.Case}, len(j.bytes)}
		o.jobs[j.reply.Mailbox] <- j
	}
	if len(ready) > 0 {
		return o.State.Now(), nil // there may be more
	}
	return o.nextDue()
}

// nextDue gives when the next Reply that is not on its way is due.
func (o *Outbox) nextDue() (next time.Time, err error) {
	err = o.State.View(func(tx *state.Tx) error {
		if _, paused := tx.Paused(); paused || len(o.inFlight) > 0 {
			return nil // a result, or the end of the pause, wakes the loop
		}
		next = tx.NextReply()
		return nil
	})
	return next, err
}

// ready reads and renders Replies that are due and for which a worker is free.
// The letters of a Case go one by one, in order: that something is done must
// not arrive before that it will be.
func (o *Outbox) ready() ([]job, error) {
	var out []job
	var due []*inbox.Reply
	err := o.State.View(func(tx *state.Tx) (err error) { due, err = o.startable(tx); return err })
	if err != nil {
		return nil, err
	}
	bytes := o.flying()
	for _, r := range due {
		if bytes > batchBytes {
			break
		}
		b, err := o.render(r)
		if err != nil {
			o.Log.Error("outbox: a reply cannot be rendered", "reply", r.ID.String(), "err", err)
			r.Error = err.Error()
		}
		out = append(out, job{reply: r, bytes: b, later: inbox.IsTemporary(err)})
		bytes += len(b)
	}
	return out, nil
}

// flying is how many bytes of mails are in flight.
func (o *Outbox) flying() (n int) {
	for _, f := range o.inFlight {
		n += f.bytes
	}
	return n
}

// startable lists Replies that are due and wait for nothing. All that are due
// are looked at until there is no room: a server that hangs delays the letters
// of its own mailbox only.
func (o *Outbox) startable(tx *state.Tx) (due []*inbox.Reply, err error) {
	room, lanes := o.room(), make(map[inbox.ReplyID]lane)
	if _, paused := tx.Paused(); paused || room.left == 0 {
		return nil, nil
	}
	tx.EachDueReply(func(id inbox.ReplyID) bool {
		if _, sending := o.inFlight[id]; sending {
			return true
		}
		l, known := o.lanes[id]
		if known && !room.has(l) {
			lanes[id] = l
			return true
		}
		var r *inbox.Reply
		if r, err = tx.Reply(id); err != nil {
			return false
		}
		l = lane{o.box(r), r.Case}
		lanes[id] = l
		if room.has(l) {
			room.take(l)
			r.Mailbox = l.box
			due = append(due, r)
		}
		return room.left > 0
	})
	o.lanes = lanes
	return due, err
}

// room is what is free for Replies to start.
type room struct {
	free map[string]int // places, by mailbox
	left int            // all of them
	busy map[inbox.MailID]bool
}

// room gives a mailbox that has room for a batch or has nothing in flight room
// for a batch, and the others none.
func (o *Outbox) room() *room {
	r := &room{free: make(map[string]int), busy: make(map[inbox.MailID]bool)}
	flying := make(map[string]int)
	for _, f := range o.inFlight {
		r.busy[f.mail] = true
		flying[f.box]++
	}
	for name, ch := range o.jobs {
		if free := cap(ch) - flying[name]; 2*free >= cap(ch) {
			r.free[name] = free
			r.left += free
		}
	}
	if o.flying() > batchBytes {
		r.left = 0
	}
	return r
}

func (r *room) has(l lane) bool { return r.free[l.box] > 0 && !r.busy[l.mail] }

func (r *room) take(l lane) {
	r.free[l.box]--
	r.left--
	r.busy[l.mail] = true
}

// box gives the mailbox that a Reply leaves through: its own, or the first
// when that was taken out of the configuration.
func (o *Outbox) box(r *inbox.Reply) string {
	if _, ok := o.jobs[r.Mailbox]; ok {
		return r.Mailbox
	}
	return o.Boxes[0].Name
}

// render gives the bytes of a Reply: the stored ones, or new ones that are
// stored with the claim.
func (o *Outbox) render(r *inbox.Reply) ([]byte, error) {
	if r.Detail == nil {
		return nil, nil
	}
	b, err := o.State.Rendered(r)
	if b != nil || err != nil {
		return b, diskError(err)
	}
	var files []inbox.File
	for _, name := range r.Detail.Files {
		content, err := o.State.LoadFile(r.Case, name)
		if err != nil {
			return nil, diskError(err)
		}
		files = append(files, inbox.File{Name: copyName(r.Detail.Part), Type: "application/zip", Bytes: content})
	}
	if b, err = Compose(r.Detail, files, r.Created, auto(r)); err != nil {
		return nil, err
	}
	if err := o.State.SaveLarge(r, b); err != nil {
		return nil, diskError(err)
	}
	return b, nil
}

// copyName is how the person sees a copy, or a part of one.
func copyName(part int) string {
	if part == 0 {
		return "data.zip"
	}
	return fmt.Sprintf("data-%d.zip", part)
}

// diskError makes a failure to read or write one that a later try may mend. A
// file that is gone, or whose key is, comes back never.
func diskError(err error) error {
	if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, state.ErrForgotten) {
		return err
	}
	return inbox.Temporary(err)
}

// auto says how a Reply came to be: staff's own words are no automatic mail.
func auto(r *inbox.Reply) AutoSubmitted {
	switch {
	case r.Staff:
		return AutoGenerated
	case r.ByStaff:
		return AutoNone
	}
	return AutoReplied
}

// begin marks a Reply as being sent, with its bytes; false when its turn is
// over.
func (o *Outbox) begin(tx *state.Tx, j *job) (bool, error) {
	box, failure := j.reply.Mailbox, j.reply.Error
	r, err := present(tx, j.reply)
	if err != nil {
		return false, err
	}
	if r.State.Ended() || r.State == inbox.ReplyHeld {
		return false, nil
	}
	why, err := void(tx, r)
	if err != nil {
		return false, err
	}
	switch {
	case why != "":
		r.State, r.Error = inbox.ReplyVoid, why
		return false, o.end(tx, r)
	case j.later && !tooLate(r, tx.Now):
		r.Attempts = append(r.Attempts, inbox.Attempt{At: tx.Now, Result: Temporary.String()})
		r.Next, r.Error = tx.Now.Add(retryAfter(len(r.Attempts))), failure
		return false, tx.PutReplyState(r)
	case j.bytes == nil:
		r.State, r.Error = inbox.ReplyFailed, "it cannot be rendered: "+failure
		return false, o.giveUp(tx, r)
	case o.maxBytes(box) > 0 && len(j.bytes) > o.maxBytes(box):
		r.State, r.Error = inbox.ReplyFailed, fmt.Sprintf("it is %d bytes large, more than smtp.max_reply_bytes", len(j.bytes))
		return false, o.giveUp(tx, r)
	}
	if err := tx.SaveRendered(r, j.bytes); err != nil {
		return false, err
	}
	r.State = inbox.ReplySending // Next stays: after a crash it is the first again
	*j = job{reply: r, bytes: j.bytes}
	j.reply.Mailbox = box
	return true, tx.PutReplyState(r)
}

// present gives a Reply as it stands now, with the detail that was read before:
// that is large, and a letter that is due keeps it until it is forgotten.
func present(tx *state.Tx, before *inbox.Reply) (*inbox.Reply, error) {
	r, err := tx.ReplyState(before.ID)
	if err != nil {
		return nil, err
	}
	if tx.Remembers(r.Case) {
		r.Detail = before.Detail
	}
	return r, nil
}

func (o *Outbox) maxBytes(box string) int {
	for _, b := range o.Boxes {
		if b.Name == box {
			return b.MaxBytes
		}
	}
	return 0
}

// void tells why a Reply is no longer true, "" while it is: a question that
// was answered or replaced is not asked.
func void(tx *state.Tx, r *inbox.Reply) (string, error) {
	if r.Detail == nil {
		return "its content was forgotten", nil
	}
	q, err := tx.AskByReply(r)
	switch {
	case err != nil || q == nil || q.Purpose == state.PurposeNotice:
		return "", err
	case q.Used:
		return "its question was answered", nil
	case q.Void != "":
		return "its question is void: " + q.Void, nil
	case q.Lapsed(tx.Now):
		return "its question has lapsed", nil
	}
	return "", nil
}

// commit notes what became of Replies, those of an earlier commit that failed
// included.
func (o *Outbox) commit(ctx context.Context) error {
	results := o.unnoted
	if len(results) == 0 {
		return nil
	}
	var files []string
	err := o.State.Update(ctx, "sent", func(tx *state.Tx) error {
		files, o.ended = files[:0], nil
		for _, res := range results {
			r, err := present(tx, res.reply)
			if err != nil {
				return err
			}
			if res.unsent {
				r.State = inbox.ReplyDue
				if err := tx.PutReplyState(r); err != nil {
					return err
				}
				continue
			}
			if err := o.note(tx, r, res.Result); err != nil {
				return err
			}
			if r.State.Ended() && r.Detail != nil {
				files = append(files, append(r.Detail.Files, r.ID.String())...)
			}
		}
		return nil
	})
	if err != nil {
		o.noteBy = time.Now().Add(tryAgain)
		return err
	}
	o.unnoted = nil
	o.tellEnded()
	for _, res := range results {
		delete(o.inFlight, res.reply.ID)
	}
	for _, f := range files {
		err = errors.Join(err, o.State.RemoveFile(f))
	}
	if len(o.inFlight) == 0 {
		err = errors.Join(err, o.State.ClearAccepted())
	}
	o.Sent()
	return err
}

// note changes one Reply by the result of one try.
func (o *Outbox) note(tx *state.Tx, r *inbox.Reply, res Result) error {
	r.Attempts = append(r.Attempts, inbox.Attempt{At: tx.Now, Result: res.Outcome.String(), Code: res.Code})
	r.Error = ""
	if res.Err != nil {
		r.Error = res.Err.Error()
		o.Log.Warn("outbox: a reply was not sent", "reply", r.ID.String(), "case", r.Case.String(), "outcome", res.Outcome.String(), "err", res.Err)
	}
	switch {
	case res.Outcome == Sent:
		r.State, r.Sent = inbox.ReplySent, tx.Now
		if err := o.Cases.Sent(tx, r); err != nil {
			return err
		}
		o.Log.Info("outbox: sent", "reply", r.ID.String(), "case", r.Case.String(), "letter", r.Name)
		return o.end(tx, r)
	case res.Outcome == Temporary && !tooLate(r, tx.Now):
		r.State, r.Next = inbox.ReplyDue, tx.Now.Add(retryAfter(len(r.Attempts)))
		return tx.PutReplyState(r)
	case res.Outcome == Unknown && count(r, Unknown) < 2:
		r.State, r.Next = inbox.ReplyUnknown, tx.Now.Add(unknownWait)
		return tx.PutReplyState(r)
	}
	r.State = inbox.ReplyFailed
	return o.giveUp(tx, r)
}

// tooLate tells whether a Reply was tried for as long as it is worth.
func tooLate(r *inbox.Reply, now time.Time) bool {
	return len(r.Attempts) >= leastTries && now.Sub(r.Attempts[0].At) >= giveUp
}

func count(r *inbox.Reply, o Outcome) (n int) {
	for _, a := range r.Attempts {
		if a.Result == o.String() {
			n++
		}
	}
	return n
}

// end stores a Reply that has ended and forgets its bytes.
func (o *Outbox) end(tx *state.Tx, r *inbox.Reply) error {
	o.ended = append(o.ended, ending{o.box(r), r.State})
	if err := tx.DropRendered(r.ID); err != nil {
		return err
	}
	if r.Detail != nil {
		for _, name := range r.Detail.Files {
			if err := tx.DropAttached(name); err != nil {
				return err
			}
		}
	}
	if err := tx.Journal("reply "+string(r.State), cases.Program, r.Case, 0, map[string]any{"reply": r.ID, "error": r.Error}); err != nil {
		return err
	}
	return tx.PutReplyState(r)
}

// tellEnded tells of the Replies that ended in the transaction that is on disk.
func (o *Outbox) tellEnded() {
	for _, e := range o.ended {
		o.Watch.Ended(e.box, e.state)
	}
	o.ended = nil
}

// giveUp ends a Reply that will never arrive, and tells staff.
func (o *Outbox) giveUp(tx *state.Tx, r *inbox.Reply) error {
	if err := o.end(tx, r); err != nil {
		return err
	}
	return o.Cases.Undelivered(tx, r)
}

// retryAfter doubles from half a minute up to two hours.
func retryAfter(attempts int) time.Duration {
	d := 30 * time.Second
	for range attempts - 1 {
		if d *= 2; d >= 2*time.Hour {
			return 2 * time.Hour
		}
	}
	return d
}
