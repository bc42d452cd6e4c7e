package policy

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"push.guru/supportd/inbox"
)

// Row says what happens to a certain reading of a Subject whose sender is
// proved up to a level, in this order.
type Row struct {
	Subject Subject
	Level   inbox.Level
	Staff   bool          // staff look first
	Asks    []Proof       // what is asked for, one after the other; none: it is carried out
	Wait    time.Duration // the cool-off before it is carried out
}

// Subjects lists every subject, in the order in which the requests of a mail
// are carried out.
func Subjects() []Subject {
	return []Subject{Copy, Describe, Change, ChangeEmail, Withdraw, Deactivate, DeleteFields, DeleteAccount}
}

// Ladder walks every subject from every level of evidence to the act, through
// the same decisions that an Action meets.
func Ladder(r Rules) []Row {
	var rows []Row
	for _, s := range Subjects() {
		for _, level := range []inbox.Level{inbox.LevelNone, inbox.LevelAligned, inbox.LevelRoundtrip} {
			a := sampleOf(s)
			a.Certain, a.Evidence = true, level
			_, staff := r.NeedsReview(&a)
			rows = append(rows, Row{Subject: s, Level: level, Staff: staff, Asks: r.asks(a), Wait: r.Rule(&a).CoolOff})
		}
	}
	return rows
}

// sampleOf gives an Action of a subject.
func sampleOf(s Subject) inbox.Action {
	switch s {
	case ChangeEmail:
		return inbox.Action{Kind: inbox.KindChange, Mailto: true}
	case DeleteAccount:
		return inbox.Action{Kind: inbox.KindDelete, Scope: inbox.ScopeAccount}
	case DeleteFields:
		return inbox.Action{Kind: inbox.KindDelete, Scope: inbox.ScopeFields}
	}
	return inbox.Action{Kind: inbox.Kind(s)}
}

// asks gives the proofs that an Action lacks, each asked for when those before
// it were given.
func (r Rules) asks(a inbox.Action) (asks []Proof) {
	const plan = "the plan"
	for range ProofNewAddr {
		p := r.Missing(&a, plan)
		switch p {
		case ProofComplete:
			return asks
		case ProofSender:
			a.Evidence = inbox.LevelRoundtrip
		case ProofDiff:
			if a.OldYes = a.Mailto; !a.Mailto {
				a.Proved = plan
			}
		case ProofNewAddr:
			a.Proved = plan
		}
		asks = append(asks, p)
	}
	return asks
}

// String gives the row in the words of [Table], without subject and level.
func (r Row) String() string {
	words := map[Proof]string{ProofSender: "who?", ProofDiff: "plan?", ProofNewAddr: "new?"}
	var out []string
	if r.Staff {
		out = append(out, "staff")
	}
	for _, p := range r.Asks {
		out = append(out, words[p])
	}
	if r.Wait > 0 {
		out = append(out, "wait")
	}
	if len(out) == 0 {
		return "at once"
	}
	return strings.Join(out, ", ")
}

// Table writes rows as a table, a line for the subjects that fare alike.
func Table(rows []Row) string {
	var names []string // of the lines, by their cells
	var cells [][]string
	for i := 0; i < len(rows); {
		var line []string
		s := rows[i].Subject
		for ; i < len(rows) && rows[i].Subject == s; i++ {
			line = append(line, rows[i].String())
		}
		if at := slices.IndexFunc(cells, func(c []string) bool { return slices.Equal(c, line) }); at >= 0 {
			names[at] += ", " + string(s)
			continue
		}
		names, cells = append(names, string(s)), append(cells, line)
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
	fmt.Fprintf(w, "request\tat %s\tat %s\tat %s\n", inbox.LevelNone, inbox.LevelAligned, inbox.LevelRoundtrip)
	for i, line := range cells {
		fmt.Fprintf(w, "%s\t%s\n", names[i], strings.Join(line, "\t"))
	}
	w.Flush() // into memory: no errors
	return b.String()
}
