package review

import (
	"slices"
	"strings"

	"push.guru/supportd/inbox"
)

// Words are the words of the journal, by which it can be filtered: each that is
// written. One that ends with "…" stands for all that begin like it and then
// name something.
func Words() []string {
	out := []string{"approved", "approved without proof", "extended", "handed over", "handed back", "hold date reached", "asked the person", "asked at the address on record",
		"yes to …", "asked for again in …", "answered in …", "undo asked for in …", "no asked for", "refuse asked for", "close asked for", "doubtful asked for", "letter …",
		"proof void: the address on record changed", "its letter bounced", "its letter could not be delivered",
		"somebody without proof asked to stop it, in …", "it may be asked to stop, in …", "another stop without proof, in …",
		"its token came from elsewhere, in …"}
	for _, e := range inbox.Events() {
		out = append(out, string(e))
	}
	for _, s := range inbox.MailStates() {
		out = append(out, "mail "+string(s))
	}
	out = append(out, "mail seen again", "reply queued", "reply released", "reply dropped", "reply sent", "reply bounced", "reply failed", "reply void",
		"staff told", "forgotten", "replay", "restored", "pause", "resume", "reapply", "reapply not needed", "not reapplied", "reapplied", "reapply ended", "anchored", "journal dropped", "mail expunged", "mail not expunged", "probe", "denied …",
		"own account opened", "queue opened", "searched", "case opened", "raw mail opened", "raw mail", "receipt made", "mails opened",
		"log opened", "log exported", "log verified", "journal export", "saved answers opened", "staff opened",
		"signed in", "signed out", "signed out elsewhere", "sign-ins refused", "password set", "answer kept", "answer dropped",
		"staff added", "staff disabled", "staff enabled", "staff role", "staff reset", "staff link", "staff language")
	slices.Sort(out)
	return slices.Compact(out)
}

// isWord tells whether a word of Words stands for what an entry has.
func isWord(word, what string) bool {
	begins, many := strings.CutSuffix(word, "…")
	return word == what || many && strings.HasPrefix(what, begins)
}

// looks tells whether an entry says only that somebody looked at something.
func looks(what string) bool {
	return slices.Contains([]string{"case opened", "raw mail opened", "raw mail", "receipt made"}, what) || strings.HasPrefix(what, "preview of ")
}
