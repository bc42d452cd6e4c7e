package classify

import (
	"cmp"
	"slices"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/classify/lang"
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

// reader reads one message. Subject and text are one source; no sentence
// reaches from one into the other.
type reader struct {
	c       *Classifier
	t       *lang.Text
	altered bool // its words are not those that the rules cut it into any more
	guess   lang.Guess
	grammar grammar
	forms   forms
	hits    lang.Hits
	subject int // sentences of the subject, which come first
	from    string
	hidden  bool

	values  values
	quotes  [][2]int // byte ranges in quotation marks
	finds   []find
	read    []lang.Span  // the words that a find accounts for
	handled map[int]bool // sentences that gave a find

	mentioning map[inbox.Field][]mention // what can be values of fields, as far as it was looked for

	itemized bool // a list says what of the data is to be deleted

	calledOff *stopReader // what calls something off, once it was read
	inRules   []bool      // the words that entries of the rule files cover
	ended     int         // the word behind the letter, once it was looked for

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

// newReader cuts a message into words, guesses its language, and finds in it what
// the rule files know.
func (c *Classifier) newReader(subject, body string) *reader {
	source := body
	if subject != "" {
		source = subject + "\n\n" + body
	}
	r := &reader{c: c, handled: map[int]bool{}, mentioning: map[inbox.Field][]mention{}}
	r.t = c.rules.NewText(source)
	r.altered = r.joinCitations()
	for _, s := range r.t.Sentences {
		if subject != "" && r.t.Words[s.From].Start < len(subject) {
			r.subject++
		}
	}
	r.guess = c.rules.Detect(r.t, r.bodyWords().From, c.opt.Languages)
	if r.guess.Tag == lang.Und || r.signed() {
		r.guess = c.rules.Detect(r.t, 0, c.opt.Languages)
	}
	r.altered = c.rules.Respell(r.t, r.guess) || r.altered
	r.hits = c.rules.Find(r.t, r.guess)
	r.learn()
	r.inRules = r.covers(r.hits)
	r.drop()
	return r
}

// asCut gives the text as the rules cut it into words.
func (r *reader) asCut() *lang.Text {
	if r.altered {
		return r.c.rules.NewText(r.t.Source)
	}
	return r.t.Unread()
}

// requests gives everything that is asked, in the order written; at least a
// question.
func (r *reader) requests() []inbox.Request {
	if r.grave() || r.hits.Has(r.all(), lang.Offer) {
		return []inbox.Request{r.question()}
	}
	r.values, r.quotes = r.findValues(), lang.Quotations(r.t.Source)
	for i := range r.t.Sentences {
		r.readSentence(i)
	}
	r.readChanges()
	r.weighMessage()
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
// also be what its writer has become, and a number may be dead.
func (r *reader) grave() bool {
	return slices.ContainsFunc(r.hits.In(r.all(), lang.Grave), func(g lang.Hit) bool {
		return !r.isJob(g) && !r.within(g, lang.Reason) && !r.ofNumber(g)
	})
}

// ofNumber tells whether a telephone number is said to be dead, and nobody:
// "my number is dead, delete it".
func (r *reader) ofNumber(g lang.Hit) bool {
	s := r.sentenceOf(g.From)
	p := r.piece(s, g.Span)
	if !r.hasWord(g.Span, lang.WordDead) || !r.closes(s, g.Span) || r.hits.Has(s, lang.Third) {
		return false
	}
	return slices.ContainsFunc(r.hits.In(p, lang.Concept(lang.FieldPrefix+string(inbox.FieldPhone))), func(h lang.Hit) bool {
		lead := lang.Span{From: p.From, To: h.From}
		return h.To <= g.From && g.From-h.To <= 1 && r.countCovered(lead, lang.Me, lang.Common, lang.Old, lang.Filler, lang.It) >= lead.To-lead.From && !r.hasWord(lead, lang.WordOf)
	})
}

// isJob tells whether a word that is grave elsewhere is the new occupation of
// one who writes nothing beside it: the field is named in front of it, a few
// words at most stand between.
func (r *reader) isJob(g lang.Hit) bool {
	all := r.all()
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
		if s := r.t.Sentences[i]; r.asks(s) || i == 0 {
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
		if i >= r.subject && !r.handled[i] && r.asks(s) && !wishes && !r.filler(s) && !r.isBeside(s.From) {
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
