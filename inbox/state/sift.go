package state

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"push.guru/supportd/inbox"
)

// Sift says what a line of the index of what is open must hold. Lines that do not
// are passed over without being read, which costs a hundredth of reading them.
// The zero value lets every line through.
type Sift struct {
	Class      Class       // 0: all
	Kind       inbox.Kind  // "": all
	State      inbox.State // "": all
	Letters    bool        // a letter is held
	Language   string      // how the tag begins, such as "en"; "": all
	Mailbox    string      // "": all
	Assignee   string      // "": whoever
	Unassigned bool        // handed over to nobody
	DueBefore  time.Time   // zero: all
}

// OpenSifted is OpenAfter for the lines that a Sift lets through.
func (tx *Tx) OpenSifted(after string, s Sift, f func(o Line, key string) bool) error {
	if begin := string([]byte{byte(s.Class)}); s.Class != 0 && after < begin {
		after = begin
	}
	marks, err := s.marks()
	if err != nil {
		return err
	}
	c := tx.bucket("open").Cursor()
	k, v := c.Seek([]byte(after))
	if k != nil && string(k) == after {
		k, v = c.Next()
	}
	for ; k != nil && (s.Class == 0 || k[0] == byte(s.Class)); k, v = c.Next() {
		if !s.lets(k, v, marks) {
			continue
		}
		o, err := readOpen(k, v)
		if err != nil {
			return err
		}
		if !f(o, string(k)) {
			return nil
		}
	}
	return nil
}

// marks gives what the value of a line has in it as place writes it.
func (s Sift) marks() (marks [][]byte, err error) {
	whole := func(key, value string) {
		if value == "" {
			return
		}
		b, e := json.Marshal(value)
		if e != nil {
			err = fmt.Errorf("looking for a line of what is open: %w", e)
		}
		marks = append(marks, join(nameOf(key), b))
	}
	whole("kind", string(s.Kind))
	whole("state", string(s.State))
	whole("box", s.Mailbox)
	whole("who", s.Assignee)
	if s.Letters {
		marks = append(marks, join(nameOf("letters"), []byte("true")))
	}
	if s.Language != "" {
		marks = append(marks, join(nameOf("lang"), []byte(`"`+s.Language)))
	}
	return marks, err
}

// nameOf gives a name as it stands in a value. In a text it cannot stand so: the
// quotes would be escaped.
func nameOf(key string) []byte { return []byte(`"` + key + `":`) }

func (s Sift) lets(k, v []byte, marks [][]byte) bool {
	if !s.DueBefore.IsZero() && len(k) == 18 && time.Unix(0, int64(binary.BigEndian.Uint64(k[1:]))).Compare(s.DueBefore) >= 0 {
		return false
	}
	for _, m := range marks {
		if !bytes.Contains(v, m) {
			return false
		}
	}
	return !s.Unassigned || !bytes.Contains(v, nameOf("who"))
}

// OpenLanguages lists the languages of what is open: the first part of each tag,
// such as "ru" of "ru-KZ", in the order of the alphabet.
func (tx *Tx) OpenLanguages() []string {
	var all []string
	begin := append(nameOf("lang"), '"')
	c := tx.bucket("open").Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		i := bytes.Index(v, begin)
		if i < 0 {
			continue
		}
		tag := v[i+len(begin):]
		if end := bytes.IndexAny(tag, `-"`); end >= 0 {
			tag = tag[:end]
		}
		if !slices.ContainsFunc(all, func(l string) bool { return l == string(tag) }) {
			all = append(all, string(tag))
		}
	}
	slices.Sort(all)
	return all
}
