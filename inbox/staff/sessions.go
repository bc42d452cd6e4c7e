package staff

import (
	"context"
	"errors"
	"slices"
	"time"

	"push.guru/supportd/inbox/state"
)

// Place is where somebody is signed in.
type Place struct {
	ID      string    // names it among theirs; it opens nothing
	Browser string    // in short, as Describe was told; "" when it was not
	Started time.Time // of this sign-in
	Seen    time.Time // when something was last done there, to the minute
	Own     bool      // it is the one that asks
}

// Describe notes in which browser somebody signed in, for themselves to see:
// fixed words such as "Firefox · Windows", and nothing that a browser says of
// itself.
func (s *Staff) Describe(ctx context.Context, token, browser string) error {
	err := s.State.Update(ctx, "staff browser", func(tx *state.Tx) error {
		one, _, err := s.signedIn(tx, token)
		if err != nil {
			return err
		}
		one.Browser = browser
		return tx.PutStaffSession(one)
	})
	return withoutName(err)
}

// Places lists where whoever has a token is signed in, the one that asks first,
// then by when something was last done. The error is ErrSignedOut, or of the
// state.
func (s *Staff) Places(token string) (all []Place, err error) {
	err = s.State.View(func(tx *state.Tx) error {
		own, others, err := s.elsewhere(tx, token)
		if err != nil {
			return err
		}
		slices.SortFunc(others, func(a, b *state.StaffSession) int { return b.Seen.Compare(a.Seen) })
		for _, one := range append([]*state.StaffSession{own}, others...) {
			all = append(all, Place{ID: one.ID(), Browser: one.Browser, Started: one.Started, Seen: one.Seen, Own: one == own})
		}
		return nil
	})
	return all, err
}

// elsewhere gives the session of a token, and the others of its account that are
// not over.
func (s *Staff) elsewhere(tx *state.Tx, token string) (own *state.StaffSession, others []*state.StaffSession, err error) {
	if own, _, err = s.signedIn(tx, token); err != nil {
		return nil, nil, err
	}
	others, err = tx.StaffSessions()
	others = slices.DeleteFunc(others, func(one *state.StaffSession) bool {
		return one.Account != own.Account || one.ID() == own.ID() || !tx.Now.Before(ends(one, s.Idle))
	})
	return own, others, err
}

// SignOutElsewhere ends the other sessions of whoever has a token: the one with
// this ID, or with "" all of them, and gives their number. What has ended already
// is no error.
func (s *Staff) SignOutElsewhere(ctx context.Context, token, id string) (n int, err error) {
	err = s.State.Update(ctx, "sign out elsewhere", func(tx *state.Tx) error {
		own, others, err := s.elsewhere(tx, token)
		if err != nil {
			return err
		}
		n = 0
		for _, one := range others {
			if id == "" || one.ID() == id {
				n, err = n+1, errors.Join(err, tx.EndStaffSession(one))
			}
		}
		if n > 0 {
			err = errors.Join(err, tx.Journal("signed out elsewhere", own.Account, 0, 0, map[string]int{"sessions": n}))
		}
		return err
	})
	return n, withoutName(err)
}
