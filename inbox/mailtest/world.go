package mailtest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
)

// Options say what kind of world it is. The zero value is a plain one on
// loopback.
type Options struct {
	// Domain is that of the site; default "site.test".
	Domain string
	// AuthservID is whose Authentication-Results the site believes; default
	// "mx." and the domain.
	AuthservID string
	// Aligned makes every delivered mail pass DMARC at the border, unless an
	// option of the mail says otherwise.
	Aligned bool
	// InMemory makes no sockets: connect by DialIMAP and DialSMTP. Such a
	// world runs inside a testing/synctest bubble.
	InMemory bool
	// TLS adds ports with TLS from the first byte, and STARTTLS on the plain
	// ones, which then refuse authentication before it.
	TLS bool
	// Border is how the site's server treats the mail that it takes; see
	// World.SetBorder.
	Border Border
	// RequireAuth makes SMTP refuse MAIL before AUTH.
	RequireAuth bool
	// Without names IMAP capabilities to withhold, such as MOVE or UIDPLUS;
	// IDLE without TLS only.
	Without []string
	// MaxMessageBytes is SMTP's SIZE; default 64 MiB.
	MaxMessageBytes int64
	// Fail is the first script of faults; see World.SetFail.
	Fail func(stage, who string, n int) error
	// Log gets what the servers complain about; default: nothing is logged.
	Log *slog.Logger
}

// World is a running mail world. Its methods may be used from any goroutine.
type World struct {
	opts      Options
	store     *store
	authority *Authority // nil without TLS

	imap        *imapserver.Server
	imapL       *listener
	imapsL      *listener
	smtpL       *listener
	smtpsL      *listener
	servers     sync.WaitGroup // accept loops, and SMTP connections
	sessions    sync.WaitGroup // IMAP connections
	closing     sync.Once
	errOfClose  error
	mu          sync.Mutex
	leaf        []byte // the certificate that the servers show; nil: the authority's
	fail        func(stage, who string, n int) error
	tries       map[[2]string]int
	lie         func(mail []byte) *Lie
	manner      Manner
	open        map[*session]bool // IMAP sessions
	sent        []Delivery
	accepted    chan struct{} // closed at the next addition to sent
	onSent      func(Delivery)
	onFinalDot  func(Delivery)
	acknowledge func(user, folder string, uids []uint32)
}

// New starts a world. Close ends it.
func New(opts Options) (*World, error) {
	if opts.Domain == "" {
		opts.Domain = "site.test"
	}
	if opts.AuthservID == "" {
		opts.AuthservID = "mx." + opts.Domain
	}
	if opts.MaxMessageBytes == 0 {
		opts.MaxMessageBytes = 64 << 20
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	w := &World{opts: opts, store: newStore(), fail: opts.Fail, tries: map[[2]string]int{}, open: map[*session]bool{}, accepted: make(chan struct{})}
	if opts.TLS {
		var err error
		if w.authority, err = NewAuthority("127.0.0.1", "localhost", "imap."+opts.Domain, "smtp."+opts.Domain); err != nil {
			return nil, err
		}
	}
	if err := w.listen(); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	w.serve()
	return w, nil
}

func (w *World) listen() error {
	for _, l := range []struct {
		put      **listener
		name     string
		tls      bool
		accepted func()
	}{
		{&w.imapL, "imap." + w.opts.Domain + ":143", false, func() { w.sessions.Add(1) }},
		{&w.imapsL, "imap." + w.opts.Domain + ":993", true, func() { w.sessions.Add(1) }},
		{&w.smtpL, "smtp." + w.opts.Domain + ":587", false, func() {}},
		{&w.smtpsL, "smtp." + w.opts.Domain + ":465", true, func() {}},
	} {
		if l.tls && !w.opts.TLS {
			continue
		}
		if w.opts.InMemory {
			*l.put = newListener(newMemListener(l.name), l.accepted)
			continue
		}
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return fmt.Errorf("listening for the test mail world: %w", err)
		}
		*l.put = newListener(ln, l.accepted)
	}
	return nil
}

func (w *World) serve() {
	w.imap = imapserver.New(&imapserver.Options{
		NewSession: func(c *imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			s := &session{world: w, store: w.store, conn: c}
			w.mu.Lock()
			w.open[s] = true
			w.mu.Unlock()
			return s, nil, nil
		},
		Caps:         w.caps(),
		Logger:       slog.NewLogLogger(w.opts.Log.Handler(), slog.LevelDebug),
		TLSConfig:    w.serverTLS(),
		InsecureAuth: !w.opts.TLS,
	})
	w.run(w.imapL, false, w.serveIMAP)
	w.run(w.smtpL, false, w.serveSMTP)
	if w.opts.TLS {
		w.run(w.imapsL, true, w.serveIMAP)
		w.run(w.smtpsL, true, w.serveSMTP)
	}
}

func (w *World) run(l net.Listener, withTLS bool, serve func(net.Listener) error) {
	if withTLS {
		l = tls.NewListener(l, w.serverTLS())
	}
	w.servers.Go(func() {
		if err := serve(l); err != nil && !errors.Is(err, net.ErrClosed) {
			w.opts.Log.Error("test mail world: serving", "address", l.Addr().String(), "error", err)
		}
	})
}

func (w *World) serveIMAP(l net.Listener) error {
	if slices.Contains(w.opts.Without, string(imap.CapIdle)) {
		l = veiledListener{l}
	}
	return w.imap.Serve(l)
}

func (w *World) serverTLS() *tls.Config {
	if w.authority == nil {
		return nil
	}
	fixed := w.authority.ServerConfig().Certificates[0]
	return &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		shown := fixed
		if w.leaf != nil {
			shown.Certificate = [][]byte{w.leaf}
		}
		return &shown, nil
	}}
}

// SetCertificate has the servers show, on connections from now on, a
// certificate that is good until t.
func (w *World) SetCertificate(until time.Time) error {
	return w.ShowCertificate(Certificate{Until: until})
}

// ShowCertificate has the servers show, on connections from now on, another
// certificate.
func (w *World) ShowCertificate(c Certificate) error {
	if w.authority == nil {
		return errors.New("setting the certificate: the world has no TLS")
	}
	leaf, err := w.authority.issue(c)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.leaf = leaf
	return nil
}

func (w *World) caps() imap.CapSet {
	caps := imap.CapSet{}
	for _, c := range []imap.Cap{imap.CapIMAP4rev1, imap.CapNamespace, imap.CapUIDPlus, imap.CapESearch, imap.CapMove,
		imap.CapStatusSize, imap.CapListStatus, imap.CapLiteralPlus} {
		if !slices.Contains(w.opts.Without, string(c)) {
			caps[c] = struct{}{}
		}
	}
	return caps
}

// Close ends all connections and waits until nothing of the world runs any
// more. Mail and Sent stay readable. A later call gives the same error.
func (w *World) Close() error {
	w.closing.Do(func() {
		var errs []error
		for _, l := range w.listeners() {
			errs = append(errs, l.Close())
		}
		w.servers.Wait()
		w.sessions.Wait()
		w.errOfClose = errors.Join(errs...)
	})
	return w.errOfClose
}

func (w *World) listeners() []*listener {
	all := []*listener{w.imapL, w.imapsL, w.smtpL, w.smtpsL}
	return slices.DeleteFunc(all, func(l *listener) bool { return l == nil })
}

// IMAPAddr gives host:port of the plain IMAP server.
func (w *World) IMAPAddr() string { return w.imapL.Addr().String() }

// IMAPSAddr gives host:port of IMAP in TLS; "" without Options.TLS.
func (w *World) IMAPSAddr() string { return addrOf(w.imapsL) }

// SMTPAddr gives host:port of the plain SMTP server.
func (w *World) SMTPAddr() string { return w.smtpL.Addr().String() }

// SMTPSAddr gives host:port of SMTP in TLS; "" without Options.TLS.
func (w *World) SMTPSAddr() string { return addrOf(w.smtpsL) }

func addrOf(l *listener) string {
	if l == nil {
		return ""
	}
	return l.Addr().String()
}

// CA gives the certificate that clients must trust, as PEM; nil without
// Options.TLS.
func (w *World) CA() []byte {
	if w.authority == nil {
		return nil
	}
	return w.authority.PEM()
}

// DialIMAP connects to the IMAP server whose address addr is. It fits wherever
// a program takes a dial function.
func (w *World) DialIMAP(ctx context.Context, network, addr string) (net.Conn, error) {
	return w.dial(ctx, network, addr, w.imapL, w.imapsL)
}

// DialSMTP connects to the SMTP server whose address addr is.
func (w *World) DialSMTP(ctx context.Context, network, addr string) (net.Conn, error) {
	return w.dial(ctx, network, addr, w.smtpL, w.smtpsL)
}

func (w *World) dial(ctx context.Context, network, addr string, among ...*listener) (net.Conn, error) {
	for _, l := range among {
		if addrOf(l) != addr {
			continue
		}
		if m, ok := l.Listener.(*memListener); ok {
			return m.dial(ctx)
		}
		var d net.Dialer
		return d.DialContext(ctx, network, addr)
	}
	return nil, &net.OpError{Op: "dial", Net: network, Addr: memAddr(addr), Err: syscall.ECONNREFUSED}
}

// AddUser makes a mailbox with an INBOX. The IMAP and SMTP login is the
// address. It fails when the mailbox exists.
func (w *World) AddUser(addr, password string) error {
	if !w.store.addUser(addr, password) {
		return fmt.Errorf("adding the mailbox %s: it exists", addr)
	}
	return nil
}

// AddAlias makes mail to alias reach the mailbox of addr.
func (w *World) AddAlias(alias, addr string) {
	w.store.mu.Lock()
	defer w.store.mu.Unlock()
	w.store.aliases[key(alias)] = key(addr)
}

// Stored is a mail in a folder.
type Stored struct {
	UID   uint32
	At    time.Time // INTERNALDATE
	Flags []string
	Bytes []byte
}

// Folder lists the mails in a user's folder by UID; nil when there is no such
// user or folder.
func (w *World) Folder(user, folder string) []Stored {
	w.store.mu.Lock()
	defer w.store.mu.Unlock()
	f := w.store.folderOf(user, folder)
	if f == nil {
		return nil
	}
	var out []Stored
	for _, m := range f.mails {
		s := Stored{UID: uint32(m.uid), At: m.at, Bytes: m.bytes}
		for _, flag := range m.flags {
			s.Flags = append(s.Flags, string(flag))
		}
		out = append(out, s)
	}
	return out
}

// Folders lists the names of a user's folders.
func (w *World) Folders(user string) []string {
	w.store.mu.Lock()
	defer w.store.mu.Unlock()
	u := w.store.users[key(user)]
	if u == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(u.folders))
}

func (s *store) folderOf(user, folder string) *folder {
	u := s.users[key(user)]
	if u == nil {
		return nil
	}
	return u.folder(folder)
}

// Expunge takes a mail out of a user's folder, as another client of the mailbox
// does; it gives its bytes, nil when it was not there.
func (w *World) Expunge(user, folder string, uid uint32) []byte {
	w.store.mu.Lock()
	defer w.store.mu.Unlock()
	f := w.store.folderOf(user, folder)
	if f == nil || f.get(imap.UID(uid)) == nil {
		return nil
	}
	b := f.get(imap.UID(uid)).bytes
	f.remove(map[imap.UID]bool{imap.UID(uid): true})
	return b
}

// SetUIDValidity gives a folder another UIDVALIDITY and numbers its mails from
// 1, as a server does that was restored from a backup. Every IMAP connection
// is cut, so that clients see it when they select the folder again.
func (w *World) SetUIDValidity(user, folder string, v uint32) error {
	w.store.mu.Lock()
	f := w.store.folderOf(user, folder)
	if f == nil {
		w.store.mu.Unlock()
		return fmt.Errorf("setting UIDVALIDITY: %s has no folder %s", user, folder)
	}
	f.renumber(v)
	w.store.mu.Unlock()
	w.CutIMAP()
	return nil
}

// CutIMAP closes every IMAP connection without a word. Clients may connect anew.
func (w *World) CutIMAP() { cut(w.imapL, w.imapsL) }

// CutSMTP closes every SMTP connection without a word.
func (w *World) CutSMTP() { cut(w.smtpL, w.smtpsL) }

func cut(ls ...*listener) {
	for _, l := range ls {
		if l != nil {
			l.cut()
		}
	}
}
