package queue

import (
	"context"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/state"
)

// settleWithin is how long the outcome of an Action that only reads waits for
// those of others, so that one commit serves them all.
const settleWithin = 500 * time.Millisecond

// split sets apart the Actions that only read and so can be started together:
// in one round one of a Case, because the next one waits for it. What changes or
// deletes something is started alone, right before it is carried out: until then
// it can still be stopped.
func split(due []*inbox.Action) (rounds [][]inbox.ActionID, alone []inbox.ActionID) {
	round, behind := make(map[inbox.MailID]int), make(map[inbox.MailID]bool)
	for _, a := range due {
		reads := a.State == inbox.StateScheduled && (a.Kind == inbox.KindCopy || a.Kind == inbox.KindDescribe)
		if !reads || behind[a.Case] {
			alone, behind[a.Case] = append(alone, a.ID), true
			continue
		}
		n := round[a.Case]
		if n == len(rounds) {
			rounds = append(rounds, nil)
		}
		rounds[n] = append(rounds[n], a.ID)
		round[a.Case] = n + 1
	}
	return rounds, alone
}

// readers looks at Actions that only read: one commit for the intents of all,
// and one for the outcomes of as many as come within settleWithin.
func (q *Queue) readers(ctx context.Context, ids []inbox.ActionID) (moved int, err error) {
	var looks []look
	err = q.State.Update(ctx, "claim", func(tx *state.Tx) error {
		looks = looks[:0]
		for _, id := range ids {
			l, err := q.look(tx, id)
			if err != nil {
				return err
			}
			looks = append(looks, l)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	began := time.Now()
	for _, l := range looks {
		if l.moved {
			moved++
		}
		if l.job == nil || ctx.Err() != nil {
			continue
		}
		q.Beat(loop, stepTime)
		if q.act(ctx, l); time.Since(began) >= settleWithin {
			if err := q.settleRest(ctx); err != nil {
				q.Log.Error("queue: an outcome will be committed later", "err", err)
			}
			began = time.Now()
		}
	}
	if err := q.settleRest(ctx); err != nil {
		q.Log.Error("queue: an outcome will be committed later", "err", err)
	}
	return moved, nil
}
