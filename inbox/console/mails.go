package console

import (
	"errors"
	"net/http"
	"net/url"
	"slices"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/review"
	"push.guru/supportd/inbox/staff"
	pages "push.guru/supportd/templates/console"
)

// maxRaw is how much of a raw mail is shown, in octets.
const maxRaw = 1 << 20

func mailsPage(s *Server, w http.ResponseWriter, q *request) error {
	v := q.URL.Query()
	f := review.MailFilter{}
	var states []string
	for _, st := range inbox.MailStates() {
		states = append(states, string(st))
	}
	if st := v.Get("state"); slices.Contains(states, st) {
		f.State = inbox.MailState(st)
	}
	if m := v.Get("mailbox"); slices.Contains(s.Mailboxes, m) {
		f.Mailbox = m
	}
	list, err := s.Desk.MailPage(f, review.Cursor(v.Get("after")), rowsAPage)
	if errors.Is(err, review.ErrCursor) {
		return errNoPage
	}
	if err != nil {
		return err
	}
	body := pages.Mails{Filters: []pages.Select{s.choice(q, "state", string(f.State), states, func(w string) string { return pages.Name(q.words, "mail", w) })}}
	if len(s.Mailboxes) > 1 {
		body.Filters = append(body.Filters, s.choice(q, "mailbox", f.Mailbox, s.Mailboxes, func(w string) string { return w }))
	}
	for _, m := range list.Mails {
		body.Mails = append(body.Mails, mailRow(q, m))
	}
	if list.Next != "" {
		body.More = "/mails?" + url.Values{"state": {string(f.State)}, "mailbox": {f.Mailbox}, "after": {string(list.Next)}}.Encode()
	}
	return s.show(w, http.StatusOK, "mails", s.frame(q, "mails", body))
}

func mailRow(q *request, m review.MailView) pages.Mail {
	row := pages.Mail{ID: m.ID.String(), Href: "/case/" + m.ID.String(), Received: m.Received, Mailbox: m.Mailbox, State: string(m.State), Reason: m.Reason}
	for _, a := range m.Actions {
		row.Actions = append(row.Actions, a.String())
	}
	again := m.State == inbox.MailQuarantined || (m.State == inbox.MailHeld || m.State == inbox.MailIgnored) && len(m.Actions) == 0
	row.Replay = again && q.actor.Role.May(staff.RightAct)
	return row
}

// replay processes a mail anew.
func replay(s *Server, w http.ResponseWriter, q *request) error {
	if err := s.Replay.Replay(q.Context(), q.mail, q.actor.Name); err != nil {
		return s.said(w, q, err)
	}
	http.Redirect(w, q.Request, "/case/"+q.mail.String()+"?done=replay", http.StatusSeeOther)
	return nil
}

// rawPage shows a mail as its server has it, as text and nothing else.
func rawPage(s *Server, w http.ResponseWriter, q *request) error {
	raw, err := s.Desk.Raw(q.Context(), q.mail)
	if err != nil {
		return s.said(w, q, err)
	}
	text := raw.Bytes
	cut := len(text) > maxRaw
	if cut {
		text = text[:maxRaw]
	}
	return s.show(w, http.StatusOK, "raw", s.frame(q, "raw", pages.Raw{Case: q.mail.String(), Text: visible(text), Cut: cut}))
}
