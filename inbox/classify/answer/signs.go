package answer

import (
	"strings"

	"push.guru/supportd/inbox"
)

// yesSigns and noSigns are the signs that people answer with, and doubtSigns
// those of somebody who does not know.
const (
	yesSigns   = "👍✅👌✔🆗"
	noSigns    = "👎❌⛔🚫✖"
	doubtSigns = "🤔🤷❓❔⁉"
)

// strokes are answers of plain signs. In a longer text these mean something
// else: a list, a number, a dash.
var strokes = map[string]inbox.Answer{"+": inbox.AnswerYes, "++": inbox.AnswerYes, "+++": inbox.AnswerYes, "+1": inbox.AnswerYes,
	"-": inbox.AnswerNo, "—": inbox.AnswerNo}

// sign gives what the signs of a text say, wherever they stand, and whether they
// leave it open.
func sign(text string) (says inbox.Answer, open bool) {
	yes, no := strings.ContainsAny(text, yesSigns), strings.ContainsAny(text, noSigns)
	switch {
	case yes && no || strings.ContainsAny(text, doubtSigns):
		return inbox.AnswerNone, true
	case yes:
		return inbox.AnswerYes, false
	case no:
		return inbox.AnswerNo, false
	}
	return inbox.AnswerNone, false
}

// stroke gives what a text says by a plain sign at its beginning, and whether
// that is all there is.
func stroke(text string) (says inbox.Answer, alone bool) {
	list := strings.Fields(text)
	if len(list) == 0 {
		return inbox.AnswerNone, false
	}
	return strokes[strings.TrimRight(list[0], ".,!")], len(list) == 1
}

// bareSign tells whether a text without words has nothing but signs of an answer.
func bareSign(text string) bool {
	return strings.Trim(text, yesSigns+noSigns+skins+" .!\n\t") == ""
}

// skins are the marks that colour a sign or ask for its picture.
const skins = "🏻🏼🏽🏾🏿\uFE0F"
