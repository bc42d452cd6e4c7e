package classify

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"unicode/utf8"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/classify/answer"
	"push.guru/supportd/inbox/classify/lang"
)

//go:embed rules/*.txt stops/*.txt
var rulesFS embed.FS

// maxText bounds the bytes of new text that are read. maxSubject bounds the
// subject's.
const (
	maxText    = 16 << 10
	maxSubject = 500
)

// Options say what a Classifier takes for granted.
type Options struct {
	// Region is the two-letter code of the country for telephone numbers
	// without a country code; "" tells no such number.
	Region string
	// Languages of the site; the first is preferred where words belong to
	// several languages.
	Languages []string
	// Overlay holds the operator's rule files (ru.txt, …), which add to the
	// ones built in; nil is none.
	Overlay fs.FS
	// Fields holds what people call fields besides the words of the rule files,
	// by language: those that only this site has, above all. An entry is written
	// as in a rule file. Languages without a rule file are left out.
	Fields map[string]map[inbox.Field][]string
}

// Classifier reads messages. It is safe for concurrent use.
type Classifier struct {
	opt   Options
	rules *lang.Rules
	stops *lang.Rules // what calls off something that was asked for before
}

// builtIn gives the rules of the built-in files, which are read once a process:
// nothing changes them.
var builtIn = sync.OnceValues(func() (*lang.Rules, error) { return load(nil) })

// load reads the built-in files and those that add to them.
func load(fields map[string]map[inbox.Field][]string, overlays ...fs.FS) (*lang.Rules, error) {
	built, err := fs.Sub(rulesFS, "rules")
	if err != nil {
		return nil, fmt.Errorf("opening the built-in rule files: %w", err)
	}
	more := map[string]map[lang.Concept][]string{}
	for tag, words := range fields {
		more[tag] = map[lang.Concept][]string{}
		for f, list := range words {
			more[tag][lang.FieldPrefix+lang.Concept(f)] = list
		}
	}
	return lang.LoadWith(more, append([]fs.FS{built}, overlays...)...)
}

// New reads the rule files. The error joins every fault in them, each naming
// file and line.
func New(opt Options) (*Classifier, error) {
	rules, err := builtIn()
	switch {
	case opt.Overlay != nil:
		rules, err = load(opt.Fields, opt.Overlay)
	case len(opt.Fields) > 0:
		rules, err = load(opt.Fields)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the rule files of the classifier: %w", err)
	}
	stops, err := stopRules()
	if err != nil {
		return nil, err
	}
	opt.Region = strings.ToUpper(opt.Region)
	return &Classifier{opt: opt, rules: rules, stops: stops}, nil
}

// Read tells what a message asks. It never fails: what it does not understand
// is a question. Every Because is a part of the text or of the subject. When
// the mail hid text from its reader, nothing is certain and no yes is read.
func (c *Classifier) Read(m *inbox.Message) inbox.Reading {
	subject, reply := c.cleanSubject(m.Subject)
	reply = reply || len(m.InReplyTo) > 0 || m.Answers
	if reply {
		subject = "" // not written by this person
	}
	body := capText(m.Text, maxText)
	r := c.newReader(subject, body)
	r.from = m.From.Addr
	r.hidden = m.Hidden
	var a answer.Reading
	if strings.TrimSpace(body) != "" {
		a = answer.Read(c.rules, body, r.guess, reply)
		if a.Answer == inbox.AnswerYes && (!reply || m.Hidden) {
			a = answer.Reading{}
		}
		if a.Answer != inbox.AnswerNone {
			return r.answered(a)
		}
		if (a.Partial || a.But) && reply {
			return inbox.Reading{Language: r.guess.Tag, Partial: a.Partial, Requests: []inbox.Request{r.question()}}
		}
	}
	out := inbox.Reading{Language: r.guess.Tag, Requests: r.requests()}
	if reply && !a.Begun && !a.NoStop {
		c.heedStop(m, &out)
	}
	return out
}

// heedStop makes a no of what stops in other words than a no does.
func (c *Classifier) heedStop(m *inbox.Message, r *inbox.Reading) {
	if says, beside := c.Stops(m, *r); says > inbox.StopMaybe {
		r.Answer, r.Requests = inbox.AnswerNo, beside
	}
}

// answered gives an answer with what was asked beside it: only requests that
// are understood, because a yes with anything else to it is a question.
func (r *reader) answered(a answer.Reading) inbox.Reading {
	out := inbox.Reading{Language: r.guess.Tag, Answer: a.Answer, Agreed: a.Agreed}
	switch {
	case a.Rest == "":
		return out
	case a.When:
		out.Requests = []inbox.Request{{Kind: inbox.KindQuestion, Topic: inbox.TopicStatus, Confidence: full, Certain: true, Because: []string{clip(a.Rest)}}}
		return out
	}
	rest := r.c.newReader("", a.Rest)
	rest.from, rest.hidden = r.from, r.hidden
	out.Requests = rest.requests()
	for _, q := range out.Requests {
		if a.Answer == inbox.AnswerYes && (!q.Certain || a.Wonders && q.Topic != inbox.TopicStatus) {
			return inbox.Reading{Language: r.guess.Tag, Requests: r.requests()}
		}
	}
	return out
}

// cleanSubject drops the marks that clients and we put on a subject, and tells
// whether it is a reply's. A forwarded subject is nobody's words.
func (c *Classifier) cleanSubject(s string) (subject string, reply bool) {
	s = strings.TrimSpace(capText(s, maxSubject))
	for range maxMarks {
		mark, rest, ok := strings.Cut(s, ":")
		word := lang.Fold(strings.TrimSpace(uncounted(mark)))
		switch {
		case !ok:
			return s, reply
		case c.rules.Listed(lang.Guess{}, lang.WordForward, word):
			return "", reply
		case !c.rules.Listed(lang.Guess{}, lang.WordReply, word):
			return s, reply
		}
		s, reply = strings.TrimSpace(rest), true
	}
	return s, reply
}

// uncounted gives a mark without the number in brackets that some clients count
// replies by: "Re[2]".
func uncounted(mark string) string {
	mark = strings.TrimSpace(mark)
	if i := strings.LastIndexAny(mark, "[("); i > 0 && strings.Trim(mark[i+1:], "])0123456789") == "" {
		return mark[:i]
	}
	return mark
}

// maxMarks bounds the marks of replies that a subject loses.
const maxMarks = 8

// capText cuts a text to a number of bytes, between two signs.
func capText(s string, n int) string {
	if len(s) > n {
		s = s[:n]
		for len(s) > 0 && !utf8.RuneStart(s[len(s)-1]) {
			s = s[:len(s)-1]
		}
		if r, size := utf8.DecodeLastRuneInString(s); r == utf8.RuneError && size <= 1 && len(s) > 0 {
			s = s[:len(s)-1]
		}
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
