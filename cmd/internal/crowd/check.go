package crowd

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/mailtest"
	"push.guru/supportd/inbox/state"
)

// Books are what a crowd is held against when everybody should have come to
// their end.
type Books struct {
	State  *state.DB
	Person func(id string) (users.Person, error) // an error: they are gone
	// Filed is the folder in which accounted mail lies; "": it stays in INBOX.
	Filed string
	// Twice allows a mail to lie on the server twice, as it does where a server
	// without MOVE failed in the middle.
	Twice bool
	// Gone is how many mails somebody took away after they were read.
	Gone int
	// Again says why a letter that came, and came again, should not have, "" when
	// it may; nil: only when the state says that nobody could know of the first.
	Again func(r *inbox.Reply, before, next Coming) string
	// Others names addresses that get letters without having written.
	Others []string
}

// Check gives, one sentence each, what went wrong: a mail that is lost or not
// accounted for once and in a named state, a wish that was not carried out
// exactly once, a letter that is missing, too many or out of order. Only a
// letter that the server may not have taken may come again, the same to the
// byte; doubled counts these.
func (c *Crowd) Check(b Books) (faults []string, doubled int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := &audit{Crowd: c, Books: b}
	a.mailsOnServer()
	err := b.State.View(func(tx *state.Tx) error {
		for _, look := range []func(*state.Tx) error{a.records, a.actions, a.letters, a.doubles} {
			if err := look(tx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		a.fault("reading the state: %v", err)
	}
	a.people()
	return a.faults, a.doubled
}

type audit struct {
	*Crowd
	Books
	faults  []string
	doubled int
}

func (a *audit) fault(format string, args ...any) {
	a.faults = append(a.faults, fmt.Sprintf(format, args...))
}

// wrote lists the Message-IDs of what people wrote and nobody took away.
func (a *audit) wrote() []string {
	return slices.DeleteFunc(slices.Clone(a.mails), func(id string) bool { return a.taken[id] })
}

// mailsOnServer finds every mail that people wrote, filed.
func (a *audit) mailsOnServer() {
	left := 0
	seen := make(map[string]int)
	for _, folder := range []string{"INBOX", a.Filed} {
		if folder == "" {
			continue
		}
		for _, m := range a.world.Folder(Support, folder) {
			if folder == "INBOX" && !slices.Contains(m.Flags, `\Deleted`) {
				left++
			}
			seen[mailtest.Delivery{Bytes: m.Bytes}.MessageID()]++
		}
	}
	if a.Filed != "" && left > 0 {
		a.fault("%d mails are still in the INBOX", left)
	}
	gone := 0
	for _, id := range a.wrote() {
		switch n := seen[id]; {
		case n == 0 && gone < a.Gone:
			gone++
		case n == 0:
			a.fault("the mail %s is no longer on the server", id)
		case n > 1 && !a.Twice:
			a.fault("the mail %s lies on the server %d times", id, n)
		}
	}
}

// records finds every mail accounted for once, in a state that a mail of the
// crowd ends in.
func (a *audit) records(tx *state.Tx) error {
	refs, n := make(map[inbox.Ref]inbox.MailID), 0
	err := tx.EachMail(0, func(m *inbox.Mail) bool {
		if other, twice := refs[m.Ref]; twice {
			a.fault("%s and %s account for the same mail", m.ID, other)
		}
		refs[m.Ref] = m.ID
		switch n++; m.State {
		case inbox.MailActed, inbox.MailAsked, inbox.MailAnswered:
		default:
			a.fault("%s is %s: %s", m.ID, m.State, m.Reason)
		}
		return true
	})
	if wrote := len(a.wrote()); n != wrote {
		a.fault("%d records account for %d mails", n, wrote)
	}
	return err
}

// granted tells whether the mail of the n-th person reached the program.
func (a *audit) granted(n int) bool { return !a.taken[a.firsts[n]] }

// actions finds one Action for each wish, carried out once.
func (a *audit) actions(tx *state.Tx) error {
	want, got := make(map[inbox.Kind]int), make(map[inbox.Kind]int)
	for n := range a.Written {
		if a.granted(n) {
			want[a.wish(n).Kind]++
		}
	}
	err := tx.ActionsIn("", func(act *inbox.Action) bool {
		got[act.Kind]++
		done := 0
		for _, h := range act.History {
			if h.What == string(inbox.EventDone) {
				done++
			}
		}
		if act.State != inbox.StateDone || done != 1 {
			a.fault("%s is %s and was done %d times: %s", act.ID, act.State, done, act.Error)
		}
		return true
	})
	for _, kind := range slices.Sorted(maps.Keys(want)) {
		if got[kind] != want[kind] {
			a.fault("%d people wished a %s, there are %d actions", want[kind], kind, got[kind])
		}
	}
	return err
}

// people finds in the user store what the wishes come to, no more.
func (a *audit) people() {
	for n := range a.Written {
		id := fmt.Sprintf("u-%d", n)
		p, err := a.Person(id)
		if err != nil {
			p = users.Person{}
		}
		w := a.wish(n)
		if !a.granted(n) {
			w = Wish{}
		}
		want := map[inbox.Field]string{inbox.FieldPhone: fmt.Sprintf("+7701%07d", n), inbox.FieldLocation: "Almaty", inbox.FieldAbout: "Hello."}
		switch w.did {
		case teaches:
			about := p.Fields[inbox.FieldAbout]
			if k := strings.Count(about, "I also teach pottery"); k != 1 {
				a.fault("%s: %d times added: %q", id, k, about)
			}
			want[inbox.FieldAbout] = about
		case hangsUp:
			want[inbox.FieldPhone] = ""
		case moves:
			want[inbox.FieldLocation] = "Astana"
		case leaves:
			clear(want)
			if err == nil {
				a.fault("%s is still here", id)
			}
		}
		for f, v := range want {
			if p.Fields[f] != v {
				a.fault("%s: %s is %q, want %q", id, f, p.Fields[f], v)
			}
		}
	}
}

// letters finds that everybody got their letters in order, each once.
func (a *audit) letters(tx *state.Tx) error {
	strangers := maps.Clone(a.got)
	for n := range a.Written {
		var got []string
		for _, id := range a.got[Address(n)] {
			r, err := a.reply(tx, id)
			if err != nil {
				return err
			}
			got = append(got, r.Name)
		}
		want := a.wish(n).Letters
		if !a.granted(n) {
			want = nil
		}
		if !slices.Equal(got, want) {
			a.fault("%s got %q, want %q", Address(n), got, want)
		}
		delete(strangers, Address(n))
	}
	for _, addr := range a.Others {
		delete(strangers, addr)
	}
	for _, addr := range slices.Sorted(maps.Keys(strangers)) {
		a.fault("%s got %d letters and had written nothing", addr, len(strangers[addr]))
	}
	return nil
}

func (a *audit) reply(tx *state.Tx, messageID string) (*inbox.Reply, error) {
	r, err := tx.ReplyByMessageID(messageID)
	if err == nil && r == nil {
		err = fmt.Errorf("nobody queued the letter %s that came", messageID)
	}
	return r, err
}

// doubles tolerates a second copy of a letter only when nobody could know of
// the first.
func (a *audit) doubles(tx *state.Tx) error {
	again := a.Again
	if again == nil {
		again = unknown
	}
	for _, id := range slices.Sorted(maps.Keys(a.copies)) {
		copies := a.copies[id]
		if len(copies) == 1 {
			continue
		}
		r, err := a.reply(tx, id)
		if err != nil {
			return err
		}
		for i, next := range copies[1:] {
			if next.bytes != copies[i].bytes {
				a.fault("the copies of %s differ", r.ID)
			}
			if why := again(r, copies[i], next); why != "" {
				a.fault("%s came again: %s", r.ID, why)
			}
			a.doubled++
		}
	}
	return nil
}

// unknown allows a letter to come again when a try ended after its final dot
// and without an answer.
func unknown(r *inbox.Reply, _, _ Coming) string {
	for _, t := range r.Attempts {
		if t.Result == "unknown" {
			return ""
		}
	}
	return "every try of it had an answer: " + cmp.Or(r.Error, string(r.State))
}
