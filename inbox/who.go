package inbox

import (
	"slices"
	"strings"
)

// Whos are the names by which the program writes in the journal, in a Case's
// history and in a receipt who did something, where it was no account of the
// staff. Nobody else goes by any of them: see IsWho.
func Whos() []string {
	return []string{
		WhoProgram, WhoOwner, WhoClaimant, WhoNobody, WhoUnknown,
		"staff", "automatically", "the person", // of letters and receipts
		"owner", "claimant", // what the pages might be taken to mean by the above
	}
}

// The names that the journal has.
const (
	WhoProgram  = "supportd"               // what happens without a person
	WhoOwner    = "person"                 // what the person who wrote decided
	WhoClaimant = "a sender without proof" // what a mail brought that nobody proved
	WhoNobody   = "nobody"                 // who is not signed in
	WhoUnknown  = "unknown"                // a caller of the socket whom the kernel does not tell
)

// IsWho tells whether a name is one of Whos, or reads like one: case, and what
// stands between its words, make no difference.
func IsWho(name string) bool {
	return slices.ContainsFunc(Whos(), func(w string) bool { return asRead(w) == asRead(name) })
}

// asRead gives a name as one word after the other.
func asRead(name string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return strings.ContainsRune(" .,_-", r) }), " ")
}
