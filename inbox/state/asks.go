package state

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"push.guru/supportd/inbox"
)

// Purpose is what a yes to an Ask means.
type Purpose string

// The purposes.
const (
	PurposeClaim   Purpose = "claim"       // it was I who wrote; shows nothing, proves the mailbox
	PurposeConfirm Purpose = "confirm"     // carry out exactly these plans
	PurposeNewAddr Purpose = "new-address" // the new address agrees to be used
	PurposeStop    Purpose = "stop"        // the doubtful stop was mine: "no" stops, "yes" lets it go on
	PurposeNotice  Purpose = "notice"      // a "stop" to it is proved; a yes to it means nothing
	PurposeStatus  Purpose = "status"      // it was I who asked where my requests stand; shows nothing, and is about no Action
)

// Waits tells whether Actions wait for the answer to a question, and lapse with
// it.
func (p Purpose) Waits() bool {
	return p == PurposeClaim || p == PurposeConfirm || p == PurposeNewAddr
}

// Ask is a question that waits for its answer. Its token is in the mail that
// asked; here it is only a keyed hash.
type Ask struct {
	Case    inbox.MailID     `json:"case"`
	Actions []inbox.ActionID `json:"actions"`
	Purpose Purpose          `json:"purpose"`
	Digests []string         `json:"digests,omitempty"` // of the plan shown for each Action
	To      []byte           `json:"to"`                // keyed hash of the address that was asked
	Reply   inbox.ReplyID    `json:"reply,omitzero"`    // the mail that asked
	Asked   time.Time        `json:"asked"`
	Expires time.Time        `json:"expires,omitzero"` // zero until the letter was sent
	Used    bool             `json:"used,omitempty"`
	Void    string           `json:"void,omitempty"` // why it no longer counts

	key []byte
}

// PutAsk stores an Ask under its token.
func (tx *Tx) PutAsk(token string, a *Ask) error {
	a.key = tx.Hash("token", token)
	if err := tx.bucket("case_asks").Put(join(be(uint64(a.Case)), a.key), []byte{}); err != nil {
		return fmt.Errorf("storing an ask of %s: %w", a.Case, err)
	}
	return tx.saveAsk(a)
}

func (tx *Tx) saveAsk(a *Ask) error {
	b, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("encoding an ask of %s: %w", a.Case, err)
	}
	return tx.bucket("asks").Put(a.key, b)
}

// AskByToken gives the Ask of a token, or nil.
func (tx *Tx) AskByToken(token string) (*Ask, error) { return tx.ask(tx.Hash("token", token)) }

func (tx *Tx) ask(key []byte) (*Ask, error) {
	v := tx.bucket("asks").Get(key)
	if v == nil {
		return nil, nil
	}
	a := &Ask{key: append([]byte(nil), key...)}
	if err := json.Unmarshal(v, a); err != nil {
		return nil, fmt.Errorf("reading an ask: %w", err)
	}
	return a, nil
}

// AskByReply gives the newest Ask that a Reply of ours carried, or nil.
func (tx *Tx) AskByReply(r *inbox.Reply) (*Ask, error) {
	asks, err := tx.CaseAsks(r.Case)
	if err != nil {
		return nil, err
	}
	for _, a := range asks {
		if a.Reply == r.ID {
			return a, nil
		}
	}
	return nil, nil
}

// CaseAsks reads every Ask of a Case.
func (tx *Tx) CaseAsks(c inbox.MailID) ([]*Ask, error) {
	var keys [][]byte
	cur := tx.bucket("case_asks").Cursor()
	for k, _ := cur.Seek(be(uint64(c))); len(k) > 8 && string(k[:8]) == string(be(uint64(c))); k, _ = cur.Next() {
		keys = append(keys, append([]byte(nil), k[8:]...))
	}
	var out []*Ask
	for _, k := range keys {
		a, err := tx.ask(k)
		if err != nil {
			return nil, err
		}
		if a != nil {
			out = append(out, a)
		}
	}
	return out, nil
}

// PutSent stores when an Ask was sent, and until when it waits.
func (tx *Tx) PutSent(a *Ask, expires time.Time) error {
	a.Asked, a.Expires = tx.Now, expires
	return tx.saveAsk(a)
}

// Lapsed tells whether an Ask was not answered in time.
func (a *Ask) Lapsed(now time.Time) bool { return !a.Expires.IsZero() && now.After(a.Expires) }

// UseAsk marks an Ask as answered: it counts once.
func (tx *Tx) UseAsk(a *Ask) error {
	a.Used = true
	return tx.saveAsk(a)
}

// VoidAsks makes the open Asks of a Case worthless, with the reason. With
// Actions named, only those that are about one of them.
func (tx *Tx) VoidAsks(c inbox.MailID, why string, only ...inbox.ActionID) error {
	asks, err := tx.CaseAsks(c)
	if err != nil {
		return err
	}
	for _, a := range asks {
		if a.Used || a.Void != "" || !about(a, only) {
			continue
		}
		if err := tx.VoidAsk(a, why); err != nil {
			return err
		}
	}
	return nil
}

// prolongAsks lets the open Asks about an Action that leaves a hold, once they
// were sent, live as long as the Action waits for them. One that is unconfirmed
// again waits for the person from now on.
func (tx *Tx) prolongAsks(a *inbox.Action, to inbox.State) error {
	asks, err := tx.CaseAsks(a.Case)
	if err != nil {
		return err
	}
	for _, q := range asks {
		if q.Used || q.Void != "" || q.Expires.IsZero() || !about(q, []inbox.ActionID{a.ID}) {
			continue
		}
		if to == inbox.StateUnconfirmed && q.Purpose.Waits() {
			a.Asked(inbox.WaitProof, tx.Now)
		}
		if !q.Expires.Before(a.Expires) {
			continue
		}
		q.Expires = a.Expires
		if err := tx.saveAsk(q); err != nil {
			return err
		}
	}
	return nil
}

// VoidAsk makes one Ask worthless, with the reason.
func (tx *Tx) VoidAsk(a *Ask, why string) error {
	a.Void = why
	return tx.saveAsk(a)
}

func about(a *Ask, only []inbox.ActionID) bool {
	if len(only) == 0 {
		return true
	}
	for _, x := range a.Actions {
		for _, y := range only {
			if x == y {
				return true
			}
		}
	}
	return false
}

// count is a number that belongs to a day; day "" never ends. Past has those of
// the days before, the newest first, for counts of a week.
type count struct {
	Day  string `json:"day,omitempty"`
	N    int    `json:"n"`
	Past []int  `json:"past,omitempty"`
	Last int64  `json:"last,omitempty"` // of one that never ends: the day on which something was added
}

// Count adds n to a limit's count and gives the result. A count of a day
// begins anew on the next; forever counts do not. Adding 0 reads it.
func (tx *Tx) Count(kind, personal string, forever bool, n int) (int, error) {
	key := tx.Hash("count "+kind, personal)
	c, err := tx.readCount(key)
	if err != nil {
		return 0, err
	}
	day := ""
	if !forever {
		day = strconv.FormatInt(tx.day(), 10)
	}
	if c.Day != day {
		c = count{Day: day}
	}
	if forever {
		c.Last = tx.day()
	}
	c.N += n
	return c.N, tx.putCount(key, c, n)
}

// daysOfWeek is how many days a count of a week goes back: no seven times 24
// hours touch more than eight days.
const daysOfWeek = 7

// CountWeek adds n to what a limit has counted today, and gives the sum of
// today and the seven days before. Adding 0 reads it.
func (tx *Tx) CountWeek(kind, personal string, n int) (int, error) {
	key := tx.Hash("week "+kind, personal)
	c, err := tx.readCount(key)
	if err != nil {
		return 0, err
	}
	today := tx.day()
	if before, err := strconv.ParseInt(c.Day, 10, 64); err == nil && before < today {
		gap := min(today-before, daysOfWeek+1)
		c.Past = slices.Concat(make([]int, gap-1), []int{c.N}, c.Past)
		c.Past, c.N = c.Past[:min(len(c.Past), daysOfWeek)], 0
	}
	c.Day = strconv.FormatInt(today, 10)
	c.N += n
	sum := c.N
	for _, n := range c.Past {
		sum += n
	}
	return sum, tx.putCount(key, c, n)
}

func (tx *Tx) day() int64 { return tx.Now.Unix() / 86400 }

func (tx *Tx) readCount(key []byte) (c count, err error) {
	v := tx.bucket("counts").Get(key)
	if v == nil {
		return c, nil
	}
	if err := json.Unmarshal(v, &c); err != nil {
		return c, fmt.Errorf("reading a count: %w", err)
	}
	return c, nil
}

// putCount stores a count to which n was added.
func (tx *Tx) putCount(key []byte, c count, n int) error {
	if n == 0 {
		return nil
	}
	b, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("encoding a count: %w", err)
	}
	return tx.bucket("counts").Put(key, b)
}
