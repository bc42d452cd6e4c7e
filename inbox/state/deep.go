package state

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	bolt "go.etcd.io/bbolt"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/journal"
)

// Examined is what came of one part of Examine.
type Examined struct {
	Name   string
	Seen   string   // how much was looked at
	Faults []string // what is wrong where; the first of them
	Count  int      // of all faults
}

// maxFaults is how many faults of a part are told.
const maxFaults = 10

func (e *Examined) fault(format string, args ...any) {
	if e.Count++; e.Count <= maxFaults {
		e.Faults = append(e.Faults, fmt.Sprintf(format, args...))
	}
}

// Examine reads all of a state that nobody has open, and changes nothing: the
// pages of both files, whether they belong together, the journal, whether every
// seal opens or its key is known to have been dropped, and whether indexes and
// records agree both ways. Where pages are damaged nothing else is looked at: what they
// say may lead anywhere. ErrLocked says that the daemon has the state.
func Examine(c Config) ([]Examined, error) {
	x := &examination{dir: c.Dir, listDir: c.Forgotten}
	if x.listDir == "" {
		x.listDir = filepath.Join(c.Dir, "forgotten")
	}
	defer x.close()
	if err := x.open(); err != nil {
		return nil, err
	}
	var out []Examined
	sound := true
	part := func(name, file string, do func(*Examined) error) {
		e := Examined{Name: name}
		if err := guard(filepath.Join(c.Dir, file), func() error { return do(&e) }); err != nil {
			e.fault("%v", unhinted(err))
		}
		sound = sound && e.Count == 0
		out = append(out, e)
	}
	for _, file := range []string{"state.db", "keys.db"} {
		part("structure of "+file, file, func(e *Examined) error { return pages(e, filepath.Join(c.Dir, file)) })
	}
	if !sound {
		return out, nil
	}
	if part("keys", "keys.db", func(*Examined) error { return x.db.keys.look() }); !sound {
		return out, nil
	}
	for _, p := range []struct {
		name string
		do   func(*Examined) error
	}{
		{"state, keys and sentinel belong together", x.belong},
		{"journal", x.journal},
		{"seals", x.seals},
		{"mails and their indexes", x.mails},
		{"actions and their indexes", x.actions},
		{"replies and their indexes", x.replies},
		{"questions and their indexes", x.asks},
		{"refs on the server", x.refs},
		{"what is open, and the numbers", x.desk},
		{"what the journal is about", x.journalOf},
	} {
		part(p.name, "state.db", p.do)
	}
	return out, nil
}

// unhinted gives an error without its hint, which the caller has.
func unhinted(err error) error {
	var e *inbox.Error
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}

// examination is a state that is read by nobody else.
type examination struct {
	dir, listDir    string
	state, keysFile *bolt.DB
	db              *DB
}

func (x *examination) open() (err error) {
	if _, err := os.Stat(filepath.Join(x.dir, restoredDir)); err == nil {
		return &inbox.Error{Err: errors.New("a restore was cut short"), Hint: "start supportd, or restore again, to finish it"}
	}
	for name, file := range map[string]**bolt.DB{"state.db": &x.state, "keys.db": &x.keysFile} {
		path := filepath.Join(x.dir, name)
		if _, err := os.Stat(path); err != nil {
			return fmt.Errorf("looking at the state: %w", err)
		}
		if *file, err = openBoltAs(path, true); err != nil {
			return err
		}
	}
	keys := &keyring{path: filepath.Join(x.dir, "keys.db"), db: x.keysFile}
	x.db = &DB{dir: x.dir, keys: keys, list: &list{dir: x.listDir, keys: keys}}
	return nil
}

func (x *examination) close() {
	for _, file := range []*bolt.DB{x.state, x.keysFile} {
		if file != nil {
			file.Close()
		}
	}
}

// look reads what keys.db begins with, and changes nothing.
func (k *keyring) look() error {
	return k.db.View(func(tx *bolt.Tx) error {
		keys, hash := tx.Bucket(bucketKeys), tx.Bucket(bucketHash)
		if keys == nil || hash == nil || hash.Get(keyHash) == nil {
			return damaged(k.path, "the key of the indexes is missing")
		}
		k.index, k.upTo = bytes.Clone(hash.Get(keyHash)), keys.Sequence()
		return nil
	})
}

func (x *examination) view(f func(tx *Tx) error) error {
	return x.state.View(func(tx *bolt.Tx) error {
		for _, name := range Buckets() {
			if tx.Bucket([]byte(name)) == nil {
				return fmt.Errorf("bucket %s is missing, or this version has not opened the state yet", name)
			}
		}
		return f(&Tx{tx: tx, db: x.db})
	})
}

func (x *examination) belong(e *Examined) error {
	return x.view(func(tx *Tx) error {
		meta := tx.bucket("meta")
		if err := errors.Join(checkSchema(meta), x.db.checkKeys(tx.tx)); err != nil {
			e.fault("%v", unhinted(err))
		}
		mark, err := readSentinel(filepath.Join(x.dir, "instance"))
		if err != nil {
			return err
		}
		if mark.instance != "" && mark.instance != string(meta.Get([]byte("instance"))) {
			e.fault("state.db belongs to another instance than %s", filepath.Join(x.dir, "instance"))
		}
		return nil
	})
}

func (x *examination) journal(e *Examined) error {
	return x.view(func(tx *Tx) error {
		f, err := tx.VerifyJournal("")
		if f.Broken != "" {
			e.fault("%s", f.Broken)
		}
		e.Seen = fmt.Sprintf("%d entries, %d of them dropped, %d details forgotten", f.Entries, f.Dropped, len(f.Forgotten))
		return err
	})
}

// seals opens everything that is sealed.
func (x *examination) seals(e *Examined) error {
	return x.view(func(tx *Tx) error {
		known, err := x.known(tx)
		if err != nil {
			return err
		}
		s := &sealCheck{tx: tx, e: e, known: known}
		for _, bucket := range []string{"mails", "actions", "replies"} {
			if err := tx.bucket(bucket).ForEach(func(k, v []byte) error { s.record(bucket, k, v); return nil }); err != nil {
				return err
			}
		}
		err = tx.bucket("deleted").ForEach(func(k, v []byte) error {
			s.n++
			if _, err := tx.deleted(k, v); err != nil {
				e.fault("the delete of %s that was carried out: %v", inbox.ActionID(binary.BigEndian.Uint64(k[8:])), err)
			}
			return nil
		})
		err = errors.Join(err, tx.bucket("rendered").ForEach(func(k, v []byte) error { s.rendered(k, v); return nil }), s.files(x.dir), s.attached(), s.house())
		e.Seen = fmt.Sprintf("%d opened, %d forgotten", s.n-s.gone, s.gone)
		return err
	})
}

// known gives the Cases of which something says that their key was dropped.
func (x *examination) known(tx *Tx) (map[inbox.MailID]bool, error) {
	all := newListed()
	if err := x.db.list.read(all); err != nil {
		return nil, err
	}
	err := toldForgotten(tx, all.mails)
	return all.mails, err
}

// toldForgotten adds the Cases of which the journal says that their key was
// dropped.
func toldForgotten(tx *Tx, all map[inbox.MailID]bool) error {
	return tx.WalkJournal(1, false, func(l journal.Link) (bool, error) {
		if l.What == "forgotten" {
			all[l.Case] = true
		}
		return true, nil
	})
}

// sealCheck opens one sealed thing after the other.
type sealCheck struct {
	tx      *Tx
	e       *Examined
	known   map[inbox.MailID]bool
	n, gone int
}

func (s *sealCheck) open(what, label string, c inbox.MailID, sealed []byte) {
	s.n++
	b, err := s.tx.db.keys.unseal(c, label, sealed)
	switch {
	case errors.Is(err, errKeyGone):
		s.gone++
		if m, err := stored[inbox.Mail](s.tx, "mails", uint64(c)); !s.known[c] && (err != nil || m.Forgotten.IsZero()) {
			s.e.fault("%s: the key of %s is missing, and nothing says that it was dropped", what, c)
		}
	case err != nil:
		s.e.fault("%s cannot be opened although the key of %s is here", what, c)
	case strings.HasPrefix(label, "rendered") || strings.HasPrefix(label, "file"):
	case !json.Valid(b):
		s.e.fault("%s cannot be read", what)
	}
}

// record opens what is sealed of a record, which says itself which it is.
func (s *sealCheck) record(bucket string, k, v []byte) {
	var r struct {
		ID    string       `json:"id"`
		Case  inbox.MailID `json:"case"`
		Kind  inbox.Kind   `json:"kind"`
		Topic inbox.Topic  `json:"topic"`
	}
	if len(k) != 8 {
		s.e.fault("%s has a record under %x, which is no number", bucket, k)
		return
	}
	n := binary.BigEndian.Uint64(k)
	var c inbox.MailID
	id := ""
	sealed, err := decode(v, &r)
	switch bucket {
	case "mails":
		c, id = inbox.MailID(n), inbox.MailID(n).String()
	case "actions":
		c, id = actionKey(&inbox.Action{Case: r.Case, Kind: r.Kind, Topic: r.Topic}), inbox.ActionID(n).String()
	default:
		c, id = r.Case, inbox.ReplyID(n).String()
	}
	switch {
	case err != nil:
		s.e.fault("%s cannot be read: %v", id, err)
	case r.ID != id:
		s.e.fault("%s: the record of %s stands in its place", id, r.ID)
	case len(sealed) > 0:
		s.open(id, fmt.Sprintf("%s %d", bucket, n), c, sealed)
	}
}

func (s *sealCheck) rendered(k, v []byte) {
	id := inbox.ReplyID(binary.BigEndian.Uint64(k))
	r, err := stored[inbox.Reply](s.tx, "replies", uint64(id))
	if err != nil {
		s.e.fault("%s has bytes to be sent, and no record", id)
		return
	}
	if string(v) != inFile {
		s.open("what is sent as "+id.String(), "rendered "+id.String(), r.Case, v)
	}
}

// files opens the files of letters that wait. One that a crash has left behind
// is no fault.
func (s *sealCheck) files(dir string) error {
	entries, err := os.ReadDir(filepath.Join(dir, "replies"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for _, f := range entries {
		if needed, err := s.tx.needed(f.Name()); err != nil || !needed || strings.HasSuffix(f.Name(), unfinished) {
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, "replies", f.Name()))
		if err != nil {
			s.e.fault("replies/%s: %v", f.Name(), err)
			continue
		}
		s.open("replies/"+f.Name(), "file "+f.Name(), s.caseOf(f.Name()), b)
	}
	return nil
}

// attached opens the small files, which lie in state.db.
func (s *sealCheck) attached() error {
	return s.tx.bucket("attached").ForEach(func(k, v []byte) error {
		if needed, err := s.tx.needed(string(k)); err != nil || !needed {
			return nil
		}
		s.open("the file "+string(k), "file "+string(k), s.caseOf(string(k)), v)
		return nil
	})
}

// house opens what belongs to staff.
func (s *sealCheck) house() error {
	err := s.tx.bucket("staff").ForEach(func(k, v []byte) error {
		a, sealed := "the account "+string(k), []byte(nil)
		r, err := parsed[StaffAccount](v)
		if err == nil {
			sealed, err = sealedPart(v)
		}
		switch {
		case err != nil:
			s.e.fault("%s cannot be read: %v", a, err)
		case r.Name != string(k):
			s.e.fault("%s: that of %s stands in its place", a, r.Name)
		default:
			s.open(a, staffLabel(r.Name), house, sealed)
		}
		return nil
	})
	return errors.Join(err, s.tx.bucket("saved").ForEach(func(k, v []byte) error {
		s.open("a kept answer", savedLabel(k), house, v)
		return nil
	}))
}

// caseOf gives the Case of a file that is needed.
func (s *sealCheck) caseOf(file string) inbox.MailID {
	letter, rest, _ := strings.Cut(file, "-")
	number, _, _ := strings.Cut(rest, "-")
	if letter == "R" {
		var id inbox.ReplyID
		_ = id.UnmarshalText([]byte("R-" + number)) // needed has read it
		if r, err := stored[inbox.Reply](s.tx, "replies", uint64(id)); err == nil {
			return r.Case
		}
		return house
	}
	id, _ := inbox.ParseActionID(letter + "-" + number) // the same
	if a, err := stored[inbox.Action](s.tx, "actions", uint64(id)); err == nil {
		return a.Case
	}
	return house
}
