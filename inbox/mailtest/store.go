package mailtest

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"

	"push.guru/supportd/inbox/address"
)

const (
	inboxName = "INBOX"
	delimiter = '/'
)

// store holds everybody's mail. Its one lock covers users, folders, mails and
// what sessions have seen of them; nothing writes to a network under it.
type store struct {
	mu      sync.Mutex
	users   map[string]*user  // by canonical address
	aliases map[string]string // canonical address -> canonical address of a user
}

type user struct {
	addr, password string
	folders        map[string]*folder
	validity       uint32 // the last UIDVALIDITY that was given out
}

type folder struct {
	name       string
	validity   uint32
	next       imap.UID
	mails      []*stored // by UID
	mod        uint64    // grows with every change
	changed    chan struct{}
	subscribed bool
}

type stored struct {
	uid   imap.UID
	bytes []byte // never written to
	at    time.Time
	flags []imap.Flag
	mod   uint64 // the folder's mod when the flags last changed
}

func newStore() *store {
	return &store{users: map[string]*user{}, aliases: map[string]string{}}
}

// key gives the form under which an address is looked up.
func key(addr string) string {
	if c, err := address.Canonical(addr); err == nil {
		return c
	}
	return strings.ToLower(strings.TrimSpace(addr))
}

func (s *store) addUser(addr, password string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := key(addr)
	if s.users[k] != nil {
		return false
	}
	u := &user{addr: addr, password: password, folders: map[string]*folder{}}
	s.users[k] = u
	u.create(inboxName)
	return true
}

// find gives the user whom mail to addr reaches: by the address, by an alias,
// or by either without its +detail.
func (s *store) find(addr string) *user {
	for _, k := range []string{key(addr), key(withoutDetail(addr))} {
		if to, ok := s.aliases[k]; ok {
			k = to
		}
		if u := s.users[k]; u != nil {
			return u
		}
	}
	return nil
}

func withoutDetail(addr string) string {
	at := strings.LastIndexByte(addr, '@')
	plus := strings.IndexByte(addr, '+')
	if plus <= 0 || plus > at {
		return addr
	}
	return addr[:plus] + addr[at:]
}

func (u *user) create(name string) *folder {
	u.validity++
	f := &folder{name: name, validity: u.validity, next: 1, changed: make(chan struct{})}
	u.folders[name] = f
	return f
}

// folder gives the folder of that name, or nil. INBOX has no case.
func (u *user) folder(name string) *folder {
	return u.folders[folderName(name)]
}

func folderName(name string) string {
	name = strings.TrimSuffix(name, string(delimiter))
	if strings.EqualFold(name, inboxName) {
		return inboxName
	}
	return name
}

func (f *folder) add(b []byte, at time.Time, flags []imap.Flag) *stored {
	m := &stored{uid: f.next, bytes: b, at: at}
	m.flags = withFlags(nil, flags)
	f.next++
	f.mails = append(f.mails, m)
	f.touch(m)
	return m
}

// touch wakes everybody who waits for news of the folder; mails are those
// whose flags changed.
func (f *folder) touch(mails ...*stored) {
	f.mod++
	for _, m := range mails {
		m.mod = f.mod
	}
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *folder) get(uid imap.UID) *stored {
	i, ok := slices.BinarySearchFunc(f.mails, uid, func(m *stored, uid imap.UID) int { return cmp.Compare(m.uid, uid) })
	if !ok {
		return nil
	}
	return f.mails[i]
}

func (f *folder) remove(uids map[imap.UID]bool) {
	if len(uids) == 0 {
		return
	}
	f.mails = slices.DeleteFunc(f.mails, func(m *stored) bool { return uids[m.uid] })
	f.touch()
}

// renumber gives the folder another UIDVALIDITY, and its mails new UIDs.
func (f *folder) renumber(validity uint32) {
	f.validity, f.next = validity, 1
	for i, m := range f.mails {
		c := *m
		c.uid = f.next
		f.mails[i] = &c
		f.next++
	}
	f.touch(f.mails...)
}

func hasFlag(flags []imap.Flag, flag imap.Flag) bool {
	return slices.ContainsFunc(flags, func(f imap.Flag) bool { return strings.EqualFold(string(f), string(flag)) })
}

// withFlags gives a copy of flags with add in it; the case of a keyword is
// that of its first use.
func withFlags(flags, add []imap.Flag) []imap.Flag {
	out := slices.Clone(flags)
	for _, f := range add {
		if !hasFlag(out, f) {
			out = append(out, f)
		}
	}
	return out
}

func withoutFlags(flags, drop []imap.Flag) []imap.Flag {
	return slices.DeleteFunc(slices.Clone(flags), func(f imap.Flag) bool { return hasFlag(drop, f) })
}
