package staff

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"time"

	"push.guru/supportd/inbox/state"
)

// The ways in which nobody gets in. Each has one text for all its causes.
var (
	// ErrSignIn says that the name or the password is wrong, or the account
	// disabled or without a password; nobody learns which.
	ErrSignIn = errors.New("the name or the password is wrong")
	// ErrLink says that a one-time link does not exist, was used, is too old, or
	// belongs to a disabled account.
	ErrLink = errors.New("the link was used already, or is too old")
	// ErrSignedOut says that a token opens no session, or none any more.
	ErrSignedOut = errors.New("nobody is signed in")
)

// ThrottledError says that too many sign-ins failed. Nothing was looked at.
type ThrottledError struct {
	Wait time.Duration // until the next can succeed
}

// Error tells how long to wait.
func (e *ThrottledError) Error() string {
	return fmt.Sprintf("too many sign-ins failed: try again in %s", max(e.Wait.Round(time.Second), time.Second))
}

// Session is somebody who is signed in.
type Session struct {
	Account    Account
	MustChoose bool      // good for SetPassword and SignOut, and nothing else
	Started    time.Time // of this sign-in
	Ends       time.Time // when it ends by itself, if nothing more is done in it
}

// May tells whether somebody may do what needs a right. Who must still choose a
// password may nothing.
func (s Session) May(need Right) bool { return !s.MustChoose && s.Account.Role.May(need) }

// SignIn lets somebody in who knows a name and its password, and gives the
// token of a new session. From is the address of the browser, with or without a
// port. The error is ErrSignIn, a *ThrottledError, or a temporary one; it takes
// as long for a name that nobody has.
func (s *Staff) SignIn(ctx context.Context, name, password, from string) (token string, err error) {
	hash, err := s.proved(ctx, name, password, from)
	if err != nil {
		return "", err
	}
	err = s.State.Update(ctx, "sign in", func(tx *state.Tx) error {
		a, err := tx.StaffAccount(fold(name))
		if err != nil || keptOut(a) || a.Password != hash.proved { // it changed meanwhile
			return ErrSignIn
		}
		a.Password = hash.fresh
		token, err = s.begin(tx, a, entry{"password", from}, false)
		return errors.Join(err, tx.PutStaffAccount(a), s.refused.tell(tx, true))
	})
	if err != nil {
		return "", withoutName(err)
	}
	s.Log.Info("staff: signed in", "account", fold(name))
	return token, nil
}

// proof is a stored hash whose password somebody knows.
type proof struct {
	proved string // as it is stored
	fresh  string // as it should be stored: with the parameters of today
}

// proved finds out whether somebody knows the password of an account. What is
// refused is counted, and slows further tries down.
func (s *Staff) proved(ctx context.Context, name, password, from string) (p proof, err error) {
	name, net := fold(name), network(from)
	var known bool
	if p.proved, known, err = s.stored(name, net); err != nil {
		return p, err
	}
	try := newTry(name, net, known)
	if wait := s.throttle.admit(time.Now(), try); wait > 0 {
		s.refused.count(s.nameOf(name))
		return p, &ThrottledError{Wait: wait}
	}
	ready, unfit := prepared(password)
	ok, old, err := s.hashes.matches(ctx, p.proved, ready)
	switch {
	case err != nil:
		return p, fmt.Errorf("signing in: %w", err)
	case !ok || unfit != nil:
		s.refuse(ctx, name)
		return p, ErrSignIn
	}
	s.throttle.succeeded(try)
	p.fresh = p.proved
	if old {
		if fresh, err := s.hashes.make(ctx, ready); err == nil { // else the next time
			p.fresh = fresh
		}
	}
	return p, nil
}

// stored gives the hash that a password must have, "" when nothing lets that
// name in, and whether the network is one of theirs.
func (s *Staff) stored(name, net string) (hash string, known bool, err error) {
	err = s.State.View(func(tx *state.Tx) error {
		a, err := tx.StaffAccount(name)
		switch {
		case errors.Is(err, state.ErrNotFound):
			return nil
		case err != nil:
			return err
		case !keptOut(a):
			hash = a.Password
		}
		known = knows(a, networkHash(tx, name, net))
		return nil
	})
	return hash, known, err
}

// nameOf gives a name if an account has it, else "": what was typed there may
// be a password.
func (s *Staff) nameOf(name string) (known string) {
	_ = s.State.View(func(tx *state.Tx) error {
		if _, err := tx.StaffAccount(name); err == nil {
			known = name
		}
		return nil
	})
	return known
}

// refuse counts a refused sign-in, and tells the journal when it is time. That
// it could not be told is no other answer to who was refused.
func (s *Staff) refuse(ctx context.Context, name string) {
	s.refused.count(s.nameOf(name))
	if !s.refused.due(time.Now()) {
		return
	}
	s.Log.Warn("staff: sign-ins are refused; the journal counts them")
	err := s.State.Update(ctx, "sign-ins refused", func(tx *state.Tx) error { return s.refused.tell(tx, false) })
	if err != nil {
		s.Log.Error("staff: telling the journal of refused sign-ins", "err", err)
	}
}

// Begin lets somebody in who has a one-time link, which it uses up, and gives
// the token of a new session. It must be called for a POST only: programs that
// look at links in advance send a GET. The error is ErrLink or a temporary one.
func (s *Staff) Begin(ctx context.Context, link, from string) (token string, err error) {
	err = s.State.Update(ctx, "link used", func(tx *state.Tx) error {
		l, err := tx.StaffLink(link)
		switch {
		case errors.Is(err, state.ErrNotFound):
			return ErrLink
		case err != nil:
			return err
		}
		a, err := tx.StaffAccount(l.Account)
		if err != nil || keptOut(a) || !tx.Now.Before(l.Expires) {
			return ErrLink
		}
		token, err = s.begin(tx, a, entry{"link", from}, l.Choose)
		return errors.Join(err, tx.EndStaffLink(l), tx.PutStaffAccount(a))
	})
	if err != nil {
		return "", withoutName(err)
	}
	return token, nil
}

// entry is how somebody got in, and from where. The journal is told how: where
// staff live and travel is not for a log that forgets nothing.
type entry struct{ by, from string }

// begin makes a session, of somebody who is let in, and removes those that are
// over. The caller stores the account.
func (s *Staff) begin(tx *state.Tx, a *state.StaffAccount, e entry, choose bool) (token string, err error) {
	if err := errors.Join(tidy(tx, s.Idle), limitSessions(tx, a.Name)); err != nil {
		return "", err
	}
	a.Seen = tx.Now.UTC()
	a.Networks = remember(a, networkHash(tx, a.Name, network(e.from)))
	token = newToken()
	one := &state.StaffSession{Account: a.Name, Started: tx.Now.UTC(), Seen: tx.Now.UTC(), Choose: choose}
	return token, errors.Join(tx.AddStaffSession(token, one), tx.Journal("signed in", a.Name, 0, 0, map[string]string{"by": e.by}))
}

// newToken draws 256 bits.
func newToken() string {
	b := make([]byte, 32)
	rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

// limitSessions makes room for one more session of somebody.
func limitSessions(tx *state.Tx, name string) error {
	all, err := tx.StaffSessions()
	all = slices.DeleteFunc(all, func(one *state.StaffSession) bool { return one.Account != name })
	slices.SortFunc(all, func(a, b *state.StaffSession) int { return a.Seen.Compare(b.Seen) })
	for _, one := range all[:max(len(all)-mostSessions+1, 0)] {
		err = errors.Join(err, tx.EndStaffSession(one))
	}
	return err
}

// networkHash gives what is stored of a network that somebody came from.
func networkHash(tx *state.Tx, name, net string) []byte {
	return tx.Hash("staff network", name+"\x00"+net)
}

func knows(a *state.StaffAccount, hash []byte) bool {
	return slices.ContainsFunc(a.Networks, func(h []byte) bool { return bytes.Equal(h, hash) })
}

// remember gives somebody's networks with one that they came from now as the
// newest.
func remember(a *state.StaffAccount, hash []byte) [][]byte {
	all := slices.DeleteFunc(a.Networks, func(h []byte) bool { return bytes.Equal(h, hash) })
	all = append(all, hash)
	return all[max(len(all)-mostNetworks, 0):]
}

// ends tells when a session ends by itself.
func ends(one *state.StaffSession, idle time.Duration) time.Time {
	byIdle, byLife := one.Seen.Add(idle), one.Started.Add(lifetime)
	if byIdle.Before(byLife) {
		return byIdle
	}
	return byLife
}

// Session gives who is signed in with a token, and notes that something was
// done, at most once a minute. The error is ErrSignedOut, or of the state.
func (s *Staff) Session(ctx context.Context, token string) (Session, error) {
	var touch bool
	err := s.State.View(func(tx *state.Tx) error {
		one, _, err := s.signedIn(tx, token)
		touch = err == nil && tx.Now.Sub(one.Seen) >= touched
		return err
	})
	if err != nil {
		return Session{}, err
	}
	if touch {
		if err := s.touch(ctx, token); err != nil {
			return Session{}, withoutName(err)
		}
	}
	return s.Peek(token)
}

// Peek is Session of a page that is only kept up to date while nobody does
// anything: it does not keep the session alive.
func (s *Staff) Peek(token string) (session Session, err error) {
	err = s.State.View(func(tx *state.Tx) error {
		one, a, err := s.signedIn(tx, token)
		if err != nil {
			return err
		}
		session = Session{Account: account(a), MustChoose: one.Choose, Started: one.Started, Ends: ends(one, s.Idle)}
		return nil
	})
	return session, err
}

// signedIn reads the session of a token, and whose it is.
func (s *Staff) signedIn(tx *state.Tx, token string) (*state.StaffSession, *state.StaffAccount, error) {
	one, err := tx.StaffSession(token)
	switch {
	case errors.Is(err, state.ErrNotFound):
		return nil, nil, ErrSignedOut
	case err != nil:
		return nil, nil, err
	case !tx.Now.Before(ends(one, s.Idle)):
		return nil, nil, ErrSignedOut
	}
	a, err := tx.StaffAccount(one.Account)
	if err != nil {
		return nil, nil, err
	}
	if keptOut(a) {
		return nil, nil, ErrSignedOut
	}
	return one, a, nil
}

// errTouched ends a transaction that has nothing to write.
var errTouched = errors.New("touched meanwhile")

func (s *Staff) touch(ctx context.Context, token string) error {
	err := s.State.Update(ctx, "staff seen", func(tx *state.Tx) error {
		one, a, err := s.signedIn(tx, token)
		if err != nil {
			return err
		}
		if tx.Now.Sub(one.Seen) < touched {
			return errTouched
		}
		one.Seen, a.Seen = tx.Now.UTC(), tx.Now.UTC()
		return errors.Join(tx.PutStaffSession(one), tx.PutStaffAccount(a))
	})
	if errors.Is(err, errTouched) {
		return nil
	}
	return err
}

// SignOut ends the session of a token. One that has ended already is no error.
func (s *Staff) SignOut(ctx context.Context, token string) error {
	err := s.State.Update(ctx, "sign out", func(tx *state.Tx) error {
		one, a, err := s.signedIn(tx, token)
		if err != nil {
			return err
		}
		return errors.Join(tx.EndStaffSession(one), tx.Journal("signed out", a.Name, 0, 0, nil))
	})
	if errors.Is(err, ErrSignedOut) {
		return nil
	}
	return err
}

// SetPassword gives whoever is signed in with a token another password. Old is
// the present one, and plays no part while Session.MustChoose. All their
// sessions end; the token of a new one is given. The error is ErrSignedOut, a
// PasswordFault, what SignIn gives when old is wrong, or a temporary one.
func (s *Staff) SetPassword(ctx context.Context, token, old, password, from string) (fresh string, err error) {
	now, err := s.Peek(token)
	if err != nil {
		return "", err
	}
	name := now.Account.Name
	ready, err := acceptable(password, append([]string{name}, s.Site...)...)
	if err != nil {
		return "", err
	}
	var was proof
	if !now.MustChoose {
		if was, err = s.proved(ctx, name, old, from); err != nil {
			return "", err
		}
	}
	hash, err := s.hashes.make(ctx, ready)
	if err != nil {
		return "", fmt.Errorf("setting a password: %w", err)
	}
	err = s.State.Update(ctx, "password set", func(tx *state.Tx) error {
		one, a, err := s.signedIn(tx, token)
		if err != nil {
			return err
		}
		if !one.Choose && a.Password != was.proved { // it changed meanwhile
			return ErrSignIn
		}
		if err := errors.Join(endSessions(tx, name), endLinks(tx, name), tx.Journal("password set", name, 0, 0, nil)); err != nil {
			return err
		}
		a.Password, a.Networks = hash, nil
		fresh, err = s.begin(tx, a, entry{"new password", from}, false)
		return errors.Join(err, tx.PutStaffAccount(a))
	})
	if err != nil {
		return "", withoutName(err)
	}
	return fresh, nil
}

// withoutName gives one of the errors that every caller tells apart without the
// name of the transaction before its text.
func withoutName(err error) error {
	for _, plain := range []error{ErrSignIn, ErrLink, ErrSignedOut} {
		if errors.Is(err, plain) {
			return plain
		}
	}
	return err
}
