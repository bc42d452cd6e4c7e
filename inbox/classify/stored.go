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

// maxValue bounds the bytes of a value.
const maxValue = 2000

// setText makes a text the value of the candidate if it can be one.
func (r *reader) setText(c *candidate, text string, at lang.Span) bool {
	text = value.Trim(text)
	if text == "" || len(text) > maxValue {
		return false
	}
	running := c.Field == inbox.FieldAbout || c.Field == inbox.FieldAddress
	if !running && r.hits.Has(at, lang.Or) && !r.t.Words[at.From].Quoted {
		return false
	}
	switch c.Field {
	case inbox.FieldFullName, inbox.FieldGivenName, inbox.FieldFamilyName:
		return r.setName(c, text, at)
	case inbox.FieldGender:
		return r.setGender(c, at)
	case inbox.FieldLocation, inbox.FieldNationality, inbox.FieldOccupation:
		return r.setListed(c, text, at)
	case inbox.FieldAddress:
		c.worth *= sure(strings.ContainsAny(text, "0123456789"))
	case inbox.FieldNickname:
		c.worth *= sure(!strings.ContainsAny(text, " \t"))
	}
	c.Value = text
	return true
}

// setListed sets a value of which the rule files list many.
func (r *reader) setListed(c *candidate, text string, at lang.Span) bool {
	if strings.ContainsAny(text, "@0123456789") {
		return false
	}
	if c.Field == inbox.FieldNationality && !r.setNationality(c, &text, at) {
		return false
	}
	if c.Field == inbox.FieldOccupation {
		if slices.ContainsFunc(r.hits.Prefixed(at, lang.FieldPrefix), func(h lang.Hit) bool { return fieldOf(h) != c.Field }) {
			return false // a man's name
		}
		if v, ok := r.value(c.Field, text); ok {
			text = v // without the ending of the sentence
		}
		c.worth *= sure(r.isTrade(text) || r.t.Words[at.From].Quoted || r.isLabelled(c.sentence, c.Field))
	}
	if c.Field == inbox.FieldLocation || c.Field == inbox.FieldNationality && r.grammar.capitals {
		first, _ := utf8.DecodeRuneInString(text)
		c.worth *= sure(unicode.IsUpper(first))
	}
	c.Value = text
	return true
}

// setNationality keeps of a text the nationality that the rule files list: "now
// officially Canadian". An occupation that was taken for one becomes one.
func (r *reader) setNationality(c *candidate, text *string, at lang.Span) bool {
	if r.t.Words[at.From].Quoted || r.isLabelled(c.sentence, c.Field) || !r.c.rules.Lists(r.guess, string(c.Field)) {
		return true
	}
	words := strings.Fields(*text)
	for n := len(words); n > 0; n-- {
		for i := 0; i+n <= len(words); i++ {
			if v, ok := r.value(inbox.FieldNationality, strings.Join(words[i:i+n], " ")); ok {
				*text = v
				return true
			}
		}
	}
	if r.isTrade(*text) {
		c.Field, c.worth = inbox.FieldOccupation, c.worth*unsureOf
		return true
	}
	return len(words) == 1 && r.capital(at.From)
}

// isTrade tells whether one of the words of a text is an occupation, or the
// language lists none.
func (r *reader) isTrade(text string) bool {
	words := strings.Fields(text)
	for i := range words {
		for n := 1; n <= lang.MaxValueWords && i+n <= len(words); n++ {
			if r.inFile(inbox.FieldOccupation, strings.Join(words[i:i+n], " ")) {
				return true
			}
		}
	}
	return !r.c.rules.Lists(r.guess, string(inbox.FieldOccupation))
}

// isLabelled tells whether a sentence is a "Field: value" line of a field.
func (r *reader) isLabelled(i int, f inbox.Field) bool {
	h, ok := r.labelled(r.t.Sentences[i])
	return ok && fieldOf(h) == f
}

// setGender sets the gender that words name, if they name one alone.
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
