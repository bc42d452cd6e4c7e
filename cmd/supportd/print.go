package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"push.guru/supportd/cmd/internal/config"
	"push.guru/supportd/cmd/internal/daemon"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/control"
	"push.guru/supportd/inbox/deadline"
	"push.guru/supportd/inbox/journal"
	"push.guru/supportd/inbox/review"
	"push.guru/supportd/inbox/state"
)

func printJSON(w io.Writer, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", harmless(b))
	return err
}

// hostile tells what could move the cursor, switch a terminal's mode or turn
// the reading direction.
func hostile(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)
}

// harmless gives the same JSON, with everything escaped that a terminal could
// obey: JSON itself lets all but the first 32 characters stand.
func harmless(doc []byte) []byte {
	out := make([]byte, 0, len(doc))
	for _, r := range string(doc) {
		switch {
		case !hostile(r):
			out = utf8.AppendRune(out, r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
	}
	return out
}

// table aligns rows; cells are made one line of printable text, for what a
// stranger wrote must not move the cursor.
type table struct {
	w    *tabwriter.Writer
	rows int // with the head
}

func newTable(w io.Writer, head ...string) *table {
	t := &table{w: tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	t.row(head...)
	return t
}

func (t *table) row(cells ...string) {
	t.rows++
	for i, c := range cells {
		cells[i] = plain(c)
	}
	fmt.Fprintln(t.w, strings.TrimRight(strings.Join(cells, "\t"), "\t "))
}

// end prints the table. One that an error has kept empty is not begun.
func (t *table) end(err error) error {
	if err != nil && t.rows == 1 {
		return err
	}
	return errors.Join(err, t.w.Flush())
}

// plain gives one line without control characters and direction overrides.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case hostile(r):
			return -1
		}
		return r
	}, s)
}

// paragraph gives a stranger's text for a terminal, indented.
func paragraph(s string) string {
	var out []string
	for line := range strings.Lines(s) {
		out = append(out, "    "+plain(strings.TrimRight(line, "\r\n")))
	}
	return strings.Join(out, "\n")
}

// clock tells people the time where the site is, as its letters do. JSON has
// the time in UTC.
type clock struct{ zone *time.Location }

func (c configFile) clock() clock { return clock{config.Zone(c.Config)} }

func (c clock) when(t time.Time) string { return c.tell(t, "2006-01-02 15:04 -07:00") }

func (c clock) tell(t time.Time, layout string) string {
	if t.IsZero() {
		return "-"
	}
	return t.In(c.zone).Format(layout)
}

func actionIDs(ids []inbox.ActionID) string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = id.String()
	}
	return strings.Join(out, " ")
}

// fields prints label and value pairs, leaving empty ones out.
func fields(w io.Writer, pairs ...string) {
	for p := range slices.Chunk(pairs, 2) {
		if p[1] != "" && p[1] != "-" {
			fmt.Fprintf(w, "%-12s %s\n", p[0], plain(p[1]))
		}
	}
}

// risk says how near the due time is, or that the law's clock stands.
func risk(v review.ActionView) string {
	switch {
	case v.Risk != deadline.RiskNone:
		return string(v.Risk)
	case v.Stands:
		return "stands"
	}
	return "-"
}

func printAction(w io.Writer, v review.ActionDetail, clock clock) error {
	fields(w, "action", v.ID.String(), "case", v.Case.String(), "kind", v.Label(), "state", string(v.State), "note", v.Error,
		"received", clock.when(v.Received), "due", clock.when(v.Due), "extended", clock.when(v.Extended), "risk", risk(v.ActionView), "runs after", clock.when(v.RunAfter), "expires", clock.when(v.Expires),
		"person", v.Person, "address", v.Address, "language", v.Language, "sender", senderOf(v.Evidence, v.Why), "held until", clock.when(v.Until), "handed to", v.Assignee, "  note", v.Handed)
	switch {
	case v.Forgotten:
		fmt.Fprintln(w, "Its content was kept long enough and forgotten.")
	case v.Topic != inbox.TopicTell: // which nobody has read
		fields(w, "reading", fmt.Sprintf("certain %v, confidence %.2f, because: %s", v.Certain, v.Confidence, strings.Join(v.Because, " | ")))
	}
	for _, c := range v.Changes {
		fields(w, "  change", fmt.Sprintf("%s %s %s", c.Op, c.Field, c.Value))
	}
	for _, s := range v.Plan.Steps {
		fields(w, "  plan", stepOf(s))
	}
	for _, k := range v.Plan.Keeps {
		line := column(k.Place, k.Field)
		if k.Earlier {
			line += " under an earlier address"
		}
		if k.Why != "" {
			line += ": " + k.Why
		}
		if k.Until != "" {
			line += "; until: " + k.Until
		}
		fields(w, "  kept", line)
	}
	for _, n := range v.Notes {
		fields(w, "  note", n)
	}
	if v.Text != "" {
		fmt.Fprintf(w, "text\n%s\n", paragraph(v.Text))
	}
	printReplies(w, v.Replies)
	fmt.Fprintln(w, "history")
	for _, h := range v.History {
		what := h.What
		if h.Why != "" {
			what += ": " + h.Why
		}
		fmt.Fprintf(w, "    %s  %s  (%s)\n", clock.tell(h.At, "2006-01-02 15:04:05 -07:00"), plain(what), plain(h.Who))
	}
	return nil
}

func senderOf(level inbox.Level, why string) string {
	if why == "" {
		return level.String()
	}
	return level.String() + " (" + why + ")"
}

// column names a column of a place, or the place.
func column(place string, f inbox.Field) string {
	return strings.TrimSuffix(place+"."+string(f), ".")
}

func stepOf(s inbox.Step) string {
	if s.Op == inbox.StepBlank {
		return fmt.Sprintf("%s %s: %s", s.Op, column(s.Place, s.Field), s.New)
	}
	if s.Op == inbox.StepReaddress {
		return fmt.Sprintf("%s %s", s.Op, s.Place)
	}
	name := s.Place
	if s.Field != "" {
		name = string(s.Field)
	}
	if s.Op == inbox.StepSet || s.Op == inbox.StepAdd {
		return fmt.Sprintf("%s %s: %q -> %q", s.Op, name, s.Old, s.New)
	}
	return fmt.Sprintf("%s %s", s.Op, name)
}

func printReplies(w io.Writer, replies []review.ReplyView) {
	for _, r := range replies {
		line := fmt.Sprintf("%s %s: %s, attempts %d", r.ID, r.Letter, r.State, len(r.Attempts))
		if r.Error != "" {
			line += ", " + r.Error
		}
		fields(w, "letter", line)
	}
}

// printFinding says whether the journal holds. What was forgotten is named by
// its numbers: that is as it should be, and no break.
func printFinding(w io.Writer, f journal.Finding) error {
	fmt.Fprintf(w, "%d entries hold, %d details forgotten%s\nhead %s\n", f.Entries, len(f.Forgotten), spans(f.Forgotten), f.Head)
	if f.Dropped > 0 {
		fmt.Fprintf(w, "of these, entries 1-%d, until %s, were dropped; what is left of them are the hashes of their segments\n", f.Dropped, f.Until.Format(time.DateOnly))
	}
	switch {
	case f.Broken != "":
		fmt.Fprintln(w, "BROKEN:", plain(f.Broken))
	case !f.Known && f.Dropped > 0:
		fmt.Fprintln(w, "BROKEN: the head that was asked for is not in this chain: it is of an entry that was dropped, or the chain was cut or replaced since")
	case !f.Known:
		fmt.Fprintln(w, "BROKEN: the head that was asked for is not in this chain: it was cut or replaced since")
	}
	return nil
}

// spans writes rising numbers as ": 3, 7-9", or nothing.
func spans(numbers []uint64) string {
	var out []string
	for i := 0; i < len(numbers); {
		last := i
		for last+1 < len(numbers) && numbers[last+1] == numbers[last]+1 {
			last++
		}
		span := fmt.Sprint(numbers[i])
		if last > i {
			span += "-" + fmt.Sprint(numbers[last])
		}
		out, i = append(out, span), last+1
	}
	if len(out) == 0 {
		return ""
	}
	return ": " + strings.Join(out, ", ")
}

func printMail(w io.Writer, v review.MailDetail, clock clock) error {
	fields(w, "mail", v.ID.String(), "mailbox", v.Mailbox, "uid", fmt.Sprintf("%d/%d", v.UIDValidity, v.UID), "received", clock.when(v.Received),
		"state", string(v.State), "reason", v.Reason, "actions", actionIDs(v.Actions), "from", v.From, "subject", v.Subject,
		"language", v.Language, "sender", senderOf(v.Evidence, v.Why))
	for _, n := range v.Notes {
		fields(w, "  note", n)
	}
	if v.Text != "" {
		fmt.Fprintf(w, "text\n%s\n", paragraph(v.Text))
	}
	printReplies(w, v.Replies)
	return nil
}

// printPreview shows what an act would send.
func printPreview(w io.Writer, id actionID, p review.Preview) error {
	fmt.Fprintf(w, "%s would be %s; letters: %d\n", id, p.State, len(p.Letters))
	if p.Final != "" {
		fmt.Fprintf(w, "it cannot be taken back: %s\n", plain(p.Final))
	}
	for _, l := range p.Letters {
		state := string(l.State)
		if l.Error != "" {
			state += ", " + l.Error
		}
		fields(w, "to", l.To, "subject", l.Subject, "state", state)
		fmt.Fprintf(w, "text\n%s\n", paragraph(l.Text))
	}
	return nil
}

// entryCells gives the cells of a journal entry.
func entryCells(e review.LogEntry, clock clock) []string {
	c, a := "", ""
	if e.Case != 0 {
		c = e.Case.String()
	}
	if e.Action != 0 {
		a = e.Action.String()
	}
	what := e.What
	switch {
	case e.Forgotten:
		what += " (forgotten)"
	case len(e.Detail) > 0:
		what += " " + string(e.Detail)
	}
	return []string{fmt.Sprint(e.Seq), clock.tell(e.At, "2006-01-02 15:04:05 -07:00"), e.Who, c, a, what}
}

// printReceipt shows a receipt.
func printReceipt(w io.Writer, r review.Receipt, clock clock) error {
	fields(w, "case", r.Case.String(), "mailbox", r.Mailbox, "received", clock.when(r.Received), "sender", r.Sender, "proof", r.Proof)
	for _, a := range r.Asked {
		label := review.ActionView{Kind: a.Kind, Scope: a.Scope, Undo: a.Undo}.Label()
		for _, f := range a.Fields {
			label += " " + string(f)
		}
		fields(w, "asked", a.Action.String()+" "+label, "  state", string(a.State), "  due", clock.when(a.Due), "  ended", clock.when(a.Ended), "  answered", clock.when(a.Answered), "  first letter by", clock.when(a.AcknowledgeBy), "  written", clock.when(a.Acknowledged), "  deadline", string(a.Deadline))
		for _, s := range a.Done {
			fields(w, "  done", clock.tell(s.At, "2006-01-02 15:04:05 -07:00")+"  "+s.What+"  ("+s.Who+")")
		}
	}
	for _, l := range r.Letters {
		fields(w, "letter", fmt.Sprintf("%s %s: %s %s (%s)", l.Reply, l.Letter, l.State, clock.when(l.Sent), l.By))
	}
	for _, e := range r.Entries {
		fields(w, "entry", fmt.Sprintf("%d %s  %s  %s  (%s)", e.Seq, e.Hash, clock.tell(e.At, "2006-01-02 15:04:05 -07:00"), e.What, e.Who))
	}
	fields(w, "head", fmt.Sprintf("%d %s", r.HeadSeq, r.Head))
	return nil
}

func printPerson(w io.Writer, p control.PersonView) error {
	active := "active"
	if !p.Active {
		active = "deactivated"
	}
	fields(w, "id", p.ID, "account", active, "objected", p.Withdrawn)
	for _, f := range inbox.Fields() {
		fields(w, string(f), p.Fields[f])
	}
	fields(w, "records", fmt.Sprint(p.Records))
	return nil
}

// printRepetition tells what came of one delete that was to be repeated.
func printRepetition(w io.Writer, r review.Repetition, clock clock) error {
	what := review.ActionView{Kind: r.Kind, Scope: r.Scope}.Label()
	for _, f := range r.Fields {
		what += " " + string(f)
	}
	line := fmt.Sprintf("%s %s, person %s, of %s: ", r.Action, what, r.Person, clock.when(r.At))
	switch r.Result {
	case review.ResultAlready:
		line += "nothing of it is there"
	case review.ResultReapplied:
		line += "repeated" + butLeftAlone(r)
	case review.ResultDue:
		line += "would be repeated" + butLeftAlone(r)
	case review.ResultValue:
		line += "NOT DONE: " + anotherValue(r)
	case review.ResultOther:
		line += "NOT DONE: somebody with another address has that id now (effect " + r.Effect + ")"
	default:
		line += "FAILED: " + r.Error
	}
	_, err := fmt.Fprintln(w, plain(line))
	return err
}

// butLeftAlone names what stays of a delete that is repeated in part.
func butLeftAlone(r review.Repetition) string {
	if len(r.LeftAlone) == 0 {
		return ""
	}
	return ", but " + anotherValue(r) + ": left alone"
}

func anotherValue(r review.Repetition) string {
	var names []string
	for _, f := range r.LeftAlone {
		names = append(names, string(f))
	}
	hold := " holds another value than the one that was deleted"
	if len(names) > 1 {
		hold = " hold other values than those that were deleted"
	}
	return strings.Join(names, ", ") + hold
}

// printResults counts what came of a run.
func printResults(w io.Writer, count map[review.Result]int) {
	parts := []string{}
	for _, r := range review.Results() {
		if count[r] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", count[r], r))
		}
	}
	if len(parts) == 0 {
		parts = []string{"none"}
	}
	fmt.Fprintf(w, "deletes since then: %s\n", strings.Join(parts, ", "))
}

func printReading(w io.Writer, r daemon.Reading) error {
	fmt.Fprintf(w, "%s\n", plain(r.File))
	fields(w, "  from", r.From, "  language", r.Language, "  screened", string(r.Screened), "  why", r.Why,
		"  sender", senderOf(r.Evidence.Level, r.Evidence.Why), "  answer", string(r.Answer))
	for _, q := range r.Requests {
		line := string(q.Kind)
		if q.Scope != "" {
			line += " " + string(q.Scope)
		}
		for _, f := range q.Fields {
			line += " " + string(f)
		}
		for _, c := range q.Changes {
			line += fmt.Sprintf(" %s %s %q", c.Op, c.Field, c.Value)
		}
		fields(w, "  request", fmt.Sprintf("%s (certain %v, %.2f; %s)", line, q.Certain, q.Confidence, strings.Join(q.Because, " | ")))
	}
	return nil
}

// printAnswer shows an answer that staff keep.
func printAnswer(w io.Writer, a state.Saved) error {
	_, err := fmt.Fprintf(w, "%s (%s)\n%s\n", plain(a.Name), plain(a.Language), paragraph(a.Text))
	return err
}
