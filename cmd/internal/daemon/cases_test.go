package daemon_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/control"
	"push.guru/supportd/inbox/journal"
	"push.guru/supportd/inbox/mailtest"
	"push.guru/supportd/inbox/review"
)

const (
	erin    = "erin@users.test"
	erinNew = "erin@new.test"
	week    = 7 * 24 * time.Hour
)

func TestAnswersThatAreNoYes(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer func(s *scene, q mailtest.Delivery)
		want   string
	}{
		{"a yes in the quoted history only", func(s *scene, q mailtest.Delivery) {
			s.answer(q, "What is this about?\n\nOn Monday I wrote:\n> Yes\n> yes, please do")
		}, "unconfirmed"},
		{"a yes by a robot", func(s *scene, q mailtest.Delivery) {
			s.answer(q, "Yes", mailtest.Header("Auto-Submitted", "auto-replied"))
		}, "unconfirmed"},
		{"a yes from another address", func(s *scene, q mailtest.Delivery) {
			s.Reply(q, "mallory@evil.test", "Yes", mailtest.Aligned(true))
		}, "unconfirmed"},
		{"a yes with somebody else's token", func(s *scene, _ mailtest.Delivery) {
			s.write(alice, "phone", "Please remove my phone number.")
			theirs := s.letter("confirm", alice)
			s.Reply(theirs, bob, "Yes", mailtest.Aligned(true))
		}, "unconfirmed"},
		{"a yes to no question, from an aligned sender", func(s *scene, _ mailtest.Delivery) {
			s.write(bob, "hello", "Yes")
		}, "unconfirmed"},
		{"a yes with a condition", func(s *scene, q mailtest.Delivery) {
			s.answer(q, "Yes, but only if you keep my invoices.")
		}, "unconfirmed"},
		{"a no", func(s *scene, q mailtest.Delivery) { s.answer(q, "No") }, "cancelled"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inScene(t, setup{}, func(s *scene) {
				s.write(bob, "bye", "Please delete my account.")
				q := s.letter("confirm", bob)
				c.answer(s, q)
				s.passes(2 * coolOff)
				if a := s.action("A-1"); string(a.State) != c.want {
					t.Errorf("the delete is %s, want %s", a.State, c.want)
				}
				if s.person("u-bob").ID == "" {
					t.Fatal("the account is gone")
				}
				s.silence("mallory@evil.test")
			})
		})
	}
}

// A token in the wrong hands is worth nothing, and loses nothing either.
func TestTokenFromElsewhereIsNotConsumed(t *testing.T) {
	inScene(t, setup{}, func(s *scene) {
		s.write(bob, "phone", "Please remove my phone number.")
		q := s.letter("confirm", bob)
		s.Reply(q, "mallory@evil.test", "Yes", mailtest.Aligned(true))
		s.Reply(q, "mallory@evil.test", "No", mailtest.Aligned(true))
		s.passes(time.Minute)
		s.holds("u-bob", inbox.FieldPhone, "+77011234502")
		if m := s.newest(); m.State != inbox.MailHeld {
			t.Errorf("the stranger's mail is %s", m.State)
		}
		s.answer(q, "Yes")
		s.letter("result", bob)
		s.holds("u-bob", inbox.FieldPhone, "")
		s.silence(bob, "mallory@evil.test")
	})
}

func TestSecondYes(t *testing.T) {
	t.Run("while it waits", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.write(bob, "bye", "Please delete my account.")
			q := s.letter("confirm", bob)
			s.answer(q, "Yes")
			due := s.action("A-1").RunAfter
			s.letter("scheduled", bob)
			s.passes(time.Hour)
			s.answer(q, "yes!")
			s.letter("status", bob)
			if again := s.action("A-1").RunAfter; !again.Equal(due) {
				t.Errorf("the second yes moved the delete from %v to %v", due, again)
			}
		})
	})
	t.Run("after it was done", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.write(bob, "nickname", "Please add +77010000000 to my phone numbers and change my nickname to Bo.")
			q := s.letter("confirm", bob)
			s.answer(q, "Yes")
			s.letter("result", bob)
			before := s.person("u-bob").Fields
			s.answer(q, "Yes")
			if d := s.letter("status", bob); !strings.Contains(d.Text(), "done") {
				t.Errorf("the status does not say that it is done:\n%s", d.Text())
			}
			if after := s.person("u-bob").Fields; after[inbox.FieldPhone] != before[inbox.FieldPhone] {
				t.Errorf("the second yes made %q of %q", after[inbox.FieldPhone], before[inbox.FieldPhone])
			}
			if m := s.newest(); m.State != inbox.MailAnswered {
				t.Errorf("the mail is %s (%s)", m.State, m.Reason)
			}
		})
	})
}

// A yes that names more than was asked about agrees to nothing yet.
func TestYesToSomethingElseGoesToStaff(t *testing.T) {
	inScene(t, setup{}, func(s *scene) {
		s.write(bob, "my number", "Please remove my phone number.")
		s.answer(s.letter("confirm", bob), "Yes, delete my account.")
		if d := s.letter("partial-to-staff", bob); !strings.Contains(d.Text(), "not quite what we asked about") {
			t.Errorf("the letter does not say why staff look:\n%s", d.Text())
		}
		s.passes(time.Hour)
		s.stand("delete fields review")
		s.holds("u-bob", inbox.FieldPhone, "+77011234502")
		if m := s.newest(); m.Reason != "the answer names something else than was asked about" {
			t.Errorf("staff read %q", m.Reason)
		}
	})
}

func TestOnlySomePointsGoToStaff(t *testing.T) {
	inScene(t, setup{}, func(s *scene) {
		s.write(bob, "two things", "Please change my nickname to Bo. And remove my phone number.")
		s.answer(s.letter("confirm", bob), "only 2")
		s.letter("partial-to-staff", bob)
		s.passes(time.Hour)
		s.stand("change review", "delete fields review")
		s.holds("u-bob", inbox.FieldPhone, "+77011234502")
		s.silence(bob)
		s.act("approve", "A-2")
		s.answer(s.letter("confirm", bob), "Yes")
		s.acts(control.Call{Verb: "refuse", ID: "A-1", Reason: "you did not want it"})
		s.holds("u-bob", inbox.FieldNickname, "bobby")
	})
}

func TestYesWithAnotherRequest(t *testing.T) {
	inScene(t, setup{}, func(s *scene) {
		s.write(bob, "phone", "Please remove my phone number.")
		s.answer(s.letter("confirm", bob), "Yes. Also, please change my nickname to Bo.")
		s.letters(bob, "confirm", "result")
		s.silence(bob)
		s.stand("delete fields done", "change unconfirmed")
		if a, b := s.action("A-1"), s.action("A-2"); a.Case == b.Case {
			t.Errorf("both are of %s", a.Case)
		}
		s.holds("u-bob", inbox.FieldPhone, "")
		s.holds("u-bob", inbox.FieldNickname, "bobby")
	})
}

func TestExpiry(t *testing.T) {
	ask := func(s *scene) mailtest.Delivery {
		s.write(bob, "phone", "Please remove my phone number.")
		return s.letter("confirm", bob)
	}
	t.Run("a later yes asks anew once, and the new yes is told of its end", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			q := ask(s)
			s.passes(week - time.Minute)
			s.stand("delete fields unconfirmed")
			s.passes(2 * time.Minute)
			s.stand("delete fields expired")
			s.answer(q, "Yes")
			again := s.letter("expired-ask", bob)
			s.holds("u-bob", inbox.FieldPhone, "+77011234502")
			s.answer(again, "Yes")
			s.letter("result", bob)
			s.holds("u-bob", inbox.FieldPhone, "")
			s.silence(bob)
		})
	})
	t.Run("it is asked anew only once", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			q := ask(s)
			s.passes(week + time.Minute)
			s.answer(q, "Yes")
			again := s.letter("expired-ask", bob)
			s.passes(week + time.Minute)
			s.answer(again, "Yes")
			s.answer(q, "Yes")
			s.passes(time.Hour)
			s.stand("delete fields expired")
			s.holds("u-bob", inbox.FieldPhone, "+77011234502")
		})
	})
	t.Run("counted from the last time we asked", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			ask(s)
			s.passes(5 * 24 * time.Hour)
			s.write(bob, "phone again", "Please remove my phone number.")
			again := s.letter("confirm", bob)
			s.passes(5 * 24 * time.Hour)
			s.answer(again, "Yes")
			s.letter("result", bob)
			s.stand("delete fields done")
		})
	})
	t.Run("a hold makes it stand still", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			q := ask(s)
			s.passes(24 * time.Hour)
			s.act("hold", "A-1")
			s.passes(2 * week)
			s.stand("delete fields held")
			s.act("release", "A-1")
			s.passes(5 * 24 * time.Hour)
			s.answer(q, "Yes")
			s.letter("result", bob)
			s.holds("u-bob", inbox.FieldPhone, "")
		})
	})
	t.Run("a claim", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.claim(bob, "phone", "Please remove my phone number.")
			q := s.letter("claim", bob)
			s.passes(week + time.Minute)
			s.answer(q, "Yes")
			s.answer(s.letter("expired-ask", bob), "Yes")
			s.letter("result", bob)
		})
	})
}

// A yes while staff hold the request is not lost.
func TestYesWhileHeld(t *testing.T) {
	inScene(t, setup{}, func(s *scene) {
		s.write(bob, "phone", "Please remove my phone number.")
		q := s.letter("confirm", bob)
		s.act("hold", "A-1")
		s.answer(q, "Yes")
		s.letter("status", bob)
		s.holds("u-bob", inbox.FieldPhone, "+77011234502")
		s.act("release", "A-1")
		s.answer(q, "Yes")
		s.letter("result", bob)
		s.holds("u-bob", inbox.FieldPhone, "")
	})
}

func TestStopInTheCoolOff(t *testing.T) {
	scheduled := func(s *scene) mailtest.Delivery {
		s.write(bob, "bye", "Please delete my account.")
		s.answer(s.letter("confirm", bob), "Yes")
		return s.letter("scheduled", bob)
	}
	stays := func(s *scene, want string) {
		s.t.Helper()
		s.passes(2 * coolOff)
		s.stand("delete account " + want)
		if s.person("u-bob").ID == "" {
			s.t.Fatal("the account is gone")
		}
	}
	t.Run("by token", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.answer(scheduled(s), "stop")
			s.letter("cancelled", bob)
			stays(s, "cancelled")
		})
	})
	t.Run("by an aligned sender, in a new mail", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			scheduled(s)
			s.write(bob, "please", "Stop!")
			s.letter("cancelled", bob)
			stays(s, "cancelled")
		})
	})
	t.Run("by nobody who proves it: the owner lets it go on", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			scheduled(s)
			s.passes(6 * time.Hour)
			s.claim(bob, "please", "stop")
			q := s.letter("stop-check", bob)
			stays(s, "held")
			s.answer(q, "Yes")
			s.letter("status", bob)
			s.passes(5 * time.Hour)
			s.stand("delete account scheduled") // the cool-off stood still
			s.passes(2 * time.Hour)
			s.letter("result", bob)
			s.stand("delete account done")
		})
	})
	t.Run("by nobody who proves it: the owner stops it", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			scheduled(s)
			s.claim(bob, "please", "stop")
			s.answer(s.letter("stop-check", bob), "No")
			s.letter("cancelled", bob)
			stays(s, "cancelled")
		})
	})
}

func TestChangeOfAddress(t *testing.T) {
	ask := func(s *scene) mailtest.Delivery {
		s.write(erin, "new email", "Hi, please change the email address of my account to erin@new.test.")
		return s.letter("confirm", erin)
	}
	agreed := func(s *scene) mailtest.Delivery {
		s.answer(ask(s), "Yes")
		q := s.letter("confirm-new-address", erinNew)
		s.letter("asked-new", erin)
		return q
	}
	unmoved := func(s *scene, want string) {
		s.t.Helper()
		s.passes(2 * coolOff)
		s.stand("change " + want)
		s.holds("u-erin", inbox.FieldEmail, erin)
	}
	t.Run("the old one says no", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.answer(ask(s), "No")
			s.letter("cancelled", erin)
			unmoved(s, "cancelled")
			s.silence(erin, erinNew)
		})
	})
	t.Run("the old one says nothing: staff, and the new one is never asked", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			ask(s)
			s.passes(week + time.Minute)
			unmoved(s, "review")
			s.silence(erin, erinNew)
		})
	})
	t.Run("the new one says no", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.answer(agreed(s), "No")
			s.letter("cancelled", erin)
			unmoved(s, "cancelled")
			s.silence(erin, erinNew)
		})
	})
	t.Run("the new one's token used by the old one", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			q := agreed(s)
			s.Reply(q, erin, "Yes", mailtest.Aligned(true))
			s.passes(2 * coolOff)
			s.holds("u-erin", inbox.FieldEmail, erin)
			s.silence(erinNew)
		})
	})
	t.Run("the new one says yes too late: it is asked once more", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			q := agreed(s)
			s.passes(week + time.Minute)
			s.stand("change expired")
			s.answer(q, "Yes")
			again := s.letter("confirm-new-address", erinNew)
			s.letter("asked-new", erin)
			s.holds("u-erin", inbox.FieldEmail, erin)
			s.answer(again, "Yes")
			s.letter("address-notice", erin)
			s.passes(coolOff)
			s.holds("u-erin", inbox.FieldEmail, erinNew)
		})
	})
	t.Run("stopped by the old one in the cool-off", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.answer(agreed(s), "Yes")
			s.answer(s.letter("address-notice", erin), "stop")
			s.letter("cancelled", erin)
			unmoved(s, "cancelled")
			s.silence(erin, erinNew)
		})
	})
	t.Run("the new one says yes: what is open is proved anew there", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.answer(agreed(s), "Yes")
			s.letter("address-notice", erin)
			s.passes(11 * time.Hour)
			s.write(erin, "nickname", "Please change my nickname to Eri.") // asked, and not answered
			old := s.letter("confirm", erin)
			s.write(erin, "deactivate", "Please deactivate my account.")
			held := s.letter("confirm", erin)
			s.act("hold", "A-3")
			s.write(erin, "why", "Why was I charged twice?")
			s.letter("received", erin)
			s.passes(2 * time.Hour)
			s.letter("address-changed", erin)
			claim := s.letter("claim", erinNew)
			s.letter("result", erinNew)
			s.holds("u-erin", inbox.FieldEmail, erinNew)

			s.answer(old, "Yes") // the old address proves nothing any more
			s.answer(held, "Yes")
			s.passes(time.Minute)
			s.holds("u-erin", inbox.FieldNickname, "erinw")
			s.answer(claim, "Yes")
			s.answer(s.letter("confirm", erinNew), "Yes")
			s.letter("result", erinNew)
			s.holds("u-erin", inbox.FieldNickname, "Eri")

			s.act("release", "A-3")
			s.answer(s.letter("claim", erinNew), "Yes")
			s.letter("confirm", erinNew)
			s.acts(control.Call{Verb: "answer", ID: "A-4", Text: "We have paid it back."})
			s.letter("staff-answer", erinNew)
		})
	})
	t.Run("a copy and the delete of the account are seen by staff for 30 days", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.answer(agreed(s), "Yes")
			s.letter("address-notice", erin)
			s.passes(coolOff)
			s.letter("address-changed", erin)
			s.letter("result", erinNew)
			s.write(erinNew, "copy", "Please send me a copy of my data.")
			s.letter("received", erinNew)
			s.write(erinNew, "bye", "Please delete my account.")
			s.letter("received", erinNew)
			s.write(erinNew, "nickname", "Please change my nickname to Eri.")
			s.letter("confirm", erinNew)
			s.stand("change done", "copy review", "delete account review", "change unconfirmed")
			s.silence(erinNew)
			s.passes(30 * 24 * time.Hour)
			s.write(erinNew, "describe", "Please send me a copy of my data in a file.")
			s.write(bob, "copy", "Please send me a copy of my data.")
			s.letter("result", bob)
		})
	})
}

func TestDeleteEndsWhatIsOpen(t *testing.T) {
	inScene(t, setup{}, func(s *scene) {
		s.write(bob, "nickname", "Please change my nickname to Bo.")
		s.letter("confirm", bob)
		s.write(bob, "why", "Why was I charged twice?")
		s.letter("received", bob)
		s.write(bob, "bye", "Please delete my account.")
		s.answer(s.letter("confirm", bob), "Yes")
		s.letter("scheduled", bob)
		// The last letter is late, and until it has gone its key must stay.
		s.refuses(mailtest.StageRcpt, bob, mailtest.Refuse(451, "4.2.1 mailbox busy"))
		s.passes(coolOff + time.Hour)
		s.stand("change cancelled", "question cancelled", "delete account done")
		if s.action("A-3").Forgotten {
			t.Fatal("the key was dropped, and a letter is owed")
		}
		s.SetFail(nil)
		s.passes(3 * time.Hour)
		s.letter("result", bob)
		s.passes(time.Hour)
		for _, id := range []string{"A-1", "A-2", "A-3"} {
			if a := s.action(id); !a.Forgotten || a.Text != "" || a.Address != "" {
				t.Errorf("%s still knows %q of %q", id, a.Text, a.Address)
			}
		}
		f := list[journal.Finding](s.place, control.Call{Verb: "journal verify"})[0]
		if f.Broken != "" || len(f.Forgotten) == 0 {
			t.Errorf("the journal verifies as %+v", f)
		}
		s.silence(bob, staff)
	})
}

// Before the mailbox has answered, an address with an account and one without
// get the same letters.
func TestNobodyLearnsOfAnAccount(t *testing.T) {
	for _, text := range []string{"Please delete my account.", "Please send me a copy of my data.", "Change my email to a@b.test",
		"Yes", "stop", "What about my request?", "hello?", "Please reactivate my account."} {
		t.Run(text, func(t *testing.T) {
			inScene(t, setup{}, func(s *scene) {
				stranger := "nobody@users.test"
				for range 3 {
					s.claim(bob, "hi", text)
					s.claim(stranger, "hi", text)
				}
				s.passes(time.Hour)
				known, unknown := s.lettersTo(bob), s.lettersTo(stranger)
				if len(known) != len(unknown) {
					t.Fatalf("%d letters with an account, %d without", len(known), len(unknown))
				}
				for i := range known {
					a, b := s.d.Letter(known[i].MessageID()), s.d.Letter(unknown[i].MessageID())
					if a != b || a != "claim" {
						t.Errorf("letter %d is %q with an account and %q without", i, a, b)
					}
					if strings.Contains(known[i].Text(), "Bob") {
						t.Errorf("it names the person:\n%s", known[i].Text())
					}
				}
			})
		})
	}
}

// Somebody who has proved nothing, and asks where their request stands, is
// asked whether it was they; only the mailbox is told.
func TestStatusWithoutProof(t *testing.T) {
	const ask = "What about my request?"
	last := func(s *scene, state inbox.MailState, reason string) {
		s.t.Helper()
		if m := s.newest(); m.State != state || !strings.Contains(m.Reason, reason) {
			s.t.Errorf("the mail is %s (%s), want %s (%s)", m.State, m.Reason, state, reason)
		}
	}
	t.Run("the yes is told the state", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.write(bob, "bye", "Please delete my account.")
			s.answer(s.letter("confirm", bob), "Yes")
			s.letter("scheduled", bob)
			s.claim(bob, "well?", ask)
			q := s.letter("claim", bob)
			last(s, inbox.MailAsked, "asked whether it was they")
			s.answer(q, "Yes")
			if d := s.letter("status", bob); !strings.Contains(d.Text(), "Deletion of your account") {
				t.Errorf("the state is not told:\n%s", d.Text())
			}
			last(s, inbox.MailAnswered, "told where")
			s.silence(bob, staff)
			s.stand("delete account scheduled")
		})
	})
	t.Run("with and without an account the letter is the same", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.claim(bob, "hi", ask)
			s.claim("nobody@users.test", "hi", ask)
			known, unknown := s.letter("claim", bob), s.letter("claim", "nobody@users.test")
			if known.Text() != unknown.Text() {
				t.Errorf("with an account:\n%s\nwithout:\n%s", known.Text(), unknown.Text())
			}
			s.answer(known, "Yes")
			s.answer(unknown, "Yes")
			for _, who := range []string{bob, "nobody@users.test"} {
				if d := s.letter("status", who); !strings.Contains(d.Text(), "no open request") {
					t.Errorf("%s was told:\n%s", who, d.Text())
				}
			}
			last(s, inbox.MailAnswered, "no request is open")
		})
	})
	t.Run("a no stops nothing", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.write(bob, "phone", "Please remove my phone number.")
			s.letter("confirm", bob)
			s.claim(bob, "well?", ask)
			s.answer(s.letter("claim", bob), "No")
			s.letter("status", bob)
			s.stand("delete fields unconfirmed")
			s.silence(bob)
		})
	})
	t.Run("a no, and nothing is open", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.claim(bob, "well?", ask)
			q := s.letter("claim", bob)
			s.answer(q, "No, that was not me.")
			s.letter("not-you", bob)
			last(s, inbox.MailAnswered, "not they who asked")
			s.answer(q, "No, that was not me, I said.")
			s.letter("status", bob)
		})
	})
	t.Run("a token in the wrong hands tells nothing", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.claim(bob, "well?", ask)
			s.Reply(s.letter("claim", bob), "mallory@evil.test", "Yes", mailtest.Aligned(true))
			s.passes(time.Hour)
			s.silence(bob, "mallory@evil.test")
		})
	})
	t.Run("the cap is that of every claim", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			for range 3 {
				s.claim(bob, "well?", ask)
			}
			s.letter("claim", bob)
			s.letter("claim", bob)
			s.silence(bob)
			s.notice("a letter is held")
		})
	})
	t.Run("an aligned sender without an open request is told so", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.write(bob, "well?", ask)
			s.letter("status", bob)
			last(s, inbox.MailAnswered, "no request is open")
		})
	})
}

// A request that somebody has sent already joins the open one; the record says
// what is known of who asked again, and what came of the mail.
func TestAskedForAgain(t *testing.T) {
	const phone = "Please remove my phone number."
	again := func(s *scene, who string, state inbox.MailState) {
		s.t.Helper()
		m := s.newest()
		if m.State != state {
			s.t.Errorf("the mail is %s (%s), want %s", m.State, m.Reason, state)
		}
		if a := s.action("A-1"); !did(a, "asked for again in "+m.ID.String(), who) {
			s.t.Errorf("the history says %v, want that %s asked again", a.History, who)
		}
		s.stand("delete fields unconfirmed")
	}
	t.Run("without proof, of what a proved sender was asked", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.write(bob, "phone", phone)
			s.letter("confirm", bob)
			s.claim(bob, "phone", phone)
			again(s, "a sender without proof", inbox.MailIgnored)
			s.silence(bob)
		})
	})
	t.Run("by the person", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.write(bob, "phone", phone)
			s.letter("confirm", bob)
			s.write(bob, "phone", phone)
			again(s, "person", inbox.MailAsked)
			s.letter("confirm", bob)
			s.write(bob, "phone", phone)
			again(s, "person", inbox.MailAnswered)
			s.letter("status", bob)
		})
	})
	t.Run("without proof, twice", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.claim(bob, "phone", phone)
			s.letter("claim", bob)
			s.claim(bob, "phone", phone)
			again(s, "a sender without proof", inbox.MailAsked)
			s.letter("claim", bob)
			s.claim(bob, "phone", phone)
			again(s, "a sender without proof", inbox.MailIgnored)
			s.silence(bob)
		})
	})
}

// What a mail came to is said of what its sender was told.
func TestReasonOfAYesToAClaim(t *testing.T) {
	inScene(t, setup{}, func(s *scene) {
		s.claim("nobody@users.test", "bye", "Please delete my account.")
		s.answer(s.letter("claim", "nobody@users.test"), "Yes")
		s.letter("nothing-held", "nobody@users.test")
		if m := s.newest(); m.State != inbox.MailAnswered || m.Reason != "nothing is held under the address" {
			t.Errorf("the yes is %s (%s)", m.State, m.Reason)
		}
		if m := s.mails()[0]; m.State != inbox.MailAsked || m.Reason != "asked whether it was they who wrote" {
			t.Errorf("the request is %s (%s)", m.State, m.Reason)
		}
	})
}

func TestOrderAndOneReply(t *testing.T) {
	inScene(t, setup{}, func(s *scene) {
		s.write(bob, "many things", "Please remove my phone number. Change my nickname to Bo. Please deactivate my account.")
		q := s.letter("confirm", bob)
		s.answer(q, "Yes")
		s.stand("change done", "deactivate done", "delete fields done")
		s.letter("result", bob)
		s.silence(bob)
		var ran []time.Time
		for _, a := range s.actions() {
			ran = append(ran, s.history(a.ID.String(), "start"))
		}
		if !slices.IsSortedFunc(ran, func(a, b time.Time) int { return a.Compare(b) }) {
			t.Errorf("they ran at %v", ran)
		}
	})
}

// history gives when something was last noted about an Action.
func (s *scene) history(id, what string) (at time.Time) {
	for _, h := range s.action(id).History {
		if h.What == what {
			at = h.At
		}
	}
	return at
}

// What staff must see first holds back only what comes after it.
func TestReviewHoldsBackOnlyWhatComesAfter(t *testing.T) {
	inScene(t, setup{}, func(s *scene) {
		s.write(bob, "data", "Please send me a copy of my data. And I withdraw my consent to the processing of my data.")
		s.letter("result", bob)
		s.silence(bob)
		got := s.states()
		slices.Sort(got)
		if !slices.Equal(got, []string{"copy done", "withdraw review"}) {
			t.Fatalf("the actions stand at %q", got)
		}
	})
}

func TestDueDate(t *testing.T) {
	inScene(t, setup{}, func(s *scene) {
		s.write(bob, "phone", "Please remove my phone number.")
		a := s.actions()[0]
		if !a.Due.After(a.Received) {
			t.Errorf("received %v, due %v", a.Received, a.Due)
		}
		s.letter("confirm", bob)
		s.passes(48 * time.Hour)
		s.write(bob, "phone", "Please remove my phone number.")
		if again := s.actions()[0]; !again.Due.Equal(a.Due) {
			t.Error("asking again moved the date on which the law wants an answer")
		}
	})
}

func TestStaffCorrect(t *testing.T) {
	correct := func(id string, c review.Correction) control.Call {
		return control.Call{Verb: "correct", ID: id, Correction: c}
	}
	t.Run("the old token is void, the new diff is asked", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.write(bob, "nickname", "Please change my nickname to Bo.")
			old := s.letter("confirm", bob)
			s.acts(correct("A-1", review.Correction{Edits: []string{"nickname=Bobo"}}))
			fresh := s.letter("confirm", bob)
			if !strings.Contains(fresh.Text(), "Bobo") {
				t.Errorf("the new diff is not shown:\n%s", fresh.Text())
			}
			s.answer(old, "Yes")
			s.letter("status", bob)
			s.holds("u-bob", inbox.FieldNickname, "bobby")
			s.answer(fresh, "Yes")
			s.letter("result", bob)
			s.holds("u-bob", inbox.FieldNickname, "Bobo")
			if !did(s.action("A-1"), "correct", "tester") {
				t.Error("the history does not say who corrected it")
			}
		})
	})
	t.Run("a scheduled one must be confirmed anew", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.write(bob, "bye", "Please delete my account.")
			s.answer(s.letter("confirm", bob), "Yes")
			s.letter("scheduled", bob)
			s.acts(correct("A-1", review.Correction{Kind: "deactivate"}))
			s.letter("confirm", bob)
			s.passes(2 * coolOff)
			s.stand("deactivate unconfirmed")
			if p := s.person("u-bob"); !p.Active {
				t.Error("deactivated without a yes")
			}
		})
	})
	t.Run("one of two: one letter asks for both", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.write(bob, "two things", "Please change my nickname to Bo. And remove my phone number.")
			s.letter("confirm", bob)
			s.acts(correct("A-1", review.Correction{Edits: []string{"nickname=Bobo"}}))
			s.answer(s.letter("confirm", bob), "Yes")
			s.letter("result", bob)
			s.stand("change done", "delete fields done")
			s.holds("u-bob", inbox.FieldNickname, "Bobo")
			s.holds("u-bob", inbox.FieldPhone, "")
			s.silence(bob)
		})
	})
	t.Run("one that failed: its end is told", func(t *testing.T) {
		u := &unreliable{fail: func(inbox.Job, int) error { return errors.New("constraint violated") }}
		inScene(t, u.over(), func(s *scene) {
			s.write(bob, "nickname", "Please change my nickname to Bo.")
			s.answer(s.letter("confirm", bob), "Yes")
			s.letter("failed", bob)
			u.script(nil)
			s.acts(correct("A-1", review.Correction{Edits: []string{"nickname=Bobo"}}))
			s.answer(s.letter("confirm", bob), "Yes")
			s.letter("result", bob)
			s.holds("u-bob", inbox.FieldNickname, "Bobo")
		})
	})
	t.Run("a question", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.write(bob, "hm", "I do not like the name that others see beside my posts.")
			s.letter("received", bob)
			s.acts(correct("A-1", review.Correction{Kind: "delete", Edits: []string{"-nickname"}}))
			s.answer(s.letter("confirm", bob), "Yes")
			s.letter("result", bob)
			s.holds("u-bob", inbox.FieldNickname, "")
		})
	})
}

// What staff refuse or close of several points is off the table; the others
// can still be agreed to.
func TestStaffEndOneOfTwo(t *testing.T) {
	for _, verb := range []string{"refuse", "close"} {
		t.Run(verb, func(t *testing.T) {
			inScene(t, setup{}, func(s *scene) {
				s.write(bob, "two things", "Please change my nickname to Bo. And remove my phone number.")
				q := s.letter("confirm", bob)
				s.acts(control.Call{Verb: verb, ID: "A-1", Reason: "the name is taken"})
				if verb == "refuse" {
					s.letter("refused", bob)
				}
				s.answer(q, "Yes")
				s.letter("result", bob)
				s.holds("u-bob", inbox.FieldNickname, "bobby")
				s.holds("u-bob", inbox.FieldPhone, "")
				s.silence(bob)
			})
		})
	}
}

func TestStaffUndo(t *testing.T) {
	inScene(t, setup{}, func(s *scene) {
		s.write(bob, "nickname", "Please change my nickname to Bo.")
		s.answer(s.letter("confirm", bob), "Yes")
		s.letter("result", bob)
		s.act("undo", "A-1")
		q := s.letter("confirm", bob)
		s.holds("u-bob", inbox.FieldNickname, "Bo")
		s.answer(q, "Yes")
		s.letter("result", bob)
		s.holds("u-bob", inbox.FieldNickname, "bobby")

		s.write(bob, "pause", "Please deactivate my account.")
		s.answer(s.letter("confirm", bob), "Yes")
		s.letter("result", bob)
		if s.person("u-bob").Active {
			t.Fatal("still active")
		}
		s.act("undo", "A-3")
		for kind, want := range map[string]string{"reactivate": "A-000004", "deactivate": "A-000003 A-000004", "delete fields": ""} {
			var got []string
			for _, a := range list[review.ActionView](s.place, control.Call{Verb: "actions list", Kind: kind}) {
				got = append(got, a.ID.String())
			}
			if strings.Join(got, " ") != want {
				t.Errorf("of the kind %q are %q, want %q", kind, got, want)
			}
		}
		s.answer(s.letter("confirm", bob), "Yes")
		s.letter("result", bob)
		if !s.person("u-bob").Active {
			t.Error("not active again")
		}
		s.silence(bob)
	})
}

func TestStaffWords(t *testing.T) {
	inScene(t, setup{}, func(s *scene) {
		s.write(bob, "why", "Why was I charged twice?")
		s.letter("received", bob)
		s.acts(control.Call{Verb: "ask", ID: "A-1", Text: "Which card was it?"})
		if d := s.letter("staff-question", bob); !strings.Contains(d.Text(), "Which card") || d.Header("Auto-Submitted") != "" {
			t.Errorf("Auto-Submitted %q:\n%s", d.Header("Auto-Submitted"), d.Text())
		}
		s.stand("question review")
		s.acts(control.Call{Verb: "answer", ID: "A-1", Text: "We have paid it back."})
		s.letter("staff-answer", bob)
		s.stand("question done")
		s.write(bob, "why", "Why is the site so slow at night?")
		s.letter("received", bob)
		s.acts(control.Call{Verb: "close", ID: "A-2", Reason: "answered by telephone"})
		s.stand("question done", "question cancelled")
		for id, what := range map[string]string{"A-1": "answer", "A-2": "close"} {
			if !did(s.action(id), what, "tester") {
				t.Errorf("%s: the history does not say who did %q: %v", id, what, s.action(id).History)
			}
		}
		s.silence(bob)
	})
}

func TestApproveWithoutProof(t *testing.T) {
	inScene(t, setup{}, func(s *scene) {
		s.claim(bob, "hm", "I think my phone number should perhaps not be there, should it?")
		s.passes(time.Minute)
		s.silence(bob)
		s.acts(control.Call{Verb: "correct", ID: "A-1", Correction: review.Correction{Kind: "delete", Edits: []string{"-phone"}}})
		s.letter("claim", bob)
		s.holds("u-bob", inbox.FieldPhone, "+77011234502")
		if err := s.call(control.Call{Verb: "approve", ID: "A-1", Reason: "I know him"}); err == nil {
			t.Fatal("what waits for the person's yes was approved without proof")
		}

		s.write(kate, "bye", "I withdraw my consent to the processing of my data.")
		s.letter("received", kate)
		s.acts(control.Call{Verb: "approve", ID: "A-2", Reason: "she came to the office"})
		s.letter("result", kate)
		a := s.action("A-2")
		if a.State != inbox.StateDone || !did(a, "approved without proof", "tester") {
			t.Errorf("it is %s, its history %v", a.State, a.History)
		}
		if did(a, "accept", "person") {
			t.Error("the history says that the person accepted it")
		}
	})
}

// Approval without proof is also for what nobody has proved a thing about.
func TestApproveWithoutProofOfTheSender(t *testing.T) {
	inScene(t, setup{more: "[policy.delete_fields]\nreview = \"always\"\n"}, func(s *scene) {
		s.claim(bob, "phone", "Please remove my phone number.")
		s.stand("delete fields review")
		s.acts(control.Call{Verb: "approve", ID: "A-1", Reason: "he came to the office"})
		s.letter("result", bob)
		s.stand("delete fields done")
		s.holds("u-bob", inbox.FieldPhone, "")
		s.silence(bob, staff)
	})
}
