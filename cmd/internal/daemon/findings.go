package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/address"
	"push.guru/supportd/inbox/outbox"
	"push.guru/supportd/inbox/parse"
	"push.guru/supportd/inbox/sender"
)

// findings judges the mails of a probe, those from outside first where what
// they show says what to advise.
func (p *probe) findings(ctx context.Context) []Check {
	var out, forged, plus []Check
	for _, t := range p.trials {
		switch {
		case t.sent.Outcome == 0:
		case p.isPlus(t):
			plus = append(plus, p.plus(t))
		case t.claims == "":
			out = append(out, p.plain(t)...)
		}
	}
	for _, t := range p.trials {
		if t.claims != "" && t.sent.Outcome != 0 {
			forged = append(forged, p.forged(ctx, t))
		}
	}
	return slices.Concat(out, forged, plus)
}

func kindOf(t *trial) string {
	if t.outside {
		return "mail from outside"
	}
	return "submitted mail"
}

// missed gives what there is to say about a mail that is not there.
func (p *probe) missed(t *trial) error {
	switch {
	case len(t.found) > 0:
		return nil
	case t.awaited():
		return &inbox.Error{Err: fmt.Errorf("%s took it, and it did not arrive in %s within %s", p.server(t.outside), p.folders(), p.waited),
			Hint: fmt.Sprintf("look whether a filter keeps it or puts it into another folder; its subject is %q", t.subject())}
	case t.outside:
		return p.refusedOutside(t)
	}
	return fmt.Errorf("it could not be sent: %w", t.sent.Err)
}

func (p *probe) refusedOutside(t *trial) error {
	if t.sent.Code == 0 {
		return &inbox.Error{Err: fmt.Errorf("it could not be sent: %w", t.sent.Err),
			Hint: "is it the server that takes your mail from the internet, and may this machine reach its port 25?"}
	}
	hint := "give --outside-as an address of a domain for which this machine may send mail"
	switch {
	case t.sent.Outcome == outbox.Temporary && t.sent.Code/100 == 4:
		hint = "some servers take a stranger's mail at the second attempt only: try again in some minutes"
	case t.sent.Outcome == outbox.Temporary:
		hint = "is it the server that takes mail for " + p.box.Address + " from the internet? It wants a login or TLS"
	}
	return &inbox.Error{Err: fmt.Errorf("%s refuses it (%s)", p.server(true), answered(t.sent)), Hint: hint}
}

// answered gives the numbers of a server's answer.
func answered(r outbox.Result) string {
	return strings.TrimSpace(strconv.Itoa(r.Code) + " " + r.Enhanced)
}

// plain judges a mail without anything odd about it.
func (p *probe) plain(t *trial) []Check {
	name := kindOf(t)
	if err := p.missed(t); err != nil {
		return []Check{{Name: name, Err: err}}
	}
	raw := t.found[0]
	arrived := Check{Name: fmt.Sprintf("%s arrives in %s", name, raw.Ref.Folder)}
	stamps, err := sender.Stamps(raw.Bytes)
	if err != nil {
		return []Check{arrived, {Name: name, Err: err}}
	}
	if p.cfg.Proof.MicrosoftTenant != "" {
		return []Check{arrived, {Open: true, Name: "not proven: results of Microsoft 365, which carry no name and cannot be forged for a try; " + carries(name, stamps)}}
	}
	if len(p.cfg.Proof.TrustedAuthservIDs) == 0 {
		return []Check{arrived, {Name: "trusted_authserv_ids is empty, so that no name under Authentication-Results is believed; " + carries(name, stamps)}}
	}
	own := slices.DeleteFunc(slices.Clone(stamps), func(s sender.Stamp) bool { return !p.trusts(s.ID) })
	if t.outside {
		return []Check{arrived, p.border(own, stamps)}
	}
	switch len(own) {
	case 0:
		return []Check{arrived, {Name: fmt.Sprintf("%s carries no Authentication-Results of %s: nobody vouches for its sender", name, p.ids())}}
	case 1:
		return []Check{arrived, {Name: fmt.Sprintf("%s carries the Authentication-Results of %s, below %s (%s)",
			name, own[0].ID, lines(own[0].Received), p.compared(own[0].Received))}}
	}
	return []Check{arrived, {Name: name, Err: p.several(len(own))}}
}

// compared says how own_hops compares with what a mail shows that came another
// way than those that it is for.
func (p *probe) compared(n int) string {
	hops := p.cfg.Proof.OwnHops
	if hops == n {
		return fmt.Sprintf("own_hops = %d", hops)
	}
	return fmt.Sprintf("own_hops = %d; %d would be right if mail from outside comes the same way", hops, n)
}

func lines(n int) string { return count(n, "Received line") }

func (p *probe) trusts(id string) bool {
	return slices.ContainsFunc(p.cfg.Proof.TrustedAuthservIDs, func(t string) bool { return strings.EqualFold(t, id) })
}

func (p *probe) ids() string { return strings.Join(p.cfg.Proof.TrustedAuthservIDs, ", ") }

func (p *probe) several(n int) error {
	return &inbox.Error{Err: fmt.Errorf("it carries %d Authentication-Results of %s, and where there are several none is believed", n, p.ids()),
		Hint: "have your server write one with all results"}
}

// carries tells in whose name the results in a mail are.
func carries(name string, stamps []sender.Stamp) string {
	var ids []string
	for _, s := range stamps {
		if s.ID != "" && !slices.Contains(ids, s.ID) {
			ids = append(ids, s.ID)
		}
	}
	if len(ids) == 0 {
		return name + " carries none that can be read"
	}
	return name + " carries those of " + strings.Join(ids, ", ")
}

// border judges the results that our server wrote on a plain mail from
// outside. How many Received lines stand above them is what own_hops must be.
func (p *probe) border(own, all []sender.Stamp) Check {
	const name = "Authentication-Results on mail from outside"
	hops := p.cfg.Proof.OwnHops
	switch {
	case len(own) == 0:
		p.genuine = hopsNever
		return Check{Name: name, Err: &inbox.Error{Err: fmt.Errorf("there are none of %s; %s", p.ids(), carries("the mail", all)),
			Hint: "set trusted_authserv_ids to what your own server writes; where it writes none, to []: only DKIM signatures then count"}}
	case len(own) > 1:
		return Check{Name: name, Err: p.several(len(own))}
	}
	p.genuine = own[0].Received
	stands := fmt.Sprintf("those of %s stand below %s", own[0].ID, lines(p.genuine))
	switch {
	case own[0].DMARC == "":
		return Check{Name: name, Err: &inbox.Error{Err: errors.New(stands + ", and give no dmarc result, which is the one that counts"),
			Hint: "have your server evaluate DMARC; until then only DKIM signatures count"}}
	case p.genuine > hops:
		return Check{Name: name, Err: &inbox.Error{Err: fmt.Errorf("%s and own_hops is %d, so that they are never believed", stands, hops),
			Hint: fmt.Sprintf("set own_hops = %d", p.genuine)}}
	case p.genuine < hops:
		return Check{Name: name, Err: &inbox.Error{Err: fmt.Errorf("%s and own_hops is %d, so that results from further down could be believed", stands, hops),
			Hint: fmt.Sprintf("set own_hops = %d", p.genuine)}}
	}
	return Check{Name: fmt.Sprintf("%s: %s, as own_hops = %d says", name, stands, hops)}
}

// forged judges a mail that brought results in the name of our server along.
func (p *probe) forged(ctx context.Context, t *trial) Check {
	name := fmt.Sprintf("forged Authentication-Results of %s in %s", t.claims, kindOf(t))
	if t.sent.Outcome == outbox.Permanent && t.sent.Code != 0 {
		if p.refusesAll(t) {
			return Check{Open: true, Name: fmt.Sprintf("not proven: %s: the server refuses every mail that comes this way", name)}
		}
		return Check{Name: fmt.Sprintf("%s: the server refuses the mail (%s)", name, answered(t.sent))}
	}
	if err := p.missed(t); err != nil {
		return Check{Name: name, Err: err}
	}
	raw := t.found[0]
	m := parse.Message(raw.Bytes, parse.Options{})
	e, err := p.checker.Evidence(ctx, raw.Bytes, m, raw.Received)
	if err != nil {
		return Check{Name: name, Err: fmt.Errorf("the mail cannot be judged, for DNS did not answer: %w", err)}
	}
	stamps, err := sender.Stamps(raw.Bytes)
	if err != nil {
		return Check{Name: fmt.Sprintf("%s are not believed, and nothing else in the mail's header: %s", name, err)}
	}
	depth, stands := t.forgery(stamps)
	mine := address.DomainOf(m.From.Addr) == address.DomainOf(t.from)
	switch {
	case mine && e.Level != inbox.LevelNone && !stands:
		return Check{Name: name, Err: fmt.Errorf("they are removed, and all the same the author is believed, who cannot exist: %s", e.Why)}
	case !stands:
		return Check{Name: name + " are removed"}
	case mine && e.Level != inbox.LevelNone:
		return Check{Name: name, Err: &inbox.Error{Err: fmt.Errorf("they are BELIEVED: anybody who can send such mail passes for anybody; they stand below %s, and own_hops is %d",
			lines(depth), p.cfg.Proof.OwnHops), Hint: p.cure(t, depth)}}
	case depth <= p.cfg.Proof.OwnHops && mine:
		return Check{Name: name, Err: &inbox.Error{Err: fmt.Errorf("they are not removed, and stand where ours could, below %s with own_hops = %d; this time they are not believed, because %s",
			lines(depth), p.cfg.Proof.OwnHops, e.Why), Hint: p.cure(t, depth)}}
	case !mine:
		return Check{Name: name + " are not removed, but the server puts an author of its own in place of a foreign one"}
	}
	return Check{Name: fmt.Sprintf("%s are not removed, and not believed: they stand below %s, and own_hops is %d", name, lines(depth), p.cfg.Proof.OwnHops)}
}

// refusesAll tells whether a plain mail that took the same way was refused too.
func (p *probe) refusesAll(t *trial) bool {
	return slices.ContainsFunc(p.trials, func(o *trial) bool {
		return o.outside == t.outside && o.claims == "" && !p.isPlus(o) && o.sent.Outcome == outbox.Permanent
	})
}

// forgery finds the results that a mail brought along, and how many Received
// lines stand above them.
func (t *trial) forgery(stamps []sender.Stamp) (depth int, stands bool) {
	for _, s := range stamps {
		if strings.Contains(s.Value, t.mark) {
			return s.Received, true
		}
	}
	return 0, false
}

// cure says what to do about forged results that stand below a number of
// Received lines.
func (p *probe) cure(t *trial, depth int) string {
	who := "your provider"
	if t.outside {
		who = "your server"
	}
	strip := fmt.Sprintf("have %s remove Authentication-Results of %s from the mail that it takes (RFC 8601 section 5)", who, t.claims)
	switch {
	case p.genuine >= 0 && p.genuine < depth:
		return fmt.Sprintf("set own_hops = %d, or %s", p.genuine, strip)
	case p.genuine == hopsUnknown && depth > 0:
		return fmt.Sprintf("set own_hops = %d, if the results of your server stand no deeper than that on mail from outside; or %s", depth-1, strip)
	}
	return fmt.Sprintf("%s; until then take %s out of trusted_authserv_ids", strip, t.claims)
}

// plus judges the mail to a plus-address.
func (p *probe) plus(t *trial) Check {
	arrives := "no"
	if len(t.found) > 0 {
		arrives = "yes"
	}
	if !p.box.Plus {
		return Check{Name: "plus-addresses: off, arrive: " + arrives}
	}
	const name = "plus-addresses: on, arrive: "
	if len(t.found) > 0 {
		return Check{Name: name + arrives}
	}
	err := fmt.Errorf("mail to %s did not arrive within %s", t.to, p.waited)
	if t.sent.Err != nil {
		err = t.sent.Err
	}
	return Check{Name: name + arrives, Err: &inbox.Error{Err: err, Hint: "set plus = false, or have the server deliver mail to " + t.to + " into the mailbox"}}
}
