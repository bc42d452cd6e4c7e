// Package screen finds the mails that must never be answered by a machine:
// bounces, auto-replies, list and bulk mail, spam, our own mail come back, and
// mail that names nobody to answer.
//
// An answer to one of them is how two machines begin to write to each other.
// A person taken for a machine gets no answer at all, which is as bad. So the
// standards decide first (RFC 3834, 3464, 8098, 5965, 2369). Half of the
// machines keep to none, and only their words give them away. But people write
// that they are on vacation and that a mail bounced, too. So the words of a
// mail count only where a machine's header, sender or form stands beside them,
// or where two independent signs begin a text that asks for nothing and says
// little else (signs.go). The words are data: words.txt has those of subjects
// and reports, signs.txt those of texts.
//
// Headers that prove nothing are not read as proof: X-Auto-Response-Suppress
// asks others not to auto-reply and stands on ordinary Exchange mail,
// List-Unsubscribe alone is added by some providers, Return-Path may be
// missing, and "Auto-Submitted: no" is a person.
//
// Our own mail is known by its Message-ID and by a mark that has it, too, for
// some servers replace Message-IDs; nobody can guess one, so nobody can make
// us overlook a mail. What else comes from our own addresses and domains is
// written by staff, or forged: nobody is answered, and staff see it
// ([Config.FromUs]).
package screen

import (
	"strings"
	"sync"

	"push.guru/supportd/inbox"
)

// Config says who we are. The zero value screens by the standards alone.
type Config struct {
	// Own lists the canonical addresses of our mailboxes and their aliases;
	// Domains the domains whose mail is for staff, in lower case, in ASCII.
	Own, Domains []string

	// Ours tells whether a Message-ID, without angle brackets, is one that we
	// made. nil: none is known.
	Ours func(messageID string) bool

	// SpamHeader is the header by which the mail server marks spam.
	SpamHeader SpamHeader
}

// check is one reason to screen.
type check struct {
	class inbox.Class
	find  func(Config, *view) string // why, for staff; "": not this one
}

// checks are asked in this order. What says most about the mail comes first:
// our own mail is a loop even when it also looks automatic, and a bounce is a
// bounce even when it also says that it is an auto-reply.
var checks = []check{
	{inbox.ClassMalformed, malformed},
	{inbox.ClassLoop, loop},
	{inbox.ClassBounce, bounce},
	{inbox.ClassAutoReply, autoReply},
	{inbox.ClassList, list},
	{inbox.ClassBulk, bulk},
	{inbox.ClassSpam, spam},
	{inbox.ClassNoSender, noSender},
}

// Check says why a mail must not be answered, and on what evidence, in words
// for staff that name nobody. ClassNone means that it may be answered.
func (c Config) Check(m *inbox.Message) (inbox.Class, string) {
	v := newView(m)
	for _, k := range checks {
		if why := k.find(c, v); why != "" {
			return k.class, why
		}
	}
	return byWords(v)
}

// view is a mail as the checks see it. What many of them ask for is found once.
type view struct {
	*inbox.Message
	local     string // part of the sender
	text      func() string
	sentences func() []sentence
	asks      func() bool
}

func newView(m *inbox.Message) *view {
	v := &view{Message: m, local: local(m)}
	v.text = sync.OnceValue(func() string { return text(m) })
	v.sentences = sync.OnceValue(func() []sentence { return sentences(m) })
	v.asks = sync.OnceValue(func() bool { return personal(v.sentences()) })
	return v
}

// CheckForm is Check for a Message that a form of the site's made of what a
// person wrote into it. The header is that of the form, which is a machine, and
// its words are the form's in part: only what the border, the program itself
// and the person's address say counts.
func (c Config) CheckForm(m *inbox.Message) (inbox.Class, string) {
	v := newView(m)
	if why := loop(c, v); why != "" {
		return inbox.ClassLoop, why
	}
	if why := spam(c, v); why != "" {
		return inbox.ClassSpam, why
	}
	if m.From.Addr != "" && robot(v.local) && c.AuthorOfUs(m) == "" {
		return inbox.ClassNoSender, "the address in the form says by its name that it takes no mail"
	}
	return inbox.ClassNone, ""
}

// malformed finds what is no mail: nothing that mails have could be read.
func malformed(_ Config, m *view) string {
	if len(m.Header) == 0 && m.From.Addr == "" && m.Subject == "" && m.ID == "" {
		return "no mail header could be read"
	}
	return ""
}

// receipt is the type of a report that a mail was read: an auto-reply, and no
// failure of anything.
const receipt = "disposition-notification"

func bounce(_ Config, m *view) string {
	if r := m.Report; r != nil && r.Type != receipt {
		return "it is a report: " + r.Type
	}
	if m.Report == nil && rootIs(m.Message, "multipart/report") {
		return "it is a report (multipart/report)"
	}
	if nullPath(m.Message) && m.Report == nil {
		return "the return path is empty"
	}
	if len(m.Header["X-Failed-Recipients"]) > 0 {
		return "X-Failed-Recipients names who did not get a mail"
	}
	if daemon(m.local) {
		return "a mail server wrote it, by its sender's name"
	}
	if postmaster(m.local) && bounceText(m.text()) && (carriesMail(m.Message) || statusCode(m.text())) {
		return "a mail server's keeper returns a mail"
	}
	if carriesMail(m.Message) && startsWithAny(subject(m.Message), words.complaintSubjects) {
		return "a provider passes on a complaint"
	}
	if startsWithAny(subject(m.Message), words.bounceSubjects) && (automatic(m.Message) != "" || robot(m.local) || bounceText(m.text()) && (carriesMail(m.Message) || statusCode(m.text()))) {
		return "subject and form are those of a bounce"
	}
	return ""
}

func autoReply(_ Config, m *view) string {
	if m.Report != nil && m.Report.Type == receipt {
		return "it is a receipt that a mail was read"
	}
	if why := automatic(m.Message); why != "" {
		return why
	}
	for _, t := range m.Attachments {
		if t == "text/calendar" && calendarReply(m.Message) {
			return "it is an answer to an invitation"
		}
	}
	if rootIs(m.Message, "text/calendar") {
		return "it is a calendar message"
	}
	s := subject(m.Message)
	switch {
	case startsWithAny(s, words.autoSubjects) && (labelled(s) || !m.asks()):
		return "the subject is that of an auto-reply"
	case m.asks():
		return ""
	case startsWithAny(s, words.awaySubjects) && awayText(m.text()):
		return "subject and text are those of an auto-reply"
	case startsWithAny(m.text(), words.autoTexts):
		return "the text is that of an auto-reply"
	case startsWithAny(s, words.challengeSubjects) && containsAny(m.text(), words.challengeTexts):
		return "it asks to prove that the sender of a mail is no machine"
	}
	return ""
}

// automatic finds the headers by which a machine says that it is one.
func automatic(m *inbox.Message) string {
	for _, v := range m.Header["Auto-Submitted"] {
		switch k := keyword(v); k {
		case "", "no":
		case "auto-replied", "auto-generated", "auto-notified":
			return "Auto-Submitted: " + k
		default: // any word of the sender's
			return "Auto-Submitted is set, and not to no"
		}
	}
	for _, name := range []string{"X-Autoreply", "X-Autorespond", "X-Autoresponder", "X-Auto-Reply", "X-Mail-Autoreply", "X-Autogenerated",
		"X-Vacation", "X-Auto-Submitted", "X-Autosubmitted", "X-Fc-Machinegenerated", "X-Autoreply-From", "X-Autorespond-From", "X-Autoreply-Domain",
		"X-Boxtrapper", "X-Ham-Challenge", "X-Challenge", "X-Tmda-Fingerprint", "X-Cron-Env"} {
		if v, ok := m.Header[name]; ok && !means(v[0], "no", "none", "false", "0") {
			return name + " is set"
		}
	}
	for _, v := range m.Header["Precedence"] {
		if means(v, "auto_reply", "auto-reply", "autoreply") {
			return "Precedence: auto_reply"
		}
	}
	if v := m.Header.Get("X-Ms-Exchange-Generated-Message-Source"); v != "" {
		return "X-MS-Exchange-Generated-Message-Source is set"
	}
	return ""
}

// list finds the headers that mailing lists add. List-Unsubscribe is not
// among them: it alone is no proof. Where our mailbox is itself the address of
// a group, every mail to it has them, and they say nothing.
func list(c Config, m *view) string {
	if ownList(c, m.Message) {
		return ""
	}
	for _, name := range []string{"List-Id", "List-Post", "List-Owner", "List-Archive", "List-Subscribe", "X-Mailing-List", "Mailing-List",
		"X-Mailman-Version", "X-Google-Group-Id"} {
		for _, v := range m.Header[name] {
			if strings.TrimSpace(v) != "" {
				return name + " is set"
			}
		}
	}
	for _, v := range m.Header["Precedence"] {
		if means(v, "list") {
			return "Precedence: list"
		}
	}
	return ""
}

// bulk finds mass mail: by Precedence, or by List-Unsubscribe beside another
// sign of a mass mailing.
func bulk(_ Config, m *view) string {
	for _, v := range m.Header["Precedence"] {
		for _, k := range []string{"bulk", "junk"} {
			if means(v, k) {
				return "Precedence: " + k
			}
		}
	}
	if len(m.Header["List-Unsubscribe"]) == 0 {
		return ""
	}
	if len(m.Header["List-Unsubscribe-Post"]) > 0 {
		return "it can be unsubscribed from with one click, as mass mail can"
	}
	for _, name := range []string{"Feedback-Id", "X-Campaign", "X-Campaign-Id", "X-Mailgun-Sid", "X-Mc-User", "X-Bulkmail"} {
		if len(m.Header[name]) > 0 {
			return "List-Unsubscribe and " + name + " are set, as on mass mail"
		}
	}
	if robot(m.local) {
		return "List-Unsubscribe is set, and the sender takes no mail"
	}
	return ""
}

// noSender finds mails with nobody to answer. A sender who is only suspicious
// has an address, and is for staff; so is a robot of our own house, which may
// be a contact form that nobody has told us of.
func noSender(c Config, m *view) string {
	if robot(m.local) && c.FromUs(m.Message) == "" {
		return "the sender says by its name that it takes no mail"
	}
	if m.From.Addr != "" {
		return ""
	}
	for _, v := range m.Header["From"] {
		if strings.Contains(v, "@") {
			return ""
		}
	}
	return "no sender that could be answered"
}
