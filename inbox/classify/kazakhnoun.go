package classify

import (
	"regexp"
	"slices"
	"strings"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/classify/lang"
)

// The endings of Kazakh nouns, in their coarse spelling but for the accusative.
var (
	possessive = regexp.MustCompile(`in$`)                  // аккаунтын, парақшасын; not аккаунтымды
	locative   = regexp.MustCompile(`[dt][ae]gi$`)          // инстаграмдағы
	genitive   = regexp.MustCompile(`..([^ae]t|[nd])in$`)   // Асқардың
	ablative   = regexp.MustCompile(`..[dtn][ae]n$`)        // Касымовтан
	dative     = regexp.MustCompile(`..[gk][ae]$`)          // Қасымовқа
	participle = regexp.MustCompile(`[gk][ae]n$|[aei]tin$`) // көрген
	accusative = regexp.MustCompile(`(тт|м|аз|із|ыз|ль|л|б|г|к|қ|п)[дт][ыі]$|[аеы]н[ыі]$|(tt|m|b|l|z|k|q|g)[dt][yi]$|[aey]n[yi]$`)
)

// isObject: "аккаунтымды", but not "аккаунтымды көрген адамдар".
func (k kazakh) isObject(at lang.Span) bool {
	return !k.isParticiple(at.To) && accusative.MatchString(k.t.Words[at.To-1].Fold)
}

// isParticiple: "көрген".
func (k kazakh) isParticiple(i int) bool { return participle.MatchString(k.spelt(i)) }

// leads: "Касымовтан Қасымовқа".
func (k kazakh) leads(old, fresh string) bool {
	return ablative.MatchString(coarse(lang.Fold(old))) && dative.MatchString(coarse(fresh))
}

// owned tells whether an account or a field in a sentence is that of somebody
// who is named: "Асқардың аккаунтын".
func (k kazakh) owned(s lang.Span) bool {
	things := append(k.hits.In(s, lang.Account), k.hits.Prefixed(s, lang.FieldPrefix)...)
	return slices.ContainsFunc(things, func(h lang.Hit) bool {
		if h.From == s.From || k.t.Words[h.From].Before >= lang.Comma {
			return false
		}
		owner := h.From - 1
		others := k.hits.Has(word(owner), lang.Other)
		switch w := k.spelt(owner); {
		case locative.MatchString(w): // "пікірімдегі атымды", "инстаграмдағы аккаунтымды"
			return others || h.Concept == lang.Account && !k.knows(owner)
		case genitive.MatchString(w) && possessive.MatchString(k.spelt(h.To-1)):
			return others || !k.knows(owner)
		}
		return false
	})
}

// mistaken tells what means something else in Kazakh: the Russian "not" is "what",
// and "Алматы қаласы" names a place, not the field.
func (k kazakh) mistaken(h lang.Hit, all lang.Hits) bool {
	w, one := k.t.Words[h.From], h.To-h.From == 1
	asked := all.Has(word(h.To), lang.Delete, lang.Deactivate, lang.Change, lang.Send, lang.Add, lang.Wish)
	switch h.Concept {
	case lang.Send: // қосып беріңіз
		return one && w.Before < lang.Comma && strings.HasSuffix(k.spelt(h.From-1), "p") && !all.Has(word(h.From-1), lang.Send)
	case lang.AskWithdraw: // a contract
		return strings.HasPrefix(k.spelt(h.From), "kelisim6art")
	case lang.AskCopy:
		return k.copiesOther(h.Span) || k.tells(h.Span)
	case lang.Doubt, lang.Third: // соң
		return one && (w.Fold == "son" || k.calls(h.From))
	case lang.Concept(lang.FieldPrefix + string(inbox.FieldLocation)):
		return one && strings.HasPrefix(k.spelt(h.From), "kalasi") && w.Before < lang.Comma && h.From > 0
	case lang.Negation, lang.No:
		return one && k.isWhat(h.From) && !asked
	}
	return false
}

// isWhat: "не", which is a Russian "not" elsewhere.
func (k kazakh) isWhat(i int) bool { return k.t.Words[i].Fold == "не" }

// tells tells whether a phrase asks to be told something, not to be sent it:
// "жазып беріңіз".
func (k kazakh) tells(at lang.Span) bool {
	return slices.Contains(tellers, k.spelt(at.To-2)) && begins(k.spelt(at.To-1), givers...)
}

// copiesOther tells whether a copy is one of something else: "келісімнің
// көшірмесін".
func (k kazakh) copiesOther(at lang.Span) bool {
	for i := at.From + 1; i < at.To; i++ {
		if owner := k.spelt(i - 1); begins(k.spelt(i), "ko6irme") && genitive.MatchString(owner) {
			return !begins(owner, holders...)
		}
	}
	return false
}

// calls tells whether a word is how the old call those who read the mail:
// "Балалар, ...".
func (k kazakh) calls(i int) bool {
	if i+1 >= len(k.t.Words) || k.t.Words[i].Before < lang.Comma || k.t.Words[i+1].Before < lang.Comma {
		return false
	}
	if !slices.Contains(callees, k.spelt(i)) {
		return false
	}
	return k.t.Words[i+1].Before == lang.Sentence || !k.capital(i+1) // else their name follows
}
