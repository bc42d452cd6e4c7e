package health

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"push.guru/supportd/inbox/state"
)

// Staff hear of a failure after patience, again after again, and when it is
// over. One that lasts for noteAfter is kept in the state, so that starting the
// program anew neither begins the hour again nor tells twice.
const (
	patience  = time.Hour
	again     = 24 * time.Hour
	noteAfter = 5 * time.Minute
)

// AlarmConfig is what an Alarm needs. Every field must be set, but Back, Zone
// and Log.
type AlarmConfig struct {
	State    *state.DB
	Services *Services
	// Notify queues a mail to staff in the transaction that notes it.
	Notify func(tx *state.Tx, what string) error
	// Back is called in the transaction that notes that a service works again;
	// nil: nobody waits for it.
	Back func(tx *state.Tx, s Service) error
	// Direct sends a mail to staff at once, without the state, when that cannot
	// be written.
	Direct func(ctx context.Context, what string) error
	Zone   *time.Location // of the times in it; nil: UTC
	Log    *slog.Logger   // nil: none
}

// Alarm tells staff of what fails for long. One goroutine looks.
type Alarm struct {
	AlarmConfig
	notes map[key]note
}

// note is what is known of a failure; zero when there is none.
type note struct {
	since time.Time // since when
	told  time.Time // when staff heard of it the last time; zero: not yet
	kept  bool      // it is in the state like this
}

// NewAlarm gives an Alarm that knows what the state has kept.
func NewAlarm(c AlarmConfig) (*Alarm, error) {
	if c.Zone == nil {
		c.Zone = time.UTC
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Back == nil {
		c.Back = func(*state.Tx, Service) error { return nil }
	}
	a := &Alarm{AlarmConfig: c, notes: make(map[key]note)}
	err := c.State.View(func(tx *state.Tx) error {
		for _, s := range c.Services.All() {
			if n, ok := readNote(tx.Meta(noteName(s))); ok {
				a.notes[s.key()] = n
			}
		}
		return nil
	})
	return a, err
}

func (s Service) key() key { return key{s.Kind, s.Mailbox} }

func noteName(s Service) string {
	return strings.TrimSpace("alarm " + string(s.Kind) + " " + s.Mailbox)
}

// String is how a note is kept: since and told, in seconds since 1970.
func (n note) String() string {
	if n.since.IsZero() {
		return ""
	}
	told := int64(0)
	if !n.told.IsZero() {
		told = n.told.Unix()
	}
	return fmt.Sprintf("%d %d", n.since.Unix(), told)
}

func readNote(s string) (n note, ok bool) {
	since, told, ok := strings.Cut(s, " ")
	if !ok {
		return n, false
	}
	a, err := strconv.ParseInt(since, 10, 64)
	b, err2 := strconv.ParseInt(told, 10, 64)
	if err != nil || err2 != nil {
		return n, false
	}
	n = note{since: time.Unix(a, 0), kept: true}
	if b > 0 {
		n.told = time.Unix(b, 0)
	}
	return n, true
}

// Look tells staff of what has failed for long, and of what is over. It is
// called every minute or so; what could not be told is tried at the next call.
func (a *Alarm) Look(ctx context.Context) error {
	var errs []error
	for _, s := range a.Services.All() {
		st := a.Services.Standing(s.Kind, s.Mailbox)
		n := a.notes[s.key()]
		switch {
		case !st.Since.IsZero():
			errs = append(errs, a.fails(ctx, s, st, n))
		case !st.Good.IsZero() && !n.since.IsZero():
			errs = append(errs, a.over(ctx, s, n))
		}
	}
	return errors.Join(errs...)
}

// fails looks at a service that fails now.
func (a *Alarm) fails(ctx context.Context, s Service, st Standing, n note) error {
	now := time.Now()
	if n.since.IsZero() {
		n = note{since: st.Since}
	}
	tell := now.Sub(n.since) >= patience && (now.Sub(n.told) >= again || n.told.After(now)) // a clock that was set back silences nothing
	if !tell && (n.kept || now.Sub(n.since) < noteAfter) {
		return nil
	}
	what := ""
	if tell {
		n.told, what = now, a.words(s, st, n)
		a.Log.Error("health: out of reach for long", "service", s.String(), "since", n.since, "err", st.Err)
	}
	return a.put(ctx, s, n, what)
}

// over looks at a service that works again.
func (a *Alarm) over(ctx context.Context, s Service, n note) error {
	what := ""
	if !n.told.IsZero() {
		what = fmt.Sprintf("Over: %s works again. It had failed since %s.", sentences(s.Kind).name(s), a.time(n.since))
		a.Log.Info("health: works again", "service", s.String(), "since", n.since)
	}
	if what == "" && !n.kept {
		delete(a.notes, s.key())
		return nil
	}
	return a.put(ctx, s, note{}, what)
}

// put keeps a note and queues the mail that goes with it. While the state
// cannot be written, that very thing is told without it.
func (a *Alarm) put(ctx context.Context, s Service, n note, what string) error {
	err := a.State.Update(ctx, "outage", func(tx *state.Tx) error {
		if n.since.IsZero() {
			if err := a.Back(tx, s); err != nil {
				return err
			}
		}
		if what != "" {
			if err := a.Notify(tx, what); err != nil {
				return err
			}
		}
		return tx.SetMeta(noteName(s), n.String())
	})
	switch {
	case err == nil:
		n.kept = true
	case s.Kind != KindState || !errors.Is(err, state.ErrWrite):
		return fmt.Errorf("telling staff of %s: %w", s, err)
	case what != "":
		if err := a.Direct(ctx, what); err != nil {
			return fmt.Errorf("telling staff that the state cannot be written: %w", err)
		}
	}
	a.notes[s.key()] = n
	return nil
}

func (a *Alarm) time(t time.Time) string { return t.In(a.Zone).Format("2006-01-02 15:04 MST") }

// words says since when what fails, what that means, and what to do.
func (a *Alarm) words(s Service, st Standing, n note) string {
	w := sentences(s.Kind)
	return fmt.Sprintf("Since %s %s %s. %s\nThe last error: %s\nWhat to do: %s\nThis is said once a day while it lasts, and once when it is over.",
		a.time(n.since), w.name(s), w.fails, w.means, st.Err, w.remedy)
}

// wording is what staff read about a kind of service.
type wording struct{ what, fails, means, remedy string }

// name names a service in a sentence.
func (w wording) name(s Service) string {
	if s.Mailbox == "" {
		return w.what
	}
	return w.what + " of the mailbox " + s.Mailbox
}

func sentences(k Kind) wording {
	switch k {
	case KindIMAP:
		return wording{"the IMAP server", "cannot be worked with", "New mail stays there unread; none is lost.",
			`see that the server runs and that the account, its password and the folders are right. "supportd check -c FILE" tries the connection. Nothing needs to be started anew.`}
	case KindSMTP:
		return wording{"the SMTP server", "takes no mail", "Replies wait and go out when it can be reached; one that waits for five days is given up.",
			`see that the server runs and that the account and its password are right. "supportd check -c FILE" tries the connection. Nothing needs to be started anew.`}
	case KindStore:
		return wording{"the user store", "does not answer", "Mails are put off and requests wait; after two days mails go to staff.",
			`see that the database runs, and that its account and the data map fit. "supportd check -c FILE" says what is wrong. Nothing needs to be started anew.`}
	case KindState:
		return wording{"what supportd must keep", "cannot be written", "No mail is taken in, nothing is carried out and no reply is sent; nothing is lost.",
			`see that the disk of state_dir is not full and can be written. Then it goes on by itself.`}
	case KindDNS:
		return wording{"DNS", "does not answer", "Mails whose sender it has to prove are put off; after two days they go to staff.",
			`see that the resolver of this machine, or proof.resolver, answers. "supportd check -c FILE" tries it. Nothing needs to be started anew.`}
	}
	return wording{what: string(k)}
}
