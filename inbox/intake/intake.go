// Package intake takes mail in: it watches the mailboxes, makes of each Raw a
// Message, of the Message Requests, and commits the Mail that accounts for it
// together with the Case that came of it. Only after the commit is the server
// told.
//
// One goroutine a mailbox. A pass over a folder is:
//
//	list     every UID at connect and every quarter of an hour, in between those above the highest seen
//	fetch    what no Mail accounts for, and what was deferred and is due again
//	take     parse, screen, authenticate, classify, look the sender up: outside of any transaction
//	commit   decide and store, a batch of mails at a time
//	file     move what is accounted for, or mark it
//
// While a batch is committed the next one is taken and others are fetched, a few
// and no more (pipeline.go): how many mails wait does not matter to the memory.
// So what is taken does not know what the batch before decides; only the commit
// does.
//
// Where a mail goes is decided in one order (decide.go). Anybody can put a mail
// on another way, by a mark on it or by sending a copy of it first, so every way
// says what becomes of a stop: a proved one ends what it is against, or holds it
// where nobody may be written to; one without proof holds, and the owner is asked.
//
// A mail that came before is not taken twice (same.go). A Mail stands for another
// of the same content only when whatever could be made of that one was made of
// it; a known signature over another content is an old mail sent again; what else
// is known in part is for staff.
//
// One bad mail never blocks the next: what cannot be processed is quarantined
// alone, and what cannot be fetched is isolated after three tries, restarts
// included. A server that refuses to file is still read.
//
// Two daemons with different states would answer everything twice; so each
// claims the folder that it reads (claim.go).
package intake

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"runtime"
	"sync"
	"time"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/cases"
	"push.guru/supportd/inbox/classify"
	"push.guru/supportd/inbox/mailbox"
	"push.guru/supportd/inbox/parse"
	"push.guru/supportd/inbox/policy"
	"push.guru/supportd/inbox/screen"
	"push.guru/supportd/inbox/sender"
	"push.guru/supportd/inbox/state"
)

// Finder finds people by the address on record.
type Finder interface {
	// Find gives everybody whose address on record is addr; a temporary error
	// (inbox.IsTemporary) defers the mail.
	Find(ctx context.Context, addr string) ([]users.Person, error)
}

// Config is what intake needs. Every field must be set, but Plus, Log, Changed,
// Progress and Point.
type Config struct {
	State      *state.DB
	Cases      *cases.Keeper
	Screen     screen.Config // Ours is filled in
	Sender     *sender.Checker
	Classifier *classify.Classifier
	People     Finder
	Mode       policy.Mode
	Sources    []Source
	Plus       []string // our addresses whose server delivers them with a detail (user+detail@…), where tokens come back
	Log        *slog.Logger
	Changed    func() // called after a commit that may have made something due; nil: nobody waits

	// Progress is called after each batch of a long pass, by one goroutine a
	// mailbox; nil: it is logged from time to time.
	Progress func(Progress)

	// Point is called at "before ack" and "after ack"; nil: not at all.
	Point func(name string)

	Watch Watch
}

// Watch is who sees how the work goes; nil: nobody.
type Watch struct {
	// Beat is called by each loop before a step that takes no longer than
	// within; a loop that has not called again by then hangs. Within is 0 when
	// the loop has ended.
	Beat func(loop string, within time.Duration)
	// Reached is called with what came of the work with a mailbox's server: nil
	// when it did what it was asked.
	Reached func(mailbox string, err error)
	// Took is called for each mail that came to an end state, after the commit.
	Took func(mailbox string, s inbox.MailState)
}

// orNobody puts a function in place of each that is nil.
func (w Watch) orNobody() Watch {
	if w.Beat == nil {
		w.Beat = func(string, time.Duration) {}
	}
	if w.Reached == nil {
		w.Reached = func(string, error) {}
	}
	if w.Took == nil {
		w.Took = func(string, inbox.MailState) {}
	}
	return w
}

// Source is one mailbox to watch.
type Source struct {
	Name     string
	Connect  func(ctx context.Context) (*mailbox.Session, error)
	Folder   string
	Filed    string               // accounted mail is moved here; "": marked in place
	Junk     string               // read, never answered; "": not looked at
	Keep     time.Duration        // accounted mail is expunged after it; 0: never
	Erase    bool                 // mails of people whose account was deleted are expunged
	TakeAll  bool                 // the first run takes the backlog, too
	Forms    []parse.Form         // contact forms of the site that write to it
	Poll     time.Duration        // longest wait between two looks
	listed   map[string]listing   // by folder
	poisoned map[spot]int         // how often a mail was fetched alone in vain
	refs     map[string]inbox.Ref // by folder: where the look for refs that are gone goes on
	suspects map[spot]bool        // mails that were in a batch that ended the connection
	claimed  time.Time            // when it was last made sure that no other supportd works on the folder
	refused  time.Time            // until then the server, which has refused it, is not asked to file or expunge
}

// spot is a place in one of the folders of a Source.
type spot struct {
	folder string
	uid    uint32
}

// listing is what one session has seen of a folder. The highest UID is a hint:
// servers may show n+1 before n, so all are listed again from time to time.
type listing struct {
	all     time.Time // when every UID was last listed
	highest uint32
}

// Intake watches the mailboxes.
type Intake struct {
	Config
	mu    sync.Mutex
	read  map[string]time.Time // by mailbox: when the last complete pass began
	waits map[string]time.Time // by mailbox: since when mail is known that no Mail accounts for
	cores chan struct{}        // holds as many tokens as mails are read at a time
}

// New gives an Intake.
func New(c Config) *Intake {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Changed == nil {
		c.Changed = func() {}
	}
	if c.Point == nil {
		c.Point = func(string) {}
	}
	c.Watch = c.Watch.orNobody()
	in := &Intake{Config: c, read: make(map[string]time.Time), waits: make(map[string]time.Time), cores: make(chan struct{}, runtime.GOMAXPROCS(0))}
	in.Screen.Ours = in.ours
	return in
}

// ours tells whether a Message-ID is one that we made.
func (in *Intake) ours(id string) bool {
	found := false
	err := in.State.View(func(tx *state.Tx) error {
		r, err := tx.ReplyByMessageID(id)
		found = r != nil
		return err
	})
	return found && err == nil
}

const (
	listEvery  = 15 * time.Minute
	junkEvery  = 5 * time.Minute
	batchMails = 64      // of one commit; the keys of twice as many are made ahead
	batchBytes = 4 << 20 // of the mails of one commit, and one more mail
	ackMails   = 4 * batchMails
	maxPoison  = 3
	maxDue     = 32 // deferred mails of a folder that are looked at again before new ones are listed
	firstPause = time.Second
	longPause  = 5 * time.Minute
	settled    = time.Minute // a session that lasted longer has worked: the next try comes soon

	// The longest that a step of the loop may take before it is taken for
	// hanging; every network client has limits of its own far below.
	stepTime  = 15 * time.Minute
	fetchTime = 2 * time.Hour // the largest mail, over a line of 4 KB a second
)

// loop names the loop of a mailbox.
func loop(src *Source) string { return "mailbox " + src.Name }

// Run watches every mailbox until ctx ends, and returns when all have stopped.
func (in *Intake) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	for i := range in.Sources {
		wg.Go(func() { in.watch(ctx, &in.Sources[i]) })
	}
	wg.Wait()
	return nil
}

// watch keeps a session to one mailbox, connecting anew with growing pauses.
func (in *Intake) watch(ctx context.Context, src *Source) {
	pause := firstPause
	defer in.Watch.Beat(loop(src), 0)
	for ctx.Err() == nil {
		in.Watch.Beat(loop(src), stepTime)
		began := time.Now()
		err := in.session(ctx, src)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > settled {
			pause = firstPause
		}
		in.Log.Warn("intake: the mailbox is out of reach, trying again", "mailbox", src.Name, "in", pause, "err", err)
		if !errors.Is(err, state.ErrWrite) { // which is not the server's fault
			in.Watch.Reached(src.Name, err)
		}
		in.Watch.Beat(loop(src), pause+stepTime)
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, longPause)
	}
}

// session works on one connection until it fails or ctx ends.
func (in *Intake) session(ctx context.Context, src *Source) error {
	s, err := src.Connect(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	in.Log.Info("intake: connected", "mailbox", src.Name)
	src.listed, src.claimed = nil, time.Time{}
	var junkSeen time.Time
	for {
		in.Watch.Beat(loop(src), stepTime)
		if time.Since(src.claimed) > listEvery {
			if err := in.claim(ctx, src, s); err != nil {
				return err
			}
		}
		if src.Junk != "" && time.Since(junkSeen) > junkEvery {
			in.passJunk(ctx, src, s)
			junkSeen = time.Now()
		}
		if err := in.readAll(ctx, src, s); err != nil {
			return err
		}
		d := in.patience(src)
		in.Watch.Beat(loop(src), d+stepTime)
		if err := s.Wait(ctx, d); err != nil {
			return err
		}
	}
}

// patience is how long to wait for the server: until the next poll, or until a
// deferred mail is due.
func (in *Intake) patience(src *Source) time.Duration {
	d := src.Poll
	err := in.State.View(func(tx *state.Tx) error {
		// What is overdue now is of another mailbox, or was just put off.
		if t := tx.NextRetry(); t.After(tx.Now) {
			d = min(d, max(t.Sub(tx.Now), time.Second))
		}
		return nil
	})
	if err != nil {
		in.Log.Error("intake: reading the state", "err", err)
	}
	return d
}

// Once takes what waits in every mailbox and returns.
func (in *Intake) Once(ctx context.Context) error {
	var errs []error
	for i := range in.Sources {
		src := &in.Sources[i]
		if err := in.once(ctx, src); err != nil {
			errs = append(errs, fmt.Errorf("mailbox %s: %w", src.Name, err))
		}
	}
	return errors.Join(errs...)
}

// maxSessions is how many connections Once spends on a mailbox to isolate
// mails that end them.
const maxSessions = 20

func (in *Intake) once(ctx context.Context, src *Source) (err error) {
	for range maxSessions {
		if err = in.onceSession(ctx, src); !isolating(err) {
			break
		}
	}
	return err
}

// isolating tells whether a session ended over mails that cannot be fetched,
// so that the next one gets further.
func isolating(err error) bool {
	var together *mailbox.BatchError
	return errors.As(err, &together) || len(poisoned(err)) > 0
}

func (in *Intake) onceSession(ctx context.Context, src *Source) error {
	s, err := src.Connect(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	src.listed = nil
	if err := in.claim(ctx, src, s); err != nil {
		return err
	}
	if src.Junk != "" {
		in.passJunk(ctx, src, s)
	}
	return in.readAll(ctx, src, s)
}

// readAll brings the folder that people write to up to date, and notes up to
// when it was read.
func (in *Intake) readAll(ctx context.Context, src *Source, s *mailbox.Session) error {
	for more := true; more; {
		began := in.State.Now()
		var err error
		if more, err = in.pass(ctx, src, s, src.Folder); err != nil {
			return err
		}
		in.mu.Lock()
		in.read[src.Name] = began
		in.mu.Unlock()
		in.Watch.Reached(src.Name, nil)
		in.Changed()
	}
	return nil
}

// ReadUpTo gives the moment up to which the mail of every mailbox was read;
// zero while one of them was not read at all.
func (in *Intake) ReadUpTo() time.Time {
	in.mu.Lock()
	defer in.mu.Unlock()
	var earliest time.Time
	for i := range in.Sources {
		t := in.read[in.Sources[i].Name]
		if i == 0 || t.Before(earliest) {
			earliest = t
		}
	}
	return earliest
}

// noteWaiting notes whether a mailbox has mail that no Mail accounts for.
func (in *Intake) noteWaiting(src *Source, folder mailbox.Folder, waits bool) {
	if folder.Name == src.Junk {
		return
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	switch {
	case !waits:
		delete(in.waits, src.Name)
	case in.waits[src.Name].IsZero():
		in.waits[src.Name] = time.Now()
	}
}

// WaitsSince gives since when a mailbox has had mail that no Mail accounts for,
// as far as it was looked; zero when everything is accounted for.
func (in *Intake) WaitsSince(name string) time.Time {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.waits[name]
}

// passJunk brings the junk folder up to date. What is wrong with it must not
// keep mail from being read; a lost connection shows in the next command.
func (in *Intake) passJunk(ctx context.Context, src *Source, s *mailbox.Session) {
	if _, err := in.pass(ctx, src, s, src.Junk); err != nil && ctx.Err() == nil {
		in.Log.Warn("intake: the junk folder cannot be read", "mailbox", src.Name, "folder", src.Junk, "err", err)
	}
}

// rounds is how often a pass lists a folder anew for what came meanwhile: where
// mail comes without a pause, the rest must have its turn, too.
const rounds = 8

// pass brings one folder up to date; more tells that mail came until the end.
func (in *Intake) pass(ctx context.Context, src *Source, s *mailbox.Session, name string) (more bool, err error) {
	folder, err := s.Select(ctx, name)
	if err != nil {
		return false, err
	}
	known, err := in.acquaint(ctx, src, s, folder)
	if err != nil {
		return false, err
	}
	for n := 0; n < rounds; n++ {
		if more, err = in.round(ctx, src, s, folder, known); err != nil {
			return false, err
		}
		if !more {
			break
		}
	}
	return more, in.clean(ctx, src, s)
}

// round takes and files what is in a folder now, and tells whether there was
// something new.
func (in *Intake) round(ctx context.Context, src *Source, s *mailbox.Session, folder mailbox.Folder, known state.Folder) (found bool, err error) {
	in.Watch.Beat(loop(src), stepTime)
	due, err := in.due(src, folder)
	if err != nil {
		return false, err
	}
	fresh, err := in.unaccounted(ctx, src, s, folder, known)
	if err != nil {
		return false, err
	}
	in.noteWaiting(src, folder, len(fresh) > 0)
	if err := in.fetch(ctx, src, s, folder, fresh); err != nil {
		return false, err
	}
	if err := in.fetch(ctx, src, s, folder, again(due, folder)); err != nil {
		return false, err
	}
	if err := in.missing(ctx, due); err != nil {
		return false, err
	}
	return len(fresh) > 0, in.allow(src, in.file(ctx, src, s, folder))
}

// acquaint reads what is known of a folder, or notes the first contact and a
// change of UIDVALIDITY.
func (in *Intake) acquaint(ctx context.Context, src *Source, s *mailbox.Session, folder mailbox.Folder) (f state.Folder, err error) {
	var ok bool
	err = in.State.View(func(tx *state.Tx) (err error) { f, ok, err = tx.Folder(src.Name, folder.Name); return err })
	if err != nil || ok && f.UIDValidity == folder.UIDValidity {
		src.recall(folder.Name, f.Suspects)
		return f, err
	}
	f.Suspects = nil
	src.recall(folder.Name, nil)
	if ok {
		in.Log.Warn("intake: UIDVALIDITY changed, every mail is compared anew", "mailbox", src.Name, "folder", folder.Name)
		f.UIDValidity, f.Floor = folder.UIDValidity, 0
	} else {
		f = state.Folder{UIDValidity: folder.UIDValidity}
		if !src.TakeAll {
			f.FirstRun = in.State.Now()
			if f.Floor, err = floor(ctx, s, folder); err != nil {
				return f, err
			}
		}
	}
	delete(src.listed, folder.Name)
	return f, in.State.Update(ctx, "folder", func(tx *state.Tx) error { return tx.PutFolder(src.Name, folder.Name, f) })
}

// floor gives the first UID that is not there yet.
func floor(ctx context.Context, s *mailbox.Session, folder mailbox.Folder) (uint32, error) {
	if folder.UIDNext != 0 {
		return folder.UIDNext, nil
	}
	uids, err := s.UIDs(ctx)
	if err != nil || len(uids) == 0 {
		return 0, err
	}
	return uids[len(uids)-1] + 1, nil
}

// due lists the deferred mails of a folder whose time has come, those from
// before a change of UIDVALIDITY included.
func (in *Intake) due(src *Source, folder mailbox.Folder) (due []*inbox.Mail, err error) {
	err = in.State.View(func(tx *state.Tx) error {
		// All are looked at: those of a folder that is out of reach stay due, and must not hide the others.
		for _, id := range tx.RetryMails(math.MaxInt) {
			if len(due) == maxDue {
				break
			}
			m, err := tx.Mail(id)
			if err != nil {
				return err
			}
			if m.Ref.Mailbox == src.Name && m.Ref.Folder == folder.Name {
				due = append(due, m)
			}
		}
		return nil
	})
	return due, err
}

// missing quarantines deferred mails that were due and did not come: somebody
// took them away, and they cannot be tried again.
func (in *Intake) missing(ctx context.Context, due []*inbox.Mail) error {
	for _, m := range due {
		var now *inbox.Mail
		err := in.State.View(func(tx *state.Tx) (err error) { now, err = tx.Mail(m.ID); return err })
		if err != nil {
			return err
		}
		if now.State != inbox.MailDeferred || !now.Retry.Equal(m.Retry) {
			continue
		}
		if err := in.quarantine(ctx, inbox.Raw{Ref: m.Ref, Received: m.Received}, "it was deferred, and is no longer in its folder"); err != nil {
			return err
		}
	}
	return nil
}

// again lists the UIDs of deferred mails in a folder as it is now.
func again(due []*inbox.Mail, folder mailbox.Folder) (uids []uint32) {
	for _, m := range due {
		if m.Ref.UIDValidity == folder.UIDValidity {
			uids = append(uids, m.Ref.UID)
		}
	}
	return uids
}

// unaccounted lists the UIDs of a folder that no Mail accounts for.
func (in *Intake) unaccounted(ctx context.Context, src *Source, s *mailbox.Session, folder mailbox.Folder, known state.Folder) ([]uint32, error) {
	from, last := known.Floor, src.listed[folder.Name]
	all := time.Since(last.all) > listEvery
	if !all {
		from = max(from, last.highest+1)
	} else {
		last = listing{all: time.Now()}
	}
	uids, err := s.UIDsFrom(ctx, max(from, 1))
	if err != nil {
		return nil, err
	}
	if len(uids) > 0 {
		last.highest = max(last.highest, uids[len(uids)-1])
	}
	if src.listed == nil {
		src.listed = make(map[string]listing)
	}
	src.listed[folder.Name] = last // a failure from here on ends the session, and all are listed again
	if all {
		if err := in.forgetRefs(ctx, src, folder, uids); err != nil {
			return nil, err
		}
	}
	var out []uint32
	err = in.State.View(func(tx *state.Tx) error {
		for _, uid := range uids {
			if _, ok := tx.MailByRef(inbox.Ref{Mailbox: src.Name, Folder: folder.Name, UIDValidity: folder.UIDValidity, UID: uid}); !ok {
				out = append(out, uid)
			}
		}
		return nil
	})
	return out, err
}

// fetch reads mails and takes them in batches. A mail that ends the
// connection whenever it is asked for is quarantined.
func (in *Intake) fetch(ctx context.Context, src *Source, s *mailbox.Session, folder mailbox.Folder, uids []uint32) error {
	if len(uids) == 0 {
		return nil
	}
	alone, together := src.split(folder.Name, uids)
	in.Watch.Beat(loop(src), fetchTime)
	line := in.newPipeline(ctx, in.tell(src, len(uids)))
	each := func(raw inbox.Raw) error {
		in.Watch.Beat(loop(src), fetchTime)
		in.Watch.Reached(src.Name, nil)
		raw.Junk = folder.Name == src.Junk
		if full, err := line.add(raw); !full || err != nil {
			return err
		}
		return in.fileSome(ctx, src, s, folder, line)
	}
	err := in.fetchAll(ctx, s, folder, together, alone, each)
	in.Watch.Beat(loop(src), stepTime)
	if taken := line.end(); taken != nil {
		return taken
	}
	return in.isolate(ctx, src, folder, err)
}

// fileSome tells the server about mails that were accounted for while others
// are fetched, once there are enough of them for a command.
func (in *Intake) fileSome(ctx context.Context, src *Source, s *mailbox.Session, folder mailbox.Folder, line *pipeline) error {
	if !line.filable(ackMails) {
		return nil
	}
	return in.file(ctx, src, s, folder)
}

func (in *Intake) fetchAll(ctx context.Context, s *mailbox.Session, folder mailbox.Folder, together, alone []uint32, each func(inbox.Raw) error) error {
	if len(together) > 0 {
		if err := s.Fetch(ctx, folder, together, each); err != nil {
			return err
		}
	}
	for _, uid := range alone {
		if err := s.Fetch(ctx, folder, []uint32{uid}, each); err != nil {
			return err
		}
	}
	return nil
}

// split sets apart what is suspected to end the connection: it is fetched
// alone, after the others.
func (src *Source) split(folder string, uids []uint32) (alone, together []uint32) {
	for _, uid := range uids {
		if src.suspects[spot{folder, uid}] {
			alone = append(alone, uid)
		} else {
			together = append(together, uid)
		}
	}
	return alone, together
}

// isolate counts the mails that could not be fetched, and quarantines one that
// failed too often. Other errors come back as they are.
func (in *Intake) isolate(ctx context.Context, src *Source, folder mailbox.Folder, err error) error {
	if err == nil {
		src.recall(folder.Name, nil)
		return in.remember(ctx, src, folder)
	}
	var together *mailbox.BatchError
	if errors.As(err, &together) {
		for _, uid := range together.UIDs {
			src.suspects[spot{folder.Name, uid}] = true
		}
		return join(err, in.remember(ctx, src, folder))
	}
	poison := poisoned(err)
	if len(poison) == 0 {
		return err
	}
	for _, uid := range poison {
		at := spot{folder.Name, uid}
		src.suspects[at] = true
		if src.poisoned[at]++; src.poisoned[at] < maxPoison {
			continue
		}
		ref := inbox.Ref{Mailbox: src.Name, Folder: folder.Name, UIDValidity: folder.UIDValidity, UID: uid}
		if err := in.quarantine(ctx, inbox.Raw{Ref: ref, Received: time.Now()}, "it could not be fetched: the server or the connection fails on it"); err != nil {
			return err
		}
		delete(src.suspects, at)
		delete(src.poisoned, at)
	}
	return join(err, in.remember(ctx, src, folder))
}

// poisoned lists the UIDs of every PoisonError in err's tree.
func poisoned(err error) (uids []uint32) {
	switch e := err.(type) {
	case *mailbox.PoisonError:
		return []uint32{e.UID}
	case interface{ Unwrap() []error }:
		for _, x := range e.Unwrap() {
			uids = append(uids, poisoned(x)...)
		}
	case interface{ Unwrap() error }:
		return poisoned(e.Unwrap())
	}
	return uids
}

// file tells the server about the mails that are accounted for.
func (in *Intake) file(ctx context.Context, src *Source, s *mailbox.Session, folder mailbox.Folder) error {
	if in.Mode == policy.Observe || folder.Name == src.Junk || time.Now().Before(src.refused) {
		return nil // nothing is moved
	}
	for {
		var refs []inbox.Ref
		err := in.State.View(func(tx *state.Tx) (err error) {
			refs, err = tx.Unfiled(src.Name, folder.Name, folder.UIDValidity, ackMails)
			return err
		})
		if err != nil || len(refs) == 0 {
			return err
		}
		if err := in.acknowledge(ctx, src, s, folder, refs); err != nil || len(refs) < ackMails {
			return err // what is accounted for meanwhile goes with the next ones
		}
	}
}

// allow lets a server refuse to file or to expunge what is accounted for, as one
// does whose mailbox is full: that must not keep mail from being read. It is
// asked again after a while.
func (in *Intake) allow(src *Source, err error) error {
	if !mailbox.Refused(err) {
		return err
	}
	src.refused = time.Now().Add(listEvery)
	in.Log.Warn("intake: the server refuses to file or to expunge mail that is accounted for; it stays where it is", "mailbox", src.Name, "again in", listEvery, "err", err)
	return nil
}

func (in *Intake) acknowledge(ctx context.Context, src *Source, s *mailbox.Session, folder mailbox.Folder, refs []inbox.Ref) (err error) {
	uids := make([]uint32, len(refs))
	for i, r := range refs {
		uids[i] = r.UID
	}
	in.Point("before ack")
	var to mailbox.Filed
	switch {
	case src.Filed != "":
		to, err = s.File(ctx, uids, src.Filed)
	case folder.Keywords:
		err = s.Mark(ctx, uids)
	}
	if err != nil {
		return err
	}
	in.Point("after ack")
	return in.State.Update(ctx, "filed", func(tx *state.Tx) error {
		for _, r := range refs {
			at := filedAt(src, r, to)
			if e, ok := tx.Erasing(r); ok && src.Filed != "" && at.UID == 0 {
				if err := in.erased(tx, e, false); err != nil {
					return err
				}
			}
			if err := tx.Filed(r, at); err != nil {
				return err
			}
		}
		return nil
	})
}

// filedAt gives the ref under which a filed mail is now. Its UID is 0 when the
// server did not tell, and it is the zero Ref when the mail stayed.
func filedAt(src *Source, r inbox.Ref, to mailbox.Filed) inbox.Ref {
	if src.Filed == "" {
		return inbox.Ref{}
	}
	return inbox.Ref{Mailbox: r.Mailbox, Folder: src.Filed, UIDValidity: to.UIDValidity, UID: to.UIDs[r.UID]}
}

// clean removes what is not to stay on the server.
func (in *Intake) clean(ctx context.Context, src *Source, s *mailbox.Session) error {
	if err := in.erase(ctx, src, s); err != nil {
		return err
	}
	return in.expunge(ctx, src, s)
}

// expunge removes accounted mail that was kept long enough.
func (in *Intake) expunge(ctx context.Context, src *Source, s *mailbox.Session) error {
	if src.Keep <= 0 || in.Mode == policy.Observe || !s.HasUIDPlus() || time.Now().Before(src.refused) {
		return nil
	}
	before := in.State.Now().Add(-src.Keep)
	var refs []inbox.Ref
	err := in.State.View(func(tx *state.Tx) error { refs = tx.FiledBefore(src.Name, before, 1000); return nil })
	if err != nil || len(refs) == 0 {
		return err
	}
	name := refs[0].Folder
	folder, err := s.Select(ctx, name)
	switch {
	case err != nil && (ctx.Err() != nil || inbox.IsTemporary(err)):
		return err
	case err != nil: // renamed or deleted: what is in it cannot be reached any more
		in.Log.Warn("intake: mail that was kept long enough cannot be expunged", "mailbox", src.Name, "folder", name, "mails", len(refs), "err", err)
	}
	var uids []uint32
	var gone []inbox.Ref
	for _, r := range refs {
		if r.Folder != name {
			continue
		}
		gone = append(gone, r)
		if r.UIDValidity == folder.UIDValidity {
			uids = append(uids, r.UID)
		}
	}
	var refused error
	if len(uids) > 0 {
		refused = s.Expunge(ctx, uids)
	}
	if err = in.allow(src, refused); err == nil && refused == nil {
		reached := func(r inbox.Ref) bool { return r.UIDValidity == folder.UIDValidity }
		err = in.State.Update(ctx, "expunged", func(tx *state.Tx) error { return tx.Expunged(gone, before, reached) })
	}
	if err != nil {
		return err
	}
	return in.back(ctx, src, s, name)
}
