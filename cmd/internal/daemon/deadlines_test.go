package daemon_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"push.guru/supportd/cmd/internal/daemon"
	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/control"
	"push.guru/supportd/inbox/deadline"
	"push.guru/supportd/inbox/mailtest"
	"push.guru/supportd/inbox/queue"
)

// under puts a scene under another profile.
func under(profile string, more ...string) setup {
	return setup{more: "[deadlines]\nprofile = \"" + profile + "\"\n" + strings.Join(more, "\n")}
}

// at moves the story to a moment of January 2000, where the site is.
func (s *scene) at(day, hour int) {
	s.t.Helper()
	zone, err := time.LoadLocation("Asia/Almaty")
	if err != nil {
		s.t.Fatal(err)
	}
	s.passes(time.Until(time.Date(2000, 1, day, hour, 0, 0, 0, zone)))
}

// busyUntil has the mail server refuse every letter for the time being, up to a
// day of January 2000.
func (s *scene) busyUntil(day int) {
	end := time.Date(2000, 1, day, 0, 0, 0, 0, time.UTC)
	s.SetFail(func(stage, _ string, _ int) error {
		if stage == mailtest.StageRcpt && time.Now().Before(end) {
			return mailtest.Refuse(451, "4.2.1 mailbox busy")
		}
		return nil
	})
}

// due compares the day on which an Action is due, and its risk. "3 stands" says
// that its clock stands.
func (s *scene) due(id, day, risk string) {
	s.t.Helper()
	a := s.action(id)
	zone, err := time.LoadLocation("Asia/Almaty")
	if err != nil {
		s.t.Fatal(err)
	}
	got := a.Due.In(zone).Format("Jan 2")
	if a.Stands {
		got += " stands"
	}
	if got != day || string(a.Risk) != risk {
		s.t.Fatalf("%s is due on %s, risk %s; want %s, %s (it waited %v)", id, got, a.Risk, day, risk, a.Waits)
	}
}

// In kz the clock of an act runs while we have not asked, stands while they do
// not answer, and starts with their yes; only fifteen days go on.
func TestClockOfAnAct(t *testing.T) {
	inScene(t, setup{}, func(s *scene) {
		s.at(3, 10) // a Monday
		s.busyUntil(4)
		s.write(bob, "bye", "Please delete my account.")
		s.due("A-1", "Jan 4", "none")
		s.at(4, 11)
		q := s.letter("confirm", bob)
		s.due("A-1", "Jan 18 stands", "none")
		s.at(6, 23)
		s.answer(q, "Yes")
		s.letter("scheduled", bob)
		s.due("A-1", "Jan 7", "none")
		s.at(7, 12)
		s.letter("result", bob)
		s.due("A-1", "Jan 7", "none")
		s.silence(bob, staff)
	})
}

// An answer that is no yes lets the clock go on from its arrival, although
// nobody was here to read it; a hold of staff does not stop it.
func TestClockGoesOnWithTheAnswer(t *testing.T) {
	inScene(t, setup{}, func(s *scene) {
		s.at(3, 10)
		s.write(bob, "two things", "Please change my nickname to Bo. And remove my phone number.")
		q := s.letter("confirm", bob)
		s.due("A-1", "Jan 18 stands", "none")
		s.at(5, 10)
		s.stop()
		s.Reply(q, bob, "only 2", mailtest.Aligned(false))
		s.at(7, 10)
		s.reopen()
		s.start()
		synctest.Wait()
		s.letter("partial-to-staff", bob)
		s.due("A-1", "Jan 6", "red") // the 4th, and two working days
		if w := s.action("A-1").Waits; len(w) != 1 || w[0].To.Sub(w[0].From).Round(time.Hour) != 48*time.Hour {
			t.Errorf("it waited %v", w)
		}
	})
	t.Run("hold", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.at(3, 10)
			s.write(bob, "phone", "Please remove my phone number.")
			q := s.letter("confirm", bob)
			s.at(4, 10)
			s.act("hold", "A-1")
			s.due("A-1", "Jan 5", "none") // a day more
			s.at(4, 18)
			s.due("A-1", "Jan 5", "amber")
			s.at(5, 20)
			s.due("A-1", "Jan 5", "red")
			s.notice("an answer is due soon")
			s.act("release", "A-1")
			s.due("A-1", "Jan 18 stands", "none")
			s.at(6, 10)
			s.answer(q, "Yes")
			s.letter("result", bob)
			s.silence(bob, staff)
		})
	})
	t.Run("a letter that comes back", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.at(3, 10)
			s.write(bob, "phone", "Please remove my phone number.")
			d := s.letter("confirm", bob)
			s.at(4, 10)
			s.deliver(string(mailtest.Bounce(d, "mx.users.test", "550 5.1.1 no such user")), mailtest.Envelope(""))
			s.notice("bounced")
			s.due("A-1", "Jan 5", "none")
		})
	})
}

// In the EU an extension adds two months, once, while there is time, with a
// letter.
func TestExtend(t *testing.T) {
	extend := control.Call{Verb: "extend", ID: "A-1", Reason: "Your data lie in an archive."}
	inScene(t, under("gdpr"), func(s *scene) {
		s.at(3, 10)
		s.write(bob, "question", "What is the meaning of the badge on my profile page?")
		s.letter("received", bob)
		s.due("A-1", "Feb 3", "none")
		s.at(3, 12)
		s.acts(extend)
		d := s.letter("extended", bob)
		for _, part := range []string{"Your data lie in an archive.", "3 April 2000, 23:59 (Almaty time)"} {
			if !strings.Contains(d.Text(), part) {
				t.Errorf("%q is not in\n%s", part, d.Text())
			}
		}
		s.due("A-1", "Apr 3", "none")
		if a := s.action("A-1"); !did(a, "extended", "tester") || a.Extended.IsZero() {
			t.Errorf("it says %+v", a.History)
		}
		if log := s.entries(); count(log, `extended A-000001 {"due":"2000-04-03T23:59:59+07:00","reason":"Your data lie in an archive."}`) != 1 {
			t.Errorf("the journal says %q", log)
		}
		if err := s.call(extend); err == nil || !strings.Contains(err.Error(), "that can be done once") {
			t.Errorf("once more: %v", err)
		}
		s.silence(bob, staff)
	})
	for name, x := range map[string]struct {
		setup
		aligned bool
		after   time.Duration
		reason  string
		want    string
	}{
		"no reason":          {under("gdpr"), true, 0, " ", "needs a reason"},
		"late":               {under("gdpr"), true, 33 * 24 * time.Hour, "x", "was due on"},
		"nobody proved":      {under("gdpr"), false, 0, "x", "nobody proved who sent it"},
		"no extension":       {setup{}, true, 0, "x", "knows no extension for a question"},
		"no longer than now": {under("gdpr", "[deadlines.question]", `due = "1 day"`, `extend = "1 day"`), true, 0, "x", "would be due no later"},
	} {
		t.Run(name, func(t *testing.T) {
			inScene(t, x.setup, func(s *scene) {
				send := s.write
				if !x.aligned {
					send = s.claim
				}
				send(bob, "question", "What is the meaning of the badge on my profile page?")
				s.passes(x.after)
				if err := s.call(control.Call{Verb: "extend", ID: "A-1", Reason: x.reason}); err == nil || !strings.Contains(err.Error(), x.want) {
					t.Errorf("got %v, want %q", err, x.want)
				}
			})
		})
	}
}

// In California the first letter counts, whatever it says.
func TestFirstLetter(t *testing.T) {
	inScene(t, under("ccpa"), func(s *scene) {
		s.at(3, 10)
		s.busyUntil(4)
		s.write(bob, "question", "What is the meaning of the badge on my profile page?")
		s.due("A-1", "Jan 17", "none")
		s.at(4, 12)
		s.letter("received", bob)
		s.due("A-1", "Feb 17", "none")
		s.silence(bob, staff)
	})
}

// In the UK a question of staff stops the clock until its answer has come.
func TestQuestionOfStaff(t *testing.T) {
	inScene(t, under("uk"), func(s *scene) {
		s.at(3, 10)
		s.write(bob, "question", "What is the meaning of the badge on my profile page?")
		s.letter("received", bob)
		s.acts(control.Call{Verb: "ask", ID: "A-1", Text: "Which badge?"})
		d := s.letter("staff-question", bob)
		s.due("A-1", "Feb 3 stands", "none")
		s.at(8, 10)
		s.answer(d, "The one with the star, please explain it.", mailtest.Aligned(true))
		s.due("A-1", "Feb 8", "none")
	})
}

// Staff get one mail for what turns red together, one more for what is late,
// and none of them twice, also not after a restart. It is told again when the
// due day has moved.
func TestAlarm(t *testing.T) {
	inScene(t, setup{}, func(s *scene) {
		s.at(3, 10)
		for _, who := range []string{alice, bob} {
			s.write(who, "question", "What is the meaning of the badge on my profile page?")
			s.letter("received", who)
		}
		s.at(5, 18)
		s.silence(staff)
		s.at(5, 21) // less than a third is left
		d := s.letter("staff-notice", staff)
		for _, part := range []string{"2 answers are due soon\n", "A-000001 of M-000001: question, review, due 2000-01-06 23:59 +06:00\n", "A-000002 of M-000002: question,"} {
			if !strings.Contains(d.Text(), part) {
				t.Errorf("%q is not in\n%s", part, d.Text())
			}
		}
		s.stop()
		s.reopen()
		s.start()
		s.at(6, 23)
		s.acts(control.Call{Verb: "answer", ID: "A-2", Text: "It is yours."})
		s.letter("staff-answer", bob)
		s.silence(staff)
		s.at(7, 1)
		s.notice("an answer is late")
		s.stop()
		s.reopen()
		s.start()
		s.at(12, 1)
		s.silence(staff)
		s.due("A-1", "Jan 6", "red")
	})
	t.Run("another profile", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.at(3, 10)
			s.write(bob, "question", "What is the meaning of the badge on my profile page?")
			s.letter("received", bob)
			s.at(7, 1)
			s.notice("an answer is due soon")
			s.notice("an answer is late")
			s.stop()
			clock, err := deadline.Profile("gdpr", s.cfg.Site.Location)
			if err != nil {
				t.Fatal(err)
			}
			s.cfg.Deadlines.Clock = clock
			s.reopen()
			s.start()
			synctest.Wait()
			s.due("A-1", "Feb 3", "none")
			s.at(26, 23)
			s.silence(staff)
			s.at(28, 1) // a week before, in which somebody can still act
			s.notice("an answer is due soon")
			s.silence(staff)
		})
	})
	t.Run("observe", func(t *testing.T) {
		inScene(t, setup{more: "[policy]\nmode = \"observe\"\n"}, func(s *scene) {
			s.at(3, 10)
			s.write(bob, "question", "What is the meaning of the badge on my profile page?")
			s.at(8, 1)
			s.silence(bob, staff)
			s.due("A-1", "Jan 6", "red")
		})
	})
}

// slow fails for a time.
type slow struct {
	queue.Performer
	until time.Time
}

// Perform implements queue.Performer.
func (p slow) Perform(ctx context.Context, job inbox.Job) (inbox.Outcome, error) {
	if time.Now().Before(p.until) {
		return inbox.Outcome{}, inbox.Temporary(fmt.Errorf("the store is down"))
	}
	return p.Performer.Perform(ctx, job)
}

// What runs by itself in time is nobody's alarm; what is tried again and again
// becomes one.
func TestAlarmOfWhatRunsByItself(t *testing.T) {
	inScene(t, setup{more: "[policy.delete_account]\ncool_off = \"30h\"\n"}, func(s *scene) {
		s.at(3, 10)
		s.write(bob, "bye", "Please delete my account.")
		s.answer(s.letter("confirm", bob), "Yes")
		s.letter("scheduled", bob)
		s.at(4, 15)
		s.due("A-1", "Jan 4", "red")
		s.silence(staff)
		s.at(4, 17)
		s.letter("result", bob)
		s.silence(bob, staff)
	})
	t.Run("tried in vain", func(t *testing.T) {
		down := daemon.Options{Map: datamap.Embedded(), Perform: func(next queue.Performer) queue.Performer {
			return slow{next, time.Date(2000, 1, 5, 0, 0, 0, 0, time.UTC)}
		}}
		inScene(t, setup{opt: down}, func(s *scene) {
			s.at(3, 20)
			s.write(bob, "phone", "Please remove my phone number.")
			s.answer(s.letter("confirm", bob), "Yes")
			s.at(4, 14)
			s.silence(staff)
			s.at(4, 15)
			s.notice("an answer is due soon")
			s.stand("delete fields scheduled")
		})
	})
}
