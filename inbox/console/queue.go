package console

import (
	"bytes"
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/deadline"
	"push.guru/supportd/inbox/policy"
	"push.guru/supportd/inbox/review"
	"push.guru/supportd/inbox/state"
	"push.guru/supportd/templates"
	pages "push.guru/supportd/templates/console"
)

// rowsAPage is how many lines a page of a list has.
const rowsAPage = 50

// asked is what of the queue somebody asks for, as it stands in the address:
// words of ours only.
type asked struct {
	kind, state, language, mailbox, deadline, mine string
	after                                          review.Cursor
}

// filtered tells whether it is less than all.
func (a asked) filtered() bool { a.after = ""; return a != asked{} }

// deadlines are the words of the filter by deadline.
func deadlines() []string { return []string{"late", "today", "week"} }

// queueStates are the states that something in the queue can have.
func queueStates() []string {
	return []string{string(inbox.StateReview), string(inbox.StateHeld), string(inbox.StateFailed), string(review.StateLetters), waiting}
}

// waiting stands in the filter by state for what goes on by itself.
const waiting = "waiting"

// ask reads what is asked for; what is no word of ours counts as nothing.
func (s *Server) ask(q *request) asked {
	v := q.URL.Query()
	one := func(name string, known []string) string {
		if w := v.Get(name); slices.Contains(known, w) {
			return w
		}
		return ""
	}
	return asked{kind: one("kind", review.Labels()), state: one("state", queueStates()), language: spoken(v.Get("language")),
		mailbox: one("mailbox", s.Mailboxes), deadline: one("deadline", deadlines()), mine: one("mine", []string{"me", "nobody"}), after: review.Cursor(v.Get("after"))}
}

// spoken gives the language that a filter names, as tags begin with it; "" when
// it is none.
func spoken(tag string) string {
	if base, err := language.ParseBase(tag); err != nil || base.String() != tag {
		return ""
	}
	return tag
}

// tongue names a language: in our words, or as is usual in the reader's.
func tongue(q *request, tag string) string {
	if q.words.Has("language." + tag) {
		return q.words.Say("language." + tag)
	}
	name := display.Languages(language.Make(q.lang)).Name(language.Make(tag))
	return cmp.Or(strings.TrimSuffix(name, " тілі"), tag) // Kazakh: our words do without "language", too
}

// address gives the address of the queue with this filter.
func (a asked) address(path string) string {
	v := url.Values{}
	for name, value := range map[string]string{"kind": a.kind, "state": a.state, "language": a.language, "mailbox": a.mailbox, "deadline": a.deadline, "mine": a.mine, "after": string(a.after)} {
		if value != "" {
			v.Set(name, value)
		}
	}
	if len(v) == 0 {
		return path
	}
	return path + "?" + v.Encode()
}

// filter gives the Desk's filter.
func (s *Server) filter(q *request, a asked) review.QueueFilter {
	f := review.QueueFilter{Kind: a.kind, State: inbox.State(a.state), Language: a.language, Mailbox: a.mailbox, Unassigned: a.mine == "nobody"}
	if a.state == waiting {
		f.State, f.Waiting = "", true
	}
	if a.mine == "me" { // also what goes on by itself
		f.Assignee, f.All = q.actor.Name, a.state == ""
	}
	now := time.Now().In(s.Zone)
	midnight := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, s.Zone)
	switch a.deadline {
	case "late":
		f.DueBefore = now
	case "today":
		f.DueBefore = midnight.AddDate(0, 0, 1)
	case "week":
		f.DueBefore = midnight.AddDate(0, 0, 7)
	}
	return f
}

func queuePage(s *Server, w http.ResponseWriter, q *request) error {
	f, err := s.queue(q)
	if err != nil {
		return err
	}
	if body, ok := f.Body.(pages.Queue); ok && body.Live != "" {
		var rows bytes.Buffer
		if err := s.pages.RenderRows(&rows, f); err != nil {
			return err
		}
		body.Live = withSeen(body.Live, s.live.mark(rows.Bytes()))
		f.Body = body
	}
	return s.show(w, http.StatusOK, "queue", f)
}

// withSeen adds the mark of what a page shows to the address that keeps it up to
// date.
func withSeen(address, mark string) string {
	if strings.Contains(address, "?") {
		return address + "&seen=" + mark
	}
	return address + "?seen=" + mark
}

// queue makes the page of the queue.
func (s *Server) queue(q *request) (pages.Frame, error) {
	a := s.ask(q)
	list, err := s.Desk.Queue(s.filter(q, a), a.after, rowsAPage)
	if errors.Is(err, review.ErrCursor) {
		return pages.Frame{}, errNoPage
	}
	if err != nil {
		return pages.Frame{}, err
	}
	n, err := s.Desk.Counts()
	if err != nil {
		return pages.Frame{}, err
	}
	languages, err := s.Desk.Languages()
	if err != nil {
		return pages.Frame{}, err
	}
	if a.language != "" && !slices.Contains(languages, a.language) {
		languages = append(languages, a.language)
	}
	handed, err := s.handed(q, a)
	if err != nil {
		return pages.Frame{}, err
	}
	body := pages.Queue{Filtered: a.filtered(), Filters: s.filters(q, a, languages), Listing: pages.Listing{Handed: s.rows(q, handed), Counts: counts(q, n, a), Rows: s.rows(q, list.Rows)}}
	if s.Revision != nil {
		body.Live = a.address(livePath)
	}
	if list.Next != "" {
		more := a
		more.after = list.Next
		body.More = more.address("/queue")
	}
	if a.after != "" {
		first := a
		first.after = ""
		body.First = first.address("/queue")
	}
	return s.frame(q, "queue", body), nil
}

// mostHanded is how many lines of what was handed over to somebody stand above
// their queue.
const mostHanded = 5

// handed lists what was handed over to whoever asks, also what goes on by itself;
// it stands above the queue where that begins and holds everything.
func (s *Server) handed(q *request, a asked) ([]review.QueueRow, error) {
	if a != (asked{}) {
		return nil, nil
	}
	page, err := s.Desk.Queue(review.QueueFilter{All: true, Assignee: q.actor.Name}, "", mostHanded)
	return page.Rows, err
}

// rows words the lines of the queue.
func (s *Server) rows(q *request, rows []review.QueueRow) []pages.Row {
	var out []pages.Row
	for _, r := range rows {
		row := pages.Row{Href: "/case/" + r.Case.String(), Case: r.Case.String(), Wants: s.wants(q, r.ActionView, r.Fields), State: string(r.State),
			Why: r.Error, Asked: r.Received, Due: r.Due, Tone: tone(r.ActionView), Evidence: r.Evidence.String(), To: r.Assignee, Mailbox: r.Mailbox, Who: cmp.Or(r.Name, r.From), Subject: policy.StripTags(r.Subject)}
		if r.ID != 0 {
			row.Href += "#" + r.ID.String()
		}
		if row.State == "" {
			row.State = string(review.StateLetters)
		}
		out = append(out, row)
	}
	return out
}

// tone tells how near a deadline is, by the law's clock.
func tone(v review.ActionView) string {
	switch {
	case v.Still:
		return "still"
	case v.Risk == deadline.RiskNone:
		return ""
	}
	return string(v.Risk)
}

// wants says in a few words what somebody asks for.
func (s *Server) wants(q *request, v review.ActionView, fields []inbox.Field) string {
	key := "wants." + strings.ReplaceAll(v.Label(), " ", "-")
	switch {
	case v.Kind == inbox.KindQuestion && v.Topic != "" && q.words.Has("wants."+string(v.Topic)):
		key = "wants." + string(v.Topic)
	case v.Kind == "":
		key = "wants.letter"
	case slices.Equal(fields, []inbox.Field{inbox.FieldEmail}) && v.Kind == inbox.KindChange:
		key = "wants.mailto"
	}
	return q.words.Say(key, "what", s.list(q, fields))
}

// list names fields for a sentence.
func (s *Server) list(q *request, fields []inbox.Field) string {
	var names []string
	for _, f := range fields {
		if name := lower(s.field(q, f)); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	switch n := len(names); n {
	case 0:
		return q.words.Say("wants.details")
	case 1:
		return names[0]
	default:
		return q.words.Say("list.and", "first", strings.Join(names[:n-1], ", "), "last", names[n-1])
	}
}

// field names a field: in the site's words, ours, or as it is called.
func (s *Server) field(q *request, f inbox.Field) string {
	return s.label(q, "", f, "field", string(f))
}

func (s *Server) label(q *request, place string, f inbox.Field, group, bare string) string {
	if s.Label != nil {
		if l := templates.Plain(s.Label(place, f, q.lang)); l != "" {
			return l
		}
	}
	return templates.Plain(pages.Name(q.words, group, bare))
}

// lower begins a name with a small letter, but not an abbreviation.
func lower(s string) string {
	runes := []rune(s)
	if len(runes) > 1 && strings.ToUpper(string(runes[1])) == string(runes[1]) && strings.ToLower(string(runes[1])) != string(runes[1]) {
		return s
	}
	if len(runes) > 0 {
		return strings.ToLower(string(runes[0])) + string(runes[1:])
	}
	return s
}

// counts are the numbers above the queue; each shows what it counts.
func counts(q *request, n state.Tallies, now asked) []pages.Count {
	var out []pages.Count
	add := func(key, tone string, n int, a asked) {
		a.after, now.after = "", ""
		out = append(out, pages.Count{Label: q.words.Say("queue." + key), N: n, Href: a.address("/queue"), On: a == now, Tone: tone})
	}
	add("all", "", n.Now, asked{})
	for _, st := range []inbox.State{inbox.StateReview, inbox.StateHeld, inbox.StateFailed} {
		if a := (asked{state: string(st)}); n.States[st] > 0 || now.state == a.state {
			add(string(st), map[bool]string{true: "red"}[st == inbox.StateFailed], n.States[st], a)
		}
	}
	add("waiting", "", n.Self, asked{state: waiting})
	if aside := n.Mails[inbox.MailQuarantined]; aside > 0 {
		out = append(out, pages.Count{Label: q.words.Say("queue.quarantined"), N: aside, Href: "/mails?state=quarantined", Tone: "red"})
	}
	for _, quick := range []struct {
		key string
		a   asked
	}{{"late", asked{deadline: "late"}}, {"today", asked{deadline: "today"}}, {"mine", asked{mine: "me"}}} {
		add(quick.key, "", -1, quick.a)
	}
	return out
}

// filters are the lists above the queue; languages are those of what is open.
func (s *Server) filters(q *request, a asked, languages []string) []pages.Select {
	out := []pages.Select{
		s.choice(q, "kind", a.kind, review.Labels(), func(w string) string { return pages.Name(q.words, "kind", strings.ReplaceAll(w, " ", "-")) }),
		s.choice(q, "state", a.state, queueStates(), func(w string) string { return pages.Name(q.words, "state", w) }),
		s.choice(q, "language", a.language, languages, func(w string) string { return tongue(q, w) }),
	}
	if len(s.Mailboxes) > 1 {
		out = append(out, s.choice(q, "mailbox", a.mailbox, s.Mailboxes, func(w string) string { return w }))
	}
	return append(out, s.choice(q, "deadline", a.deadline, deadlines(), func(w string) string { return pages.Name(q.words, "filter.deadline", w) }),
		s.choice(q, "mine", a.mine, []string{"me", "nobody"}, func(w string) string { return pages.Name(q.words, "filter.mine", w) }))
}

func (s *Server) choice(q *request, name, on string, values []string, label func(string) string) pages.Select {
	out := pages.Select{Name: name, Label: pages.Name(q.words, "filter", name), Options: []pages.Option{{Value: "", Label: q.words.Say("filter.any"), On: on == ""}}}
	for _, v := range values {
		out.Options = append(out.Options, pages.Option{Value: v, Label: label(v), On: v == on})
	}
	return out
}
