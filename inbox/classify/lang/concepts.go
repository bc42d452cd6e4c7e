package lang

import (
	"slices"
	"strings"
)

// Concept is what a word or phrase stands for: the section of a rule file
// that it is in.
type Concept string

// The sections of a rule file.
const (
	Common      Concept = "common"      // frequent words without meaning here: they tell the language
	Filler      Concept = "filler"      // greetings, thanks, politeness: change nothing
	Closing     Concept = "closing"     // ends a letter: a name follows
	Yes         Concept = "yes"         // a whole yes
	No          Concept = "no"          // a whole no: stop, cancel, leave it
	Perhaps     Concept = "perhaps"     // neither yes nor no, whatever stands beside it
	Wait        Concept = "wait"        // not yet, not before, except: makes a yes none
	Partial     Concept = "partial"     // picks some of several items
	Also        Concept = "also"        // begins one thing more
	And         Concept = "and"         // puts one thing beside another
	Or          Concept = "or"          // between two things of which one is meant
	But         Concept = "but"         // begins a reservation
	Because     Concept = "because"     // begins a reason
	Reason      Concept = "reason"      // beside a yes it reserves nothing: who wrote, and why
	Unused      Concept = "unused"      // a reason with a "not": I no longer use it
	Aside       Concept = "aside"       // things that a reason may speak of: letter, site, decision
	Little      Concept = "little"      // words without a meaning of their own beside a reason
	Heard       Concept = "heard"       // says yes only to having heard: yes, I got your letter; yes, I know
	It          Concept = "it"          // points at what was said: it, that, everything above
	Wish        Concept = "wish"        // asks: please, I want, could you
	HowTo       Concept = "howto"       // asks for an explanation: how, where, why
	Possible    Concept = "possible"    // asks whether one may: is it possible, can I
	Negation    Concept = "negation"    // not, never, without
	Done        Concept = "done"        // it happened already, or somebody else did it
	Condition   Concept = "condition"   // if, unless, what happens when
	Problem     Concept = "problem"     // cannot, error, trouble, help
	Doubt       Concept = "doubt"       // makes any reading less than certain: maybe, hacked, my daughter asks
	Grave       Concept = "grave"       // only people may handle it: death, police, court, agents
	Offer       Concept = "offer"       // sells something
	Third       Concept = "third"       // somebody else's: his account, my wife's
	Other       Concept = "other"       // things that are not ours to act on: photo, order, cookies
	Account     Concept = "account"     // account, profile, membership
	Place       Concept = "place"       // at the account, not the account itself: from my account
	Data        Concept = "data"        // personal data, information about me
	All         Concept = "all"         // everything
	Delete      Concept = "delete"      // to delete, imperative, infinitive, noun
	Deleting    Concept = "deleting"    // the act as a noun: asks for it only beside a wish
	Deleted     Concept = "deleted"     // participle: "I want it deleted", but also "was deleted"
	Deactivate  Concept = "deactivate"  // to disable, hide, suspend
	Deactivated Concept = "deactivated" // participle and noun of it: asks only beside a wish
	Temporary   Concept = "temporary"   // for a while, until
	Send        Concept = "send"        // to send, export, hand over
	Hold        Concept = "hold"        // you store, you keep
	Change      Concept = "change"      // to change, correct, enter, replace
	Add         Concept = "add"         // to append to what is there
	Act         Concept = "act"         // to do something else that only people can do: merge, refund
	Wrong       Concept = "wrong"       // is wrong, misspelt, out of date
	New         Concept = "new"         // new, changed, from now on
	Keep        Concept = "keep"        // stays, do not touch: what is named is not to be acted on
	Me          Concept = "me"          // me, my
	Stop        Concept = "stop"        // ends a value: instead, please
	Bends       Concept = "bends"       // puts an ending on the name of a place behind it
	Male        Concept = "male"
	Female      Concept = "female"
	Forwarded   Concept = "forwarded"   // the line above a forwarded mail
	Boilerplate Concept = "boilerplate" // begins a sentence that legal letters have beside their request: deadlines, threats, who writes
	Spelt       Concept = "spelt"       // words that are right as they are, though they look like others misspelt; they mean nothing here
	Blank       Concept = "blank"       // a place of a template that nobody filled in: your name here

	// Phrases that ask for the kind by themselves.
	AskDelete     Concept = "ask.delete"
	AskDeactivate Concept = "ask.deactivate"
	AskCopy       Concept = "ask.copy"
	AskDescribe   Concept = "ask.describe"
	AskWithdraw   Concept = "ask.withdraw"
	AskChange     Concept = "ask.change" // asks for a change without saying which
	AskStatus     Concept = "ask.status"
	AskReactivate Concept = "ask.reactivate"

	// What calls off something that was asked for before.
	Halt   Concept = "halt"   // stop, cancel
	Recant Concept = "recant" // I changed my mind, I am staying, it was not me
	Steady Concept = "steady" // the contrary: I am not changing my mind
	Spare  Concept = "spare"  // not to delete, in one word
	Carry  Concept = "carry"  // may stand between a "not" and what is not to be done: want, ask, proceed with
	Report Concept = "report" // beside a "not" it tells what was not done: did, could

	// Phrases with {} where a value stands.
	Set Concept = "set" // the new value of the field that is spoken of
	Old Concept = "old" // the value that it has now
)

// City is the section of the names of places, written as they stand by
// themselves. They are no words to look for: they tell a place from its
// endings.
const City Concept = "city"

// Prefixes of the sections that come once a field or month.
const (
	FieldPrefix = "field." // names of a field: field.phone
	SetPrefix   = "set."   // phrases with {} that name the field too: set.location "I live in {}"
	MonthPrefix = "month." // month.1 to month.12
	CutPrefix   = "cut."   // endings that a value loses, each with what takes its place: cut.location "у а"
	DayPrefix   = "day."   // days of a month in words: day.8 "восьмого"
	ValuePrefix = "value." // values of a field as they stand by themselves: value.occupation "nurse"
)

// Concepts lists the sections that take plain entries, apart from those of
// fields and months.
func Concepts() []Concept {
	return []Concept{Common, Filler, Closing, Yes, No, Perhaps, Wait, Partial, Also, And, Or, But, Because, Reason, Unused, Aside, Little, Heard, It, Wish, HowTo, Possible, Negation, Done,
		Condition, Problem, Doubt, Grave, Offer, Third, Other, Account, Place, Data, All, Delete, Deleting, Deleted, Deactivate, Deactivated, Temporary, Send,
		Hold, Change, Add, Act, Wrong, New, Keep, Me, Stop, Bends, Male, Female, Forwarded, Boilerplate, Spelt, Blank, AskDelete, AskDeactivate, AskCopy, AskDescribe,
		AskWithdraw, AskChange, AskStatus, AskReactivate, Halt, Recant, Steady, Spare, Carry, Report}
}

func (c Concept) known() bool {
	for _, p := range []string{FieldPrefix, SetPrefix, MonthPrefix, DayPrefix, CutPrefix, ValuePrefix} {
		if rest, ok := strings.CutPrefix(string(c), p); ok {
			return rest != ""
		}
	}
	return c == Set || c == Old || c == City || slices.Contains(Concepts(), c)
}

// slotted tells whether the entries of a section have a {}.
func (c Concept) slotted() bool {
	return c == Set || c == Old || strings.HasPrefix(string(c), SetPrefix)
}
