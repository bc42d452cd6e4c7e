package mailtest

import (
	"crypto/subtle"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-sasl"
)

var (
	errNoFolder  = &imap.Error{Type: imap.StatusResponseTypeNo, Code: imap.ResponseCodeNonExistent, Text: "No such mailbox"}
	errTryCreate = &imap.Error{Type: imap.StatusResponseTypeNo, Code: imap.ResponseCodeTryCreate, Text: "No such mailbox"}
	errReadOnly  = &imap.Error{Type: imap.StatusResponseTypeNo, Code: imap.ResponseCodeNoPerm, Text: "Mailbox is read-only"}
	errMechanism = &imap.Error{Type: imap.StatusResponseTypeNo, Text: "SASL mechanism not supported"}
)

// session is one IMAP connection. Its view is guarded by the store's lock,
// because IDLE runs in a goroutine of its own.
type session struct {
	world *World
	store *store
	conn  *imapserver.Conn
	user  *user
	view  *view
}

var (
	_ imapserver.SessionMove      = (*session)(nil)
	_ imapserver.SessionNamespace = (*session)(nil)
	_ imapserver.SessionSASL      = (*session)(nil)
)

func (s *session) Close() error {
	s.world.mu.Lock()
	delete(s.world.open, s)
	s.world.mu.Unlock()
	s.world.sessions.Done()
	return nil
}

// fault asks the script whether the command fails here, and turns what it
// says into the library's answer.
func (s *session) fault(stage string) error {
	err := s.world.fault(stage, s.user.addr)
	var answer *imap.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &answer):
		return answer
	case errors.Is(err, ErrSilence):
		s.silence()
	case errors.Is(err, ErrHangUp):
		_ = s.conn.NetConn().Close() // the script wants it
	}
	return &imap.Error{Type: imap.StatusResponseTypeNo, Code: imap.ResponseCodeUnavailable, Text: err.Error()}
}

// silence reads and answers nothing until the client or the World gives up.
func (s *session) silence() {
	conn := s.conn.NetConn()
	_ = conn.SetReadDeadline(time.Time{}) // the library's limit is no silence
	_, _ = io.Copy(io.Discard, conn)
	_ = conn.Close()
}

func (s *session) Login(username, password string) error {
	u := s.store.login(username, password)
	if u == nil {
		return imapserver.ErrAuthFailed
	}
	s.user = u
	return s.fault(StageLogin)
}

func (s *store) login(username, password string) *user {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.users[key(username)]
	if u == nil || subtle.ConstantTimeCompare([]byte(u.password), []byte(password)) != 1 {
		return nil
	}
	return u
}

func (s *session) AuthenticateMechanisms() []string { return []string{sasl.Plain, sasl.Login, xoauth2} }

func (s *session) Authenticate(mech string) (sasl.Server, error) {
	if server := saslServer(mech, s.Login); server != nil {
		return server, nil
	}
	return nil, errMechanism
}

func (s *session) Namespace() (*imap.NamespaceData, error) {
	return &imap.NamespaceData{Personal: []imap.NamespaceDescriptor{{Delim: delimiter}}}, nil
}

func (s *session) Select(name string, options *imap.SelectOptions) (*imap.SelectData, error) {
	if err := s.fault(StageSelect); err != nil {
		return nil, err
	}
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	f := s.user.folder(name)
	if f == nil {
		return nil, errNoFolder
	}
	s.view = newView(f, options.ReadOnly)
	flags := f.flags()
	return &imap.SelectData{
		Flags:             flags,
		PermanentFlags:    append(slices.Clone(flags), imap.FlagWildcard),
		NumMessages:       uint32(len(f.mails)),
		FirstUnseenSeqNum: f.firstUnseen(),
		UIDNext:           f.next,
		UIDValidity:       f.validity,
	}, nil
}

// flags lists the system flags and the keywords in use.
func (f *folder) flags() []imap.Flag {
	flags := []imap.Flag{imap.FlagAnswered, imap.FlagFlagged, imap.FlagDeleted, imap.FlagSeen, imap.FlagDraft}
	for _, m := range f.mails {
		flags = withFlags(flags, m.flags)
	}
	return flags
}

func (f *folder) firstUnseen() uint32 {
	return uint32(slices.IndexFunc(f.mails, func(m *stored) bool { return !hasFlag(m.flags, imap.FlagSeen) }) + 1)
}

func (s *session) Unselect() error {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	s.view = nil
	return nil
}

func (s *session) Create(name string, _ *imap.CreateOptions) error {
	fault := s.fault(StageCreate)
	if fault != nil && !errors.Is(fault, ErrExists) {
		return fault
	}
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	name = folderName(name)
	if s.user.folders[name] != nil {
		return ErrExists
	}
	s.user.create(name)
	return fault
}

func (s *session) Delete(name string) error {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	name = folderName(name)
	if name == inboxName || s.user.folders[name] == nil {
		return errNoFolder
	}
	delete(s.user.folders, name)
	return nil
}

func (s *session) Rename(name, to string, _ *imap.RenameOptions) error {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	name, to = folderName(name), folderName(to)
	f := s.user.folders[name]
	switch {
	case f == nil || name == inboxName:
		return errNoFolder
	case s.user.folders[to] != nil:
		return ErrExists
	}
	delete(s.user.folders, name)
	f.name = to
	s.user.folders[to] = f
	return nil
}

func (s *session) Subscribe(name string) error   { return s.subscribe(name, true) }
func (s *session) Unsubscribe(name string) error { return s.subscribe(name, false) }

func (s *session) subscribe(name string, on bool) error {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	f := s.user.folder(name)
	if f == nil {
		return errNoFolder
	}
	f.subscribed = on
	return nil
}

func (s *session) List(w *imapserver.ListWriter, ref string, patterns []string, options *imap.ListOptions) error {
	if len(patterns) == 0 {
		return w.WriteList(&imap.ListData{Attrs: []imap.MailboxAttr{imap.MailboxAttrNoSelect}, Delim: delimiter})
	}
	for _, data := range s.list(ref, patterns, options) {
		if err := w.WriteList(data); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) list(ref string, patterns []string, options *imap.ListOptions) []*imap.ListData {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	var out []*imap.ListData
	for name, f := range s.user.folders {
		match := func(p string) bool { return imapserver.MatchList(name, delimiter, ref, p) }
		if !slices.ContainsFunc(patterns, match) || options.SelectSubscribed && !f.subscribed {
			continue
		}
		data := &imap.ListData{Mailbox: name, Delim: delimiter}
		if f.subscribed {
			data.Attrs = append(data.Attrs, imap.MailboxAttrSubscribed)
		}
		if options.ReturnStatus != nil {
			data.Status = f.status(options.ReturnStatus)
		}
		out = append(out, data)
	}
	slices.SortFunc(out, func(a, b *imap.ListData) int { return strings.Compare(a.Mailbox, b.Mailbox) })
	return out
}

func (s *session) Status(name string, options *imap.StatusOptions) (*imap.StatusData, error) {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	f := s.user.folder(name)
	if f == nil {
		return nil, errNoFolder
	}
	return f.status(options), nil
}

func (f *folder) status(options *imap.StatusOptions) *imap.StatusData {
	var unseen, deleted, recent uint32
	var size int64
	for _, m := range f.mails {
		size += int64(len(m.bytes))
		if !hasFlag(m.flags, imap.FlagSeen) {
			unseen++
		}
		if hasFlag(m.flags, imap.FlagDeleted) {
			deleted++
		}
	}
	all := uint32(len(f.mails))
	data := &imap.StatusData{Mailbox: f.name, UIDNext: f.next, UIDValidity: f.validity}
	for _, x := range []struct {
		asked bool
		put   **uint32
		n     *uint32
	}{
		{options.NumMessages, &data.NumMessages, &all},
		{options.NumUnseen, &data.NumUnseen, &unseen},
		{options.NumDeleted, &data.NumDeleted, &deleted},
		{options.NumRecent, &data.NumRecent, &recent},
	} {
		if x.asked {
			*x.put = x.n
		}
	}
	if options.Size {
		data.Size = &size
	}
	return data
}

func (s *session) Append(name string, r imap.LiteralReader, options *imap.AppendOptions) (*imap.AppendData, error) {
	if err := s.fault(StageAppend); err != nil {
		return nil, err
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	at := options.Time
	if at.IsZero() {
		at = time.Now()
	}
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	f := s.user.folder(name)
	if f == nil {
		return nil, errTryCreate
	}
	m := f.add(b, at, options.Flags)
	return &imap.AppendData{UID: m.uid, UIDValidity: f.validity}, nil
}

// Poll tells the client what is new.
func (s *session) Poll(w *imapserver.UpdateWriter, allowExpunge bool) error {
	news, _ := s.news(allowExpunge)
	return writeNews(w, news)
}

// Idle tells the client what is new, at once and then whenever something
// changes, until stop is closed.
func (s *session) Idle(w *imapserver.UpdateWriter, stop <-chan struct{}) error {
	for {
		news, changed := s.news(true)
		if err := writeNews(w, news); err != nil {
			return err
		}
		select {
		case <-changed:
		case <-stop:
			return nil
		}
	}
}

// news takes what the view has to tell, and a channel that is closed at the
// next change; nil when no folder is selected.
func (s *session) news(allowExpunge bool) ([]update, <-chan struct{}) {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	if s.view == nil {
		return nil, nil
	}
	return s.view.news(allowExpunge), s.view.folder.changed
}
