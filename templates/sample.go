package templates

import (
	"time"

	"push.guru/supportd/inbox"
)

// samples gives data that leads through every branch that a letter can have:
// everything said, and nothing but the site known; one request, and many.
func samples() []Data {
	site := Site{Name: "Site", AccountURL: "https://site.example/account", Address: "support@site.example", Zone: time.UTC}
	at := time.Date(2026, time.November, 22, 13, 5, 0, 0, time.UTC)
	full := Data{
		Site: site, Case: "M-000123", Name: "Anna", Items: sampleItems(at), Holdings: sampleHoldings(),
		Expires: at, Words: "A line.\n\nAnother line.", Attached: true, Places: []string{"profile", "visits"},
	}
	parts := full
	parts.Part, parts.Parts = 2, 3
	all := []Data{{Site: Site{Name: "Site", Address: "support@site.example"}}, full, parts}
	for _, it := range full.Items {
		one := full
		one.Items, one.Words, one.Attached, one.Places = []Item{it}, "", false, nil
		all = append(all, one)
	}
	return all
}

func sampleHoldings() []inbox.Holding {
	return []inbox.Holding{
		{Place: "profile", Label: "Profile", Fields: []string{"Full name", "Phone"}, Count: 1, Purpose: "to run the account", Retention: "as long as the account exists", Recipients: "nobody"},
		{Place: "visits", Count: 12},
	}
}

// sampleItems gives every kind, in every state, with every step.
func sampleItems(at time.Time) []Item {
	set := inbox.Step{Place: "profile", Field: inbox.FieldPhone, Op: inbox.StepSet, Old: "+7 700 000 00 00", New: "+7 700 000 00 01"}
	first := inbox.Step{Place: "profile", Field: inbox.FieldBirth, Op: inbox.StepSet, New: "1990-03-01"}
	add := inbox.Step{Place: "profile", Field: inbox.FieldAbout, Op: inbox.StepAdd, Old: "Reads.", New: "Reads. Writes."}
	mail := inbox.Step{Place: "profile", Field: inbox.FieldEmail, Op: inbox.StepSet, Old: "old@site.example", New: "new@site.example"}
	follow := inbox.Step{Place: "newsletter", Field: inbox.FieldEmail, Op: inbox.StepReaddress}
	clear := inbox.Step{Place: "profile", Field: inbox.FieldGender, Op: inbox.StepClear, Old: "female"}
	remove := inbox.Step{Place: "profile", Op: inbox.StepRemove}
	blank := inbox.Step{Place: "orders", Field: inbox.FieldFullName, Op: inbox.StepBlank, New: "null"}
	keepField := inbox.Keep{Place: "orders", Field: "total", Why: "tax law"}
	stays := inbox.Keep{Place: "invoices", Why: "tax law", Earlier: true}
	keep := inbox.Keep{Place: "invoices", Why: "tax law", Until: "2031-12-31"}
	items := []Item{
		{Kind: inbox.KindChange, Steps: []inbox.Step{set, first, add}},
		{Kind: inbox.KindChange, Mailto: true, Steps: []inbox.Step{mail, follow}, Keeps: []inbox.Keep{stays}, Wait: 12 * time.Hour},
		{Kind: inbox.KindDelete, Scope: inbox.ScopeAccount, Steps: []inbox.Step{remove}, Keeps: []inbox.Keep{keep, stays}, Wait: 48 * time.Hour},
		{Kind: inbox.KindDelete, Scope: inbox.ScopeAccount, Guest: true, Steps: []inbox.Step{remove, blank}, Keeps: []inbox.Keep{keepField}},
		{Kind: inbox.KindDelete, Scope: inbox.ScopeFields, Steps: []inbox.Step{clear}, Fields: []inbox.Field{inbox.FieldGender}},
		{Kind: inbox.KindDeactivate}, {Kind: inbox.KindDeactivate, Undo: true}, {Kind: inbox.KindCopy}, {Kind: inbox.KindDescribe},
		{Kind: inbox.KindWithdraw}, {Kind: inbox.KindQuestion}, {Kind: inbox.KindQuestion, Topic: inbox.TopicReactivate},
	}
	for _, it := range items {
		it.State, it.RunAfter, it.Expires = inbox.StateDone, at, at
		items = append(items, it)
	}
	items = append(items, Item{Kind: inbox.KindCopy, State: inbox.StateScheduled, Stopping: true}, Item{Kind: inbox.KindCopy, State: inbox.StateDone, Stopping: true})
	for _, s := range inbox.States() {
		items = append(items, Item{Kind: inbox.KindChange, State: s, Steps: []inbox.Step{set}, Reason: "same", Words: "Because."})
	}
	return append(items, Item{Kind: inbox.KindCopy, State: inbox.StateScheduled, RunAfter: at}, Item{Kind: inbox.KindCopy, State: inbox.StateScheduled, Delay: time.Hour},
		Item{Kind: inbox.KindCopy, State: inbox.StateUnconfirmed, Expires: at})
}
