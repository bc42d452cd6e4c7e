package mailbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"push.guru/supportd/inbox"
)

// wanted is a mail that is to be fetched.
type wanted struct {
	uid  uint32
	size int64 // RFC822.SIZE; -1 when the server did not tell
}

// leastMail is the size in bytes below which a size is not believed: a mail
// that came over the network has a longer header.
const leastMail = 512

// Fetch calls each for every mail of uids that is still in folder, which must
// be the selected one, in ascending order of UIDs; each runs between commands
// and may use the session. A mail larger than Config.MaxBytes comes without
// its bytes. Fetch stops at the first error of each and returns it.
//
// The server is not believed: of a mail whose size it does not tell, or tells
// too small to be true, only one byte more than Config.MaxBytes is asked for,
// and the connection ends when twice that is announced or sent.
//
// A mail for which the server had no content is named in a [*PoisonError]
// (joined, when there are several) after all others were given to each. When
// the connection is lost, the error is a *PoisonError if one mail was asked
// for at that moment and a [*BatchError] if there were more; none of these
// was given to each. The exception is a server whose INTERNALDATE of a single
// mail cannot be read: the mail is given to each as if it had arrived now,
// and then the loss of the connection is returned.
func (s *Session) Fetch(ctx context.Context, folder Folder, uids []uint32, each func(inbox.Raw) error) error {
	if folder.Name == "" || folder.Name != s.folder.Name || folder.UIDValidity != s.folder.UIDValidity {
		return fmt.Errorf("fetching mail: %w", ErrFolder)
	}
	uids, err := orderly(uids)
	if err != nil {
		return fmt.Errorf("fetching mail: %w", err)
	}
	var poison []error
	for chunk := range slices.Chunk(uids, maxSet) {
		mails, err := s.sizes(ctx, chunk)
		if err != nil {
			return err
		}
		for _, batch := range s.batches(mails) {
			p, err := s.fetchBatch(ctx, folder, batch, each)
			poison = append(poison, p...)
			if err != nil {
				return join(append(poison, err))
			}
		}
	}
	return join(poison)
}

// join is errors.Join that leaves a single error as it is.
func join(errs []error) error {
	if len(errs) == 1 {
		return errs[0]
	}
	return errors.Join(errs...)
}

// sizes asks how large the mails are. Those that the server does not tell
// about stay in the list: their answers may have been lost.
func (s *Session) sizes(ctx context.Context, uids []uint32) ([]wanted, error) {
	sizes := make(map[uint32]int64, len(uids))
	err := s.ask(ctx, "asking for sizes", uidSet(uids), &imap.FetchOptions{UID: true, RFC822Size: true}, func(uid uint32, item imapclient.FetchItemData) {
		if d, ok := item.(imapclient.FetchItemDataRFC822Size); ok {
			sizes[uid] = d.Size
		}
	})
	if err != nil && !isRefusal(err) {
		return nil, blame(uids, err)
	}
	mails := make([]wanted, len(uids))
	for i, uid := range uids {
		mails[i] = wanted{uid, -1}
		if n, ok := sizes[uid]; ok {
			mails[i].size = n
		}
	}
	return mails, nil
}

// batches divides the mails into what is fetched with one command. A mail of
// unknown size is alone.
func (s *Session) batches(mails []wanted) [][]wanted {
	var all [][]wanted
	var sum int64
	for _, m := range mails {
		cost := m.size
		switch {
		case m.size < 0:
			cost = s.cfg.BatchBytes + 1
		case m.size > s.cfg.MaxBytes:
			cost = 0 // not fetched
		}
		if len(all) == 0 || sum+cost > s.cfg.BatchBytes {
			all, sum = append(all, nil), 0
		}
		all[len(all)-1] = append(all[len(all)-1], m)
		sum += cost
	}
	return all
}

// fetchBatch gets content and date of some mails and hands them over. poison
// holds the mails for which the server has no content.
func (s *Session) fetchBatch(ctx context.Context, folder Folder, batch []wanted, each func(inbox.Raw) error) (poison []error, err error) {
	found, poison, err := s.contents(ctx, batch)
	if err != nil || len(found) == 0 {
		return poison, err
	}
	present := make([]uint32, 0, len(found))
	for _, m := range batch {
		if _, ok := found[m.uid]; ok {
			present = append(present, m.uid)
		}
	}
	dates, lost := s.dates(ctx, present)
	var odd *ProtocolError
	if lost != nil && (len(present) > 1 || !errors.As(lost, &odd)) {
		return poison, blame(present, lost)
	}
	now := time.Now()
	for _, m := range batch {
		c, ok := found[m.uid]
		if !ok {
			continue
		}
		raw := inbox.Raw{
			Ref:      inbox.Ref{Mailbox: s.cfg.Name, Folder: folder.Name, UIDValidity: folder.UIDValidity, UID: m.uid},
			Received: now,
			Size:     max(m.size, c.size),
			Bytes:    c.bytes,
		}
		if t, ok := dates[m.uid]; ok {
			raw.Received = t
		}
		if err := each(raw); err != nil {
			return poison, err
		}
	}
	return poison, lost
}

// contents gets the content of the mails that are small enough; the others
// are in the result without any, and mails that are gone are not.
func (s *Session) contents(ctx context.Context, batch []wanted) (found map[uint32]content, poison []error, err error) {
	found = make(map[uint32]content, len(batch))
	var small []wanted
	for _, m := range batch {
		if m.size > s.cfg.MaxBytes {
			found[m.uid] = content{size: m.size}
		} else {
			small = append(small, m)
		}
	}
	if len(small) > 1 {
		err := s.together(ctx, small, found)
		if err != nil {
			return nil, nil, err
		}
	}
	for _, m := range small {
		if _, ok := found[m.uid]; ok {
			continue
		}
		c, err := s.alone(ctx, m)
		var p *PoisonError
		switch {
		case errors.As(err, &p) && !s.link.dead():
			poison = append(poison, err)
		case err != nil:
			return nil, poison, err
		case c != nil:
			found[m.uid] = *c
		}
	}
	return found, poison, nil
}

// together fetches several mails with one command. It finds those whose
// answers are as they should be.
func (s *Session) together(ctx context.Context, mails []wanted, found map[uint32]content) error {
	uids := make([]uint32, len(mails))
	for i, m := range mails {
		uids[i] = m.uid
	}
	told, err := s.bodies(ctx, uids, slices.ContainsFunc(mails, s.doubts))
	if err != nil && !isRefusal(err) {
		return blame(uids, err)
	}
	left := len(uids)
	for _, m := range mails {
		if c, ok := told.bodies[m.uid]; ok && !c.missing {
			s.doubt = s.doubt || c.size > m.size
			found[m.uid] = c
			left--
		}
	}
	if left > 0 {
		s.cfg.Log.Debug("fetching mail one by one", "mailbox", s.cfg.Name, "mails", left)
	}
	return nil
}

// alone fetches one mail. It gives nil when the mail is gone.
func (s *Session) alone(ctx context.Context, m wanted) (*content, error) {
	uids := []uint32{m.uid}
	part := s.doubts(m)
	told, err := s.bodies(ctx, uids, part)
	c, ok := told.only(m.uid)
	if part && (misunderstood(err) || err == nil && !ok && told.named[m.uid]) { // there are servers that do not know parts
		told, err = s.bodies(ctx, uids, false)
		c, ok = told.only(m.uid)
	}
	if err != nil {
		return nil, blame(uids, err)
	}
	switch {
	case ok && !c.missing:
		s.doubt = s.doubt || m.size >= 0 && c.size > m.size
		return &c, nil
	case ok && m.size <= 0:
		return &content{bytes: []byte{}}, nil // an empty mail
	case ok || told.named[m.uid]:
		return nil, &PoisonError{m.uid, errors.New("the server has the mail but gives no content")}
	}
	return nil, nil
}

// doubts tells whether the size of a mail is not to be believed.
func (s *Session) doubts(m wanted) bool { return s.doubt || m.size < leastMail }

// only gives the text of the only mail that was asked for: the one with its
// UID, or the only one that came.
func (t told) only(uid uint32) (content, bool) {
	c, ok := t.bodies[uid]
	if !ok && len(t.stray) == 1 {
		return t.stray[0], true
	}
	return c, ok
}

// misunderstood tells whether the server took a command for a mistake.
func misunderstood(err error) bool {
	var r *refusal
	return errors.As(err, &r) && r.status == string(imap.StatusResponseTypeBad)
}

// blame names the mails that were asked for when err happened, unless it has
// nothing to do with them.
func blame(uids []uint32, err error) error {
	switch {
	case errors.Is(err, ErrDead), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case len(uids) == 1:
		return &PoisonError{uids[0], err}
	}
	return &BatchError{slices.Clone(uids), err}
}

// bodies asks for the text of the mails: the whole of it, or when part is set
// not more than is enough to see that one is too large.
func (s *Session) bodies(ctx context.Context, uids []uint32, part bool) (told, error) {
	section := &imap.FetchItemBodySection{Peek: true}
	if part {
		section.Partial = &imap.SectionPartial{Size: s.cfg.MaxBytes + 1}
	}
	items := &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{section}}
	s.sink.open()
	err := s.do(ctx, "fetching mail", func() error {
		s.link.allow(2*max(s.cfg.MaxBytes, s.cfg.BatchBytes) + answerBytes(len(uids)))
		defer s.link.allowAll()
		cmd := s.client.Fetch(uidSet(uids), items)
		for m := cmd.Next(); m != nil; m = cmd.Next() {
			if err := s.sink.take(m); err != nil {
				return err // the link is closed; cmd must not be touched again
			}
		}
		return cmd.Close()
	})
	return s.sink.close(), err
}

// dates asks when the mails arrived, and once more alone for each whose answer
// was not as it should be. A refusal is no error: the dates are missing then.
func (s *Session) dates(ctx context.Context, uids []uint32) (map[uint32]time.Time, error) {
	dates := make(map[uint32]time.Time, len(uids))
	ask := func(uids []uint32) error {
		err := s.ask(ctx, "asking for arrival times", uidSet(uids), &imap.FetchOptions{UID: true, InternalDate: true}, func(uid uint32, item imapclient.FetchItemData) {
			if d, ok := item.(imapclient.FetchItemDataInternalDate); ok {
				dates[uid] = d.Time
			}
		})
		if isRefusal(err) {
			return nil
		}
		return err
	}
	if err := ask(uids); err != nil {
		return dates, err
	}
	for _, uid := range uids {
		if _, ok := dates[uid]; ok || len(uids) == 1 {
			continue
		}
		if err := ask([]uint32{uid}); err != nil {
			return dates, err
		}
	}
	return dates, nil
}

// content is a mail's text.
type content struct {
	bytes   []byte
	size    int64 // of the literal
	missing bool  // the server said NIL
}

// told is what the server said while a sink was open.
type told struct {
	bodies map[uint32]content
	stray  []content       // texts that came without a UID
	named  map[uint32]bool // the UIDs of all answers
}

// sink collects FETCH answers, whichever way the library hands them out.
//
// The library's reader stops at a literal until it has been read. take holds
// the lock from before that until the answer is stored; so once the command
// is complete, taking the lock means that every text is stored.
type sink struct {
	max int64       // longer texts are read but not kept, and those of twice the size not even read
	cut func(error) // closes the link

	mu     sync.Mutex
	isOpen bool
	told   told
}

func (k *sink) open() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.isOpen = true
	k.told = told{bodies: make(map[uint32]content), named: make(map[uint32]bool)}
}

// close gives what was collected.
func (k *sink) close() told {
	k.mu.Lock()
	defer k.mu.Unlock()
	t := k.told
	k.isOpen, k.told = false, told{}
	return t
}

// unilateral takes an answer that the library could not give to a command.
func (k *sink) unilateral(m *imapclient.FetchMessageData) {
	k.take(m) // the command that waits fails too, for the link is closed
}

// take reads an answer to its end. After an error the link is closed, and the
// answer and its command must not be touched again.
func (k *sink) take(m *imapclient.FetchMessageData) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	var uid uint32
	var body *content
	for it := m.Next(); it != nil; it = m.Next() {
		switch it := it.(type) {
		case imapclient.FetchItemDataUID:
			uid = uint32(it.UID)
		case imapclient.FetchItemDataBodySection:
			c, err := k.read(it.Literal)
			if err != nil {
				k.cut(err)
				return err
			}
			if wholeText(it.Section) {
				body = &c
			}
		}
	}
	if !k.isOpen {
		return nil
	}
	if uid != 0 {
		k.told.named[uid] = true
	}
	switch {
	case body == nil:
	case uid == 0:
		k.told.stray = append(k.told.stray, *body)
	default:
		if _, ok := k.told.bodies[uid]; !ok {
			k.told.bodies[uid] = *body
		}
	}
	return nil
}

// wholeText tells whether a section is the whole mail, or its beginning.
func wholeText(s *imap.FetchItemBodySection) bool {
	return s.Specifier == imap.PartSpecifierNone && len(s.Part) == 0 && (s.Partial == nil || s.Partial.Offset == 0)
}

// read reads a literal to its end, and makes sure that it is complete. One
// that is far too long is not read.
func (k *sink) read(lit imap.LiteralReader) (content, error) {
	if lit == nil {
		return content{missing: true}, nil
	}
	c := content{size: lit.Size()}
	if c.size > 2*k.max {
		err := fmt.Errorf("%d bytes of one mail: %w", c.size, errTooMuch)
		k.cut(err)
		io.Copy(io.Discard, lit) // ends at once; the library waits until somebody saw the end
		return content{}, err
	}
	var n int64
	var err error
	if c.size > k.max || !k.isOpen {
		n, err = io.Copy(io.Discard, lit)
	} else {
		c.bytes = make([]byte, c.size)
		var m int
		m, err = io.ReadFull(lit, c.bytes)
		n = int64(m)
		if err == nil { // the library goes on once it has seen the end
			if _, e := lit.Read(make([]byte, 1)); e != io.EOF {
				err = errors.New("more text than announced")
			}
		}
	}
	if err == nil && n != c.size {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return content{}, fmt.Errorf("reading %d bytes of mail: %w", c.size, err)
	}
	return c, nil
}
