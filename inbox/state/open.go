package state

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"push.guru/supportd/inbox"
)

// Class says what something open waits for.
type Class byte

// The classes, in the order in which the index lists them.
const (
	ClassNow  Class = 1 // a person: in review, failed, held, or its letter is
	ClassSelf Class = 2 // nothing that staff would have to do: unconfirmed, scheduled, running, held until a date
)

// String names the class: now or self.
func (c Class) String() string {
	switch c {
	case ClassNow:
		return "now"
	case ClassSelf:
		return "self"
	}
	return fmt.Sprintf("Class(%d)", byte(c))
}

// Line is one line of the index of what is open: an Action, or a Case that has a
// held letter and no open Action. It carries what lists are filtered
// by, so that filtering reads no record.
type Line struct {
	Class    Class          `json:"-"`
	Due      time.Time      `json:"-"`                // of a Case without a deadline: since when its letter is held
	Action   inbox.ActionID `json:"-"`                // 0: the Case itself
	Case     inbox.MailID   `json:"case"`             // which it belongs to
	Kind     inbox.Kind     `json:"kind,omitempty"`   // "" of a Case
	Scope    inbox.Scope    `json:"scope,omitempty"`  //
	Topic    inbox.Topic    `json:"topic,omitempty"`  //
	Undo     bool           `json:"undo,omitempty"`   //
	State    inbox.State    `json:"state,omitempty"`  // "" of a Case
	Letters  bool           `json:"letters,omitzero"` // a letter is held
	Undated  bool           `json:"undated,omitzero"` // Due is no deadline
	Stands   bool           `json:"stands,omitzero"`  // Due cannot be missed: see inbox.Action
	Language string         `json:"lang,omitempty"`   //
	Mailbox  string         `json:"box,omitempty"`    //
	Assignee string         `json:"who,omitempty"`    //
}

// The first byte of what stands in open_at, and of the end of a key of open.
const (
	thingAction byte = 1
	thingCase   byte = 2
)

func actionThing(id inbox.ActionID) []byte { return join([]byte{thingAction}, be(uint64(id))) }

func caseThing(id inbox.MailID) []byte { return join([]byte{thingCase}, be(uint64(id))) }

// OpenAfter calls f for what is open, from behind the key after ("" is the
// beginning) on, needing a person before the rest and the nearest deadline
// first, until it returns false. The key that comes with each line is where
// another call goes on; it says nothing of anybody.
func (tx *Tx) OpenAfter(after string, f func(o Line, key string) bool) error {
	return tx.OpenSifted(after, Sift{}, f)
}

func readOpen(k, v []byte) (o Line, err error) {
	if len(k) != 18 {
		return o, errors.New("reading the index of what is open: a key is cut")
	}
	if err := json.Unmarshal(v, &o); err != nil {
		return o, fmt.Errorf("reading the index of what is open: %w", err)
	}
	o.Class, o.Due = Class(k[0]), time.Unix(0, int64(binary.BigEndian.Uint64(k[1:]))).UTC()
	if k[9] == thingAction {
		o.Action = inbox.ActionID(binary.BigEndian.Uint64(k[10:]))
	}
	return o, nil
}

// place puts a thing where it belongs in the index, or takes it out when o is
// nil.
func (tx *Tx) place(thing []byte, o *Line) error {
	var key, value []byte
	if o != nil {
		key = join([]byte{byte(o.Class)}, at(o.Due), thing)
		var err error
		if value, err = json.Marshal(o); err != nil {
			return fmt.Errorf("encoding a line of what is open: %w", err)
		}
	}
	old := bytes.Clone(tx.bucket("open_at").Get(thing))
	if err := tx.tallyClass(old, key); err != nil {
		return err
	}
	if old != nil && !bytes.Equal(old, key) {
		if err := tx.bucket("open").Delete(old); err != nil {
			return fmt.Errorf("indexing what is open: %w", err)
		}
	}
	if key == nil {
		return tx.bucket("open_at").Delete(thing)
	}
	return errors.Join(tx.bucket("open").Put(key, value), tx.bucket("open_at").Put(thing, key))
}

// tallyClass counts a line that goes from one key to another; nil is none.
func (tx *Tx) tallyClass(old, now []byte) error {
	class := func(key []byte) string {
		if key == nil {
			return ""
		}
		return Class(key[0]).String()
	}
	return tx.tallyMove("class", class(old), class(now))
}

// placeAction keeps the line of an Action that is stored now, and the others of
// its Case, if a held letter may be told at another of them now.
func (tx *Tx) placeAction(a *inbox.Action) error {
	if err := tx.placeLine(a); err != nil {
		return err
	}
	if !tx.hasHeld(a.Case) {
		return nil
	}
	return tx.placeCase(a.Case)
}

func (tx *Tx) placeLine(a *inbox.Action) error {
	return tx.place(actionThing(a.ID), tx.lineOfAction(a))
}

// placeCase keeps every line of a Case that is stored now.
func (tx *Tx) placeCase(c inbox.MailID) error {
	acts, err := tx.CaseStates(c)
	if err != nil {
		return err
	}
	for _, a := range acts {
		if err := tx.placeLine(a); err != nil {
			return err
		}
	}
	o, err := tx.lineOfCase(c, acts)
	if err != nil {
		return err
	}
	if o == nil && tx.bucket("open_at").Get(caseThing(c)) == nil {
		return nil
	}
	return tx.place(caseThing(c), o)
}

// lineOfAction gives the line of an Action; nil when it has ended. A held letter
// shows at the open Actions of its Case that it tells of, and at every open one
// when it tells of none of them.
func (tx *Tx) lineOfAction(a *inbox.Action) *Line {
	if a.State.Ended() {
		return nil
	}
	letters := false
	tx.eachHeld(a.Case, func(h heldLetter) {
		others := func(id inbox.ActionID) bool { return id != a.ID && tx.isOpen(a.Case, id) }
		letters = letters || slices.Contains(h.actions, a.ID) || !slices.ContainsFunc(h.actions, others)
	})
	o := &Line{Class: ClassSelf, Due: a.Due, Case: a.Case, Kind: a.Kind, Scope: a.Scope, Topic: a.Topic, Undo: a.Undo,
		State: a.State, Letters: letters, Language: a.Language, Mailbox: a.Mailbox, Assignee: a.Assignee, Stands: a.Stands}
	switch {
	case a.State == inbox.StateHeld && !a.Until.IsZero(): // put off on purpose
	case letters, a.State == inbox.StateHeld, a.State == inbox.StateReview, a.State == inbox.StateFailed:
		o.Class = ClassNow
	}
	return o
}

// isOpen tells whether an Action of a Case has a line.
func (tx *Tx) isOpen(c inbox.MailID, id inbox.ActionID) bool {
	key := tx.bucket("open_at").Get(actionThing(id))
	if key == nil {
		return false
	}
	o, err := readOpen(key, tx.bucket("open").Get(key))
	return err == nil && o.Case == c
}

// lineOfCase gives the line of a Case that has held letters and of whose Actions
// none is open; nil when it needs none.
func (tx *Tx) lineOfCase(c inbox.MailID, acts []*inbox.Action) (*Line, error) {
	if !tx.hasHeld(c) || slices.ContainsFunc(acts, func(a *inbox.Action) bool { return !a.State.Ended() }) {
		return nil, nil
	}
	m, err := tx.Mail(c)
	if err != nil {
		return nil, err
	}
	o := &Line{Class: ClassNow, Undated: true, Case: c, Letters: true, Language: m.Language, Mailbox: m.Ref.Mailbox}
	tx.eachHeld(c, func(h heldLetter) {
		if o.Undated && (o.Due.IsZero() || h.created.Before(o.Due)) {
			o.Due = h.created
		}
		for _, a := range acts {
			if slices.Contains(h.actions, a.ID) && (o.Undated || a.Due.Before(o.Due)) {
				o.Due, o.Undated = a.Due, false
			}
		}
	})
	return o, nil
}

func (tx *Tx) hasHeld(c inbox.MailID) bool {
	prefix := be(uint64(c))
	k, _ := tx.bucket("reply_held").Cursor().Seek(prefix)
	return bytes.HasPrefix(k, prefix)
}

// heldLetter is a letter of a Case that waits for staff.
type heldLetter struct {
	reply   inbox.ReplyID
	created time.Time
	actions []inbox.ActionID
}

func (tx *Tx) eachHeld(c inbox.MailID, f func(heldLetter)) {
	prefix := be(uint64(c))
	cur := tx.bucket("reply_held").Cursor()
	for k, v := cur.Seek(prefix); len(k) == 16 && bytes.HasPrefix(k, prefix) && len(v) >= 8; k, v = cur.Next() {
		h := heldLetter{reply: inbox.ReplyID(binary.BigEndian.Uint64(k[8:])), created: time.Unix(0, int64(binary.BigEndian.Uint64(v)))}
		for v = v[8:]; len(v) >= 8; v = v[8:] {
			h.actions = append(h.actions, inbox.ActionID(binary.BigEndian.Uint64(v)))
		}
		f(h)
	}
}

// isHeld tells whether a letter counts as held: what was forgotten nobody can
// send any more.
func (tx *Tx) isHeld(r *inbox.Reply) bool {
	return r != nil && r.Case != 0 && r.State == inbox.ReplyHeld && tx.db.keys.holds(r.Case)
}

// placeReply keeps the index of held letters, and with it the lines of what
// they tell of; old is nil for a new one.
func (tx *Tx) placeReply(old, r *inbox.Reply) error {
	was, is := tx.bucket("reply_held").Get(heldKey(r)) != nil, tx.isHeld(r)
	if was == is && (!is || old != nil && slices.Equal(old.Actions, r.Actions)) {
		return nil
	}
	if err := tx.holdReply(r, is); err != nil {
		return err
	}
	return tx.placeCase(r.Case)
}

func heldKey(r *inbox.Reply) []byte { return join(be(uint64(r.Case)), be(uint64(r.ID))) }

func (tx *Tx) holdReply(r *inbox.Reply, held bool) error {
	if !held {
		return tx.bucket("reply_held").Delete(heldKey(r))
	}
	value := at(r.Created)
	for _, id := range r.Actions {
		value = append(value, be(uint64(id))...)
	}
	return tx.bucket("reply_held").Put(heldKey(r), value)
}

// dropHeld forgets the held letters of a Case whose key was dropped.
func (tx *Tx) dropHeld(c inbox.MailID) error {
	var over []heldLetter
	tx.eachHeld(c, func(h heldLetter) { over = append(over, h) })
	for _, h := range over {
		if err := tx.holdReply(&inbox.Reply{ID: h.reply, Case: c}, false); err != nil {
			return fmt.Errorf("forgetting the held letters of %s: %w", c, err)
		}
	}
	if len(over) == 0 {
		return nil
	}
	return tx.placeCase(c)
}

// Tallies are numbers that are kept, not counted.
type Tallies struct {
	Now    int                     `json:"now"`  // what needs a person
	Self   int                     `json:"self"` // what is open and goes on by itself
	States map[inbox.State]int     `json:"states"`
	Mails  map[inbox.MailState]int `json:"mails"`
}

// Tallies reads the kept numbers.
func (tx *Tx) Tallies() Tallies {
	out := Tallies{Now: tx.tallied("class now"), Self: tx.tallied("class self"), States: map[inbox.State]int{}, Mails: map[inbox.MailState]int{}}
	for _, s := range inbox.States() {
		out.States[s] = tx.tallied("state " + string(s))
	}
	for _, s := range inbox.MailStates() {
		out.Mails[s] = tx.tallied("mail " + string(s))
	}
	return out
}

func (tx *Tx) tallied(name string) int {
	v := tx.bucket("tallies").Get([]byte(name))
	if len(v) != 8 {
		return 0
	}
	return int(int64(binary.BigEndian.Uint64(v)))
}

func (tx *Tx) tally(name string, delta int) error {
	return tx.bucket("tallies").Put([]byte(name), be(uint64(int64(tx.tallied(name)+delta))))
}

// tallyMove counts a thing that goes from one state to another; "" is none.
func (tx *Tx) tallyMove(what, old, now string) error {
	if old == now {
		return nil
	}
	var err error
	if old != "" {
		err = tx.tally(what+" "+old, -1)
	}
	if now != "" {
		err = errors.Join(err, tx.tally(what+" "+now, 1))
	}
	return err
}

// CheckOpen counts everything anew, and says in sentences how the index of
// what is open and the kept numbers differ from that; none when they hold. It
// reads every record, and is for tests and doubts.
func (tx *Tx) CheckOpen() ([]string, error) {
	want, lines, err := tx.countOpen()
	if err != nil {
		return nil, err
	}
	var faults []string
	err = tx.OpenAfter("", func(o Line, key string) bool {
		b, _ := json.Marshal(o)
		thing := key[9:]
		switch w, ok := lines[thing]; {
		case !ok:
			faults = append(faults, fmt.Sprintf("the index has a line that it should not: %s of %s", b, o.Case))
		case w != o:
			faults = append(faults, fmt.Sprintf("the index has %+v where it should have %+v", o, w))
		}
		if string(tx.bucket("open_at").Get([]byte(thing))) != key {
			faults = append(faults, fmt.Sprintf("open_at does not lead to the line of %s", b))
		}
		delete(lines, thing)
		return true
	})
	for _, o := range lines {
		faults = append(faults, fmt.Sprintf("the index lacks %+v", o))
	}
	if got := tx.Tallies(); fmt.Sprint(got) != fmt.Sprint(want) {
		faults = append(faults, fmt.Sprintf("the numbers are %+v, counted %+v", got, want))
	}
	return faults, err
}

// countOpen counts every record, and gives the lines that the index should
// have.
func (tx *Tx) countOpen() (Tallies, map[string]Line, error) {
	n := Tallies{States: map[inbox.State]int{}, Mails: map[inbox.MailState]int{}}
	for _, s := range inbox.States() {
		n.States[s] = 0
	}
	for _, s := range inbox.MailStates() {
		n.Mails[s] = 0
	}
	lines := map[string]Line{}
	add := func(thing []byte, o *Line, id inbox.ActionID) {
		if o == nil {
			return
		}
		o.Due, o.Action = time.Unix(0, max(o.Due.UnixNano(), 0)).UTC(), id
		lines[string(thing)] = *o
		if o.Class == ClassNow {
			n.Now++
		} else {
			n.Self++
		}
	}
	var failed error
	err := tx.ActionsIn("", func(a *inbox.Action) bool {
		n.States[a.State]++
		add(actionThing(a.ID), tx.lineOfAction(a), a.ID)
		return true
	})
	mails := tx.EachMail(0, func(m *inbox.Mail) bool {
		n.Mails[m.State]++
		var acts []*inbox.Action
		var o *Line
		if acts, failed = tx.CaseActions(m.ID); failed == nil {
			o, failed = tx.lineOfCase(m.ID, acts)
		}
		add(caseThing(m.ID), o, 0)
		return failed == nil
	})
	held := tx.checkHeld()
	return n, lines, errors.Join(err, mails, failed, held)
}

// checkHeld holds reply_held against the letters.
func (tx *Tx) checkHeld() error {
	c, n := tx.bucket("replies").Cursor(), 0
	for k, v := c.First(); k != nil; k, v = c.Next() {
		r, err := plainReply(v)
		if err != nil {
			return err
		}
		if is := tx.bucket("reply_held").Get(heldKey(r)) != nil; is != tx.isHeld(r) {
			return fmt.Errorf("%s is %s, and reply_held says otherwise", r.ID, r.State)
		} else if is {
			n++
		}
	}
	all := 0
	err := tx.bucket("reply_held").ForEach(func(_, _ []byte) error { all++; return nil })
	if err == nil && all != n {
		return fmt.Errorf("reply_held has %d letters, held are %d", all, n)
	}
	return err
}

func plainReply(v []byte) (*inbox.Reply, error) {
	r := new(inbox.Reply)
	if _, err := decode(v, r); err != nil {
		return nil, fmt.Errorf("reading a reply: %w", err)
	}
	return r, nil
}

// indexOpen makes the index of what is open, and the kept numbers, of a state
// from before there were any.
func (tx *Tx) indexOpen() error {
	c := tx.bucket("replies").Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		r, err := plainReply(v)
		if err != nil {
			return err
		}
		if tx.isHeld(r) {
			if err := tx.holdReply(r, true); err != nil {
				return err
			}
		}
	}
	open, err := tx.countStates("action_states", "state")
	if err != nil {
		return err
	}
	if _, err := tx.countStates("mail_states", "mail"); err != nil {
		return err
	}
	for _, id := range open {
		a, err := tx.Action(inbox.ActionID(id))
		if err != nil {
			return err
		}
		if err := tx.placeLine(a); err != nil {
			return err
		}
	}
	return tx.placeHeldCases()
}

// countStates tallies what an index by states lists, and gives the Actions
// among it that are open.
func (tx *Tx) countStates(index, what string) (open []uint64, err error) {
	n := map[string]int{}
	c := tx.bucket(index).Cursor()
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		s, _, _ := strings.Cut(string(k), "\x00")
		if n[s]++; what == "state" && !inbox.State(s).Ended() {
			open = append(open, binary.BigEndian.Uint64(k[len(k)-8:]))
		}
	}
	for s, n := range n {
		if err := tx.tally(what+" "+s, n); err != nil {
			return nil, err
		}
	}
	return open, nil
}

// placeHeldCases gives every Case with a held letter its line.
func (tx *Tx) placeHeldCases() error {
	var ids []inbox.MailID
	err := tx.bucket("reply_held").ForEach(func(k, _ []byte) error {
		if id := inbox.MailID(binary.BigEndian.Uint64(k)); len(ids) == 0 || ids[len(ids)-1] != id {
			ids = append(ids, id)
		}
		return nil
	})
	for _, id := range ids {
		err = errors.Join(err, tx.placeCase(id))
	}
	return err
}
