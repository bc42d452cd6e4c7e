package templates

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"push.guru/supportd/inbox"
)

// view is what the template of a letter sees. Its methods give markup: texts
// for a line, or, where it says "block", whole blocks, which a template puts
// between blank lines. "" means that there is nothing to say.
type view struct {
	lang  *language
	all   []*language // the site's, its default first
	data  Data
	label LabelFunc
}

// Site gives the site's name.
func (v *view) Site() string { return value(v.data.Site.Name) }

// Address gives the support address.
func (v *view) Address() string { return value(v.data.Site.Address) }

// Account gives the link to the person's account page.
func (v *view) Account() string { return link(v.data.Site.AccountURL) }

// Console gives the link to the page of the console about the case, or without
// one to the queue.
func (v *view) Console() string {
	if v.data.Case == "" {
		return link(v.data.Site.ConsoleURL + "/queue")
	}
	return link(v.data.Site.ConsoleURL + "/case/" + v.data.Case)
}

// link gives a link that shows where it leads, "" for what no browser should open.
func link(url string) string {
	if !strings.HasPrefix(url, "https://") && !strings.HasPrefix(url, "http://") {
		return ""
	}
	return string(linkOpen) + unmarked(url) + string(linkClose)
}

// Case gives the number of the case.
func (v *view) Case() string { return optional(v.data.Case) }

// Greeting greets, by name if it is known.
func (v *view) Greeting() string {
	if name := greetable(v.data.Name); name != "" {
		return v.lang.phrases.say("hello-name", "name", value(name))
	}
	return v.lang.phrases.say("hello")
}

// Greeted tells whether the text of staff begins with a greeting, in any of
// the site's languages; the letter needs none of its own then.
func (v *view) Greeted() bool {
	said := strings.ToLower(strings.TrimSpace(clean(v.data.Words)))
	for _, l := range v.all {
		for hello := range strings.SplitSeq(l.phrases.say("greetings"), ",") {
			rest, ok := strings.CutPrefix(said, strings.TrimSpace(hello))
			if next, _ := utf8.DecodeRuneInString(rest); ok && !unicode.IsLetter(next) {
				return true
			}
		}
	}
	return false
}

// Yes gives the word to answer with.
func (v *view) Yes() string { return v.lang.phrases.say("answer.yes") }

// No gives the word to answer with.
func (v *view) No() string { return v.lang.phrases.say("answer.no") }

// Stop gives the word to answer with.
func (v *view) Stop() string { return v.lang.phrases.say("answer.stop") }

// Restore gives the word to answer with.
func (v *view) Restore() string { return v.lang.phrases.say("answer.restore") }

// YesElsewhere gives the quoted words for yes in the site's other languages.
func (v *view) YesElsewhere() string {
	var words []string
	for _, l := range v.all {
		word := l.phrases.say("answer.yes")
		if l != v.lang && word != v.Yes() && !slices.Contains(words, word) {
			words = append(words, word)
		}
	}
	for i, word := range words {
		words[i] = v.lang.phrases.say("quoted", "text", word)
	}
	return strings.Join(words, ", ")
}

// Until gives the time until which we wait for an answer.
func (v *view) Until() string {
	t := v.data.Expires
	if t.IsZero() {
		for _, it := range v.data.Items {
			if it.Expires.After(t) {
				t = it.Expires
			}
		}
	}
	if t.IsZero() {
		return ""
	}
	return v.lang.phrases.moment(t, v.data.Site.Zone)
}

// Wait gives how long after the letter nothing of what it announces is carried
// out, "" when something may be at once. It is a duration, because nobody knows
// when the letter leaves.
func (v *view) Wait() string {
	var least time.Duration
	for _, it := range v.data.Items {
		if it.over() {
			continue
		}
		if it.Delay == 0 {
			return ""
		}
		if least == 0 || it.Delay < least {
			least = it.Delay
		}
	}
	if least == 0 {
		return ""
	}
	return v.lang.phrases.duration(least)
}

// Said gives the text of staff as a block, its lines kept.
func (v *view) Said() string { return said(v.data.Words) }

// Attached tells whether the copy is attached.
func (v *view) Attached() bool { return v.data.Attached }

// Part gives which of several letters with a copy this is, from 1; "" when one
// carries it whole.
func (v *view) Part() string {
	if v.data.Parts < 2 {
		return ""
	}
	return strconv.Itoa(v.data.Part)
}

// Parts gives how many letters carry the copy; "" when it is one.
func (v *view) Parts() string {
	if v.data.Parts < 2 {
		return ""
	}
	return strconv.Itoa(v.data.Parts)
}

// Deleted tells whether the account is gone now.
func (v *view) Deleted() bool { return v.done("delete-account") }

// Deactivated tells whether the account is out of use now.
func (v *view) Deactivated() bool { return v.done("deactivate") }

// Waiting tells whether something will still be carried out, so that it can be
// stopped.
func (v *view) Waiting() bool {
	return slices.ContainsFunc(v.data.Items, func(it Item) bool { return it.State == inbox.StateScheduled })
}

// TooLate tells whether something was done that the person wanted stopped.
func (v *view) TooLate() bool {
	return slices.ContainsFunc(v.data.Items, func(it Item) bool { return it.State == inbox.StateDone && it.Stopping })
}

// Changed tells whether something that the account page shows was changed.
func (v *view) Changed() bool {
	return v.done("change") || v.done("mailto") || v.done("delete-fields") || v.done("reactivate")
}

func (v *view) done(what string) bool {
	return slices.ContainsFunc(v.data.Items, func(it Item) bool { return it.State == inbox.StateDone && it.what() == what })
}

// Places gives the labels of the letter's places in one line.
func (v *view) Places() string {
	labels := make([]string, len(v.data.Places))
	for i, p := range v.data.Places {
		labels[i] = v.place(p)
	}
	return strings.Join(labels, ", ")
}

// Facts gives, for staff, kind, state and reason code of each item as a block.
func (v *view) Facts() string {
	var b strings.Builder
	for _, it := range v.data.Items {
		fact := strings.TrimSpace(fmt.Sprintf("%s %s", it.Kind, it.Scope))
		if it.State != inbox.StateNew {
			fact += ": " + string(it.State)
		}
		if it.Reason != "" {
			fact += " (" + it.Reason + ")"
		}
		b.WriteString("- " + value(fact) + "\n")
	}
	return b.String()
}

// place gives the label of a place.
func (v *view) place(name string) string { return v.labelled(name, "", "place."+name, name) }

// field gives the label of a field of a place.
func (v *view) field(place string, f inbox.Field) string {
	return v.labelled(place, f, "field."+string(f), string(f))
}

// labelled asks the site, then our own words, and falls back to the bare name.
func (v *view) labelled(place string, f inbox.Field, key, name string) string {
	if v.label != nil {
		if l := v.label(place, f, v.lang.code); strings.TrimSpace(l) != "" {
			return value(l)
		}
	}
	if own := v.lang.phrases[key]; own != "" {
		return own
	}
	return value(strings.ReplaceAll(name, "_", " "))
}

// optional is value for what may be missing.
func optional(s string) string {
	if strings.TrimSpace(s) == "" {
		return ""
	}
	return value(s)
}
