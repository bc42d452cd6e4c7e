// Package templates holds everything a person reads: the letters, in each
// language of the site, and the words that they are made of.
//
// # Files
//
// The texts are embedded; an operator's overlay folder replaces single files
// under the same paths:
//
//	replies/layout.html        the frame of the HTML form, one for all letters
//	replies/LANG/NAME.txt      one letter, for each [Name]
//	replies/LANG/parts.txt     pieces that several letters share ({{define}})
//	replies/LANG/phrases.txt   the words of lists, dates and reasons (key = text)
//	replies/en/staff-notice.txt    the one letter that exists in English only
//
// A file that is not one of these, a broken template, a phrase that is missing
// or has other placeholders than ours stops [Load], all faults at once. An
// overlay may bring a language that is not embedded if it brings every file.
//
// # Letters
//
// A letter is a text/template. What it can say about the case:
//
//	.Greeting .Site .Address .Account .Case     texts; .Account is a link or ""
//	.Console                                    in notices to staff: link to the case or the queue, or ""
//	.Yes .No .Stop .Restore .YesElsewhere       what to answer with
//	.Until .Wait                                time of an answer; how long after the letter the act waits
//	.Will .Rest                                 block: what a yes brings; what it cannot bring
//	.Planned .Did .States                       block: what comes; the receipt; where each request stands
//	.Holdings .Said .Facts                      block: what is stored; words of staff; items for staff
//	.Places                                     labels of places
//	.Part .Parts                                of a copy in several letters: which one, how many; else ""
//	.Attached .Deleted .Deactivated .Changed .Waiting .TooLate    conditions
//
// What comes out is markup of five forms, and both the plain text and the HTML
// are made from it, so the two say the same. A block stands between blank
// lines:
//
//	Subject: …      the first line, in letters that have a subject of their own
//	text            a paragraph; a blank line ends it, a line break is a blank
//	- text          a list item; "1. text" in a numbered list
//	  - text        an item of the list below an item
//	| text          a line that stays a line
//
// # What cannot happen
//
// Values that people gave are cleaned (no control characters, no direction
// overrides, bounded length) and marked, so that they are never markup, never
// a template and never a link; what people gave does not look like one to their
// mail programs either. The only link is the site's account URL.
// The letters to somebody who has proved nothing ([Claim] and
// [ConfirmNewAddress]), and to whom a stranger wrote in the name of ([NotYou]),
// are rendered without anything personal, whatever their template asks for, and
// are therefore the same for everybody. [AskOnRecord] has the words of staff
// beside that, and nothing of the mail that it is about.
package templates

import (
	"bytes"
	"fmt"
	htmltemplate "html/template"
	"slices"
	"strings"
	"text/template"
	"time"

	"push.guru/supportd/inbox"
)

// Name names a letter.
type Name string

// The letters.
const (
	Claim             Name = "claim"               // unproven sender: was it you? Own subject, nothing personal
	NotYou            Name = "not-you"             // they said no to that: thanks. Own subject, nothing personal
	Confirm           Name = "confirm"             // what will happen: yes or no?
	ConfirmNewAddress Name = "confirm-new-address" // to a new address: do you agree? Own subject, nothing personal
	AskedNew          Name = "asked-new"           // to the old address, after its yes: the new one has been asked
	Scheduled         Name = "scheduled"           // after a yes: done at a time, "stop" prevents it
	AddressNotice     Name = "address-notice"      // to the old address: it will be replaced at a time, "stop" prevents it
	Result            Name = "result"              // what was done, and what was not
	CopyPart          Name = "copy-part"           // carries a further part of a copy
	Cancelled         Name = "cancelled"           // they said no: nothing will happen
	NothingHeld       Name = "nothing-held"        // nothing is stored under this address
	Received          Name = "received"            // passed on to staff
	Status            Name = "status"              // where each open request stands
	Refused           Name = "refused"             // staff refused, with a reason
	Extended          Name = "extended"            // staff take the time that the law adds, with the reason and the new date
	Failed            Name = "failed"              // could not be done at present
	ExpiredAsk        Name = "expired-ask"         // a yes came too late: asked anew
	StopCheck         Name = "stop-check"          // a stop that nobody proved, or that is not plain: stop, or go on?
	Already           Name = "already"             // there is nothing to do
	StaffAnswer       Name = "staff-answer"        // words of staff
	StaffQuestion     Name = "staff-question"      // words of staff that want an answer
	AskOnRecord       Name = "ask-on-record"       // the same to the address on record, when another one wrote. Own subject, nothing of that mail
	AddressChanged    Name = "address-changed"     // to the old address: it has been replaced
	StaleAsk          Name = "stale-ask"           // the data changed since they were shown: asked again
	PartialToStaff    Name = "partial-to-staff"    // the answer is to some of what was asked, or to something else: staff look
	StaffNotice       Name = "staff-notice"        // to staff, in English. Own subject, no content of mails
)

// Names lists every letter.
func Names() []Name {
	return []Name{Claim, NotYou, Confirm, ConfirmNewAddress, AskedNew, Scheduled, AddressNotice, Result, CopyPart, Cancelled, NothingHeld,
		Received, Status, Refused, Extended, Failed, ExpiredAsk, StopCheck, Already, StaffAnswer, StaffQuestion, AskOnRecord, AddressChanged,
		StaleAsk, PartialToStaff, StaffNotice}
}

// ownSubject tells whether the letter starts a conversation of its own.
func (n Name) ownSubject() bool {
	return n == Claim || n == NotYou || n == ConfirmNewAddress || n == AskOnRecord || n == StaffNotice
}

// Site is what the letters say about the site.
type Site struct {
	Name       string
	AccountURL string         // http or https; "": no letter mentions it
	Address    string         // the support address that the letter comes from
	ConsoleURL string         // http or https, without a slash at the end; "": notices to staff have no link
	Zone       *time.Location // of all times; nil: UTC
}

// Letter is a rendered letter. Text has LF line ends and is never empty; HTML
// is a complete page with the same content.
type Letter struct {
	Subject string // "": the caller continues the person's own subject
	Text    string
	HTML    string
}

// Item is one Action as the person sees it.
type Item struct {
	Kind   inbox.Kind
	Scope  inbox.Scope
	Topic  inbox.Topic
	Undo   bool // of a deactivate: reactivate
	Mailto bool // a change of the address on record
	Guest  bool // of a delete: there is no account, only entries with the address
	State  inbox.State

	Steps  []inbox.Step
	Keeps  []inbox.Keep
	Fields []inbox.Field // what it is about, where there are no Steps

	Wait     time.Duration // the cool-off that a yes will start; 0: none
	Delay    time.Duration // the cool-off that begins when this letter has left; 0: none does
	RunAfter time.Time     // it is not carried out before; zero: at once
	Expires  time.Time     // when the question lapses

	Stopping bool // the owner wants it stopped, and it may have been carried out before

	Reason string // code of why it failed or was refused (phrases "reason.…"), or ""
	Words  string // staff's own words about it, or ""
}

// Data is everything that a letter may tell. Each letter uses what it needs;
// what is empty is left out.
type Data struct {
	Site     Site
	Case     string // M-000123
	Name     string // how to greet; "" or anything that is no name: without one
	Items    []Item
	Holdings []inbox.Holding
	Expires  time.Time // when our question lapses
	Words    string    // staff's text; in a notice to staff: what happened
	Attached bool      // the copy is attached
	Part     int       // of a copy in several letters: which one this is
	Parts    int       // how many there are; 0 or 1: the copy is whole
	Places   []string  // nothing-held: where we looked; notice to staff: what is concerned
}

// LabelFunc gives the label of a field of a place in a language, and of the
// place itself when field is "". It returns "" when it knows none.
type LabelFunc func(place string, field inbox.Field, lang string) string

// Set is the loaded letters. It is safe for concurrent use.
type Set struct {
	codes     []string // the site's languages, its default first
	languages map[string]*language
	layout    *htmltemplate.Template
	label     LabelFunc
}

// language is the texts of one language.
type language struct {
	code    string
	phrases phrases
	letters map[Name]*template.Template
}

// Languages gives the site's languages, the default first.
func (s *Set) Languages() []string { return slices.Clone(s.codes) }

// Answers gives the words that letters in lang ask people to answer with.
// Whatever reads the answers must understand them.
func (s *Set) Answers(lang string) (yes, no, stop, restore string) {
	p := s.pick(lang).phrases
	return p.say("answer.yes"), p.say("answer.no"), p.say("answer.stop"), p.say("answer.restore")
}

// Render writes letter n in lang (BCP 47; only the language itself counts), or
// in the site's first language when it has no letters in lang. StaffNotice is
// always in English. An error means an unknown letter or an overlay template
// that the checks of [Load] could not find fault with; it names the template
// and repeats nothing of d.
func (s *Set) Render(n Name, lang string, d Data) (Letter, error) {
	l := s.pick(lang)
	if n == StaffNotice {
		l = s.languages[staffLanguage]
	}
	tmpl := l.letters[n]
	if tmpl == nil {
		return Letter{}, fmt.Errorf("rendering a letter: there is no letter %q", n)
	}
	markup, err := s.execute(tmpl, n, l, d)
	if err != nil {
		return Letter{}, fmt.Errorf("rendering letter %s: %w", n, err)
	}
	subject, blocks := parseMarkup(markup)
	var page bytes.Buffer
	if err := s.layout.Execute(&page, layoutData{Lang: l.code, Blocks: blocks}); err != nil {
		return Letter{}, fmt.Errorf("rendering the HTML of letter %s: %w", n, err)
	}
	return Letter{Subject: subject, Text: plainText(blocks), HTML: page.String()}, nil
}

// execute runs a letter's template. The letters about what a stranger may have
// written get the site, and for an answer the time to give it, and no more.
func (s *Set) execute(tmpl *template.Template, n Name, l *language, d Data) (string, error) {
	switch n {
	case Claim, NotYou:
		d = Data{Site: d.Site}
	case ConfirmNewAddress:
		d = Data{Site: d.Site, Expires: d.Expires}
	case AskOnRecord:
		d = Data{Site: d.Site, Words: d.Words}
	}
	v := &view{lang: l, data: d, label: s.label}
	for _, code := range s.codes {
		v.all = append(v.all, s.languages[code])
	}
	var b strings.Builder
	if err := tmpl.Execute(&b, v); err != nil {
		return "", err
	}
	return b.String(), nil
}

// pick gives the texts for a language tag, or the site's default.
func (s *Set) pick(lang string) *language {
	base, _, _ := strings.Cut(strings.ReplaceAll(strings.ToLower(lang), "_", "-"), "-")
	if !slices.Contains(s.codes, base) {
		base = s.codes[0]
	}
	return s.languages[base]
}
