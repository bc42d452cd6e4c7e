package outbox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
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
}

// Outbox is the loop that delivers what is owed.
type Outbox struct {
	Config
	wake     chan struct{}
	jobs     map[string]chan job
	results  chan result
	inFlight map[inbox.ReplyID]inbox.MailID // and the Case of each
	lanes    map[inbox.ReplyID]lane         // of what is due, so that a long queue is read once
	unnoted  []result                       // known, but their commit failed: a full disk
	workers  sync.WaitGroup
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
}

// New gives an Outbox.
func New(c Config) *Outbox {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Sent == nil {
		c.Sent = func() {}
	}
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
	grace       = 15 * time.Second   // for what is being sent when the loop is told to stop
	giveUp      = 5 * 24 * time.Hour // from the first try; after that a temporary failure is a permanent one
	leastTries  = 10                 // within them: the days may have passed while nobody tried
	unknownWait = time.Hour          // until a mail that may have arrived is sent once more
)

// Run delivers until ctx ends; what is being sent then may finish.
func (o *Outbox) Run(ctx context.Context) error { return o.run(ctx, false) }

// Drain delivers what is due and returns when nothing is due now.
func (o *Outbox) Drain(ctx context.Context) error { return o.run(ctx, true) }

func (o *Outbox) run(ctx context.Context, once bool) error {
	sending, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	o.start(sending)
	for ctx.Err() == nil {
		next, err := o.step(ctx)
		if err != nil && ctx.Err() == nil {
			o.Log.Error("outbox: will try again", "err", err)
			if once {
				break
			}
			next = o.State.Now().Add(5 * time.Second)
		}
		if once && len(o.inFlight) == 0 && (next.IsZero() || next.After(o.State.Now())) {
			break
		}
		o.wait(ctx, next)
	}
	return o.stop(ctx, cancel)
}

// step notes what could not be noted before, and claims what is due.
func (o *Outbox) step(ctx context.Context) (time.Time, error) {
	if err := o.commit(ctx, nil); err != nil {
		return time.Time{}, err
	}
	return o.claim(ctx)
}

// start opens the connections' workers.
func (o *Outbox) start(ctx context.Context) {
	o.jobs, o.inFlight = make(map[string]chan job), make(map[inbox.ReplyID]inbox.MailID)
	total := 0
	for _, b := range o.Boxes {
		ch := make(chan job, b.Connections)
		o.jobs[b.Name] = ch
		for range b.Connections {
			total += 2
			o.workers.Go(func() { o.work(ctx, b, ch) })
		}
	}
	o.results = make(chan result, total)
}

func (o *Outbox) work(ctx context.Context, b Box, jobs <-chan job) {
	s := b.Open()
	defer func() {
		if err := s.Close(); err != nil {
			o.Log.Debug("outbox: closing a connection", "mailbox", b.Name, "err", err)
		}
	}()
	for j := range jobs {
		d := j.reply.Detail
		o.results <- result{j.reply, s.Send(ctx, d.From.Addr, d.To, j.bytes)}
	}
}

// stop lets what is being sent finish, within reason, and commits it.
func (o *Outbox) stop(ctx context.Context, cancel context.CancelFunc) error {
	for _, ch := range o.jobs {
		close(ch)
	}
	t := time.AfterFunc(grace, cancel)
	defer t.Stop()
	var last []result
	for len(last)+len(o.unnoted) < len(o.inFlight) {
		last = append(last, <-o.results)
	}
	o.workers.Wait()
	return o.commit(context.WithoutCancel(ctx), last)
}

// wait sleeps until a result comes, the next Reply is due or somebody wakes
// it. It commits the results that are there.
func (o *Outbox) wait(ctx context.Context, next time.Time) {
	d := outIdle
	if !next.IsZero() {
		d = min(d, max(next.Sub(o.State.Now()), 0))
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-o.wake:
	case <-t.C:
	case r := <-o.results:
		all := []result{r}
		for len(o.results) > 0 {
			all = append(all, <-o.results)
		}
		if err := o.commit(context.WithoutCancel(ctx), all); err != nil {
			o.Log.Error("outbox: what was sent could not be noted", "err", err)
		}
	}
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
			claimed = claimed[:0]
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
	}
	for _, j := range claimed {
		o.inFlight[j.reply.ID] = j.reply.Case
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
	for _, r := range due {
		b, err := o.render(r)
		if err != nil {
			o.Log.Error("outbox: a reply cannot be rendered", "reply", r.ID.String(), "err", err)
			r.Error = err.Error()
		}
		out = append(out, job{reply: r, bytes: b, later: inbox.IsTemporary(err)})
	}
	return out, nil
}

// startable lists Replies that are due and wait for nothing. All that are due
// are looked at: a server that hangs delays the letters of its own mailbox only.
func (o *Outbox) startable(tx *state.Tx) (due []*inbox.Reply, err error) {
	if _, paused := tx.Paused(); paused {
		return nil, nil
	}
	room, lanes := o.room(), make(map[inbox.ReplyID]lane, len(o.lanes))
	for _, id := range tx.DueReplies(math.MaxInt) {
		if room.left == 0 {
			break
		}
		if _, sending := o.inFlight[id]; sending {
			continue
		}
		l, known := o.lanes[id]
		if known && !room.has(l) {
			lanes[id] = l
			continue
		}
		r, err := tx.Reply(id)
		if err != nil {
			return nil, err
		}
		l = lane{o.box(r), r.Case}
		lanes[id] = l
		if room.has(l) {
			room.take(l)
			r.Mailbox = l.box
			due = append(due, r)
		}
	}
	o.lanes = lanes
	return due, nil
}

// room is what is free for Replies to start.
type room struct {
	free map[string]int // connections, by mailbox
	left int            // all of them
	busy map[inbox.MailID]bool
}

func (o *Outbox) room() *room {
	r := &room{free: make(map[string]int), busy: make(map[inbox.MailID]bool)}
	for name, ch := range o.jobs {
		r.free[name] = cap(ch) - len(ch)
		r.left += r.free[name]
	}
	for _, c := range o.inFlight {
		r.busy[c] = true
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
	r, err := tx.Reply(j.reply.ID)
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
		return false, tx.PutReply(r)
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
	return true, tx.PutReply(r)
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
func (o *Outbox) commit(ctx context.Context, more []result) error {
	o.unnoted = append(o.unnoted, more...)
	results := o.unnoted
	if len(results) == 0 {
		return nil
	}
	var files []string
	err := o.State.Update(ctx, "sent", func(tx *state.Tx) error {
		files = files[:0]
		for _, res := range results {
			r, err := tx.Reply(res.reply.ID)
			if err != nil {
				return err
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
		return err
	}
	o.unnoted = nil
	for _, res := range results {
		delete(o.inFlight, res.reply.ID)
	}
	for _, f := range files {
		err = errors.Join(err, o.State.RemoveFile(f))
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
		return tx.PutReply(r)
	case res.Outcome == Unknown && count(r, Unknown) < 2:
		r.State, r.Next = inbox.ReplyUnknown, tx.Now.Add(unknownWait)
		return tx.PutReply(r)
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
	if err := tx.DropRendered(r.ID); err != nil {
		return err
	}
	if err := tx.Journal("reply "+string(r.State), cases.Program, r.Case, 0, map[string]any{"reply": r.ID, "error": r.Error}); err != nil {
		return err
	}
	return tx.PutReply(r)
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
