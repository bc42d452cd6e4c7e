package daemon_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/cases"
	"push.guru/supportd/inbox/control"
	"push.guru/supportd/inbox/review"
)

// dana is somebody of the staff who may everything about cases.
var dana = review.Actor{Name: "dana", Role: "approver"}

// queue gives the lines of a queue page.
func (s *scene) queue(f review.QueueFilter) (out []string) {
	s.t.Helper()
	page, err := s.d.Desk().Queue(f, "", 0)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, r := range page.Rows {
		out = append(out, fmt.Sprint(r.ID, " ", r.Case, " ", r.State))
	}
	return out
}

// queued compares a queue page.
func (s *scene) queued(f review.QueueFilter, want ...string) {
	s.t.Helper()
	if got := s.queue(f); !slices.Equal(got, want) {
		s.t.Fatalf("the queue has %q, want %q", got, want)
	}
}

var waiting = review.QueueFilter{Waiting: true}

// What is held until a date needs nobody before, and a person from then on,
// also when the daemon was down meanwhile. Nothing is released by the date.
func TestHoldUntil(t *testing.T) {
	for _, down := range []bool{false, true} {
		inScene(t, setup{}, func(s *scene) {
			s.write(bob, "why", "Why was I charged twice?")
			s.letter("received", bob)
			s.queued(review.QueueFilter{}, "A-000001 M-000001 review")
			until := time.Now().Add(30 * time.Hour)
			for _, bad := range []control.Call{
				{Verb: "hold", ID: "A-1", Reason: "x", Until: time.Now().Add(-time.Minute)}, {Verb: "hold", ID: "A-1", Until: until},
			} {
				if err := s.call(bad); err == nil {
					t.Errorf("%+v was held", bad)
				}
			}
			s.acts(control.Call{Verb: "hold", ID: "A-1", Reason: "the bank answers on Tuesday", Until: until})
			s.queued(review.QueueFilter{})
			s.queued(waiting, "A-000001 M-000001 held")
			if v := s.action("A-1"); !v.Until.Equal(until) || !strings.Contains(v.Error, "the bank answers") {
				t.Errorf("it is held until %s: %s", v.Until, v.Error)
			}
			if down {
				s.reopen()
			}
			s.passes(29 * time.Hour)
			s.silence(staff)
			s.passes(2 * time.Hour)
			if down {
				s.start()
			}
			s.notice("was held until now")
			s.queued(review.QueueFilter{}, "A-000001 M-000001 held")
			if v := s.action("A-1"); !v.Until.IsZero() || !did(v, "hold date reached", cases.Program) {
				t.Errorf("the date has come: until %s, %v", v.Until, v.History)
			}
			s.acts(control.Call{Verb: "hold", ID: "A-1", Reason: "they are slow", Until: time.Now().Add(24 * time.Hour)}) // once more
			s.queued(waiting, "A-000001 M-000001 held")
			s.act("release", "A-1")
			s.queued(review.QueueFilter{}, "A-000001 M-000001 review")
			if v := s.action("A-1"); !v.Until.IsZero() || strings.Contains(v.Error, "slow") {
				t.Errorf("released, it still says %q until %s", v.Error, v.Until)
			}
			s.passes(48 * time.Hour)
			s.silence(bob)
			s.stand("question review")
		})
	}
}

// A second person is asked to look, and the first is not kept from it: nothing
// but the name beside the action changes.
func TestHandOver(t *testing.T) {
	inScene(t, setup{more: "[policy]\nmode = \"assist\"\n"}, func(s *scene) {
		s.write(bob, "bye", deletePlease)
		s.acts(control.Call{Verb: "hand-over", ID: "A-1", To: "erlan", Reason: "Is that our Bob?"})
		s.notice("an action was handed over to erlan")
		s.acts(control.Call{Verb: "hand-over", ID: "A-1", To: "erlan", Reason: "Is that our Bob?"}) // it is theirs already
		s.queued(review.QueueFilter{Assignee: "erlan"}, "A-000001 M-000001 review")
		s.queued(review.QueueFilter{Unassigned: true})
		if v := s.action("A-1"); v.Assignee != "erlan" || v.Handed != "Is that our Bob?" || v.State != inbox.StateReview || !did(v, "handed over", "tester") {
			t.Errorf("handed over: %+v", v)
		}
		if got := list[review.ActionView](s.place, control.Call{Verb: "actions list", To: "erlan"}); len(got) != 1 {
			t.Errorf("listed are %v", got)
		}
		s.act("approve", "A-1") // by the first
		s.letter("confirm", bob)
		s.queued(review.QueueFilter{All: true, Assignee: "erlan"}, "A-000001 M-000001 unconfirmed")
		s.acts(control.Call{Verb: "hand-over", ID: "A-1"})
		s.queued(review.QueueFilter{All: true, Assignee: "erlan"})
		s.acts(control.Call{Verb: "hand-over", ID: "A-1", To: "tester"}) // by whom it is taken: they know
		s.passes(time.Minute)
		s.silence(staff)
		s.acts(control.Call{Verb: "hand-over", ID: "A-1", To: "erlan"}) // once more
		s.notice("handed over to erlan")
		s.acts(control.Call{Verb: "close", ID: "A-1", Reason: "x"})
		if err := s.call(control.Call{Verb: "hand-over", ID: "A-1", To: "erlan"}); err == nil {
			t.Error("what has ended was handed over")
		}
	})
}

// A preview is the very letter that is then sent, and leaves nothing: no entry
// of the journal, no file, no count against a cap, no change.
func TestPreview(t *testing.T) {
	for _, c := range []struct {
		act     review.Act
		text    string
		more    string
		letters []string
	}{
		{review.Act{Verb: cases.Refuse, Reason: "You have an open order."}, deletePlease, "[policy]\nmode = \"assist\"\n", []string{"refused"}},
		{review.Act{Verb: cases.Approve}, deletePlease, "[policy]\nmode = \"assist\"\n", []string{"confirm"}},
		{review.Act{Verb: cases.ApproveWithoutProof, Reason: "Showed a passport."}, deletePlease, "[policy]\nmode = \"assist\"\n", []string{"scheduled"}},
		{review.Act{Verb: cases.Answer, Text: "We have paid it back."}, "Why was I charged twice?", "", []string{"staff-answer"}},
		{review.Act{Verb: cases.Ask, Text: "Which card was it?"}, "Why was I charged twice?", "", []string{"staff-question"}},
		{review.Act{Verb: cases.Correct, Correction: review.Correction{Kind: "delete", Edits: []string{"-phone"}}}, "Why was I charged twice?", "", []string{"confirm"}},
		{review.Act{Verb: cases.Close, Reason: "x"}, "Why was I charged twice?", "", nil},
		{review.Act{Verb: cases.Hold}, "Why was I charged twice?", "", nil},
	} {
		t.Run(string(c.act.Verb), func(t *testing.T) {
			inScene(t, setup{more: c.more}, func(s *scene) {
				s.write(bob, "hello", c.text)
				s.read[bob] = len(s.lettersTo(bob))
				c.act.Action, c.act.Confirm = 1, "M-000001"
				before := s.trace()
				p, err := s.d.Desk().Preview(s.t.Context(), dana, c.act)
				if err != nil || len(p.Letters) != len(c.letters) {
					t.Fatalf("%+v, %v", p, err)
				}
				again, err := s.d.Desk().Preview(s.t.Context(), dana, c.act)
				if err != nil || fmt.Sprint(again) != fmt.Sprint(p) {
					t.Errorf("the second preview differs: %+v, %v", again, err)
				}
				synctest.Wait()
				if after := s.trace(); after != before {
					t.Errorf("the preview left\n%s\nof\n%s", after, before)
				}
				s.silence(bob)
				done, err := s.d.Desk().Do(s.t.Context(), dana, c.act)
				if err != nil || done.State != p.State {
					t.Fatalf("done: %+v, %v; previewed %+v", done, err, p)
				}
				synctest.Wait()
				for i, name := range c.letters {
					d := s.letter(name, p.Letters[i].To)
					subject, _, _ := strings.Cut(d.Subject(), " [#")
					if got := strings.TrimSpace(d.Text()); got != strings.TrimSpace(p.Letters[i].Text) || subject != p.Letters[i].Subject {
						t.Errorf("sent was %q\n%s\npreviewed %q\n%s", subject, got, p.Letters[i].Subject, p.Letters[i].Text)
					}
				}
				s.silence(bob)
			})
		})
	}
}

// trace gives what a preview must leave as it is: the journal, what is open,
// every action and letter, and the files of the state.
func (s *scene) trace() string {
	s.t.Helper()
	desk := s.d.Desk()
	log, err := desk.Log(review.LogFilter{}, "", 1)
	if err != nil {
		s.t.Fatal(err)
	}
	counts, err := desk.Counts()
	if err != nil {
		s.t.Fatal(err)
	}
	out := fmt.Sprintln(log.Entries[0].Hash, counts)
	for _, a := range s.actions() {
		out += fmt.Sprintln(a, len(s.action(a.ID.String()).History))
	}
	for _, m := range s.mails() {
		v, err := desk.Case(m.ID)
		if err != nil {
			s.t.Fatal(err)
		}
		out += fmt.Sprintln(len(v.Letters), len(v.History))
	}
	err = filepath.WalkDir(s.cfg.StateDir, func(path string, _ os.DirEntry, err error) error {
		out += path + "\n"
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}

// A preview of a release shows the letters that it lets go.
func TestPreviewOfARelease(t *testing.T) {
	inScene(t, setup{more: "[policy]\nmode = \"assist\"\n"}, func(s *scene) {
		s.write(bob, "why", "Why was I charged twice?")
		s.queued(review.QueueFilter{State: review.StateLetters}, "A-000001 M-000001 review")
		p, err := s.d.Desk().Preview(s.t.Context(), dana, review.Act{Verb: cases.Release, Action: 1})
		if err != nil || len(p.Letters) != 1 || p.Letters[0].To != bob || p.Letters[0].State != inbox.ReplyDue {
			t.Fatalf("%+v, %v", p, err)
		}
		s.silence(bob)
		s.act("release", "A-1")
		s.letter("received", bob)
		s.queued(review.QueueFilter{State: review.StateLetters})
	})
}

// Somebody writes from another address than the one on record. Staff ask both:
// the owner in a letter of its own that quotes nothing; and the other address
// gets the same letter as if nobody had been asked.
func TestAskOnRecord(t *testing.T) {
	const stranger = "bob.fisher@elsewhere.test"
	var plain string
	for _, also := range []string{"", bob} {
		inScene(t, setup{}, func(s *scene) {
			s.write(stranger, "my old account", "My zebra account is under bob@users.test, I lost that password. Can you move it here?")
			s.letter("received", stranger)
			for _, nobody := range []string{"nobody@users.test", "no address"} {
				if err := s.call(control.Call{Verb: "ask", ID: "A-1", Text: "Which year did you join?", OnRecord: nobody}); err == nil {
					t.Error("nobody was asked")
				}
			}
			s.silence(stranger, bob)
			s.acts(control.Call{Verb: "ask", ID: "A-1", Text: "Which year did you join?", OnRecord: also})
			got := s.letter("staff-question", stranger)
			if also == "" {
				plain = got.Text()
				s.silence(bob)
				return
			}
			if got.Text() != plain || strings.Contains(got.Text(), bob) {
				t.Errorf("the other address learns that the owner was asked:\n%s", got.Text())
			}
			d := s.letter("ask-on-record", bob)
			text := d.Subject() + d.Text()
			for _, quoted := range []string{"zebra", "old account", stranger, "password"} {
				if strings.Contains(text, quoted) {
					t.Errorf("the owner's letter quotes %q:\n%s", quoted, text)
				}
			}
			if !strings.Contains(text, "Which year did you join?") || d.Header("In-Reply-To") != "" || d.Header("References") != "" {
				t.Errorf("the owner's letter is\n%s", text)
			}
			s.answer(d, "That was not me.")
			if a := s.action("A-1"); !slices.ContainsFunc(a.History, func(h inbox.HistoryEntry) bool { return strings.HasPrefix(h.What, "answered in ") }) {
				t.Errorf("the owner's answer is not on record: %v", a.History)
			}
			s.silence(stranger)
			if err := s.call(control.Call{Verb: "ask", ID: "A-1", Text: "x", OnRecord: stranger}); err == nil {
				t.Error("the same address was asked twice")
			}
		})
	}
}

// The raw mail comes from its server when somebody asks, from wherever it is
// filed by then; what is gone, replaced, too large or forgotten is said.
func TestRaw(t *testing.T) {
	inScene(t, setup{more: "[policy]\nmax_message_bytes = 65536\n"}, func(s *scene) {
		raw := func(id inbox.MailID, want string) {
			t.Helper()
			got, err := s.d.Desk().Raw(s.t.Context(), id)
			switch {
			case err == nil && (want == "" || !strings.Contains(string(got.Bytes), want)):
				t.Errorf("%s is\n%s", id, got.Bytes)
			case err != nil && (want == "" || !strings.Contains(err.Error(), want)):
				t.Errorf("%s: %v, want %q", id, err, want)
			}
		}
		s.write(bob, "why", "Why was I charged twice?")
		raw(1, "Why was I charged twice?")
		s.write(bob, "why", strings.Repeat("Why was I charged? ", 5000))
		raw(2, "policy.max_message_bytes")
		raw(3, "not found")
		items := list[control.Piece](s.place, control.Call{Verb: "mails raw", ID: "M-1"})
		if len(items) != 1 || !strings.Contains(string(items[0].Bytes), "Why was I charged twice?") {
			t.Errorf("the command line gets %v", items)
		}
		s.down.Store(true)
		raw(1, "refused")
		s.down.Store(false)
		imap(s.place, support, func(c *client) {
			c.must("SELECT Processed")
			c.must("UID STORE 1:* +FLAGS (\\Deleted)")
			c.must("EXPUNGE")
		})
		raw(1, "M-000001 is no longer on the server")
		imap(s.place, support, func(c *client) { c.must("DELETE Processed") })
		raw(1, "M-000001 is no longer on the server")
	})
}

// A mail whose content was kept long enough is not shown, although the server
// still has it.
func TestRawOfTheForgotten(t *testing.T) {
	inScene(t, setup{more: "[keep]\ndone = \"24h\"\nother = \"24h\"\n"}, func(s *scene) {
		s.write(bob, "hi", "Please change my nickname to Bo.")
		s.answer(s.letter("confirm", bob), "Yes")
		s.letter("result", bob)
		if _, err := s.d.Desk().Raw(s.t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		s.passes(48 * time.Hour)
		if _, err := s.d.Desk().Raw(s.t.Context(), 1); err == nil || !strings.Contains(err.Error(), "forgotten") {
			t.Errorf("what was forgotten gave %v", err)
		}
		r, err := s.d.Desk().Receipt(1)
		if err != nil || r.Sender != "" || len(r.Asked) != 1 || r.Asked[0].State != inbox.StateDone || len(r.Entries) == 0 {
			t.Errorf("the receipt of what was forgotten is %+v, %v", r, err)
		}
	})
}
