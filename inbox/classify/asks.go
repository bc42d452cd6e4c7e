package classify

import (
	"slices"
	"strings"
	"unicode/utf8"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/classify/lang"
)

// readSentence finds every request of one sentence but the changes.
func (r *reader) readSentence(i int) {
	s := r.t.Sentences[i]
	r.readDelete(i, s)
	r.readDeactivate(i, s)
	r.readPhrases(i, s, lang.AskDelete, find{Request: inbox.Request{Kind: inbox.KindDelete, Scope: inbox.ScopeAccount}})
	r.readPhrases(i, s, lang.AskDeactivate, find{Request: inbox.Request{Kind: inbox.KindDeactivate}})
	r.readPhrases(i, s, lang.AskWithdraw, find{Request: inbox.Request{Kind: inbox.KindWithdraw}})
	r.readPhrases(i, s, lang.AskCopy, find{Request: inbox.Request{Kind: inbox.KindCopy}})
	r.readPhrases(i, s, lang.AskChange, find{Request: inbox.Request{Kind: inbox.KindChange}})
	r.readPhrases(i, s, lang.AskDescribe, find{Request: inbox.Request{Kind: inbox.KindDescribe}})
	r.readTopic(i, s, lang.AskStatus, inbox.TopicStatus)
	r.readTopic(i, s, lang.AskReactivate, inbox.TopicReactivate)
}

// because quotes the words from the first to the last that decided.
func (r *reader) because(spans ...lang.Span) []string {
	return []string{clip(r.t.Slice(union(spans...)))}
}

// union gives the words from the first to the last of the spans.
func union(spans ...lang.Span) lang.Span {
	all := spans[0]
	for _, s := range spans[1:] {
		all.From, all.To = min(all.From, s.From), max(all.To, s.To)
	}
	return all
}

// readPhrases adds a find for a phrase that asks by itself.
func (r *reader) readPhrases(i int, s lang.Span, c lang.Concept, f find) {
	for _, h := range r.hits.In(s, c) {
		worth := r.mood(s, h.Span)
		if c == lang.AskDescribe {
			worth = r.moodOfQuestion(s, h.Span)
		}
		if r.spans(s, h.Span, c) || (c == lang.AskDescribe && (r.underCopy(s, h.Span) || r.deletes(s, h.From) || r.endsAt(s, h.From, lang.AskWithdraw))) {
			continue
		}
		if c == lang.AskDescribe && r.guess.Tag == "kk" && r.hits.Has(lang.Span{From: h.To, To: h.To + 1}, lang.Other) {
			continue // "мен туралы қандай пікірлер"
		}
		if c == lang.AskCopy {
			worth *= r.kazakhObject(s, h.Span)
		}
		if c != lang.AskDescribe && r.verbLast() && r.hits.Has(lang.Span{From: h.From + 1, To: h.To}, lang.HowTo) {
			continue // "келісімімді қалай қайтарып аламын"
		}
		if c == lang.AskDelete || c == lang.AskWithdraw || c == lang.AskDeactivate {
			worth *= r.about(s, h.Span, c)
			worth *= sure(!r.others(s, h.Span) || r.hits.Has(lang.Span{From: s.From, To: h.From}, lang.Wish))
		}
		if (c == lang.AskCopy || c == lang.AskDescribe) && r.onTopic(s, h.Span) {
			continue
		}
		if c == lang.AskCopy && slices.ContainsFunc(r.hits.In(s, lang.AskDescribe), func(d lang.Hit) bool { return d.From < h.From && d.To >= h.To }) {
			continue // "who has access to my data"
		}
		if c == lang.AskCopy && r.hits.Has(lang.Span{From: h.To, To: min(h.To+reachNot, s.To)}, lang.Deleted) && !r.hits.Has(h.Span, lang.Send) {
			continue // "I want all the data you have erased"
		}
		if c == lang.AskDeactivate && r.hasWord(h.Span, lang.WordWas) {
			continue
		}
		if c == lang.AskDeactivate && h.To < s.To && r.isWord(h.To, lang.WordAmong) {
			worth *= sure(r.hits.Has(lang.Span{From: h.To, To: h.To + 1}, lang.Place, lang.Filler)) // hidden in the crowd
		}
		if c == lang.AskDeactivate && r.isState(s, h.Span) {
			continue
		}
		if c == lang.AskDelete {
			worth *= r.followed(s, h.Span)
		}
		if c == lang.AskDelete || c == lang.AskDeactivate {
			worth *= r.outOf(s, h.Span)
		}
		if (c == lang.AskDescribe || c == lang.AskCopy && r.guess.Tag != "kk") && r.goesOn(s, h.Span) {
			continue // "whom did you give my | order"
		}
		if c == lang.AskDescribe && r.hits.Has(lang.Span{From: h.From, To: min(s.To, h.To+2)}, lang.Delete, lang.Deleted, lang.Deactivate, lang.Deactivated) {
			continue // who deleted my data?
		}
		if c == lang.AskDescribe && r.hits.Has(lang.Span{From: s.From, To: h.From}, lang.Send) {
			worth *= unsureOf // to be sent what is held is a copy, or nearly so
		}
		if c == lang.AskCopy && !r.verbLast() && r.withOther(h.Span) {
			worth *= unsureOf // the invoice with my data
		}
		if c == lang.AskChange {
			worth *= unsureOf // of what, the values say
		}
		if c == lang.AskDelete && r.forAWhile(s) {
			worth *= unsureOf
		}
		f.at, f.sentence, f.words = h.From, i, h.Span
		f.Confidence = full * worth
		f.Because = r.because(h.Span)
		r.add(f)
	}
}

// onTopic tells whether a phrase goes on to say about what, and that is not the
// writer: "the information you have about the course".
func (r *reader) onTopic(s, at lang.Span) bool {
	i := at.To
	if i+1 >= s.To || r.t.Words[i].Before >= lang.Comma {
		return false
	}
	return r.isWord(i, lang.WordAbout) && !r.isWord(i+1, lang.WordMe)
}

// isState tells whether words say how an account is, not how somebody wants it:
// "mi perfil está en pausa".
func (r *reader) isState(s, at lang.Span) bool {
	return !r.hits.Has(s, lang.Wish) && r.hasWord(at, lang.WordIs)
}

// about weighs what a phrase is said of: "remove me from this mailing list" is
// about the list.
func (r *reader) about(s, at lang.Span, c lang.Concept) float64 {
	for _, o := range r.hits.In(s, lang.Other) {
		switch {
		case o.From >= at.To && r.reason(at.To, o.From):
		case c != lang.AskWithdraw && o.From >= at.To && o.From-at.To <= 3 && !r.broken(at.To, o.From+1):
			return 0
		case c == lang.AskWithdraw && o.From >= at.To && (at.To-at.From > minObject || r.hits.Has(lang.Span{From: at.From, To: o.From}, lang.Data)):
			continue // what the data is used for: "my data for advertising"
		case c == lang.AskDeactivate && o.To == at.To && o.From > at.From:
			// "my profile | from the search" is what is asked for
		case o.From >= at.From && o.From < at.To:
			return 0 // "I don't want my PIN for my account any more"
		case r.guess.Tag == "kk" && o.From >= at.To && r.broken(at.To, o.From+1):
			// its verb, if any, is another one
		default:
			return unsureOf
		}
	}
	return 1
}

// minObject is how many words a phrase has at most that names no object.
const minObject = 3

// withOther tells whether something that is not the person's data stands in a
// phrase or at once behind it, and does not begin it ("a file with my data").
func (r *reader) withOther(at lang.Span) bool {
	return slices.ContainsFunc(r.hits.In(lang.Span{From: at.From + 1, To: at.To + 2}, lang.Other), func(o lang.Hit) bool { return !r.broken(at.To, o.From+1) })
}

// goesOn tells whether one of the things that are not ours to act on follows
// at once, or behind one word that does not begin another thing.
func (r *reader) goesOn(s, at lang.Span) bool {
	next := lang.Span{From: at.To, To: min(at.To+1, s.To)}
	if next.From >= next.To || r.parted(at.To) {
		return false
	}
	return r.hits.Has(next, lang.Other) || at.To+1 < s.To && !r.parted(at.To+1) && r.hits.Has(lang.Span{From: at.To + 1, To: at.To + 2}, lang.Other)
}

// alongside tells whether any of the things is not only named as a reason behind
// what is asked.
func (r *reader) alongside(at lang.Span, other lang.Hits) bool {
	return slices.ContainsFunc(other, func(o lang.Hit) bool { return o.From < at.To || !r.reason(at.To, o.From) })
}

// reason tells whether a word in a range begins to give a reason: "remove me
// because I get too many messages", "remove me, I get too many messages".
func (r *reader) reason(from, to int) bool {
	for i := from; i < to; i++ {
		if r.isWord(i, lang.WordBecause) || r.t.Words[i].Before >= lang.Comma && r.isWord(i, lang.WordTells) {
			return true
		}
	}
	return false
}

// spans tells whether a phrase that was found with gaps runs over a verb of
// another kind: "send … delete … my data".
func (r *reader) spans(s, at lang.Span, c lang.Concept) bool {
	if c != lang.AskCopy && c != lang.AskDescribe {
		return false
	}
	if c == lang.AskCopy && at.To-at.From > 3 && r.hits.Has(lang.Span{From: s.From, To: at.From}, lang.AskWithdraw) {
		return true
	}
	return c == lang.AskCopy && r.hits.Has(at, lang.Change) || r.hits.Has(at, lang.Delete, lang.Deleting, lang.Deactivate, lang.AskWithdraw, lang.AskDelete)
}

// deletes tells whether the words before one ask to delete what it begins:
// "destroy what you know about me".
func (r *reader) deletes(s lang.Span, i int) bool {
	return slices.ContainsFunc(r.hits.In(s, lang.Delete), func(v lang.Hit) bool { return v.To <= i && i-v.To <= reachNot && r.mood(s, v.Span) > 0 })
}

func (r *reader) overlaps(s, at lang.Span, c lang.Concept) bool {
	for _, h := range r.hits.In(s, c) {
		if h.From < at.To && at.From < h.To {
			return true
		}
	}
	return false
}

// underCopy tells whether a phrase that asks for a copy, and asks, overlaps a
// span, and does not only begin in it: "who has | access to my data".
func (r *reader) underCopy(s, at lang.Span) bool {
	return slices.ContainsFunc(r.hits.In(s, lang.AskCopy), func(h lang.Hit) bool {
		return h.From <= at.From && at.From < h.To && r.mood(s, h.Span) > 0
	})
}

// endsAt tells whether a phrase of a concept ends at a word: "stop using | what
// you know about me".
func (r *reader) endsAt(s lang.Span, i int, c lang.Concept) bool {
	return slices.ContainsFunc(r.hits.In(s, c), func(h lang.Hit) bool { return h.From < i && h.To >= i })
}

// moodOfQuestion is mood for what is asked by a question: "what", "how long"
// and the question mark speak for it.
func (r *reader) moodOfQuestion(s, at lang.Span) float64 {
	if r.quoted(at) || r.denied(s, at, lang.Negation, lang.No, lang.Keep) || r.guess.Tag != "en" && r.denied(s, at, lang.Problem) {
		return 0 // "I want to know" is no problem
	}
	if r.outside(s, at, lang.Third) {
		return unsureOf
	}
	for _, h := range r.hits.In(s, lang.Condition) {
		outside := h.From < at.From || h.To > at.To
		if outside && !r.isWord(h.From, lang.WordWhether) && !r.isWord(h.From, lang.WordOr) {
			return unsureOf
		}
	}
	return 1
}

func (r *reader) readTopic(i int, s lang.Span, c lang.Concept, topic inbox.Topic) {
	for _, h := range r.hits.In(s, c) {
		if c == lang.AskReactivate && r.hits.Has(h.Span, lang.Other, lang.Act) {
			continue // "give me back my money to my account"
		}
		if c == lang.AskReactivate && (r.will(h.Span) || r.later(s, h.Span)) {
			continue
		}
		if c == lang.AskStatus && h.From > s.From && r.isWord(h.From-1, lang.WordBecause) {
			continue // "my account is asleep because I asked you to"
		}
		worth := r.moodOfQuestion(s, h.Span)
		r.add(find{Request: inbox.Request{Kind: inbox.KindQuestion, Topic: topic, Confidence: full * worth, Because: r.because(h.Span)}, at: h.From, sentence: i, words: h.Span})
	}
}

// later tells whether something is to be asked for at another time: "I'll write
// when I want it visible again".
func (r *reader) later(s, at lang.Span) bool {
	if r.verbLast() {
		return false
	}
	for _, h := range r.hits.In(lang.Span{From: max(s.From, at.From-reachHow), To: at.From}, lang.Temporary, lang.Condition, lang.Wait) {
		if h.To <= at.From && !r.broken(h.To, at.From+1) && !r.hits.Has(lang.Span{From: h.To, To: at.From}, lang.Wish) {
			return true
		}
	}
	return false
}

// accounts gives the hits of the sentence that name the account itself, not
// a place in it.
func (r *reader) accounts(s lang.Span) lang.Hits {
	places := slices.DeleteFunc(r.hits.In(s, lang.Place), func(p lang.Hit) bool {
		return r.endsAt(s, p.From, lang.Deleting) || r.endsAt(s, p.From, lang.Deactivated) || // the deletion of my account
			r.turnsOff(s, p.From)
	})
	return slices.DeleteFunc(r.hits.In(s, lang.Account), func(a lang.Hit) bool {
		return slices.ContainsFunc(places, func(p lang.Hit) bool { return p.From <= a.From && a.To <= p.To })
	})
}

// turnsOff tells whether a word is the last of a verb that may take an account:
// "switch off my account".
func (r *reader) turnsOff(s lang.Span, i int) bool {
	return slices.ContainsFunc(r.hits.In(s, lang.Deactivate), func(h lang.Hit) bool { return h.To == i+1 && h.To-h.From == 2 })
}

// fields gives the fields that are named in the sentence, in order.
func (r *reader) fields(s lang.Span) ([]inbox.Field, lang.Hits) {
	hits := r.hits.Prefixed(s, lang.FieldPrefix)
	hits = slices.DeleteFunc(hits, func(h lang.Hit) bool { return h.To > s.To })
	return named(hits), hits
}

// named gives the fields of hits, each once.
func named(hits lang.Hits) []inbox.Field {
	var out []inbox.Field
	for _, h := range hits {
		if f := fieldOf(h); !slices.Contains(out, f) {
			out = append(out, f)
		}
	}
	return out
}

func (r *reader) readDelete(i int, s lang.Span) {
	read := false
	for _, v := range r.hits.In(s, lang.Delete, lang.Deleting, lang.Deleted) {
		worth := r.mood(s, v.Span) * r.verbForm(s, v)
		if worth == 0 || v.Concept == lang.Deleting && r.turnsOff(s, v.From) {
			continue
		}
		if slices.ContainsFunc(r.hits.In(s, lang.Delete), func(x lang.Hit) bool { return x.From != v.From && r.negated(s, x.Span) }) {
			worth *= unsureOf // "do not delete my number, take it off the list"
		}
		if r.forAWhile(s) && (len(r.accounts(s)) > 0 || r.hits.Has(s, lang.Data)) {
			r.add(find{Request: inbox.Request{Kind: inbox.KindDeactivate, Confidence: full * worth * unsureOf, Because: r.because(v.Span)}, at: v.From, sentence: i, words: v.Span})
			return
		}
		if read && !r.rulesMore(s, v) {
			continue
		}
		read = r.deleteObject(i, s, v, worth) || read
	}
}

// forAWhile tells whether a sentence says for how long, and not within how long
// or how long ago: "within a month", "two weeks ago".
func (r *reader) forAWhile(s lang.Span) bool {
	return slices.ContainsFunc(r.hits.In(s, lang.Temporary), func(h lang.Hit) bool {
		return !r.hasWord(lang.Span{From: max(s.From, h.From-3), To: min(s.To, h.To+1)}, lang.WordSince)
	})
}

// rulesMore tells whether the part of a sentence that a verb rules names
// something that nothing has read yet: "remove my number, remove my town".
func (r *reader) rulesMore(s lang.Span, v lang.Hit) bool {
	c := r.clause(s, v.Span)
	return c != s && !r.isRead(c) && len(r.hits.Prefixed(c, lang.FieldPrefix))+len(r.accounts(c)) > 0
}

// verbForm weighs the form of a verb: a participle needs a wish beside it, a
// noun gains by one.
func (r *reader) verbForm(s lang.Span, v lang.Hit) float64 {
	wish := r.hits.Has(s, lang.Wish)
	switch {
	case v.Concept == lang.Deleted && v.To-v.From == 1 && !wish:
		return 0
	case v.Concept == lang.Deleting && !wish:
		return 0.8
	}
	return 1
}

// deleteObject finds what is to be deleted, and tells whether it found it.
func (r *reader) deleteObject(i int, s lang.Span, v lang.Hit, worth float64) bool {
	list := r.withList(i)
	far := 1.0
	if c := r.clause(s, v.Span); list == s && len(r.accounts(c))+len(r.hits.In(c, lang.Data, lang.Other))+len(r.hits.Prefixed(c, lang.FieldPrefix)) > 0 {
		s, list = c, c
		if own := r.ownPart(c, v.Span); r.namesThings(lang.Span{From: v.To, To: c.To}) {
			s, list = own, own // "He reads my profile, so take away where I live"
		}
	} else if list == s && !r.verbLast() && !r.hits.Has(c, lang.It) && !r.bare(c) && !r.namesSomething(lang.Span{From: c.To, To: s.To}) {
		far = unsureOf // what it is said of may be a word that nobody knows
	}
	_, fieldHits := r.fields(list)
	if !r.hides(v) {
		fieldHits = r.meant(list, fieldHits)
	}
	fields := named(fieldHits)
	accounts, data, other := r.meant(s, r.accounts(s)), r.meant(s, r.hits.In(s, lang.Data)), r.hits.In(list, lang.Other)
	f := find{Request: inbox.Request{Kind: inbox.KindDelete, Confidence: full * worth * far}, at: v.From, sentence: i, words: v.Span}
	if len(accounts) > 0 && len(fieldHits) > 0 && r.lies(v, fieldHits[0].Span, accounts[0].Span) {
		accounts = nil // my mobile out of the profile
	}
	if r.hides(v) {
		accounts, data = nil, nil
		if len(fields) == 0 || r.hits.Has(s, lang.Wrong, lang.New, lang.Add) {
			return false
		}
	}
	switch {
	case len(accounts) > 0 && r.theirs(i, accounts[0].Span):
		return true
	case len(accounts) > 0:
		f.Scope, f.Because = inbox.ScopeAccount, r.because(v.Span, accounts[0].Span)
		f.words = union(v.Span, accounts[0].Span)
		f.Confidence *= r.between(v, accounts[0].Span, other) * r.followed(s, accounts[0].Span)
		if r.partOf(accounts[0].Span, other) || r.anyOne(accounts[0].Span) || r.possessed(accounts[0].Span) {
			f.Confidence *= unsureOf
		}
	case len(data) > 0 && len(fields) == 0:
		f.Scope, f.Because = inbox.ScopeAccount, r.because(v.Span, data[0].Span)
		f.words = union(v.Span, data[0].Span)
		f.Confidence *= r.outOf(s, data[0].Span)
		if r.alongside(v.Span, other) {
			f.Confidence *= unsureOf
		}
		f.general = true
		if r.listsBelow(i) {
			r.itemized = true
			if fields := r.listed(i); len(fields) > 0 {
				f.Scope, f.Fields, f.general = inbox.ScopeFields, fields, false
			}
		}
	case len(fields) > 0:
		last := fieldHits[len(fieldHits)-1].Span
		if r.between(v, fieldHits[0].Span, other) < 1 || r.partOf(last, other) {
			return false // a photo of my birthday; my name from the comment
		}
		if fields = r.unkept(list, fieldHits); len(fields) == 0 {
			return false
		}
		if k := r.antecedent(i); k >= 0 && v.To < fieldHits[0].From && r.points(s, v) {
			// "Nobody needs to know where I work. Blank that line, and the telephone."
			meant, _ := r.fields(r.t.Sentences[k])
			meant = slices.DeleteFunc(meant, func(f inbox.Field) bool { return slices.Contains(fields, f) })
			fields = append(meant, fields...)
			f.Confidence *= sure(!r.hits.Has(r.t.Sentences[k], lang.Other, lang.Third))
		}
		f.Scope, f.Fields, f.Because = inbox.ScopeFields, fields, r.because(v.Span, fieldHits[0].Span)
		f.words = union(v.Span, fieldHits[0].Span, last)
		f.Confidence *= nameless(fields) * r.strangers(v.To, fieldHits[0].From) * sure(!r.strangeBeside(list, fieldHits))
		if r.alongside(last, other) {
			f.Confidence *= unsureOf
		}
	case len(other) > 0:
		return false
	default:
		return r.deleteIt(i, s, v, f) || r.deleteBare(i, s, v, f)
	}
	r.add(f)
	return true
}

// deleteIt reads a verb whose object is a word for what the sentence says is
// not needed: "I do not want my number there, remove it".
func (r *reader) deleteIt(i int, s lang.Span, v lang.Hit, f find) bool {
	c := r.clause(s, v.Span)
	if !r.hits.Has(c, lang.It) && !r.bare(c) || r.hits.Has(s, lang.Keep) {
		return false
	}
	before := lang.Span{From: s.From, To: v.From}
	fields, _ := r.fields(before)
	switch accounts := r.accounts(before); {
	case len(fields) > 0:
		f.Scope, f.Fields = inbox.ScopeFields, fields
		f.Confidence *= nameless(fields)
	case len(accounts) > 0:
		f.Scope = inbox.ScopeAccount
	default:
		return false
	}
	f.Because = r.because(v.Span)
	r.add(f)
	return true
}

// lies tells whether a field that a verb names is in the account that is named
// behind it.
func (r *reader) lies(v lang.Hit, field, account lang.Span) bool {
	if v.To > field.From || field.To >= account.From {
		return false
	}
	in := false
	for i := field.To; i < account.From; i++ {
		if r.parted(i) {
			return false
		}
		in = in || r.isWord(i, lang.WordIn)
	}
	return in
}

// theirs tells whether "that account" is one that the sentence before says to
// be somebody else's.
func (r *reader) theirs(i int, account lang.Span) bool {
	if i <= r.subject || account.From == 0 || !r.hits.Has(lang.Span{From: account.From - 1, To: account.From}, lang.It) {
		return false
	}
	return r.hits.Has(r.t.Sentences[i-1], lang.Third) && r.hits.Has(r.t.Sentences[i-1], lang.Account)
}

// possessed tells whether the word before an account says whose it is:
// "our competitor's account".
func (r *reader) possessed(account lang.Span) bool {
	if account.From == 0 {
		return false
	}
	w := r.t.Words[account.From-1]
	text := r.t.Source[w.Start:w.End]
	return strings.HasSuffix(text, "'s") || strings.HasSuffix(text, "’s") || strings.HasSuffix(text, "s'") || strings.HasSuffix(text, "s’")
}

// hides tells whether a wish is that something be seen no more: a field can be
// emptied for it, what of an account is meant nobody knows.
func (r *reader) hides(v lang.Hit) bool {
	return v.Concept == lang.Deleted && r.hasWord(v.Span, lang.WordNot)
}

// namesSomething tells whether words name an account, data or a field.
func (r *reader) namesSomething(at lang.Span) bool {
	return r.hits.Has(at, lang.Account, lang.Data) || len(r.hits.Prefixed(at, lang.FieldPrefix)) > 0
}

// speaksOfMe tells whether a span speaks of the writer. "My page" may be one phrase.
func (r *reader) speaksOfMe(at lang.Span) bool {
	return r.hits.Has(at, lang.Me) || r.hasWord(at, lang.WordMy)
}

// anyOne tells whether an account is nobody's in particular: "the deletion of
// an account".
func (r *reader) anyOne(account lang.Span) bool {
	return r.isWord(account.From-1, lang.WordAny)
}

// listsBelow tells whether a sentence has a colon with something at once below
// it: "delete the following data:".
func (r *reader) listsBelow(i int) bool {
	s := r.t.Sentences[i]
	if strings.Contains(r.t.Slice(s), ":\n") {
		return true
	}
	return i+1 < len(r.t.Sentences) && strings.Contains(r.t.EndMark(s), ":") && !strings.Contains(r.gap(r.t.Sentences[i+1].From), "\n\n")
}

// listed gives the fields of the values that stand below the colon of a
// sentence.
func (r *reader) listed(i int) []inbox.Field {
	at := r.t.Sentences[i]
	if next := i + 1; !strings.Contains(r.t.Slice(at), ":\n") && next < len(r.t.Sentences) {
		at = r.t.Sentences[next]
	}
	var out []inbox.Field
	for _, f := range []inbox.Field{inbox.FieldEmail, inbox.FieldPhone, inbox.FieldBirth} {
		if len(r.values.in(at, f)) > 0 {
			out = append(out, f)
		}
	}
	return out
}

// between lowers the confidence when something else stands nearer to the verb
// than the account.
func (r *reader) between(v lang.Hit, account lang.Span, other lang.Hits) float64 {
	for _, o := range other {
		if (v.To <= o.From && o.To <= account.From) || (account.To <= o.From && o.To <= v.From) {
			return unsureOf
		}
	}
	return 1
}

// clause gives the part of a sentence that a verb rules: from its comma or
// "and" to the next, and over further ones as long as no other verb stands
// behind them.
func (r *reader) clause(s, v lang.Span) lang.Span {
	// A wish opens a part of its own behind a comma only: "my city and age, please".
	opens := func(part lang.Span, at int) bool {
		return r.parted(at) && (r.hits.Has(part, lang.Delete, lang.Deleted, lang.Change, lang.Deactivate, lang.Send, lang.Negation, lang.No, lang.Keep, lang.But) ||
			r.t.Words[at].Before >= lang.Comma && r.hits.Has(part, lang.Wish))
	}
	out := v
	for from := v.From; from > s.From; {
		part := lang.Span{From: from - 1, To: from}
		for part.From > s.From && !r.parted(part.From) {
			part.From--
		}
		if opens(part, from) {
			if r.hits.Has(v, lang.Deleted) && !r.acts(part.From, part.To) && !r.hits.Has(part, lang.Negation, lang.No, lang.Keep, lang.But) {
				out.From = part.From // I'd like my phone, address and job gone
			}
			break
		}
		out.From, from = part.From, part.From
	}
	for to := v.To; to < s.To; {
		part := lang.Span{From: to, To: to + 1}
		for part.To < s.To && !r.parted(part.To) {
			part.To++
		}
		if opens(part, to) {
			break
		}
		out.To, to = part.To, part.To
	}
	return out
}

// ownPart cuts off the parts of a clause before the one that a verb stands in.
func (r *reader) ownPart(c, v lang.Span) lang.Span {
	from := v.From
	for from > c.From && r.t.Words[from].Before < lang.Comma {
		from--
	}
	return lang.Span{From: from, To: c.To}
}

// namesThings tells whether something that can be deleted is named in a span.
func (r *reader) namesThings(at lang.Span) bool {
	return len(r.accounts(at)) > 0 || r.hits.Has(at, lang.Data, lang.Other) || len(r.hits.Prefixed(at, lang.FieldPrefix)) > 0
}

// parted tells whether a part of a sentence begins at a word: behind a comma,
// or with an "and".
func (r *reader) parted(i int) bool {
	return r.t.Words[i].Before >= lang.Comma || r.hits.Has(lang.Span{From: i, To: i + 1}, lang.And)
}

// partOf tells whether one of the things follows at once, so that what is
// named is in it or of it: "my number from the listing".
func (r *reader) partOf(at lang.Span, other lang.Hits) bool {
	for _, o := range other {
		if o.From < at.To || o.From-at.To > 4 || r.broken(at.To, o.From+1) {
			continue
		}
		space := lang.Span{From: at.To, To: o.From}
		if !r.hits.Has(space, lang.Temporary) && !r.hasWord(space, lang.WordBeside) && !r.reason(at.To, o.From) { // "while the case lasts"
			return true
		}
	}
	return false
}

// followed lowers the confidence when an unknown word follows the account:
// it may say whose ("аккаунт Иванова") or what of it ("account policy").
func (r *reader) followed(s, account lang.Span) float64 {
	i := account.To
	if i >= s.To || r.t.Words[i].Before >= lang.Comma || r.hasObject(account) {
		return 1
	}
	if r.guess.Tag == "kk" && participle.MatchString(r.spelt(i)) {
		return unsureOf
	}
	mine := r.speaksOfMe(lang.Span{From: max(s.From, account.From-1), To: account.To})
	if r.hits.Has(lang.Span{From: i, To: i + 1}, lang.Me, lang.It) && !(r.guess.Tag == "kk" && r.spelt(i) == "men") { // Kazakh: and
		return sure(mine || r.hits.Has(lang.Span{From: i + 1, To: i + 2}, lang.Account)) // everything I posted; all this
	}
	if r.isWord(i, lang.WordOf) && i+1 < s.To && !r.hits.Has(lang.Span{From: i + 1, To: i + 2}, lang.Filler) && !r.isWord(i+1, lang.WordMine) {
		return unsureOf // the account of our secretary
	}
	if r.knows(i) {
		return 1
	}
	if !mine {
		return unsureOf
	}
	if slices.Contains(bending, r.guess.Tag) && !r.capital(i) {
		return 1 // its endings would say what is of what
	}
	for ; i < s.To && r.t.Words[i].Before < lang.Comma && !r.knows(i); i++ {
		if !r.capital(i) {
			return unsureOf
		}
	}
	return 1 // my account on the site of that name
}

// bending are the languages that do not join two things by putting one beside
// the other, as "account policy" does.
var bending = []string{"ru", "uk", "kk", "pl", "cs", "tr"}

// outOf lowers the confidence when a word that nobody knows says out of what:
// "удалите меня из чемпионата".
func (r *reader) outOf(s, at lang.Span) float64 {
	w := lang.Span{From: at.To, To: at.To + 1}
	return sure(at.To+1 >= s.To || !r.hits.Has(w, lang.Bends) || r.broken(at.To, at.To+1) || r.knows(at.To+1))
}

// knows tells whether any entry of the rule files covers a word.
func (r *reader) knows(i int) bool {
	return slices.ContainsFunc(r.hits, func(h lang.Hit) bool { return h.From <= i && i < h.To })
}

// strangers lowers the confidence when several words that nobody knows stand in
// a range: "close the hole in the fence at my address".
func (r *reader) strangers(from, to int) float64 {
	n := 0
	for i := from; i < to; i++ {
		if !r.knows(i) {
			n++
		}
	}
	return sure(n < maxStrangers)
}

// maxStrangers is how many unknown words between a verb and a field are too many.
const maxStrangers = 2

// unkept gives the fields that no "except" or "keep" stands before.
func (r *reader) unkept(s lang.Span, hits lang.Hits) []inbox.Field {
	keeps := slices.DeleteFunc(r.hits.In(s, lang.Keep), func(k lang.Hit) bool {
		return r.hits.Has(lang.Span{From: k.From, To: k.From + 1}, lang.Delete) // leave it blank
	})
	var out []inbox.Field
	for _, h := range hits {
		kept := slices.ContainsFunc(keeps, func(k lang.Hit) bool {
			if k.From >= h.To { // the first name is plenty
				return k.From == h.To && !r.broken(h.To, k.From+1) && r.isWord(k.From, lang.WordStays)
			}
			return k.From < h.From && h.From-k.To <= 2 && !r.broken(k.To, h.From+1)
		})
		if f := fieldOf(h); !kept && !slices.Contains(out, f) {
			out = append(out, f)
		}
	}
	return out
}

// nameless lowers the confidence of deleting a name: most who ask for it mean
// a part of it, and an account needs one.
func nameless(fields []inbox.Field) float64 {
	for _, f := range fields {
		if f == inbox.FieldFullName || f == inbox.FieldGivenName || f == inbox.FieldFamilyName || f == inbox.FieldEmail {
			return unsureOf
		}
	}
	return 1
}

// bareWords bounds the words of "delete pls".
const bareWords = 5

// deleteBare reads a verb without an object: it means what the sentence
// before was about, or, in a text of a few words, the account.
func (r *reader) deleteBare(i int, s lang.Span, v lang.Hit, f find) bool {
	if r.overlaps(s, v.Span, lang.AskDelete) || r.overlaps(s, v.Span, lang.AskWithdraw) || r.overlaps(s, v.Span, lang.AskReactivate) {
		return false // a phrase of its own says what of: get rid of my account
	}
	if v.From > s.From+1 && r.capital(v.From) && r.capital(v.From-1) {
		return false // 14 Larch Close
	}
	if k := r.antecedent(i); k >= r.subject {
		before := r.t.Sentences[k]
		fields, _ := r.fields(before)
		switch {
		case r.hits.Has(r.fieldPart(before), lang.Other) || r.hits.Has(before, lang.Third) && (len(fields) > 0 || !r.hits.Has(before, lang.Me)):
			return false
		case len(fields) > 0:
			f.Scope, f.Fields = inbox.ScopeFields, fields
			f.Confidence *= nameless(fields)
			if !r.points(s, v) && !r.bare(s) || r.hits.Has(before, lang.New) || r.asksFor(before, lang.Change) {
				f.Confidence *= r.pointsBack(before, s)
			}
			f.Because = r.because(v.Span)
			r.handled[k] = true
			r.add(f)
			return true
		case len(r.accounts(before)) > 0 && (r.hits.Has(s, lang.It) || r.bare(s)):
			f.Scope, f.Because = inbox.ScopeAccount, r.because(v.Span)
			f.Confidence *= sure(!r.hits.Has(before, lang.Third))
			said := r.hits.Has(before, lang.HowTo, lang.Problem, lang.Done, lang.Condition, lang.Deactivate, lang.Deactivated, lang.AskReactivate, lang.AskStatus, lang.Keep, lang.New, lang.Wrong)
			if !r.own(before) && !r.speaksOfMe(before) || said || strings.Contains(r.t.EndMark(before), "?") || !r.points(s, v) && !r.bare(s) {
				f.Confidence *= 0.9
			}
			r.add(f)
			return true
		}
	}
	body := r.bodyWords()
	if (v.Concept == lang.Delete || body.To-body.From == 1) && body.To-body.From <= bareWords && len(r.t.Sentences)-r.subject <= 2 {
		f.Scope, f.Confidence, f.Because = inbox.ScopeAccount, f.Confidence*0.75, r.because(v.Span)
		r.add(f)
		return true
	}
	return false
}

// fieldPart gives the part of a sentence that names a field, if one alone does.
func (r *reader) fieldPart(s lang.Span) lang.Span {
	parts := slices.DeleteFunc(r.parts(s), func(p lang.Span) bool { f, _ := r.fields(p); return len(f) == 0 })
	if len(parts) == 1 {
		return parts[0]
	}
	return s
}

// pointsBack weighs a verb that has its object in the sentence before: nothing
// else may be asked of it there, and little stand beside the verb.
func (r *reader) pointsBack(before, s lang.Span) float64 {
	if r.hits.Has(before, lang.Change, lang.Add, lang.Send, lang.Wrong, lang.New, lang.Condition, lang.HowTo, lang.Problem, lang.Done, lang.Keep, lang.Data, lang.Third) || len(r.accounts(before)) > 0 ||
		strings.Contains(r.t.EndMark(before), "?") || s.To-s.From > bareWords && !r.hits.Has(s, lang.It) || !r.hits.Has(s, lang.It, lang.Wish, lang.Filler) {
		return 0.8
	}
	return 1
}

// asksFor tells whether a verb of a kind asks for something in a sentence.
func (r *reader) asksFor(s lang.Span, c lang.Concept) bool {
	return slices.ContainsFunc(r.hits.In(s, c), func(v lang.Hit) bool { return r.mood(s, v.Span) > 0 })
}

// antecedent gives the sentence that an "it" in sentence i means something of:
// the one before, or the one before that if the last one names nothing. It is
// -1 where there is none.
func (r *reader) antecedent(i int) int {
	for k := i - 1; k >= max(r.subject, i-2); k-- {
		before := r.t.Sentences[k]
		fields, _ := r.fields(before)
		if len(fields) > 0 || r.hits.Has(before, lang.Other, lang.Third, lang.Account, lang.Data) {
			return k
		}
	}
	return -1
}

// points tells whether an "it" is what a verb acts on: it stands at once behind
// it, in it ("take it out"), or before a participle ("it can be removed").
func (r *reader) points(s lang.Span, v lang.Hit) bool {
	near := lang.Span{From: v.From, To: min(v.To+1, s.To)}
	if v.Concept != lang.Delete {
		near.From = max(s.From, v.From-reachNot-reachObject)
	}
	for i := near.From; i < v.To && v.Concept != lang.Delete; i++ {
		if r.isWord(i, lang.WordThat) && !r.broken(i+1, v.From+1) {
			return true
		}
	}
	return slices.ContainsFunc(r.hits.In(near, lang.It), func(h lang.Hit) bool {
		return !r.broken(min(h.From, v.To)+1, max(h.From, v.From)+1)
	})
}

// withList stretches a sentence that ends in a colon over the list items
// behind it, as long as they name fields and little else.
func (r *reader) withList(i int) lang.Span {
	s := r.t.Sentences[i]
	if !strings.Contains(r.t.EndMark(s), ":") {
		return s
	}
	for _, next := range r.t.Sentences[i+1:] {
		if r.isBeside(next.From) || r.isNumber(next) {
			continue
		}
		_, hits := r.fields(next)
		covered := 0
		for _, h := range hits {
			covered += h.To - h.From
		}
		if len(hits) == 0 || next.To-next.From-covered > 1 {
			break
		}
		s.To = next.To
	}
	return s
}

// isNumber tells whether a sentence is no more than the number of a list item.
func (r *reader) isNumber(s lang.Span) bool {
	return s.To-s.From == 1 && utf8.RuneCountInString(r.t.Words[s.From].Fold) <= 2 && !r.knows(s.From)
}

func (r *reader) readDeactivate(i int, s lang.Span) {
	accounts := r.accounts(s)
	if len(accounts) == 0 {
		r.deactivateIt(i, s)
		return
	}
	verbs := r.hits.In(s, lang.Deactivate, lang.Deactivated)
	for k, v := range verbs {
		if k+1 < len(verbs) && len(accounts) > 0 && verbs[k+1].To <= accounts[0].From && v.Concept != verbs[k+1].Concept {
			continue // "I am pausing my studies, so pause my account"
		}
		worth := r.mood(s, v.Span)
		if v.Concept == lang.Deactivated && !r.hits.Has(s, lang.Wish) {
			worth = 0
		}
		if worth == 0 || len(accounts) == 0 || slices.ContainsFunc(r.hits.In(s, lang.AskReactivate), func(h lang.Hit) bool { return !r.will(h.Span) }) ||
			r.hasWord(union(v.Span, accounts[0].Span), lang.WordWas) && !r.broken(accounts[0].To, v.From+1) || r.isState(s, union(v.Span, accounts[0].Span)) {
			continue
		}
		if c := r.clause(s, v.Span); len(r.accounts(c)) == 0 && (len(r.hits.Prefixed(c, lang.FieldPrefix)) > 0 || r.hits.Has(c, lang.Partial)) {
			continue // "not delete my account, only hide my name"
		}
		other := r.hits.In(s, lang.Other)
		if slices.ContainsFunc(other, func(o lang.Hit) bool { return !r.endsAt(s, o.To, lang.AskDeactivate) }) {
			worth *= r.between(v, accounts[0].Span, other)
		}
		worth *= sure(!r.partOf(accounts[0].Span, other) && !r.anyOne(accounts[0].Span) && !r.possessed(accounts[0].Span)) * r.followed(s, accounts[0].Span)
		f := find{Request: inbox.Request{Kind: inbox.KindDeactivate, Confidence: full * worth, Because: r.because(v.Span, accounts[0].Span)}, at: v.From, sentence: i, words: union(v.Span, accounts[0].Span)}
		r.add(f)
		return
	}
}

// deactivateIt reads "hide it for a while" of the account that a sentence
// before speaks of.
func (r *reader) deactivateIt(i int, s lang.Span) {
	k := r.antecedent(i)
	if k < r.subject {
		return
	}
	if before := r.t.Sentences[k]; !r.hits.Has(before, lang.Account) || !r.speaksOfMe(before) || r.hits.Has(before, lang.Other, lang.Third, lang.Problem) {
		return
	}
	for _, v := range r.hits.In(s, lang.Deactivate, lang.Deactivated) {
		worth := r.mood(s, v.Span)
		if worth == 0 || !r.points(s, v) || v.Concept == lang.Deactivated && !r.hits.Has(s, lang.Wish) || r.hits.Has(s, lang.Other, lang.AskReactivate) {
			continue
		}
		worth *= sure(r.hits.Has(s, lang.Temporary))
		r.handled[k] = true
		r.add(find{Request: inbox.Request{Kind: inbox.KindDeactivate, Confidence: full * worth, Because: r.because(v.Span)}, at: v.From, sentence: i, words: v.Span})
		return
	}
}
