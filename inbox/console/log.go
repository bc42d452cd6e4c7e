package console

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/cases"
	"push.guru/supportd/inbox/review"
	pages "push.guru/supportd/templates/console"
)

// logFilter reads what of the log is asked for.
func (s *Server) logFilter(q *request) (f review.LogFilter, err error) {
	v := q.URL.Query()
	if w := v.Get("what"); slices.Contains(review.Words(), w) {
		f.What = w
	}
	people, err := s.doers()
	if w := v.Get("who"); slices.Contains(people, w) {
		f.Who = w
	}
	about := strings.TrimSpace(v.Get("case"))
	if id, err := inbox.ParseMailID(about); err == nil {
		f.Case = id
	}
	if id, err := inbox.ParseActionID(about); err == nil {
		f.Action = id
	}
	if day, err := time.ParseInLocation(time.DateOnly, v.Get("from"), s.Zone); err == nil {
		f.From = day
	}
	if day, err := time.ParseInLocation(time.DateOnly, v.Get("to"), s.Zone); err == nil {
		f.To = day.AddDate(0, 0, 1)
	}
	return f, err
}

// doers lists by whom things are done.
func (s *Server) doers() ([]string, error) {
	all, err := s.Staff.List()
	out := []string{cases.Program, cases.Owner}
	for _, a := range all {
		out = append(out, a.Name)
	}
	return out, err
}

func logPage(s *Server, w http.ResponseWriter, q *request) error { return s.journal(w, q, nil) }

// verifyLog walks the whole chain, and shows what it found beside the log.
func verifyLog(s *Server, w http.ResponseWriter, q *request) error {
	want := strings.ToLower(strings.TrimSpace(q.PostFormValue("head")))
	out := &steady{w: w, c: http.NewResponseController(w)}
	f, err := s.Desk.Verify(q.Context(), want, out.alive)
	if err != nil {
		return err
	}
	return s.journal(w, q, &pages.Checked{Entries: int(f.Entries - f.Dropped), Dropped: int(f.Dropped), Forgotten: len(f.Forgotten), Head: f.Head, Broken: f.Broken, Missing: !f.Known})
}

func (s *Server) journal(w http.ResponseWriter, q *request, checked *pages.Checked) error {
	f, err := s.logFilter(q)
	if err != nil {
		return err
	}
	v := q.URL.Query()
	page, err := s.Desk.Log(f, review.Cursor(v.Get("after")), rowsAPage)
	if errors.Is(err, review.ErrCursor) {
		return errNoPage
	}
	if err != nil {
		return err
	}
	people, err := s.doers()
	if err != nil {
		return err
	}
	body := pages.Log{Checked: checked, Filters: []pages.Select{
		s.choice(q, "what", f.What, review.Words(), func(w string) string { return happened(q, w) }),
		s.choice(q, "who", f.Who, people, func(w string) string { return by(q, w) })}}
	body.Case, body.From, body.To = typed(f)
	for _, e := range page.Entries {
		body.Entries = append(body.Entries, entry(q, e))
	}
	at := func(path, name, value string) string {
		all := url.Values{}
		for k, v := range map[string]string{"what": f.What, "who": f.Who, "case": body.Case, "from": body.From, "to": body.To, name: value} {
			if v != "" {
				all.Set(k, v)
			}
		}
		return path + "?" + all.Encode()
	}
	body.CSV, body.JSON = at("/log/export", "format", review.FormatCSV), at("/log/export", "format", review.FormatJSONL)
	if page.Next != "" {
		body.More = at("/log", "after", string(page.Next))
	}
	return s.show(w, http.StatusOK, "log", s.frame(q, "log", body))
}

// typed gives a filter as it is typed into the form.
func typed(f review.LogFilter) (about, from, to string) {
	switch {
	case f.Case != 0:
		about = f.Case.String()
	case f.Action != 0:
		about = f.Action.String()
	}
	if !f.From.IsZero() {
		from = f.From.Format(time.DateOnly)
	}
	if !f.To.IsZero() {
		to = f.To.AddDate(0, 0, -1).Format(time.DateOnly)
	}
	return about, from, to
}

func entry(q *request, e review.LogEntry) pages.Entry {
	v := pages.Entry{Seq: e.Seq, At: e.At, What: happened(q, e.What), Who: by(q, e.Who), Detail: string(e.Detail)}
	if e.Case != 0 {
		v.Case = e.Case.String()
	}
	if e.Action != 0 {
		v.Action = e.Action.String()
	}
	return v
}

// exportLog hands the log over as a file, without what is personal in it.
func exportLog(s *Server, w http.ResponseWriter, q *request) error {
	f, err := s.logFilter(q)
	if err != nil {
		return err
	}
	kind, format := "text/csv; charset=utf-8", q.URL.Query().Get("format")
	switch format {
	case review.FormatCSV:
	case review.FormatJSONL:
		kind = "application/x-ndjson; charset=utf-8"
	default:
		return errNoPage
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", `attachment; filename="log-`+time.Now().In(s.Zone).Format("2006-01-02")+"."+format+`"`)
	out := &steady{w: w, c: http.NewResponseController(w)}
	if err := s.Desk.ExportLog(q.Context(), out, format, f); err != nil {
		if !out.begun {
			w.Header().Del("Content-Disposition")
			return err
		}
		s.Log.Error("console: an export broke off", "err", err)
		panic(http.ErrAbortHandler) // the browser must see that the file is not whole
	}
	return nil
}

// steady writes something long: each piece gets its own time.
type steady struct {
	w     http.ResponseWriter
	c     *http.ResponseController
	begun bool
}

// Write implements io.Writer. Nothing is a sign that it goes on.
func (o *steady) Write(b []byte) (int, error) {
	if err := o.alive(); err != nil || len(b) == 0 {
		return 0, err
	}
	o.begun = true
	return o.w.Write(b)
}

// alive gives the answer its time anew.
func (o *steady) alive() error {
	err := o.c.SetWriteDeadline(time.Now().Add(slowest))
	if errors.Is(err, http.ErrNotSupported) {
		return nil
	}
	return err
}

// receiptPage shows what an authority may be shown of a case.
func receiptPage(s *Server, w http.ResponseWriter, q *request) error {
	r, err := s.Desk.Receipt(q.mail)
	if err != nil {
		return err
	}
	body := pages.Receipt{Site: s.Site, Case: r.Case.String(), Made: r.Made, By: q.actor.Name, Received: r.Received, Sender: r.Sender, Mailbox: r.Mailbox,
		Evidence: r.Evidence.String(), Head: r.Head, HeadSeq: r.HeadSeq}
	for _, a := range r.Asked {
		item := pages.ReceiptItem{ID: a.Action.String(), State: string(a.State), Due: a.Due, Ended: a.Ended, Deadline: string(a.Deadline), Answered: a.Answered, AcknowledgeBy: a.AcknowledgeBy, Acknowledged: a.Acknowledged,
			Wants: s.wants(q, review.ActionView{Kind: a.Kind, Scope: a.Scope, Undo: a.Undo}, a.Fields)}
		for _, d := range a.Done {
			item.Done = append(item.Done, pages.Event{At: d.At, What: happened(q, d.What), Who: by(q, d.Who)})
		}
		body.Items = append(body.Items, item)
	}
	for _, l := range r.Letters {
		at := l.Sent
		if at.IsZero() {
			at = l.Created
		}
		body.Letters = append(body.Letters, pages.ReceiptLetter{What: pages.Name(q.words, "letters", l.Letter), State: string(l.State), By: by(q, l.By), At: at})
	}
	for _, e := range r.Entries {
		body.Entries = append(body.Entries, pages.ReceiptEntry{Seq: e.Seq, At: e.At, What: happened(q, e.What), Who: by(q, e.Who), Hash: e.Hash})
	}
	return s.show(w, http.StatusOK, "receipt", s.frame(q, "receipt", body))
}
