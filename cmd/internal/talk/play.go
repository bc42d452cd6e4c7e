package talk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/control"
	"push.guru/supportd/inbox/mailtest"
	"push.guru/supportd/inbox/review"
)

// Post is the mail world of a conversation.
type Post interface {
	// Deliver puts a mail of somebody into the mailbox of to.
	Deliver(from, to string, raw []byte, aligned bool) error
	// Letters waits until an address has got at least n mails from us and
	// gives all of them, oldest first.
	Letters(ctx context.Context, addr string, n int) ([]mailtest.Delivery, error)
}

// Site is the running supportd that a conversation is with.
type Site struct {
	Support string // the address that people write to
	Post    Post
	// Call asks the daemon, as the command line does.
	Call func(ctx context.Context, c control.Call, put func(json.RawMessage) error) error
	// Person reads the user store; users.ErrNotFound when nobody has the ID.
	Person func(ctx context.Context, id string) (users.Person, error)
	// Letter names the letter of a Message-ID of ours; nil: names are not compared.
	Letter func(messageID string) string
	// CoolOff lets time pass until what is scheduled is due.
	CoolOff func(ctx context.Context) error
	// Settle waits until the daemon has nothing to do at the moment; nil: the
	// letters alone say when.
	Settle func()
	// Saw is told of each mail, in or out; nil: nobody watches.
	Saw func(s Script, in bool, who, subject, text string, note string)
}

// player is a conversation under way.
type player struct {
	Site
	script Script
	read   map[string]int               // letters that a step has expected, by address
	last   map[string]mailtest.Delivery // the last letter of each address
}

// Play plays a conversation and says, with file and line, what went otherwise
// than it is written.
func Play(ctx context.Context, site Site, s Script) error {
	p := &player{Site: site, script: s, read: make(map[string]int), last: make(map[string]mailtest.Delivery)}
	if p.Saw == nil {
		p.Saw = func(Script, bool, string, string, string, string) {}
	}
	for _, step := range s.Steps {
		if err := p.step(ctx, step); err != nil {
			return fmt.Errorf("%s:%d: %s: %w", s.Name, step.Line, strings.Join(step.Words, " "), err)
		}
	}
	return p.silence(ctx)
}

func (p *player) step(ctx context.Context, s Step) error {
	switch s.Words[0] {
	case "write":
		return p.write(s)
	case "letter":
		return p.letter(ctx, s)
	case "answer":
		return p.answer(s)
	case "robot":
		return p.robot(s)
	case "bounce":
		return p.bounce(s)
	case "cool-off":
		return p.CoolOff(ctx)
	case "staff":
		return p.staff(ctx, s)
	case "person":
		return p.person(ctx, s)
	case "actions":
		return p.actions(ctx, s)
	}
	return errors.New("unknown step")
}

func (p *player) write(s Step) error {
	from := s.word(1)
	raw, err := mailtest.Compose(from, p.Support, s.Rest, s.Body)
	if err != nil {
		return err
	}
	return p.deliver(from, s.Rest, s.Body, raw, s.word(2) == "aligned", s.word(2))
}

func (p *player) deliver(from, subject, text string, raw []byte, aligned bool, note string) error {
	p.Saw(p.script, true, from, subject, text, note)
	return p.Post.Deliver(from, p.Support, raw, aligned)
}

// answer answers the last letter as a mail program does.
func (p *player) answer(s Step) error {
	d, ok := p.last[s.word(1)]
	if !ok {
		return fmt.Errorf("%s has got no letter", s.word(1))
	}
	from := s.word(1)
	if s.word(2) == "from" {
		from = s.word(3)
	}
	raw, err := mailtest.Compose(from, p.Support, "Re: "+strings.TrimPrefix(d.Subject(), "Re: "), s.Body, mailtest.InReplyTo(d), mailtest.Quote(d))
	if err != nil {
		return err
	}
	return p.deliver(from, "Re: "+strings.TrimPrefix(d.Subject(), "Re: "), s.Body, raw, false, "answer")
}

func (p *player) robot(s Step) error {
	d, ok := p.last[s.word(1)]
	if !ok {
		return fmt.Errorf("%s has got no letter", s.word(1))
	}
	raw, err := mailtest.Compose(s.word(1), p.Support, "Auto: "+d.Subject(), s.Body, mailtest.InReplyTo(d), mailtest.Header("Auto-Submitted", "auto-replied"))
	if err != nil {
		return err
	}
	return p.deliver(s.word(1), "Auto: "+d.Subject(), s.Body, raw, true, "auto-reply")
}

func (p *player) bounce(s Step) error {
	d, ok := p.last[s.word(1)]
	if !ok {
		return fmt.Errorf("%s has got no letter", s.word(1))
	}
	raw := mailtest.Bounce(d, "mx.users.test", "550 5.1.1 no such mailbox")
	return p.deliver("MAILER-DAEMON@mx.users.test", "Undelivered Mail Returned to Sender", "550 5.1.1 no such mailbox", raw, false, "bounce")
}

// letter waits for the next letter to an address and compares it.
func (p *player) letter(ctx context.Context, s Step) error {
	name, to := s.word(1), s.word(3)
	if !p.writes(to) {
		return p.notice(ctx, s)
	}
	n := p.read[to]
	all, err := p.Post.Letters(ctx, to, n+1)
	if err != nil {
		return err
	}
	d := all[n]
	p.read[to], p.last[to] = n+1, d
	p.Saw(p.script, false, to, d.Subject(), d.Text(), name)
	if p.Letter != nil {
		if got := p.Letter(d.MessageID()); got != name {
			return fmt.Errorf("got letter %q instead:\n%s", got, d.Text())
		}
	}
	return compare(d, s.lines())
}

// notice waits for a letter to somebody who takes no part, such as staff, who
// may get others from other conversations.
func (p *player) notice(ctx context.Context, s Step) error {
	for n := 1; ; n++ {
		all, err := p.Post.Letters(ctx, s.word(3), n)
		if err != nil {
			return err
		}
		d := all[n-1]
		if (p.Letter == nil || p.Letter(d.MessageID()) == s.word(1)) && compare(d, s.lines()) == nil {
			p.Saw(p.script, false, s.word(3), d.Subject(), d.Text(), s.word(1))
			return nil
		}
	}
}

// writes tells whether an address writes or answers in this conversation.
func (p *player) writes(addr string) bool {
	return slices.ContainsFunc(p.script.Steps, func(s Step) bool {
		return (s.Words[0] == "write" || s.Words[0] == "answer") && (s.word(1) == addr || s.word(3) == addr)
	})
}

func compare(d mailtest.Delivery, want []string) error {
	text := strings.Join(strings.Fields(d.Subject()+"\n"+d.Text()), " ")
	for _, line := range want {
		switch {
		case strings.HasPrefix(line, "+ "):
			if !slices.Contains(d.Attachments(), line[2:]) {
				return fmt.Errorf("%s is not attached", line[2:])
			}
		case strings.HasPrefix(line, "! "):
			if strings.Contains(text, strings.TrimSpace(line[2:])) {
				return fmt.Errorf("the letter says %q:\n%s", line[2:], d.Text())
			}
		case !strings.Contains(text, strings.TrimSpace(line)):
			return fmt.Errorf("the letter does not say %q:\n%s", line, d.Text())
		}
	}
	return nil
}

// ours lists the Actions of this conversation: those that came of mails from
// the addresses that took part.
func (p *player) ours(ctx context.Context) ([]review.ActionDetail, error) {
	if p.Settle != nil {
		p.Settle()
	}
	var ids []string
	err := p.Call(ctx, control.Call{Verb: "actions list"}, func(item json.RawMessage) error {
		var v review.ActionView
		err := json.Unmarshal(item, &v)
		ids = append(ids, v.ID.String())
		return err
	})
	if err != nil {
		return nil, err
	}
	var out []review.ActionDetail
	for _, id := range ids {
		err := p.Call(ctx, control.Call{Verb: "actions show", ID: id}, func(item json.RawMessage) error {
			var v review.ActionDetail
			err := json.Unmarshal(item, &v)
			if p.takesPart(v.Address) {
				out = append(out, v)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (p *player) takesPart(addr string) bool {
	for _, s := range p.script.Steps {
		if slices.Contains(s.Words, addr) {
			return true
		}
	}
	return false
}

func (p *player) staff(ctx context.Context, s Step) error {
	acts, err := p.ours(ctx)
	if err != nil {
		return err
	}
	for _, a := range acts {
		if string(a.Kind) == s.word(2) && !a.State.Ended() {
			call := control.Call{Verb: s.word(1), ID: a.ID.String(), Text: s.Body, Reason: s.Body}
			if call.Verb == "approve" {
				call.Reason = ""
			}
			return p.Call(ctx, call, func(json.RawMessage) error { return nil })
		}
	}
	return fmt.Errorf("there is no open %s", s.word(2))
}

func (p *player) person(ctx context.Context, s Step) error {
	if p.Settle != nil {
		p.Settle()
	}
	got, err := p.Person(ctx, s.word(1))
	gone := errors.Is(err, users.ErrNotFound)
	if err != nil && !gone {
		return err
	}
	for _, line := range s.lines() {
		field, value, isField := strings.Cut(line, " = ")
		ok := false
		switch {
		case line == "gone":
			ok = gone
		case line == "active":
			ok = got.Active
		case line == "deactivated":
			ok = !got.Active && !gone
		case isField:
			ok = got.Fields[inbox.Field(field)] == strings.TrimSuffix(value, "(nothing)")
		}
		if !ok {
			return fmt.Errorf("not so: %s (gone %v, active %v, fields %v)", line, gone, got.Active, got.Fields)
		}
	}
	return nil
}

func (p *player) actions(ctx context.Context, s Step) error {
	acts, err := p.ours(ctx)
	if err != nil {
		return err
	}
	var got []string
	for _, a := range acts {
		got = append(got, strings.Join(strings.Fields(string(a.Kind)+" "+string(a.Scope)+" "+string(a.State)), " "))
	}
	want := s.lines()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		return fmt.Errorf("got %q, want %q", got, want)
	}
	return nil
}

// silence checks that nobody got a letter that no step expected.
func (p *player) silence(ctx context.Context) error {
	if p.Settle != nil {
		p.Settle()
	}
	for _, addr := range slices.Sorted(maps.Keys(p.read)) {
		all, err := p.Post.Letters(ctx, addr, 0)
		if err != nil {
			return err
		}
		if len(all) > p.read[addr] {
			return fmt.Errorf("%s: %s got a letter that nobody expected:\n%s", p.script.Name, addr, all[p.read[addr]].Text())
		}
	}
	return nil
}
