package mailbox

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"time"

	"push.guru/supportd/inbox"
)

// Config is what a session needs to know. Name, Server, Username and Secret
// must be set.
type Config struct {
	// Name is the configured name of the mailbox; it goes into Ref.Mailbox.
	Name     string
	Server   Server
	Username string
	// Secret gives the password, or with XOAUTH2 the access token. It is asked
	// at each connect.
	Secret func(ctx context.Context) (string, error)
	// XOAUTH2 logs in with an access token in place of a password.
	XOAUTH2 bool
	// RootCAs are the authorities that may vouch for the server; nil: the
	// system's.
	RootCAs *x509.CertPool
	// Dial opens the connection; nil: a net.Dialer that gives up after 30 s.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// Timeout is the longest silence of the server while it owes us something;
	// 0: 60 s.
	Timeout time.Duration
	// MaxBytes is the size of the largest mail that is fetched; 0: 25 MiB.
	MaxBytes int64
	// BatchBytes bounds the mail that is fetched with one command, unless a
	// single mail is larger; 0: 4 MiB.
	BatchBytes int64
	// Log gets what is worth knowing about the server; nil: nothing is logged.
	Log *slog.Logger
}

func (c Config) withDefaults() Config {
	if c.Dial == nil {
		c.Dial = (&net.Dialer{Timeout: 30 * time.Second}).DialContext
	}
	if c.Timeout <= 0 {
		c.Timeout = time.Minute
	}
	if c.MaxBytes <= 0 {
		c.MaxBytes = 25 << 20
	}
	if c.BatchBytes <= 0 {
		c.BatchBytes = 4 << 20
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// Validate tells what is missing or not allowed.
func (c Config) Validate() error {
	if c.Secret == nil {
		return errors.New("no password or token is configured")
	}
	return c.Server.Validate()
}

// Connect opens a connection, protects it, logs in and asks what the server
// can do. It returns an [*AuthError] when the login is refused, a [*TLSError]
// when the protection fails, a temporary [inbox.Error] when the server cannot
// be reached, is silent or hangs up, and ctx's error when that ended.
func Connect(ctx context.Context, cfg Config) (*Session, error) {
	cfg = cfg.withDefaults()
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("connecting to the mailbox: %w", err)
	}
	secret, err := cfg.Secret(ctx)
	if err != nil {
		return nil, fmt.Errorf("getting the password or token for the mailbox: %w", err)
	}
	l, err := open(ctx, &cfg)
	if err != nil {
		return nil, err
	}
	s := newSession(cfg, l)
	if err := s.start(ctx, secret); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// open gives a connection that is protected as the configuration says, with
// the server's greeting still to be read. All of it must be done within the
// configured time.
func open(ctx context.Context, cfg *Config) (*link, error) {
	limited, cancel := context.WithTimeout(ctx, cfg.Timeout)
	defer cancel()
	raw, err := cfg.Dial(limited, "tcp", cfg.Server.Addr())
	if err != nil {
		return nil, openError(ctx, cfg, err)
	}
	conn, err := protect(limited, raw, cfg)
	if err != nil {
		raw.Close()
		return nil, openError(ctx, cfg, err)
	}
	return newLink(conn, raw, cfg.Timeout), nil
}

// openError tells apart who ended the attempt: the caller, TLS, or the network.
func openError(ctx context.Context, cfg *Config, err error) error {
	var t *TLSError
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("connecting to IMAP server %s: %w", cfg.Server.Addr(), ctx.Err())
	case errors.As(err, &t):
		return err
	case errors.Is(err, context.DeadlineExceeded): // of our own limit, not of the caller's context
		err = fmt.Errorf("not ready within %v", cfg.Timeout)
	}
	return unreachable(cfg.Server, err)
}

// protect does what comes before the first byte of protected IMAP.
func protect(ctx context.Context, raw net.Conn, cfg *Config) (net.Conn, error) {
	switch cfg.Server.Security {
	case Insecure:
		if a, ok := raw.RemoteAddr().(*net.TCPAddr); ok && !a.IP.IsLoopback() {
			return nil, &TLSError{&inbox.Error{
				Err:  fmt.Errorf("server %s is not on this machine", cfg.Server.Addr()),
				Hint: "an insecure connection works on loopback only; use imaps:// or imap://",
			}}
		}
		return raw, nil
	case StartTLS:
		if err := startTLS(ctx, raw, cfg.Server); err != nil {
			return nil, err
		}
		conn, err := handshake(ctx, raw, cfg)
		if err != nil {
			return nil, err
		}
		// The greeting came before TLS. The library waits for one, and as this
		// names no capabilities it asks for them anew, as RFC 9051 wants it.
		return &greeted{Conn: conn, rest: strings.NewReader("* OK protected\r\n")}, nil
	}
	return handshake(ctx, raw, cfg)
}

func handshake(ctx context.Context, raw net.Conn, cfg *Config) (net.Conn, error) {
	// No ALPN: there are front ends that refuse a protocol they do not know.
	conn := tls.Client(raw, &tls.Config{ServerName: cfg.Server.Host, RootCAs: cfg.RootCAs, MinVersion: tls.VersionTLS12})
	err := conn.HandshakeContext(ctx)
	switch {
	case err == nil:
		return conn, nil
	case ctx.Err() != nil:
		return nil, fmt.Errorf("TLS handshake: %w", ctx.Err())
	case hungUp(err):
		return nil, fmt.Errorf("TLS handshake: %w", err)
	}
	return nil, tlsError(cfg.Server, err)
}

// hungUp tells whether a handshake failed because the connection did. The TLS
// library dresses alerts as network errors too.
func hungUp(err error) bool {
	var op *net.OpError
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.ErrClosedPipe) ||
		errors.As(err, &op) && (op.Op == "read" || op.Op == "write")
}

// greeted reads rest before it reads the connection.
type greeted struct {
	net.Conn
	rest *strings.Reader
}

func (g *greeted) Read(p []byte) (int, error) {
	if g.rest.Len() > 0 {
		return g.rest.Read(p)
	}
	return g.Conn.Read(p)
}

// startTLS waits for the greeting and asks for TLS.
func startTLS(ctx context.Context, raw net.Conn, srv Server) error {
	stop := context.AfterFunc(ctx, func() { raw.Close() })
	defer stop()
	err := startTLSWords(raw, srv)
	if ctx.Err() != nil {
		return fmt.Errorf("STARTTLS: %w", ctx.Err())
	}
	return err
}

func startTLSWords(raw io.ReadWriter, srv Server) error {
	greeting, err := readLine(raw)
	if err != nil {
		return fmt.Errorf("reading the greeting: %w", err)
	}
	switch status, _, _ := strings.Cut(strings.TrimPrefix(greeting, "* "), " "); strings.ToUpper(status) {
	case "OK":
	case "BYE":
		return fmt.Errorf("the server hangs up: %s", harmless(greeting))
	default:
		// PREAUTH is refused too: a session that needs no login cannot be
		// protected any more.
		return tlsError(srv, errors.New("the greeting is not that of a server that can start TLS"))
	}
	if _, err := io.WriteString(raw, "S STARTTLS\r\n"); err != nil {
		return fmt.Errorf("asking for TLS: %w", err)
	}
	const most = 64 // lines that a server may say before it answers
	for range most {
		line, err := readLine(raw)
		if err != nil {
			return fmt.Errorf("asking for TLS: %w", err)
		}
		tag, answer, _ := strings.Cut(line, " ")
		if tag != "S" {
			continue
		}
		if status, _, _ := strings.Cut(answer, " "); strings.EqualFold(status, "OK") {
			return nil
		}
		return &TLSError{&inbox.Error{
			Err:  fmt.Errorf("server %s refused STARTTLS: %s", srv.Addr(), harmless(answer)),
			Hint: "use imaps:// if the server has it",
		}}
	}
	return tlsError(srv, errors.New("the server does not answer STARTTLS"))
}

// readLine reads up to a line feed and not one byte more, for what follows
// belongs to TLS.
func readLine(r io.Reader) (string, error) {
	const longest = 8 << 10
	var line []byte
	for b := make([]byte, 1); len(line) < longest; line = append(line, b[0]) {
		if _, err := io.ReadFull(r, b); err != nil {
			return "", err
		}
		if b[0] == '\n' {
			return strings.TrimSuffix(string(line), "\r"), nil
		}
	}
	return "", fmt.Errorf("a line of more than %d bytes", longest)
}
