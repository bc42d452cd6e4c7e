package health

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// Kind is a kind of [Service].
type Kind string

// The kinds.
const (
	KindIMAP  Kind = "imap"  // the server of a mailbox, mail comes from there
	KindSMTP  Kind = "smtp"  // the server of a mailbox, replies go there
	KindStore Kind = "store" // the user store
	KindState Kind = "state" // what is kept on disk
	KindDNS   Kind = "dns"   // what senders are proved with
)

// Service is something that the program cannot work without.
type Service struct {
	Kind    Kind
	Mailbox string        // of IMAP and SMTP: its name
	Within  time.Duration // without a good try for so long the program is not ready; 0: only while tries fail
}

// String names the service.
func (s Service) String() string {
	switch s.Kind {
	case KindIMAP:
		return "IMAP of mailbox " + s.Mailbox
	case KindSMTP:
		return "SMTP of mailbox " + s.Mailbox
	case KindStore:
		return "user store"
	case KindState:
		return "state"
	case KindDNS:
		return "DNS"
	}
	return string(s.Kind)
}

// Standing is how it stands with a Service.
type Standing struct {
	Tried time.Time // when it was last tried; zero: never
	Good  time.Time // when that last went well; zero: never
	Since time.Time // since when it fails; zero: it does not
	Err   string    // why, as one line without anything personal
}

// key names one service.
type key struct {
	kind    Kind
	mailbox string
}

// Services knows how it stands with each Service. Its methods may be called by
// several goroutines.
type Services struct {
	all   []Service
	began time.Time

	mu sync.Mutex
	at map[key]Standing
}

// NewServices watches the services that it is given.
func NewServices(all ...Service) *Services {
	return &Services{all: all, began: time.Now(), at: make(map[key]Standing)}
}

// All lists the services in the order in which they were given.
func (s *Services) All() []Service { return s.all }

// Report notes what came of a try: nil when it went well.
func (s *Services) Report(kind Kind, mailbox string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, now := key{kind, mailbox}, time.Now()
	st := s.at[k]
	st.Tried = now
	switch {
	case err == nil:
		st.Good, st.Since, st.Err = now, time.Time{}, ""
	case st.Since.IsZero():
		st.Since, st.Err = now, line(err)
	default:
		st.Err = line(err)
	}
	s.at[k] = st
}

// line makes one line of an error.
func line(err error) string {
	const most = 300
	text := strings.Join(strings.Fields(err.Error()), " ")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

// Standing says how it stands with a service.
func (s *Services) Standing(kind Kind, mailbox string) Standing {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at[key{kind, mailbox}]
}

// Age gives how long ago a service was last used with success; since the
// program began where it never was.
func (s *Services) Age(kind Kind, mailbox string) time.Duration {
	st := s.Standing(kind, mailbox)
	if st.Good.IsZero() {
		return time.Since(s.began)
	}
	return time.Since(st.Good)
}

// Reached tells whether every service of a kind was used with success at least
// once.
func (s *Services) Reached(kind Kind) bool {
	for _, svc := range s.all {
		if svc.Kind == kind && s.Standing(kind, svc.Mailbox).Good.IsZero() {
			return false
		}
	}
	return true
}

// Missing says what keeps the program from its work, one line each: what is out
// of reach, or was not reached for too long.
func (s *Services) Missing() []string {
	var out []string
	for _, svc := range s.all {
		if why := missing(svc, s.Standing(svc.Kind, svc.Mailbox)); why != "" {
			out = append(out, svc.String()+": "+why)
		}
	}
	return out
}

func missing(svc Service, st Standing) string {
	why := ""
	if st.Err != "" {
		why = ": " + st.Err
	}
	switch {
	case svc.Kind == KindDNS:
		return "" // mails wait for it, and tokens prove without it
	case svc.Within == 0 && !st.Since.IsZero():
		return "fails since " + st.Since.UTC().Format(time.RFC3339) + why
	case svc.Within == 0:
		return ""
	case st.Good.IsZero():
		return "was not reached yet" + why
	case time.Since(st.Good) > svc.Within:
		return fmt.Sprintf("was last reached %s%s", st.Good.UTC().Format(time.RFC3339), why)
	}
	return ""
}
