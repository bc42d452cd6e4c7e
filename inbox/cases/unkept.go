package cases

import (
	"crypto/rand"
	"strings"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/address"
	"push.guru/supportd/inbox/policy"
)

// Unkept gives the letters of a notice to staff that the state does not keep,
// for the one notice that it cannot keep: that it cannot be written. The first
// mailbox sends them. There is none where nothing is sent.
func (k *Keeper) Unkept(what string) ([]*inbox.ReplyDetail, error) {
	if k.Rules.Mode == policy.Observe {
		return nil, nil
	}
	letter, box, err := k.staffLetter(k.Site, what, 0, nil)
	if err != nil {
		return nil, err
	}
	var out []*inbox.ReplyDetail
	for _, to := range k.Staff {
		d := letter
		d.To, d.MessageID = to, strings.ToLower(rand.Text())+"@"+address.DomainOf(box.Address)
		out = append(out, &d)
	}
	return out, nil
}
