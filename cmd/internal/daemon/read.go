package daemon

import (
	"bytes"
	"cmp"
	"context"
	"log/slog"
	netmail "net/mail"
	"strings"
	"time"

	"push.guru/supportd/cmd/internal/config"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/classify"
	"push.guru/supportd/inbox/intake"
	"push.guru/supportd/inbox/parse"
	"push.guru/supportd/inbox/screen"
	"push.guru/supportd/inbox/sender"
)

// Reading is what the daemon would understand of a mail.
type Reading struct {
	File     string          `json:"file"`
	From     string          `json:"from"`
	Language string          `json:"language"`
	Screened inbox.Class     `json:"screened"`
	Why      string          `json:"why,omitempty"` // of Screened, or why staff decide although it is not: the author is not certain, or one of us
	Evidence inbox.Evidence  `json:"evidence"`
	Text     string          `json:"text"`
	Answer   inbox.Answer    `json:"answer"`
	Partial  bool            `json:"partial,omitempty"`
	Requests []inbox.Request `json:"requests"`
}

// Reader understands mails without storing or sending anything. It does not
// know in which mailbox a mail lay, so the forms of all of them count.
type Reader struct {
	forms      []parse.Form
	screen     screen.Config
	classifier *classify.Classifier
	sender     *sender.Checker
}

// NewReader makes a Reader; without a configuration it has the defaults and
// believes no Authentication-Results.
func NewReader(cfg *config.Config) (*Reader, error) {
	if cfg == nil {
		c, err := classify.New(classify.Options{Region: "KZ", Languages: []string{"en", "ru", "kk"}})
		if err != nil {
			return nil, err
		}
		s, err := sender.New(sender.Config{})
		return &Reader{classifier: c, sender: s}, err
	}
	p, err := newParts(cfg, Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	r := &Reader{screen: screening(cfg), classifier: p.classifier, sender: p.sender}
	for _, m := range cfg.Mailboxes {
		r.forms = append(r.forms, m.Forms...)
	}
	return r, nil
}

func (r *Reader) evidence(ctx context.Context, raw []byte, m *inbox.Message, form bool) inbox.Evidence {
	if form {
		return intake.ByForm()
	}
	e, err := r.sender.Evidence(ctx, raw, m, arrival(raw))
	if err != nil {
		return inbox.Evidence{Why: "DNS did not answer: the mail would be deferred"}
	}
	return e
}

// Read understands one mail. file names it in the result.
func (r *Reader) Read(ctx context.Context, file string, raw []byte) Reading {
	m, form := parse.FormMessage(raw, parse.Options{}, r.forms)
	out := Reading{File: file, From: m.From.Addr, Text: m.Text, Requests: []inbox.Request{}}
	read := r.classifier.Read(m)
	out.Language = read.Language
	check, fromUs := r.screen.Check, r.screen.FromUs
	if form {
		check, fromUs = r.screen.CheckForm, r.screen.AuthorOfUs
	}
	out.Screened, out.Why = check(m)
	out.Evidence = r.evidence(ctx, raw, m, form)
	if out.Screened != inbox.ClassNone {
		return out
	}
	out.Answer, out.Partial = read.Answer, read.Partial
	if read.Requests != nil {
		out.Requests = read.Requests
	}
	if out.Why = cmp.Or(m.FromFault, fromUs(m)); out.Why != "" {
		for i := range out.Requests {
			out.Requests[i].Certain = false
		}
	}
	return out
}

// arrival gives the time at which a mail that was kept in a file arrived, as
// the uppermost of the servers on its way says. One that no server handed on
// arrives now.
func arrival(raw []byte) time.Time {
	m, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return time.Now()
	}
	received := m.Header.Get("Received")
	at, err := netmail.ParseDate(strings.TrimSpace(received[strings.LastIndexByte(received, ';')+1:]))
	if err != nil {
		return time.Now()
	}
	return at
}
