package daemon_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"push.guru/supportd/cmd/internal/daemon"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/control"
	"push.guru/supportd/inbox/mailtest"
	"push.guru/supportd/inbox/queue"
	"push.guru/supportd/inbox/review"
)

// mute is a user store whose answers get lost.
type mute struct {
	mu   sync.Mutex
	next queue.Performer

	acts   bool // it carries out what it does not answer
	silent int  // Jobs that it does not answer
	hangs  bool // it keeps the process waiting instead, until that ends
	only   inbox.Kind
	asked  []inbox.Job // Jobs that only asked
}

func (m *mute) Perform(ctx context.Context, job inbox.Job) (inbox.Outcome, error) {
	m.mu.Lock()
	silent := m.silent > 0 && (m.only == "" || m.only == job.Kind)
	acts, hangs := m.acts && !job.Ask, m.hangs
	if job.Ask {
		m.asked = append(m.asked, job)
	}
	if silent {
		m.silent--
	}
	m.mu.Unlock()
	if !silent {
		return m.next.Perform(ctx, job)
	}
	if acts {
		if _, err := m.next.Perform(ctx, job); err != nil {
			return inbox.Outcome{}, err
		}
	}
	if hangs {
		<-ctx.Done()
		return inbox.Outcome{}, ctx.Err()
	}
	return inbox.Outcome{}, inbox.Temporary(errors.New("connection reset"))
}

// loses lets the store lose its next answers.
func (m *mute) loses(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.silent = n
}

func (m *mute) answers() { m.loses(0); m.hangs = false }

// over gives the setup whose user store m stands in front of. Replies and tries
// come quickly after a start, so the mailbox is looked at often.
func (m *mute) over() setup {
	return setup{opt: daemon.Options{Perform: func(next queue.Performer) queue.Performer { m.next = next; return m }}}
}

// untilTried lets time pass until an Action was tried and waits to be tried
// again.
func (s *scene) untilTried(id string) {
	s.t.Helper()
	for range 24 * 60 {
		if a := s.action(id); a.Attempts > 0 && a.State == inbox.StateScheduled {
			return
		}
		s.passes(time.Minute)
	}
	s.t.Fatalf("%s was not tried; the actions stand at %q", id, s.states())
}

// forgotten tells whether the keys of an Action's person were dropped, as they
// are after the delete of the account.
func (s *scene) forgotten(id string) {
	s.t.Helper()
	s.passes(24 * time.Hour)
	if !s.action(id).Forgotten {
		s.t.Errorf("%s is done, and its key is still there", id)
	}
}

// Whoever wants ended what may have been carried out already is told the truth:
// done when the store had done it, cancelled when it had not.
func TestStopAfterALostAnswer(t *testing.T) {
	leave := func(s *scene, m *mute, acts bool) mailtest.Delivery {
		m.acts = acts
		d := s.leaving()
		m.loses(1 << 20)
		s.untilTried("A-1")
		m.loses(0)
		return d
	}
	t.Run("it was done", func(t *testing.T) {
		m := &mute{}
		inScene(t, m.over(), func(s *scene) {
			leave(s, m, true)
			s.write(bob, "please", "Stop!")
			d := s.letter("result", bob)
			if !strings.Contains(d.Text(), "We have deleted your account") || !strings.Contains(d.Text(), "already begun when your wish to stop") {
				t.Errorf("it says:\n%s", d.Text())
			}
			s.stand("delete account done")
			if len(m.asked) != 1 {
				t.Errorf("the store was asked %d times", len(m.asked))
			}
			s.forgotten("A-1")
			s.silence(bob, staff)
		})
	})
	t.Run("it was not done", func(t *testing.T) {
		m := &mute{}
		inScene(t, m.over(), func(s *scene) {
			d := leave(s, m, false)
			s.answer(d, "stop")
			s.letter("cancelled", bob)
			s.passes(2 * coolOff)
			s.stand("delete account cancelled")
			s.stays("u-bob")
			if !did(s.action("A-1"), "no", "person") {
				t.Errorf("the history is %v", s.action("A-1").History)
			}
			s.silence(bob, staff)
		})
	})
	for _, acts := range []bool{false, true} {
		t.Run(map[bool]string{false: "without proof, and it was not done", true: "without proof, and it was done"}[acts], func(t *testing.T) {
			m := &mute{}
			inScene(t, m.over(), func(s *scene) {
				leave(s, m, acts)
				s.claim(bob, "please", "stop")
				if acts {
					s.letter("result", bob)
					s.stand("delete account done")
					s.silence(bob, staff)
					return
				}
				q := s.letter("stop-check", bob)
				s.notice("asked to stop")
				s.passes(2 * coolOff)
				s.stand("delete account held")
				s.answer(q, "stop")
				s.letter("cancelled", bob)
				s.stays("u-bob")
				s.silence(bob, staff)
			})
		})
	}
	t.Run("effects are paused meanwhile", func(t *testing.T) {
		m := &mute{}
		inScene(t, m.over(), func(s *scene) {
			d := leave(s, m, false)
			s.acts(control.Call{Verb: "pause", Effects: true})
			s.answer(d, "stop")
			s.letter("cancelled", bob)
			s.stays("u-bob")
		})
	})
	for _, acts := range []bool{false, true} {
		t.Run(map[bool]string{false: "nobody knows for a day, and it was not done", true: "nobody knows for a day, and it was done"}[acts], func(t *testing.T) {
			m := &mute{}
			inScene(t, m.over(), func(s *scene) {
				d := leave(s, m, acts)
				m.loses(1 << 20)
				s.answer(d, "stop")
				if d := s.letter("status", bob); !strings.Contains(d.Text(), "as soon as we know whether it was done") {
					t.Errorf("it says:\n%s", d.Text())
				}
				s.answer(d, "stop!!")
				s.letter("status", bob)
				s.passes(20 * time.Hour)
				s.stand("delete account scheduled")
				s.silence(bob, staff)
				m.loses(0)
				s.passes(time.Hour)
				if acts {
					s.letter("result", bob)
					s.stand("delete account done")
					s.forgotten("A-1")
				} else {
					s.letter("cancelled", bob)
					s.stand("delete account cancelled")
					s.stays("u-bob")
				}
				s.silence(bob, staff)
			})
		})
	}
	t.Run("nobody knows for good: staff end it in the end", func(t *testing.T) {
		m := &mute{}
		inScene(t, m.over(), func(s *scene) {
			d := leave(s, m, false)
			m.loses(1 << 20)
			s.answer(d, "stop")
			s.letter("status", bob)
			s.passes(36 * time.Hour)
			s.stand("delete account failed")
			s.notice("an action failed")
			s.letter("failed", bob)
			said := list[control.Said](s.place, control.Call{Verb: "close", ID: "A-1", Reason: "the store is gone"})
			if len(said) != 1 || !strings.Contains(said[0].Said, "the user store is asked") {
				t.Errorf("staff read %q", said)
			}
			s.passes(36 * time.Hour)
			s.stand("delete account failed")
			s.acts(control.Call{Verb: "close", ID: "A-1", Reason: "the store is gone"})
			s.stand("delete account cancelled")
		})
	})
	t.Run("what comes after it is told with it", func(t *testing.T) {
		for _, acts := range []bool{false, true} {
			m := &mute{only: inbox.KindChange}
			inScene(t, m.over(), func(s *scene) {
				m.acts = acts
				s.write(bob, "two things", "Please change my nickname to Bo. And remove my phone number.")
				q := s.letter("confirm", bob)
				m.loses(1)
				s.answer(q, "Yes")
				s.answer(q, "No")
				want := map[bool]string{false: "cancelled", true: "result"}[acts]
				d := s.letter(want, bob)
				if !strings.Contains(d.Text(), "Removal of details (Phone number): cancelled") {
					t.Errorf("it says:\n%s", d.Text())
				}
				s.stand("change "+map[bool]string{false: "cancelled", true: "done"}[acts], "delete fields cancelled")
				s.holds("u-bob", inbox.FieldNickname, map[bool]string{false: "bobby", true: "Bo"}[acts])
				s.holds("u-bob", inbox.FieldPhone, "+77011234502")
				s.silence(bob, staff)
			})
		}
	})
}

// The process ended between the effect and the commit of its outcome. What
// waits in the mailbox is read before the Action goes on, and must not end it
// unseen.
func TestStopAfterACrash(t *testing.T) {
	for _, acts := range []bool{false, true} {
		crashed := func(s *scene, m *mute) {
			m.acts, m.hangs = acts, true
			d := s.leaving()
			m.loses(1)
			s.passes(coolOff)
			s.stand("delete account running")
			s.stop()
			m.answers()
			s.Reply(d, bob, "stop", mailtest.Aligned(false))
		}
		end := func(s *scene) {
			s.t.Helper()
			if acts {
				s.letter("result", bob)
				s.stand("delete account done")
			} else {
				s.letter("cancelled", bob)
				s.stand("delete account cancelled")
				s.stays("u-bob")
			}
			s.silence(bob, staff)
		}
		name := map[bool]string{false: "before the effect", true: "after the effect"}[acts]
		t.Run(name, func(t *testing.T) {
			m := &mute{}
			inScene(t, m.over(), func(s *scene) {
				crashed(s, m)
				s.reopen()
				s.start()
				s.passes(time.Hour)
				end(s)
				if acts {
					s.forgotten("A-1")
				}
			})
		})
		t.Run(name+", a single run", func(t *testing.T) {
			m := &mute{}
			inScene(t, m.over(), func(s *scene) {
				crashed(s, m)
				s.reopen()
				if err := s.d.Once(s.t.Context()); err != nil {
					t.Error(err)
				}
				end(s)
			})
		})
	}
}

// Staff who end or correct what may have been carried out do not end it unseen
// either.
func TestStaffEndAfterALostAnswer(t *testing.T) {
	for _, c := range []struct {
		call control.Call
		end  string // when it was not done
		tell string // the letter about that; "": none
	}{
		{control.Call{Verb: "refuse", Reason: "an order of yours is open"}, "refused", "refused"},
		{control.Call{Verb: "close", Reason: "told by telephone"}, "cancelled", ""},
	} {
		for _, state := range []string{"scheduled", "held", "failed"} {
			for _, acts := range []bool{false, true} {
				t.Run(c.call.Verb+" "+state+map[bool]string{false: ", not done", true: ", done"}[acts], func(t *testing.T) {
					m := &mute{acts: acts}
					inScene(t, m.over(), func(s *scene) {
						s.leaving()
						m.loses(1 << 20)
						s.untilTried("A-1")
						switch state {
						case "held":
							s.act("hold", "A-1")
						case "failed":
							s.passes(36 * time.Hour)
							s.letter("failed", bob)
							s.notice("an action failed")
							s.notice("an answer is due soon")
						}
						s.stand("delete account " + state)
						m.loses(0)
						correct := control.Call{Verb: "correct", ID: "A-1", Correction: review.Correction{Kind: "deactivate"}}
						if err := s.call(correct); err == nil || !strings.Contains(err.Error(), "may have been carried out") {
							t.Errorf("correcting it: %v", err)
						}
						c.call.ID = "A-1"
						s.acts(c.call)
						if acts {
							s.notice("carried out before it could be ended")
							d := s.letter("result", bob)
							if strings.Contains(d.Text(), "wish to stop") || strings.Contains(d.Text(), "order") {
								t.Errorf("it says:\n%s", d.Text())
							}
							s.stand("delete account done")
							s.forgotten("A-1")
						} else {
							if c.tell != "" {
								if d := s.letter(c.tell, bob); !strings.Contains(d.Text(), "an order of yours is open") {
									t.Errorf("it says:\n%s", d.Text())
								}
							}
							s.stand("delete account " + c.end)
							s.passes(2 * coolOff)
							s.stays("u-bob")
						}
						s.silence(bob, staff)
					})
				})
			}
		}
	}
}

// A failure that says that nothing was done leaves nothing in doubt: staff may
// correct it, and a no ends it at once.
func TestFailureThatLeavesNoDoubt(t *testing.T) {
	u := &unreliable{fail: func(inbox.Job, int) error { return errors.New("constraint violated") }}
	inScene(t, u.over(), func(s *scene) {
		s.write(bob, "nickname", "Please change my nickname to Bo.")
		q := s.letter("confirm", bob)
		s.answer(q, "Yes")
		s.letter("failed", bob)
		s.acts(control.Call{Verb: "correct", ID: "A-1", Correction: review.Correction{Edits: []string{"nickname=Bobo"}}})
		s.answer(s.letter("confirm", bob), "Yes")
		s.letter("failed", bob)
		n := len(u.jobs)
		s.answer(q, "No")
		s.letter("cancelled", bob)
		s.stand("change cancelled")
		if len(u.jobs) != n {
			t.Error("the store was asked about what it had refused")
		}
	})
}

// A stop that comes while the store is at work is not lost when that fails.
func TestStopWhileItRuns(t *testing.T) {
	m := &mute{}
	var gate chan struct{}
	set := m.over()
	over := set.opt.Perform
	set.opt.Perform = func(next queue.Performer) queue.Performer {
		over(next)
		return performerFunc(func(ctx context.Context, job inbox.Job) (inbox.Outcome, error) {
			if !job.Ask {
				<-gate
			}
			return m.Perform(ctx, job)
		})
	}
	inScene(t, set, func(s *scene) {
		gate = make(chan struct{})
		d := s.leaving()
		m.loses(1)
		s.passes(coolOff)
		s.stand("delete account running")
		s.answer(d, "stop")
		s.silence(bob)
		close(gate)
		s.passes(time.Minute)
		s.letter("cancelled", bob)
		s.stand("delete account cancelled")
		s.stays("u-bob")
		s.silence(bob, staff)
	})
}

// The person's address changes while it is not known whether something was
// done: what was done is told to the new one, the rest is proved anew there.
func TestAddressChangesAfterALostAnswer(t *testing.T) {
	for _, acts := range []bool{false, true} {
		t.Run(map[bool]string{false: "not done", true: "done"}[acts], func(t *testing.T) {
			m := &mute{acts: acts, only: inbox.KindDelete}
			inScene(t, m.over(), func(s *scene) {
				s.write(erin, "new email", "Hi, please change the email address of my account to erin@new.test.")
				s.answer(s.letter("confirm", erin), "Yes")
				q := s.letter("confirm-new-address", erinNew)
				s.letter("asked-new", erin)
				s.answer(q, "Yes")
				s.letter("address-notice", erin)
				s.passes(11 * time.Hour)
				m.loses(1 << 20)
				s.write(erin, "phone", "Please remove my phone number.")
				s.answer(s.letter("confirm", erin), "Yes")
				s.passes(90 * time.Minute)
				s.letter("address-changed", erin)
				s.letter("result", erinNew)
				s.stand("change done", "delete fields scheduled")
				m.loses(0)
				s.passes(2 * time.Hour)
				if acts {
					s.letter("result", erinNew)
					s.stand("change done", "delete fields done")
				} else {
					s.holds("u-erin", inbox.FieldPhone, "+353871234567")
					s.answer(s.letter("claim", erinNew), "Yes")
					s.answer(s.letter("confirm", erinNew), "Yes")
					s.letter("result", erinNew)
				}
				s.holds("u-erin", inbox.FieldPhone, "")
				s.silence(erin, erinNew, staff)
			})
		})
	}
}

// The delete of the account ends what else is open; of what may have been done
// before, the record says whether it was.
func TestAccountDeletedAfterALostAnswer(t *testing.T) {
	for _, acts := range []bool{false, true} {
		t.Run(map[bool]string{false: "not done", true: "done"}[acts], func(t *testing.T) {
			m := &mute{acts: acts, only: inbox.KindChange}
			inScene(t, m.over(), func(s *scene) {
				s.leaving()
				m.loses(1 << 20)
				s.passes(11 * time.Hour)
				s.write(bob, "nickname", "Please change my nickname to Bo.")
				s.answer(s.letter("confirm", bob), "Yes")
				s.passes(3 * time.Hour)
				s.letter("result", bob)
				s.stand("delete account done", "change scheduled")
				m.loses(0)
				s.passes(2 * time.Hour)
				s.stand("delete account done", "change "+map[bool]string{false: "cancelled", true: "done"}[acts])
				s.forgotten("A-1")
				s.forgotten("A-2")
				s.silence(bob, staff)
			})
		})
	}
}

// A restored state asks under the key of the attempt that its copy knows of.
func TestRestoreAfterALostAnswer(t *testing.T) {
	for _, stop := range []bool{false, true} {
		t.Run(map[bool]string{false: "resumed", true: "stopped, and resumed"}[stop], func(t *testing.T) {
			m := &mute{acts: true, hangs: true}
			inScene(t, m.over(), func(s *scene) {
				d := s.leaving()
				m.loses(1)
				s.passes(coolOff)
				s.stand("delete account running")
				saved := filepath.Join(s.t.TempDir(), "saved")
				s.acts(control.Call{Verb: "backup", Path: saved})
				s.stop()
				m.answers()
				if err := s.d.Close(); err != nil {
					t.Fatal(err)
				}
				for _, name := range []string{"state.db", "keys.db"} {
					b, err := os.ReadFile(filepath.Join(saved, name))
					if err == nil {
						err = os.WriteFile(filepath.Join(s.cfg.StateDir, name), b, 0o600)
					}
					if err != nil {
						t.Fatal(err)
					}
				}
				s.open()
				s.start()
				s.stand("delete account held")
				if stop {
					s.answer(d, "stop")
				}
				s.acts(control.Call{Verb: "resume"})
				s.passes(time.Hour)
				s.letter("result", bob)
				s.stand("delete account done")
				s.silence(bob, staff)
			})
		})
	}
}
