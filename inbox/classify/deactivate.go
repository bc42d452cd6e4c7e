package classify

import (
	"slices"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/classify/lang"
)

// readDeactivate finds the wish of one sentence to switch an account off.
func (r *reader) readDeactivate(i int) {
	s := r.t.Sentences[i]
	accounts := r.accounts(s)
	if len(accounts) == 0 {
		r.deactivateIt(i)
		return
	}
	account := accounts[0].Span
	if slices.ContainsFunc(r.hits.In(s, lang.AskReactivate), func(h lang.Hit) bool { return !r.forms.will(h.Span) }) {
		return
	}
	verbs := r.hits.In(s, lang.Deactivate, lang.Deactivated)
	for k, v := range verbs {
		if k+1 < len(verbs) && verbs[k+1].To <= account.From && v.Concept != verbs[k+1].Concept {
			continue // "I am pausing my studies, so pause my account"
		}
		worth := r.moodOfDeactivation(s, v)
		if worth == 0 || r.tellsState(s, v.Span, account) || r.fieldsOnly(s, v.Span) {
			continue
		}
		other := r.hits.In(s, lang.Other)
		if slices.ContainsFunc(other, func(o lang.Hit) bool { return !r.endsAt(s, o.To, lang.AskDeactivate) }) {
			worth *= r.between(v, account, other)
		}
		worth *= r.whose(s, account, other)
		r.addDeactivation(i, v, worth, union(v.Span, account))
		return
	}
}

// moodOfDeactivation is mood for a verb of which a participle asks only beside a
// wish.
func (r *reader) moodOfDeactivation(s lang.Span, v lang.Hit) float64 {
	if v.Concept == lang.Deactivated && !r.hits.Has(s, lang.Wish) {
		return 0
	}
	return r.mood(s, v.Span)
}

// tellsState tells whether a verb only says how an account is or was: "my account
// was suspended".
func (r *reader) tellsState(s, verb, account lang.Span) bool {
	both := union(verb, account)
	return r.isState(s, both) || r.hasWord(both, lang.WordWas) && !r.broken(account.To, verb.From+1)
}

// fieldsOnly tells whether a verb rules a part of the sentence that names fields
// and no account: "not delete my account, only hide my name".
func (r *reader) fieldsOnly(s, verb lang.Span) bool {
	c := r.clause(s, verb)
	return len(r.accounts(c)) == 0 && (len(r.hits.Prefixed(c, lang.FieldPrefix)) > 0 || r.hits.Has(c, lang.Partial))
}

// deactivateIt reads "hide it for a while" of the account that a sentence
// before speaks of.
func (r *reader) deactivateIt(i int) {
	s, k := r.t.Sentences[i], r.antecedent(i)
	if k < r.subject || r.hits.Has(s, lang.Other, lang.AskReactivate) {
		return
	}
	if before := r.t.Sentences[k]; !r.hits.Has(before, lang.Account) || !r.own(before) || r.hits.Has(before, lang.Other, lang.Third, lang.Problem) {
		return
	}
	for _, v := range r.hits.In(s, lang.Deactivate, lang.Deactivated) {
		worth := r.moodOfDeactivation(s, v)
		if worth == 0 || !r.points(s, v) {
			continue
		}
		r.handled[k] = true
		r.addDeactivation(i, v, worth*sure(r.hits.Has(s, lang.Temporary)), v.Span)
		return
	}
}

// addDeactivation adds the wish to switch off an account.
func (r *reader) addDeactivation(i int, v lang.Hit, worth float64, at lang.Span) {
	r.add(find{Request: inbox.Request{Kind: inbox.KindDeactivate, Confidence: full * worth, Because: r.because(at)}, at: v.From, sentence: i, words: at})
}
