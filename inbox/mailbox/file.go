package mailbox

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"

	"push.guru/supportd/inbox"
)

// maxSet is the number of UIDs in one command, so that its line stays well
// below the 8192 octets that servers are sure to take.
const maxSet = 400

// Filed is where moved mail is now, as far as the server told: the UIDVALIDITY
// of the folder that it was moved to, and the new UID of each old one.
type Filed struct {
	UIDValidity uint32
	UIDs        map[uint32]uint32
}

// File moves mail from the selected folder to another, which is created and
// subscribed when it is missing. It returns the new UID of each mail for
// which the server told one, also together with an error. UIDs that are gone
// are no error. On a server without MOVE an error may leave a mail in both
// folders, never in none; without UIDPLUS the old copy stays, marked as
// deleted.
func (s *Session) File(ctx context.Context, uids []uint32, folder string) (Filed, error) {
	moved := Filed{UIDs: make(map[uint32]uint32)}
	if sameFolder(folder, s.folder.Name) {
		return moved, errors.New("filing mail: the folder to file into is the one that is read")
	}
	err := s.chunks(uids, func(set imap.UIDSet) error {
		atOnce, put := s.canMove(), s.copy
		if atOnce {
			put = s.move
		}
		err := put(ctx, set, folder, &moved)
		if isRefusal(err) {
			err = s.afterCreate(ctx, folder, func() error { return put(ctx, set, folder, &moved) })
		}
		if err != nil || atOnce {
			return err
		}
		return s.drop(ctx, set)
	})
	return moved, err
}

// Mark sets the keyword $Supportd on mail in the selected folder.
func (s *Session) Mark(ctx context.Context, uids []uint32) error {
	return s.chunks(uids, func(set imap.UIDSet) error {
		return s.flag(ctx, "marking mail", set, keyword)
	})
}

// Expunge removes mail from the selected folder for good. It returns
// [ErrNoUIDPlus], and changes nothing, on a server that can only expunge all
// that anybody marked as deleted.
func (s *Session) Expunge(ctx context.Context, uids []uint32) error {
	if !s.HasUIDPlus() {
		return ErrNoUIDPlus
	}
	return s.chunks(uids, func(set imap.UIDSet) error {
		if err := s.flag(ctx, "marking mail as deleted", set, imap.FlagDeleted); err != nil {
			return err
		}
		return s.expunge(ctx, set)
	})
}

// chunks calls f for the UIDs in sets that fit into a command.
func (s *Session) chunks(uids []uint32, f func(imap.UIDSet) error) error {
	if s.folder.Name == "" {
		return ErrFolder
	}
	uids, err := orderly(uids)
	if err != nil {
		return err
	}
	for chunk := range slices.Chunk(uids, maxSet) {
		if err := f(uidSet(chunk)); err != nil {
			return err
		}
	}
	return nil
}

// canMove tells whether the server has MOVE. The library must know of it too:
// without it, its own way would be COPY and an EXPUNGE that does not wait for
// the COPY to succeed.
func (s *Session) canMove() bool { return s.HasMove() && s.client.Caps().Has(imap.CapMove) }

// move moves mail with MOVE (RFC 6851).
func (s *Session) move(ctx context.Context, set imap.UIDSet, folder string, moved *Filed) error {
	return s.do(ctx, "filing mail", func() error {
		data, err := s.client.Move(set, folder).Wait()
		if err != nil {
			return err
		}
		from, _ := data.SourceUIDs.(imap.UIDSet)
		to, _ := data.DestUIDs.(imap.UIDSet)
		moved.pair(data.UIDValidity, set, from, to)
		return nil
	})
}

// copy is the first of the steps that stand for MOVE; drop is the others.
func (s *Session) copy(ctx context.Context, set imap.UIDSet, folder string, moved *Filed) error {
	return s.do(ctx, "copying mail", func() error {
		data, err := s.client.Copy(set, folder).Wait()
		if err != nil {
			return err
		}
		moved.pair(data.UIDValidity, set, data.SourceUIDs, data.DestUIDs)
		return nil
	})
}

// drop removes mail that was copied, as far as that can be done without
// touching what others marked as deleted.
func (s *Session) drop(ctx context.Context, set imap.UIDSet) error {
	if err := s.flag(ctx, "marking copied mail as deleted", set, imap.FlagDeleted); err != nil {
		return err
	}
	if !s.HasUIDPlus() {
		return nil
	}
	return s.expunge(ctx, set)
}

func (s *Session) flag(ctx context.Context, doing string, set imap.UIDSet, flag imap.Flag) error {
	return s.do(ctx, doing, func() error {
		return s.client.Store(set, &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{flag}}, nil).Close()
	})
}

func (s *Session) expunge(ctx context.Context, set imap.UIDSet) error {
	return s.do(ctx, "expunging mail", func() error {
		gone, err := s.client.UIDExpunge(set).Collect()
		for _, num := range gone {
			s.count.expunged(num)
		}
		return err
	})
}

// afterCreate makes a folder and puts mail into it. Where CREATE is refused the
// folder may be there all the same: somebody made it meanwhile, or the server
// itself, which Dovecot denies when another session lists folders at that moment.
func (s *Session) afterCreate(ctx context.Context, folder string, put func() error) error {
	made := s.create(ctx, folder)
	if made != nil && !isRefusal(made) {
		return made
	}
	err := put()
	if made != nil && isRefusal(err) {
		return &inbox.Error{Err: err, Temp: inbox.IsTemporary(err),
			Hint: `check the name of the folder to file into; some servers want "INBOX." before it`}
	}
	if made != nil && err == nil {
		s.subscribe(ctx, folder)
	}
	return err
}

func (s *Session) create(ctx context.Context, folder string) error {
	err := s.do(ctx, "creating the folder", func() error { return s.client.Create(folder, nil).Wait() })
	if err != nil {
		return err
	}
	s.cfg.Log.Info("created an IMAP folder", "mailbox", s.cfg.Name, "folder", folder)
	s.subscribe(ctx, folder)
	return nil
}

func (s *Session) subscribe(ctx context.Context, folder string) {
	if err := s.do(ctx, "subscribing to the folder", func() error { return s.client.Subscribe(folder).Wait() }); err != nil {
		s.cfg.Log.Warn("the new IMAP folder is not subscribed; mail programs may not show it", "mailbox", s.cfg.Name, "error", err)
	}
}

// pair notes which UID became which. Both sets are in ascending order, as
// servers copy; sets of different sizes, or that name mail that was not asked
// for, say nothing.
func (f *Filed) pair(uidvalidity uint32, asked, from, to imap.UIDSet) {
	a, okA := expand(from)
	b, okB := expand(to)
	if !okA || !okB || len(a) != len(b) {
		return
	}
	f.UIDValidity = uidvalidity
	for i, uid := range a {
		if asked.Contains(imap.UID(uid)) {
			f.UIDs[uid] = b[i]
		}
	}
}

// expand lists the UIDs of a set that has at most maxSet of them.
func expand(set imap.UIDSet) (uids []uint32, ok bool) {
	for _, r := range set {
		if r.Start == 0 || r.Stop < r.Start || uint64(r.Stop)-uint64(r.Start) >= maxSet {
			return nil, false
		}
		for n := uint64(r.Start); n <= uint64(r.Stop); n++ {
			uids = append(uids, uint32(n))
		}
		if len(uids) > maxSet {
			return nil, false
		}
	}
	return uids, true
}

// orderly gives the UIDs in ascending order, each once. UID 0 is refused, for
// in a set it would stand for the last mail.
func orderly(uids []uint32) ([]uint32, error) {
	uids = slices.Compact(slices.Sorted(slices.Values(uids)))
	if len(uids) > 0 && uids[0] == 0 {
		return nil, errors.New("0 is not a UID")
	}
	return uids, nil
}

func uidSet(uids []uint32) imap.UIDSet {
	var set imap.UIDSet
	for _, uid := range uids {
		set.AddNum(imap.UID(uid))
	}
	return set
}

func sameFolder(a, b string) bool {
	return a == b || strings.EqualFold(a, "INBOX") && strings.EqualFold(b, "INBOX")
}
