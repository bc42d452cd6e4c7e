package screen

import (
	"slices"

	"push.guru/supportd/inbox"
)

// reading is a kind of automatic mail that its words give away: the first
// sign and one of the others. Without others the first is enough. The signs
// are the sections of signs.txt, and "answers": the mail answers another.
type reading struct {
	class  inbox.Class
	first  string
	others []string
	unless []string // signs that speak against it
	why    string   // for staff
}

// Signs that speak against readings. Machines that guard a mailbox talk in its
// owner's name; the others do not, and none has our matters for its topic.
var (
	talk   = []string{"talk"}
	own    = []string{"talk", "me"}
	story  = []string{"talk", "topic"}
	office = []string{"talk", "topic", "me"}
)

// set holds signs, a bit for each.
type set uint64

// answering is the sign that is no phrase: the mail answers another.
const answering = "answers"

func (s set) has(sign string) bool { return s&known.sets[sign] != 0 }

func (s set) any(of []string) bool { return slices.ContainsFunc(of, s.has) }

// readings are asked in this order.
var readings = []reading{
	{inbox.ClassBounce, "full", []string{"failed", "robot"}, talk, "it says that a mailbox is full"},
	{inbox.ClassAutoReply, "sure", nil, talk, "it says that a machine wrote it"},
	{inbox.ClassAutoReply, "away", []string{"back", "instead", "unread", "robot", "answers"}, story, "it says that somebody is away, and no more"},
	{inbox.ClassAutoReply, "closed", []string{"back", "instead", "soon", "robot"}, office, "it says that an office is closed, and no more"},
	{inbox.ClassAutoReply, "left", []string{"instead", "unread", "robot"}, talk, "it says that nobody reads an address any more"},
	{inbox.ClassAutoReply, "left", []string{"address"}, own, "it says that nobody reads an address any more"},
	{inbox.ClassAutoReply, "unread", []string{"instead", "robot"}, own, "it says that nobody reads an address"},
	{inbox.ClassAutoReply, "received", []string{"ticket", "soon", "robot"}, talk, "it confirms that a mail has arrived"},
	{inbox.ClassAutoReply, "ticket", []string{"soon", "robot"}, talk, "it gives the number of a ticket"},
	{inbox.ClassAutoReply, "challenge", []string{"prove"}, nil, "it asks to prove that the sender of a mail is no machine"},
	{inbox.ClassAutoReply, "subscribe", []string{"unasked", "robot"}, talk, "it asks to confirm a subscription"},
	{inbox.ClassAutoReply, "read-subject", []string{"read-text"}, own, "it says that a mail was read"},
	{inbox.ClassAutoReply, "calendar-subject", []string{"calendar-text"}, talk, "it answers an invitation"},
}

const (
	maxBefore = 25  // words before the first sign; behind more of them a person has begun
	maxBeside = 120 // words of sentences without a sign; more than these no machine says
)

// byWords finds the automatic mails that only their words give away. A mail
// that asks for something, or talks as people do, is a person's, whatever else
// it says; so is one that begins with something else or has much beside it.
func byWords(m *view) (inbox.Class, string) {
	if m.asks() {
		return inbox.ClassNone, ""
	}
	found := signsOf(m.sentences())
	if len(m.InReplyTo)+len(m.References) > 0 {
		found |= known.sets[answering]
	}
	for _, r := range readings {
		if found.has(r.first) && !found.any(r.unless) && (r.others == nil || found.any(r.others)) {
			return r.class, r.why
		}
	}
	return inbox.ClassNone, ""
}

// personal tells whether a mail asks for something, or talks as people do.
func personal(all []sentence) bool {
	const short = 6 // words with the marks of beginning and end: a subject like "Man or machine?" asks for nothing
	for i := range all {
		s := &all[i]
		if signs := s.signs(); signs.has("person") || s.question && (!s.subject || len(s.words) > short) && !signs.has("offer") {
			return true
		}
	}
	return false
}

// signsOf gives the signs that a mail shows, as far as they are what it is
// about.
func signsOf(all []sentence) set {
	found, begun, beside := set(0), false, 0
	for i := range all {
		s := &all[i]
		signs := s.signs()
		found |= signs
		switch {
		case s.subject:
		case signs != 0:
			begun = true
		default:
			beside += len(s.words)
		}
		if beside > maxBeside || !begun && beside > maxBefore {
			return 0
		}
	}
	return found
}
