package templates

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// phrases is the words of one language by key. A phrase may hold placeholders
// like {name}; the forms of a counted phrase are separated by "|".
type phrases map[string]string

// openGroups are the prefixes of keys that a language may have more of than
// the embedded English: labels, time zones and reasons of a site's own.
var openGroups = []string{"field.", "place.", "zone.", "reason."}

var placeholder = regexp.MustCompile(`\{[a-z]+\}`)

// parsePhrases reads lines of the form "key = text". Blank lines and lines
// that begin with "#" do not count.
func parsePhrases(file, text string) (phrases, []Fault) {
	p := phrases{}
	var faults []Fault
	number := 0
	for line := range strings.SplitSeq(text, "\n") {
		number++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, phrase, ok := strings.Cut(line, "=")
		key, phrase = strings.TrimSpace(key), strings.TrimSpace(phrase)
		switch {
		case !ok || key == "" || phrase == "":
			faults = append(faults, Fault{file, number, `this is not of the form "key = text"`})
		case p[key] != "":
			faults = append(faults, Fault{file, number, fmt.Sprintf("phrase %q is given twice", key)})
		default:
			p[key] = phrase
		}
	}
	return p, faults
}

// check compares the keys and placeholders with those of the embedded English.
func (p phrases) check(file string, model phrases) []Fault {
	var faults []Fault
	for key := range model {
		if p[key] == "" {
			faults = append(faults, Fault{file, 0, fmt.Sprintf("phrase %q is missing", key)})
		}
	}
	for key, phrase := range p {
		ours, known := model[key]
		switch {
		case !known && !openKey(key):
			faults = append(faults, Fault{file, 0, fmt.Sprintf("phrase %q is not one that we use", key)})
		case strings.Contains(ours, "|"):
			faults = append(faults, checkForms(file, key, phrase)...)
		case !slices.Equal(placeholders(ours), placeholders(phrase)):
			faults = append(faults, Fault{file, 0, fmt.Sprintf("phrase %q must have the placeholders %q, and no others", key, placeholders(ours))})
		}
	}
	return faults
}

// checkForms checks a counted phrase: one to three forms, each with {n}.
func checkForms(file, key, phrase string) []Fault {
	forms := strings.Split(phrase, "|")
	for _, form := range forms {
		if !slices.Equal(placeholders(form), []string{"{n}"}) || len(forms) > 3 {
			return []Fault{{file, 0, fmt.Sprintf("phrase %q must have one to three forms, separated by |, each with {n}", key)}}
		}
	}
	return nil
}

func openKey(key string) bool {
	return slices.ContainsFunc(openGroups, func(g string) bool { return strings.HasPrefix(key, g) && key != g })
}

func placeholders(phrase string) []string {
	found := placeholder.FindAllString(phrase, -1)
	slices.Sort(found)
	return slices.Compact(found)
}

// say gives a phrase with its placeholders filled from pairs of name and
// value. What a value contains is not filled again.
func (p phrases) say(key string, pairs ...string) string {
	if len(pairs) == 0 {
		return p[key]
	}
	var b strings.Builder
	rest := p[key]
	for {
		before, behind, found := strings.Cut(rest, "{")
		if !found {
			break
		}
		b.WriteString(before)
		name, after, closed := strings.Cut(behind, "}")
		if i := pairOf(pairs, name); closed && i >= 0 {
			b.WriteString(pairs[i+1])
			rest = after
		} else { // a brace of the phrase itself
			b.WriteByte('{')
			rest = behind
		}
	}
	b.WriteString(rest)
	return b.String()
}

// pairOf finds a name in pairs of name and value; -1: it is none of them.
func pairOf(pairs []string, name string) int {
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i] == name {
			return i
		}
	}
	return -1
}

// count gives the form of a counted phrase that belongs to n: one form is for
// all numbers, two are one and more, three are the Slavic one, few and many.
func (p phrases) count(key string, n int) string {
	forms := strings.Split(p[key], "|")
	i := 0
	switch len(forms) {
	case 2:
		if n != 1 {
			i = 1
		}
	case 3:
		i = slavic(n)
	}
	return strings.ReplaceAll(strings.TrimSpace(forms[i]), "{n}", fmt.Sprint(n))
}

func slavic(n int) int {
	switch {
	case n%10 == 1 && n%100 != 11:
		return 0
	case n%10 >= 2 && n%10 <= 4 && (n%100 < 12 || n%100 > 14):
		return 1
	}
	return 2
}
