package review

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"sort"
	"strconv"
	"time"

	"push.guru/supportd/handlers"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/journal"
	"push.guru/supportd/inbox/state"
)

// LogFilter says what of the journal is listed; the zero value is everything,
// the newest first and without details.
type LogFilter struct {
	From    time.Time      `json:"from,omitzero"`     // at or after; zero: from the beginning
	To      time.Time      `json:"to,omitzero"`       // before; zero: up to now
	Case    inbox.MailID   `json:"case,omitzero"`     // it and its Actions; 0: all
	Action  inbox.ActionID `json:"action,omitzero"`   // 0: all
	Who     string         `json:"who,omitempty"`     // "": whoever
	What    string         `json:"what,omitempty"`    // as written, or one of Words; "": whatever
	Oldest  bool           `json:"oldest,omitempty"`  // the oldest first
	Details bool           `json:"details,omitempty"` // with what is sealed, which may be personal: the caller has the right to see it
}

func (f *LogFilter) takes(e journal.Entry) bool {
	return !e.At.Before(f.From) && (f.To.IsZero() || e.At.Before(f.To)) &&
		(f.Who == "" || e.Who == f.Who) && (f.What == "" || isWord(f.What, e.What)) && (f.Action == 0 || e.Action == f.Action)
}

// LogEntry is an entry of the journal.
type LogEntry struct {
	journal.Entry
	Hash      string          `json:"hash"`
	Detail    json.RawMessage `json:"detail,omitempty"`    // only where it was asked for
	Forgotten bool            `json:"forgotten,omitempty"` // its detail was
}

// LogPage is a page of the journal.
type LogPage struct {
	Entries []LogEntry `json:"entries"`
	Next    Cursor     `json:"next,omitempty"`
}

// logLooked is how many entries a page of the log looks at before it gives
// what it has found, and where to go on.
const logLooked = 20_000

// Log lists the journal. Next may follow a page that is not full: it goes on
// behind what was looked at.
func (d *Desk) Log(f LogFilter, after Cursor, limit int) (page LogPage, err error) {
	from, err := after.number()
	if err != nil {
		return page, err
	}
	page.Entries = []LogEntry{}
	err = d.State.View(func(tx *state.Tx) error {
		next, err := f.page(tx, from, 0, pageOf(limit), func(l journal.Link) error {
			page.Entries = append(page.Entries, f.entry(tx, l))
			return nil
		})
		if next != 0 {
			page.Next = cursorAt(next)
		}
		return err
	})
	return page, err
}

// page calls put for up to limit entries that pass the filter, from number from
// on (0: the first in its order) up to number top (0: the last), and gives where
// another page begins, 0 at the end.
func (f *LogFilter) page(tx *state.Tx, from, top uint64, limit int, put func(journal.Link) error) (next uint64, err error) {
	seen, n := 0, 0
	low, high := f.between(tx)
	if top != 0 {
		high = min(high, top)
	}
	switch {
	case f.Oldest:
		from = max(from, low)
	case from == 0 || from > high:
		from = high
	}
	take := func(l journal.Link) (bool, error) {
		switch {
		case f.Oldest && l.Seq > high, !f.Oldest && l.Seq < low:
			return false, nil
		case n == limit, seen == logLooked:
			next = l.Seq
			return false, nil
		}
		if seen++; !f.takes(l.Entry) {
			return true, nil
		}
		n++
		return true, put(l)
	}
	if high == 0 { // nothing is that old; 0 would be the newest to walk from
		return 0, nil
	}
	if f.Case == 0 && f.Action == 0 {
		err = tx.WalkJournal(from, !f.Oldest, take)
		return next, err
	}
	seqs, err := f.indexed(tx, from)
	if err != nil {
		return 0, err
	}
	for _, seq := range seqs {
		l, err := tx.JournalAt(seq)
		if err != nil {
			return 0, err
		}
		if more, err := take(l); err != nil || !more {
			return next, err
		}
	}
	return 0, nil
}

// putBack is by how much a clock can have been put back without the log by time
// missing anything.
const putBack = time.Hour

// between gives the numbers of the first and the last entry that can be of the
// time that is asked for. They are searched for, not walked to: each entry was
// written after the one before.
func (f *LogFilter) between(tx *state.Tx) (low, high uint64) {
	_, last, err := tx.JournalHead()
	if err != nil {
		return 1, math.MaxUint64 // a walk finds the fault
	}
	after := func(at time.Time) uint64 {
		n := sort.Search(int(last), func(i int) bool {
			l, err := tx.JournalAt(uint64(i) + 1)
			return err == nil && !l.At.Before(at)
		})
		return uint64(n) + 1
	}
	low, high = 1, last
	if !f.From.IsZero() {
		low = after(f.From.Add(-putBack))
	}
	if !f.To.IsZero() {
		high = after(f.To.Add(putBack)) - 1
	}
	return low, high
}

// indexed lists the entries about a Case or an Action, in the order of the
// filter, from number from on.
func (f *LogFilter) indexed(tx *state.Tx, from uint64) (seqs []uint64, err error) {
	if f.Case == 0 {
		seqs = tx.JournalOfAction(f.Action)
	} else if seqs, err = tx.JournalOf(f.Case); errors.Is(err, state.ErrNotFound) {
		return nil, nil // nothing is written of what there is not
	} else if err != nil {
		return nil, err
	}
	if !f.Oldest {
		slices.Reverse(seqs)
	}
	return slices.DeleteFunc(seqs, func(s uint64) bool { return from != 0 && (f.Oldest && s < from || !f.Oldest && s > from) }), nil
}

func (f *LogFilter) entry(tx *state.Tx, l journal.Link) LogEntry {
	e := LogEntry{Entry: l.Entry, Hash: l.Hash}
	if f.Details {
		detail, forgotten := tx.JournalDetail(l.Entry)
		e.Detail, e.Forgotten = detail, forgotten
	}
	return e
}

// The formats of an export.
const (
	FormatCSV   = "csv"
	FormatJSONL = "jsonl"
)

// ExportLog writes the entries that pass the filter, oldest first, up to the
// newest that there is when it begins: as CSV with a header, or as JSON lines,
// of which each has the entry as it stands in the chain, with the hash of these
// very bytes. Without Details nothing personal is in it. It reads in short
// transactions, a piece at a time. While it finds nothing, it writes nothing at
// times, so that a w with a deadline can push it on.
func (d *Desk) ExportLog(ctx context.Context, w io.Writer, format string, f LogFilter) error {
	out, err := newExport(w, format, f.Details)
	if err != nil {
		return err
	}
	f.Oldest = true
	var top uint64
	if err := d.State.View(func(tx *state.Tx) (err error) { _, top, err = tx.JournalHead(); return err }); err != nil || top == 0 {
		return errors.Join(err, out.end())
	}
	for next := uint64(1); next != 0; {
		if err := ctx.Err(); err != nil {
			return err
		}
		var piece []exported
		err := d.State.View(func(tx *state.Tx) (err error) {
			next, err = f.page(tx, next, top, maxPage, func(l journal.Link) error {
				piece = append(piece, exported{f.entry(tx, l), bytes.Clone(l.Stored)})
				return nil
			})
			return err
		})
		if err != nil {
			return fmt.Errorf("exporting the journal: %w", err)
		}
		if len(piece) == 0 { // a sign of life
			if _, err := w.Write(nil); err != nil {
				return fmt.Errorf("exporting the journal: %w", err)
			}
		}
		for _, e := range piece {
			if err := out.entry(e); err != nil {
				return fmt.Errorf("exporting the journal: %w", err)
			}
		}
	}
	return out.end()
}

// exported is an entry on its way out.
type exported struct {
	LogEntry
	stored []byte
}

// export writes entries in one format.
type export struct {
	entry func(exported) error
	end   func() error
}

func newExport(w io.Writer, format string, details bool) (*export, error) {
	switch format {
	case FormatJSONL:
		return jsonLines(w), nil
	case FormatCSV:
		return commas(w, details)
	}
	return nil, fmt.Errorf("%q is no format: csv or jsonl", format)
}

func jsonLines(w io.Writer) *export {
	out := bufio.NewWriter(w)
	line := func(e exported) error {
		b, err := json.Marshal(struct {
			Entry     json.RawMessage `json:"entry"`
			Hash      string          `json:"hash"`
			Detail    json.RawMessage `json:"detail,omitempty"`
			Forgotten bool            `json:"forgotten,omitempty"`
		}{e.stored, e.Hash, e.Detail, e.Forgotten})
		if err != nil {
			return err
		}
		_, err = out.Write(append(b, '\n'))
		return err
	}
	return &export{line, out.Flush}
}

func commas(w io.Writer, details bool) (*export, error) {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	row := func(cells []string, detail string) error {
		if details {
			cells = append(cells, detail)
		}
		for i, c := range cells {
			cells[i] = handlers.GuardCell(c)
		}
		return out.Write(cells)
	}
	line := func(e exported) error {
		detail := string(e.Detail)
		if e.Forgotten {
			detail = "forgotten"
		}
		c, a := "", ""
		if e.Case != 0 {
			c = e.Case.String()
		}
		if e.Action != 0 {
			a = e.Action.String()
		}
		return row([]string{strconv.FormatUint(e.Seq, 10), e.At.Format(time.RFC3339Nano), e.What, e.Who, c, a, e.Commit, e.Prev, e.Hash}, detail)
	}
	head := []string{"seq", "at", "what", "who", "case", "action", "commit", "prev", "hash"}
	return &export{line, func() error { out.Flush(); return out.Error() }}, row(head, "detail")
}
