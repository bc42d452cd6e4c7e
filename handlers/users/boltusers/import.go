package boltusers

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	bolt "go.etcd.io/bbolt"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/address"
)

// The formats of an import.
const (
	FormatCSV   = "csv"   // a header line, commas, UTF-8
	FormatJSONL = "jsonl" // one JSON object a line
)

const (
	maxLine   = 16 << 20 // octets of one JSON line
	maxFaults = 100      // listed; the rest are counted
	maxID     = 512      // octets
	maxValue  = 64 << 10 // octets

	columnEvents = "events"
)

// Import is one person as the site hands them over. Only what it names is
// written: what it leaves nil or out stays as the store has it.
type Import struct {
	ID        string
	Active    *bool                  // of somebody new: true when nil
	Withdrawn *time.Time             // zero: the objection is taken back
	Fields    map[inbox.Field]string // "" removes the value
	Events    []Event                // replaces all that the store has, unless nil
}

// LineError is all that is wrong with one line of an import. It names no value.
type LineError struct {
	Line int // from 1
	Err  error
}

// Error gives the line and its faults, in one line.
func (e *LineError) Error() string {
	return fmt.Sprintf("line %d: %s", e.Line, strings.ReplaceAll(e.Err.Error(), "\n", "; "))
}

// Unwrap gives the faults of the line.
func (e *LineError) Unwrap() error { return e.Err }

var errNoAddress = errors.New("the email is not a plain address")

// Put writes one person.
func (s *Store) Put(ctx context.Context, in Import) error {
	if err := s.check(in); err != nil {
		return fmt.Errorf("writing a person: %w", err)
	}
	if err := s.update(ctx, func(tx *bolt.Tx) error { return put(tx, in) }); err != nil {
		return fmt.Errorf("writing a person: %w", err)
	}
	return nil
}

// Import reads people in the format "csv" or "jsonl" and writes all of them in
// one transaction, or none: the error then joins a *LineError for each faulty
// line. It gives the number of people written.
func (s *Store) Import(ctx context.Context, r io.Reader, format string) (int, error) {
	in := &importer{store: s, lines: map[string]int{}}
	var err error
	switch format {
	case FormatCSV:
		err = in.readCSV(r)
	case FormatJSONL:
		err = in.readJSONL(r)
	default:
		err = fmt.Errorf("unknown format %q: it is csv or jsonl", format)
	}
	if err == nil {
		err = in.faulty()
	}
	if err == nil {
		err = s.update(ctx, func(tx *bolt.Tx) error {
			for _, p := range in.people {
				if err := put(tx, p); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err != nil {
		return 0, fmt.Errorf("importing people: %w", err)
	}
	return len(in.people), nil
}

func put(tx *bolt.Tx, in Import) error {
	p, err := getPerson(tx, in.ID)
	if errors.Is(err, users.ErrNotFound) {
		p, err = stored{Active: true, Fields: map[inbox.Field]string{}}, nil
	}
	if err != nil {
		return err
	}
	before := p.Fields[inbox.FieldEmail]
	if in.Active != nil {
		p.Active = *in.Active
	}
	if in.Withdrawn != nil {
		p.Withdrawn = in.Withdrawn.UTC()
	}
	for f, v := range in.Fields {
		p.set(f, v)
	}
	if err := putPerson(tx, in.ID, before, p); err != nil {
		return err
	}
	if in.Events == nil {
		return nil
	}
	return putVisits(tx, in.ID, in.Events)
}

// check gives all that is wrong with a person.
func (s *Store) check(in Import) error {
	var faults []error
	switch {
	case in.ID == "":
		faults = append(faults, errors.New("the id is missing"))
	case len(in.ID) > maxID || !utf8.ValidString(in.ID) || strings.IndexFunc(in.ID, unicode.IsControl) >= 0:
		faults = append(faults, fmt.Errorf("the id is longer than %d octets, or has characters that no id has", maxID))
	}
	for f, v := range in.Fields {
		switch {
		case !slices.Contains(s.fields, f):
			faults = append(faults, fmt.Errorf("there is no field %q", f))
		case len(v) > maxValue || !utf8.ValidString(v) || strings.ContainsRune(v, 0):
			faults = append(faults, fmt.Errorf("the %s is longer than %d octets, or no UTF-8 text", f, maxValue))
		case f == inbox.FieldEmail && v != "":
			if _, err := address.Canonical(v); err != nil {
				faults = append(faults, errNoAddress)
			}
		}
	}
	slices.SortFunc(faults, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(faults...)
}

// importer collects people and faults; a fault is about a line, and the
// reading goes on.
type importer struct {
	store  *Store
	people []Import
	lines  map[string]int // id -> its line
	faults []error
	more   int // faults beyond maxFaults
}

func (im *importer) fault(line int, err error) {
	if len(im.faults) >= maxFaults {
		im.more++
		return
	}
	im.faults = append(im.faults, &LineError{Line: line, Err: err})
}

func (im *importer) faulty() error {
	if im.more > 0 {
		return errors.Join(append(slices.Clip(im.faults), fmt.Errorf("and %d more faulty lines", im.more))...)
	}
	return errors.Join(im.faults...)
}

func (im *importer) add(line int, in Import, err error) {
	if err == nil {
		err = im.store.check(in)
	}
	if first, twice := im.lines[in.ID]; twice && in.ID != "" {
		err = errors.Join(err, fmt.Errorf("the id is on line %d already", first))
	} else {
		im.lines[in.ID] = line
	}
	if err != nil {
		im.fault(line, err)
		return
	}
	im.people = append(im.people, in)
}

func (im *importer) readCSV(r io.Reader) error {
	c := csv.NewReader(skipMark(r))
	header, err := c.Read()
	if err != nil {
		return fmt.Errorf("reading the header line: %w", orEmpty(err))
	}
	for i, name := range header {
		header[i] = strings.ToLower(strings.TrimSpace(name))
	}
	if err := im.checkHeader(header); err != nil {
		return &LineError{Line: 1, Err: err}
	}
	for {
		row, err := c.Read()
		if err == io.EOF {
			return nil
		}
		var bad *csv.ParseError
		switch {
		case errors.As(err, &bad):
			im.fault(bad.Line, bad.Err)
			continue
		case err != nil:
			return err
		}
		line, _ := c.FieldPos(0)
		in, err := csvPerson(header, row)
		im.add(line, in, err)
	}
}

// checkHeader refuses a column that would be lost without a word.
func (im *importer) checkHeader(header []string) error {
	var faults []error
	for i, name := range header {
		known := name == string(datamap.ColumnID) || name == string(datamap.ColumnActive) ||
			name == string(datamap.ColumnWithdrawn) || slices.Contains(im.store.fields, inbox.Field(name))
		switch {
		case name == columnEvents:
			faults = append(faults, errors.New("events can be imported from JSON lines only"))
		case strings.Contains(name, ";"):
			faults = append(faults, errors.New("the columns must stand between commas, not semicolons"))
		case !known:
			faults = append(faults, fmt.Errorf("there is no field %q", name))
		case slices.Contains(header[:i], name):
			faults = append(faults, fmt.Errorf("the column %q is there twice", name))
		}
	}
	if !slices.Contains(header, string(datamap.ColumnID)) {
		faults = append(faults, errors.New("the column id is missing"))
	}
	return errors.Join(faults...)
}

func csvPerson(header, row []string) (Import, error) {
	in := Import{Fields: map[inbox.Field]string{}}
	var faults []error
	for i, v := range row {
		var err error
		switch inbox.Field(header[i]) {
		case datamap.ColumnID:
			in.ID = strings.TrimSpace(v)
		case datamap.ColumnActive:
			in.Active, err = parseActive(v)
		case datamap.ColumnWithdrawn:
			in.Withdrawn, err = parseWithdrawn(v)
		default:
			in.Fields[inbox.Field(header[i])] = v
		}
		faults = append(faults, err)
	}
	return in, errors.Join(faults...)
}

func parseActive(v string) (*bool, error) {
	switch strings.ToLower(strings.TrimSpace(v)) {
	case "":
		return nil, nil
	case "true":
		return new(true), nil
	case "false":
		return new(false), nil
	}
	return nil, errors.New("active is true or false")
}

func parseWithdrawn(v string) (*time.Time, error) {
	if v = strings.TrimSpace(v); v == "" {
		return nil, nil
	}
	t, err := time.Parse(time.RFC3339, v)
	if err != nil {
		return nil, errors.New("withdrawn is not a time of the form 2006-01-02T15:04:05Z")
	}
	return &t, nil
}

func (im *importer) readJSONL(r io.Reader) error {
	lines := bufio.NewScanner(skipMark(r))
	lines.Buffer(nil, maxLine)
	n := 0
	for lines.Scan() {
		n++
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		in, err := jsonPerson(lines.Bytes())
		im.add(n, in, err)
	}
	if err := lines.Err(); err != nil {
		return &LineError{Line: n + 1, Err: fmt.Errorf("reading the line: %w", err)}
	}
	return nil
}

func jsonPerson(line []byte) (Import, error) {
	in := Import{Fields: map[inbox.Field]string{}}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(line, &object); err != nil || object == nil {
		return in, errors.New("the line is not a JSON object")
	}
	var faults []error
	for name, raw := range object {
		if err := in.member(name, raw); err != nil {
			faults = append(faults, fmt.Errorf("%q: %w", name, err))
		}
	}
	slices.SortFunc(faults, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return in, errors.Join(faults...)
}

// member reads one member of a person's object. A null is left out, except of
// a field, which it empties.
func (in *Import) member(name string, raw json.RawMessage) (err error) {
	null := string(raw) == "null"
	switch {
	case name == string(datamap.ColumnID):
		in.ID, err = jsonID(raw)
	case name == string(datamap.ColumnActive):
		if !null && json.Unmarshal(raw, &in.Active) != nil {
			return errors.New("it is true or false")
		}
	case name == string(datamap.ColumnWithdrawn):
		if !null && json.Unmarshal(raw, &in.Withdrawn) != nil {
			return errors.New("it is a time of the form 2006-01-02T15:04:05Z")
		}
	case name == columnEvents:
		if !null {
			in.Events, err = jsonEvents(raw)
		}
	default:
		var v string
		if json.Unmarshal(raw, &v) != nil {
			return errors.New("it is a text")
		}
		in.Fields[inbox.Field(name)] = v
	}
	return err
}

// jsonID takes a text or a whole number: sites have both.
func jsonID(raw json.RawMessage) (string, error) {
	var s string
	if json.Unmarshal(raw, &s) == nil && len(raw) > 0 && raw[0] == '"' {
		return s, nil
	}
	var n int64
	if json.Unmarshal(raw, &n) == nil && string(raw) != "null" {
		return fmt.Sprint(n), nil
	}
	return "", errors.New("it is a text or a whole number")
}

func jsonEvents(raw json.RawMessage) ([]Event, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	events := []Event{}
	if err := d.Decode(&events); err != nil {
		return nil, errors.New(`it is a list of {"at", "ip", "agent", "page", "cookie"}, with at of the form 2006-01-02T15:04:05Z`)
	}
	for i, e := range events {
		if e.At.IsZero() {
			return nil, fmt.Errorf("number %d has no time", i+1)
		}
	}
	return events, nil
}

// skipMark leaves out a byte order mark, which spreadsheets put in front.
func skipMark(r io.Reader) io.Reader {
	b := bufio.NewReader(r)
	if head, err := b.Peek(3); err == nil && string(head) == "\ufeff" {
		b.Discard(3)
	}
	return b
}

func orEmpty(err error) error {
	if err == io.EOF {
		return errors.New("the file is empty")
	}
	return err
}
