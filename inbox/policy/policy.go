// Package policy holds the operator's rules: what happens to a request of a
// kind at a level of evidence, and the tokens that tie an answer to its
// question. It decides; it neither stores nor sends.
//
// The proof ladder ([Ladder]), with the default rules, for what the classifier
// is sure of; what it is not is seen by staff first:
//
//	request                             at none                   at aligned          at roundtrip
//	copy, describe                      who?                      at once             at once
//	change, deactivate, delete_fields   who?, plan?               plan?               plan?
//	change_email                        who?, plan?, new?, wait   plan?, new?, wait   plan?, new?, wait
//	withdraw                            staff, who?               staff               staff
//	delete_account                      who?, plan?, wait         plan?, wait         plan?, wait
//
// At none the From line is a claim, at aligned its domain vouches for it, at
// roundtrip the mailbox has answered a mail of ours. What happens then, in this
// order: staff look; who? is the question "was it you?", which tells nothing;
// plan? shows exactly what will happen; new? asks the new address; wait is the
// cool-off. A yes moves on to the next step.
package policy

import (
	"crypto/rand"
	"encoding/base32"
	"regexp"
	"slices"
	"strings"
	"time"

	"push.guru/supportd/inbox"
)

// Mode says how much the program does by itself.
type Mode string

// The modes.
const (
	Observe Mode = "observe" // nothing is sent, moved or done
	Assist  Mode = "assist"  // staff release every effect and reply
	Auto    Mode = "auto"
)

// Confirm says when a person is asked to confirm.
type Confirm string

// When to ask.
const (
	ConfirmAlways   Confirm = "always"
	ConfirmUnproven Confirm = "unproven" // only below aligned
	ConfirmNever    Confirm = "never"
)

// Review says when staff look at a request first.
type Review string

// When staff look.
const (
	ReviewAlways Review = "always"
	ReviewUnsure Review = "unsure" // the classifier is not certain
	ReviewNever  Review = "never"
)

// Subject is what a rule is about.
type Subject string

// The subjects of rules, as the configuration names them.
const (
	Change        Subject = "change"
	ChangeEmail   Subject = "change_email"
	DeleteAccount Subject = "delete_account"
	DeleteFields  Subject = "delete_fields"
	Deactivate    Subject = "deactivate"
	Copy          Subject = "copy"
	Describe      Subject = "describe"
	Withdraw      Subject = "withdraw"
)

// Rule is what happens to one Subject.
type Rule struct {
	Confirm Confirm
	Review  Review
	CoolOff time.Duration
}

// Limits cap what is sent and done by itself.
type Limits struct {
	Unproven       int // mails a day to an address at evidence none
	Proven         int // mails a day to an address above it
	Week           int // mails a week to an address, at evidence none and above it each
	Thread         int // mails a thread to an address, ever
	EffectsPerHour int // irreversible effects
}

// Rules are the operator's decisions; see Defaults.
type Rules struct {
	Mode       Mode
	ConfirmTTL time.Duration
	Limits     Limits
	Of         map[Subject]Rule
}

// Defaults gives the rules that stand when the operator says nothing.
func Defaults() Rules {
	always := Rule{Confirm: ConfirmAlways, Review: ReviewUnsure}
	coolOff := Rule{Confirm: ConfirmAlways, Review: ReviewUnsure, CoolOff: 12 * time.Hour}
	unproven := Rule{Confirm: ConfirmUnproven, Review: ReviewUnsure}
	return Rules{
		Mode:       Auto,
		ConfirmTTL: 7 * 24 * time.Hour,
		Limits:     Limits{Unproven: 2, Proven: 10, Week: 14, Thread: 5, EffectsPerHour: 20},
		Of: map[Subject]Rule{
			Change: always, ChangeEmail: coolOff, DeleteAccount: coolOff, DeleteFields: always, Deactivate: always,
			Copy: unproven, Describe: unproven, Withdraw: {Confirm: ConfirmUnproven, Review: ReviewAlways},
		},
	}
}

// SubjectOf gives the rule's subject of an Action; "" for a question.
func SubjectOf(a *inbox.Action) Subject {
	switch a.Kind {
	case inbox.KindChange:
		if a.Mailto {
			return ChangeEmail
		}
		return Change
	case inbox.KindDelete:
		if a.Scope == inbox.ScopeFields {
			return DeleteFields
		}
		return DeleteAccount
	case inbox.KindDeactivate:
		return Deactivate
	case inbox.KindCopy:
		return Copy
	case inbox.KindDescribe:
		return Describe
	case inbox.KindWithdraw:
		return Withdraw
	}
	return ""
}

// Rule gives the rule for an Action.
func (r Rules) Rule(a *inbox.Action) Rule { return r.Of[SubjectOf(a)] }

// Irreversible tells whether an Action destroys what nobody here can restore.
func Irreversible(a *inbox.Action) bool { return a.Kind == inbox.KindDelete }

// NeedsReview tells whether staff look at an Action before the person is asked
// or anything is done, and why, in words for staff.
func (r Rules) NeedsReview(a *inbox.Action) (why string, yes bool) {
	rule := r.Rule(a)
	switch {
	case a.Kind == inbox.KindQuestion:
		return "a question that a person must answer", true
	case r.Mode == Observe:
		return "it came in mode observe", true
	case a.Approved:
		return "", false
	case r.Mode == Assist:
		return "it came in mode assist", true
	case rule.Review == ReviewAlways:
		return "policy wants every " + string(SubjectOf(a)) + " reviewed", true
	case rule.Review != ReviewNever && !a.Certain:
		return "the reading is not certain", true
	}
	return "", false
}

// Proof is what an Action still lacks before it may run.
type Proof int

// The proofs, in the order in which they are asked for.
const (
	ProofComplete Proof = iota // nothing is missing
	ProofSender                // who wrote it is a claim: the mailbox must answer first
	ProofDiff                  // the owner has not said yes to exactly this plan
	ProofNewAddr               // the new address has not agreed
)

// Missing gives the first proof that an Action lacks for the plan whose digest
// is given. Staff cannot supply it, except by approval without proof.
func (r Rules) Missing(a *inbox.Action, digest string) Proof {
	confirm := r.Rule(a).Confirm
	trusting := confirm == ConfirmUnproven || confirm == ConfirmNever // any other word is the strictest
	proved := a.Proved != "" && a.Proved == digest
	switch {
	case proved: // by the owner's yes, or by an approval that stands in for it
		return ProofComplete
	case a.Evidence == inbox.LevelNone && (confirm != ConfirmNever || Irreversible(a) || a.Mailto):
		return ProofSender
	case a.Mailto && a.OldYes:
		return ProofNewAddr
	case a.Mailto || !trusting:
		return ProofDiff
	}
	return ProofComplete
}

// tokenLetters of base 32 hold 130 bits.
const tokenLetters = 26

var encoding = base32.StdEncoding.WithPadding(base32.NoPadding)

// NewToken draws the token of a question: 26 letters and digits, 130 bits.
func NewToken() string {
	b := make([]byte, 17)
	rand.Read(b)
	return encoding.EncodeToString(b)[:tokenLetters]
}

// Tag is how a token stands in a subject line.
func Tag(token string) string { return "[#" + token + "]" }

// tag takes small letters too, because some mailers rewrite a subject.
var tag = regexp.MustCompile(`\[#([A-Za-z2-7]{26})\]`)

// Tokens finds the tokens in a text, each once, in order. Only a few are
// looked for: more than that no mail of ours ever had.
func Tokens(s string) []string {
	var out []string
	for _, m := range tag.FindAllStringSubmatch(s, 8) {
		if token := strings.ToUpper(m[1]); !slices.Contains(out, token) {
			out = append(out, token)
		}
	}
	return out
}

// StripTags removes tags from a subject line, until there is none left.
func StripTags(s string) string {
	for tag.MatchString(s) {
		s = tag.ReplaceAllString(s, "")
	}
	return strings.Join(strings.Fields(s), " ")
}
