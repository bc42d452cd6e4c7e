package daemon_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"push.guru/supportd/inbox/mailtest"
)

// robot answers every letter that it gets.
type robot struct {
	name    string
	text    string
	headers func(mailtest.Delivery) []mailtest.MailOption // of its answers
	aligned bool
	pace    time.Duration // how long it takes to answer
	nobody  bool          // it has no account
}

const robotAddr = "bob@users.test"

// robots are all kinds of them: what they say, how they go on with a thread,
// whether somebody vouches for them, and how slow they are, so that no cap of a
// day is ever reached.
func robots() (all []robot) {
	const vacation = "I have left the company. My new email address is robot@elsewhere.test. Please delete my account."
	in := func(d mailtest.Delivery) []mailtest.MailOption { return []mailtest.MailOption{mailtest.InReplyTo(d)} }
	quoting := func(d mailtest.Delivery) []mailtest.MailOption {
		return []mailtest.MailOption{mailtest.InReplyTo(d), mailtest.Quote(d)}
	}
	tagged := func(mailtest.Delivery) []mailtest.MailOption { return nil }
	fresh := func(mailtest.Delivery) []mailtest.MailOption {
		return []mailtest.MailOption{mailtest.Header("Subject", "my account")}
	}
	for _, r := range []robot{
		{name: "answers in the thread", text: vacation, headers: in},
		{name: "begins a thread with our subject", text: vacation, headers: tagged},
		{name: "begins a thread each time", text: vacation, headers: fresh},
		{name: "quotes our mail", text: vacation, headers: quoting},
		{name: "thanks", text: "Thank you for your mail. We will get back to you.", headers: in},
		{name: "thanks in a new thread", text: "Thank you for your mail. We will get back to you.", headers: fresh},
		{name: "agrees to everything", text: "Yes", headers: in},
		{name: "agrees to everything in a new thread", text: "Yes", headers: tagged},
		{name: "asks where it stands", text: "What about my request?", headers: in},
		{name: "asks where it stands in a new thread", text: "What about my request?", headers: fresh},
		{name: "asks for its data in a new thread", text: copyPlease, headers: fresh},
		{name: "says no, and asks again", text: "No! Please send me a copy of my data.", headers: in},
		{name: "says no, and asks again in a new thread", text: "No! Please send me a copy of my data.", headers: tagged},
	} {
		for _, as := range []robot{
			{aligned: false, pace: time.Hour}, {aligned: false, pace: 13 * time.Hour, nobody: true},
			{aligned: true, pace: time.Hour}, {aligned: true, pace: 3 * time.Hour, nobody: true},
		} {
			r.aligned, r.pace, r.nobody = as.aligned, as.pace, as.nobody
			all = append(all, r)
		}
	}
	return all
}

// talks has us and a robot answer each other for a week, and gives what it got.
func (s *scene) talks(r robot) []mailtest.Delivery {
	s.takes(robotAddr, "my account", r.text, mailtest.Aligned(r.aligned))
	answered := 0
	for end := time.Now().Add(week); time.Now().Before(end); {
		s.passes(r.pace)
		all := s.lettersTo(robotAddr)
		for _, d := range all[answered:] {
			opts := slices.Concat([]mailtest.MailOption{mailtest.Aligned(r.aligned)}, r.headers(d))
			s.takes(robotAddr, "Re: "+d.Subject(), r.text, opts...)
		}
		answered = len(all)
	}
	return s.lettersTo(robotAddr)
}

// A robot that answers each of our mails for a week gets a bounded number of
// them, whatever it makes of the thread and whoever vouches for it.
func TestTwoRobots(t *testing.T) {
	for _, r := range robots() {
		t.Run(fmt.Sprintf("%s, aligned %t, every %s, nobody %t", r.name, r.aligned, r.pace, r.nobody), func(t *testing.T) {
			inScene(t, setup{nobody: r.nobody}, func(s *scene) {
				all := s.talks(r)
				threads := make(map[string]int)
				for _, d := range all {
					root, _, _ := strings.Cut(d.Header("References"), " ")
					threads[root]++
				}
				most := 0
				for _, n := range threads {
					most = max(most, n)
				}
				t.Logf("%d mails in a week, %d in a thread", len(all), most)
				if len(all) > 14 || most > 5 || len(all) == 0 && r.aligned {
					t.Errorf("%d mails in a week, %d in a thread", len(all), most)
				}
			})
		})
	}
}

// What is proved and what is not is capped apart, so that a stranger cannot use
// up what the owner is to get. So a robot that is vouched for every second time
// gets at most twice as many in a week.
func TestRobotThatIsVouchedForNowAndThen(t *testing.T) {
	for _, text := range []string{copyPlease, "Please delete my account.", "What about my request?"} {
		t.Run(text, func(t *testing.T) {
			inScene(t, setup{}, func(s *scene) {
				for i, end := 0, time.Now().Add(week); time.Now().Before(end); i++ {
					s.takes(robotAddr, "my account", text, mailtest.Aligned(i%2 == 0))
					s.passes(3 * time.Hour)
				}
				byName := map[string]int{}
				for _, d := range s.lettersTo(robotAddr) {
					byName[s.d.Letter(d.MessageID())]++
				}
				t.Logf("%v", byName)
				total, unproven := len(s.lettersTo(robotAddr)), byName["claim"]
				if total-unproven > 14 || unproven > 14 {
					t.Errorf("%d letters, %d of them to an address without proof", total, unproven)
				}
			})
		})
	}
}

// A week of mails in somebody's name leaves them their own letters.
func TestStrangersDoNotUseUpTheWeek(t *testing.T) {
	inScene(t, setup{}, func(s *scene) {
		for end := time.Now().Add(week); time.Now().Before(end); {
			s.claim(bob, "bye", deletePlease)
			s.claim(bob, "data", copyPlease)
			s.passes(6 * time.Hour)
		}
		n := len(s.lettersTo(bob))
		s.write(bob, "phone", phonePlease)
		all := s.lettersTo(bob)
		if len(all) != n+1 || s.d.Letter(all[n].MessageID()) != "confirm" {
			t.Errorf("he has got %d letters, and then %d", n, len(all))
		}
	})
}

// A robot that agrees and asks anew in one thread: answers to a yes and notices of
// a delete are never capped, but each needs a question that was, and those are.
func TestRobotThatAgreesAndAsksAnew(t *testing.T) {
	capped := map[string]bool{"claim": true, "confirm": true, "status": true, "received": true, "not-held": true}
	for _, text := range []string{"Yes. Please delete my account", "Yes. Please remove my phone number.", "No. Please delete my account."} {
		for _, alternates := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, now and then vouched for: %t", text, alternates), func(t *testing.T) {
				inScene(t, setup{}, func(s *scene) {
					s.takes(robotAddr, "my account", text, mailtest.Aligned(true))
					answered, k := 0, 0
					for end := time.Now().Add(week); time.Now().Before(end); {
						s.passes(2 * time.Hour)
						all := s.lettersTo(robotAddr)
						for _, d := range all[answered:] {
							k++
							s.takes(robotAddr, "Re: "+d.Subject(), text, mailtest.Aligned(!alternates || k%2 == 0), mailtest.InReplyTo(d))
						}
						answered = len(all)
					}
					byName, questions := map[string]int{}, 0
					for _, d := range s.lettersTo(robotAddr) {
						name := s.d.Letter(d.MessageID())
						byName[name]++
						if capped[name] {
							questions++
						}
					}
					t.Logf("%v", byName)
					if rest := len(s.lettersTo(robotAddr)) - questions; questions > 5 || rest > questions {
						t.Errorf("%d that are capped, %d that answer a yes or no or tell of a delete: %v", questions, rest, byName)
					}
				})
			})
		}
	}
}
