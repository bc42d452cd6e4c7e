package classify

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/classify/lang"
	"push.guru/supportd/inbox/classify/value"
)

// candidate is a value that somebody may want stored.
type candidate struct {
	inbox.Change
	at       lang.Span // the words that decided, value included
	sentence int
	strong   bool // the sentence itself asks for the change
	worth    float64
}

// readChanges finds the new values of fields.
func (r *reader) readChanges() {
	all := lang.Span{From: 0, To: len(r.t.Words)}
	asked := r.asksChange()
	if !asked && !r.hits.Has(all, lang.New, lang.Wrong) && !r.deletesFields() {
		return
	}
	var list []candidate
	for i, s := range r.t.Sentences {
		if c, ok := r.form(i, s, asked); ok {
			list = append(list, c...)
			continue
		}
		list = append(list, r.typedChanges(i, s)...)
		list = append(list, r.slotChanges(i, s)...)
	}
	for _, c := range r.choose(list) {
		if !asked {
			c.worth *= unsureOf // it is only told
		}
		r.add(find{
			Request: inbox.Request{Kind: inbox.KindChange, Changes: []inbox.Change{c.Change}, Confidence: full * c.worth, Because: r.because(c.at)},
			at:      c.at.From, sentence: c.sentence,
		})
	}
}

// deletesFields tells whether fields are to be deleted: a list of corrections
// may have both.
func (r *reader) deletesFields() bool {
	return slices.ContainsFunc(r.finds, func(f find) bool { return f.Scope == inbox.ScopeFields })
}

// asksChange tells whether any sentence asks for a change.
func (r *reader) asksChange() bool {
	for _, s := range r.t.Sentences {
		for _, v := range r.hits.In(s, lang.Change, lang.Add) {
			if r.mood(s, v.Span) > 0 {
				return true
			}
		}
	}
	return false
}

// choose keeps one value a field: one that is asked for in its own sentence
// before one that is only stated, and of several such the first, unsure.
func (r *reader) choose(list []candidate) []candidate {
	var out []candidate
	anyStrong := slices.ContainsFunc(list, func(c candidate) bool { return c.strong })
	for _, c := range list {
		if c.worth < worthIt || (anyStrong && !c.strong && c.Field == inbox.FieldEmail) {
			continue
		}
		i := slices.IndexFunc(out, func(o candidate) bool { return o.Field == c.Field })
		switch {
		case i < 0:
			out = append(out, c)
		case out[i].Value == c.Value:
			out[i].worth, out[i].strong = max(out[i].worth, c.worth), out[i].strong || c.strong
		case c.strong && !out[i].strong:
			out[i] = c
		case c.strong == out[i].strong:
			out[i].worth *= unsureOf
		}
	}
	full := slices.ContainsFunc(out, func(c candidate) bool { return c.Field == inbox.FieldFullName })
	return slices.DeleteFunc(out, func(c candidate) bool {
		return full && (c.Field == inbox.FieldGivenName || c.Field == inbox.FieldFamilyName) && !c.strong
	})
}

// form reads "Field: value" lines. They ask for something only where the
// message asks for a change; else they say who writes.
func (r *reader) form(i int, s lang.Span, asked bool) ([]candidate, bool) {
	_, hits := r.fields(s)
	if len(hits) == 0 || hits[0].From > s.From+2 || hits[0].To >= s.To {
		return nil, false
	}
	h := hits[0]
	if sep := r.gap(h.To); !strings.ContainsAny(sep, ":=—–→") && strings.TrimSpace(sep) != "-" {
		return nil, false
	}
	for j := s.From; j < h.From; j++ {
		if !r.hits.Has(lang.Span{From: j, To: j + 1}, lang.Me, lang.New, lang.Change, lang.Common, lang.Wish, lang.Filler) {
			return nil, false
		}
	}
	if r.hits.Has(lang.Span{From: h.To, To: s.To}, lang.Change, lang.Wish) {
		return nil, false // a sentence with a heading
	}
	old := r.hits.Has(lang.Span{From: s.From, To: h.From}, lang.Old, lang.Wrong)
	if (!asked && !r.deletesFields()) || old {
		return nil, true
	}
	c := candidate{at: lang.Span{From: h.From, To: s.To}, sentence: i, strong: true, worth: 1}
	if asks := r.delimited(i); asks {
		c.worth = unsureOf
	}
	c.Change = inbox.Change{Field: fieldOf(h), Op: inbox.OpSet}
	if v := r.values.in(s, c.Field); len(v) > 0 {
		if arrow := v[len(v)-1]; len(v) > 1 {
			v = values{arrow}
		}
		c.Value = v[0].Value
		c.worth *= sure(v[0].Sure)
	} else if isTyped(c.Field) {
		return nil, true
	} else if !r.setText(&c, r.formText(c.Field, lang.Span{From: h.To, To: s.To}), lang.Span{From: h.To, To: s.To}) {
		return nil, true
	}
	return []candidate{c}, true
}

// delimited tells whether a deletion or copy was asked for before, so that
// the lines behind it may only say who writes.
func (r *reader) delimited(i int) bool {
	return slices.ContainsFunc(r.finds, func(f find) bool { return f.sentence < i && f.Kind != inbox.KindQuestion && f.sentence >= r.subject })
}

func sure(ok bool) float64 {
	if ok {
		return 1
	}
	return unsureOf
}

// gap gives what stands before a word.
func (r *reader) gap(i int) string {
	return r.t.Source[r.t.Words[i-1].End:r.t.Words[i].Start]
}

// formText gives the value of a form's line: to its end where dots may be part
// of the value, else to the end of the sentence.
func (r *reader) formText(f inbox.Field, at lang.Span) string {
	if f != inbox.FieldAbout && f != inbox.FieldAddress {
		return r.t.Slice(at)
	}
	line, _, _ := strings.Cut(r.t.Source[r.t.Words[at.From].Start:], "\n")
	return line
}

func fieldOf(h lang.Hit) inbox.Field {
	s := string(h.Concept)
	s = strings.TrimPrefix(strings.TrimPrefix(s, lang.FieldPrefix), lang.SetPrefix)
	return inbox.Field(s)
}

func isTyped(f inbox.Field) bool {
	return f == inbox.FieldEmail || f == inbox.FieldPhone || f == inbox.FieldBirth
}

// typedChanges reads the dates, numbers and addresses of a sentence.
func (r *reader) typedChanges(i int, s lang.Span) []candidate {
	var out []candidate
	for _, f := range []inbox.Field{inbox.FieldEmail, inbox.FieldPhone, inbox.FieldBirth} {
		v := r.values.in(s, f)
		if len(v) == 0 {
			continue
		}
		where, ok := r.speaksOf(i, f)
		if !ok {
			continue
		}
		c := candidate{sentence: i, worth: r.changeMood(s)}
		if r.subject > 0 && where == r.t.Sentences[0] && i >= r.subject && !r.hits.Has(s, lang.Change, lang.Add, lang.New) {
			c.worth *= unsureOf // only the subject speaks of the field
		}
		c.strong = r.hits.Has(s, lang.Change, lang.Add, lang.New) || r.hits.Has(where, lang.New, lang.Change)
		if !c.strong && !r.hits.Has(where, lang.Wrong) && !r.states(s, f, v) {
			continue
		}
		x, certain := r.newest(s, v)
		if x == nil {
			continue
		}
		c.Change = inbox.Change{Field: f, Op: r.op(s, x.span), Value: x.Value}
		c.worth *= sure(x.Sure) * sure(certain)
		c.at = x.span
		if where.From < s.To && where.From >= s.From {
			c.at = r.around(s, x.span)
		}
		out = append(out, c)
	}
	return out
}

// around gives the sentence as far as it is of use for a reason.
func (r *reader) around(s, at lang.Span) lang.Span {
	return lang.Span{From: max(s.From, at.From-12), To: at.To}
}

// speaksOf finds the place that names the field: the sentence, the one before
// it, or the subject.
func (r *reader) speaksOf(i int, f inbox.Field) (lang.Span, bool) {
	places := []lang.Span{r.t.Sentences[i]}
	if i > 0 {
		places = append(places, r.t.Sentences[i-1])
	}
	if r.subject > 0 {
		places = append(places, r.t.Sentences[0])
	}
	for _, s := range places {
		for _, h := range append(r.hits.Prefixed(s, lang.FieldPrefix), r.hits.Prefixed(s, lang.SetPrefix)...) {
			if fieldOf(h) == f || (f == inbox.FieldEmail && fieldOf(h) == inbox.FieldAddress) {
				return s, true
			}
		}
	}
	return lang.Span{}, false
}

// states tells whether a phrase of the rule files says the field's value.
func (r *reader) states(s lang.Span, f inbox.Field, v values) bool {
	for _, h := range r.hits.Prefixed(s, lang.SetPrefix) {
		for _, x := range v {
			if fieldOf(h) == f && (h.Left || (x.span.From >= h.To && x.span.From <= h.To+3)) {
				return true
			}
		}
	}
	return f == inbox.FieldBirth && r.hits.Has(s, lang.Set)
}

// newest tells the new value from the old ones, and whether it is sure.
func (r *reader) newest(s lang.Span, v values) (*typed, bool) {
	var left values
	for _, x := range v {
		if r.marked(s, x.span, lang.Old) && !r.marked(s, x.span, lang.Set) {
			continue
		}
		if x.field == inbox.FieldEmail && r.from != "" && x.Value == r.from && len(v) > 1 {
			continue
		}
		left = append(left, x)
	}
	if len(left) == 0 {
		return nil, false
	}
	for _, x := range left[1:] {
		if x.Value != left[0].Value {
			for k := range left {
				if r.marked(s, left[k].span, lang.Set) && r.count(s, left, lang.Set) == 1 {
					return &left[k], true
				}
			}
			return &left[len(left)-1], false
		}
	}
	return &left[0], true
}

func (r *reader) count(s lang.Span, v values, c lang.Concept) int {
	n := 0
	for _, x := range v {
		if r.marked(s, x.span, c) {
			n++
		}
	}
	return n
}

// marked tells whether a phrase with {} points at the words. Of two that
// point at them, the longer one decides.
func (r *reader) marked(s, at lang.Span, c lang.Concept) bool {
	best, found := 0, false
	for _, h := range r.hits.In(s, lang.Set, lang.Old) {
		points := h.Left && h.From == at.To || !h.Left && h.To == at.From
		n := h.To - h.From
		if points && (n > best || n == best && h.Concept == c) {
			best, found = n, h.Concept == c
		}
	}
	return found
}

// changeMood is the mood of the sentence for a value, and of its verb.
func (r *reader) changeMood(s lang.Span) float64 {
	worth := 1.0
	if r.hits.Has(s, lang.HowTo) && strings.Contains(r.t.EndMark(s), "?") && !r.hits.Has(s, lang.Wish) {
		worth *= unsureOf
	}
	if r.hits.Has(s, lang.Third) || r.hits.Has(s, lang.Other) && !r.hits.Has(s, lang.New, lang.Wrong) {
		worth *= unsureOf
	}
	if r.hits.Has(s, lang.Condition) || r.hits.Has(s, lang.Send) && !r.hits.Has(s, lang.Change, lang.Wrong) {
		worth *= unsureOf
	}
	if r.hits.Has(s, lang.Problem) {
		worth *= unsureOf
	}
	verbs := r.hits.In(s, lang.Change, lang.Add)
	for _, v := range verbs {
		if r.negated(s, v.Span) {
			worth *= unsureOf
		}
	}
	return worth
}

func (r *reader) op(s, at lang.Span) inbox.Op {
	if r.hits.Has(s, lang.Add) && !r.hits.Has(s, lang.Change) {
		return inbox.OpAdd
	}
	return inbox.OpSet
}

// slotChanges reads the values that stand where a phrase says so.
func (r *reader) slotChanges(i int, s lang.Span) []candidate {
	var out []candidate
	verb := r.hits.Has(s, lang.Change, lang.Add)
	slots := r.hits.Prefixed(s, lang.SetPrefix)
	for _, h := range slots {
		c := candidate{sentence: i, strong: verb || r.hits.Has(s, lang.New), worth: r.changeMood(s)}
		c.Change = inbox.Change{Field: fieldOf(h), Op: r.op(s, h.Span)}
		if isTyped(c.Field) {
			continue
		}
		if r.capture(&c, s, h) {
			out = append(out, c)
		}
	}
	if r.hits.Has(s, lang.Delete) && !verb {
		return out
	}
	return append(out, r.genericSlots(i, s, verb)...)
}

// genericSlots reads the phrases that leave open which field they are about:
// the one that stands before them, else the one that the sentence before or
// the subject speaks of.
func (r *reader) genericSlots(i int, s lang.Span, verb bool) []candidate {
	_, fields := r.fields(s)
	slots := append(r.pointers(s), r.hits.In(s, lang.Set)...)
	for _, h := range slots {
		f, ok := r.fieldFor(h, fields, verb)
		worth := r.changeMood(s)
		if len(fields) == 0 {
			f, ok = r.context(i)
			worth *= 0.9
		} else if !verb && !r.hits.Has(s, lang.New, lang.Wrong) {
			continue
		}
		if !ok || isTyped(f) {
			continue
		}
		c := candidate{sentence: i, strong: len(fields) > 0, worth: worth}
		c.Change = inbox.Change{Field: f, Op: r.op(s, h.Span)}
		if r.capture(&c, s, h) {
			return []candidate{c}
		}
	}
	return nil
}

// context gives the one field that the sentence before or the subject is about.
func (r *reader) context(i int) (inbox.Field, bool) {
	for _, j := range []int{i - 1, 0} {
		if j < 0 || j == i || (j == 0 && i > 1 && r.subject == 0) {
			continue
		}
		if fields, _ := r.fields(r.t.Sentences[j]); len(fields) == 1 {
			return fields[0], true
		}
	}
	return "", false
}

// pointers gives the colons and dashes of a sentence that a value with a
// capital letter or quotation marks follows, as phrases of no words.
func (r *reader) pointers(s lang.Span) lang.Hits {
	var out lang.Hits
	for i := s.From + 1; i < s.To; i++ {
		sep := r.gap(i)
		c, _ := utf8.DecodeRuneInString(r.t.Source[r.t.Words[i].Start:])
		named := r.endsName(s, i) && unicode.IsUpper(c) && strings.Trim(sep, " ,") == ""
		marked := strings.ContainsAny(sep, ":—–→") && (unicode.IsUpper(c) || r.t.Words[i].Quoted || strings.Contains(sep, ":"))
		if named || marked {
			out = append(out, lang.Hit{Concept: lang.Set, Span: lang.Span{From: i, To: i}})
		}
	}
	return out
}

// endsName tells whether what calls a person's or a place's name ends at a
// word: "my maiden name, Kowalski", "город Костанай".
func (r *reader) endsName(s lang.Span, i int) bool {
	for _, h := range r.hits.Prefixed(lang.Span{From: s.From, To: i}, lang.FieldPrefix) {
		switch f := fieldOf(h); {
		case h.To != i:
		case f == inbox.FieldFullName, f == inbox.FieldGivenName, f == inbox.FieldFamilyName, f == inbox.FieldLocation:
			return true
		}
	}
	return false
}

// fieldFor finds the field that a "to {}" belongs to: the nearest before it;
// without a verb it must be the word before.
func (r *reader) fieldFor(h lang.Hit, fields lang.Hits, verb bool) (inbox.Field, bool) {
	var best *lang.Hit
	for i, f := range fields {
		if f.To <= h.From {
			best = &fields[i]
		}
	}
	if best == nil && h.Left && len(fields) > 0 {
		best = &fields[0]
	}
	pointer := h.From == h.To
	if best == nil || (!h.Left && !pointer && h.From-best.To > map[bool]int{true: 3, false: 2}[verb]) {
		return "", false
	}
	return fieldOf(*best), true
}

// capture takes the value that stands at the slot of a phrase.
func (r *reader) capture(c *candidate, s lang.Span, h lang.Hit) bool {
	var at lang.Span
	if h.Left {
		at = r.before(s, h, maxWords(c.Field))
		if c.Field == inbox.FieldOccupation && at.To-at.From > 2 {
			at.From, c.worth = at.To-2, c.worth*unsureOf
		}
	} else {
		at = r.behind(s, h, c.Field)
	}
	if at.From >= at.To {
		return h.To == s.To && r.below(c, h)
	}
	if v, end, ok := r.quotation(at.From, c.Field); ok {
		at.To = max(at.From+1, end)
		c.at = lang.Span{From: min(at.From, h.From), To: max(at.To, h.To)}
		return r.setText(c, v, at)
	}
	c.at = lang.Span{From: min(at.From, h.From), To: max(at.To, h.To)}
	text := r.t.Slice(at)
	if h.Left {
		if cut := r.c.rules.Cut(r.guess.Tag, string(c.Field), text); cut != text {
			text, c.worth = cut, c.worth*0.9
		}
	}
	return r.setText(c, text, at)
}

// below takes the lines under a sentence that ends in a colon as the value of
// a field that holds running text.
func (r *reader) below(c *candidate, h lang.Hit) bool {
	i := c.sentence + 1
	if c.Field != inbox.FieldAbout || i >= len(r.t.Sentences) || !strings.Contains(r.t.EndMark(r.t.Sentences[c.sentence]), ":") {
		return false
	}
	first := r.t.Sentences[i].From
	if v, end, ok := r.quotation(first, c.Field); ok {
		c.at = lang.Span{From: h.From, To: end}
		return r.setText(c, v, c.at)
	}
	text, _, _ := strings.Cut(r.t.Source[r.t.Words[first].Start:], "\n\n")
	c.at, c.worth = h.Span, c.worth*unsureOf
	return r.setText(c, text, h.Span)
}

// quotation gives the whole quotation that begins at a word.
func (r *reader) quotation(i int, f inbox.Field) (string, int, bool) {
	if !r.t.Words[i].Quoted {
		return "", 0, false
	}
	for _, q := range r.quotes {
		if q[0] <= r.t.Words[i].Start && r.t.Words[i].Start < q[1] {
			return r.t.Source[q[0]:q[1]], r.words(q[0], q[1]).To, true
		}
	}
	return "", 0, false
}

// maxWords bounds the words of a value.
func maxWords(f inbox.Field) int {
	switch f {
	case inbox.FieldAbout:
		return 80
	case inbox.FieldAddress:
		return 16
	case inbox.FieldNickname, inbox.FieldNationality, inbox.FieldGender:
		return 2
	case inbox.FieldOccupation, inbox.FieldLocation:
		return 6
	}
	return 4
}

// behind gives the words behind a phrase up to where the value ends.
func (r *reader) behind(s lang.Span, h lang.Hit, f inbox.Field) lang.Span {
	at := lang.Span{From: h.To, To: h.To}
	for at.From < s.To && r.skips(at.From, f) {
		at.From++
	}
	for i := at.From; i < s.To && i-at.From < maxWords(f); i++ {
		w := lang.Span{From: i, To: i + 1}
		if i > at.From && r.ends(i, w, at, f) {
			break
		}
		if i == at.From && h.To > h.From && i > 0 && strings.Contains(r.gap(i), ",") {
			break
		}
		if i == at.From && len(r.hits.Prefixed(w, lang.SetPrefix)) > 0 {
			break
		}
		if i == at.From && r.hits.Has(w, lang.Stop, lang.Set, lang.Old, lang.Wish, lang.HowTo) && !r.t.Words[i].Quoted {
			break
		}
		at.To = i + 1
	}
	return at
}

// skips tells whether a word before a value is none of it.
func (r *reader) skips(i int, f inbox.Field) bool {
	switch r.t.Words[i].Fold {
	case "a", "an", "the":
		return f != inbox.FieldAbout
	case "be", "read", "say", "my":
		return true
	}
	return false
}

func (r *reader) ends(i int, w, at lang.Span, f inbox.Field) bool {
	if f == inbox.FieldAbout {
		return false
	}
	if r.t.Words[i].Before >= lang.Comma && f != inbox.FieldAddress {
		return f != inbox.FieldLocation || !r.capitalRun(i)
	}
	if f != inbox.FieldAddress && r.hits.Has(w, lang.Set, lang.Old, lang.Stop) {
		return true
	}
	return r.hits.Has(w, lang.Stop, lang.But, lang.Wish, lang.Also, lang.Change) || len(r.hits.Prefixed(w, lang.FieldPrefix)) > 0 && f != inbox.FieldAddress
}

// capitalRun tells whether the words from i to the next comma are a name of a
// region or country: capital letters, three at most.
func (r *reader) capitalRun(i int) bool {
	n := 0
	for j := i; j < len(r.t.Words); j++ {
		if j > i && r.t.Words[j].Before >= lang.Comma {
			break
		}
		c, _ := utf8.DecodeRuneInString(r.t.Source[r.t.Words[j].Start:])
		if !unicode.IsUpper(c) {
			return n > 0 && r.hits.Has(lang.Span{From: j, To: j + 1}, lang.Stop)
		}
		n++
	}
	return n > 0 && n <= 3
}

// before gives the words before a phrase, back to where the value begins.
func (r *reader) before(s lang.Span, h lang.Hit, limit int) lang.Span {
	at := lang.Span{From: h.From, To: h.From}
	for i := h.From - 1; i >= s.From && h.From-i <= limit; i-- {
		w := lang.Span{From: i, To: i + 1}
		if len(r.hits.Prefixed(w, lang.FieldPrefix)) > 0 || r.hits.Has(w, lang.New, lang.Old, lang.Me, lang.Wrong, lang.Stop) {
			break
		}
		at.From = i
		if r.t.Words[i].Before >= lang.Comma || r.t.Words[i].Quoted && (i == 0 || !r.t.Words[i-1].Quoted) {
			break
		}
	}
	return at
}

// setText makes a text the value of the candidate if it can be one.
func (r *reader) setText(c *candidate, text string, at lang.Span) bool {
	text = value.Trim(text)
	if text == "" || len(text) > 2000 {
		return false
	}
	switch c.Field {
	case inbox.FieldFullName, inbox.FieldGivenName, inbox.FieldFamilyName:
		return r.setName(c, text, at)
	case inbox.FieldGender:
		return r.setGender(c, at)
	case inbox.FieldAddress:
		c.worth *= sure(strings.ContainsAny(text, "0123456789"))
	case inbox.FieldNickname:
		c.worth *= sure(!strings.ContainsAny(text, " \t"))
	case inbox.FieldLocation, inbox.FieldNationality, inbox.FieldOccupation:
		if strings.ContainsAny(text, "@0123456789") {
			return false
		}
		first, _ := utf8.DecodeRuneInString(text)
		if c.Field == inbox.FieldLocation {
			c.worth *= sure(unicode.IsUpper(first))
		}
	}
	c.Value = text
	return true
}

func (r *reader) setName(c *candidate, text string, at lang.Span) bool {
	words := value.Name(text)
	if words == nil || r.small(at) {
		return false
	}
	c.worth *= sure(value.Proper(words))
	if c.Field == inbox.FieldFullName && len(words) == 1 {
		c.Field = inbox.FieldGivenName
	}
	if c.Field != inbox.FieldFullName && len(words) > 1 {
		c.Field = inbox.FieldFullName
	}
	c.Value = strings.Join(words, " ")
	return true
}

// small tells whether a word of the span is a known one without a capital
// letter, so that the span is no name.
func (r *reader) small(at lang.Span) bool {
	for _, h := range r.hits.In(at, lang.Common, lang.Me, lang.Filler, lang.Change, lang.Wrong, lang.New, lang.Delete, lang.Keep) {
		if c, _ := utf8.DecodeRuneInString(r.t.Source[r.t.Words[h.From].Start:]); !unicode.IsUpper(c) {
			return true
		}
	}
	return false
}

func (r *reader) setGender(c *candidate, at lang.Span) bool {
	male, female := r.hits.Has(at, lang.Male), r.hits.Has(at, lang.Female)
	if male == female {
		return false
	}
	c.Value = "male"
	if female {
		c.Value = "female"
	}
	return true
}
