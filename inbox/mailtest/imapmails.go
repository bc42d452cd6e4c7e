package mailtest

import (
	"bufio"
	"bytes"
	"io"
	"slices"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-message/textproto"
)

// snapshot is a mail as a FETCH found it.
type snapshot struct {
	picked
	flags []imap.Flag
}

// Fetch writes the asked items, UID first and body last. A body without PEEK
// sets \Seen.
func (s *session) Fetch(w *imapserver.FetchWriter, set imap.NumSet, options *imap.FetchOptions) error {
	if err := s.fault(StageFetch); err != nil {
		return err
	}
	mails, manner := s.snapshots(set, options), s.world.manners()
	if manner.Backwards {
		slices.Reverse(mails)
	}
	for i, m := range mails {
		if manner.Chatty {
			other := mails[len(mails)-1-i]
			if err := s.writeMail(w, other, &imap.FetchOptions{Flags: true}); err != nil {
				return err
			}
		}
		if err := s.writeMail(w, m, options); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) snapshots(set imap.NumSet, options *imap.FetchOptions) []snapshot {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	seen := false
	for _, section := range options.BodySection {
		seen = seen || !section.Peek && !s.view.readOnly
	}
	var out []snapshot
	for _, p := range s.view.pick(set) {
		if seen && !hasFlag(p.mail.flags, imap.FlagSeen) {
			p.mail.flags = withFlags(p.mail.flags, []imap.Flag{imap.FlagSeen})
			s.view.folder.touch(p.mail)
		}
		out = append(out, snapshot{p, p.mail.flags})
	}
	return out
}

func (s *session) writeMail(w *imapserver.FetchWriter, m snapshot, options *imap.FetchOptions) error {
	size, whole := s.world.told(m.mail.bytes)
	r := w.CreateMessage(m.seq)
	last := options.UID && s.world.manners().UIDLast
	if options.UID && !last {
		r.WriteUID(m.mail.uid)
	}
	if options.Flags {
		r.WriteFlags(m.flags)
	}
	if options.InternalDate {
		r.WriteInternalDate(m.mail.at)
	}
	if options.RFC822Size {
		r.WriteRFC822Size(size)
	}
	if options.Envelope {
		r.WriteEnvelope(envelope(m.mail.bytes))
	}
	if options.BodyStructure != nil {
		r.WriteBodyStructure(imapserver.ExtractBodyStructure(bytes.NewReader(m.mail.bytes)))
	}
	for _, section := range options.BodySection {
		if whole {
			all := *section
			all.Partial = nil
			section = &all
		}
		b := sectionOf(m.mail.bytes, section)
		if err := writeLiteral(r.WriteBodySection(section, int64(len(b))), b); err != nil {
			return err
		}
	}
	if last {
		r.WriteUID(m.mail.uid)
	}
	return r.Close()
}

func writeLiteral(w io.WriteCloser, b []byte) error {
	if _, err := w.Write(b); err != nil {
		return err
	}
	return w.Close()
}

func envelope(b []byte) *imap.Envelope {
	header, err := textproto.ReadHeader(bufio.NewReader(bytes.NewReader(b)))
	if err != nil {
		return nil // a header that nobody can read has an empty envelope
	}
	return imapserver.ExtractEnvelope(header)
}

// sectionOf gives a part of the mail. The whole mail is given as it is,
// because the library's extraction gives nothing for a broken header.
func sectionOf(b []byte, section *imap.FetchItemBodySection) []byte {
	if section.Specifier != imap.PartSpecifierNone || len(section.Part) > 0 {
		return imapserver.ExtractBodySection(bytes.NewReader(b), section)
	}
	if p := section.Partial; p != nil {
		b = b[min(p.Offset, int64(len(b))):]
		b = b[:min(p.Size, int64(len(b)))]
	}
	return b
}

// acknowledge calls the hook for the mails that a command is about to mark or
// take away.
func (s *session) acknowledge(set imap.NumSet) error {
	s.store.mu.Lock()
	folder, uids, readOnly := s.view.folder.name, uidsOf(s.view.pick(set)), s.view.readOnly
	s.store.mu.Unlock()
	if readOnly {
		return errReadOnly
	}
	if len(uids) > 0 {
		s.world.acknowledged(s.user.addr, folder, uids)
	}
	return nil
}

// Store changes flags.
func (s *session) Store(w *imapserver.FetchWriter, set imap.NumSet, flags *imap.StoreFlags, _ *imap.StoreOptions) error {
	if err := s.fault(StageStore); err != nil {
		return err
	}
	if err := s.acknowledge(set); err != nil {
		return err
	}
	changed := s.setFlags(set, flags)
	if flags.Silent {
		return nil
	}
	for _, m := range changed {
		if err := s.writeMail(w, m, &imap.FetchOptions{UID: true, Flags: true}); err != nil {
			return err
		}
	}
	return nil
}

// setFlags changes the flags under the lock. The session itself is not told
// again what it just did.
func (s *session) setFlags(set imap.NumSet, flags *imap.StoreFlags) []snapshot {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	v := s.view
	current := v.mod == v.folder.mod
	var out []snapshot
	for _, p := range v.pick(set) {
		switch flags.Op {
		case imap.StoreFlagsSet:
			p.mail.flags = withFlags(nil, flags.Flags)
		case imap.StoreFlagsAdd:
			p.mail.flags = withFlags(p.mail.flags, flags.Flags)
		case imap.StoreFlagsDel:
			p.mail.flags = withoutFlags(p.mail.flags, flags.Flags)
		}
		v.folder.touch(p.mail)
		out = append(out, snapshot{p, p.mail.flags})
	}
	if current {
		v.mod = v.folder.mod
	}
	return out
}

// Copy copies mails to another folder of the same user.
func (s *session) Copy(set imap.NumSet, dest string) (*imap.CopyData, error) {
	if err := s.fault(StageCopy); err != nil {
		return nil, err
	}
	if err := s.acknowledge(set); err != nil {
		return nil, err
	}
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	data, _, err := s.copyTo(set, dest)
	return data, err
}

// Move copies mails and takes them out of the selected folder in one step.
func (s *session) Move(w *imapserver.MoveWriter, set imap.NumSet, dest string) error {
	if err := s.fault(StageMove); err != nil {
		return err
	}
	if err := s.acknowledge(set); err != nil {
		return err
	}
	data, gone, err := s.move(set, dest)
	if err != nil || data == nil {
		return err
	}
	if err := w.WriteCopyData(data); err != nil {
		return err
	}
	for _, u := range gone {
		if err := w.WriteExpunge(u.expunge); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) move(set imap.NumSet, dest string) (*imap.CopyData, []update, error) {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	data, uids, err := s.copyTo(set, dest)
	if err != nil {
		return nil, nil, err
	}
	s.view.folder.remove(uids)
	return data, s.view.forget(func(uid imap.UID) bool { return uids[uid] }), nil
}

// copyTo copies under the lock. It gives no data when there was no such mail.
func (s *session) copyTo(set imap.NumSet, dest string) (*imap.CopyData, map[imap.UID]bool, error) {
	to := s.user.folder(dest)
	if to == nil {
		return nil, nil, errTryCreate
	}
	mails := s.view.pick(set)
	if len(mails) == 0 {
		return nil, nil, nil
	}
	data, uids := &imap.CopyData{UIDValidity: to.validity}, map[imap.UID]bool{}
	for _, p := range mails {
		c := to.add(p.mail.bytes, p.mail.at, p.mail.flags)
		data.SourceUIDs.AddNum(p.mail.uid)
		data.DestUIDs.AddNum(c.uid)
		uids[p.mail.uid] = true
	}
	return data, uids, nil
}

// Expunge takes away what is marked \Deleted; with uids, only those of it.
func (s *session) Expunge(w *imapserver.ExpungeWriter, uids *imap.UIDSet) error {
	if err := s.fault(StageExpunge); err != nil {
		return err
	}
	for _, u := range s.expunge(uids) {
		if err := w.WriteExpunge(u.expunge); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) expunge(uids *imap.UIDSet) []update {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	v, gone := s.view, map[imap.UID]bool{}
	if v.readOnly {
		return nil
	}
	in := func(uint32, imap.UID) bool { return true }
	if uids != nil {
		in = v.contains(*uids)
	}
	for _, m := range v.folder.mails {
		if hasFlag(m.flags, imap.FlagDeleted) && in(0, m.uid) {
			gone[m.uid] = true
		}
	}
	v.folder.remove(gone)
	return v.forget(func(uid imap.UID) bool { return gone[uid] })
}
