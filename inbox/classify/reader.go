package classify

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/classify/lang"
	"push.guru/supportd/inbox/classify/value"
)

// Confidence of a find that nothing speaks against, the least that is
// certain, and the least that is worth showing.
const (
	full     = 0.97
	enough   = 0.9
	worthIt  = 0.3
	unsureOf = 0.6  // a factor that makes any find uncertain
	respelt  = 0.94 // a factor for misspelt words, which leaves a find certain
)

// longText is the number of words from which a letter has more in it than its
// request, so that the reading is less than certain unless it is asked for in
// so many words.
const longText = 400

// reader reads one message. Subject and text are one source; no sentence
// reaches from one into the other.
type reader struct {
	c       *Classifier
	t       *lang.Text
	guess   lang.Guess
	hits    lang.Hits
	subject int // sentences of the subject, which come first
	source  struct{ subject, body string }
	from    string
	hidden  bool

	values  values
	quotes  [][2]int // byte ranges in quotation marks
	finds   []find
	read    []lang.Span  // the words that a find accounts for
	handled map[int]bool // sentences that gave a find

	itemized bool // a list says what of the data is to be deleted

	beside []lang.Span // sentences of legal letters that are none of the request
	blank  bool        // a template was sent off with its instructions
}

// find is something that seems to be asked.
type find struct {
	inbox.Request
	at       int // the word where it begins, for the order
	sentence int
	words    lang.Span // what was read, if it is not a change
	general  bool      // it names the person's data, not the account
}

func (c *Classifier) newReader(subject, body string) *reader {
	source := body
	if subject != "" {
		source = subject + "\n\n" + body
	}
	r := &reader{c: c, handled: map[int]bool{}}
	r.source.subject, r.source.body = subject, body
	r.t = lang.NewText(source)
	r.joinCitations()
	for _, s := range r.t.Sentences {
		if subject != "" && r.t.Words[s.From].Start < len(subject) {
			r.subject++
		}
	}
	r.guess = c.rules.Detect(r.t, r.bodyWords().From, c.opt.Languages)
	if r.guess.Tag == lang.Und || r.signed() {
		r.guess = c.rules.Detect(r.t, 0, c.opt.Languages)
	}
	c.rules.Respell(r.t, r.guess)
	r.hits = c.rules.Find(r.t, r.guess)
	r.dropNames()
	r.dropPronouns()
	r.dropMistaken()
	r.dropAboutMe()
	r.cutForwarded()
	r.blank = r.hits.Has(lang.Span{From: 0, To: len(r.t.Words)}, lang.Blank)
	r.dropBoilerplate()
	r.dropUnticked()
	return r
}

// maxSignature bounds the words of "Sent from my iPhone".
const maxSignature = 5

// signed tells whether there is nothing below the subject but the line that a
// telephone adds, in its own language.
func (r *reader) signed() bool {
	body := r.bodyWords()
	if body.To-body.From > maxSignature || body.From == 0 {
		return false
	}
	return slices.ContainsFunc(r.t.Words[body.From:body.To], func(w lang.Word) bool { return r.c.rules.Listed(anyLanguage, lang.WordDevice, w.Fold) })
}

// joinCitations makes one sentence of those that the dots of a citation have
// cut: "nach Art. 17 Abs. 1 DSGVO".
func (r *reader) joinCitations() {
	cites := func(w lang.Word) bool { return r.c.rules.Listed(anyLanguage, lang.WordCitation, w.Fold) }
	var out []lang.Span
	for _, s := range r.t.Sentences {
		w := &r.t.Words[s.From]
		if n := len(out); n > 0 && cites(r.t.Words[s.From-1]) && strings.HasPrefix(r.gap(s.From), ".") && !strings.Contains(r.gap(s.From), "\n") &&
			(w.Fold[0] >= '0' && w.Fold[0] <= '9' || cites(*w) || len(w.Fold) == 1) {
			out[n-1].To, w.Before = s.To, lang.None
			continue
		}
		out = append(out, s)
	}
	r.t.Sentences = out
}

// dropNames forgets what was found inside addresses and links: the words of
// new@example.org say nothing.
func (r *reader) dropNames() {
	for _, a := range value.Names(r.t.Source) {
		at := r.words(a[0], a[1])
		r.hits = slices.DeleteFunc(r.hits, func(h lang.Hit) bool { return h.From >= at.From && h.To <= at.To && h.From < at.To })
	}
}

// dropPronouns forgets that a word may say whose something is where it ends its
// part of the sentence: there it is the object itself ("приберіть його").
func (r *reader) dropPronouns() {
	all := slices.Clone(r.hits)
	r.hits = slices.DeleteFunc(r.hits, func(h lang.Hit) bool {
		if h.Concept != lang.Third || h.To-h.From > 1 || h.From == 0 || !all.Has(h.Span, lang.It) {
			return false
		}
		next := lang.Span{From: h.To, To: h.To + 1}
		last := h.To >= len(r.t.Words) || r.t.Words[h.To].Before >= lang.Comma || all.Has(next, lang.Me, lang.Filler) && !all.Has(next, lang.Account, lang.Data)
		return last && all.Has(lang.Span{From: h.From - 1, To: h.From}, lang.Delete, lang.Deactivate, lang.Change, lang.Send)
	})
}

// dropAboutMe forgets that "about" and "about me" are what a field is called
// where they say of whom or what something is known, said or thought.
func (r *reader) dropAboutMe() {
	r.hits = slices.DeleteFunc(r.hits, func(h lang.Hit) bool {
		if fieldOf(h) != inbox.FieldAbout || h.From == 0 || !r.isWord(h.From, lang.WordAbout) || r.t.Words[h.From].Before >= lang.Comma {
			return false
		}
		if h.To-h.From > 2 {
			return false
		}
		return !r.isWord(h.From-1, lang.WordHeading) && !r.t.Words[h.From].Quoted && !r.capital(h.From)
	})
}

// cutForwarded forgets what stands below the line that clients put above a
// forwarded mail: somebody else wrote it.
func (r *reader) cutForwarded() {
	all := lang.Span{From: 0, To: len(r.t.Words)}
	f := r.hits.In(all, lang.Forwarded)
	if len(f) == 0 {
		return
	}
	end := f[0].From
	r.hits = slices.DeleteFunc(r.hits, func(h lang.Hit) bool { return h.To > end })
	r.t.Words = r.t.Words[:end]
	r.t.Sentences = slices.DeleteFunc(r.t.Sentences, func(s lang.Span) bool { return s.From >= end })
	if n := len(r.t.Sentences); n > 0 {
		r.t.Sentences[n-1].To = min(r.t.Sentences[n-1].To, end)
	}
}

// requests gives everything that is asked, in the order written; at least a
// question.
func (r *reader) requests() []inbox.Request {
	all := lang.Span{From: 0, To: len(r.t.Words)}
	if r.grave(all) || r.hits.Has(all, lang.Offer) {
		return []inbox.Request{r.question()}
	}
	r.values, r.quotes = r.findValues(), lang.Quotations(r.t.Source)
	for i := range r.t.Sentences {
		r.readSentence(i)
	}
	r.readChanges()
	r.weighMessage(all)
	r.settle()
	r.weighUnread()
	out := r.merge()
	if len(out) == 0 {
		return []inbox.Request{r.question()}
	}
	if r.openQuestion() {
		out = append(out, r.question())
	}
	return out
}

// grave tells whether only people may handle a message. A lawyer or a judge may
// also be what its writer has become.
func (r *reader) grave(all lang.Span) bool {
	return slices.ContainsFunc(r.hits.In(all, lang.Grave), func(g lang.Hit) bool { return !r.isJob(all, g) })
}

// isJob tells whether a word that is grave elsewhere is the new occupation of
// one who writes nothing beside it: the field is named in front of it, a few
// words at most stand between.
func (r *reader) isJob(all lang.Span, g lang.Hit) bool {
	if all.To > maxJob || g.To-g.From > 1 || r.hits.Has(all, lang.Third, lang.Doubt, lang.Delete, lang.Deleting, lang.Deactivate, lang.Data) {
		return false
	}
	near := lang.Span{From: max(0, g.From-reachHow), To: g.From}
	return r.hits.Has(near, lang.Concept(lang.FieldPrefix+string(inbox.FieldOccupation)), lang.Concept(lang.SetPrefix+string(inbox.FieldOccupation)))
}

// maxJob is how many words a message has at most that does nothing but tell an
// occupation.
const maxJob = 30

// question is what is left when nothing is understood.
func (r *reader) question() inbox.Request {
	q := inbox.Request{Kind: inbox.KindQuestion, Confidence: 0.5}
	for i := len(r.t.Sentences) - 1; i >= 0; i-- {
		if s := r.t.Sentences[i]; strings.Contains(r.t.EndMark(s), "?") || i == 0 {
			q.Because = []string{clip(r.t.Slice(s))}
			break
		}
	}
	return q
}

// openQuestion tells whether a sentence asks something that no find covers.
func (r *reader) openQuestion() bool {
	for i, s := range r.t.Sentences {
		wishes := r.hits.Has(s, lang.Wish) && r.acts(s.From, s.To) // "can you update it?"
		if i >= r.subject && !r.handled[i] && strings.Contains(r.t.EndMark(s), "?") && !wishes && !r.filler(s) && !r.isBeside(s.From) {
			return true
		}
	}
	return false
}

// maxBecause bounds the words that are quoted as the reason of a reading.
const maxBecause = 160

func clip(s string) string { return capText(s, maxBecause) }

// add keeps a find, unless the same is known with more confidence.
func (r *reader) add(f find) {
	if f.Confidence < worthIt {
		return
	}
	r.handled[f.sentence] = true
	r.read = append(r.read, f.words)
	for i, old := range r.finds {
		if old.Kind == f.Kind && old.Scope == f.Scope && old.Topic == f.Topic && slices.Equal(old.Fields, f.Fields) && f.Kind != inbox.KindChange {
			if f.Confidence > old.Confidence || (old.sentence < r.subject && f.sentence >= r.subject) {
				r.finds[i] = f
			}
			return
		}
	}
	r.finds = append(r.finds, f)
}

// weighMessage lowers every find by what the rest of the message says.
func (r *reader) weighMessage(all lang.Span) {
	factor := 1.0
	if r.hidden || r.unfilled() {
		factor *= unsureOf
	}
	english := r.guess.Tag == "en"
	asksHow, third := r.asksHow(), r.hits.Has(all, lang.Third)
	if r.doubts(all, english) {
		factor *= unsureOf
	}
	switch r.guess.Tag {
	case "en", "ru", "kk":
	case lang.Und:
		factor *= 0.85
	default:
		factor *= 0.94 // no native speaker has gone over the files of these languages yet
	}
	if len(r.t.Words)-words(r.beside) > longText {
		factor *= 0.9
	}
	body := r.bodyWords()
	for i := range r.finds {
		f := &r.finds[i]
		f.Confidence *= factor
		if f.Confidence >= enough && f.Kind != inbox.KindQuestion && (r.strange(*f) || r.retracts(*f)) {
			f.Confidence *= unsureOf
		}
		if r.respelt(f.words) {
			f.Confidence *= respelt
		}
		if third && (english && !r.aside(*f) || !english && !r.mine(*f)) {
			f.Confidence *= 0.85
		}
		if english && f.Kind != inbox.KindCopy && f.Kind != inbox.KindDescribe && r.wavers(*f) {
			f.Confidence *= unsureOf
		}
		if f.Kind == inbox.KindDelete && f.Scope == inbox.ScopeAccount && r.comesBack() {
			f.Confidence *= unsureOf
		}
		if asksHow && f.Kind != inbox.KindDescribe { // "where do you have it from" asks for the same
			f.Confidence *= unsureOf
		}
		if r.blank && f.Kind != inbox.KindCopy && f.Kind != inbox.KindDescribe && f.Kind != inbox.KindWithdraw {
			f.Confidence *= unsureOf // whoever sent it off may not have read it
		}
		if f.sentence < r.subject && f.Kind != inbox.KindQuestion && !r.filler(body) {
			f.Confidence *= 0.75 // the text speaks of something else
		}
	}
}

// strange tells whether a word that nobody knows stands in the part of a
// sentence that asks for something: it may say whose, when, or that somebody
// else asks. Numbers say none of it, nor names that no preposition stands before,
// nor what stands behind the words
// that say why or for how long, nor the words of legal letters.
func (r *reader) strange(f find) bool {
	if len(r.beside) > 0 {
		return false
	}
	sentence := r.t.Sentences[f.sentence]
	switch {
	case f.Kind == inbox.KindChange || f.Scope == inbox.ScopeFields:
		return r.qualified(sentence)
	case f.Kind == inbox.KindCopy:
		return r.strangeIn(lang.Span{From: f.words.To, To: r.nearby(sentence, f.words.To)})
	case f.Kind != inbox.KindDelete && f.Kind != inbox.KindDeactivate:
		return false
	}
	for _, p := range r.commas(sentence) {
		if p.To > f.words.From && p.From < f.words.To && r.strangeIn(p) {
			return true
		}
	}
	return false
}

// reachOwner is how many words behind a field may say whose it is: "the name of
// my dog", "the town in my review".
const reachOwner = 3

// qualified tells whether a word that nobody knows follows a field at once, so
// that it may be one of something else.
func (r *reader) qualified(s lang.Span) bool {
	return slices.ContainsFunc(r.hits.Prefixed(s, lang.FieldPrefix), func(h lang.Hit) bool {
		for i := h.To; i < r.nearby(s, h.To); i++ {
			valued := slices.ContainsFunc(r.values, func(v typed) bool { return v.span.From <= i && i < v.span.To })
			if !r.knows(i) && !r.capital(i) && !valued && !unicode.IsDigit(rune(r.t.Words[i].Fold[0])) && !r.isRead(lang.Span{From: i, To: i + 1}) {
				return true
			}
		}
		return false
	})
}

// nearby gives the word behind those that may say of what something is.
func (r *reader) nearby(s lang.Span, from int) int {
	end := from
	for end < min(s.To, from+reachOwner) && r.t.Words[end].Before < lang.Comma && !r.hits.Has(lang.Span{From: end, To: end + 1}, lang.Set, lang.Change, lang.Delete, lang.Wish) {
		end++
	}
	return end
}

// strangeIn tells whether a part of a sentence has such a word, up to where it
// says why or for how long, and outside of what was read as a value.
func (r *reader) strangeIn(p lang.Span) bool {
	for i := p.From; i < p.To && !r.hits.Has(lang.Span{From: i, To: i + 1}, lang.Temporary, lang.Because); i++ {
		named := r.capital(i) && !(i > p.From && r.hits.Has(lang.Span{From: i - 1, To: i}, lang.Bends, lang.Third))
		if !r.knows(i) && !named && !unicode.IsDigit(rune(r.t.Words[i].Fold[0])) && !r.isRead(lang.Span{From: i, To: i + 1}) {
			return true
		}
	}
	return false
}

// retracts tells whether a text takes back, behind a find, what it asks for:
// "Delete my account. No, forget it."
func (r *reader) retracts(f find) bool {
	if f.Kind == inbox.KindWithdraw {
		return false // which says what is to stop
	}
	s := r.c.newStopReader(r.source.subject, r.source.body)
	if s.read() == unsaid {
		return false
	}
	for i, x := range s.parts {
		short := x.To-x.From <= shortNo || s.saying[i] >= off
		if spares := s.saying[i] == spared; spares && f.Kind == inbox.KindDelete && f.Scope == inbox.ScopeAccount || !spares && s.saying[i] >= bare && short && x.From >= f.words.To {
			return true
		}
	}
	return false
}

// shortNo is how many words a "no" has at most that takes something back: "forget
// it". Longer ones may give a reason: "I'm not using it any more".
const shortNo = 2

// respelt tells whether a word of a span had to be respelt.
func (r *reader) respelt(at lang.Span) bool {
	return slices.ContainsFunc(r.t.Words[at.From:at.To], func(w lang.Word) bool { return w.Respelt })
}

// doubts tells whether the text doubts itself, apart from the words by which
// consent is withdrawn: "I don't want you to use my data". In English, a
// "perhaps" is weighed find by find.
func (r *reader) doubts(all lang.Span, english bool) bool {
	concepts := []lang.Concept{lang.Doubt, lang.Perhaps}
	if english {
		concepts = concepts[:1]
	}
	return slices.ContainsFunc(r.hits.In(all, concepts...), func(d lang.Hit) bool {
		return !slices.ContainsFunc(r.finds, func(f find) bool {
			return f.Kind == inbox.KindWithdraw && f.words.From <= d.From && d.To <= f.words.To
		})
	})
}

// mine tells whether a find names its writer as the one whose account it is, and
// nobody else asks for it: "My grandson set it up for me. Close my account."
func (r *reader) mine(f find) bool {
	at := f.words
	if f.Kind == inbox.KindChange {
		at = r.t.Sentences[f.sentence]
	}
	if !r.own(at) || r.hits.Has(r.t.Sentences[f.sentence], lang.Third) {
		return false
	}
	for _, s := range r.t.Sentences {
		for _, o := range r.hits.In(s, lang.Third) {
			if r.hits.Has(s, lang.Wish) || r.hasWord(lang.Span{From: max(s.From, o.From-1), To: o.From + 1}, lang.WordFor) {
				return false // "I write for my mother"; "My mother wants to leave"
			}
		}
	}
	return true
}

// aside tells whether other people are only spoken of in passing: in sentences
// that name nothing that could be theirs, while the find is about the writer's
// own. "My wife is ill. Please hide my profile."
func (r *reader) aside(f find) bool {
	own := r.t.Sentences[f.sentence]
	if f.Scope != inbox.ScopeFields && !r.speaksOfMe(own) {
		return false
	}
	for i, s := range r.t.Sentences {
		if !r.hits.Has(s, lang.Third) {
			continue
		}
		if i == f.sentence || r.hits.Has(s, lang.Wish) || slices.ContainsFunc(r.hits.In(s, lang.Delete, lang.Deleting, lang.Deleted, lang.Deactivate,
			lang.Deactivated, lang.Change, lang.Send), func(v lang.Hit) bool { return !r.told(s, v.Span) }) {
			return false
		}
		things := append(r.hits.In(s, lang.Account, lang.Data), r.hits.Prefixed(s, lang.FieldPrefix)...)
		if slices.ContainsFunc(things, func(h lang.Hit) bool { return !r.speaksOfMe(lang.Span{From: max(s.From, h.From-1), To: h.To}) }) {
			return false
		}
	}
	return true
}

// own tells whether words name their writer, if only as part of what an account
// is called: "mon inscription", "hesabımı".
func (r *reader) own(at lang.Span) bool {
	if r.hits.Has(at, lang.Me) {
		return true
	}
	return r.hasWord(at, lang.WordMy) || slices.ContainsFunc(r.t.Words[at.From:at.To], func(w lang.Word) bool {
		return r.guess.Tag == "tr" && slices.ContainsFunc([]string{"im", "imi", "imin", "um", "umu"}, func(e string) bool { return strings.HasSuffix(w.Fold, e) })
	})
}

// wavers tells whether a "perhaps" stands in the part of a sentence in which a
// find stands, or says nothing else: "I think.", "delete it, or maybe not".
func (r *reader) wavers(f find) bool {
	for i, s := range r.t.Sentences {
		if !r.hits.Has(s, lang.Perhaps) {
			continue
		}
		for _, p := range r.commas(s) {
			if short := p.To-p.From <= shortDoubt || s.To-s.From <= longDoubt && i != f.sentence; !short && (i != f.sentence || f.at < p.From || f.at >= p.To) {
				continue
			}
			if slices.ContainsFunc(r.hits.In(p, lang.Perhaps), func(h lang.Hit) bool { return !r.isWord(h.From, lang.WordBoth) }) {
				return true
			}
		}
	}
	return false
}

// commas cuts a sentence at its commas.
func (r *reader) commas(s lang.Span) []lang.Span {
	var out []lang.Span
	from := s.From
	for i := s.From + 1; i < s.To; i++ {
		if r.t.Words[i].Before >= lang.Comma {
			out = append(out, lang.Span{From: from, To: i})
			from = i
		}
	}
	return append(out, lang.Span{From: from, To: s.To})
}

// How many words a sentence and a part of one may have that do nothing but
// waver.
const (
	longDoubt  = 7
	shortDoubt = 3
)

// asksHow tells whether a sentence asks how to do what another one names:
// "I want to delete my account. How do I do this?"
func (r *reader) asksHow() bool {
	for i, s := range r.t.Sentences {
		if !r.handled[i] && r.hits.Has(s, lang.HowTo) && (s.To-s.From <= 3 || r.hits.Has(s, lang.It)) && strings.Contains(r.t.EndMark(s), "?") {
			return true
		}
	}
	return false
}

func (r *reader) bodyWords() lang.Span {
	for i, s := range r.t.Sentences {
		if i >= r.subject {
			return lang.Span{From: s.From, To: len(r.t.Words)}
		}
	}
	return lang.Span{From: len(r.t.Words), To: len(r.t.Words)}
}

// filler tells whether nothing but politeness and one or two unknown words (a
// name) stand in the span.
func (r *reader) filler(s lang.Span) bool {
	covered := map[int]bool{}
	for _, h := range r.hits.In(s, lang.Filler, lang.Wish, lang.Yes) {
		for i := h.From; i < h.To; i++ {
			covered[i] = true
		}
	}
	return s.To-s.From-len(covered) <= 2
}

// settle removes finds that others explain and makes contradicting ones
// uncertain.
func (r *reader) settle() {
	has := func(match func(find) bool) bool { return slices.ContainsFunc(r.finds, match) }
	account := func(f find) bool { return f.Kind == inbox.KindDelete && f.Scope == inbox.ScopeAccount }
	off := func(f find) bool { return f.Kind == inbox.KindDeactivate }
	back := func(f find) bool { return f.Topic == inbox.TopicReactivate }
	change := func(f find) bool { return f.Kind == inbox.KindChange }
	if has(func(f find) bool { return len(f.Changes) > 0 }) { // it says what is to be changed
		r.finds = slices.DeleteFunc(r.finds, func(f find) bool { return change(f) && len(f.Changes) == 0 })
	}
	if r.itemized && has(func(f find) bool { return f.Scope == inbox.ScopeFields }) { // a list says which of the data
		r.finds = slices.DeleteFunc(r.finds, func(f find) bool { return account(f) && f.general })
	}
	r.dropLater()
	r.dropTitle()
	whole, back2 := has(account), r.takesBack()
	for i := range r.finds {
		f := &r.finds[i]
		switch {
		case (account(*f) || off(*f)) && has(account) && has(off):
			f.Confidence *= unsureOf
		case account(*f) && (r.itemized || r.namesOther() || has(change) || r.hits.Has(lang.Span{From: 0, To: len(r.t.Words)}, lang.Keep)):
			f.Confidence *= unsureOf
		case account(*f) && back2:
			f.Confidence *= unsureOf
		case off(*f) && r.namesOther():
			f.Confidence *= unsureOf
		case whole && (change(*f) || f.Kind == inbox.KindDelete && f.Scope == inbox.ScopeFields):
			f.Confidence *= unsureOf
		case (off(*f) || account(*f)) && has(back):
			f.Confidence *= unsureOf
		}
	}
	r.dropReplaced()
}

// dropLater forgets the wish to have back what is to be switched off first:
// "hide my profile; later, turn it on again".
func (r *reader) dropLater() {
	off := slices.IndexFunc(r.finds, func(f find) bool { return f.Kind == inbox.KindDeactivate })
	if off < 0 {
		return
	}
	first := r.finds[off]
	r.finds = slices.DeleteFunc(r.finds, func(f find) bool {
		return f.Topic == inbox.TopicReactivate && f.at > first.at &&
			(f.sentence > first.sentence || r.hits.Has(lang.Span{From: first.at, To: f.at}, lang.Temporary))
	})
}

// dropTitle forgets the title of a request for information above a letter that
// asks for a copy, and the name of the right of access beside what is to be
// told: the same in other words.
func (r *reader) dropTitle() {
	described := map[int]bool{}
	for _, f := range r.finds {
		described[f.sentence] = described[f.sentence] || f.Kind == inbox.KindDescribe
	}
	r.finds = slices.DeleteFunc(r.finds, func(f find) bool {
		return f.Kind == inbox.KindCopy && described[f.sentence] && r.isRight(f.words)
	})
	copied := slices.ContainsFunc(r.finds, func(f find) bool { return f.Kind == inbox.KindCopy && f.sentence >= r.subject })
	r.finds = slices.DeleteFunc(r.finds, func(f find) bool { return copied && f.Kind == inbox.KindDescribe && f.sentence < r.subject })
}

// isRight tells whether a phrase names the right of access and no more: what
// is asked by it, others say.
func (r *reader) isRight(at lang.Span) bool {
	return !r.hits.Has(at, lang.Send) && r.hasWord(at, lang.WordAccess)
}

// namesOther tells whether the text names an address that is not the sender's:
// the account may be somebody else's, or another one of theirs.
func (r *reader) namesOther() bool {
	return slices.ContainsFunc(r.values, func(v typed) bool {
		return v.field == inbox.FieldEmail && r.from != "" && v.Value != r.from && !r.isBeside(v.span.From)
	})
}

// dropReplaced takes the fields out of deletions that get a new value: to
// delete the old number and enter a new one is one change.
func (r *reader) dropReplaced() {
	changed, unsure := map[inbox.Field]bool{}, map[inbox.Field]bool{}
	for _, f := range r.finds {
		for _, ch := range f.Changes {
			changed[ch.Field] = true
			unsure[ch.Field] = f.Confidence < enough
		}
	}
	r.finds = slices.DeleteFunc(r.finds, func(f find) bool { return f.Scope == inbox.ScopeFields && allIn(f.Fields, changed) })
	for i := range r.finds {
		f := &r.finds[i]
		if f.Scope != inbox.ScopeFields {
			continue
		}
		f.Confidence *= sure(!slices.ContainsFunc(f.Fields, func(x inbox.Field) bool { return unsure[x] }))
		f.Fields = slices.DeleteFunc(f.Fields, func(x inbox.Field) bool { return changed[x] })
	}
}

func allIn(fields []inbox.Field, in map[inbox.Field]bool) bool {
	return !slices.ContainsFunc(fields, func(f inbox.Field) bool { return !in[f] })
}

// merge puts the changes of all sentences into one request, and the deleted
// fields into another, in the order written, and decides what is certain.
func (r *reader) merge() []inbox.Request {
	slices.SortStableFunc(r.finds, func(a, b find) int { return cmp.Compare(a.at, b.at) })
	var out []inbox.Request
	for _, f := range r.finds {
		i := slices.IndexFunc(out, func(q inbox.Request) bool {
			return q.Kind == f.Kind && q.Scope == f.Scope && (f.Kind == inbox.KindChange || f.Scope == inbox.ScopeFields)
		})
		if i < 0 {
			out = append(out, f.Request)
			continue
		}
		out[i].Confidence = min(out[i].Confidence, f.Confidence)
		out[i].Because = append(out[i].Because, f.Because...)
		out[i].Changes = append(out[i].Changes, f.Changes...)
		for _, x := range f.Fields {
			if !slices.Contains(out[i].Fields, x) {
				out[i].Fields = append(out[i].Fields, x)
			}
		}
	}
	for i := range out {
		out[i].Certain = out[i].Confidence >= enough
	}
	return out
}

// anyLanguage is the guess for words that belong to no language's text.
var anyLanguage = lang.Guess{}

// isWord tells whether a word stands in one of the lists of the text's language.
func (r *reader) isWord(i int, list lang.Concept) bool {
	return i >= 0 && i < len(r.t.Words) && r.c.rules.Listed(r.guess, list, r.t.Words[i].Fold)
}

// hasWord tells whether any word of a span stands in a list.
func (r *reader) hasWord(at lang.Span, list lang.Concept) bool {
	for i := at.From; i < at.To; i++ {
		if r.isWord(i, list) {
			return true
		}
	}
	return false
}
