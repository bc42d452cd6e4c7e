package daemon_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"push.guru/supportd/cmd/internal/daemon"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/control"
	"push.guru/supportd/inbox/mailtest"
	"push.guru/supportd/inbox/queue"
)

// unreliable performs Jobs unless its script has a failure for them.
type unreliable struct {
	queue.Performer
	mu   sync.Mutex
	fail func(job inbox.Job, n int) error // n counts the Jobs of a kind, from 1
	jobs []inbox.Job
}

func (u *unreliable) Perform(ctx context.Context, job inbox.Job) (inbox.Outcome, error) {
	u.mu.Lock()
	u.jobs = append(u.jobs, job)
	n := len(u.keys(job.Kind))
	fail := u.fail
	u.mu.Unlock()
	if fail != nil {
		if err := fail(job, n); err != nil {
			return inbox.Outcome{}, err
		}
	}
	return u.Performer.Perform(ctx, job)
}

// keys gives the effect keys of the Jobs of a kind, in order.
func (u *unreliable) keys(k inbox.Kind) []string {
	var out []string
	for _, j := range u.jobs {
		if j.Kind == k {
			out = append(out, j.EffectKey)
		}
	}
	return out
}

func (u *unreliable) script(f func(job inbox.Job, n int) error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.fail = f
}

// over gives the setup whose user store u stands in front of.
func (u *unreliable) over() setup {
	return setup{opt: daemon.Options{Perform: func(next queue.Performer) queue.Performer { u.Performer = next; return u }}}
}

func TestTemporaryStoreFailure(t *testing.T) {
	u := &unreliable{fail: func(_ inbox.Job, n int) error {
		if n <= 3 {
			return inbox.Temporary(errors.New("the database is restarting"))
		}
		return nil
	}}
	inScene(t, u.over(), func(s *scene) {
		s.write(bob, "phone", "Please remove my phone number.")
		s.answer(s.letter("confirm", bob), "Yes")
		s.stand("delete fields scheduled")
		if a := s.action("A-1"); !strings.Contains(a.Error, "restarting") || a.Attempts != 1 {
			t.Errorf("staff see %q after %d attempts", a.Error, a.Attempts)
		}
		s.passes(10 * time.Minute)
		s.letter("result", bob)
		s.holds("u-bob", inbox.FieldPhone, "")
		keys := u.keys(inbox.KindDelete)
		if len(keys) != 4 || len(slices.Compact(slices.Clone(keys))) != 1 {
			t.Errorf("the effect keys were %q", keys)
		}
		s.silence(bob, staff)
	})
}

// The store did it, and could not say so: the effect key answers the second time.
func TestEffectWithoutAnAnswer(t *testing.T) {
	u := &unreliable{}
	lost := false
	set := setup{opt: daemon.Options{Perform: func(next queue.Performer) queue.Performer {
		u.Performer = performerFunc(func(ctx context.Context, job inbox.Job) (inbox.Outcome, error) {
			out, err := next.Perform(ctx, job)
			if err == nil && !lost {
				lost = true
				return inbox.Outcome{}, inbox.Temporary(errors.New("connection reset"))
			}
			return out, err
		})
		return u
	}}}
	inScene(t, set, func(s *scene) {
		const olga = "olga@users.test"
		s.write(olga, "profile", "Hello, please add to my \"about me\": I also build boats.")
		s.answer(s.letter("confirm", olga), "Yes")
		s.passes(time.Minute)
		s.letter("result", olga)
		about := s.person("u-olga").Fields[inbox.FieldAbout]
		if n := strings.Count(about, "boats"); n != 1 || len(u.jobs) != 2 {
			t.Errorf("%d jobs made it %d times: %q", len(u.jobs), n, about)
		}
		s.silence(olga, staff)
	})
}

type performerFunc func(context.Context, inbox.Job) (inbox.Outcome, error)

func (f performerFunc) Perform(ctx context.Context, job inbox.Job) (inbox.Outcome, error) {
	return f(ctx, job)
}

func TestTemporaryFailureForDaysIsAFailure(t *testing.T) {
	u := &unreliable{fail: func(inbox.Job, int) error { return inbox.Temporary(errors.New("the database is gone")) }}
	inScene(t, u.over(), func(s *scene) {
		s.write(bob, "phone", "Please remove my phone number.")
		s.answer(s.letter("confirm", bob), "Yes")
		s.passes(36 * time.Hour)
		s.notice("an action failed")
		s.letter("failed", bob)
		s.stand("delete fields failed")
		s.silence(bob, staff)
	})
}

func TestFailureHoldsTheRest(t *testing.T) {
	u := &unreliable{fail: func(job inbox.Job, _ int) error {
		if job.Kind == inbox.KindChange {
			return errors.New("constraint violated")
		}
		return nil
	}}
	inScene(t, u.over(), func(s *scene) {
		s.write(bob, "two things", "Please change my nickname to Bo. And remove my phone number.")
		s.answer(s.letter("confirm", bob), "Yes")
		s.letter("failed", bob)
		s.notice("an action failed")
		s.stand("change failed", "delete fields held")
		s.passes(24 * time.Hour)
		s.holds("u-bob", inbox.FieldPhone, "+77011234502")
		s.silence(bob, staff)

		u.script(nil)
		s.act("retry", "A-1")
		s.passes(time.Minute)
		s.letter("result", bob)
		s.stand("change done", "delete fields done")
		s.holds("u-bob", inbox.FieldNickname, "Bo")
		s.holds("u-bob", inbox.FieldPhone, "")
		if keys := u.keys(inbox.KindChange); len(keys) != 2 || keys[0] != keys[1] {
			t.Errorf("the effect keys were %q", keys)
		}
		for id, what := range map[string]string{"A-1": "retry", "A-2": "release"} {
			if !did(s.action(id), what, "tester") {
				t.Errorf("%s: the history does not say who did %q", id, what)
			}
		}
		s.silence(bob, staff)
	})
}

// elsewhere changes a value behind our back, just before the Job runs.
func (u *unreliable) elsewhere(t *testing.T, s *scene, values ...string) {
	u.script(func(job inbox.Job, n int) error {
		if job.Kind != inbox.KindChange || n > len(values) {
			return nil
		}
		if err := s.d.ImportPeople(t.Context(), `{"id": "u-bob", "email": "bob@users.test", "nickname": "`+values[n-1]+`"}`); err != nil {
			t.Error(err)
		}
		return nil
	})
}

func TestStaleData(t *testing.T) {
	t.Run("once: asked again", func(t *testing.T) {
		u := &unreliable{}
		inScene(t, u.over(), func(s *scene) {
			u.elsewhere(t, s, "robert")
			s.write(bob, "nickname", "Please change my nickname to Bo.")
			s.answer(s.letter("confirm", bob), "Yes")
			q := s.letter("stale-ask", bob)
			if !strings.Contains(q.Text(), "robert") {
				t.Errorf("it does not show the value of now:\n%s", q.Text())
			}
			s.holds("u-bob", inbox.FieldNickname, "robert")
			s.answer(q, "Yes")
			s.letter("result", bob)
			s.holds("u-bob", inbox.FieldNickname, "Bo")
			s.silence(bob, staff)
		})
	})
	t.Run("twice: staff", func(t *testing.T) {
		u := &unreliable{}
		inScene(t, u.over(), func(s *scene) {
			u.elsewhere(t, s, "robert", "rob")
			s.write(bob, "nickname", "Please change my nickname to Bo.")
			s.answer(s.letter("confirm", bob), "Yes")
			s.answer(s.letter("stale-ask", bob), "Yes")
			s.stand("change review")
			s.holds("u-bob", inbox.FieldNickname, "rob")
			s.silence(bob)
			s.act("approve", "A-1")
			s.answer(s.letter("confirm", bob), "Yes")
			s.letter("result", bob)
			s.holds("u-bob", inbox.FieldNickname, "Bo")
		})
	})
}

func TestBrake(t *testing.T) {
	brake := setup{replace: []string{"effects_per_hour = 100", "effects_per_hour = 2"}}
	remove := func(s *scene, who string) {
		s.write(who, "phone", "Please remove my phone number.")
		s.answer(s.letter("confirm", who), "Yes")
	}
	t.Run("staff look at what is above it", func(t *testing.T) {
		inScene(t, brake, func(s *scene) {
			remove(s, alice)
			remove(s, bob)
			remove(s, kate)
			s.letter("result", alice)
			s.letter("result", bob)
			s.stand("delete fields done", "delete fields done", "delete fields review")
			s.notice("stopped for review")
			if a := s.action("A-3"); !strings.Contains(a.Error, "effects_per_hour") {
				t.Errorf("staff see %q", a.Error)
			}
			s.silence(kate)
			s.act("approve", "A-3")
			s.letter("result", kate)
			s.holds("u-kate", inbox.FieldPhone, "")
			s.passes(2 * time.Hour)
			remove(s, erin)
			s.letter("result", erin)
			s.silence(staff)
		})
	})
	t.Run("one that is tried again counts once", func(t *testing.T) {
		u := &unreliable{fail: func(_ inbox.Job, n int) error {
			if n == 2 {
				return inbox.Temporary(errors.New("busy"))
			}
			return nil
		}}
		set := u.over()
		set.replace = brake.replace
		inScene(t, set, func(s *scene) {
			remove(s, alice)
			remove(s, bob)
			s.passes(time.Minute)
			s.letter("result", alice)
			s.letter("result", bob)
			s.silence(staff)
		})
	})
}

func TestPausedEffects(t *testing.T) {
	inScene(t, setup{}, func(s *scene) {
		s.acts(control.Call{Verb: "pause", Effects: true})
		s.write(bob, "phone", "Please remove my phone number.")
		s.answer(s.letter("confirm", bob), "Yes")
		s.passes(48 * time.Hour)
		s.stand("delete fields scheduled")
		s.holds("u-bob", inbox.FieldPhone, "+77011234502")
		s.acts(control.Call{Verb: "resume"})
		s.passes(time.Second)
		s.letter("result", bob)
		s.holds("u-bob", inbox.FieldPhone, "")
	})
}

// A mail that asks for a copy and for what is known is two Actions, the second of
// which waits for the first: many such mails share their commits all the same.
func TestWhatOnlyReadsSharesCommits(t *testing.T) {
	const mails = 24
	var claims, outcomes atomic.Int64
	s := setup{nobody: true, replace: []string{`poll = "1m"`, "poll = \"1m\"\nfirst_run = \"all\""}}
	s.opt.Point = func(name string) {
		switch name {
		case "after commit claim":
			claims.Add(1)
		case "after commit outcome":
			outcomes.Add(1)
		}
	}
	inPlace(t, s, func(p *place) {
		if err := p.d.ImportPeople(t.Context(), benchPeople(mails)); err != nil {
			t.Fatal(err)
		}
		for n := range mails {
			p.Send(benchPerson(n), support, "my data", "What data do you hold about me? Please send me a copy of my personal data, too.", mailtest.Aligned(true))
		}
		p.start()
		p.passes(time.Minute)
		if n := len(p.Sent()); n != 2*mails {
			t.Errorf("%d letters for %d mails, want two for each", n, mails)
		}
		if c, o := claims.Load(), outcomes.Load(); c != 2 || o != 2 {
			t.Errorf("%d mails took %d claims and %d outcomes, want one for each of two rounds", mails, c, o)
		}
	})
}
