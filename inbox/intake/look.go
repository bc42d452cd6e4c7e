package intake

import (
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/parse"
	"push.guru/supportd/inbox/policy"
)

// look makes a Raw readable and says why nobody may be answered, before
// anything is asked about its sender. A contact form writes for somebody else:
// its Message is theirs, and what the form's mail program set decides nothing.
func (in *Intake) look(p *prepared) {
	var forms []parse.Form
	if src := in.source(p.raw.Ref.Mailbox); src != nil {
		forms = src.Forms
	}
	p.msg, p.form = parse.FormMessage(p.raw.Bytes, parse.Options{}, forms)
	check, fromUs := in.Screen.Check, in.Screen.FromUs
	if p.form {
		check, fromUs = in.Screen.CheckForm, in.Screen.AuthorOfUs
		p.msg.Subject = policy.StripTags(p.msg.Subject)
	}
	p.class, p.why = check(p.msg)
	p.fromUs = fromUs(p.msg)
}

// ByForm is what is known of whom a contact form's mail names: nothing. What
// vouches for the form's domain, and tokens that were typed into it, say
// nothing of that person.
func ByForm() inbox.Evidence {
	return inbox.Evidence{Level: inbox.LevelNone, Why: "by the site's contact form, into which anybody can write any address"}
}
