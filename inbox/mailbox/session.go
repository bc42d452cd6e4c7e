package mailbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"push.guru/supportd/inbox"
)

// keyword marks accounted mail that is left in its folder.
const keyword = "$Supportd"

// logoutTime is how long Close waits for the server's farewell.
const logoutTime = 3 * time.Second

// errClosed is what an operation learns that Close interrupted.
var errClosed = errors.New("the session was closed meanwhile")

// Session is a connection to an IMAP server that is logged in.
type Session struct {
	cfg    Config
	link   *link
	client *imapclient.Client
	caps   imap.CapSet

	busy   sync.Mutex // held while an operation is under way
	folder Folder     // the selected one; Name is "" when there is none
	buried bool       // why it ended was told
	noIdle bool       // the server announced IDLE and then refused it
	doubt  bool       // a mail was larger than the server had said
	count  counter
	sink   sink
}

// Folder is a selected folder.
type Folder struct {
	Name        string
	UIDValidity uint32
	UIDNext     uint32 // 0 when the server does not tell
	Keywords    bool   // whether mail in it can be marked with our keyword
}

func newSession(cfg Config, l *link) *Session {
	s := &Session{cfg: cfg, link: l}
	s.count.wake = make(chan struct{}, 1)
	s.sink.cut, s.sink.max = l.end, cfg.MaxBytes
	s.client = imapclient.New(l, &imapclient.Options{UnilateralDataHandler: &imapclient.UnilateralDataHandler{
		Expunge: s.count.expunged,
		Mailbox: func(d *imapclient.UnilateralDataMailbox) {
			if d.NumMessages != nil {
				s.count.exists(*d.NumMessages)
			}
		},
		Fetch: s.sink.unilateral,
	}})
	l.readBy(s.client.Closed())
	return s
}

// HasIdle tells whether the server can report new mail by itself.
func (s *Session) HasIdle() bool { return s.caps.Has(imap.CapIdle) }

// HasMove tells whether the server can move mail in one step.
func (s *Session) HasMove() bool { return s.caps.Has(imap.CapMove) }

// HasUIDPlus tells whether the server can expunge single mails, and tells the
// UIDs of mail that it moved.
func (s *Session) HasUIDPlus() bool { return s.caps.Has(imap.CapUIDPlus) }

// do runs f, which may use the client, as one operation. When f fails for
// another reason than a NO or BAD, the session is dead afterwards.
func (s *Session) do(ctx context.Context, doing string, f func() error) error {
	s.busy.Lock()
	defer s.busy.Unlock()
	if s.link.dead() {
		if s.buried {
			return ErrDead
		}
		return fmt.Errorf("%s: %w: %w", doing, ErrDead, s.bury(nil)) // lost since the last operation
	}
	return s.run(ctx, doing, f)
}

// run is do for a caller that knows that nobody else uses the session.
func (s *Session) run(ctx context.Context, doing string, f func() error) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	finish := s.link.begin(ctx)
	err := f()
	finish()
	if err == nil {
		return nil
	}
	if r := refused(err); r != nil {
		return fmt.Errorf("%s: %w", doing, r)
	}
	return fmt.Errorf("%s: %w", doing, s.bury(err))
}

// bury frees what the session holds and tells why it ended; err is what the
// library told the operation that noticed.
func (s *Session) bury(err error) error {
	s.buried = true
	ended := s.link.dead()
	s.link.Close()
	end := s.client.Close()
	cause := s.link.why()
	var bye *imap.Error
	switch {
	case errors.As(err, &bye):
		return inbox.Temporary(errors.New("the server hangs up: " + harmless(bye.Text)))
	case errors.Is(cause, os.ErrDeadlineExceeded):
		return inbox.Temporary(fmt.Errorf("the server was silent for %v", s.cfg.Timeout))
	case errors.Is(cause, context.Canceled), errors.Is(cause, context.DeadlineExceeded):
		return cause
	case errors.Is(cause, io.EOF):
		return inbox.Temporary(errors.New("the server closed the connection"))
	case cause != nil:
		return inbox.Temporary(fmt.Errorf("the connection was lost: %w", cause))
	case end != nil:
		return &ProtocolError{errors.New(unquoted(end.Error()))}
	case err != nil && !ended:
		return &ProtocolError{errors.New(unquoted(err.Error()))}
	}
	// The library closed the connection without an error: a greeting of BYE,
	// whose text it keeps to itself half of the time.
	return inbox.Temporary(errors.New("the server hangs up"))
}

// Close logs out if the server answers soon, and frees everything in any
// case. It may be called more than once, and by another goroutine than the
// one that uses the session; what that was doing then fails. It returns nil.
func (s *Session) Close() error {
	if !s.busy.TryLock() {
		s.link.end(errClosed)
		s.busy.Lock()
	}
	defer s.busy.Unlock()
	if !s.link.dead() {
		limit := time.AfterFunc(logoutTime, func() { s.link.Close() })
		s.client.Logout().Wait() // only a courtesy
		limit.Stop()
	}
	if !s.buried {
		s.bury(nil) // why it ended no longer matters
	}
	return nil
}

// Select opens a folder for reading and writing. It must be called before the
// methods that list, fetch and acknowledge.
func (s *Session) Select(ctx context.Context, folder string) (Folder, error) {
	s.folder = Folder{}
	s.count.selecting()
	var data *imap.SelectData
	err := s.do(ctx, "selecting the folder", func() (err error) {
		data, err = s.client.Select(folder, nil).Wait()
		return err
	})
	if isRefusal(err) {
		return Folder{}, &inbox.Error{Err: err, Hint: "check that the folder exists and may be read", Temp: inbox.IsTemporary(err)}
	}
	if err != nil {
		return Folder{}, err
	}
	if data.UIDValidity == 0 {
		return Folder{}, errors.New("selecting the folder: the server gives no UIDVALIDITY, so that mail in it has no identity")
	}
	s.count.selected(data.NumMessages)
	s.folder = Folder{
		Name:        folder,
		UIDValidity: data.UIDValidity,
		UIDNext:     uint32(data.UIDNext),
		Keywords:    slices.ContainsFunc(data.PermanentFlags, allowsKeyword),
	}
	return s.folder, nil
}

func allowsKeyword(f imap.Flag) bool {
	return f == imap.FlagWildcard || strings.EqualFold(string(f), keyword)
}

// UIDs lists every UID that is now in the selected folder, ascending.
func (s *Session) UIDs(ctx context.Context) ([]uint32, error) { return s.UIDsFrom(ctx, 1) }

// UIDsFrom lists the UIDs of the selected folder that are from or higher,
// ascending.
func (s *Session) UIDsFrom(ctx context.Context, from uint32) ([]uint32, error) {
	if s.folder.Name == "" {
		return nil, fmt.Errorf("listing the folder: %w", ErrFolder)
	}
	from = max(from, 1)
	s.count.listing()
	var uids []uint32
	all := imap.UIDSet{{Start: imap.UID(from)}} // from:*
	err := s.ask(ctx, "listing the folder", all, &imap.FetchOptions{UID: true}, func(uid uint32, _ imapclient.FetchItemData) {
		if uid >= from { // n:* always names the last mail, even below n
			uids = append(uids, uid)
		}
	})
	if isRefusal(err) && s.count.empty() {
		return nil, nil // some servers take a set that names no mail for a mistake
	}
	if err != nil {
		return nil, err
	}
	slices.Sort(uids)
	return slices.Compact(uids), nil
}

// ask sends a FETCH for items without literals, and calls got for each item
// with the UID of its mail, and for the UID itself with a nil item.
func (s *Session) ask(ctx context.Context, doing string, set imap.UIDSet, items *imap.FetchOptions, got func(uid uint32, item imapclient.FetchItemData)) error {
	return s.do(ctx, doing, func() error {
		if nums, ok := set.Nums(); ok { // else nobody knows how many there are
			s.link.allow(answerBytes(len(nums)))
			defer s.link.allowAll()
		}
		cmd := s.client.Fetch(set, items)
		for m := cmd.Next(); m != nil; m = cmd.Next() {
			var uid uint32
			var rest []imapclient.FetchItemData
			for it := m.Next(); it != nil; it = m.Next() {
				if u, ok := it.(imapclient.FetchItemDataUID); ok {
					uid = uint32(u.UID)
				} else {
					rest = append(rest, it)
				}
			}
			if uid == 0 {
				continue
			}
			got(uid, nil)
			for _, it := range rest {
				got(uid, it)
			}
		}
		return cmd.Close()
	})
}

// answerBytes is how much a server may say about so many mails besides their
// texts, and about others that changed meanwhile.
func answerBytes(mails int) int64 { return 1<<20 + int64(mails)<<12 }

// counter follows the number of mails in the selected folder, to notice that
// some arrived. The library's reader calls exists and expunged.
type counter struct {
	wake chan struct{} // holds one token after an arrival

	mu      sync.Mutex
	known   bool
	mails   int64  // before known: only the difference to what SELECT will say
	changes uint64 // how often the number changed by an EXISTS
	seen    uint64 // the changes that the caller has reacted to
}

// exists notes the server's count. Any number but the one that we expect
// means that something arrived.
func (c *counter) exists(n uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known && c.mails == int64(n) {
		return
	}
	c.known, c.mails = true, int64(n)
	c.changes++
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// expunged notes that a mail went. Number 0 names none: there are servers
// that report a moved mail a second time like this.
func (c *counter) expunged(num uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if num > 0 {
		c.mails--
	}
}

// selecting forgets the folder before.
func (c *counter) selecting() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known, c.mails, c.seen = false, 0, c.changes
}

// selected takes the count that SELECT gave, unless the reader already knows
// a later one.
func (c *counter) selected(n uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.known {
		c.known, c.mails = true, c.mails+int64(n)
	}
}

// listing notes that the caller is about to see everything that is there.
func (c *counter) listing() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen = c.changes
}

// arrived tells, once, whether the number changed since the last listing.
func (c *counter) arrived() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.wake:
	default:
	}
	news := c.seen != c.changes
	c.seen = c.changes
	return news
}

func (c *counter) empty() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.known && c.mails == 0
}
