package daemon_test

import (
	"context"
	"testing"
	"time"

	"push.guru/supportd/cmd/internal/daemon"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/mailtest"
	"push.guru/supportd/inbox/queue"
)

// slowStore gives the setup whose user store takes that long for an effect, unless
// it is told to stop before.
func slowStore(takes time.Duration, began *int) setup {
	return setup{opt: daemon.Options{Perform: func(next queue.Performer) queue.Performer {
		return performerFunc(func(ctx context.Context, job inbox.Job) (inbox.Outcome, error) {
			*began++
			select {
			case <-time.After(takes):
				return next.Perform(ctx, job)
			case <-ctx.Done():
				return inbox.Outcome{}, ctx.Err()
			}
		})
	}}}
}

// A daemon that is told to stop finishes the effect that it is carrying out,
// and begins no other.
func TestStopFinishesTheEffect(t *testing.T) {
	began := 0
	inScene(t, slowStore(5*time.Second, &began), func(s *scene) {
		s.write(bob, "two things", "Please change my nickname to Bo. And remove my phone number.")
		s.answer(s.letter("confirm", bob), "Yes")
		s.stand("change running", "delete fields scheduled")
		s.stop()
		s.stand("change done", "delete fields scheduled")
		s.holds("u-bob", inbox.FieldNickname, "Bo")
		if began != 1 {
			t.Errorf("%d effects were begun", began)
		}
		s.reopen()
		s.start()
		s.passes(time.Minute)
		s.stand("change done", "delete fields done")
		s.letter("result", bob)
		s.silence(bob, staff)
	})
}

// An effect that takes too long is left to the next start, whose effect key
// tells what came of it.
func TestStopWaitsSoLong(t *testing.T) {
	began := 0
	inScene(t, slowStore(time.Hour, &began), func(s *scene) {
		s.write(bob, "phone", "Please remove my phone number.")
		s.answer(s.letter("confirm", bob), "Yes")
		before := time.Now()
		s.stop()
		if took := time.Since(before); took < 30*time.Second || took > time.Minute {
			t.Errorf("stopping took %v", took)
		}
		s.stand("delete fields running")
		s.reopen()
		s.start()
		s.passes(2 * time.Hour)
		s.letter("result", bob)
		s.stand("delete fields done")
		s.silence(bob)
	})
}

// A letter that is being handed over when the daemon is told to stop is handed
// over, once.
func TestStopFinishesTheLetter(t *testing.T) {
	inScene(t, setup{}, func(s *scene) {
		s.SetFail(func(stage, who string, _ int) error {
			if stage == mailtest.StageDot && who == alice {
				time.Sleep(20 * time.Second)
			}
			return nil
		})
		s.write(alice, "phone", "Please remove my phone number.")
		s.silence(alice)
		s.stop()
		s.letter("confirm", alice)
		if r := s.action("A-1").Replies[0]; r.State != inbox.ReplySent {
			t.Errorf("the letter is %s", r.State)
		}
		s.reopen()
		s.start()
		s.passes(24 * time.Hour)
		s.silence(alice, staff)
	})
}
