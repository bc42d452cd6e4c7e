package mailbox

import (
	"context"
	"fmt"
	"time"
)

// stretch is how long one IDLE lasts at most. Many NATs and some servers
// forget a connection that was quiet for ten minutes, long before the half
// hour that RFC 2177 allows.
const stretch = 9 * time.Minute

// Wait returns nil after d, or sooner when the server says that the number of
// mails in the selected folder changed since the last listing began, or the
// last Wait returned. Servers that cannot report by themselves are asked at
// the end of d. When ctx ends, so does the session.
func (s *Session) Wait(ctx context.Context, d time.Duration) error {
	if s.folder.Name == "" {
		return fmt.Errorf("waiting for mail: %w", ErrFolder)
	}
	for end := time.Now().Add(d); ; {
		if s.link.dead() {
			return ErrDead
		}
		left := time.Until(end)
		if s.count.arrived() || left <= 0 {
			return nil
		}
		if err := s.rest(ctx, min(left, stretch)); err != nil {
			return err
		}
	}
}

// rest waits for one stretch.
func (s *Session) rest(ctx context.Context, d time.Duration) error {
	if !s.HasIdle() || s.noIdle {
		return s.do(ctx, "waiting for mail", func() error {
			s.linger(d)
			return s.client.Noop().Wait()
		})
	}
	err := s.do(ctx, "waiting for mail", func() error { return s.idle(d) })
	if isRefusal(err) {
		s.noIdle = true
		s.cfg.Log.Warn("the IMAP server announced IDLE and refused it; asking it from time to time", "mailbox", s.cfg.Name, "error", err)
		return nil
	}
	return err
}

func (s *Session) idle(d time.Duration) error {
	cmd, err := s.client.Idle()
	if err != nil {
		return err
	}
	s.linger(d)
	if err := cmd.Close(); err != nil {
		return err
	}
	return cmd.Wait()
}

// linger waits for d, a word from the server or the end of the connection.
// The server may be silent meanwhile.
func (s *Session) linger(d time.Duration) {
	s.link.watch(false)
	defer s.link.watch(true)
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.count.wake:
	case <-s.client.Closed():
	}
}
