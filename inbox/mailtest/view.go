package mailtest

import (
	"slices"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
)

// view is what one session knows of its selected folder. A sequence number is
// a place in known; news is the difference between known and the folder.
type view struct {
	folder   *folder
	readOnly bool
	known    []imap.UID // what the client was told, in order
	next     imap.UID   // the first UID that it was not told of
	mod      uint64     // the folder's mod up to which it was told of flags
	owed     bool       // an EXPUNGE could not be told yet
}

// update is one line of news: an EXPUNGE, an EXISTS, or the flags of a mail.
type update struct {
	expunge, exists uint32
	seq             uint32
	uid             imap.UID
	flags           []imap.Flag
}

func newView(f *folder, readOnly bool) *view {
	v := &view{folder: f, readOnly: readOnly, next: f.next, mod: f.mod}
	for _, m := range f.mails {
		v.known = append(v.known, m.uid)
	}
	return v
}

func (v *view) news(allowExpunge bool) []update {
	f := v.folder
	if v.mod == f.mod && !(v.owed && allowExpunge) {
		return nil
	}
	var out []update
	if allowExpunge {
		out = v.forget(func(uid imap.UID) bool { return f.get(uid) == nil })
	} else {
		v.owed = slices.ContainsFunc(v.known, func(uid imap.UID) bool { return f.get(uid) == nil })
	}
	told := len(v.known)
	for _, m := range f.mails {
		if m.uid >= v.next {
			v.known = append(v.known, m.uid)
		}
	}
	v.next = f.next
	if len(v.known) > told {
		out = append(out, update{exists: uint32(len(v.known))})
	}
	for i, uid := range v.known[:told] {
		if m := f.get(uid); m != nil && m.mod > v.mod {
			out = append(out, update{seq: uint32(i + 1), uid: uid, flags: m.flags})
		}
	}
	v.mod = f.mod
	return out
}

// forget drops the mails that are gone and gives the EXPUNGE of each, highest
// sequence number first.
func (v *view) forget(gone func(imap.UID) bool) []update {
	var out []update
	for i := len(v.known) - 1; i >= 0; i-- {
		if gone(v.known[i]) {
			out = append(out, update{expunge: uint32(i + 1)})
		}
	}
	v.known = slices.DeleteFunc(v.known, gone)
	v.owed = false
	return out
}

func writeNews(w *imapserver.UpdateWriter, news []update) error {
	for _, u := range news {
		var err error
		switch {
		case u.expunge > 0:
			err = w.WriteExpunge(u.expunge)
		case u.exists > 0:
			err = w.WriteNumMessages(u.exists)
		default:
			err = w.WriteMessageFlags(u.seq, u.uid, u.flags)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// picked is a mail that a command is about, as the session numbers it.
type picked struct {
	seq  uint32
	mail *stored
}

// pick gives the mails of the set that the client knows of and that are still there.
func (v *view) pick(set imap.NumSet) []picked {
	has := v.contains(set)
	var out []picked
	for i, uid := range v.known {
		if !has(uint32(i+1), uid) {
			continue
		}
		if m := v.folder.get(uid); m != nil {
			out = append(out, picked{uint32(i + 1), m})
		}
	}
	return out
}

// contains gives the test for membership of the set, with * as the last mail
// that the client knows of.
func (v *view) contains(set imap.NumSet) func(seq uint32, uid imap.UID) bool {
	var lastUID imap.UID
	if n := len(v.known); n > 0 {
		lastUID = v.known[n-1]
	}
	switch set := set.(type) {
	case imap.SeqSet:
		var fixed imap.SeqSet
		for _, r := range set {
			fixed.AddRange(bounds(r.Start, r.Stop, uint32(len(v.known))))
		}
		return func(seq uint32, _ imap.UID) bool { return fixed.Contains(seq) }
	case imap.UIDSet:
		var fixed imap.UIDSet
		for _, r := range set {
			fixed.AddRange(bounds(r.Start, r.Stop, lastUID))
		}
		return func(_ uint32, uid imap.UID) bool { return fixed.Contains(uid) }
	}
	return func(uint32, imap.UID) bool { return false }
}

// bounds puts last for * (which is 0 here) and orders the two.
func bounds[N ~uint32](start, stop, last N) (N, N) {
	if start == 0 {
		start = last
	}
	if stop == 0 {
		stop = last
	}
	return min(start, stop), max(start, stop)
}

func uidsOf(mails []picked) []uint32 {
	out := make([]uint32, len(mails))
	for i, p := range mails {
		out[i] = uint32(p.mail.uid)
	}
	return out
}
