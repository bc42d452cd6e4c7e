package handlers

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/inbox"
)

// jsonFile writes data.json: an object with a member for each place, which is
// an object for a place of one record and a list for others, and the earlier
// cases. A place without records is there, and empty. The first failure to
// write is kept by the buffer, and end gives it.
type jsonFile struct {
	out   *bufio.Writer
	data  *datamap.Map
	place string // that is being written
	list  bool   // it is a list
	begun bool   // a place is written
	first bool   // nothing of the present list is written yet
}

func newJSON(w io.Writer, m *datamap.Map) *jsonFile {
	return &jsonFile{out: bufio.NewWriter(w), data: m}
}

func (f *jsonFile) record(r users.Record) error {
	if r.Place != f.place {
		place, _ := f.data.Place(r.Place)
		if err := f.begin(r.Place, !place.Single); err != nil {
			return err
		}
	} else if !f.list {
		return fmt.Errorf("the store gave two records for the place %q", r.Place)
	}
	f.item()
	for i, c := range r.Columns {
		before := ", "
		if i == 0 {
			before = "{"
		}
		var v any = r.Values[i]
		if b, err := strconv.ParseBool(r.Values[i]); err == nil && f.data.IsBool(r.Place, inbox.Field(c)) {
			v = b
		}
		if err := f.member(before, c, v); err != nil {
			return err
		}
	}
	if len(r.Columns) == 0 {
		f.out.WriteByte('{')
	}
	return f.out.WriteByte('}')
}

// begin ends the place before and begins the next.
func (f *jsonFile) begin(place string, list bool) error {
	f.close()
	before := "{\n"
	if f.begun {
		before = ",\n"
	}
	key, err := json.Marshal(place)
	if err != nil {
		return err
	}
	f.out.WriteString(before + "  " + string(key) + ": ")
	if list {
		f.out.WriteByte('[')
	}
	f.place, f.list, f.first, f.begun = place, list, true, true
	return nil
}

// close ends the list that is being written.
func (f *jsonFile) close() {
	if f.list {
		if !f.first {
			f.out.WriteString("\n  ")
		}
		f.out.WriteByte(']')
	}
	f.list = false
}

// item begins an entry of the list.
func (f *jsonFile) item() {
	if !f.list {
		return
	}
	if !f.first {
		f.out.WriteByte(',')
	}
	f.out.WriteString("\n    ")
	f.first = false
}

func (f *jsonFile) member(before, name string, value any) error {
	k, err := json.Marshal(name)
	if err != nil {
		return err
	}
	v, err := json.Marshal(value)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f.out, "%s%s: %s", before, k, v)
	return err
}

func (f *jsonFile) rest(empty []datamap.Place, past []inbox.PastCase) error {
	for _, p := range empty {
		if err := f.begin(p.Name, !p.Single); err != nil {
			return err
		}
		if p.Single {
			f.out.WriteString("{}")
		}
	}
	if err := f.begin(datamap.CasesPlace, true); err != nil {
		return err
	}
	for _, c := range past {
		f.item()
		b, err := json.Marshal(c)
		if err != nil {
			return err
		}
		f.out.Write(b)
	}
	return nil
}

func (f *jsonFile) end() error {
	f.close()
	f.out.WriteString("\n}\n")
	return f.out.Flush()
}

// csvFile writes data.csv: a row for each value, with its place, the number of
// its record in the place, and its field. The first failure to write is kept by
// the writer, and end gives it.
type csvFile struct {
	out    *csv.Writer
	counts map[string]int // records of each place, with the present one and those of other parts
}

func newCSV(w io.Writer, counts map[string]int) *csvFile {
	f := &csvFile{out: csv.NewWriter(w), counts: counts}
	f.out.UseCRLF = true
	f.row("place", "record", "field", "value")
	return f
}

func (f *csvFile) record(r users.Record) error {
	return f.numbered(r, f.counts[r.Place])
}

func (f *csvFile) numbered(r users.Record, n int) error {
	for i, c := range r.Columns {
		if err := f.row(r.Place, strconv.Itoa(n), c, r.Values[i]); err != nil {
			return err
		}
	}
	return nil
}

func (f *csvFile) rest(_ []datamap.Place, past []inbox.PastCase) error {
	for i, c := range past {
		r := users.Record{Place: datamap.CasesPlace,
			Columns: []string{"case", "received", "subject", "text", "asked"},
			Values:  []string{c.Case.String(), c.Received.UTC().Format(time.RFC3339), c.Subject, c.Text, strings.Join(c.Asked, ", ")}}
		if err := f.numbered(r, i+1); err != nil {
			return err
		}
	}
	return nil
}

func (f *csvFile) end() error {
	f.out.Flush()
	return f.out.Error()
}

func (f *csvFile) row(cells ...string) error {
	for i, c := range cells {
		cells[i] = GuardCell(c)
	}
	return f.out.Write(cells)
}

// GuardCell keeps a spreadsheet from taking a value for a formula: an
// apostrophe goes in front of what begins like one, be it after blanks or in
// the full-width forms of these characters. A plus with nothing but digits
// behind it is left alone: a number calls nothing and computes nothing, and it
// is what nearly every phone number looks like, which whatever reads the file
// would otherwise get with an apostrophe.
func GuardCell(v string) string {
	if plainNumber(v) {
		return v
	}
	if v != "" && (v[0] == '\t' || v[0] == '\r' || v[0] == '\n') {
		return "'" + v
	}
	begin := strings.TrimLeft(v, " \t\r\n\u00a0\u200b\ufeff")
	for _, p := range []string{"=", "+", "-", "@", "＝", "＋", "－", "＠"} {
		if strings.HasPrefix(begin, p) {
			return "'" + v
		}
	}
	return v
}

// plainNumber tells whether v is a plus and digits, as a phone number is.
func plainNumber(v string) bool {
	digits, ok := strings.CutPrefix(v, "+")
	return ok && digits != "" && strings.Trim(digits, "0123456789") == ""
}
