package cases

import (
	"fmt"
	"strings"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/state"
)

// tellOthers puts before staff whom outside the site they must tell of what an
// Action did (Article 19 of the GDPR): a task in its Case that staff close. It
// is made in the commit that ends the Action, and so once for an effect.
func (k *Keeper) tellOthers(tx *state.Tx, a *inbox.Action, done inbox.Plan) error {
	if a.Kind != inbox.KindChange && a.Kind != inbox.KindDelete && a.Kind != inbox.KindWithdraw {
		return nil
	}
	whom, fields := k.Data().Tell(done)
	if len(whom) == 0 {
		return nil
	}
	m, err := tx.Mail(a.Case)
	if err != nil {
		return err
	}
	names := strings.Join(whom, ", ")
	r := inbox.Request{Kind: inbox.KindQuestion, Topic: inbox.TopicTell, Confidence: 1, Certain: true}
	return k.add(tx, m, &inbox.Action{Case: a.Case, Kind: r.Kind, Topic: r.Topic, Mailbox: a.Mailbox, Language: a.Language, Certain: true, Reported: true,
		Received: tx.Now, Error: "tell " + names + " of what " + a.ID.String() + " did",
		Detail: &inbox.ActionDetail{Person: a.Detail.Person, Request: r, Task: fmt.Sprintf("tell %s: %s (%s)", names, whatBecame(a, fields), a.ID)},
	}, inbox.EventReview)
}

// whatBecame says what recipients are to be told about a person.
func whatBecame(a *inbox.Action, fields []inbox.Field) string {
	person := "person " + a.Detail.Person
	switch {
	case a.Kind == inbox.KindWithdraw:
		return person + " withdrew their consent or objected"
	case a.Kind == inbox.KindDelete && a.Scope == inbox.ScopeAccount:
		return person + " was deleted"
	}
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = string(f)
	}
	what := "changed"
	if a.Kind == inbox.KindDelete {
		what = "deleted"
	}
	return "of " + person + " was " + what + ": " + strings.Join(names, ", ")
}
