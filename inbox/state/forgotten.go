package state

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"push.guru/supportd/inbox"
)

// What was forgotten is listed beside the state, so that a restored copy forgets
// it again: a directory with a file a month, which only grows, and which the
// administrator may copy at any time or put on another disk. A line is
//
//	TIME key M-000123 FINGERPRINT … MAC     keys that were dropped
//	TIME delete KEY VALUE MAC               a delete that was carried out, as bucket deleted has it
//
// Nothing in it is personal: a fingerprint tells a key to whoever has it, and
// what is in VALUE is sealed under the house's key. MAC is made with the key of
// the indexes; a line without a right one is no line of this state. A line is on
// disk before what it tells of happens.

// list is the directory of what was forgotten.
type list struct {
	dir  string
	keep time.Duration // months that ended longer ago are removed; 0: none are
	keys *keyring
	mu   sync.Mutex // held by who appends: deletes are committed while keys are dropped
}

const (
	listKey    = "key"
	listDelete = "delete"
	monthFile  = "2006-01"
	keysALine  = 32
)

// fingerprint tells a key from others, to whoever has it.
func fingerprint(key []byte) string {
	sum := sha256.Sum256(append([]byte("supportd forgotten key\x00"), key...))
	return hex.EncodeToString(sum[:16])
}

func (l *list) line(now time.Time, words ...string) string {
	text := strings.Join(append([]string{now.UTC().Format(time.RFC3339)}, words...), " ")
	return text + " " + hex.EncodeToString(l.keys.hash("forgotten", text))
}

// dropped lists keys that will be dropped.
func (l *list) dropped(now time.Time, ids []inbox.MailID) error {
	var lines []string
	for chunk := range slices.Chunk(ids, keysALine) {
		words := []string{listKey}
		for _, id := range chunk {
			if print, ok := l.keys.fingerprint(id); ok && id != house {
				words = append(words, id.String(), print)
			}
		}
		if len(words) > 1 {
			lines = append(lines, l.line(now, words...))
		}
	}
	return l.append(now, lines)
}

// deleted gives the line of a delete that was carried out.
func (l *list) deleted(now time.Time, key, value []byte) string {
	return l.line(now, listDelete, hex.EncodeToString(key), base64.StdEncoding.EncodeToString(value))
}

// append puts lines into the file of a month, on disk when it returns. On an
// error the file is as it was.
func (l *list) append(month time.Time, lines []string) (err error) {
	if len(lines) == 0 {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	defer func() {
		if err != nil {
			err = &inbox.Error{Err: fmt.Errorf("listing what is forgotten in %s: %w", l.dir, err), Hint: "is the disk full, or not there?", Temp: true}
		}
	}()
	if err := os.MkdirAll(l.dir, 0o700); err != nil {
		return err
	}
	path := filepath.Join(l.dir, month.UTC().Format(monthFile))
	_, missing := os.Stat(path)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	end, err := wholeLines(f)
	if err != nil {
		return err
	}
	text := strings.Join(lines, "\n") + "\n"
	if _, err := f.WriteAt([]byte(text), end); err != nil {
		return errors.Join(err, f.Truncate(end))
	}
	if err := f.Sync(); err != nil || missing == nil {
		return err
	}
	return errors.Join(syncDir(l.dir), l.prune(month))
}

// wholeLines gives the length of a file without a last line that a crash has
// cut, which it removes.
func wholeLines(f *os.File) (int64, error) {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil || size == 0 {
		return size, err
	}
	tail := make([]byte, min(size, 1<<16))
	if _, err := f.ReadAt(tail, size-int64(len(tail))); err != nil {
		return 0, err
	}
	end := size - int64(len(tail)) + int64(bytes.LastIndexByte(tail, '\n')+1)
	if end == size {
		return size, nil
	}
	return end, f.Truncate(end)
}

// prune removes the months that nobody asks for any more.
func (l *list) prune(now time.Time) error {
	if l.keep == 0 {
		return nil
	}
	months, err := l.months()
	for _, m := range months {
		begin, bad := time.Parse(monthFile, m)
		if bad == nil && begin.AddDate(0, 1, 0).Before(now.Add(-l.keep)) {
			err = errors.Join(err, os.Remove(filepath.Join(l.dir, m)))
		}
	}
	return err
}

// months lists the files of the list, oldest first; none when there is no
// list.
func (l *list) months() (names []string, err error) {
	entries, err := os.ReadDir(l.dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	for _, e := range entries {
		if _, bad := time.Parse(monthFile, e.Name()); bad == nil {
			names = append(names, e.Name())
		}
	}
	return names, err
}

// listing is what a list has.
type listing struct {
	keys    map[string]bool       // by fingerprint
	mails   map[inbox.MailID]bool // whose keys these were, in some life of the state
	deletes map[string][]byte     // key of bucket deleted -> value
	lines   map[string][]string   // by month, as they stand
	has     map[string]bool       // by line
}

func newListed() *listing {
	return &listing{map[string]bool{}, map[inbox.MailID]bool{}, map[string][]byte{}, map[string][]string{}, map[string]bool{}}
}

// read adds what a list has to f. A last line that a crash has cut is left out.
func (l *list) read(f *listing) error {
	months, err := l.months()
	if err != nil {
		return fmt.Errorf("reading what was forgotten: %w", err)
	}
	for _, m := range months {
		b, err := os.ReadFile(filepath.Join(l.dir, m))
		if err != nil {
			return fmt.Errorf("reading what was forgotten: %w", err)
		}
		n := 0
		for line := range strings.Lines(string(b)) {
			n++
			line, whole := strings.CutSuffix(line, "\n")
			if !whole {
				break
			}
			if !l.take(f, line) {
				return &inbox.Error{Err: fmt.Errorf("%s line %d is damaged, or of another state", filepath.Join(l.dir, m), n),
					Hint: "take the file from another copy, or remove that line: what it tells of will not be forgotten again"}
			}
			if !f.has[line] {
				f.has[line] = true
				f.lines[m] = append(f.lines[m], line)
			}
		}
	}
	return nil
}

// take adds what a line tells of; it is false when the line is none of this
// state.
func (l *list) take(f *listing, line string) bool {
	cut := strings.LastIndexByte(line, ' ')
	if cut < 0 || line[cut+1:] != hex.EncodeToString(l.keys.hash("forgotten", line[:cut])) {
		return false
	}
	words := strings.Split(line[:cut], " ")
	switch {
	case len(words) == 4 && words[1] == listDelete:
		key, err1 := hex.DecodeString(words[2])
		value, err2 := base64.StdEncoding.DecodeString(words[3])
		f.deletes[string(key)] = value
		return err1 == nil && err2 == nil && len(key) == 16
	case len(words) > 2 && len(words)%2 == 0 && words[1] == listKey:
		for i := 2; i < len(words); i += 2 {
			id, err := inbox.ParseMailID(words[i])
			if err != nil {
				return false
			}
			f.mails[id], f.keys[words[i+1]] = true, true
		}
		return true
	}
	return false
}

// merge adds to a list the lines that it does not have.
func (l *list) merge(all *listing) error {
	have := newListed()
	if err := l.read(have); err != nil {
		return err
	}
	for m, lines := range all.lines {
		var more []string
		for _, line := range lines {
			if !have.has[line] {
				more = append(more, line)
			}
		}
		month, err := time.Parse(monthFile, m)
		if err != nil {
			return err
		}
		if err := l.append(month, more); err != nil {
			return err
		}
	}
	return nil
}
