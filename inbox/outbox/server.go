package outbox

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// Security is how the connection to a server is protected.
type Security int

// The ways to protect a connection.
const (
	// ImplicitTLS speaks TLS from the first byte.
	ImplicitTLS Security = iota
	// StartTLS upgrades the connection before anything is said, or gives up.
	StartTLS
	// Insecure has no protection; only a loopback host may have it.
	Insecure
)

// schemes lists the scheme and the default port of each Security.
var schemes = [...]struct{ name, port string }{
	ImplicitTLS: {"smtps", "465"},
	StartTLS:    {"smtp", "587"},
	Insecure:    {"smtp+insecure", "587"},
}

// Server is where mail is handed in.
type Server struct {
	Host     string // a name or an IP address, without brackets
	Port     string
	Security Security
}

// ParseServer reads smtps://host[:port], smtp://host[:port] (STARTTLS is
// required) or smtp+insecure://host[:port] (loopback only). The default ports
// are 465 and 587.
func ParseServer(s string) (Server, error) {
	u, err := url.Parse(s)
	if err != nil {
		return Server{}, errors.New("not a server address of the form smtps://host:465")
	}
	srv := Server{Host: strings.ToLower(u.Hostname()), Port: u.Port(), Security: -1}
	for sec, scheme := range schemes {
		if u.Scheme == scheme.name {
			srv.Security = Security(sec)
			if srv.Port == "" {
				srv.Port = scheme.port
			}
		}
	}
	switch port, err := strconv.Atoi(srv.Port); {
	case srv.Security < 0:
		return Server{}, fmt.Errorf("the scheme %q is none of smtps, smtp (with STARTTLS), smtp+insecure (loopback only)", u.Scheme)
	case srv.Host == "":
		return Server{}, errors.New("the server address names no host")
	case u.User != nil:
		return Server{}, errors.New("a server address holds no user name or password; they have keys of their own")
	case u.Path != "" && u.Path != "/", u.RawQuery != "", u.ForceQuery, u.Fragment != "":
		return Server{}, errors.New("a server address ends after the port")
	case err != nil || port < 1 || port > 65535:
		return Server{}, fmt.Errorf("%q is no port", srv.Port)
	case srv.Security == Insecure && !loopback(srv.Host):
		return Server{}, errors.New("smtp+insecure works on loopback only; use smtps:// or smtp://")
	}
	return srv, nil
}

// Addr gives host:port, for a dial function.
func (s Server) Addr() string { return net.JoinHostPort(s.Host, s.Port) }

// String gives the address as ParseServer reads it.
func (s Server) String() string {
	if s.Security < 0 || int(s.Security) >= len(schemes) {
		return "Security(" + strconv.Itoa(int(s.Security)) + ")://" + s.Addr()
	}
	return schemes[s.Security].name + "://" + s.Addr()
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
