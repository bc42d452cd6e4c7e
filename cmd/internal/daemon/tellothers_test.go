package daemon_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"push.guru/supportd/cmd/internal/daemon"
	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/control"
	"push.guru/supportd/inbox/queue"
	"push.guru/supportd/inbox/review"
)

// sharing is a site that gives profiles to Mailchimp, and visits to Matomo.
func sharing(t *testing.T) setup {
	t.Helper()
	places := datamap.Embedded().Places()
	places[0].Tell, places[1].Tell = []string{"Mailchimp"}, []string{"Matomo"}
	m, err := datamap.New(places...)
	if err != nil {
		t.Fatal(err)
	}
	return setup{opt: daemon.Options{Map: m}}
}

// tasks gives what staff have to tell others.
func (s *scene) tasks() []review.ActionView {
	s.t.Helper()
	return list[review.ActionView](s.place, control.Call{Verb: "actions list", State: "review", Kind: "tell"})
}

// Whoever got the data of somebody whose account is deleted must be told by
// staff. The task holds up neither the delete's letter nor the end of the
// person's keys, and outlives them.
func TestTellOthersOfADelete(t *testing.T) {
	inScene(t, sharing(t), func(s *scene) {
		s.leaving()
		s.passes(coolOff)
		s.letter("result", bob)
		s.stand("delete account done", "question review")
		const want = "tell Mailchimp, Matomo: person u-bob was deleted (A-000001)"
		check := func(when string) review.ActionDetail {
			t.Helper()
			all := s.tasks()
			if len(all) != 1 || all[0].Error != want || all[0].Person != "u-bob" || all[0].Case.String() != "M-000001" {
				t.Fatalf("%s: staff have to do %+v", when, all)
			}
			return s.action("A-2")
		}
		if a := check("at once"); !a.Due.After(time.Now()) || a.Due.After(time.Now().Add(7*24*time.Hour)) || a.Address != "" {
			t.Errorf("it is due at %s, and answers go to %q", a.Due, a.Address)
		}
		s.passes(time.Hour)
		if a := s.action("A-1"); !a.Forgotten {
			t.Error("the task keeps the keys of the person")
		}
		if a := check("after the keys were dropped"); a.Forgotten {
			t.Error("the task was forgotten with the person")
		}
		s.passes(time.Until(s.action("A-2").Due))
		s.notice("an answer is due soon")
		s.reopen() // nothing is made anew
		s.start()
		check("after a restart")
		for _, c := range []control.Call{
			{Verb: "approve", ID: "A-2"}, {Verb: "answer", ID: "A-2", Text: "x"}, {Verb: "ask", ID: "A-2", Text: "x"},
			{Verb: "correct", ID: "A-2", Correction: review.Correction{Kind: "copy"}}, {Verb: "close", ID: "A-2"},
		} {
			if err := s.call(c); err == nil {
				t.Errorf("a task took %q", c.Verb)
			}
		}
		s.act("hold", "A-2")
		if a := s.action("A-2"); !strings.HasPrefix(a.Error, want) {
			t.Errorf("held, it says %q", a.Error)
		}
		s.act("release", "A-2")
		s.acts(control.Call{Verb: "close", ID: "A-2", Reason: "told by phone"})
		s.stand("delete account done", "question cancelled")
		if a := s.action("A-2"); a.Person != "" || strings.Contains(a.Error, "u-bob") || !did(a, "close", "tester") {
			t.Errorf("what is closed still says %q of %q: %v", a.Error, a.Person, a.History)
		}
		s.passes(100 * 24 * time.Hour)
		s.silence(bob, staff)
		log := s.entries()
		if count(log, `close A-000002 {"reason":"told by phone"}`) != 1 || count(log, "forgotten ") != 2 { // the mail and the yes
			t.Errorf("the journal has %q", log)
		}
		if strings.Contains(strings.Join(log, "\n"), "u-bob") {
			t.Errorf("the journal still names the person: %q", log)
		}
	})
}

// Of each sort of effect that touched what they have, once.
func TestTellOthers(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"change":        {"Please change my nickname to Bo.", "tell Mailchimp: of person u-bob was changed: nickname (A-000001)"},
		"delete fields": {"Please remove my phone number and my date of birth.", "tell Mailchimp: of person u-bob was deleted: phone, date_of_birth (A-000001)"},
		"deactivate":    {"Please deactivate my account.", ""},
	} {
		t.Run(name, func(t *testing.T) {
			inScene(t, sharing(t), func(s *scene) {
				s.write(bob, "hello", c.text)
				s.answer(s.letter("confirm", bob), "Yes")
				s.letter("result", bob)
				s.silence(bob, staff)
				switch all := s.tasks(); {
				case c.want == "" && len(all) != 0, c.want != "" && (len(all) != 1 || all[0].Error != c.want):
					t.Errorf("staff have to do %+v, want %q", all, c.want)
				}
			})
		})
	}
	t.Run("withdraw", func(t *testing.T) {
		inScene(t, sharing(t), func(s *scene) {
			s.write(bob, "no", "I withdraw my consent to the processing of my data.")
			s.letter("received", bob)
			s.acts(control.Call{Verb: "approve", ID: "A-1", Reason: "he came to the office"})
			s.letter("result", bob)
			if all := s.tasks(); len(all) != 1 || all[0].Error != "tell Mailchimp: person u-bob withdrew their consent or objected (A-000001)" {
				t.Errorf("staff have to do %+v", all)
			}
		})
	})
	t.Run("several of one mail", func(t *testing.T) {
		inScene(t, sharing(t), func(s *scene) {
			s.write(bob, "many things", "Please remove my phone number. Change my nickname to Bo. Please deactivate my account.")
			s.answer(s.letter("confirm", bob), "Yes")
			s.letter("result", bob)
			s.silence(bob, staff)
			if all := s.tasks(); len(all) != 2 {
				t.Errorf("staff have to do %+v", all)
			}
			s.write(bob, "my request", "What is the status of my request?")
			if d := s.letter("status", bob); strings.Contains(d.Text(), "uestion") {
				t.Errorf("the person is told of a task:\n%s", d.Text())
			}
		})
	})
	t.Run("nobody outside has it", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.leaving()
			s.passes(coolOff)
			s.stand("delete account done")
		})
	})
}

// A task that nobody closes does not keep what the person wrote.
func TestTaskKeepsNothing(t *testing.T) {
	inScene(t, sharing(t), func(s *scene) {
		s.write(bob, "hello", "Please change my nickname to Bo.")
		s.answer(s.letter("confirm", bob), "Yes")
		s.letter("result", bob)
		s.passes(91 * 24 * time.Hour)
		if a := s.action("A-1"); !a.Forgotten {
			t.Error("what was kept long enough is not forgotten")
		}
		if all := s.tasks(); len(all) != 1 || !strings.Contains(all[0].Error, "u-bob") {
			t.Errorf("staff have to do %+v", all)
		}
	})
}

// The store did it, and its answer was lost: there is one task.
func TestTellOthersOnce(t *testing.T) {
	set, lost := sharing(t), 0
	set.opt.Perform = func(next queue.Performer) queue.Performer {
		return performerFunc(func(ctx context.Context, job inbox.Job) (inbox.Outcome, error) {
			out, err := next.Perform(ctx, job)
			if err == nil && lost < 2 {
				lost++
				return inbox.Outcome{}, inbox.Temporary(errors.New("connection reset"))
			}
			return out, err
		})
	}
	inScene(t, set, func(s *scene) {
		s.write(bob, "hello", "Please change my nickname to Bo.")
		s.answer(s.letter("confirm", bob), "Yes")
		if all := s.tasks(); len(all) != 0 {
			t.Errorf("before it is known to be done staff have to do %+v", all)
		}
		s.reopen()
		s.start()
		s.passes(time.Hour)
		s.letter("result", bob)
		if all := s.tasks(); lost != 2 || len(all) != 1 {
			t.Errorf("after %d answers that were lost staff have to do %+v", lost, all)
		}
	})
}
