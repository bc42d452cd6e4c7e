package screen

import (
	_ "embed"
	"strings"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/address"
)

//go:embed words.txt
var wordsText string

// words are the phrases of words.txt.
var words = readWords(wordsText)

type phrases struct {
	bounceSubjects, bounceTexts, autoSubjects, awaySubjects, awayTexts, autoTexts, challengeSubjects, challengeTexts, complaintSubjects []string
}

// readWords reads the phrases. A section that nobody knows is a mistake in a
// file that is part of the program, so it panics; a test reads the file.
func readWords(text string) phrases {
	var p phrases
	sections := map[string]*[]string{
		"[bounce-subjects]": &p.bounceSubjects, "[bounce-texts]": &p.bounceTexts, "[auto-subjects]": &p.autoSubjects,
		"[away-subjects]": &p.awaySubjects, "[away-texts]": &p.awayTexts, "[auto-texts]": &p.autoTexts,
		"[challenge-subjects]": &p.challengeSubjects, "[challenge-texts]": &p.challengeTexts,
		"[complaint-subjects]": &p.complaintSubjects,
	}
	var section *[]string
	for l := range strings.SplitSeq(text, "\n") {
		l = strings.TrimSpace(l)
		switch {
		case l == "" || l[0] == '#':
		case l[0] == '[' && strings.HasSuffix(l, "]"):
			if section = sections[l]; section == nil {
				panic("words.txt: unknown section " + l)
			}
		default:
			*section = append(*section, l)
		}
	}
	return p
}

// maxText bounds how much of a text is compared.
const maxText = 4 << 10

// subject gives the subject in lower case. What marks an answer stays: a person
// who answers a bounce is no bounce.
func subject(m *inbox.Message) string {
	return strings.TrimSpace(strings.ToLower(m.Subject))
}

// text gives the beginning of the new text, or of all text when none is new,
// in lower case.
func text(m *inbox.Message) string {
	s := m.Text
	if s == "" {
		s = m.Whole
	}
	s = strings.ToLower(s[:min(len(s), maxText)])
	return strings.Join(strings.Fields(s), " ")
}

func startsWithAny(s string, starts []string) bool {
	for _, p := range starts {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

func containsAny(s string, parts []string) bool {
	for _, p := range parts {
		if strings.Contains(s, p) {
			return true
		}
	}
	return false
}

// labelled tells whether the phrase of an auto-reply stands before the subject
// of the mail that it answers.
func labelled(subject string) bool {
	head, _, ok := strings.Cut(subject, ":")
	return ok && len(strings.Fields(head)) <= 3
}

func bounceText(text string) bool { return containsAny(text, words.bounceTexts) }
func awayText(text string) bool   { return containsAny(text, words.awayTexts) }

// keyword gives the first word of a structured header, in lower case, without
// parameters and comments, which may also stand before it (RFC 3834 section 5);
// of what begins with neither word nor comment it gives what there is.
func keyword(v string) string {
	v = strings.ToLower(afterComments(v))
	if i := strings.IndexAny(v, "; (\t"); i > 0 {
		v = v[:i]
	}
	return v
}

// afterComments drops the blanks and comments (RFC 5322 section 3.2.2) before
// the first word. One that is not closed is no comment.
func afterComments(v string) string {
	for {
		v = strings.TrimSpace(v)
		n := comment(v)
		if n == 0 {
			return v
		}
		v = v[n:]
	}
}

// comment gives the length of the comment that a text begins with, with those
// inside it; 0 when it begins with none.
func comment(v string) int {
	if !strings.HasPrefix(v, "(") {
		return 0
	}
	for i, depth := 0, 0; i < len(v); i++ {
		switch v[i] {
		case '(':
			depth++
		case ')':
			depth--
		case '\\':
			i++
		}
		if depth == 0 {
			return i + 1
		}
	}
	return 0
}

func means(v string, words ...string) bool {
	k := keyword(v)
	for _, w := range words {
		if k == w {
			return true
		}
	}
	return false
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// rootIs tells whether the mail's own media type is the one given.
func rootIs(m *inbox.Message, media string) bool {
	return keyword(m.Header.Get("Content-Type")) == media
}

// ownList tells whether the list that a mail went through is one of our own
// mailboxes.
func ownList(c Config, m *inbox.Message) bool {
	for _, own := range c.Own {
		for _, v := range m.Header["List-Post"] {
			target, _, _ := strings.Cut(strings.Trim(v, "<> "), "?")
			if hasPrefixFold(target, "mailto:") && address.Equal(strings.Trim(target[len("mailto:"):], "<>, "), own) {
				return true
			}
		}
		for _, v := range m.Header["List-Id"] {
			if i := strings.LastIndexByte(v, '<'); i >= 0 && strings.EqualFold(strings.Trim(v[i:], "<> "), strings.Replace(own, "@", ".", 1)) {
				return true
			}
		}
	}
	return false
}

// statusCode tells whether a text holds the code of an SMTP failure: 550, or
// 5.1.1.
func statusCode(s string) bool {
	for _, w := range strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '(' || r == ')' || r == '#' || r == ':' || r == '-' }) {
		if len(w) >= 3 && w[0] == '5' && (len(w) == 3 && isDigit(w[1]) && isDigit(w[2]) || len(w) >= 5 && w[1] == '.' && isDigit(w[2]) && w[3] == '.') {
			return true
		}
	}
	return false
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// nullPath tells whether the envelope sender was empty, as far as the server
// that delivered the mail says.
func nullPath(m *inbox.Message) bool {
	v := m.Header["Return-Path"]
	return len(v) > 0 && strings.Join(strings.Fields(v[0]), "") == "<>"
}

// local gives the local part of the sender in lower case; of a sender that is
// not to be trusted what the From line seems to say.
func local(m *inbox.Message) string {
	a := m.From.Addr
	if a == "" {
		v := m.Header.Get("From")
		if i := strings.LastIndexByte(v, '<'); i >= 0 {
			v = v[i+1:]
		}
		a = strings.Trim(v, "<> ")
	}
	l, _, _ := strings.Cut(strings.ToLower(strings.TrimSuffix(a, "@"+address.DomainOf(a))), "@")
	return strings.Trim(l, `"`)
}

// unsigned takes the signs out of a local part that some put between its words.
var unsigned = strings.NewReplacer("-", "", "_", "", ".", "")

// daemon tells whether a local part is one of a mail server.
func daemon(local string) bool {
	local = unsigned.Replace(local)
	return strings.HasPrefix(local, "mailerdaemon") || strings.HasPrefix(local, "maildaemon") || local == "maildeliverysystem" ||
		local == "maildeliverysubsystem" || strings.HasPrefix(local, "bounce+") || local == "bounces" || local == "bounce"
}

func postmaster(local string) bool {
	return local == "postmaster" || local == "post_master" || local == "post-master"
}

// carriesMail tells whether another mail, or its header, is attached.
func carriesMail(m *inbox.Message) bool {
	for _, t := range m.Attachments {
		if t == "message/rfc822" || t == "text/rfc822-headers" {
			return true
		}
	}
	return false
}

// robot tells whether a local part says that nobody reads its mail.
func robot(local string) bool {
	local = unsigned.Replace(local)
	local, _, _ = strings.Cut(local, "+")
	switch local {
	case "noreply", "donotreply", "dontreply", "nichtantworten", "neotvechat", "noresponder", "nepasrepondre":
		return true
	}
	return daemon(local)
}

// calendarReply tells whether a mail with a calendar part is an answer to an
// invitation, which calendars send by themselves. An invitation that a person
// sent comes with a person's words and is read as any mail.
func calendarReply(m *inbox.Message) bool {
	if m.Text == "" {
		return true
	}
	return strings.Contains(m.Subject, ":") && signsOf(split(subject(m))).has("calendar-subject")
}
