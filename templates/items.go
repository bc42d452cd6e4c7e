package templates

import (
	"fmt"
	"slices"
	"strings"

	"push.guru/supportd/inbox"
)

// what names the thing that an item asks for, as the phrases know it.
func (it Item) what() string {
	switch it.Kind {
	case inbox.KindChange:
		if it.Mailto {
			return "mailto"
		}
	case inbox.KindDelete:
		if it.Scope == inbox.ScopeFields {
			return "delete-fields"
		}
		if it.Guest {
			return "delete-guest"
		}
		return "delete-account"
	case inbox.KindDeactivate:
		if it.Undo {
			return "reactivate"
		}
	case inbox.KindQuestion:
		if it.Topic == inbox.TopicReactivate {
			return "reactivate"
		}
	}
	if it.Kind.Order() < 0 {
		return string(inbox.KindQuestion)
	}
	return string(it.Kind)
}

// entry is an item in words: a line, the lines below it, and what else there
// is to know.
type entry struct {
	line  string
	subs  []string
	notes []string
}

// entries gives entries as blocks: a list, numbered if people may have to name
// a point, or for a single one a paragraph, the list of what is below, and a
// paragraph of notes.
func entries(list []entry, numbered bool) string {
	var b strings.Builder
	if len(list) == 1 {
		b.WriteString(list[0].line + "\n\n")
		for _, s := range list[0].subs {
			b.WriteString("- " + s + "\n")
		}
		return b.String() + "\n" + strings.Join(list[0].notes, " ") + "\n"
	}
	for i, e := range list {
		marker := "-"
		if numbered {
			marker = fmt.Sprintf("%d.", i+1)
		}
		b.WriteString(marker + " " + e.line + "\n")
		for _, s := range slices.Concat(e.subs, e.notes) {
			b.WriteString("  - " + s + "\n")
		}
	}
	return b.String()
}

// open tells whether an item can still happen.
func (it Item) open() bool { return !it.State.Ended() && it.State != inbox.StateFailed }

// over tells whether nothing more will come of an item.
func (it Item) over() bool { return !it.open() }

// listed tells that an item belongs into a list of all.
func (it Item) listed() bool { return true }

// Will gives, as a block, what will happen after a yes: every change with its
// old and new value, what goes, what is kept and why, and how long we wait.
func (v *view) Will() string {
	return v.each(Item.open, true, func(it Item) entry {
		e := v.planned(it)
		e.notes = v.notes(it)
		return e
	})
}

// Rest gives, as a block, what a yes will not bring, and why. It is not
// numbered: nobody can answer "yes" to it.
func (v *view) Rest() string { return v.each(Item.over, false, v.standing) }

// Planned is Will for somebody who has said yes already.
func (v *view) Planned() string { return v.each(Item.open, true, v.planned) }

// Did gives, as a block, what was done, and for the rest why it was not.
func (v *view) Did() string { return v.each(Item.listed, true, v.outcome) }

// States gives, as a block, where every request stands.
func (v *view) States() string { return v.each(Item.listed, true, v.standing) }

// each words those of the letter's items that are wanted.
func (v *view) each(wanted func(Item) bool, numbered bool, word func(Item) entry) string {
	var list []entry
	for _, it := range v.data.Items {
		if wanted(it) {
			list = append(list, word(it))
		}
	}
	return entries(list, numbered)
}

func (v *view) planned(it Item) entry {
	p := v.lang.phrases
	e := entry{line: p.say("will." + it.what())}
	e.subs = v.steps(it, v.step, "step.blank")
	if len(it.Steps) == 0 {
		for _, f := range it.Fields {
			e.subs = append(e.subs, v.field("", f))
		}
	}
	e.subs = append(e.subs, v.keeps(it)...)
	return e
}

// notes says what a person should know before the yes.
func (v *view) notes(it Item) []string {
	p := v.lang.phrases
	var notes []string
	wait := "note.wait"
	switch it.what() {
	case "mailto":
		notes = append(notes, p.say("note.mailto", "yes", v.Yes()))
		wait = "note.wait-both"
	case "delete-account", "delete-guest", "delete-fields":
		notes = append(notes, p.say("note.final"))
	}
	if it.Wait > 0 {
		notes = append(notes, p.say(wait, "yes", v.Yes(), "duration", p.duration(it.Wait), "stop", v.Stop()))
	}
	return notes
}

func (v *view) outcome(it Item) entry {
	if it.State != inbox.StateDone || it.Reason != "" {
		return v.standing(it)
	}
	e := entry{line: v.lang.phrases.say("done." + it.what())}
	e.subs = append(v.steps(it, v.receipt, "did.blank"), v.keeps(it)...)
	return e
}

func (v *view) standing(it Item) entry {
	p := v.lang.phrases
	title := p.say("title." + it.what())
	if labels := v.subjects(it); labels != "" && !it.Mailto {
		title += " (" + labels + ")"
	}
	line := p.say("standing", "title", title, "state", v.state(it))
	if reason := p["reason."+it.Reason]; reason != "" && !it.alreadySo() {
		line += " " + reason
	}
	if it.Words != "" && it.Words != v.data.Words {
		line += " " + value(it.Words)
	}
	return entry{line: line}
}

// alreadySo tells whether nothing came of an item because there was nothing
// to do.
func (it Item) alreadySo() bool {
	return it.Reason == "same" && (it.State.Ended() || it.State == inbox.StateFailed)
}

// subjects gives the labels of the fields that an item is about, each once.
func (v *view) subjects(it Item) string {
	var labels []string
	seen := map[inbox.Field]bool{"": true}
	add := func(place string, f inbox.Field) {
		if !seen[f] {
			seen[f] = true
			labels = append(labels, v.field(place, f))
		}
	}
	for _, s := range it.Steps {
		if s.Op != inbox.StepBlank { // what becomes of an account is its own title
			add(s.Place, s.Field)
		}
	}
	for _, f := range it.Fields {
		add("", f)
	}
	return strings.Join(labels, ", ")
}

func (v *view) state(it Item) string {
	p := v.lang.phrases
	switch {
	case it.State == inbox.StateNew:
		return p.say("state.review")
	case it.alreadySo():
		return p.say("state.same")
	case it.State == inbox.StateDone && it.Reason != "":
		return p.say("state.nothing")
	case (it.State == inbox.StateFailed || it.State == inbox.StateRefused) && p["reason."+it.Reason] != "":
		return p.say("state.failed-why")
	case it.Stopping && it.open():
		return p.say("state.stopping")
	case it.State == inbox.StateScheduled && it.Delay > 0:
		return p.say("state.scheduled-after", "duration", p.duration(it.Delay))
	case it.State == inbox.StateScheduled && !it.RunAfter.IsZero():
		return p.say("state.scheduled-at", "time", p.moment(it.RunAfter, v.data.Site.Zone))
	case it.State == inbox.StateUnconfirmed && !it.Expires.IsZero():
		return p.say("state.unconfirmed-until", "yes", v.Yes(), "time", p.moment(it.Expires, v.data.Site.Zone))
	case it.State == inbox.StateUnconfirmed:
		return p.say("state.unconfirmed", "yes", v.Yes())
	}
	return p.say("state." + string(it.State))
}

// steps words the steps of an item, each by word; those that make values of one
// place unrecognisable are one line, by the phrase blank, where the first stands.
func (v *view) steps(it Item, word func(inbox.Step) string, blank string) []string {
	var lines []string
	columns := map[string][]string{} // of a place: labels
	for _, s := range it.Steps {
		if s.Op == inbox.StepBlank {
			columns[s.Place] = append(columns[s.Place], v.field(s.Place, s.Field))
		}
	}
	for _, s := range it.Steps {
		line := ""
		switch labels := columns[s.Place]; {
		case s.Op != inbox.StepBlank:
			line = word(s)
		case labels != nil:
			line = v.lang.phrases.say(blank, "place", v.place(s.Place), "fields", strings.Join(labels, ", "))
			delete(columns, s.Place)
		}
		if line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// step words one step of a plan; "" for those that the item's own line says.
func (v *view) step(s inbox.Step) string {
	p := v.lang.phrases
	label := v.field(s.Place, s.Field)
	was, is := p.fieldValue(s.Field, s.Old), p.fieldValue(s.Field, s.New)
	switch s.Op {
	case inbox.StepSet, inbox.StepAdd:
		if added := added(s); added != "" {
			return p.say("step.add", "field", label, "old", was, "added", given(added))
		}
		switch {
		case s.New == "" && s.Old == "": // a receipt that kept no values
			return label
		case s.New == "":
			return p.say("step.clear", "field", label, "old", was)
		case s.Old == "":
			return p.say("step.set-new", "field", label, "new", is)
		}
		return p.say("step.set", "field", label, "old", was, "new", is)
	case inbox.StepClear:
		if s.Old == "" {
			return label
		}
		return p.say("step.clear", "field", label, "old", was)
	case inbox.StepRemove:
		return v.place(s.Place)
	case inbox.StepReaddress:
		return p.say("step.readdress", "place", v.place(s.Place))
	}
	return ""
}

// added gives what a step appends to what the field holds, or "" when the new
// value is more than the old one with something behind it.
func added(s inbox.Step) string {
	rest, ok := strings.CutPrefix(s.New, s.Old)
	if s.Op != inbox.StepAdd || !ok || s.Old == "" {
		return ""
	}
	return strings.TrimLeft(rest, " \n,;")
}

// receipt words one step that was done. What was removed is not repeated.
func (v *view) receipt(s inbox.Step) string {
	switch s.Op {
	case inbox.StepClear:
		return v.field(s.Place, s.Field)
	case inbox.StepReaddress:
		return v.lang.phrases.say("did.readdress", "place", v.place(s.Place))
	}
	return v.step(s)
}

// keeps says what stays, why and until when. Columns of one place that stay for
// the same reason are one line.
func (v *view) keeps(it Item) []string {
	var lines []string
	said := map[inbox.Keep]bool{}
	for _, k := range it.Keeps {
		alike := inbox.Keep{Place: k.Place, Why: k.Why, Until: k.Until}
		var labels []string
		for _, other := range it.Keeps {
			if f := other.Field; f != "" && k.Field != "" {
				if other.Field = ""; other == alike {
					labels = append(labels, v.field(k.Place, f))
				}
			}
		}
		if k.Field != "" && said[alike] {
			continue
		}
		said[alike] = k.Field != ""
		lines = append(lines, v.keep(kept(it, k), k, labels))
	}
	return lines
}

// kept names the phrase that says of an item what stays.
func kept(it Item, k inbox.Keep) string {
	switch {
	case k.Earlier && it.Kind == inbox.KindChange: // of the address
		return "keep-address"
	case k.Earlier:
		return "keep-earlier"
	}
	return "keep"
}

func (v *view) keep(phrase string, k inbox.Keep, labels []string) string {
	p := v.lang.phrases
	what := v.place(k.Place)
	if len(labels) > 0 {
		what += " (" + strings.Join(labels, ", ") + ")"
	}
	why := value(strings.TrimRight(k.Why, " ."))
	if k.Until == "" {
		return p.say(phrase, "place", what, "why", why)
	}
	return p.say(phrase+"-until", "place", what, "why", why, "until", value(p.day(k.Until)))
}

// Holdings gives, as a block, what is stored about the person, place by place.
func (v *view) Holdings() string {
	p := v.lang.phrases
	list := make([]entry, len(v.data.Holdings))
	for i, h := range v.data.Holdings {
		label := optional(h.Label)
		if label == "" {
			label = v.place(h.Place)
		}
		e := entry{line: label}
		say := func(key, text string) {
			if text != "" {
				e.subs = append(e.subs, p.say(key, "text", text))
			}
		}
		fields := make([]string, len(h.Fields))
		for j, f := range h.Fields {
			fields[j] = value(f)
		}
		say("holding.fields", strings.Join(fields, ", "))
		if h.Count > 1 {
			say("holding.count", fmt.Sprint(h.Count))
		}
		say("holding.purpose", optional(h.Purpose))
		say("holding.retention", optional(h.Retention))
		say("holding.recipients", optional(h.Recipients))
		list[i] = e
	}
	return entries(list, false)
}
