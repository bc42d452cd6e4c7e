package talk

import (
	"context"

	"push.guru/supportd/inbox/mailtest"
)

// Embedded is the embedded mail world as the Post of a conversation.
type Embedded struct{ *mailtest.World }

// Deliver puts a mail of somebody into the mailbox of to.
func (e Embedded) Deliver(from, to string, raw []byte, aligned bool) error {
	return e.World.Deliver(to, raw, mailtest.Envelope(from), mailtest.Aligned(aligned))
}

// Letters waits until an address has got at least n mails from us.
func (e Embedded) Letters(ctx context.Context, addr string, n int) ([]mailtest.Delivery, error) {
	for total := n; ; {
		all, err := e.WaitSent(ctx, total)
		var to []mailtest.Delivery
		for _, d := range all {
			if d.To == addr {
				to = append(to, d)
			}
		}
		if len(to) >= n || err != nil {
			return to, err
		}
		total = len(all) + 1
	}
}
