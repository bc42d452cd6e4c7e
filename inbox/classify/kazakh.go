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
// its contrary ("тастамаңыз"). Auxiliaries are few, and their endings regular.

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

// auxiliaries are the verbs that stand behind a converb.
var auxiliaries = []string{"tasta", "jiber", "jolda", "koi", "ber", "sal", "al", "ket", "tur", "kor", "bol", "otir", "jur", "jatir", "jasa", "et",
	"kaitar", "tart", "joi", "toktat"} // these of a withdrawal

// Endings of an auxiliary.
var (
	endsAsking    = regexp.MustCompile(`^(i?ni?z([ae]?d[ae]r)?|i?nd[ae]r)?(6i?)?$|^s[ae]n(i?z(d[ae]r)?|d[ae]r)?(6i?)?$|^(i?[ln])?sin$|^u(l[ae]rin|i?n)i?z|^udi$`)
	endsNaming    = regexp.MustCompile(`^u(g[ae]|i)?$`)
	endsGoing     = regexp.MustCompile(`^(i?p|[aei])$`)
	endsIfOnly    = regexp.MustCompile(`^s[ae][mk]?$|^[aei]?in$`)  // берсе екен, тастасам деймін, тастайын деп едім
	endsWishing   = regexp.MustCompile(`^[gk]i(m|miz)?$`)          // тастағым келеді
	endsWondring  = regexp.MustCompile(`^[aei]?si(z|n)(d[ae]r)?$`) // жібересіз бе
	endsBarring   = regexp.MustCompile(`^[mbp][ae]`)
	endsTelling   = regexp.MustCompile(`^[aei]tini?m|^[gk][ae]ni?m`)
	endsBetter    = regexp.MustCompile(`^[gk][ae]ni?$`)
	endsDeclaring = regexp.MustCompile(`^[aei](min|m|miz)$|^[dt]i(m|k)$`)
	endsReport    = regexp.MustCompile(`^(i?p)?[dt]i(m|k|n|niz)?|^i?psi[zn]|^i?pin$|^[gk][ae]n|^[aei](min|m|miz|di)$|^[aei]?r(min|miz)?$|^[aei]tin|^i?[ln](di|g[ae]n|ip|[ae]d|m[ae])`)
)

// auxiliary tells the force of a word, if it is an auxiliary, by its own ending
// and what stands behind it.
func (r *reader) auxiliary(i int) force {
	w := coarse(r.t.Words[i].Fold)
	if before := r.spelt(i - 1); strings.HasPrefix(before, "otini6") || strings.HasPrefix(before, "ariz") || strings.HasPrefix(before, "suran") {
		return unmarked // өтініш беремін
	}
	for _, stem := range auxiliaries {
		rest, ok := strings.CutPrefix(w, stem)
		if !ok {
			continue
		}
		open := begins(lastLetter(stem), "a", "e", "i")
		next, after := r.spelt(i+1), r.spelt(i+2)
		switch {
		case rest == "" && (stem == "jatir" || stem == "jur" || stem == "otir" || stem == "tur" && !strings.HasSuffix(r.spelt(i-1), "a") && !strings.HasSuffix(r.spelt(i-1), "e")):
			return reporting
		case endsBarring.MatchString(rest):
			return barring
		case stem == "al" && rest == "din": // алдын ала
			return unmarked
		case endsGoing.MatchString(rest):
			return going
		case endsAsking.MatchString(rest), rest == "n" && open, rest == "in" && !open: // тастаң, беріңші; not тастайын
			return asking
		case endsNaming.MatchString(rest):
			return naming
		case endsIfOnly.MatchString(rest):
			return either(slices.Contains([]string{"eken", "deimin", "deim", "dep", "degen", "bolad", "boladi", "bolar", "boldi", "jaksi", "dedim"}, next))
		case endsWishing.MatchString(rest):
			return either(strings.HasPrefix(next, "kele") || next == "kelip" || next == "kep" || next == "kelgen")
		case endsWondring.MatchString(rest):
			return either(isAsked(next) && (after != "dep" || strings.HasPrefix(r.spelt(i+3), "ed")))
		case w == "boldi" && begins(lastTwo(r.spelt(i-1)), "sa", "se"): // көрінбесе болды
			return asking
		case endsTelling.MatchString(rest) && begins(next, "habar", "malimde", "bildir", "jetkiz", "eskert"):
			return declaring // қайтарып алатынымды хабарлаймын
		case endsBetter.MatchString(rest) && slices.Contains([]string{"jaksi", "duris", "jon", "abzal"}, next): // алып тастаған дұрыс
			return asking
		case endsDeclaring.MatchString(rest):
			return declaring
		case endsReport.MatchString(rest):
			return reporting
		}
	}
	return unmarked
}

func either(asks bool) force {
	if asks {
		return asking
	}
	return barring
}

// isAsked tells the particles that make a question.
func isAsked(w string) bool {
	switch w {
	case "ba", "be", "ma", "me", "pa", "pe":
		return true
	}
	return false
}

// spelt gives a word in its coarse spelling, if there is one.
func (r *reader) spelt(i int) string {
	if i < 0 || i >= len(r.t.Words) {
		return ""
	}
	return coarse(r.t.Words[i].Fold)
}

// maxVerb bounds the words of one verb: "өшіріп тастай салыңызшы".
const maxVerb = 4

// verbForce follows a verb through its auxiliaries to the ending that tells
// what is meant by it.
func (r *reader) verbForce(s, at lang.Span) force {
	if w := r.spelt(at.To - 1); w == "kelip" || w == "kep" || strings.HasPrefix(w, "kele") {
		return asking // өшіргім келіп отыр
	}
	out := unmarked
	for i := at.To - 1; i < min(s.To, at.To+maxVerb); i++ {
		if i >= at.To && r.t.Words[i].Before >= lang.Comma {
			break
		}
		switch f := r.auxiliary(i); {
		case f == going:
			out = unmarked
		case f == naming:
			out = naming
		case f != unmarked:
			return f
		case i == at.To-1 && endsGoing.MatchString(lastLetter(r.spelt(i))): // the converb itself
		case !isLink(r.spelt(i)):
			return out
		}
	}
	return out
}

func lastTwo(w string) string { return w[max(0, len(w)-2):] }

func lastLetter(w string) string {
	if w == "" {
		return w
	}
	return w[len(w)-1:]
}

// isLink tells the particles that may stand within a verb: "өшіріп-ақ тастаңыз".
func isLink(w string) bool {
	switch w {
	case "ak", "da", "de", "ta", "te":
		return true
	}
	return false
}

// kazakh weighs the form of a verb in Kazakh.
func (r *reader) kazakh(s, at lang.Span) float64 {
	if r.guess.Tag != "kk" {
		return 1
	}
	if r.owned(s) || r.onlyMentions(at) || r.asksIfNeeded(lang.Span{From: at.To, To: s.To}) {
		return 0
	}
	if behind := (lang.Span{From: at.To, To: s.To}); strings.Contains(r.t.EndMark(s), "?") && r.hits.Has(behind, lang.But) {
		return unsureOf // "жойғым келеді, бірақ бонустар күйіп кете ме?"
	}
	if wanted.MatchString(r.spelt(at.To-1)) && !r.wants(lang.Span{From: at.To, To: s.To}) {
		return unsureOf // "өшіруді сұраған едім"
	}
	withdraws := r.overlaps(s, at, lang.AskWithdraw)
	switch r.verbForce(s, at) {
	case barring, reporting:
		return orNothing(withdraws && strings.HasPrefix(r.spelt(at.To-1), "ber")) // келісім бермеймін
	case declaring:
		return orNothing(withdraws) // who says that they withdraw it does so
	case naming:
		return sure(r.hits.Has(lang.Span{From: at.To, To: s.To}, lang.Wish))
	}
	return 1
}

// onlyMentions tells whether an act is only spoken of: "жою тәртібі", "жою туралы
// ақпарат".
func (r *reader) onlyMentions(at lang.Span) bool {
	next := r.spelt(at.To)
	if !strings.HasSuffix(r.spelt(at.To-1), "u") || next == "" || r.t.Words[at.To].Before >= lang.Comma {
		return false
	}
	if next == "turali" || next == "jaili" || next == "joninde" || next == "jaininda" {
		return begins(r.spelt(at.To+1), "akparat", "malimet", "suran", "sura", "ereje", "nuska", "ait", "bil", "tusin", "kenes", "oila", "je", "habar") && !begins(r.spelt(at.To+1), "suranis", "suranim", "suraimin", "suraui", "habarlai")
	}
	return begins(next, "tartib", "jol", "mumkindi", "batirma", "tuime", "proce", "6art", "merzim", "sebeb", "saldar", "ereje", "nuska", "kadam", "tasil", "bolim", "funk", "siltem", "forma", "ucin", "u6in")
}

func begins(w string, with ...string) bool {
	return slices.ContainsFunc(with, func(x string) bool { return strings.HasPrefix(w, x) })
}

// asksIfNeeded tells whether it is asked if something is needed: "жабу керек пе".
func (r *reader) asksIfNeeded(at lang.Span) bool {
	for i := at.From; i+1 < at.To; i++ {
		if r.needless(lang.Span{From: i}) && isAsked(r.spelt(i+1)) {
			return true
		}
	}
	return false
}

// wanted has the endings of an act as the object of a wish: "өшіруді сұраймын".
var wanted = regexp.MustCompile(`u(i?ni?z|l[ae]rini?z)?di$`)

// wants tells whether a verb in the span asks for something now.
func (r *reader) wants(at lang.Span) bool {
	for i := at.From; i < at.To; i++ {
		if begins(r.spelt(i), "suraim", "suram", "surau", "suran", "otinem", "otinim", "otiner", "otinip", "otinam", "otini6", "kalaim", "kalar", "talap", "tileim", "tileri", "kerek", "kajet", "tapsir", "buiir", "pros", "jon", "duris") && r.spelt(i+1) != "jazgan" {
			return true
		}
	}
	return false
}

// orNothing makes a find worthless unless something is so.
func orNothing(ok bool) float64 {
	if ok {
		return 1
	}
	return 0
}

// commands tells whether a verb ends in an imperative, of which nothing behind
// it can say that it is not needed: "өшіріп тастаңыз керек емес".
func (r *reader) commands(s, at lang.Span) bool {
	if r.guess.Tag != "kk" {
		return false
	}
	if r.verbForce(s, at) == asking {
		return true
	}
	for i := at.From; i < at.To; i++ {
		if imperative.MatchString(r.spelt(i)) {
			return true
		}
	}
	return false
}

// imperative has the endings of a command, the Russian one last.
var imperative = regexp.MustCompile(`ni?z(d[ae]r)?(6i?)?$|nd[ae]r(6i?)?$|n6i$|ite$`)

// hasObject tells whether a word stands in the case of what something is done
// to, so that what follows it is neither its owner nor a part of it.
func (r *reader) hasObject(at lang.Span) bool {
	if participle.MatchString(r.spelt(at.To)) {
		return false // "аккаунтымды көрген адамдар"
	}
	return r.guess.Tag == "kk" && accusative.MatchString(r.t.Words[at.To-1].Fold)
}

var participle = regexp.MustCompile(`[gk][ae]n$|[aei]tin$`)

var accusative = regexp.MustCompile(`(тт|м|аз|із|ыз|ль|л|б|г|к|қ|п)[дт][ыі]$|[аеы]н[ыі]$|(tt|m|b|l|z|k|q|g)[dt][yi]$|[aey]n[yi]$`)

// will tells whether a phrase ends in a verb that says what will be: "кейін
// қайта ашам".
func (r *reader) will(at lang.Span) bool {
	return r.guess.Tag == "kk" && future.MatchString(r.spelt(at.To-1))
}

var future = regexp.MustCompile(`[aeiu](m|min|miz)$|[ae]r(min|miz|siz(d[ae]r)?|sin(d[ae]r)?)$`)

// reachVerb is how many words may stand between what is asked for and its verb:
// "көшірмесін маған бүгін жіберіңіз".
const reachVerb = 2

// kazakhObject weighs a phrase that has no verb by the one behind it.
func (r *reader) kazakhObject(s, at lang.Span) float64 {
	if r.guess.Tag != "kk" {
		return 1
	}
	if slices.ContainsFunc(r.hits.In(at, lang.Other), func(o lang.Hit) bool { return begins(r.spelt(o.From), "baska", "boten") }) {
		return 0 // "басқа сайтқа көшіріп беріңіз"
	}
	for i := at.To; i < min(s.To, at.To+reachVerb+1) && r.t.Words[i].Before < lang.Comma; i++ {
		if r.hits.Has(lang.Span{From: i, To: i + 1}, lang.HowTo) {
			return 0
		}
		switch r.verbForce(s, lang.Span{From: i, To: i + 1}) {
		case asking:
			return 1
		case declaring, reporting, barring:
			return 0
		}
	}
	return 1
}

// copiesOther tells whether a copy is one of something else: "келісімнің
// көшірмесін".
func (r *reader) copiesOther(at lang.Span) bool {
	for i := at.From + 1; i < at.To; i++ {
		if owner := r.spelt(i - 1); begins(r.spelt(i), "ko6irme") && genitive.MatchString(owner) {
			return !begins(owner, "akparat", "derek", "malimet", "maglum", "dani", "bari", "barli", "olar", "men")
		}
	}
	return false
}

// calls tells whether a word is how the old call those who read the mail:
// "Балалар, ...".
func (r *reader) calls(i int) bool {
	if i+1 >= len(r.t.Words) || r.t.Words[i].Before < lang.Comma || r.t.Words[i+1].Before < lang.Comma {
		return false
	}
	switch r.spelt(i) {
	case "balam", "balalar", "baldar", "balalarim":
		return r.t.Words[i+1].Before == lang.Sentence || !r.capital(i+1) // else their name follows
	}
	return false
}

// comesBack tells whether a text speaks of a return, so that what it asks to
// close is to be opened again, in whichever sentence it says so.
func (r *reader) comesBack() bool {
	all := lang.Span{From: 0, To: len(r.t.Words)}
	return r.guess.Tag == "kk" && slices.ContainsFunc(r.hits.In(all, lang.Temporary), func(h lang.Hit) bool {
		return begins(r.spelt(h.From), "kaita", "kaitip", "kaitk", "kei", "oral", "kelge", "a6a", "kosa", "azir", "uakit6a", "6ik", "ari")
	})
}

// telling has the verbs behind which "беріңіз" sends nothing: "write me what".
var telling = map[string]bool{"jazip": true, "aitip": true, "tusindirip": true, "tizip": true, "habarlap": true, "korsetip": true, "a6ip": true, "bildirip": true}

// owned tells whether an account or a field in a sentence is that of somebody
// who is named: "Асқардың аккаунтын".
func (r *reader) owned(s lang.Span) bool {
	things := append(r.hits.In(s, lang.Account), r.hits.Prefixed(s, lang.FieldPrefix)...)
	return slices.ContainsFunc(things, func(h lang.Hit) bool {
		if h.From == s.From || r.t.Words[h.From].Before >= lang.Comma {
			return false
		}
		owner := h.From - 1
		w := r.spelt(owner)
		others := r.hits.Has(lang.Span{From: owner, To: h.From}, lang.Other)
		switch {
		case located.MatchString(w): // "пікірімдегі атымды", "инстаграмдағы аккаунтымды"
			return others || h.Concept == lang.Account && !r.knows(owner)
		case genitive.MatchString(w) && possessed.MatchString(r.spelt(h.To-1)):
			return others || !r.knows(owner)
		}
		return false
	})
}

var (
	possessed = regexp.MustCompile(`in$`)         // аккаунтын, парақшасын; not аккаунтымды
	located   = regexp.MustCompile(`[dt][ae]gi$`) // инстаграмдағы
	genitive  = regexp.MustCompile(`..([^ae]t|[nd])in$`)
)

// dropMistaken forgets what means something else in Kazakh: the Russian "not"
// is "what", and "Алматы қаласы" names a place, not the field.
func (r *reader) dropMistaken() {
	if r.guess.Tag != "kk" {
		return
	}
	all := slices.Clone(r.hits) // DeleteFunc moves what it deletes from
	r.hits = slices.DeleteFunc(r.hits, func(h lang.Hit) bool {
		w := r.t.Words[h.From]
		switch {
		case h.Concept == lang.Send && h.To-h.From == 1 && w.Before < lang.Comma && strings.HasSuffix(r.spelt(h.From-1), "p"):
			return !all.Has(lang.Span{From: h.From - 1, To: h.From}, lang.Send) // қосып беріңіз
		case h.Concept == lang.AskWithdraw && strings.HasPrefix(r.spelt(h.From), "kelisim6art"): // a contract
			return true
		case h.Concept == lang.AskCopy && r.copiesOther(h.Span):
			return true
		case h.Concept == lang.AskCopy:
			return telling[r.spelt(h.To-2)] && (strings.HasPrefix(r.spelt(h.To-1), "ber") || strings.HasPrefix(r.spelt(h.To-1), "jiber"))
		case h.To-h.From != 1:
			return false
		case (h.Concept == lang.Doubt || h.Concept == lang.Third) && r.calls(h.From):
			return true
		case w.Fold == "son": // соң
			return h.Concept == lang.Doubt || h.Concept == lang.Third
		case h.Concept == lang.FieldPrefix+"location":
			return strings.HasPrefix(r.spelt(h.From), "kalasi") && w.Before < lang.Comma && h.From > 0
		case h.Concept != lang.Negation && h.Concept != lang.No || w.Fold != "не":
			return false
		}
		return !all.Has(lang.Span{From: h.To, To: h.To + 1}, lang.Delete, lang.Deactivate, lang.Change, lang.Send, lang.Add, lang.Wish)
	})
}

// needless tells whether a "not" says that something is not needed.
func (r *reader) needless(n lang.Span) bool {
	w := r.spelt(n.From)
	return strings.HasPrefix(w, "kere") || strings.HasPrefix(w, "kajet")
}
