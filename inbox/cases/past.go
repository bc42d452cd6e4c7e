package cases

import (
	"cmp"
	"slices"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/state"
)

// Past gives the earlier cases of a person that the state still holds, oldest
// first, for a copy or a description of their data: those under their address,
// which our own changes of it carry over, that are no other person's. A site may
// give the ID of somebody who has left to somebody else, and a provider their
// address. Mails that only somebody without proof sent under their address are
// not theirs, and left out.
func (k *Keeper) Past(tx *state.Tx, person, address string) ([]inbox.PastCase, error) {
	var out []inbox.PastCase
	for _, id := range tx.Tied(state.TieAddress, address) {
		m, err := tx.Mail(id)
		if err != nil {
			return nil, err
		}
		acts, err := tx.CaseActions(id)
		if err != nil {
			return nil, err
		}
		if m.Detail == nil || m.Detail.Person != "" && m.Detail.Person != person || !proved(m, acts) {
			continue
		}
		c := inbox.PastCase{Case: id, Received: m.Received, Subject: m.Detail.Subject, Text: m.Detail.Text}
		for _, a := range acts {
			if !a.ForStaff() {
				c.Asked = append(c.Asked, string(a.Kind)+" "+string(a.State))
			}
		}
		out = append(out, c)
	}
	slices.SortStableFunc(out, func(a, b inbox.PastCase) int { return cmp.Compare(a.Case, b.Case) })
	return out, nil
}

func proved(m *inbox.Mail, acts []*inbox.Action) bool {
	return m.Evidence > inbox.LevelNone || slices.ContainsFunc(acts, func(a *inbox.Action) bool { return a.Evidence > inbox.LevelNone })
}
