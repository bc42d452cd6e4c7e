package classify

import (
	"regexp"
	"slices"
	"strings"

	"push.guru/supportd/inbox/classify/lang"
)

// A Kazakh verb of a request is most often a converb ("өшіріп") with one or
// two auxiliaries behind it, and only the ending of the last one tells a
// request ("тастаңыз") from a report ("тастадым"), a plan ("тастамақпын") or
// its contrary ("тастамаңыз"). Auxiliaries are few, and their endings regular:
// a rule file would have to list some thousand forms of them. Nouns, too, have
// endings that say whose they are and what is done to them.

// kazakh reads the forms of Kazakh words.
type kazakh struct{ *reader }

// coarse gives the spelling of a Kazakh word in which no letters are told apart
// that typists leave out or write in several ways.
func coarse(folded string) string {
	s := kazakhLetters.Replace(folded)
	out := make([]rune, 0, len(s))
	for _, c := range s {
		if len(out) == 0 || out[len(out)-1] != c {
			out = append(out, c)
		}
	}
	return string(out)
}

var kazakhLetters = strings.NewReplacer(
	"а", "a", "ә", "a", "б", "b", "в", "v", "г", "g", "ғ", "g", "д", "d", "е", "e", "э", "e", "ж", "j", "з", "z", "и", "i", "і", "i", "ы", "i",
	"й", "i", "к", "k", "қ", "k", "л", "l", "м", "m", "н", "n", "ң", "n", "о", "o", "ө", "o", "п", "p", "р", "r", "с", "s", "т", "t", "у", "u",
	"ұ", "u", "ү", "u", "ф", "f", "х", "h", "һ", "h", "ч", "6", "ш", "6", "щ", "6", "ь", "", "ъ", "", "ю", "iu", "я", "ia",
	"sh", "6", "ch", "6", "zh", "j", "ng", "n", "gh", "g", "kh", "h", "y", "i", "q", "k", "w", "u", "x", "h",
)

// spelt gives a word in its coarse spelling, if there is one.
func (k kazakh) spelt(i int) string {
	if i < 0 || i >= len(k.t.Words) {
		return ""
	}
	return coarse(k.t.Words[i].Fold)
}

// force is what the ending of a verb makes of it.
type force int

const (
	unmarked force = iota // no auxiliary, or an ending that says nothing
	asking
	naming    // a noun: asks beside a wish only
	going     // a converb: the next verb decides
	declaring // I do it, I did it
	reporting // was done, will be done
	barring   // is not to be done, would be done
)

// ending is what may stand behind the stem of an auxiliary.
type ending struct {
	match *regexp.Regexp
	force force
	// where tells, if it is not nil, whether the word stands where the ending has
	// this force. Else it has the other one or, if that is unmarked, means what an
	// ending further down says.
	where func(k kazakh, i int) bool
	other force
}

// endings are tried in their order.
var endings = []ending{
	{match: regexp.MustCompile(`^[mbp][ae]`), force: barring},
	{match: regexp.MustCompile(`^(i?p|[aei])$`), force: going},
	{match: regexp.MustCompile(`^(i?ni?z([ae]?d[ae]r)?|i?nd[ae]r)?(6i?)?$`), force: asking},           // тастаңыз, тастаңдаршы
	{match: regexp.MustCompile(`^s[ae]n(i?z(d[ae]r)?|d[ae]r)?(6i?)?$|^(i?[ln])?sin$`), force: asking}, // тастасаңыз, тасталсын
	{match: regexp.MustCompile(`^u(l[ae]rin|i?n)i?z|^udi$`), force: asking},                           // тастауыңызды
	{match: regexp.MustCompile(`^u(g[ae]|i)?$`), force: naming},
	{match: regexp.MustCompile(`^s[ae][mk]?$|^[aei]?in$`), force: asking, where: kazakh.ifOnly, other: barring},
	{match: regexp.MustCompile(`^[gk]i(m|miz)?$`), force: asking, where: kazakh.wished, other: barring},
	{match: regexp.MustCompile(`^[aei]?si(z|n)(d[ae]r)?$`), force: asking, where: kazakh.asked, other: barring},
	{match: regexp.MustCompile(`^[aei]tini?m|^[gk][ae]ni?m`), force: declaring, where: kazakh.notified},
	{match: regexp.MustCompile(`^[gk][ae]ni?$`), force: asking, where: kazakh.preferred},
	{match: regexp.MustCompile(`^[aei](min|m|miz)$|^[dt]i(m|k)$`), force: declaring},
	{match: regexp.MustCompile(`^(i?p)?[dt]i(m|k|n|niz)?|^i?psi[zn]|^i?pin$|^[gk][ae]n`), force: reporting}, // тастады, тастапсыз, тастаған
	{match: regexp.MustCompile(`^[aei](min|m|miz|di)$|^[aei]?r(min|miz)?$|^[aei]tin`), force: reporting},    // тастайды, тастармын
	{match: regexp.MustCompile(`^i?[ln](di|g[ae]n|ip|[ae]d|m[ae])`), force: reporting},                      // тасталды
}

// ifOnly: "берсе екен", "тастасам деймін", "тастайын деп едім".
func (k kazakh) ifOnly(i int) bool {
	return slices.Contains(hopes, k.spelt(i+1))
}

// wished: "тастағым келеді".
func (k kazakh) wished(i int) bool { return isComing(k.spelt(i+1)) || k.spelt(i+1) == "kelgen" }

// isComing tells the verb of what somebody feels like doing: "өшіргім келіп отыр".
func isComing(w string) bool { return w == "kelip" || w == "kep" || strings.HasPrefix(w, "kele") }

// asked: "жібересіз бе", but not "жібересіз бе деп".
func (k kazakh) asked(i int) bool {
	return slices.Contains(questions, k.spelt(i+1)) && (k.spelt(i+2) != "dep" || strings.HasPrefix(k.spelt(i+3), "ed"))
}

// notified: "қайтарып алатынымды хабарлаймын".
func (k kazakh) notified(i int) bool {
	return begins(k.spelt(i+1), notices...)
}

// preferred: "алып тастаған дұрыс".
func (k kazakh) preferred(i int) bool {
	return slices.Contains(approvals, k.spelt(i+1))
}

// auxiliary tells the force of a word, if it is an auxiliary, by its own ending
// and what stands behind it.
func (k kazakh) auxiliary(i int) force {
	w, before := k.spelt(i), k.spelt(i-1)
	if begins(before, petitions...) {
		return unmarked // өтініш беремін
	}
	for _, stem := range auxiliaries {
		rest, ok := strings.CutPrefix(w, stem)
		if !ok {
			continue
		}
		open := begins(lastLetter(stem), "a", "e", "i")
		switch {
		case w == "aldin": // алдын ала
			return unmarked
		case rest == "" && lasts(stem, before):
			return reporting
		case rest == "n" && open, rest == "in" && !open: // тастаң, беріңші; not тастайын
			return asking
		case w == "boldi" && begins(before[max(0, len(before)-2):], "sa", "se"): // көрінбесе болды
			return asking
		}
		if f, ok := k.endingForce(i, rest); ok {
			return f
		}
	}
	return unmarked
}

// lasts tells the stems that tell by themselves what goes on: "өшіріп жатыр",
// "тұр" behind a converb in -п.
func lasts(stem, before string) bool {
	switch stem {
	case "jatir", "jur", "otir":
		return true
	case "tur":
		return !strings.HasSuffix(before, "a") && !strings.HasSuffix(before, "e")
	}
	return false
}

// endingForce gives the force of what stands behind the stem of an auxiliary.
func (k kazakh) endingForce(i int, rest string) (force, bool) {
	for _, e := range endings {
		switch {
		case !e.match.MatchString(rest):
		case e.where == nil || e.where(k, i):
			return e.force, true
		case e.other != unmarked:
			return e.other, true
		}
	}
	return unmarked, false
}

// lastLetter gives the last letter of a word in its coarse spelling.
func lastLetter(w string) string { return w[max(0, len(w)-1):] }

// maxVerb bounds the words of one verb: "өшіріп тастай салыңызшы".
const maxVerb = 4

// verbForce follows a verb through its auxiliaries to the ending that tells
// what is meant by it.
func (k kazakh) verbForce(s, at lang.Span) force {
	if isComing(k.spelt(at.To - 1)) {
		return asking // өшіргім келіп отыр
	}
	out := unmarked
	for i := at.To - 1; i < min(s.To, at.To+maxVerb); i++ {
		if i >= at.To && k.t.Words[i].Before >= lang.Comma {
			break
		}
		converb := i == at.To-1 && begins(lastLetter(k.spelt(i)), "p", "a", "e", "i")
		switch f := k.auxiliary(i); {
		case i == at.To && k.hadDone(i):
			return reporting
		case f == going:
			out = unmarked
		case f == naming:
			out = naming
		case f != unmarked:
			return f
		case !converb && !slices.Contains(links, k.spelt(i)):
			return out
		}
	}
	return out
}

// hadDone tells whether a word says that the act of the converb before it was
// done, or was to be done, before: "кері шақырып едім".
func (k kazakh) hadDone(i int) bool {
	return strings.HasSuffix(k.spelt(i-1), "p") && slices.Contains(pasts, k.spelt(i))
}

// verb: "өшіріп тастаңыз" asks, "өшіріп тастадым" tells.
func (k kazakh) verb(s, at lang.Span) float64 {
	behind := lang.Span{From: at.To, To: s.To}
	if k.owned(s) || k.onlyMentions(at) || k.asksIfNeeded(behind) {
		return 0
	}
	if k.asks(s) && k.hits.Has(behind, lang.But) {
		return unsureOf // "жойғым келеді, бірақ бонустар күйіп кете ме?"
	}
	if objectOfWish.MatchString(k.spelt(at.To-1)) && !k.wants(behind) {
		return unsureOf // "өшіруді сұраған едім"
	}
	withdraws := k.overlaps(s, at, lang.AskWithdraw)
	switch k.verbForce(s, at) {
	case barring, reporting:
		return orNothing(withdraws && strings.HasPrefix(k.spelt(at.To-1), "ber")) // келісім бермеймін
	case declaring:
		return orNothing(withdraws) // who says that they withdraw it does so
	case naming:
		return sure(k.hits.Has(behind, lang.Wish))
	}
	return 1
}

// objectOfWish has the endings of an act as the object of a wish: "өшіруді
// сұраймын".
var objectOfWish = regexp.MustCompile(`u(i?ni?z|l[ae]rini?z)?di$`)

// orNothing makes a find worthless unless something is so.
func orNothing(ok bool) float64 {
	if ok {
		return 1
	}
	return 0
}

// onlyMentions tells whether an act is only spoken of: "жою тәртібі", "жою туралы
// ақпарат".
func (k kazakh) onlyMentions(at lang.Span) bool {
	next, after := k.spelt(at.To), k.spelt(at.To+1)
	if !strings.HasSuffix(k.spelt(at.To-1), "u") || next == "" || k.t.Words[at.To].Before >= lang.Comma {
		return false
	}
	if slices.Contains(topics, next) {
		return begins(after, speeches...) && !begins(after, requests...)
	}
	return begins(next, aspects...)
}

// asksIfNeeded tells whether it is asked if something is needed: "жабу керек пе".
func (k kazakh) asksIfNeeded(at lang.Span) bool {
	for i := at.From; i+1 < at.To; i++ {
		if k.isNeed(i) && slices.Contains(questions, k.spelt(i+1)) {
			return true
		}
	}
	return false
}

// isNeed: "керек", "қажет".
func (k kazakh) isNeed(i int) bool { return begins(k.spelt(i), needs...) }

// wants tells whether a verb in the span asks for something now.
func (k kazakh) wants(at lang.Span) bool {
	for i := at.From; i < at.To; i++ {
		if k.spelt(i+1) != "jazgan" && begins(k.spelt(i), wishes...) {
			return true
		}
	}
	return false
}

// commands tells whether a verb ends in an imperative, of which nothing behind
// it can say that it is not needed: "өшіріп тастаңыз керек емес".
func (k kazakh) commands(s, at lang.Span) bool {
	if k.verbForce(s, at) == asking {
		return true
	}
	for i := at.From; i < at.To; i++ {
		if imperative.MatchString(k.spelt(i)) {
			return true
		}
	}
	return false
}

// imperative has the endings of a command, the Russian one last.
var imperative = regexp.MustCompile(`ni?z(d[ae]r)?(6i?)?$|nd[ae]r(6i?)?$|n6i$|ite$`)

// will: "кейін қайта ашам".
func (k kazakh) will(at lang.Span) bool { return future.MatchString(k.spelt(at.To - 1)) }

var future = regexp.MustCompile(`[aeiu](m|min|miz)$|[ae]r(min|miz|siz(d[ae]r)?|sin(d[ae]r)?)$`)

// reachVerb is how many words may stand between what is asked for and its verb:
// "көшірмесін маған бүгін жіберіңіз".
const reachVerb = 2

// object: "көшірмесін маған жіберіңіз" asks, "көшірмесін қалай аламын" does not.
func (k kazakh) object(s, at lang.Span) float64 {
	if slices.ContainsFunc(k.hits.In(at, lang.Other), func(o lang.Hit) bool { return begins(k.spelt(o.From), others...) }) {
		return 0 // "басқа сайтқа көшіріп беріңіз"
	}
	for i := at.To; i < min(s.To, at.To+reachVerb+1) && k.t.Words[i].Before < lang.Comma; i++ {
		if k.hits.Has(word(i), lang.HowTo) {
			return 0
		}
		switch k.verbForce(s, word(i)) {
		case asking:
			return 1
		case declaring, reporting, barring:
			return 0
		}
	}
	return 1
}

// comesBack tells whether a text speaks of a return, so that what it asks to
// close is to be opened again, in whichever sentence it says so.
func (k kazakh) comesBack() bool {
	return slices.ContainsFunc(k.hits.In(k.all(), lang.Temporary), func(h lang.Hit) bool {
		return begins(k.spelt(h.From), returns...)
	})
}
