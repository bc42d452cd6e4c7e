package classify

import "push.guru/supportd/inbox/classify/lang"

// grammar is what the code has to know of a language beside its words.
type grammar struct {
	verbLast  bool // its verb stands behind what it rules, so that the parts of a list share the last one
	notBehind bool // a word may stand between a verb and a "not" behind it: "ändern Sie nicht"
	notLast   bool // a "not" stands behind the thing that it is said of
	bends     bool // it joins things by endings, not by putting one beside the other as "account policy" does
	capitals  bool // it writes nationalities with a capital letter
	anyOrder  bool // it writes the day or the month of a date in digits first
	perFind   bool // its file tells other people and doubts well enough to weigh them find by find, not for the whole text

	// trust is what a reading is worth that nothing speaks against.
	trust float64
}

// unreviewed is the trust in the file of a language that no native speaker has
// gone over yet.
const unreviewed = 0.94

// grammars are those of the languages that differ from most.
var grammars = map[string]grammar{
	"en":     {capitals: true, anyOrder: true, perFind: true, trust: 1},
	"ru":     {bends: true, trust: 1},
	"kk":     {bends: true, trust: 1, verbLast: true, notBehind: true, notLast: true},
	"uk":     {bends: true, trust: unreviewed},
	"pl":     {bends: true, trust: unreviewed},
	"cs":     {bends: true, trust: unreviewed},
	"tr":     {bends: true, trust: unreviewed, verbLast: true},
	"de":     {notBehind: true, trust: unreviewed},
	"nl":     {notBehind: true, trust: unreviewed},
	"sv":     {notBehind: true, trust: unreviewed},
	"da":     {notBehind: true, trust: unreviewed},
	lang.Und: {anyOrder: true, trust: 0.85},
}

// learn takes the grammar of the guessed language.
func (r *reader) learn() {
	g, ok := grammars[r.guess.Tag]
	if !ok {
		g.trust = unreviewed
	}
	r.grammar, r.forms = g, noForms{}
	if r.guess.Tag == "kk" {
		r.forms = kazakh{r}
	}
}

// forms are what a language says by the endings of its words where a rule file
// cannot list them.
type forms interface {
	// verb weighs what the ending of a verb makes of it.
	verb(s, at lang.Span) float64
	// object weighs a phrase that has no verb by the one behind it.
	object(s, at lang.Span) float64
	// commands tells whether a verb is an imperative.
	commands(s, at lang.Span) bool
	// will tells whether a phrase says what its writer will do.
	will(at lang.Span) bool
	// isObject tells whether words are what something is done to, so that what
	// follows them is neither their owner nor a part of them.
	isObject(at lang.Span) bool
	// isParticiple tells whether a word says which of several is meant.
	isParticiple(i int) bool
	// isNeed tells whether a word says that something is needed.
	isNeed(i int) bool
	// isWhat tells whether a word that is a "not" elsewhere asks what.
	isWhat(i int) bool
	// leads tells whether two words say what is changed from and to.
	leads(old, fresh string) bool
	// comesBack tells whether what is to be closed is to be opened again.
	comesBack() bool
	// mistaken tells whether a word that was found among all means something else.
	mistaken(h lang.Hit, all lang.Hits) bool
}

// noForms are the forms of a language whose rule file lists them.
type noForms struct{}

func (noForms) verb(_, _ lang.Span) float64       { return 1 }
func (noForms) object(_, _ lang.Span) float64     { return 1 }
func (noForms) commands(_, _ lang.Span) bool      { return false }
func (noForms) will(lang.Span) bool               { return false }
func (noForms) isObject(lang.Span) bool           { return false }
func (noForms) isParticiple(int) bool             { return false }
func (noForms) isNeed(int) bool                   { return false }
func (noForms) isWhat(int) bool                   { return false }
func (noForms) leads(_, _ string) bool            { return false }
func (noForms) comesBack() bool                   { return false }
func (noForms) mistaken(lang.Hit, lang.Hits) bool { return false }
