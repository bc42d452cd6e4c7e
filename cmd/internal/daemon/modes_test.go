package daemon_test

import (
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"push.guru/supportd/cmd/internal/daemon"
	"push.guru/supportd/handlers/users"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/control"
	"push.guru/supportd/inbox/intake"
	"push.guru/supportd/inbox/mailtest"
	"push.guru/supportd/inbox/review"
)

const deletePlease = "Please delete my account."

// does has staff do something about an Action or a Mail; it must succeed.
func (p *place) does(verb, id string) {
	p.t.Helper()
	p.must(control.Call{Verb: verb, ID: id})
	synctest.Wait()
}

// answers answers the last letter that an address has got.
func (p *place) answers(from, text string) {
	p.t.Helper()
	all := p.lettersTo(from)
	if len(all) == 0 {
		p.t.Fatalf("%s has got no letter to answer", from)
	}
	p.Reply(all[len(all)-1], from, text)
	synctest.Wait()
}

// gone tells whether nobody has the ID any more.
func (p *place) gone(id string) bool {
	_, err := p.d.Person(p.t.Context(), id)
	return errors.Is(err, users.ErrNotFound)
}

// In observe mode the daemon reads, and touches nothing.
func TestObserve(t *testing.T) {
	inPlace(t, setup{more: "[policy]\nmode = \"observe\"\n"}, func(p *place) {
		p.OnAcknowledge(func(_, folder string, uids []uint32) { t.Errorf("UIDs %v of %s were touched", uids, folder) })
		p.start()
		p.takes("alice@users.test", "my account", deletePlease, mailtest.Aligned(true))
		p.takes("bob@users.test", "my data", copyPlease, mailtest.Aligned(true)) // needs no confirmation
		p.takes("carol@users.test", "my data", copyPlease)
		p.takes("dmitry@users.test", "hours", "When do you open on Sundays?", mailtest.Aligned(true))
		p.deliver("\r\nno header")
		p.passes(30 * 24 * time.Hour)
		if sent := p.Sent(); len(sent) != 0 {
			t.Errorf("%d letters went out, the first to %s", len(sent), sent[0].To)
		}
		if in := len(p.Folder(support, "INBOX")); in != 5 || p.Folder(support, "Processed") != nil {
			t.Errorf("%d mails are in the folder", in)
		}
		if p.gone("u-alice") {
			t.Error("the account was deleted")
		}
		var read []string
		for _, a := range p.actions() {
			read = append(read, string(a.Kind))
			if a.State == inbox.StateDone || a.State == inbox.StateRunning {
				t.Errorf("%s is %s", a.ID, a.State)
			}
		}
		if got := strings.Join(read, " "); got != "delete copy copy question" {
			t.Errorf("the reading on record is %q", got)
		}
		if r := p.reconcile(); r.Server != 5 || r.Accounted != 5 || r.Filed != 0 || r.Gone != 0 {
			t.Errorf("%+v", r)
		}
	})
}

// In observe mode no act of staff sends or does anything, and none is put on
// record as if it had. What waits is decided when the mode has changed.
func TestStaffInObserve(t *testing.T) {
	inPlace(t, setup{more: "[policy]\nmode = \"observe\"\n"}, func(p *place) {
		p.start()
		p.takes("alice@users.test", "my account", deletePlease, mailtest.Aligned(true))
		p.takes("bob@users.test", "my data", copyPlease)
		p.takes("dmitry@users.test", "hours", "When do you open on Sundays?", mailtest.Aligned(true))
		p.takes("carol@users.test", "well?", "What about my request?")
		for _, c := range []control.Call{
			{Verb: "approve", ID: "A-1"}, {Verb: "approve", ID: "A-1", Reason: "I know her"}, {Verb: "approve", ID: "A-2"},
			{Verb: "refuse", ID: "A-1", Reason: "no"}, {Verb: "correct", ID: "A-1", Correction: review.Correction{Kind: "deactivate"}},
			{Verb: "answer", ID: "A-3", Text: "At nine."}, {Verb: "ask", ID: "A-3", Text: "Where?"},
		} {
			err := p.call(c)
			var hinted *inbox.Error
			if err == nil || !strings.Contains(err.Error(), "mode is observe") || !errors.As(err, &hinted) || hinted.Hint == "" {
				t.Errorf("%s %s: %v", c.Verb, c.ID, err)
			}
		}
		for _, a := range p.actions() {
			d := list[review.ActionDetail](p, control.Call{Verb: "actions show", ID: a.ID.String()})[0]
			if len(d.History) != 1 || len(d.Replies) != 0 {
				t.Errorf("%s: the history is %v, letters: %v", a.ID, d.History, d.Replies)
			}
		}
		p.wantMails(inbox.MailHeld, inbox.MailHeld, inbox.MailHeld, inbox.MailHeld)
		p.does("hold", "A-1")
		p.does("release", "A-1")
		p.wantActions("delete review", "copy review", "question review")

		p.stop()
		p.cfg.Policy.Mode = "auto"
		p.reopen()
		p.start()
		p.passes(time.Hour)
		p.wantLetters("alice@users.test")
		p.wantActions("delete review", "copy review", "question review")
		p.does("approve", "A-1")
		p.does("approve", "A-2")
		p.wantLetters("alice@users.test", "confirm")
		p.wantLetters("bob@users.test", "claim")
		p.must(control.Call{Verb: "answer", ID: "A-3", Text: "At nine."})
		p.does("mails replay", "M-4")
		p.wantLetters("carol@users.test", "claim")
		p.answers("alice@users.test", "Yes")
		p.passes(13 * time.Hour)
		p.wantActions("delete done", "copy unconfirmed", "question done")
	})
}

// A question that waits when the mode becomes observe is not asked anew, and
// nothing says that it was.
func TestAskedBeforeObserve(t *testing.T) {
	inPlace(t, setup{}, func(p *place) {
		p.start()
		p.takes("alice@users.test", "my account", deletePlease, mailtest.Aligned(true))
		before := list[review.ActionDetail](p, control.Call{Verb: "actions show", ID: "A-1"})[0]
		p.stop()
		p.cfg.Policy.Mode = "observe"
		p.reopen()
		p.start()
		p.takes("alice@users.test", "my account", deletePlease, mailtest.Aligned(true))
		p.wantMails(inbox.MailAsked, inbox.MailHeld)
		p.wantLetters("alice@users.test", "confirm")
		a := list[review.ActionDetail](p, control.Call{Verb: "actions show", ID: "A-1"})[0]
		if a.State != inbox.StateUnconfirmed || !a.Expires.Equal(before.Expires) || len(a.Replies) != 1 {
			t.Errorf("it is %s, lapses at %v, was to lapse at %v; letters: %v", a.State, a.Expires, before.Expires, a.Replies)
		}
	})
}

// What waits for staff says why in its history: a rule is no doubt about the
// reading.
func TestHistorySaysWhy(t *testing.T) {
	for mode, want := range map[string]string{"observe": "it came in mode observe", "assist": "it came in mode assist"} {
		inPlace(t, setup{more: "[policy]\nmode = \"" + mode + "\"\n"}, func(p *place) {
			p.start()
			p.takes("alice@users.test", "my account", deletePlease, mailtest.Aligned(true))
			a := list[review.ActionDetail](p, control.Call{Verb: "actions show", ID: "A-1"})[0]
			if h := a.History[0]; !a.Certain || h.What != "review" || h.Why != want || h.Who != "supportd" {
				t.Errorf("in mode %s: certain %t, and the history begins with %+v", mode, a.Certain, h)
			}
		})
	}
}

// In assist mode staff release every letter and every effect: an approval is
// the release of the one letter that comes of it.
func TestAssist(t *testing.T) {
	inPlace(t, setup{more: "[policy]\nmode = \"assist\"\n"}, func(p *place) {
		p.start()
		p.takes("alice@users.test", "my account", deletePlease, mailtest.Aligned(true))
		p.wantMails(inbox.MailHeld)
		p.passes(24 * time.Hour)
		p.wantActions("delete review")
		p.wantLetters("alice@users.test")
		p.does("approve", p.actions()[0].ID.String())
		p.wantActions("delete unconfirmed")
		p.wantLetters("alice@users.test", "confirm")
		p.answers("alice@users.test", "Yes")
		p.wantActions("delete review")
		p.passes(24 * time.Hour)
		p.wantActions("delete review")
		p.wantLetters("alice@users.test", "confirm")
		p.does("approve", p.actions()[0].ID.String())
		p.wantActions("delete scheduled")
		if p.gone("u-alice") {
			t.Error("the cool-off was skipped")
		}
		p.passes(12*time.Hour + time.Minute)
		p.wantActions("delete done")
		if !p.gone("u-alice") {
			t.Error("the account is still there")
		}
		p.passes(24 * time.Hour)
		p.wantLetters("alice@users.test", "confirm", "scheduled")
		p.does("release", p.actions()[0].ID.String()) // its key was not dropped meanwhile
		p.wantLetters("alice@users.test", "confirm", "scheduled", "result")
		p.passes(time.Hour)
		p.wantForgotten("A-1", true)
	})
}

// wantForgotten tells whether the content of an Action can still be read.
func (p *place) wantForgotten(id string, want bool) {
	p.t.Helper()
	a := list[review.ActionDetail](p, control.Call{Verb: "actions show", ID: id})[0]
	if a.Forgotten != want {
		p.t.Errorf("%s is forgotten: %t, want %t", id, a.Forgotten, want)
	}
}

// The letter that tells of a delete, and that nobody releases, is not kept for
// ever.
func TestAssistUnreleased(t *testing.T) {
	inPlace(t, setup{more: "[policy]\nmode = \"assist\"\n"}, func(p *place) {
		p.start()
		p.takes("alice@users.test", "my account", deletePlease, mailtest.Aligned(true))
		p.does("approve", "A-1")
		p.answers("alice@users.test", "Yes")
		p.does("approve", "A-1")
		p.passes(29 * 24 * time.Hour)
		p.wantForgotten("A-1", false)
		p.passes(2 * 24 * time.Hour)
		p.wantForgotten("A-1", true)
		p.wantLetters("alice@users.test", "confirm", "scheduled")
	})
}

// Nothing goes out by itself in assist mode after the letter that an approval
// releases: not the next question, not the answer to an answer.
func TestAssistReleasesOneLetter(t *testing.T) {
	inPlace(t, setup{more: "[policy]\nmode = \"assist\"\n"}, func(p *place) {
		note := func(want string) {
			t.Helper()
			if a := p.actions()[0]; a.Error != want {
				t.Errorf("beside the action stands %q, want %q", a.Error, want)
			}
		}
		p.start()
		p.takes("alice@users.test", "phone", "Please remove my phone number.")
		p.does("approve", "A-1")
		p.wantLetters("alice@users.test", "claim")
		p.answers("alice@users.test", "Yes")
		p.passes(time.Hour)
		p.wantActions("delete unconfirmed")
		p.wantLetters("alice@users.test", "claim")
		note("its letter is held: mode is assist")
		p.does("release", "A-1")
		p.wantLetters("alice@users.test", "claim", "confirm")
		note("")
		p.answers("alice@users.test", "Yes")
		p.passes(time.Hour)
		p.wantActions("delete review")
		p.does("approve", "A-1")
		p.wantActions("delete done")
		p.wantLetters("alice@users.test", "claim", "confirm", "result")
		p.takes("alice@users.test", "well?", "What about my request?", mailtest.Aligned(true))
		p.wantLetters("alice@users.test", "claim", "confirm", "result")
		m := p.mails()[len(p.mails())-1]
		if m.State != inbox.MailHeld || !strings.Contains(m.Reason, "is held: mode is assist") {
			t.Errorf("the mail is %s (%s)", m.State, m.Reason)
		}
		p.does("release", m.ID.String())
		p.wantLetters("alice@users.test", "claim", "confirm", "result", "status")
		if m := p.mails()[len(p.mails())-1]; m.State != inbox.MailAnswered {
			t.Errorf("after the release the mail is %s (%s)", m.State, m.Reason)
		}
	})
}

// What needs no confirmation still waits for staff in assist mode.
func TestAssistWithoutConfirmation(t *testing.T) {
	inPlace(t, setup{more: "[policy]\nmode = \"assist\"\n"}, func(p *place) {
		p.start()
		p.takes("alice@users.test", "my data", copyPlease, mailtest.Aligned(true))
		p.passes(24 * time.Hour)
		p.wantLetters("alice@users.test")
		p.wantActions("copy review")
		p.does("approve", p.actions()[0].ID.String())
		p.passes(time.Minute)
		p.wantActions("copy done")
		p.wantLetters("alice@users.test", "result")
	})
}

func TestPause(t *testing.T) {
	tests := []struct {
		name             string
		effects, replies bool
		letters          []string // while paused
	}{
		{"effects", true, false, []string{"confirm", "scheduled"}},
		{"replies", false, true, []string{"confirm"}}, // nobody was told how to stop it
		{"both", true, true, []string{"confirm"}},
		{"neither named is both", false, false, []string{"confirm"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inPlace(t, setup{}, func(p *place) {
				p.start()
				p.takes("alice@users.test", "my account", deletePlease, mailtest.Aligned(true))
				p.must(control.Call{Verb: "pause", Effects: tt.effects, Replies: tt.replies})
				p.answers("alice@users.test", "Yes")
				p.passes(24 * time.Hour)
				p.wantLetters("alice@users.test", tt.letters...)
				p.wantActions("delete scheduled")
				if p.gone("u-alice") {
					t.Error("the account was deleted")
				}
				if in := len(p.Folder(support, "INBOX")); in != 0 {
					t.Errorf("%d mails were not taken in", in)
				}
				p.reopen() // a restart does not end the pause
				p.start()
				p.passes(time.Hour)
				p.wantLetters("alice@users.test", tt.letters...)
				p.wantActions("delete scheduled")
				p.does("resume", "")
				p.passes(time.Hour)
				if !slices.Contains(tt.letters, "scheduled") {
					p.wantActions("delete scheduled") // the cool-off begins when its letter has left
					p.passes(12 * time.Hour)
				}
				p.wantActions("delete done")
				p.wantLetters("alice@users.test", "confirm", "scheduled", "result")
			})
		})
	}
}

// One run takes what waits and finishes what is due; several of them carry a
// request to its end without a daemon.
func TestOnce(t *testing.T) {
	inPlace(t, setup{replace: []string{`poll = "1m"`, "poll = \"1m\"\nfirst_run = \"all\""}}, func(p *place) {
		once := func() {
			t.Helper()
			if err := p.d.Once(p.t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		for range 40 {
			p.Send("shop@else.test", support, "news", "Please delete my account.", mailtest.Header("List-Id", "<news.else.test>"))
		}
		p.Send("alice@users.test", support, "my account", deletePlease, mailtest.Aligned(true))
		p.Send("bob@users.test", support, "my data", copyPlease, mailtest.Aligned(true))
		once()
		p.wantActions("delete unconfirmed", "copy done")
		p.wantLetters("alice@users.test", "confirm")
		p.wantLetters("bob@users.test", "result")
		if r := p.reconcile(); r.Server != 0 || r.Filed != 42 {
			t.Errorf("%+v", r)
		}
		p.answers("alice@users.test", "Yes")
		once()
		p.wantLetters("alice@users.test", "confirm", "scheduled")
		once()
		p.wantActions("delete scheduled", "copy done")
		p.passes(12*time.Hour + time.Second)
		once()
		p.wantActions("delete done", "copy done")
		p.wantLetters("alice@users.test", "confirm", "scheduled", "result")
	})
}

// A mailbox that cannot be reached does not keep a single run from the rest,
// and is an error of the whole. A delete waits: a stop may lie there.
func TestOnceUnreachable(t *testing.T) {
	inPlace(t, setup{}, func(p *place) {
		p.start()
		p.takes("alice@users.test", "my account", deletePlease, mailtest.Aligned(true))
		p.answers("alice@users.test", "Yes")
		p.must(control.Call{Verb: "pause"})
		p.takes("bob@users.test", "my data", copyPlease, mailtest.Aligned(true))
		p.stop()
		p.does("resume", "")
		p.down.Store(true)
		p.passes(13 * time.Hour)
		if err := p.d.Once(p.t.Context()); err == nil || !strings.Contains(err.Error(), "unreachable") {
			t.Errorf("the run says %v", err)
		}
		p.wantActions("delete scheduled", "copy done")
		p.wantLetters("bob@users.test", "result")
	})
}

func TestReconcile(t *testing.T) {
	inPlace(t, setup{}, func(p *place) {
		want := func(when string, want intake.Account) {
			t.Helper()
			want.Mailbox = "support"
			if got := p.reconcile(); got != want {
				t.Errorf("%s: got %+v, want %+v", when, got, want)
			}
		}
		p.Send("carol@users.test", support, "old", copyPlease)
		p.start()
		want("a backlog that is not ours", intake.Account{Server: 1, Accounted: 1})
		p.takes("alice@users.test", "my data", copyPlease, mailtest.Aligned(true))
		want("a mail that was filed", intake.Account{Server: 1, Accounted: 1, Filed: 1})
		p.stop()
		p.Send("bob@users.test", support, "my data", copyPlease, mailtest.Aligned(true))
		want("a mail that nobody took in", intake.Account{Server: 2, Accounted: 1, Filed: 1})
		p.SetFail(func(stage, _ string, _ int) error {
			if stage == mailtest.StageMove {
				return mailtest.Refuse(450, "not now")
			}
			return nil
		})
		p.reopen()
		p.start()
		want("a mail that cannot be filed", intake.Account{Server: 2, Accounted: 2, Filed: 1})
		imap(p, support, func(c *client) {
			c.must("SELECT INBOX")
			c.must("UID STORE 3 +FLAGS.SILENT (\\Deleted)")
			c.must("UID EXPUNGE 3")
		})
		want("a mail that somebody took away before it was filed", intake.Account{Server: 1, Accounted: 1, Filed: 1, Gone: 1})
		p.SetFail(nil)
		p.passes(time.Hour)
		want("afterwards", intake.Account{Server: 1, Accounted: 1, Filed: 1})
	})
}

func TestReplay(t *testing.T) {
	var broken, away atomic.Bool
	opt := daemon.Options{Find: finding(func(string) error {
		switch {
		case broken.Load():
			panic("a fault that the next version mends")
		case away.Load():
			return inbox.Temporary(errors.New("the database is away"))
		}
		return nil
	})}
	inPlace(t, setup{opt: opt}, func(p *place) {
		replay := func(n int) error {
			err := p.call(control.Call{Verb: "mails replay", ID: p.mails()[n].ID.String()})
			synctest.Wait()
			return err
		}
		p.start()
		broken.Store(true)
		p.takes("alice@users.test", "my data", copyPlease, mailtest.Aligned(true))
		broken.Store(false)
		p.wantMails(inbox.MailQuarantined)

		away.Store(true)
		if err := replay(0); err == nil || !strings.Contains(err.Error(), "the database is away") {
			t.Errorf("while the store is away: %v", err)
		}
		p.wantMails(inbox.MailQuarantined)
		away.Store(false)
		if err := replay(0); err != nil {
			t.Error(err)
		}
		p.passes(time.Minute)
		p.wantMails(inbox.MailActed)
		p.wantLetters("alice@users.test", "result")
		if err := replay(0); !errors.Is(err, intake.ErrReplay) {
			t.Errorf("a mail that was acted on: %v", err)
		}

		p.takes("bob@users.test", "my data", copyPlease, mailtest.Aligned(true), mailtest.Header("Precedence", "bulk"))
		p.wantMails(inbox.MailActed, inbox.MailIgnored)
		if err := replay(1); err != nil {
			t.Error(err)
		}
		p.wantMails(inbox.MailActed, inbox.MailIgnored)
		p.wantLetters("bob@users.test")

		p.takes("carol@users.test", "hello", "When do you open on Sundays?", mailtest.Aligned(true))
		p.wantMails(inbox.MailActed, inbox.MailIgnored, inbox.MailHeld)
		if err := replay(2); !errors.Is(err, intake.ErrReplay) {
			t.Errorf("a mail whose action is open: %v", err)
		}
		p.must(control.Call{Verb: "close", ID: p.actions()[1].ID.String(), Reason: "by telephone"})
		if err := replay(2); err != nil {
			t.Error(err)
		}
		p.wantActions("copy done", "question cancelled", "question review")

		imap(p, support, func(c *client) { c.must("DELETE Processed") })
		if err := replay(1); err == nil {
			t.Error("a mail that is gone from the server was replayed")
		}
		p.wantMails(inbox.MailActed, inbox.MailIgnored, inbox.MailHeld)
	})
}

// A mail that could not be fetched may be the twin of one that was answered;
// its replay answers nobody a second time.
func TestReplayTwin(t *testing.T) {
	const mail = "From: alice@users.test\r\nTo: support@site.test\r\nDate: Sat, 01 Jan 2000 00:00:00 +0000\r\nMessage-ID: <one@users.test>\r\nSubject: my data\r\n\r\n" + copyPlease + "\r\n"
	wrap, sprung := trapped("2")
	inPlace(t, setup{wrap: wrap}, func(p *place) {
		p.start()
		p.deliver(mail, mailtest.Aligned(true))
		p.deliver(mail, mailtest.Aligned(true))
		p.passes(time.Hour)
		if sprung.Load() == 0 {
			t.Fatal("the second mail was never asked for")
		}
		p.wantMails(inbox.MailActed, inbox.MailQuarantined)
		if err := p.call(control.Call{Verb: "mails replay", ID: p.mails()[1].ID.String()}); err != nil {
			t.Error(err)
		}
		p.passes(time.Hour)
		p.wantMails(inbox.MailActed, inbox.MailIgnored)
		p.wantLetters("alice@users.test", "result")
	})
}
