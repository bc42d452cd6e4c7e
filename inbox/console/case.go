package console

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/cases"
	"push.guru/supportd/inbox/policy"
	"push.guru/supportd/inbox/review"
	"push.guru/supportd/inbox/staff"
	"push.guru/supportd/templates"
	pages "push.guru/supportd/templates/console"
)

// search shows the cases that were found. What was searched for stands in no
// address.
func search(s *Server, w http.ResponseWriter, q *request) error {
	what := strings.TrimSpace(q.PostFormValue("what"))
	if what == "" {
		http.Redirect(w, q.Request, "/queue", http.StatusSeeOther)
		return nil
	}
	hits, err := s.Desk.Search(q.Context(), what)
	if err != nil {
		return &badForm{err}
	}
	if len(hits) == 1 && isNumber(what) {
		http.Redirect(w, q.Request, "/case/"+hits[0].Case.String(), http.StatusSeeOther)
		return nil
	}
	var body pages.Found
	for _, h := range hits {
		who := h.Name
		if who == "" {
			who = h.From
		}
		body.Hits = append(body.Hits, pages.Hit{Href: "/case/" + h.Case.String(), Case: h.Case.String(), Who: who, Subject: policy.StripTags(h.Subject), State: string(h.State), Open: h.Open, Received: h.Received})
	}
	return s.show(w, http.StatusOK, "found", s.frame(q, "found", body))
}

func isNumber(what string) bool {
	_, mail := inbox.ParseMailID(what)
	_, action := inbox.ParseActionID(what)
	return mail == nil || action == nil
}

func casePage(s *Server, w http.ResponseWriter, q *request) error {
	return s.openCase(w, q, http.StatusOK, opened{}, refusal{})
}

// opened says which form of a case page is open, and what was typed into it.
type opened struct {
	action inbox.ActionID
	act    string
	form   url.Values
}

// openCase shows a case, with why an act was not done, if it was not.
func (s *Server) openCase(w http.ResponseWriter, q *request, code int, open opened, not refusal) error {
	v, err := s.Desk.CaseIn(q.mail, q.lang)
	if err != nil {
		return err
	}
	c, err := s.caseView(q, v, open)
	if err != nil {
		return err
	}
	f := s.frame(q, "case", c)
	if not != (refusal{}) {
		f.Said = []pages.Said{s.notSaid(q, v, c, open, not)}
	}
	return s.show(w, code, "case", f)
}

// refusal is why an act was not done.
type refusal struct {
	text string // in the reader's language; "": what is true of every act
	why  string // the program's own reason
}

// notSaid words that an act was not done, and gives back what was typed for it.
// Where the act is not to be had any more, it says who did what meanwhile.
func (s *Server) notSaid(q *request, v review.CaseView, c pages.Case, open opened, not refusal) pages.Said {
	said := pages.Said{Kind: "fault", Text: not.text, Detail: not.why, Unsent: s.unsent(q, open.form)}
	if open.action == 0 { // it was about a letter
		return said
	}
	act := pages.Name(q.words, "act", strings.Replace(open.act, string(cases.ApproveWithoutProof), "bare", 1))
	key := "act.not-done"
	offered := slices.ContainsFunc(c.Actions, func(a pages.Action) bool { return a.ID == open.action.String() && a.Acts[open.act].Can })
	if !offered {
		key, said.Since = "act.meanwhile", latest(q, v.History, open.action)
	}
	if said.Text == "" || !offered {
		said.Text = q.words.Say(key, "act", act)
	}
	return said
}

// latest gives the last thing that was done about an Action.
func latest(q *request, history []review.CaseEvent, id inbox.ActionID) (last *pages.Event) {
	for _, e := range history {
		if e.Action == id && !slices.Contains([]string{"mail", "letter", "attempt"}, e.Source) {
			one := event(q, e, nil)
			last = &one
		}
	}
	return last
}

// unsent gives what was typed into a form, to be copied from there.
func (s *Server) unsent(q *request, form url.Values) string {
	var out []string
	for _, name := range []string{"text", "reason", "note", "record"} {
		if v := strings.TrimSpace(lines(form.Get(name))); v != "" {
			out = append(out, v)
		}
	}
	for _, f := range s.Fields {
		if v := strings.TrimSpace(form.Get("set." + string(f))); v != "" {
			out = append(out, s.field(q, f)+": "+v)
		}
	}
	return strings.Join(out, "\n")
}

// refill puts what was typed back into its form.
func refill(v *pages.Action, open opened) {
	f := open.form
	v.Open, v.Typed = open.act, lines(cmp.Or(f.Get("text"), f.Get("reason"), f.Get("note")))
	v.Record, v.Day = f.Get("record"), f.Get("until")
	switch cases.Verb(open.act) {
	case cases.HandOver:
		choose(v.Colleagues, f.Get("to"))
	case cases.Correct:
		choose(v.Kinds, f.Get("kind"))
		choose(v.Scopes, f.Get("scope"))
		for i, in := range v.Fields {
			v.Fields[i].Value = f.Get("set." + in.Name)
			v.Fields[i].Add, v.Fields[i].Drop = f.Get("add."+in.Name) != "", f.Get("drop."+in.Name) != ""
		}
	}
}

// choose sets what of a list is chosen.
func choose(all []pages.Option, value string) {
	for i := range all {
		all[i].On = all[i].Value == value
	}
}

func (s *Server) caseView(q *request, v review.CaseView, open opened) (pages.Case, error) {
	m := v.Mail
	c := pages.Case{ID: m.ID.String(), Subject: policy.StripTags(m.Subject), From: m.From, Name: m.Name, Received: m.Received, Mailbox: m.Mailbox, Language: m.Language, State: string(m.State),
		Words: marked(m.Text, v.Spans), Forgotten: v.Forgotten, Notes: m.Notes, Evidence: m.Evidence.String(), EvidenceWhy: m.Why,
		Raw: !v.Forgotten && q.actor.Role.May(staff.RightRaw)}
	if m.Reason != "" && len(v.Actions) == 0 { // else it stands beside them
		c.Notes = append(c.Notes, m.Reason)
	}
	c.Held = heldLetters(q, v)
	texts := map[inbox.ReplyID]string{}
	for _, l := range v.Letters {
		texts[l.ID] = l.Text
	}
	for _, e := range v.History {
		c.History = append(c.History, event(q, e, texts))
	}
	saved, err := s.saved()
	if err != nil {
		return c, err
	}
	colleagues, err := s.colleagues(q)
	if err != nil {
		return c, err
	}
	for _, a := range v.Actions {
		if c.To == "" {
			c.To = a.Address
		}
		view := s.action(q, a)
		view.Saved, view.Colleagues = saved, slices.Clone(colleagues)
		if a.ID == open.action {
			refill(&view, open)
		}
		c.Actions = append(c.Actions, view)
	}
	return c, nil
}

// marked cuts a text where it decided.
func marked(text string, spans []review.Span) []pages.Span {
	var out []pages.Span
	at := 0
	for _, sp := range spans {
		if sp.Start < at || sp.End > len(text) || sp.End <= sp.Start {
			continue
		}
		if sp.Start > at {
			out = append(out, pages.Span{Text: legible(text[at:sp.Start])})
		}
		out = append(out, pages.Span{Text: legible(text[sp.Start:sp.End]), Mark: true})
		at = sp.End
	}
	return append(out, pages.Span{Text: legible(text[at:])})
}

// legible gives a piece of a person's words as it may be shown: nothing that
// turns the text about it round. Blanks at its ends stay.
func legible(s string) string {
	trimmed := templates.PlainText(s)
	if trimmed == "" {
		return s[:len(s)-len(strings.TrimLeft(s, " \n"))]
	}
	head := s[:len(s)-len(strings.TrimLeft(s, " \n"))]
	tail := s[len(strings.TrimRight(s, " \n")):]
	return head + trimmed + tail
}

// action words one request of a case.
func (s *Server) action(q *request, a review.CaseAction) pages.Action {
	fields := slices.Clone(a.Fields)
	for _, c := range a.Changes {
		fields = append(fields, c.Field)
	}
	v := pages.Action{ID: a.ID.String(), Case: a.Case.String(), Wants: s.wants(q, a.ActionView, fields), Kind: string(a.Kind), Scope: string(a.Scope), State: string(a.State),
		Why: a.Error, To: a.Assignee, Note: a.Handed, Confidence: int(a.Confidence*100 + .5), Certain: a.Certain, Because: a.Because, Due: a.Due, Tone: tone(a.ActionView), Clock: s.Law, Stands: a.Stands,
		RunAfter: a.RunAfter, Until: a.Until, Attempts: a.Attempts, Acts: offers(q, a.Acts), Tomorrow: time.Now().In(s.Zone).AddDate(0, 0, 1).Format(time.DateOnly)}
	if a.Forgotten {
		v.Confidence = -1
	}
	if a.State.Ended() {
		v.Tone, v.Due = "", time.Time{}
	}
	if a.State == inbox.StateUnconfirmed {
		v.Expires = a.Expires
	}
	for _, st := range a.Steps {
		step := pages.Step{Op: string(st.Op), What: st.Field, Place: st.Place, Old: st.Old, New: st.New}
		if step.What == "" {
			step.What, step.Place = st.Place, ""
		}
		if st.Op == inbox.StepBlank {
			step.New = "" // a rule, not a value
		}
		v.Steps = append(v.Steps, step)
	}
	for _, k := range a.Keeps {
		v.Keeps = append(v.Keeps, pages.Keep{What: strings.TrimSuffix(k.Place+": "+k.Field, ": "), Why: k.Why, Until: k.Until, Earlier: k.Earlier})
	}
	s.correction(q, &v, a)
	return v
}

// offers gives what can be done now by this user.
func offers(q *request, acts []review.ActView) map[string]pages.Offer {
	out := map[string]pages.Offer{}
	for _, a := range acts {
		if a.Possible && q.actor.Role.May(a.Needs) {
			out[string(a.Verb)] = pages.Offer{Can: true, Final: a.Final}
		}
	}
	return out
}

// correction fills the form in which a reading is corrected with the reading.
func (s *Server) correction(q *request, v *pages.Action, a review.CaseAction) {
	if !v.Acts[string(cases.Correct)].Can {
		return
	}
	for _, k := range inbox.Kinds() {
		if k != inbox.KindQuestion || a.Kind == k {
			v.Kinds = append(v.Kinds, pages.Option{Value: string(k), Label: pages.Name(q.words, "kind", string(k)), On: k == a.Kind})
		}
	}
	v.Scopes = []pages.Option{{Value: "", Label: q.words.Say("scope.none"), On: a.Scope == ""}}
	for _, sc := range []inbox.Scope{inbox.ScopeAccount, inbox.ScopeFields} {
		v.Scopes = append(v.Scopes, pages.Option{Value: string(sc), Label: pages.Name(q.words, "scope", string(sc)), On: sc == a.Scope})
	}
	known := s.Fields
	for _, f := range known {
		in := pages.FieldInput{Name: string(f), Label: s.field(q, f), Drop: slices.Contains(a.Fields, f)}
		for _, c := range a.Changes {
			if c.Field == f {
				in.Value, in.Add = c.Value, c.Op == inbox.OpAdd
			}
		}
		v.Fields = append(v.Fields, in)
	}
}

// colleagues lists to whom something can be handed over.
func (s *Server) colleagues(q *request) ([]pages.Option, error) {
	all, err := s.Staff.List()
	out := []pages.Option{{Value: "", Label: q.words.Say("act.nobody")}}
	for _, a := range all {
		if !a.Disabled && a.Role.May(staff.RightAct) {
			out = append(out, pages.Option{Value: a.Name, Label: a.Name})
		}
	}
	return out, err
}

// event words one line of a case's history.
func event(q *request, e review.CaseEvent, texts map[inbox.ReplyID]string) pages.Event {
	v := pages.Event{At: e.At, Kind: "step", What: happened(q, e.What), Who: by(q, e.Who), Why: e.Why}
	if e.Action != 0 {
		v.Action = e.Action.String()
	}
	switch e.Source {
	case "mail":
		v.Kind, v.What, v.Why = "in", q.words.Say("what.mail"), ""
	case "letter":
		v.Kind, v.What, v.Text = "out", pages.Name(q.words, "letters", e.What), texts[e.Reply]
	case "attempt":
		v.Kind, v.What = "out", pages.Name(q.words, "attempt", e.What)
	default:
		if !slices.Contains([]string{cases.Program, cases.Owner, cases.Claimant}, e.Who) {
			v.Kind = "staff"
		}
	}
	return v
}

// phrases are the words of a history that name something: how they begin, the
// text for them, its placeholder, and of which group the name is a word.
var phrases = []struct{ begins, key, place, group string }{
	{"asked for again in ", "again", "case", ""},
	{"answered in ", "answered-in", "case", ""},
	{"undo asked for in ", "undo-in", "case", ""},
	{"yes to ", "yes-to", "letter", "letters"},
	{"denied ", "denied", "what", "what"},
	{"somebody without proof asked to stop it, in ", "stop-in", "case", ""},
	{"it may be asked to stop, in ", "may-stop-in", "case", ""},
	{"another stop without proof, in ", "another-stop-in", "case", ""},
	{"its token came from elsewhere, in ", "elsewhere-in", "case", ""},
}

// happened words a fixed word of the journal or of a history; what names
// somebody keeps the name.
func happened(q *request, what string) string {
	if letter, ok := strings.CutPrefix(what, "letter "); ok {
		return aboutLetter(q, letter)
	}
	for _, phrase := range phrases {
		if named, ok := strings.CutPrefix(what, phrase.begins); ok {
			if phrase.group != "" {
				named = lower(pages.Name(q.words, phrase.group, named))
			}
			return q.words.Say("what."+phrase.key, phrase.place, named)
		}
	}
	return pages.Name(q.words, "what", what)
}

// aboutLetter words what the history of a request says of a letter: its number
// and what was done with it, and why where it is held.
func aboutLetter(q *request, said string) string {
	id, done, _ := strings.Cut(said, " ")
	done, why, _ := strings.Cut(done, ": ")
	if key := "what.letter-" + done; q.words.Has(key) {
		return q.words.Say(key, "letter", id, "why", lower(pages.Reason(q.words, why)))
	}
	return q.words.Say("what.letter-of", "letter", said)
}

// by names who did something.
func by(q *request, who string) string {
	if who == "" {
		return ""
	}
	if key := "who." + strings.ReplaceAll(who, " ", "-"); q.words.Has(key) {
		return q.words.Say(key)
	}
	return who
}

// visible gives a raw mail as text: octets that are no text are shown as such.
func visible(raw []byte) string {
	var b strings.Builder
	for len(raw) > 0 {
		r, size := utf8.DecodeRune(raw)
		switch {
		case r == '\r' && len(raw) > 1 && raw[1] == '\n':
		case r == '\n' || r == '\t':
			b.WriteRune(r)
		case r == utf8.RuneError && size == 1, r < ' ', r >= 0x7f && r < 0xa0, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
			b.WriteRune('·')
		default:
			b.WriteRune(r)
		}
		raw = raw[size:]
	}
	return b.String()
}
