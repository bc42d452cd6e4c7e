package classify

import (
	"slices"
	"strings"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/classify/lang"
	"push.guru/supportd/inbox/classify/value"
)

// slotChanges reads the values that stand where a phrase says so.
func (r *reader) slotChanges(i int, s lang.Span) []candidate {
	var out []candidate
	verb := r.hits.Has(s, lang.Change, lang.Add)
	slots := r.hits.Prefixed(s, lang.SetPrefix)
	for _, h := range slots {
		c := candidate{sentence: i, strong: verb || r.hits.Has(s, lang.New), worth: r.changeMood(s)}
		c.Change = inbox.Change{Field: fieldOf(h), Op: r.op(s, h.Span)}
		c.strong = c.strong && !r.introduced(s, c.Field, h.Span)
		if isTyped(c.Field) || h.Weak && !r.names(s, c.Field) && !(h.To-h.From > 1 && r.hits.Has(s, lang.New, lang.Wrong)) || longer(slots, h) {
			continue
		}
		if !r.outdated(s, h) && r.capture(&c, s, h) {
			out = append(out, c)
		}
	}
	if r.hits.Has(s, lang.Delete) && !verb {
		return out
	}
	return append(out, r.genericSlots(i, s, verb)...)
}

// outdated tells whether a longer phrase says of the same words that they are
// the old value: "as" of "is showing as".
func (r *reader) outdated(s lang.Span, h lang.Hit) bool {
	return slices.ContainsFunc(r.hits.In(s, lang.Old), func(o lang.Hit) bool {
		return !h.Left && !o.Left && o.To == h.To && o.From < h.From && !r.hits.Has(o.Span, lang.Negation)
	})
}

// introduced tells whether a name is said in passing, in a sentence whose wish is
// about something else: "My name is Jonas Hill, please change my telephone
// number".
func (r *reader) introduced(s lang.Span, f inbox.Field, at lang.Span) bool {
	if !introduces(f) || r.grammar.verbLast {
		return false
	}
	elsewhere := false
	for _, p := range r.parts(s) {
		asks := r.acts(p.From, p.To)
		if at.From >= p.From && at.From < p.To {
			if asks || r.hits.Has(p, lang.New, lang.Wrong) {
				return false
			}
			continue
		}
		fields, _ := r.fields(p)
		other := slices.ContainsFunc(fields, func(f inbox.Field) bool { return !introduces(f) || f == inbox.FieldEmail })
		elsewhere = elsewhere || asks && (other || r.hits.Has(p, lang.Account, lang.Data))
	}
	return elsewhere
}

// longer tells whether a phrase begins a longer one: "I'm a" of "I'm a citizen
// of".
func longer(slots lang.Hits, h lang.Hit) bool {
	return slices.ContainsFunc(slots, func(o lang.Hit) bool { return !h.Left && !o.Left && o.From == h.From && o.To > h.To })
}

// names tells whether a sentence names a field.
func (r *reader) names(s lang.Span, f inbox.Field) bool {
	fields, _ := r.fields(s)
	return slices.Contains(fields, f)
}

// genericSlots reads the phrases that leave open which field they are about:
// the one that stands before them, else the one that the sentence before or
// the subject speaks of.
func (r *reader) genericSlots(i int, s lang.Span, verb bool) []candidate {
	_, fields := r.fields(s)
	slots := append(r.pointers(s), slices.DeleteFunc(r.hits.In(s, lang.Set), r.spentOn)...)
	var out []candidate
	for _, h := range slots {
		f, ok := r.fieldFor(h, fields, verb)
		if r.outdated(s, h) {
			continue
		}
		if slices.ContainsFunc(out, func(c candidate) bool { return c.asked == f || h.From >= c.value.From && h.From < c.value.To }) {
			continue
		}
		worth := r.changeMood(s)
		if len(fields) == 0 {
			f, ok = r.context(i)
			worth *= 0.9
		} else if !verb && !r.hits.Has(s, lang.New, lang.Wrong) && !r.normative(s, h) {
			continue
		}
		if !ok || isTyped(f) {
			continue
		}
		c := candidate{sentence: i, asked: f, strong: len(fields) > 0 && !r.introduced(s, f, h.Span), worth: worth}
		c.prescribed = ok && len(fields) > 0 && r.normative(s, h) &&
			(r.hits.Has(s, lang.Wrong) || !r.hits.Has(lang.Span{From: h.To, To: s.To}, lang.No, lang.But, lang.Negation))
		c.Change = inbox.Change{Field: f, Op: r.op(s, h.Span)}
		if r.capture(&c, s, h) {
			c.prescribed = c.prescribed && (isName(c.Field) || r.t.Words[c.value.From].Quoted || r.inFile(c.Field, c.Value) || verb || r.hits.Has(s, lang.New, lang.Wrong))
			out = append(out, c)
			if len(fields) == 0 {
				break
			}
		}
	}
	if len(out) == 0 && len(fields) == 1 && verb {
		out = r.fieldLast(i, s, fields[0])
	}
	return out
}

// fieldLast reads the value that stands before the one field of a sentence: "I am
// a dentist now, correct my job". It may be about something else.
func (r *reader) fieldLast(i int, s lang.Span, field lang.Hit) []candidate {
	f := fieldOf(field)
	if isTyped(f) || f == inbox.FieldAbout || f == inbox.FieldAddress {
		return nil
	}
	for _, h := range r.hits.In(lang.Span{From: s.From, To: field.From}, lang.Set) {
		c := candidate{sentence: i, asked: f, worth: r.changeMood(s) * unsureOf}
		c.Change = inbox.Change{Field: f, Op: r.op(s, h.Span)}
		if !h.Left && r.broken(h.To, field.From+1) && !r.spentOn(h) && r.capture(&c, s, h) {
			return []candidate{c}
		}
	}
	return nil
}

// spentOn tells whether a phrase is part of a longer one that says nothing: "to"
// of "to be honest", "на" of "на сайте".
func (r *reader) spentOn(h lang.Hit) bool {
	near := lang.Span{From: h.From - maxPair, To: h.From + 1}
	return slices.ContainsFunc(r.hits.In(near, lang.Filler, lang.Place, lang.Other), func(x lang.Hit) bool { return h.To <= x.To && x.To-x.From > h.To-h.From })
}

// context gives the one field that the sentence before or the subject is about.
func (r *reader) context(i int) (inbox.Field, bool) {
	for _, j := range []int{i - 1, 0} {
		if j < 0 || j == i || (j == 0 && i > 1 && r.subject == 0) {
			continue
		}
		if s := r.t.Sentences[j]; r.hits.Has(s, lang.Delete) && !r.hits.Has(s, lang.Change, lang.Add) {
			continue // "Delete my bio. It's embarrassing."
		}
		if fields, _ := r.fields(r.t.Sentences[j]); len(fields) == 1 {
			return fields[0], true
		}
	}
	if i+1 < len(r.t.Sentences) && !r.hits.Has(r.t.Sentences[i], lang.Change, lang.Add, lang.Delete) {
		// "Now I am a senior engineer. Please correct my job."
		next := r.t.Sentences[i+1]
		fields, hits := r.fields(next)
		if len(fields) == 1 && r.hits.Has(next, lang.Change) && hits[len(hits)-1].To+1 >= next.To && len(r.hits.In(next, lang.Set)) == 0 {
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
		named := r.endsName(s, i) && r.capital(i) && strings.Trim(sep, " ,") == ""
		marked := strings.ContainsAny(sep, ":=—–→") && (r.capital(i) || r.t.Words[i].Quoted || strings.ContainsAny(sep, ":=")) || isArrow(sep)
		told := r.t.Words[i].Quoted && !r.t.Words[i-1].Quoted && r.hits.Has(lang.Span{From: i - 1, To: i}, lang.Add, lang.Change)
		if named || marked || told {
			out = append(out, lang.Hit{Concept: lang.Set, Span: lang.Span{From: i, To: i}})
		}
	}
	return out
}

// isArrow tells whether what stands between two words leads from an old value
// to a new one.
func isArrow(sep string) bool {
	return strings.Contains(sep, "->") || strings.Contains(sep, "=>") || strings.Contains(sep, "→")
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
		if f.To <= h.From || f.From >= h.From && f.To <= h.To { // before it, or in a gap of it
			best = &fields[i]
		}
	}
	if h.Left && !r.grammar.verbLast {
		// "X as my city and Y as my job": what is named behind it.
		if i := slices.IndexFunc(fields, func(f lang.Hit) bool { return f.From >= h.To && f.From-h.To <= 1 }); i >= 0 {
			best = &fields[i]
		}
	}
	if best == nil && h.Left && len(fields) > 0 {
		best = &fields[0]
	}
	pointer := h.From == h.To
	if best == nil && pointer && r.t.Words[h.From].Quoted && verb && len(fields) == 1 {
		return fieldOf(fields[0]), true // add "…" to my bio
	}
	if best != nil && len(fields) == 1 && (verb || h.To-h.From > 1 || pointer && isArrow(r.gap(h.From))) {
		return fieldOf(*best), true // there is no other that it could belong to
	}
	if best == nil || (!h.Left && !pointer && h.From-best.To > map[bool]int{true: 3, false: 2}[verb]) {
		return "", false
	}
	return fieldOf(*best), true
}

// capture takes the value that stands at the slot of a phrase.
func (r *reader) capture(c *candidate, s lang.Span, h lang.Hit) bool {
	var at lang.Span
	if h.Left {
		at = r.before(s, h, c.Field)
		if c.Field == inbox.FieldOccupation && at.To-at.From > 2 {
			at.From, c.worth = at.To-2, c.worth*unsureOf
		}
	} else {
		at = r.behind(s, h, c.Field)
	}
	if at.From >= at.To {
		return h.To == s.To && r.below(c, h)
	}
	if r.inAddress(at.From) || r.was(s, at) || !r.t.Words[at.From].Quoted && c.Field != inbox.FieldAbout && r.hits.Has(at, lang.Delete, lang.Deleted) {
		return false
	}
	if v, end, ok := r.quotation(at.From, c.Field); ok {
		at.To = max(at.From+1, end)
		c.at, c.value = lang.Span{From: min(at.From, h.From), To: max(at.To, h.To)}, at
		return r.setText(c, v, at)
	}
	c.at, c.value = lang.Span{From: min(at.From, h.From), To: max(at.To, h.To)}, at
	text := value.Trim(r.t.Slice(at))
	switch c.Field {
	case inbox.FieldLocation:
		text = r.unbent(c, h, text)
	case inbox.FieldFullName, inbox.FieldGivenName, inbox.FieldFamilyName:
		switch {
		case h.From == h.To && r.grammar.verbLast:
			text = r.unbentName(c, text, at.To)
		case r.bends(h):
			text = r.unbentWords(c, text)
		}
	case inbox.FieldNationality:
		if r.bends(h) && r.c.rules.Bent(r.guess.Tag, string(c.Field), r.t.Words[at.To-1].Fold) {
			c.worth *= unsureOf
		}
	case inbox.FieldAbout:
		c.worth *= sure(!r.runsOn(c.sentence))
	case inbox.FieldOccupation:
		if r.bends(h) && r.c.rules.Bent(r.guess.Tag, string(c.Field), r.t.Words[at.From].Fold) {
			c.worth *= unsureOf
		}
	}
	return r.setText(c, text, at)
}

// was tells whether a phrase behind the words says that they are the old value.
func (r *reader) was(s, at lang.Span) bool {
	behind := lang.Span{From: at.To, To: min(at.To+1, s.To)}
	return r.marked(s, at, lang.Old) && slices.ContainsFunc(r.hits.In(behind, lang.Old), func(h lang.Hit) bool { return h.Left })
}

// inAddress tells whether a word lies in an e-mail address.
func (r *reader) inAddress(i int) bool {
	return slices.ContainsFunc(r.values, func(x typed) bool { return x.field == inbox.FieldEmail && x.span.From <= i && i < x.span.To })
}

// unbent gives the name of a place without the ending that the words before or
// behind it have put on it. A place that no rule file knows is not certain,
// because what would be stored may be a name that nobody uses.
func (r *reader) unbent(c *candidate, h lang.Hit, text string) string {
	if r.guess.Typed {
		// Cut endings are those of the other script.
		c.worth *= sure(r.c.rules.IsCity(text) || h.From < h.To && !r.bends(h))
		return text
	}
	p := r.c.rules.Unbend(r.guess.Tag, text)
	if first, last, ok := strings.Cut(text, " "); ok && !p.Known && (h.Left || h.From == h.To) {
		// "Алматыдан Астанаға көштім": the place that it is about stands last.
		from, to := r.c.rules.Unbend(r.guess.Tag, first), r.c.rules.Unbend(r.guess.Tag, last)
		if to.Known && from.Name != first {
			p = to
		}
	}
	switch {
	case p.Known:
		return p.Name
	case h.Left && h.Concept != lang.Set:
		c.worth *= unsureOf
	case p.Bent && (h.From == h.To || r.bends(h)):
		c.worth *= unsureOf
	default:
		return text
	}
	return p.Name
}

// unbentName gives a person's name without the ending that a verb behind it
// has put on it. A name that may end so by itself is not certain, nor one whose
// verb does not follow at once.
func (r *reader) unbentName(c *candidate, text string, next int) string {
	w := word(next)
	if r.hits.Has(w, lang.Stop) {
		return text // "as Айгүлге", with the word that says so
	}
	name, known := r.c.rules.UnbendName(r.guess.Tag, text)
	c.worth *= sure(known && (name == text || r.hits.Has(w, lang.Change)))
	return name
}

// unbentWords gives a person's name without the endings that the phrase before
// it has put on its words: "на Петрову" is Петрова.
func (r *reader) unbentWords(c *candidate, text string) string {
	words := strings.Fields(text)
	for i, w := range words {
		name, known := r.c.rules.UnbendName(r.guess.Tag, w)
		words[i], c.worth = name, c.worth*sure(known)
	}
	return strings.Join(words, " ")
}

// bends tells whether a phrase puts an ending on the value behind it.
func (r *reader) bends(h lang.Hit) bool { return r.hits.Has(h.Span, lang.Bends) }

// runsOn tells whether more than politeness follows a sentence in its
// paragraph, which may belong to a value that is running text.
func (r *reader) runsOn(sentence int) bool {
	if sentence+1 >= len(r.t.Sentences) {
		return false
	}
	next := r.t.Sentences[sentence+1]
	if strings.Contains(r.gap(next.From), "\n\n") {
		return false
	}
	for i := next.From; i < next.To; i++ {
		w := word(i)
		f := r.hits.In(w, lang.Filler, lang.Closing)
		if len(f) == 0 {
			// What asks for the next thing is none of the value.
			return !r.hits.Has(w, lang.Also, lang.And, lang.Wish, lang.Change, lang.Add, lang.Delete)
		}
		if r.hits.Has(w, lang.Closing) {
			return false
		}
		i = f[0].To - 1
	}
	return false
}

// below takes the lines under a sentence that ends in a colon as the value of
// a field that holds running text.
func (r *reader) below(c *candidate, h lang.Hit) bool {
	i := c.sentence + 1
	if c.Field != inbox.FieldAbout && c.Field != inbox.FieldAddress || i >= len(r.t.Sentences) || !strings.Contains(r.t.EndMark(r.t.Sentences[c.sentence]), ":") {
		return false
	}
	first := r.t.Sentences[i].From
	if v, end, ok := r.quotation(first, c.Field); ok {
		c.at = lang.Span{From: h.From, To: end}
		c.value = c.at
		return r.setText(c, v, c.at)
	}
	start := r.t.Words[first].Start
	text, _, _ := strings.Cut(r.t.Source[start:], "\n\n")
	c.value = r.words(start, start+len(text))
	c.at = h.Span
	if c.Field == inbox.FieldAddress {
		text = strings.Join(strings.Split(text, "\n"), ", ")
		c.worth *= sure(strings.Count(text, ", ") < maxLines && r.filler(lang.Span{From: c.value.To, To: len(r.t.Words)}))
		return r.setText(c, text, h.Span)
	}
	c.worth *= unsureOf
	return r.setText(c, text, h.Span)
}

// maxLines bounds the lines of an address.
const maxLines = 6

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
		w := word(i)
		if i > at.From && r.gap(i) != "-" && r.ends(i, w, at, f) {
			break
		}
		if i == at.From && h.To > h.From && i > 0 && strings.Contains(r.gap(i), ",") && !r.corrects(h, i) {
			break
		}
		if i == at.From && len(r.hits.Prefixed(w, lang.SetPrefix)) > 0 {
			break
		}
		if i == at.From && r.hits.Has(w, lang.Stop, lang.Set, lang.Old, lang.Wish, lang.HowTo, lang.Wrong) && !r.t.Words[i].Quoted {
			break
		}
		if i == at.From && r.covered(i, lang.New, lang.Change, lang.Wrong) && !r.capital(i) && !r.t.Words[i].Quoted {
			break
		}
		at.To = i + 1
	}
	return at
}

// corrects tells whether the phrase before a word says that the value before
// it is the old one, so that a name behind it is the new one: "not Ann, Anna".
func (r *reader) corrects(h lang.Hit, i int) bool {
	w := word(i)
	return r.hits.Has(h.Span, lang.Old) && (r.capital(i) || r.t.Words[i].Quoted) && len(r.hits.Prefixed(w, lang.FieldPrefix)) == 0
}

// skips tells whether a word before a value is none of it.
func (r *reader) skips(i int, f inbox.Field) bool {
	return r.isWord(i, lang.WordLead) || f != inbox.FieldAbout && r.isWord(i, lang.WordArticle)
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
	if f == inbox.FieldLocation && r.capital(at.From) && !r.capital(i) && !r.capital(i+1) {
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
		if !r.capital(j) {
			return n > 0 && r.hits.Has(word(j), lang.Stop)
		}
		n++
	}
	return n > 0 && n <= 3
}

// inFieldName tells whether a word is part of what a field is called.
func (r *reader) inFieldName(s lang.Span, i int) bool {
	return slices.ContainsFunc(r.hits.Prefixed(s, lang.FieldPrefix), func(h lang.Hit) bool { return h.From <= i && i < h.To })
}

// before gives the words before a phrase, back to where the value begins. An
// address goes over its commas.
func (r *reader) before(s lang.Span, h lang.Hit, f inbox.Field) lang.Span {
	at := lang.Span{From: h.From, To: h.From}
	for i := h.From - 1; i >= s.From && h.From-i <= maxWords(f); i-- {
		w := word(i)
		if r.inFieldName(s, i) || r.hits.Has(w, lang.New, lang.Old, lang.Me, lang.Wrong, lang.Stop) || !r.grammar.verbLast && r.covered(i, lang.Change, lang.Add) {
			break
		}
		if f == inbox.FieldAddress && r.hits.Has(w, lang.Filler, lang.Wish, lang.Change) {
			break
		}
		if f == inbox.FieldLocation && at.From < h.From && r.capital(at.From) && !r.capital(i) {
			break // "for work to Atyrau": the name begins with its capital
		}
		at.From = i
		if r.t.Words[i].Before >= lang.Comma && f != inbox.FieldAddress || r.t.Words[i].Quoted && (i == 0 || !r.t.Words[i-1].Quoted) {
			break
		}
	}
	return at
}
