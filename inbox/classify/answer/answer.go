// Package answer tells what a reply to a confirmation says: yes, no, or
// neither.
//
// A yes is read strictly: every word of the text must be part of a yes, of
// politeness, of what is agreed to ("yes, delete it"), or of a reason that
// reserves nothing ("I no longer use it"). A word that the rule files do not
// know, a condition, a "but", a "perhaps" or a "no" beside it make it no yes;
// the name of the writer below it does not. A question behind it is what is asked
// beside the answer, and the caller has to see that it does not doubt who asks.
// One that only asks when it will be done ("yes, when?") doubts nothing.
// What is agreed to is told, because here nobody knows what was asked.
//
// A no is read liberally, because it costs nothing but asking again: reasons may
// stand beside it, as long as no yes speaks against it and nothing else is asked
// for.
//
// Signs ("+", "👍") answer like words, by themselves or beside politeness. Signs
// and words that contradict each other, and a form with both answers in it, are
// neither. What stands behind an empty box is not said.
package answer

import (
	"strings"
	"unicode"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/classify/lang"
)

// maxWords bounds the words of a text that can be an answer; a longer one is
// a letter.
const maxWords = 60

// Reading is what a text says.
type Reading struct {
	Answer  inbox.Answer
	Agreed  inbox.Agreed // what a yes names of what it agrees to
	Partial bool         // it picks some of several items; Answer is none then
	But     bool         // "yes, but …": neither a yes nor requests of its own; Answer is none then
	Begun   bool         // it begins with a yes, whatever becomes of it
	Rest    string       // the part behind "also": what is asked beside the answer
	Wonders bool         // Rest is a question in the same sentence: only one about when doubts nothing
	When    bool         // Rest asks but when it will be done, or how long that takes
	NoStop  bool         // it stops nothing: "don't cancel", a form without a tick; Answer is none then
}

// Read reads the new text of a mail. It does not know whether a confirmation
// was asked for: that is for the caller.
//
// reply says that the mail answers another one: then a no may have reasons
// beside it. In a mail of its own, a no must be all there is.
func Read(rules *lang.Rules, text string, g lang.Guess, reply bool) Reading {
	if TooLong(text) {
		return Reading{}
	}
	ticked := ticked(text)
	if spoken(ticked) > maxWords {
		return Reading{}
	}
	t := rules.NewText(ticked)
	if len(t.Words) == 0 && t.Source != text {
		return Reading{NoStop: true}
	}
	text = t.Source
	if len(t.Words) > maxWords {
		return Reading{}
	}
	if len(t.Words) == 1 && reply && rules.Listed(lang.Guess{}, lang.WordYes, t.Words[0].Fold) {
		return Reading{Answer: inbox.AnswerYes}
	}
	r := newReader(rules, t, g, reply)
	out := r.withSigns()
	if !out.empty() {
		return out
	}
	if len(t.Words) <= maxDrawn {
		if s := undrawn(text); s != text {
			return Read(rules, s, g, reply)
		}
	}
	if reply && len(t.Words) <= maxSwapped && len(r.hits) == 0 {
		return r.swapped()
	}
	return out
}

// swapped reads the text as one that was typed on the wrong keyboard.
func (r *reader) swapped() Reading {
	t := r.rules.NewText(swapped(r.t.Source))
	if len(t.Words) == 0 || len(t.Words) > maxSwapped {
		return Reading{}
	}
	return newReader(r.rules, t, lang.Guess{}, r.reply).read()
}

// withSigns reads the text and the signs in it. A sign is an answer by itself or
// beside politeness, and takes back an answer in words that it contradicts.
func (r *reader) withSigns() Reading {
	text, words := r.t.Source, len(r.t.Words)
	polite := r.words(0, words) == 0 && !strings.Contains(text, "?")
	if says, alone := stroke(text); says != inbox.AnswerNone && (alone || polite && says == inbox.AnswerYes) {
		return Reading{Answer: says}
	}
	says, open := sign(text)
	if words == 0 {
		if !bareSign(text) {
			says = inbox.AnswerNone
		}
		return Reading{Answer: says}
	}
	out := r.read()
	switch {
	case open, says != inbox.AnswerNone && out.Answer != inbox.AnswerNone && out.Answer != says:
		return Reading{Begun: out.Begun}
	case out.empty() && polite:
		return Reading{Answer: says}
	}
	return out
}

func (r Reading) empty() bool {
	return r.Answer == inbox.AnswerNone && !r.Partial && !r.But && !r.NoStop
}

// TooLong tells at little cost whether a text cannot be an answer, because it
// has far too many words.
func TooLong(text string) bool {
	n := 0
	for range strings.FieldsSeq(text) {
		if n++; n > 2*maxWords {
			return true
		}
	}
	return false
}

// spoken counts at little cost how many words a text has at the least: as many as
// there are, between blanks, with a letter or digit in them. An apostrophe that
// counts as a letter makes no word.
func spoken(text string) int {
	n := 0
	for w := range strings.FieldsSeq(text) {
		if strings.ContainsFunc(w, func(c rune) bool { return c != 'ʼ' && (unicode.IsLetter(c) || unicode.IsDigit(c)) }) {
			n++
		}
	}
	return n
}

// reader reads one text.
type reader struct {
	rules *lang.Rules
	tags  []string // the languages of the text
	t     *lang.Text
	hits  lang.Hits
	reply bool
}

func newReader(rules *lang.Rules, t *lang.Text, g lang.Guess, reply bool) *reader {
	return &reader{rules: rules, tags: rules.Tags(t, g), t: t, hits: rules.Find(t, g), reply: reply}
}
