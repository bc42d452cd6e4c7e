package deadline

import (
	"embed"
	"fmt"
	"slices"
	"strings"

	"push.guru/supportd/inbox"
)

//go:embed profiles
var profiles embed.FS

// Start is what a clock counts from.
type Start string

// What a clock can count from.
const (
	Received  Start = "received"  // the arrival of the request at the server
	Confirmed Start = "confirmed" // the person's last yes; without one, or before it, the arrival
)

// Pause says for which questions to the person a clock stands.
type Pause string

// When a clock stands.
const (
	PauseNever Pause = "never"
	PauseProof Pause = "proof" // while the person is asked to prove that the request is theirs
	PauseAny   Pause = "any"   // also while staff wait for an answer to a question of theirs
)

// Term is the clock of one kind of request.
type Term struct {
	Due         Span  // when it must be answered; never none
	From        Start // what Due counts from
	AtMost      Span  // from the arrival, whatever was asked meanwhile; none: no such limit
	Acknowledge Span  // when the first letter must have left, from the arrival; none: no matter when
	Extend      Span  // what can be added once, with a letter that says why; none: nothing
	Pause       Pause
	Roll        bool // a last day that is not worked gives way to the next that is
}

// Keys lists what a Term can be told by Set.
func Keys() []string {
	return []string{"due", "from", "at_most", "acknowledge", "extend", "pause", "roll"}
}

// Set changes what a key names: a Span, "received" or "confirmed" for from,
// "never", "proof" or "any" for pause, "yes" or "no" for roll.
func (t *Term) Set(key, value string) error {
	switch key {
	case "due":
		if value == "none" {
			return errNoDue
		}
		return t.Due.UnmarshalText([]byte(value))
	case "at_most":
		return t.AtMost.UnmarshalText([]byte(value))
	case "acknowledge":
		return t.Acknowledge.UnmarshalText([]byte(value))
	case "extend":
		return t.Extend.UnmarshalText([]byte(value))
	case "from":
		return word(&t.From, value, Received, Confirmed)
	case "pause":
		return word(&t.Pause, value, PauseNever, PauseProof, PauseAny)
	case "roll":
		roll := "no"
		err := word(&roll, value, "yes", "no")
		t.Roll = roll == "yes"
		return err
	}
	return fmt.Errorf("there is no %q: the keys are %s", key, strings.Join(Keys(), ", "))
}

func word[T ~string](to *T, value string, allowed ...T) error {
	if !slices.Contains(allowed, T(value)) {
		return fmt.Errorf("%q is none of %v", value, allowed)
	}
	*to = T(value)
	return nil
}

// Profiles lists the names that Profile knows.
func Profiles() []string { return []string{"kz", "gdpr", "uk", "ccpa", "152-fz"} }

// readProfile reads an embedded profile: "calendar = COUNTRY", then sections
// [all] and [KIND KIND…] of lines "key = value", of which later ones stand over
// earlier ones.
func readProfile(name string) (country string, terms map[inbox.Kind]Term, err error) {
	if !slices.Contains(Profiles(), name) {
		return "", nil, fmt.Errorf("there is no profile %q: the profiles are %s", name, strings.Join(Profiles(), ", "))
	}
	b, err := profiles.ReadFile("profiles/" + name + ".txt")
	if err != nil {
		return "", nil, fmt.Errorf("reading profile %s: %w", name, err)
	}
	terms = map[inbox.Kind]Term{}
	var section []inbox.Kind
	n := 0
	for line := range strings.Lines(string(b)) {
		n++
		text, _, _ := strings.Cut(line, "#")
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		key, value, ok := strings.Cut(text, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		switch {
		case strings.HasPrefix(text, "["):
			section = kindsOf(strings.Trim(text, "[]"))
		case ok && key == "calendar":
			country = value
		default:
			err = setAll(terms, section, key, value)
		}
		if err != nil {
			return "", nil, fmt.Errorf("profile %s, line %d: %w", name, n, err)
		}
	}
	return country, terms, nil
}

func kindsOf(names string) []inbox.Kind {
	if names == "all" {
		return inbox.Kinds()
	}
	var out []inbox.Kind
	for _, name := range strings.Fields(names) {
		out = append(out, inbox.Kind(name))
	}
	return out
}

func setAll(terms map[inbox.Kind]Term, kinds []inbox.Kind, key, value string) error {
	for _, k := range kinds {
		t, ok := terms[k]
		if !ok {
			t = Term{From: Received, Pause: PauseNever}
		}
		if err := t.Set(key, value); err != nil {
			return err
		}
		terms[k] = t
	}
	return nil
}
