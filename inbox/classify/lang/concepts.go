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
	Both        Concept = "both"        // just two things, without saying which: both, both of them
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
	When        Concept = "when"        // asks beside a yes when it will be done: how long does it take
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
	Later       Concept = "later"       // not now: tomorrow, from Monday on
	Then        Concept = "then"        // not before what else is asked for is done: afterwards
	Private     Concept = "private"     // nobody should see it: beside a change it asks for more
	Moot        Concept = "moot"        // it is needed no more: behind a change, that is not wanted any longer
	NotMine     Concept = "notmine"     // says that an account is not its writer's
	Contact     Concept = "contact"     // by what follows the writer can be reached: call me at
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

// Lists of single words that are not looked for in a text: they say something
// only beside what was found, or in it.
const (
	WordBeside   Concept = "word.beside"   // puts one thing beside another: and, with, plus
	WordSince    Concept = "word.since"    // beside a time: it is a deadline or an age: within, ago
	WordBefore   Concept = "word.before"   // begins a condition that only says what comes later
	WordTells    Concept = "word.tells"    // begins, behind a comma, to tell something: i, they, people
	WordOr       Concept = "word.or"       // between two things; the second is no condition of the first
	WordWhether  Concept = "word.whether"  // begins what is asked, not a condition
	WordIs       Concept = "word.is"       // says how something is or was: is, was, stands
	WordWas      Concept = "word.was"      // says how something was, whatever is wished beside it
	WordBecame   Concept = "word.became"   // at once behind what could ask for an act: something is said of it: was, will
	WordUndo     Concept = "word.undo"     // beside an act as a noun: it is taken back: back, revoke
	WordUndone   Concept = "word.undone"   // an act as a noun, that can be taken back: withdrawal
	WordAware    Concept = "word.aware"    // before what could be a question: its answer is known, or agreed to
	WordUntil    Concept = "word.until"    // behind a value: it says until, or after, when it is to be stored
	WordJoint    Concept = "word.joint"    // ends no occupation, and begins where somebody works: at, in
	WordKin      Concept = "word.kin"      // somebody else, where a value is to be entered for them: him, mum
	WordCarrier  Concept = "word.carrier"  // in what a copy is sent: as a file
	WordStays    Concept = "word.stays"    // says of the thing before it that it stays: stays, may, is
	WordNeed     Concept = "word.need"     // behind a "not": it is said of a need, not of the thing
	WordOnly     Concept = "word.only"     // behind a "not": what follows is wanted: just, only
	WordNot      Concept = "word.not"      // in the wish that something be seen no more: not, no
	WordIn       Concept = "word.in"       // between two things: the one lies in the other: in, on, from
	WordAmong    Concept = "word.among"    // says among what somebody is to be hidden: in, with
	WordAbout    Concept = "word.about"    // says what something is about: regarding
	WordOf       Concept = "word.of"       // says whose something is: of
	WordMine     Concept = "word.mine"     // behind that: it is the writer's: mine
	WordMe       Concept = "word.me"       // behind "about": it is about the writer: me
	WordMy       Concept = "word.my"       // says that something is the writer\'s, within a longer phrase, too: my
	WordOwn      Concept = "word.own"      // may say so, as part of what an account is called: mon, hesabım
	WordAny      Concept = "word.any"      // makes an account nobody's in particular: an
	WordFor      Concept = "word.for"      // says for whom somebody writes
	WordThat     Concept = "word.that"     // what a participle acts on: it can be removed
	WordSo       Concept = "word.so"       // before a past: it is wished: чтобы
	WordClause   Concept = "word.clause"   // begins what somebody wants or says: dass
	WordWhich    Concept = "word.which"    // begins, behind a comma, to say which one is meant: which
	WordWhom     Concept = "word.whom"     // says for whom something was made: for
	WordBut      Concept = "word.but"      // one of [But] that begins the contrary: but, not however
	WordTell     Concept = "word.tell"     // asks for a word when it is done: tell me when
	WordCopy     Concept = "word.copy"     // by itself it says that a copy is wanted, not of what: copy, backup
	WordNo       Concept = "word.no"       // a no by itself, said of no verb behind it, and what stands before one: no, oh
	WordSaid     Concept = "word.said"     // tells what somebody said, the writer only beside an "i": said, wrote
	WordSay      Concept = "word.say"      // tells what the writer said, and counts only with a "not": say
	WordDead     Concept = "word.dead"     // of a telephone number: it works no more
	WordThey     Concept = "word.they"     // at once before a verb: others do it
	WordI        Concept = "word.i"        // at once before a verb: the writer does it
	WordWill     Concept = "word.will"     // begins a condition that only says what its writer will do
	WordPlease   Concept = "word.please"   // begins a plea that needs nothing of what stands before it
	WordOk       Concept = "word.ok"       // before a question mark it only asks for consent
	WordBoth     Concept = "word.both"     // leaves an answer open, but doubts nothing
	WordHeading  Concept = "word.heading"  // before "about": it is what a field is called
	WordArticle  Concept = "word.article"  // before a value: none of it
	WordLead     Concept = "word.lead"     // before a value, text or not: none of it: be, read
	WordParticle Concept = "word.particle" // part of the name behind it: van, de, bin
	WordAccess   Concept = "word.access"   // names the right of access
	WordCitation Concept = "word.citation" // a number follows where a law is cited: art, abs
	WordDevice   Concept = "word.device"   // in the line that a telephone puts below a mail
	WordTemplate Concept = "word.template" // begins a name in capitals in a template: YOUR_NAME
	WordShort    Concept = "word.short"    // its dot ends no sentence: str, apt, mrs
	WordNumbered Concept = "word.numbered" // before "no." it makes that a number: phone no.
	WordDated    Concept = "word.dated"    // stands inside a date: th, of
	WordReply    Concept = "word.reply"    // before the colon of a subject: it is a reply's: re
	WordForward  Concept = "word.forward"  // before the colon of a subject: it is that of somebody else's mail: fwd
	WordYes      Concept = "word.yes"      // a yes where it is all of an answer, in any language: da
	WordSelf     Concept = "word.self"     // says that the writer is meant, before a name: it was me
	WordSmall    Concept = "word.small"    // means nothing by itself in a yes: the, my, is
	WordHalt     Concept = "word.halt"     // calls off, in one word: cancel, stop
	WordDont     Concept = "word.dont"     // before that: it is not to be called off: don't
	WordBehind   Concept = "word.behind"   // the same, behind that and at the end of its part: niet, etmeyin
	WordSteady   Concept = "word.steady"   // not to call off, in one word: n'annulez
	WordMere     Concept = "word.mere"     // a no by itself, and before a word a mere "not": не
	// WordInfinitive holds what names an act and does not order it, or makes a verb do so: отменять, to.
	WordInfinitive Concept = "word.infinitive"
	WordNeeded     Concept = "word.needed"  // behind a "not": there is no need or wish: need, interest
	WordConfirm    Concept = "word.confirm" // behind a plea: something is asked of us: confirm
	WordAnother    Concept = "word.another" // of something new: it is another than was said: different
	WordRight      Concept = "word.right"   // a verb of change that by itself is but a yes: correct
	// WordEverything holds those words of [All] that are a thing: everything, not completely.
	WordEverything Concept = "word.everything"
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
	WordPrefix  = "word."  // one of [Lists]
)

// Concepts lists the sections that take plain entries, apart from those of
// fields and months.
func Concepts() []Concept {
	return []Concept{Common, Filler, Closing, Yes, No, Perhaps, Wait, Partial, Both, Also, And, Or, But, Because, Reason, Unused, Aside, Little, Heard, When, It, Wish, HowTo, Possible, Negation, Done,
		Condition, Problem, Doubt, Grave, Offer, Third, Other, Account, Place, Data, All, Delete, Deleting, Deleted, Deactivate, Deactivated, Later, Then, Private, Moot, NotMine, Contact, Temporary, Send,
		Hold, Change, Add, Act, Wrong, New, Keep, Me, Stop, Bends, Male, Female, Forwarded, Boilerplate, Spelt, Blank, AskDelete, AskDeactivate, AskCopy, AskDescribe,
		AskWithdraw, AskChange, AskStatus, AskReactivate, Halt, Recant, Steady, Spare, Carry, Report}
}

// Lists gives the sections that are lists of single words.
func Lists() []Concept {
	return []Concept{WordBecame, WordUndo, WordUndone, WordAware, WordUntil, WordJoint, WordKin, WordCarrier, WordDead, WordBut,
		WordBeside, WordSince, WordBefore, WordTells, WordOr, WordWhether, WordIs, WordWas, WordStays, WordNeed, WordOnly, WordNot, WordIn,
		WordAmong, WordAbout, WordOf, WordMine, WordMe, WordMy, WordOwn, WordAny, WordFor, WordThat, WordSo, WordClause, WordWhich, WordWhom, WordTell, WordCopy, WordNo, WordSaid, WordSay,
		WordThey, WordI, WordWill, WordPlease, WordOk, WordBoth, WordHeading,
		WordArticle, WordLead, WordParticle, WordAccess, WordCitation, WordDevice, WordTemplate, WordShort, WordNumbered, WordDated,
		WordReply, WordForward,
		WordYes, WordSelf, WordSmall, WordRight, WordEverything, WordHalt, WordDont, WordBehind, WordSteady, WordMere, WordInfinitive,
		WordNeeded, WordConfirm, WordAnother}
}

// own gives a concept of its own text, and not of a part of a whole file: that of
// the constant if there is one, which is compared the fastest.
func (c Concept) own() Concept {
	all := Concepts()
	if i := slices.Index(all, c); i >= 0 {
		return all[i]
	}
	return Concept(strings.Clone(string(c)))
}

// names tells whether a section is one of those that a prefix begins.
func (c Concept) names(prefix string) bool { return strings.HasPrefix(string(c), prefix) }

// listed tells whether a section is a list of single words.
func (c Concept) listed() bool { return strings.HasPrefix(string(c), WordPrefix) }

func (c Concept) known() bool {
	for _, p := range []string{FieldPrefix, SetPrefix, MonthPrefix, DayPrefix, CutPrefix, ValuePrefix} {
		if rest, ok := strings.CutPrefix(string(c), p); ok {
			return rest != ""
		}
	}
	if c.listed() {
		return slices.Contains(Lists(), c)
	}
	return c == Set || c == Old || c == City || slices.Contains(Concepts(), c)
}

// slotted tells whether the entries of a section have a {}.
func (c Concept) slotted() bool {
	return c == Set || c == Old || strings.HasPrefix(string(c), SetPrefix)
}
