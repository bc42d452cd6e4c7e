package console

import "time"

// Sample gives a Frame of every page with invented data, for tests and for
// whoever works on the look; now is what they are seen from.
func Sample(now time.Time) map[string]Frame {
	user := User{Name: "aigerim", Role: "admin", Act: true, Approve: true, Administers: true}
	choice := func(name, label string, words ...string) Select {
		s := Select{Name: name, Label: label, Options: []Option{{"", "Any", true}}}
		for _, w := range words {
			s.Options = append(s.Options, Option{Value: w, Label: w})
		}
		return s
	}
	filters := []Select{choice("kind", "Request", "Delete", "Change"), choice("state", "State", "To decide", "On hold"), choice("language", "Language", "English", "Russian"),
		choice("mailbox", "Mailbox", "support"), choice("deadline", "Deadline", "Overdue", "Due today"), choice("mine", "In whose hands", "Mine")}
	rows := sampleRows(now)
	counts := []Count{{"in the queue", len(rows), "/queue", true, ""}, {"overdue", -1, "/queue?deadline=late", false, ""}, {"due today", -1, "/queue?deadline=soon", false, ""},
		{"to decide", 4, "/queue?state=review", false, ""}, {"on hold", 1, "/queue?state=held", false, ""}, {"failed", 1, "/queue?state=failed", false, ""}, {"mine", -1, "/queue?mine=me", false, ""}}
	c := sampleCase(now)
	bodies := map[string]any{
		"sign-in": SignIn{Fault: "The name or the password is not right.", Name: "aigerim"}, "link": Link{Token: "token"}, "password": Password{Least: 12, First: true},
		"account": Account{Languages: []Option{{"en", "English", true}, {"ru", "русский", false}}, Password: Password{Least: 12}, Sessions: []Session{{"1f", "Firefox · Windows", now.Add(-3 * time.Hour), now, true}, {"2f", "Safari · iPhone", now.Add(-26 * time.Hour), now.Add(-2 * time.Hour), false}, {"3f", "", now.Add(-time.Hour), now.Add(-time.Minute), false}}},
		"queue":   Queue{Filters: filters, Live: "/queue/live", Listing: Listing{Counts: counts, Handed: rows[3:4], Rows: rows, More: "/queue?after=x"}},
		"found":   Found{Hits: []Hit{{Href: "/case/M-000018", Case: "M-000018", Who: "Aigerim S.", Subject: "please remove me", State: "asked", Open: true, Received: now.Add(-2 * time.Hour)}, {Href: "/case/M-000003", Case: "M-000003", Who: "Aigerim S.", State: "answered", Received: now.Add(-40 * 24 * time.Hour)}}}, "case": c,
		"preview": Preview{Case: c.ID, Action: "A-000018", Act: "refuse", Wants: c.Actions[0].Wants, Typed: true, Letters: c.Letters, Fields: []Hidden{{"reason", "…"}}},
		"kept":    Kept{Form: "/case/" + c.ID + "/answer", Fields: []Hidden{{"text", "…"}}},
		"raw":     Raw{Case: c.ID, Text: "Received: from mx.users.test\nFrom: Айгерим <a@users.test>\nSubject: my account\n\n<script>alert(1)</script>\n"},
		"log": Log{Filters: filters[:2], Entries: []Entry{{Seq: 812, At: now, What: "Approved", Who: "aigerim", Case: c.ID, Action: "A-000018", Detail: `{"why":"…"}`},
			{Seq: 811, At: now.Add(-26 * time.Hour), What: "Letter sent", Who: "the program", Case: c.ID}}, More: "/log?before=811", CSV: "/log/export?format=csv", JSON: "/log/export?format=jsonl",
			Checked: &Checked{Entries: 812, Dropped: 4096, Head: "8f0c1d9a4b8f0c1d9a4b8f0c1d9a4b8f0c1d9a4b8f0c1d9a4b8f0c1d9a4b0042", Forgotten: 3}},
		"mails": Mails{Filters: filters[1:2], Mails: []Mail{{ID: "M-000021", Href: "/case/M-000021", Received: now.Add(-2 * time.Hour), Mailbox: "support", State: "quarantined", Reason: "the mail cannot be read: a multipart without an end", Replay: true},
			{ID: "M-000020", Href: "/case/M-000020", Received: now.Add(-5 * time.Hour), Mailbox: "support", State: "asked", Actions: []string{"A-000019"}}}},
		"staff": Staff{Members: []Member{{Name: "aigerim", Role: "admin", Self: true, Seen: now.Add(-3 * time.Minute), Roles: sampleRoles(3)},
			{Name: "daniyar", Role: "handler", Seen: now.Add(-49 * time.Hour), Roles: sampleRoles(1)}, {Name: "old", Role: "viewer", Disabled: true, Roles: sampleRoles(0)}},
			Roles: sampleRoles(1), Link: "https://console.site.test/link/Q7wz4T0nJp2mC8sK1xVb9A", For: "daniyar"},
		"saved": Saved{Edits: true, Answers: c.Actions[0].Saved, Languages: []Option{{"en", "English", true}}},
		"receipt": Receipt{Site: "Push.Guru", Case: c.ID, Made: now, By: "aigerim", Received: c.Received, Mailbox: "support", Sender: "a•••@users.test", Evidence: "roundtrip",
			Items:   []ReceiptItem{{ID: "A-000018", Wants: c.Actions[0].Wants, State: "done", Due: now.Add(30 * time.Hour), Ended: now, Deadline: "met", Done: c.History[2:]}},
			Letters: []ReceiptLetter{{"Result", "sent", "the program", now}},
			Entries: []ReceiptEntry{{812, now, "Carried out", "the program", c.ID}}, Head: "8f0c1d9a4b8f0c1d9a4b8f0c1d9a4b8f0c1d9a4b8f0c1d9a4b8f0c1d9a4b0042", HeadSeq: 812},
		"fault": Fault{Code: 404, Title: "Not found", Text: "There is no such page or case.", Back: "/queue"},
	}
	out := map[string]Frame{}
	for name, body := range bodies {
		f := Frame{Lang: "en", Site: "Push.Guru", Page: name, User: user, Body: body}
		if name == "sign-in" || name == "link" || name == "password" {
			f.User = User{}
		}
		if name == "case" {
			f.Paused = Paused{Effects: true, Replies: true}
			f.Said = []Said{{Kind: "ok", Text: "Corrected. The person is asked."}, {Kind: "fault", Text: "“Refuse” was not done, and nothing was changed.", Detail: "a refusal needs a reason: the person is told it"}, {Kind: "fault", Text: "This was decided meanwhile.", Since: &c.History[3], Detail: "A-000018 is done: only an action in review can be approved", Unsent: "Dear Aigerim,\n…"}}
		}
		out[name] = f
	}
	return out
}

func sampleRoles(on int) []Option {
	all := []Option{{"viewer", "Viewer", false}, {"handler", "Handler", false}, {"approver", "Approver", false}, {"admin", "Administrator", false}}
	all[on].On = true
	return all
}

func sampleRows(now time.Time) []Row {
	return []Row{
		{"/case/M-000012", "M-000012", "Wants the account deleted", "review", "the deletion is not certain", now.Add(-98 * time.Hour), now.Add(-5 * time.Hour), "red", "none", "", "support", "Ann Bee", "please remove me"},
		{"/case/M-000018", "M-000018", "Wants the account deleted", "review", "", now.Add(-2 * time.Hour), now.Add(3 * time.Hour), "amber", "roundtrip", "daniyar", "support", "Aigerim S.", "please remove me"},
		{"/case/M-000019", "M-000019", "Asks a question", "review", "", now.Add(-25 * time.Minute), now.Add(20 * time.Hour), "amber", "aligned", "", "support", "Bob", "where are you?"},
		{"/case/M-000020", "M-000020", "Wants phone number and email address changed", "failed", "the site’s database refuses the value", now.Add(-26 * time.Hour), now.Add(50 * time.Hour), "", "roundtrip", "aigerim", "support", "Данияр К.", "Новый номер"},
		{"/case/M-000023", "M-000023", "Wants a copy of their data", "held", "a stop that nobody proved", now.Add(-3 * 24 * time.Hour), now.Add(9 * 24 * time.Hour), "", "aligned", "", "privacy", "", ""},
		{"/case/M-000024", "M-000024", "Objects to the use of their data", "review", "policy wants staff to look", now.Add(-11 * 24 * time.Hour), now.Add(12 * 24 * time.Hour), "", "none", "", "privacy", "Eve", "advertising"},
	}
}

func sampleCase(now time.Time) Case {
	saved := []SavedAnswer{{"Where to change the photo", "en", "You can change your photo yourself:\nopen your profile and touch the picture."}, {"How long we keep letters", "en", "Ninety days after the case has ended."}}
	letter := Letter{To: "aigerim.s@users.test", Subject: "Re: please remove me", Text: "Hello Aigerim,\n\nWe cannot delete your account yet, for this reason:\n\nThere is an order on its way to you.\n\nPush.Guru", Created: now.Add(-time.Hour)}
	return Case{ID: "M-000018", Subject: "please remove me", From: "aigerim.s@users.test", Name: "Aigerim S.", To: "aigerim.s@users.test", Received: now.Add(-2 * time.Hour), Mailbox: "support", Language: "en", State: "review",
		Words:    []Span{{"Hello,\n\nI do not use Push.Guru any more. ", false}, {"Please delete my account", true}, {" and everything that you have about me.\nAnd my phone number has changed to ", false}, {"+7 701 555 77 10", true}, {", in case you need to call.\n\nThank you\nAigerim", false}},
		Evidence: "roundtrip", EvidenceWhy: "no Authentication-Results of mx.site.test; signature of users.test: body hash did not verify", Notes: []string{"one attachment was not kept: image/png"}, Raw: true,
		Letters: []Letter{letter},
		Held:    []HeldLetter{{ID: "R-000031", Case: "M-000018", What: "Letter: where it stands", To: letter.To, Subject: letter.Subject, Text: letter.Text, Why: "more than 3 letters to this address today", Created: letter.Created, Can: true}},
		Actions: []Action{
			{ID: "A-000018", Case: "M-000018", Wants: "Wants the account deleted", Kind: "delete", Scope: "account", State: "review", Confidence: 88, Because: []string{"Please delete my account"}, Why: "a delete beside a change: which of them?", To: "daniyar", Note: "Please look at the order first.",
				Due: now.Add(3 * time.Hour), Tone: "amber", Clock: "kz: one working day after confirmation", Steps: []Step{{Op: "remove", What: "Profile"}, {Op: "remove", What: "Visits to the site"}, {Op: "blank", What: "Delivery address", Place: "Orders", Old: "Abay Ave 10, Almaty"}},
				Keeps: []Keep{{"Orders", "accounting law", "five years", false}, {"Messages", "proof", "", true}}, Acts: sampleActs(), Saved: saved,
				Kinds: []Option{{"delete", "Delete", true}, {"change", "Change", false}}, Scopes: []Option{{"account", "The whole account", true}}, Fields: []FieldInput{{Name: "phone", Label: "Phone number", Value: "+77015557710"}, {Name: "full_name", Label: "Full name"}}, Colleagues: []Option{{"daniyar", "daniyar", false}}, Tomorrow: now.Add(24 * time.Hour).Format(time.DateOnly)},
			{ID: "A-000019", Case: "M-000018", Wants: "Wants phone number changed", Kind: "change", State: "done", Confidence: 97, Certain: true, Because: []string{"+7 701 555 77 10"}, Steps: []Step{{Op: "set", What: "Phone number", Old: "+7 701 000 00 00", New: "+7 701 555 77 10"}}, Acts: map[string]Offer{"undo": {Can: true}}},
		},
		History: []Event{
			{At: now.Add(-2 * time.Hour), Kind: "in", What: "Mail came in", Who: "the person"},
			{At: now.Add(-118 * time.Minute), Kind: "out", What: "Letter: confirm", Who: "the program", Text: letter.Text},
			{At: now.Add(-90 * time.Minute), Kind: "in", What: "The person said yes", Who: "the person", Action: "A-000018"},
			{At: now.Add(-30 * time.Minute), Kind: "staff", What: "Handed over", Who: "aigerim", Why: "Please look at the order first.", Action: "A-000018"},
		}}
}

func sampleActs() map[string]Offer {
	const deleted = "what is deleted nobody can restore"
	out := map[string]Offer{"approve": {true, deleted}, "approve-without-proof": {true, "it is carried out without the owner's word"}, "refuse": {true, "a refusal cannot be withdrawn"}, "close": {true, deleted}}
	for _, act := range []string{"hand-over", "correct", "hold", "ask", "answer", "extend"} {
		out[act] = Offer{Can: true}
	}
	return out
}
