package classify

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/classify/answer"
	"push.guru/supportd/inbox/classify/lang"
)

// stopRules reads the words that call something off.
func stopRules() (*lang.Rules, error) {
	built, err := fs.Sub(rulesFS, "stops")
	if err != nil {
		return nil, fmt.Errorf("opening the words that stop: %w", err)
	}
	rules, err := lang.Load(built)
	if err != nil {
		return nil, fmt.Errorf("reading the words that stop: %w", err)
	}
	return rules, nil
}

// Stops tells what a message says, in its subject or text and beside anything
// else, against something that its writer asked for before. It means something
// only while there is something to stop.
//
// beside is what is left of the requests found when that is heeded: nothing
// when the message says nothing else, and never the delete that it calls off.
func (c *Classifier) Stops(m *inbox.Message, found inbox.Reading) (says inbox.Stop, beside []inbox.Request) {
	subject, reply := c.cleanSubject(m.Subject)
	if reply || len(m.InReplyTo) > 0 || m.Answers {
		subject = "" // not written by this person
	}
	body := capText(m.Text, maxText)
	s := newStopReader(c.newReader(subject, body))
	said := s.read()
	if said == unsaid && (slices.ContainsFunc(found.Requests, wantsBack) || !c.knowsStops(s.guess.Tag) && s.saysNo(body)) {
		said = maybe
	}
	beside = slices.DeleteFunc(slices.Clone(found.Requests), func(q inbox.Request) bool {
		return deletesAccount(q) && (s.callsOff(q) || said > maybe && !q.Certain)
	})
	says, alone := s.conclude(said, beside), s.alone()
	if says == inbox.StopAll && said == bare && !alone {
		says = inbox.StopMaybe
	}
	switch {
	case alone && says > inbox.StopMaybe && !slices.ContainsFunc(beside, notQuestion):
		beside = nil
	case len(beside) == 0:
		beside = []inbox.Request{s.question()}
	}
	return says, beside
}

// knowsStops tells whether there are words that stop of a language.
func (c *Classifier) knowsStops(tag string) bool { return slices.Contains(c.stops.Languages(), tag) }

func notQuestion(q inbox.Request) bool { return q.Kind != inbox.KindQuestion }

// said is what a part of a text says, each plainer than the one before.
type said int

const (
	unsaid said = iota
	maybe       // words that may mean a stop
	bare        // no, I changed my mind: plain when nothing else is said
	off         // stop, cancel
	spared      // do not delete, keep my account
)

// saysNo tells whether a text would be a no if it answered a question.
func (s *stopReader) saysNo(text string) bool {
	return answer.Read(s.c.rules, text, s.guess, true).Answer == inbox.AnswerNo
}

// conclude weighs what is said against what is asked for beside it: who surely
// asks for the delete, or says not to stop, does not mean a mere "no".
func (s *stopReader) conclude(said said, beside []inbox.Request) inbox.Stop {
	deletes := slices.ContainsFunc(beside, func(q inbox.Request) bool { return q.Certain && deletesAccount(q) })
	switch {
	case said == unsaid, said <= bare && (deletes || s.steady):
		return inbox.StopNone
	case said == maybe, deletes:
		return inbox.StopMaybe
	case said == spared:
		return inbox.StopDelete
	}
	return inbox.StopAll
}

// callsOff tells whether a request was read in words that call it off.
func (s *stopReader) callsOff(q inbox.Request) bool {
	for i, x := range s.pieces {
		within := func(words string) bool { return strings.Contains(s.t.Slice(x), words) }
		if s.saying[i] >= bare && slices.ContainsFunc(q.Because, within) {
			return true
		}
	}
	return false
}

// alone tells whether the text says nothing but what calls something off. A
// subject counts only when there is no text.
func (s *stopReader) alone() bool {
	body := s.bodyWords()
	for i, x := range s.pieces {
		if (x.From >= body.From || s.saying[i] != unsaid) && !s.speaks(x) {
			return false
		}
	}
	return true
}
