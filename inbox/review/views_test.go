package review

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/cases"
	"push.guru/supportd/inbox/deadline"
	"push.guru/supportd/inbox/journal"
	"push.guru/supportd/inbox/policy"
	"push.guru/supportd/inbox/staff"
	"push.guru/supportd/inbox/state"
)

func TestSpans(t *testing.T) {
	act := func(id inbox.ActionID, because ...string) *inbox.Action {
		return &inbox.Action{ID: id, Detail: &inbox.ActionDetail{Request: inbox.Request{Because: because}}}
	}
	for _, c := range []struct {
		name, text string
		acts       []*inbox.Action
		want       string // the words, each with its Action
	}{
		{"one", "Hi. Please delete my account. Bye", []*inbox.Action{act(1, "delete my account")}, "1:delete my account"},
		{"in the order of the text", "one two", []*inbox.Action{act(1, "two"), act(2, "one")}, "2:one 1:two"},
		{"over a line break", "delete\nmy   account", []*inbox.Action{act(1, "delete my account")}, "1:delete\nmy   account"},
		{"the same words twice are found twice", "no no", []*inbox.Action{act(1, "no"), act(2, "no")}, "1:no 2:no"},
		{"what is taken is not taken again", "remove my phone", []*inbox.Action{act(1, "remove my phone"), act(2, "my phone")}, "1:remove my phone"},
		{"Cyrillic and Kazakh", "Өтінемін, аккаунтымды жойыңыз!", []*inbox.Action{act(1, "аккаунтымды жойыңыз")}, "1:аккаунтымды жойыңыз"},
		{"a part that begins alike", "dele delete it", []*inbox.Action{act(1, "delete it")}, "1:delete it"},
		{"not there", "hello", []*inbox.Action{act(1, "goodbye", "", " ")}, ""},
		{"forgotten", "hello", []*inbox.Action{{ID: 1}}, ""},
	} {
		var got []string
		for _, s := range spans(c.text, c.acts) {
			got = append(got, fmt.Sprintf("%d:%s", s.Action, c.text[s.Start:s.End]))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestNames(t *testing.T) {
	for _, c := range []struct {
		name, typed string
		want        bool
	}{
		{"Ann Lee", "ann", true}, {"Ann Lee", "LEE", true}, {"Ann Lee", "lee ann", true}, {"Ann Lee", "an", true}, {"Ann Lee", "nn", false},
		{"Ann Lee", "ann x", false}, {"Ann Lee", "", false}, {"Ann-Marie O'Neill", "oneill marie", true}, {"José Núñez", "jose nunez", true},
		{"Әсел Қанатқызы", "асел", true}, {"Әсел Қанатқызы", "ӘСЕЛ қанат", true}, {"Әсел Қанатқызы", "асель", false},
		{"Ұлжан Өмірғали", "улжан омиргали", true}, {"Пётр Алексеев", "петр", true}, {"Пётр Алексеев", "ПЁТР А", true},
		{"Нұрлан Жүнісов", "нурлан жунисов", true}, {"Ғани Ілияс", "гани илияс", true}, {"Әсел", "ə", false},
	} {
		if got := hasWords(fold(c.name), strings.Fields(fold(c.typed))); got != c.want {
			t.Errorf("%q finds %q: %v, want %v", c.typed, c.name, got, c.want)
		}
	}
}

func TestMasked(t *testing.T) {
	for in, want := range map[string]string{"ann@users.test": "a•••@u•••.test", "a@users.test": "a•••@u•••.test", "әсел@mail.ivanov.kz": "ә•••@m•••.kz", "a@localhost": "a•••@l•••", "": "", "nobody": ""} {
		if got := masked(in); got != want {
			t.Errorf("%q is shown as %q, want %q", in, got, want)
		}
	}
}

// TestQueuePages: every filter, and that pages together are the whole list,
// each line once.
func TestQueuePages(t *testing.T) {
	d := newDesk(t, policy.Auto)
	base := time.Now()
	states := []inbox.State{inbox.StateReview, inbox.StateHeld, inbox.StateFailed, inbox.StateUnconfirmed, inbox.StateScheduled, inbox.StateDone}
	kinds := requests()
	d.update(t, func(tx *state.Tx) error {
		for i := range 100 {
			m := mail(t, tx, "text")
			m.Language, m.Ref.Mailbox = []string{"en", "ru-KZ", "kk"}[i%3], []string{"support", "privacy"}[i%2]
			a := action(t, tx, m, kinds[i%len(kinds)], states[i%len(states)])
			a.Due, a.Language, a.Mailbox = base.Add(time.Duration(i*37%100)*time.Hour), m.Language, m.Ref.Mailbox
			if i%5 == 0 {
				a.Assignee = "dana"
			}
			if i%12 == 1 { // every other one that is held
				a.Until = base.Add(time.Hour)
			}
			if err := tx.PutAction(a); err != nil {
				return err
			}
		}
		return nil
	})
	all := d.queueOf(t, QueueFilter{All: true}, 500)
	n, err := d.Counts()
	if err != nil || len(all) != n.Now+n.Self || n.States[inbox.StateReview] != 17 || n.States[inbox.StateDone] != 16 {
		t.Fatalf("%d lines, counts %+v, %v", len(all), n, err)
	}
	if r := all[slices.IndexFunc(all, func(r QueueRow) bool { return r.Kind == inbox.KindChange })]; !slices.Equal(r.Fields, []inbox.Field{inbox.FieldPhone}) || r.Name != "Ann Lee" {
		t.Errorf("a line is %+v", r)
	}
	for i, r := range all[1:] {
		if before := all[i]; !before.Now && r.Now || before.Now == r.Now && r.Due.Before(before.Due) {
			t.Errorf("%s comes after %s", r.ID, before.ID)
		}
	}
	for name, c := range map[string]struct {
		f    QueueFilter
		want func(QueueRow) bool
	}{
		"now":        {QueueFilter{}, func(r QueueRow) bool { return r.Now }},
		"waiting":    {QueueFilter{Waiting: true}, func(r QueueRow) bool { return !r.Now }},
		"put off":    {QueueFilter{Waiting: true, State: inbox.StateHeld}, func(r QueueRow) bool { return !r.Until.IsZero() }},
		"kind":       {QueueFilter{All: true, Kind: "delete"}, func(r QueueRow) bool { return r.Kind == inbox.KindDelete }},
		"label":      {QueueFilter{All: true, Kind: "tell"}, func(r QueueRow) bool { return r.Topic == inbox.TopicTell }},
		"state":      {QueueFilter{State: inbox.StateFailed}, func(r QueueRow) bool { return r.State == inbox.StateFailed }},
		"mailbox":    {QueueFilter{All: true, Mailbox: "privacy"}, func(r QueueRow) bool { return r.Mailbox == "privacy" }},
		"assignee":   {QueueFilter{All: true, Assignee: "dana"}, func(r QueueRow) bool { return r.Assignee == "dana" }},
		"unassigned": {QueueFilter{Unassigned: true}, func(r QueueRow) bool { return r.Now && r.Assignee == "" }},
		"language":   {QueueFilter{All: true, Language: "ru"}, func(r QueueRow) bool { return r.ID%3 == 2 }},
		"due":        {QueueFilter{All: true, DueBefore: base.Add(20 * time.Hour)}, func(r QueueRow) bool { return r.Due.Before(base.Add(20 * time.Hour)) }},
		"nothing":    {QueueFilter{Mailbox: "none"}, func(QueueRow) bool { return false }},
	} {
		var want []inbox.ActionID
		for _, r := range all {
			if c.want(r) {
				want = append(want, r.ID)
			}
		}
		for _, limit := range []int{1, 7, 500} {
			var got []inbox.ActionID
			for _, r := range d.queueOf(t, c.f, limit) {
				got = append(got, r.ID)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s by %d: %v, want %v", name, limit, got, want)
			}
		}
	}
	for _, bad := range []Cursor{"x", "!", cursorAt(1)} {
		if _, err := d.Queue(QueueFilter{}, bad, 1); !errors.Is(err, ErrCursor) {
			t.Errorf("the cursor %q gave %v", bad, err)
		}
	}
}

// queueOf collects every page.
func (d *Desk) queueOf(t *testing.T, f QueueFilter, limit int) (all []QueueRow) {
	t.Helper()
	for after := Cursor(""); ; {
		page, err := d.Queue(f, after, limit)
		if err != nil || len(page.Rows) > limit {
			t.Fatalf("%d lines, %v", len(page.Rows), err)
		}
		if all = append(all, page.Rows...); page.Next == "" {
			return all
		}
		after = page.Next
	}
}

// TestEndedAndMails: the newest first, in pages, each once.
func TestEndedAndMails(t *testing.T) {
	d := newDesk(t, policy.Auto)
	states := []inbox.State{inbox.StateDone, inbox.StateRefused, inbox.StateReview, inbox.StateCancelled}
	d.update(t, func(tx *state.Tx) error {
		for i := range 40 {
			action(t, tx, mail(t, tx, ""), requests()[i%2], states[i%4])
		}
		return nil
	})
	ended := func(f EndedFilter, limit int) (ids []inbox.ActionID) {
		for after := Cursor(""); ; {
			page, err := d.Ended(f, after, limit)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range page.Rows {
				ids = append(ids, r.ID)
			}
			if after = page.Next; after == "" {
				return ids
			}
		}
	}
	for _, limit := range []int{1, 4, 100} {
		all := ended(EndedFilter{}, limit)
		if len(all) != 30 || !slices.IsSortedFunc(all, func(a, b inbox.ActionID) int { return int(b) - int(a) }) {
			t.Errorf("by %d: %v", limit, all)
		}
		if done := ended(EndedFilter{State: inbox.StateDone, Kind: "change"}, limit); len(done) != 10 || done[0] != 37 {
			t.Errorf("done by %d: %v", limit, done)
		}
		var mails []inbox.MailID
		for after := Cursor(""); ; {
			page, err := d.MailPage(MailFilter{State: inbox.MailActed, Mailbox: "support"}, after, limit)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range page.Mails {
				mails = append(mails, m.ID)
			}
			if after = page.Next; after == "" {
				break
			}
		}
		if len(mails) != 40 || mails[0] != 40 || mails[39] != 1 {
			t.Errorf("mails by %d: %v", limit, mails)
		}
	}
	if _, err := d.Ended(EndedFilter{State: inbox.StateReview}, "", 1); err == nil {
		t.Error("review is an end")
	}
}

func TestSearch(t *testing.T) {
	d := newDesk(t, policy.Auto)
	d.update(t, func(tx *state.Tx) error {
		open, ended := mail(t, tx, ""), mail(t, tx, "")
		action(t, tx, open, change, inbox.StateReview)
		action(t, tx, ended, change, inbox.StateDone)
		gone := mail(t, tx, "")
		action(t, tx, gone, change, inbox.StateDone)
		return nil
	})
	if err := d.State.Forget([]inbox.MailID{3}); err != nil {
		t.Fatal(err)
	}
	for typed, want := range map[string]string{
		"M-1": "M-000001", " a-000002 ": "M-000002", "m-3": "M-000003", "M-99": "", "A-99": "",
		"ann@USERS.test": "M-000002 M-000001", "Ann@users.test": "", "bob@users.test": "",
		"ann": "M-000001", "LEE": "M-000001", "bob": "", "ann%": "",
	} {
		hits, err := d.Search(t.Context(), typed)
		var got []string
		for _, h := range hits {
			got = append(got, h.Case.String())
		}
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%q finds %q, %v, want %q", typed, got, err, want)
		}
	}
	if _, err := d.Search(t.Context(), "  "); err == nil {
		t.Error("nothing was searched for")
	}
	hits, _ := d.Search(t.Context(), "M-3")
	if len(hits) != 1 || hits[0].From != "" {
		t.Errorf("what is forgotten is found as %+v", hits)
	}
}

// logged writes n entries about ann's case, of which each third has a detail.
func logged(t *testing.T, d *Desk, n int) {
	t.Helper()
	d.update(t, func(tx *state.Tx) error {
		m := mail(t, tx, "my secret words")
		action(t, tx, m, change, inbox.StateReview)
		for i := range n {
			var detail any
			if i%3 == 0 {
				detail = map[string]string{"to": ann}
			}
			if err := tx.Journal([]string{"note", "=cmd()"}[i%2], []string{"dana", "supportd"}[i%2], m.ID, 0, detail); err != nil {
				return err
			}
		}
		return nil
	})
}

func TestLog(t *testing.T) {
	d := newDesk(t, policy.Auto)
	logged(t, d, 30)
	d.update(t, func(tx *state.Tx) error { return tx.Journal("pause", "dana", 0, 0, nil) })
	seqs := func(f LogFilter, limit int) (out []uint64) {
		for after := Cursor(""); ; {
			page, err := d.Log(f, after, limit)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range page.Entries {
				out = append(out, e.Seq)
				if (len(e.Detail) > 0) != (f.Details && e.Commit != "") {
					t.Errorf("entry %d comes with the detail %s", e.Seq, e.Detail)
				}
			}
			if after = page.Next; after == "" {
				return out
			}
		}
	}
	for _, limit := range []int{1, 7, 100} {
		for name, c := range map[string]struct {
			f     LogFilter
			n     int
			first uint64
		}{
			"all": {LogFilter{}, 32, 32}, "oldest": {LogFilter{Oldest: true, Details: true}, 32, 1}, "case": {LogFilter{Case: 1}, 31, 31},
			"case, oldest": {LogFilter{Case: 1, Oldest: true}, 31, 1}, "action": {LogFilter{Action: 1}, 1, 1}, "who": {LogFilter{Who: "dana", Details: true}, 16, 32},
			"what": {LogFilter{What: "pause"}, 1, 32}, "who of the case": {LogFilter{Case: 1, Who: "dana", Oldest: true}, 15, 2},
			"later": {LogFilter{From: time.Now().Add(time.Hour)}, 0, 0}, "earlier": {LogFilter{To: time.Now().Add(-time.Hour)}, 0, 0},
			"since": {LogFilter{From: time.Now().Add(-time.Hour), To: time.Now().Add(time.Hour)}, 32, 32},
		} {
			got := seqs(c.f, limit)
			if len(got) != c.n || c.n > 0 && got[0] != c.first {
				t.Errorf("%s by %d: %d", name, limit, got)
			}
		}
	}
	if err := d.State.Forget([]inbox.MailID{1}); err != nil {
		t.Fatal(err)
	}
	page, err := d.Log(LogFilter{Case: 1, Details: true, Oldest: true}, "", 2)
	if err != nil || !page.Entries[1].Forgotten || page.Entries[1].Detail != nil {
		t.Errorf("what was forgotten is shown as %+v, %v", page.Entries, err)
	}
}

// TestVerifyInPieces: somebody is told after each that it goes on, can end it,
// and nobody begins another meanwhile.
func TestVerifyInPieces(t *testing.T) {
	d := newDesk(t, policy.Auto)
	many(t, d, verifyPiece+1, time.Now())
	n := 0
	f, err := d.Verify(t.Context(), "", func() error {
		n++
		if _, err := d.Verify(t.Context(), "", nil); !inbox.IsTemporary(err) {
			t.Errorf("a second walk meanwhile: %v", err)
		}
		return nil
	})
	if err != nil || n < 3 || f.Broken != "" || f.Entries < verifyPiece {
		t.Errorf("%d pieces, %+v, %v", n, f, err)
	}
	gone := errors.New("the browser went away")
	if _, err := d.Verify(t.Context(), "", func() error { return gone }); !errors.Is(err, gone) {
		t.Errorf("it ends with %v", err)
	}
	ctx, end := context.WithCancel(t.Context())
	end()
	if _, err := d.Verify(ctx, "", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("it ends with %v", err)
	}
}

// many writes n entries of one time into the journal.
func many(t *testing.T, d *Desk, n int, at time.Time) {
	t.Helper()
	err := d.State.Update(t.Context(), "test", func(tx *state.Tx) error {
		tx.Now = at
		for range n {
			if err := tx.Journal("pause", "dana", 0, 0, nil); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// pulse counts how often it is written to.
type pulse struct{ n int }

// Write implements io.Writer.
func (p *pulse) Write(b []byte) (int, error) { p.n++; return len(b), nil }

// TestLogByTime goes to the time that is asked for, however much lies between,
// and an export tells that it goes on while it finds nothing.
func TestLogByTime(t *testing.T) {
	d := newDesk(t, policy.Auto)
	begin := time.Now().Truncate(time.Second).Add(-1000 * time.Hour)
	many(t, d, logLooked+10, begin)
	many(t, d, 3, begin.Add(100*time.Hour))
	many(t, d, 3, begin.Add(100*time.Hour-time.Minute)) // the clock was put back
	many(t, d, logLooked+10, begin.Add(200*time.Hour))
	for _, oldest := range []bool{false, true} {
		f := LogFilter{From: begin.Add(100*time.Hour - time.Minute), To: begin.Add(100*time.Hour + time.Minute), Oldest: oldest}
		page, err := d.Log(f, "", 50)
		if err != nil || len(page.Entries) != 6 || page.Next != "" {
			t.Errorf("oldest first %v: %d entries on the first page, next %q, %v", oldest, len(page.Entries), page.Next, err)
		}
		first, err := d.Log(f, "", 2)
		if err != nil || len(first.Entries) != 2 || first.Next == "" {
			t.Fatalf("%d entries, %v", len(first.Entries), err)
		}
		if rest, err := d.Log(f, first.Next, 50); err != nil || len(rest.Entries) != 4 || rest.Next != "" {
			t.Errorf("oldest first %v: %d entries on the second page, next %q, %v", oldest, len(rest.Entries), rest.Next, err)
		}
	}
	var w pulse
	if err := d.ExportLog(t.Context(), &w, FormatJSONL, LogFilter{Who: "nobody"}); err != nil || w.n < 2 {
		t.Errorf("an export that finds nothing gave %d signs of life, %v", w.n, err)
	}
	var lines bytes.Buffer
	if err := d.ExportLog(t.Context(), &lines, FormatJSONL, LogFilter{From: begin.Add(99 * time.Hour), To: begin.Add(101 * time.Hour)}); err != nil || bytes.Count(lines.Bytes(), []byte("\n")) != 6 {
		t.Errorf("%d lines, %v", bytes.Count(lines.Bytes(), []byte("\n")), err)
	}
}

// TestExport: whoever has the lines can check the chain; without details there
// is nothing personal; a spreadsheet takes nothing for a formula.
func TestExport(t *testing.T) {
	d := newDesk(t, policy.Auto)
	logged(t, d, 1200)
	var lines, table, all bytes.Buffer
	for _, c := range []struct {
		w      *bytes.Buffer
		format string
		f      LogFilter
	}{{&lines, FormatJSONL, LogFilter{}}, {&table, FormatCSV, LogFilter{}}, {&all, FormatCSV, LogFilter{Details: true}}} {
		if err := d.ExportLog(t.Context(), c.w, c.format, c.f); err != nil {
			t.Fatal(err)
		}
	}
	if text := lines.String() + table.String(); strings.Contains(text, "ann") || strings.Contains(text, "secret") {
		t.Error("the export names the person")
	}
	if !strings.Contains(all.String(), ann) {
		t.Error("the export lacks the details that were asked for")
	}
	prev := strings.Repeat("0", 64)
	n := checkChain(t, &lines, prev)
	rows, err := csv.NewReader(&table).ReadAll()
	if err != nil || len(rows) != n+1 || n != 1201 || strings.Join(rows[0], " ") != "seq at what who case action commit prev hash" {
		t.Errorf("%d lines and %d rows, %v", n, len(rows), err)
	}
	if rows[3][2] != "'=cmd()" {
		t.Errorf("a cell is %q", rows[3][2])
	}
	if err := d.ExportLog(t.Context(), &table, "xml", LogFilter{}); err == nil {
		t.Error("xml is a format")
	}
}

// checkChain walks exported lines as somebody does who has nothing else.
func checkChain(t *testing.T, lines *bytes.Buffer, prev string) (n int) {
	t.Helper()
	for line := range strings.Lines(lines.String()) {
		var l struct {
			Entry json.RawMessage `json:"entry"`
			Hash  string          `json:"hash"`
		}
		var e journal.Entry
		if err := errors.Join(json.Unmarshal([]byte(line), &l), json.Unmarshal(l.Entry, &e)); err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(l.Entry)
		if l.Hash != hex.EncodeToString(sum[:]) || e.Prev != prev {
			t.Fatalf("entry %d does not hold: %s", e.Seq, line)
		}
		prev, n = l.Hash, n+1
	}
	return n
}

// TestReceipt: its form is fixed, and it has no value, no words of the mail and
// no address in full.
func TestReceipt(t *testing.T) {
	d := newDesk(t, policy.Auto)
	d.update(t, func(tx *state.Tx) error {
		a := action(t, tx, mail(t, tx, "my secret words"), change, inbox.StateReview)
		return tx.MoveFor(a, inbox.EventRefuse, "dana", "not now")
	})
	looker := Actor{Name: "vera", Role: staff.RoleViewer}
	if err := d.Enter(t.Context(), looker, staff.RightSee, "case opened", inbox.MailID(1)); err != nil {
		t.Fatal(err)
	}
	r, err := d.Receipt(1)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, personal := range []string{ann, "+7701", "secret", "Lee", "hello"} {
		if bytes.Contains(b, []byte(personal)) {
			t.Errorf("the receipt has %q: %s", personal, b)
		}
	}
	if r.Sender != "a•••@u•••.test" || len(r.Asked) != 1 || r.Asked[0].Deadline != VerdictUnanswered || r.Asked[0].Fields[0] != inbox.FieldPhone {
		t.Errorf("the receipt says %s", b)
	}
	if s := r.Asked[0].Done; len(s) != 2 || s[0].Who != "automatically" || s[1].Who != "dana" || s[1].What != "refuse" {
		t.Errorf("done was %+v", s)
	}
	f, err := d.Verify(t.Context(), r.Entries[1].Hash, nil)
	if err != nil || !f.Known || len(r.Entries) != 2 || r.Head != f.Head || r.HeadSeq != f.Entries {
		t.Errorf("its proof is %+v of %+v, %v", r.Entries, f, err)
	}
	var form map[string]any
	if err := json.Unmarshal(b, &form); err != nil {
		t.Fatal(err)
	}
	want := "asked case entries evidence head head_seq letters made mailbox proof received sender state"
	var keys []string
	for k := range form {
		keys = append(keys, k)
	}
	if slices.Sort(keys); strings.Join(keys, " ") != want {
		t.Errorf("its form is %q, want %q", keys, want)
	}
}

// TestNothingIsLateWhileItStands: the queue does not call late whose clock
// stands, and a state from before that was kept learns it.
func TestNothingIsLateWhileItStands(t *testing.T) {
	d := newDesk(t, policy.Auto)
	clock, err := deadline.Profile("gdpr", time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	keep := cases.Dates(clock)
	d.Cases.Clock = clock
	received := time.Now().AddDate(0, -2, 0)
	d.update(t, func(tx *state.Tx) error {
		for _, asked := range []bool{true, false} {
			a := action(t, tx, mail(t, tx, "text"), change, inbox.StateUnconfirmed)
			if a.Received = received; asked {
				a.Asked(inbox.WaitProof, received.AddDate(0, 0, 1))
			}
			if keep(a); a.Stands != asked {
				t.Errorf("asked %t: it stands %t", asked, a.Stands)
			}
			if err := tx.PutAction(a); err != nil {
				return err
			}
		}
		return nil
	})
	rows := d.queueOf(t, QueueFilter{All: true, DueBefore: time.Now()}, 10)
	if len(rows) != 1 || rows[0].ID != 2 || rows[0].Still {
		t.Errorf("late are %+v", rows)
	}
	if v, err := d.Action(1); err != nil || !v.Still || v.Risk != deadline.RiskNone {
		t.Errorf("what stands is %+v, %v", v, err)
	}
}

func TestDeadlineOf(t *testing.T) {
	now := time.Now()
	at := func(hours int) time.Time { return now.Add(time.Duration(hours) * time.Hour) }
	about := []inbox.ActionID{1}
	letter := func(s inbox.ReplyState, created, sent int) *inbox.Reply {
		return &inbox.Reply{State: s, Actions: about, Created: at(created), Sent: at(sent)}
	}
	sent := func(created, sent int) *inbox.Reply { return letter(inbox.ReplySent, created, sent) }
	others := &inbox.Reply{State: inbox.ReplySent, Actions: []inbox.ActionID{2}, Created: at(-4), Sent: at(-4)}
	notice := &inbox.Reply{State: inbox.ReplySent, Actions: about, Created: at(-4), Sent: at(-4), Staff: true}
	for name, c := range map[string]struct {
		state   inbox.State
		stands  bool
		due     int // everything that has ended did so four hours ago
		letters []*inbox.Reply
		want    Verdict
	}{
		"answered in time":                        {inbox.StateDone, false, 1, []*inbox.Reply{sent(-4, -3)}, VerdictMet},
		"done in time, told too late":             {inbox.StateDone, false, -2, []*inbox.Reply{sent(-4, -1)}, VerdictLate},
		"one of two letters too late":             {inbox.StateDone, false, -2, []*inbox.Reply{sent(-4, -3), sent(-4, -1)}, VerdictLate},
		"told in time, looked at later":           {inbox.StateRefused, false, -2, []*inbox.Reply{sent(-4, -3)}, VerdictMet},
		"nobody was told":                         {inbox.StateDone, false, 1, nil, VerdictUnanswered},
		"nobody was told, and it was due":         {inbox.StateRefused, false, -5, nil, VerdictUnanswered},
		"only asked before":                       {inbox.StateExpired, false, 1, []*inbox.Reply{sent(-9, -9)}, VerdictUnanswered},
		"a letter about another":                  {inbox.StateDone, false, 1, []*inbox.Reply{others, notice}, VerdictUnanswered},
		"the letter came back":                    {inbox.StateDone, false, 1, []*inbox.Reply{letter(inbox.ReplyBounced, -4, -3)}, VerdictUnanswered},
		"the letter was given up":                 {inbox.StateDone, false, 1, []*inbox.Reply{letter(inbox.ReplyFailed, -4, 0)}, VerdictUnanswered},
		"the letter waits":                        {inbox.StateDone, false, 1, []*inbox.Reply{letter(inbox.ReplyHeld, -4, 0)}, VerdictOpen},
		"the letter waits for too long":           {inbox.StateDone, false, -1, []*inbox.Reply{letter(inbox.ReplyDue, -4, 0)}, VerdictOverdue},
		"asked, no answer, the clock stood":       {inbox.StateExpired, true, -5, []*inbox.Reply{sent(-9, -9)}, VerdictStood},
		"stood, and was told all the same":        {inbox.StateCancelled, true, 1, []*inbox.Reply{sent(-4, -4)}, VerdictMet},
		"open":                                    {inbox.StateReview, false, 1, nil, VerdictOpen},
		"open and late":                           {inbox.StateReview, false, -1, nil, VerdictOverdue},
		"asked, the clock stands past its former": {inbox.StateUnconfirmed, true, -1, nil, VerdictStands},
	} {
		a := &inbox.Action{ID: 1, State: c.state, Stands: c.stands, Due: at(c.due)}
		if c.state.Ended() {
			a.Ended = at(-4)
		}
		if got, _ := deadlineOf(a, c.letters, now); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestSavedAnswers(t *testing.T) {
	d := newDesk(t, policy.Auto)
	ctx := t.Context()
	err := errors.Join(d.SaveAnswer(ctx, "dana", " hours ", "en", "We open at nine."), d.SaveAnswer(ctx, "dana", "hours", "kk", "Тоғызда ашыламыз."),
		d.SaveAnswer(ctx, "bob", "hours", "en", "We open at ten."), d.DropAnswer(ctx, "bob", "hours", "kk"))
	all, failed := d.SavedAnswers()
	if err != nil || failed != nil || len(all) != 1 || all[0].Text != "We open at ten." || all[0].By != "bob" {
		t.Errorf("kept are %+v, %v, %v", all, err, failed)
	}
	for _, bad := range [][3]string{{"", "en", "x"}, {"a\nb", "en", "x"}, {"a", "english", "x"}, {"a", "en", " "}, {"a", "en", strings.Repeat("x", longest+1)}} {
		if err := d.SaveAnswer(ctx, "dana", bad[0], bad[1], bad[2]); err == nil {
			t.Errorf("%q in %q was kept", bad[0], bad[1])
		}
	}
	if err := d.DropAnswer(ctx, "dana", "none", "en"); !errors.Is(err, state.ErrNotFound) {
		t.Errorf("dropping what is not there gave %v", err)
	}
	if got := journalOf(t, d); len(got) != 4 || strings.Contains(strings.Join(got, " "), "hours") {
		t.Errorf("the journal has %q", got)
	}
}

// TestCase: a case page tells what each record has, in words.
func TestCase(t *testing.T) {
	d := newDesk(t, policy.Auto)
	var a *inbox.Action
	d.update(t, func(tx *state.Tx) error {
		a = action(t, tx, mail(t, tx, "Please change my phone, thanks"), change, inbox.StateDone)
		a.Detail.Request.Because = []string{"change my phone"}
		a.Detail.Plan = inbox.Plan{Steps: []inbox.Step{{Place: "profile", Field: inbox.FieldPhone, Op: inbox.StepSet, Old: "+77010000009", New: "+77010000001"}}}
		answer := mail(t, tx, "yes")
		answer.Actions = []inbox.ActionID{a.ID}
		other := mail(t, tx, "something else")
		return errors.Join(tx.PutAction(a), tx.PutMail(answer), tx.PutMail(other), tx.Journal("staff told", cases.Program, a.Case, 0, nil), tx.Journal("open case", "dana", a.Case, 0, nil))
	})
	v, err := d.CaseIn(1, "ru")
	if err != nil || len(v.Actions) != 1 || len(v.Spans) != 1 || v.Mail.Text[v.Spans[0].Start:v.Spans[0].End] != "change my phone" {
		t.Fatalf("%+v, %v", v, err)
	}
	got := v.Actions[0]
	if s := got.Steps[0]; s.Field != "Телефон" || s.Old != "+77010000009" || len(got.Undo) != 1 || got.Undo[0].New != "+77010000009" || got.Sender == "" {
		t.Errorf("the plan is %+v, undone %+v", got.Steps, got.Undo)
	}
	possible := map[cases.Verb]bool{}
	for _, x := range got.Acts {
		if possible[x.Verb] = x.Possible; x.Possible == (x.Why != "") {
			t.Errorf("%+v", x)
		}
	}
	if len(possible) != len(cases.Verbs()) || !possible[cases.Undo] || possible[cases.Hold] {
		t.Errorf("possible are %v", possible)
	}
	var history []string
	for _, h := range v.History {
		history = append(history, fmt.Sprint(h.Source, " ", h.What, " ", h.Mail))
	}
	for _, want := range []string{"mail acted M-000001", "action review M-000000", "mail acted M-000002", "journal staff told M-000001"} {
		if !slices.Contains(history, want) {
			t.Errorf("the history lacks %q: %q", want, history)
		}
	}
	if len(history) != 4 {
		t.Errorf("the history is %q", history)
	}
	if err := d.State.Forget([]inbox.MailID{1}); err != nil {
		t.Fatal(err)
	}
	if v, err = d.Case(1); err != nil || !v.Forgotten || v.Mail.Text != "" || v.Spans != nil || !v.Actions[0].Forgotten {
		t.Errorf("once it is forgotten: %+v, %v", v, err)
	}
}

// TestReceiptOfAnAcknowledgement: where the law wants a first letter soon, the
// receipt says until when, and when it was written, whatever came later.
func TestReceiptOfAnAcknowledgement(t *testing.T) {
	clock, err := deadline.Profile("ccpa", time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	got := time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)
	a := &inbox.Action{Kind: inbox.KindCopy, State: inbox.StateReview, Received: got, Acknowledged: got.Add(time.Hour), Detail: &inbox.ActionDetail{}}
	a.Due = clock.Of(a).Due
	r := asked(a, nil, clock, got)
	if want := time.Date(2026, 12, 10, 23, 59, 59, 0, time.UTC); !r.AcknowledgeBy.Equal(want) || !r.Acknowledged.Equal(a.Acknowledged) || !r.Due.After(want) {
		t.Errorf("a first letter is due at %v and was written at %v, an answer is due at %v", r.AcknowledgeBy, r.Acknowledged, r.Due)
	}
}

// TestFilterReadsWhatItShows: what a filter leaves out costs next to nothing.
func TestFilterReadsWhatItShows(t *testing.T) {
	d := newDesk(t, policy.Auto)
	d.update(t, func(tx *state.Tx) error {
		for i := range 120 {
			if err := past(tx, i, true); err != nil {
				return err
			}
		}
		return nil
	})
	for name, f := range map[string]QueueFilter{"assignee": {Assignee: "nobody"}, "mailbox": {Mailbox: "none"}, "language": {Language: "ru"}, "kind": {Kind: "copy"}, "label": {Kind: "delete account"},
		"state": {State: inbox.StateFailed}, "letters": {State: StateLetters}, "deadline": {DueBefore: time.Now().Add(-time.Hour)}, "all": {All: true, Mailbox: "none"}, "waiting": {Waiting: true, Assignee: "nobody"}} {
		n := testing.AllocsPerRun(5, func() {
			if page, err := d.Queue(f, "", 50); err != nil || len(page.Rows) != 0 {
				t.Errorf("%s: %d rows, %v", name, len(page.Rows), err)
			}
		})
		if n > 100 {
			t.Errorf("%s: %.0f allocations for 120 lines that it leaves out", name, n)
		}
	}
}
