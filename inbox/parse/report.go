package parse

import (
	"net/mail"
	"strings"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/address"
)

const (
	maxReport    = 64 << 10 // bytes that are read of a report's fields
	maxOriginals = 20
)

// reportParts is what the walker saw of a report.
type reportParts struct {
	kind      string // delivery-status, disposition-notification or feedback-report
	action    string
	status    string
	recipient string
	detail    string
	originals []string
}

// embedded looks at a message/* part. It is an attachment; of a report it is
// also the evidence of which mail the report is about.
func (w *walker) embedded(c content, body []byte) {
	r := &w.report
	switch c.media {
	case "message/delivery-status", "message/global-delivery-status", "message/disposition-notification",
		"message/global-disposition-notification", "message/feedback-report":
		kind := strings.TrimPrefix(strings.TrimPrefix(c.media, "message/"), "global-")
		if r.kind == "" {
			r.kind = kind
		}
		r.fields(w.decodeReport(c, body))
	case "message/rfc822", "message/global", "message/rfc822-headers", "text/rfc822-headers", "message/global-headers", "message/partial":
		w.attach(c.media)
		h, _ := splitHeader([]byte(w.decodeReport(c, body)), maxReport)
		r.original(messageIDs(h.get("Message-Id")))
	default:
		w.attach(c.media)
	}
}

// decodeReport gives the first bytes of a part that describes another mail.
// It does not count as text: nobody is meant to read it.
func (w *walker) decodeReport(c content, body []byte) string {
	return w.decode(c, body[:min(len(body), maxReport)], maxReport)
}

func (r *reportParts) original(ids []string) {
	for _, id := range ids {
		if len(r.originals) < maxOriginals {
			r.originals = append(r.originals, id)
		}
	}
}

// fields reads the groups of fields of a report (RFC 3464, 8098, 5965). Of
// several recipients the first that failed counts, else the first.
func (r *reportParts) fields(s string) {
	rest := []byte(s)
	for groups := 0; len(rest) > 0 && groups < 100; groups++ {
		var h header
		h, rest = splitHeader(rest, maxReport)
		if len(h.fields) == 0 {
			continue
		}
		action := strings.ToLower(word1(h.get("Action")))
		if disposition := h.get("Disposition"); action == "" && disposition != "" {
			r.set(h, "", oneLine(disposition, 200))
		} else if action != "" && r.action != "failed" && (r.action == "" || action == "failed") {
			r.set(h, action, oneLine(h.get("Status")+" "+h.get("Diagnostic-Code"), 300))
		} else if kind := h.get("Feedback-Type"); kind != "" {
			r.set(h, "", oneLine("feedback: "+kind, 200))
		}
		r.original(messageIDs(h.get("Original-Message-Id")))
	}
}

func (r *reportParts) set(h header, action, detail string) {
	r.action, r.detail = action, detail
	if r.status = word1(h.get("Status")); r.status == "" {
		r.status = word1(h.get("Disposition"))
	}
	for _, name := range []string{"Final-Recipient", "Original-Recipient", "Original-Rcpt-To"} {
		if a := recipient(h.get(name)); a != "" {
			r.recipient = a
			return
		}
	}
}

func word1(s string) string {
	return first(strings.FieldsFunc(clean(s), func(r rune) bool { return r == ' ' || r == ';' || r == '(' || r == '\t' }))
}

// recipient reads "rfc822; a@b".
func recipient(v string) string {
	if _, after, ok := strings.Cut(v, ";"); ok {
		v = after
	}
	a, err := address.Canonical(strings.Trim(clean(v), "<> \t\""))
	if err != nil {
		return ""
	}
	return a
}

// found makes the Report of a mail, or nil. Parts say so, or else the text of
// a mail that a mail server sent.
func (w *walker) found(h header, m *inbox.Message) *inbox.Report {
	r := &w.report
	if r.kind == "" {
		return plainBounce(h, m, r.originals)
	}
	return &inbox.Report{
		Type:      r.kind,
		Failed:    r.kind == "delivery-status" && r.action == "failed",
		Originals: unique(r.originals),
		Recipient: r.recipient,
		Detail:    r.detail,
	}
}

func unique(s []string) []string {
	seen := map[string]bool{}
	var out []string
	for _, x := range s {
		if !seen[x] {
			seen[x] = true
			out = append(out, x)
		}
	}
	return out
}

// plainBounce recognises a delivery report in plain words. Both the sender
// and the words must be a machine's: people write about bounces, too.
func plainBounce(h header, m *inbox.Message, originals []string) *inbox.Report {
	if !machine(h, m) {
		return nil
	}
	text := strings.ToLower(m.Subject + "\n" + m.Whole[:min(len(m.Whole), 8<<10)])
	if !containsAny(text, failedWords) && !containsAny(text, delayedWords) {
		return nil
	}
	r := &inbox.Report{
		Type:      "delivery-status",
		Failed:    !containsAny(text, delayedWords),
		Originals: unique(append(originals, idsInText(m.Whole)...)),
		Detail:    oneLine(statusLine(m.Whole), 200),
	}
	if a := recipient(h.get("X-Failed-Recipients")); a != "" {
		r.Recipient = a
	}
	return r
}

// machine tells whether the mail comes from a mail server, by its header.
func machine(h header, m *inbox.Message) bool {
	if path := h.all("Return-Path"); len(path) > 0 && strings.Trim(path[0], " \t") == "<>" {
		return true
	}
	if h.get("X-Failed-Recipients") != "" {
		return true
	}
	from := m.From.Addr
	if from == "" {
		if a, err := mail.ParseAddress(h.get("From")); err == nil {
			from = a.Address
		} else {
			from = strings.TrimSpace(bare(h.get("From")))
		}
	}
	local, _, _ := strings.Cut(strings.ToLower(from), "@")
	return strings.HasPrefix(local, "mailer-daemon") || strings.HasPrefix(local, "mailerdaemon") || local == "mail-daemon" || local == "postmaster"
}

// failedWords are in mails that say that a delivery failed; delayedWords in
// those that say it is tried again.
var (
	failedWords = []string{
		"undeliver", "not be delivered", "delivery failed", "delivery failure", "failure notice", "delivery status notification (failure)",
		"returned mail", "returned to sender", "mail delivery failed", "could not deliver", "couldn't deliver", "couldn't be delivered",
		"unable to deliver", "permanent error", "permanent failure", "non-delivery", "nondeliverable", "message not delivered", "user unknown",
		"не доставлен", "не удается доставить", "не удаётся доставить", "недоставлен", "не может быть доставлен", "не удалось доставить",
		"жеткізілмеді", "жеткізу мүмкін", "unzustellbar", "nicht zugestellt", "nicht zustellbar", "non remis", "échec de la remise", "échec de remise",
		"no se pudo entregar", "no se ha podido entregar", "rebotado",
	}
	delayedWords = []string{
		"will be retried", "will continue to try", "warning message only", "delivery is delayed", "delivery delayed", "has been delayed",
		"delivery status notification (delay)", "not yet been delivered", "попытки доставки будут продолжены", "доставка задерживается",
	}
)

func containsAny(s string, words []string) bool {
	for _, w := range words {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

// idsInText finds the Message-ID lines of a header that was put into a text.
func idsInText(s string) []string {
	var ids []string
	for l := range strings.SplitSeq(s, "\n") {
		l = strings.TrimLeft(l, "> \t")
		if len(l) < 1000 && len(l) > 11 && strings.EqualFold(l[:11], "message-id:") && len(ids) < maxOriginals {
			ids = append(ids, messageIDs(l[11:])...)
		}
	}
	return ids
}

// statusLine finds the line of an SMTP reply: "550 5.1.1 User unknown".
func statusLine(s string) string {
	for l := range strings.SplitSeq(s, "\n") {
		for i := 0; i+3 < len(l); i++ {
			if (l[i] == '5' || l[i] == '4') && digit(l[i+1]) && digit(l[i+2]) && (l[i+3] == ' ' || l[i+3] == '-') && (i == 0 || !digit(l[i-1]) && l[i-1] != '.') {
				return l[i:]
			}
		}
	}
	return ""
}
