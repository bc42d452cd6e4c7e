package mailbox

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
)

// Security says how a connection is protected.
type Security int

// The ways to protect a connection.
const (
	TLS      Security = iota // TLS from the first byte: imaps://
	StartTLS                 // STARTTLS, required: imap://
	Insecure                 // nothing, on loopback only: imap+insecure://
)

// String gives the URL scheme that stands for the protection.
func (s Security) String() string {
	switch s {
	case TLS:
		return "imaps"
	case StartTLS:
		return "imap"
	case Insecure:
		return "imap+insecure"
	}
	return "Security(" + strconv.Itoa(int(s)) + ")"
}

// Server names an IMAP server.
type Server struct {
	Host     string // name or IP address, without brackets
	Port     int
	Security Security
}

// ParseServer reads "imaps://host:port", "imap://host:port" (STARTTLS is
// required) or "imap+insecure://host:port" (loopback only). The port may be
// left out: 993 for imaps, else 143.
func ParseServer(s string) (Server, error) {
	u, err := url.Parse(s)
	if err != nil {
		return Server{}, errors.New("an IMAP server is written imaps://host:port or imap://host:port")
	}
	if u.User != nil || u.Opaque != "" || (u.Path != "" && u.Path != "/") || u.RawQuery != "" || u.Fragment != "" {
		return Server{}, errors.New("an IMAP server is written imaps://host:port, with nothing before the host or after the port")
	}
	srv := Server{Host: u.Hostname(), Port: 143}
	switch u.Scheme {
	case "imaps":
		srv.Security, srv.Port = TLS, 993
	case "imap":
		srv.Security = StartTLS
	case "imap+insecure":
		srv.Security = Insecure
	default:
		return Server{}, fmt.Errorf("scheme %q: an IMAP server is written imaps://, imap:// or imap+insecure://", u.Scheme)
	}
	if p := u.Port(); p != "" {
		if srv.Port, err = strconv.Atoi(p); err != nil {
			return Server{}, fmt.Errorf("%q is not a port", p)
		}
	}
	return srv, srv.Validate()
}

// Validate tells what is wrong with the server's name; in particular that an
// insecure connection may not leave the machine.
func (s Server) Validate() error {
	switch {
	case s.Host == "":
		return errors.New("the IMAP server has no host name")
	case s.Port < 1 || s.Port > 65535:
		return fmt.Errorf("the IMAP server's port %d is not between 1 and 65535", s.Port)
	case s.Security < TLS || s.Security > Insecure:
		return fmt.Errorf("unknown protection %v", s.Security)
	case s.Security == Insecure && !s.loopback():
		return fmt.Errorf("%s is not this machine: an insecure connection works on loopback only; use imaps:// or imap://", s.Host)
	}
	return nil
}

func (s Server) loopback() bool {
	ip := net.ParseIP(s.Host)
	return s.Host == "localhost" || ip != nil && ip.IsLoopback()
}

// Addr gives host:port, as a dial function wants it.
func (s Server) Addr() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

// String gives the URL of the server, which [ParseServer] reads.
func (s Server) String() string { return s.Security.String() + "://" + s.Addr() }
