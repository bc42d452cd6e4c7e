package daemon_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/mailtest"
)

// asksForMore has bob, who is leaving, ask for two other things that wait: one
// for his yes, one for staff.
func (s *scene) asksForMore() {
	s.t.Helper()
	s.write(bob, "nick", "Please change my nickname to Bo.")
	s.letter("confirm", bob)
	s.write(bob, "consent", "I withdraw my consent to the processing of my data.")
	s.letter("received", bob)
	s.leaving()
}

// letters takes letters to an address that leave together, in any order.
func (s *scene) letters(to string, names ...string) {
	s.t.Helper()
	all := s.lettersTo(to)[s.read[to]:]
	var got []string
	for _, d := range all[:min(len(all), len(names))] {
		got = append(got, s.d.Letter(d.MessageID()))
	}
	s.read[to] += len(got)
	slices.Sort(got)
	slices.Sort(names)
	if !slices.Equal(got, names) {
		s.t.Fatalf("%s has got %q, want %q; actions: %q", to, got, names, s.states())
	}
}

// A plain stop cancels the delete, whatever stands beside it, and nothing else;
// the rest of the mail goes on.
func TestStopBesideOtherThings(t *testing.T) {
	for _, c := range []struct {
		subject, text string
		beside        string // what becomes of the rest; "": there is none
		asks          string // the letter about it; "": staff see it, and one letter is enough
	}{
		{"my account", "Please do not delete my account. Instead just remove my phone number.", "delete fields unconfirmed", "confirm"},
		{"my account", "Please don't delete my account after all. My June invoice is wrong, it says 300 euros in place of 30.", "question review", ""},
		{"my account", "Please don't delete my account. Could you tell me how I change my photo?", "question review", ""},
		{"my account", "Please cancel the deletion of my account and change my nickname to Bobby.", "question review", ""},
		{"my account", "I changed my mind, please keep my account. My last invoice is missing, please send it to me.", "question review", ""},
		{"my account", "Stop! My June invoice is wrong, it says 300 euros in place of 30.", "question review", ""},
		{"Please do not delete my account", "Bob Fisher", "", ""},
		{"STOP", "Sent from my iPhone", "", ""},
		{"Stop the deletion of my account", "", "", ""},
		{"мой аккаунт", "Не удаляйте, пожалуйста, мой аккаунт. Вместо этого удалите мой телефон.", "delete fields unconfirmed", "confirm"},
		{"мой аккаунт", "Не удаляйте мой аккаунт. В счёте за июнь ошибка: 300 вместо 30.", "question review", ""},
		{"мой аккаунт", "Не удаляйте мой аккаунт. Как мне сменить фото?", "question review", ""},
		{"мой аккаунт", "Отмените удаление аккаунта и поменяйте ник на Bobby.", "question review", ""},
		{"Не удаляйте мой аккаунт", "Боб", "", ""},
		{"СТОП", "", "", ""},
		{"аккаунт", "Аккаунтымды жоймаңыз. Оның орнына телефон нөмірімді өшіріңіз.", "delete fields unconfirmed", "confirm"},
		{"аккаунт", "Аккаунтымды жоймаңыз. Маусым айының шотында қате бар, 30 орнына 300 деп тұр.", "question review", ""},
		{"аккаунт", "Аккаунтымды жоймаңыз. Суретімді қалай ауыстырамын?", "question review", ""},
		{"Аккаунтымды жоймаңыз", "Боб", "", ""},
		{"ТОҚТАТЫҢЫЗ", "", "", ""},
	} {
		t.Run(c.subject+"/"+c.text, func(t *testing.T) {
			inScene(t, setup{}, func(s *scene) {
				s.asksForMore()
				s.write(bob, c.subject, c.text)
				letters := []string{"cancelled"}
				if c.asks != "" {
					letters = append(letters, c.asks)
				}
				s.letters(bob, letters...)
				want := []string{"change unconfirmed", "withdraw review", "delete account cancelled"}
				if c.beside != "" {
					want = append(want, c.beside)
				}
				s.stand(want...)
				s.silence(bob)
				if got := s.action("A-3"); !did(got, "no", "person") {
					t.Errorf("its history is %v", got.History)
				}
			})
		})
	}
}

// What is no stop, or one of something else, leaves the delete alone.
func TestStopOfSomethingElse(t *testing.T) {
	for name, texts := range map[string][]string{
		"en": {"Don't forget to delete my account.", "Please do not delay.", "No answer from you yet.", "No, I am not changing my mind.",
			"Please stop sending me newsletters.", "Don't keep any backups of my data please.", "Please don't tell anybody that I left.",
			"No need to wait 12 hours.", "You still did not delete my account."},
		"ru": {"Не забудьте удалить мой аккаунт.", "Не затягивайте, пожалуйста.", "Ответа от вас до сих пор нет.", "Нет, я не передумал.",
			"Перестаньте присылать мне рассылку.", "Не храните копии моих данных, пожалуйста.", "Не говорите никому, что я ушёл.", "Не нужно ждать 12 часов."},
		"kk": {"Аккаунтымды жоюды ұмытпаңыз.", "Кешіктірмеңізші.", "Сізден жауап жоқ.", "Жоқ, ойымды өзгертпеймін.",
			"Жаңалықтар жіберуді тоқтатыңызшы.", "Деректерімнің көшірмесін сақтамаңыз.", "Кеткенімді ешкімге айтпаңыз.", "12 сағат күтудің қажеті жоқ."},
	} {
		t.Run(name, func(t *testing.T) {
			inScene(t, setup{}, func(s *scene) {
				s.leaving()
				for _, text := range texts {
					s.write(bob, "my account", text)
					if got := s.states()[0]; got != "delete account scheduled" {
						t.Fatalf("%s: it is %q", text, got)
					}
					if m := s.newest(); m.State == inbox.MailIgnored || len(m.Actions) == 0 {
						t.Errorf("%s: the mail is %s (%s), with %v", text, m.State, m.Reason, m.Actions)
					}
				}
				s.passes(coolOff)
				if !s.gone("u-bob") {
					t.Error("it was not done")
				}
			})
		})
	}
}

// Words that may mean a stop hold the delete, and the owner is asked; staff see
// the words.
func TestStopThatIsNotPlain(t *testing.T) {
	for _, text := range []string{
		"Can I still stop this?", "Wait, I am not sure any more.", "Please do not delete my account yet.", "How do I keep my account?",
		"Можно ещё отменить удаление?", "Подождите!", "Не удаляйте пока мой аккаунт.",
		"Күте тұрыңыз", "Аккаунтымды қалай сақтап қаламын?",
	} {
		t.Run(text, func(t *testing.T) {
			inScene(t, setup{}, func(s *scene) {
				s.leaving()
				s.write(bob, "my account", text)
				q := s.letter("stop-check", bob)
				s.notice("may ask to stop")
				s.stand("delete account held", "question review")
				if a := s.action("A-1"); !strings.Contains(a.Error, "may be asked to stop") || !did(a, "doubtful", "person") {
					t.Errorf("staff see %q, %v", a.Error, a.History)
				}
				s.silence(bob)
				s.answer(q, "Yes")
				s.letter("status", bob)
				s.stand("delete account scheduled", "question review")
			})
		})
	}
	t.Run("for as long as it takes", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.leaving()
			s.write(bob, "my account", "Can I still stop this?")
			q := s.letter("stop-check", bob)
			s.passes(2 * coolOff)
			s.stays("u-bob")
			s.answer(q, "Yes")
			s.letter("status", bob)
			s.passes(coolOff)
			s.letter("result", bob)
			s.stand("delete account done", "question cancelled")
		})
	})
	t.Run("again, after the owner said to go on", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.leaving()
			s.claim(bob, "please", "stop")
			s.answer(s.letter("stop-check", bob), "Yes")
			s.letter("status", bob)
			s.write(bob, "hm", "Wait, I am not sure any more.")
			s.answer(s.letter("stop-check", bob), "No")
			s.letter("cancelled", bob)
			s.stand("delete account cancelled", "question review")
		})
	})
	t.Run("and then a plain one", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.leaving()
			s.write(bob, "hm", "Can I still stop this?")
			s.letter("stop-check", bob)
			s.write(bob, "well", "Please keep my account.")
			s.letter("cancelled", bob)
			s.stand("delete account cancelled", "question review")
			s.silence(bob)
		})
	})
}

// A stop counts whichever letter of ours it answers.
func TestStopToAnyLetter(t *testing.T) {
	letters := []struct {
		name  string
		texts []string
		old   func(s *scene) mailtest.Delivery
	}{
		{"a confirmation that was answered", []string{"Stop, do not delete my account!", "Stop!", "Стоп, не удаляйте мой аккаунт!", "Тоқтатыңыз, аккаунтымды жоймаңыз!"}, func(s *scene) mailtest.Delivery {
			s.write(bob, "nick", "Please change my nickname to Bo.")
			q := s.letter("confirm", bob)
			s.answer(q, "Yes")
			s.letter("result", bob)
			return q
		}},
		{"a result", []string{"Stop, do not delete my account!"}, func(s *scene) mailtest.Delivery {
			s.write(bob, "nick", "Please change my nickname to Bo.")
			s.answer(s.letter("confirm", bob), "Yes")
			return s.letter("result", bob)
		}},
	}
	for _, l := range letters {
		for _, text := range l.texts {
			t.Run(l.name+"/"+text, func(t *testing.T) {
				inScene(t, setup{}, func(s *scene) {
					old := l.old(s)
					s.leaving()
					s.answer(old, text)
					s.letter("cancelled", bob)
					s.stand("change done", "delete account cancelled")
					s.silence(bob)
				})
			})
		}
		t.Run(l.name+"/not a plain one", func(t *testing.T) {
			inScene(t, setup{}, func(s *scene) {
				old := l.old(s)
				s.leaving()
				s.answer(old, "Can I still keep my account?")
				s.letter("stop-check", bob)
				s.stand("change done", "delete account held", "question review")
			})
		})
	}
	t.Run("a no to one thing names the other", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.write(bob, "nick", "Please change my nickname to Bo.")
			q := s.letter("confirm", bob)
			s.leaving()
			s.answer(q, "No! And please do not delete my account.")
			s.letter("cancelled", bob)
			s.letter("cancelled", bob)
			s.stand("change cancelled", "delete account cancelled")
		})
	})
	t.Run("a no to one thing leaves the other alone", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.write(bob, "nick", "Please change my nickname to Bo.")
			q := s.letter("confirm", bob)
			s.leaving()
			s.answer(q, "No, stop!")
			s.letter("cancelled", bob)
			s.stand("change cancelled", "delete account scheduled")
			s.silence(bob)
		})
	})
	for _, text := range []string{"Please cancel that last command.", "Не нужно ждать 12 часов.", "12 сағат күтудің қажеті жоқ."} {
		t.Run("the notice of the delete/"+text, func(t *testing.T) {
			inScene(t, setup{}, func(s *scene) {
				s.answer(s.leaving(), text)
				s.letter("stop-check", bob)
				s.stand("delete account held", "question review")
			})
		})
	}
	t.Run("the notice of the delete, with thanks", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.answer(s.leaving(), "No need to wait 12 hours, thank you.")
			s.letter("received", bob)
			s.stand("delete account scheduled", "question review")
		})
	})
}

// The delete is what such words are about: a change of the address that waits,
// too, goes on.
func TestStopNamesTheDelete(t *testing.T) {
	moving := func(s *scene) {
		s.write(erin, "new email", "Hi, please change the email address of my account to erin@new.test.")
		s.answer(s.letter("confirm", erin), "Yes")
		q := s.letter("confirm-new-address", erinNew)
		s.letter("asked-new", erin)
		s.write(erin, "bye", deletePlease)
		s.answer(s.letter("confirm", erin), "Yes")
		s.letter("scheduled", erin)
		s.answer(q, "Yes")
		s.letter("address-notice", erin)
		s.stand("change scheduled", "delete account scheduled")
	}
	t.Run("by name", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			moving(s)
			s.write(erin, "my account", "Please do not delete my account.")
			s.letter("cancelled", erin)
			s.stand("change scheduled", "delete account cancelled")
			s.silence(erin)
		})
	})
	t.Run("all of it", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			moving(s)
			s.write(erin, "my account", "Stop!")
			s.letter("cancelled", erin)
			s.letter("cancelled", erin)
			s.stand("change cancelled", "delete account cancelled")
		})
	})
}

// Who holds what: the owner's word ends the hold that a doubtful stop brought,
// and no other.
func TestStopCheckAndTheHoldOfStaff(t *testing.T) {
	for _, c := range []struct {
		name string
		acts []string
	}{
		{"released, and held anew", []string{"release", "hold"}},
		{"held over it", []string{"hold"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inScene(t, setup{}, func(s *scene) {
				s.leaving()
				s.claim(bob, "please", "stop")
				q := s.letter("stop-check", bob)
				for _, verb := range c.acts {
					s.act(verb, "A-1")
				}
				s.answer(q, "Yes")
				s.letter("status", bob)
				s.stand("delete account held")
				s.passes(2 * coolOff)
				s.stays("u-bob")
				s.act("release", "A-1")
				s.passes(coolOff)
				s.letter("result", bob)
				s.stand("delete account done")
			})
		})
	}
	t.Run("a no counts all the same", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.leaving()
			s.claim(bob, "please", "stop")
			q := s.letter("stop-check", bob)
			s.act("hold", "A-1")
			s.answer(q, "No")
			s.letter("cancelled", bob)
			s.stand("delete account cancelled")
		})
	})
}

// spam puts a mail into the junk folder. Nobody vouches for it but a signature,
// if it is to have one.
func (s *scene) spam(subject, text, extra string) {
	s.t.Helper()
	imap(s.place, support, func(c *client) {
		c.append("Spam", "From: bob@users.test\r\nTo: support@site.test\r\nDate: Sat, 01 Jan 2000 00:00:00 +0000\r\nMessage-ID: <"+
			strings.ReplaceAll(time.Now().Format(time.TimeOnly), ":", "")+"@spam.test>\r\n"+extra+"Subject: "+subject+"\r\n\r\n"+text+"\r\n")
	})
}

// inSpamScene is inScene with a junk folder.
func inSpamScene(t *testing.T, set setup, f func(*scene)) {
	t.Helper()
	set.replace = append(set.replace, `poll = "1m"`, "poll = \"1m\"\njunk = \"Spam\"")
	inPlace(t, set, func(p *place) {
		imap(p, support, func(c *client) { c.must("CREATE Spam") })
		p.start()
		s := &scene{place: p, read: make(map[string]int)}
		s.passes(6 * time.Minute)
		f(s)
	})
}

const badSignature = "DKIM-Signature: v=1; a=rsa-sha256; d=users.test; s=s; h=from:to:subject:date; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA\r\n"

// The junk folder is read and never answered, also while DNS is away; a proved
// stop that is found there holds what it would stop.
func TestStopInTheJunkFolder(t *testing.T) {
	t.Run("with the token", func(t *testing.T) {
		for _, text := range []string{"Stop!", "Please keep my account.", "Не удаляйте мой аккаунт", "Жоймаңыз"} {
			inSpamScene(t, setup{}, func(s *scene) {
				d := s.leaving()
				s.spam("Re: "+d.Subject(), text, "")
				s.passes(30 * time.Minute)
				s.stand("delete account held", "question review")
				s.notice("found in the junk folder")
				if a := s.action("A-1"); !strings.Contains(a.Error, "junk") {
					t.Errorf("staff see %q", a.Error)
				}
				s.passes(2 * coolOff)
				s.stays("u-bob")
				s.silence(bob)
				s.act("release", "A-1")
				s.passes(coolOff)
				s.letter("result", bob)
			})
		}
	})
	t.Run("from nobody who is proved", func(t *testing.T) {
		inSpamScene(t, setup{}, func(s *scene) {
			s.leaving()
			s.spam("please", "Stop!", "")
			s.passes(30 * time.Minute)
			s.stand("delete account scheduled", "question review")
			s.silence(bob, staff)
		})
	})
	t.Run("a signature, and DNS is away", func(t *testing.T) {
		d, set := zone(t)
		inSpamScene(t, set, func(s *scene) {
			s.leaving()
			d.Fail(usersKey, mailtest.ErrServFail)
			s.spam("please", "Stop!", badSignature)
			s.passes(30 * time.Minute)
			s.stand("delete account scheduled")
			s.silence(bob, staff)
			d.Fail(usersKey, nil)
			s.passes(time.Hour)
			s.stand("delete account scheduled", "question review") // the signature is none
			s.silence(bob, staff)
		})
	})
	t.Run("a yes, and DNS is away", func(t *testing.T) {
		d, set := zone(t)
		inSpamScene(t, set, func(s *scene) {
			s.write(bob, "phone", "Please remove my phone number.")
			q := s.letter("confirm", bob)
			d.Fail(usersKey, mailtest.ErrServFail)
			s.spam("Re: "+q.Subject(), "Yes", badSignature)
			s.passes(30 * time.Minute)
			s.stand("delete fields unconfirmed", "question review")
			s.holds("u-bob", inbox.FieldPhone, "+77011234502")
			s.silence(bob)
		})
	})
}

// While DNS is away words that stop hold the delete in any form, and what they
// come to is decided when it is back.
func TestStopInWordsWhileDNSIsAway(t *testing.T) {
	d, set := zone(t)
	inScene(t, set, func(s *scene) {
		s.leaving()
		d.Fail(usersKey, mailtest.ErrServFail)
		s.sign(bob, "users.test", "my account", "Please don't delete my account. Could you tell me how I change my photo?")
		s.letter("stop-check", bob)
		s.notice("asked to stop")
		s.stand("delete account held")
		s.passes(2 * coolOff)
		s.stand("delete account held")
		d.Fail(usersKey, nil)
		s.passes(time.Hour)
		s.letter("cancelled", bob)
		s.stand("delete account cancelled", "question review")
		s.silence(bob, staff)
	})
}

// In observe nothing is moved: staff see the words.
func TestStopInObserve(t *testing.T) {
	inScene(t, setup{more: "[policy]\nmode = \"observe\"\n"}, func(s *scene) {
		s.write(bob, "my account", "Please don't delete my account.")
		if got := s.states(); !slices.Equal(got, []string{"question review"}) {
			t.Errorf("the actions stand at %q", got)
		}
	})
}

// A stop in words finds also what may have been carried out already: the user
// store is asked, and the person is told the truth.
func TestStopInWordsAfterALostAnswer(t *testing.T) {
	for _, c := range []struct {
		text, letter, end string
		acts              bool
	}{
		{"Please keep my account. My June invoice is wrong, it says 300 euros.", "result", "done", true},
		{"Please keep my account. My June invoice is wrong, it says 300 euros.", "cancelled", "cancelled", false},
		{"Can I still keep my account?", "result", "done", true},
		{"Can I still keep my account?", "stop-check", "held", false},
	} {
		t.Run(c.text+" "+c.end, func(t *testing.T) {
			m := &mute{acts: c.acts}
			inScene(t, m.over(), func(s *scene) {
				s.leaving()
				m.loses(1 << 20)
				s.untilTried("A-1")
				m.loses(0)
				s.write(bob, "please", c.text)
				s.passes(time.Minute)
				s.letter(c.letter, bob)
				if got := s.states()[0]; got != "delete account "+c.end {
					t.Errorf("it is %q", got)
				}
			})
		})
	}
}

// A yes, or a pick of some points, to one thing does not swallow the word
// against another that waits.
func TestStopBesideAnAnswer(t *testing.T) {
	for _, c := range []struct{ text, stands string }{
		{"Yes. But please do not delete my account!", "cancelled"},
		{"Yes, change the nickname. Please do not delete my account.", "cancelled"},
		{"Yes. Stop the deletion of my account.", "cancelled"},
		{"Only number 1. And please do not delete my account!", "cancelled"},
		{"Да. Но не удаляйте мой аккаунт!", "cancelled"},
		{"Yes. Can I still keep my account?", "held"},
		{"Yes", "scheduled"},
		{"Yes, please do it, thank you.", "scheduled"},
	} {
		t.Run(c.text, func(t *testing.T) {
			inScene(t, setup{}, func(s *scene) {
				s.write(bob, "nick", "Please change my nickname to Bo and my phone to +7 701 555 30 40.")
				q := s.letter("confirm", bob)
				s.leaving()
				s.answer(q, c.text)
				for _, got := range s.states() {
					if strings.HasPrefix(got, "delete account ") && got != "delete account "+c.stands {
						t.Errorf("it stands at %q: %q; the mail is %s (%s)", got, s.states(), s.newest().State, s.newest().Reason)
					}
				}
			})
		})
	}
}
