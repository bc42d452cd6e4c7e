package review

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/address"
	"push.guru/supportd/inbox/state"
)

// Hit is a Case that was found.
type Hit struct {
	Case     inbox.MailID     `json:"case"`
	Received time.Time        `json:"received"`
	State    inbox.MailState  `json:"state"`
	From     string           `json:"from,omitempty"`
	Name     string           `json:"name,omitempty"`
	Subject  string           `json:"subject,omitempty"`
	Open     bool             `json:"open"` // something of it has not ended
	Actions  []inbox.ActionID `json:"actions,omitempty"`
}

// maxHits is how many Cases a search gives at most, the newest.
const maxHits = 100

// Search finds Cases: by M-000123 or A-000123; by an exact address, among all
// Cases whose content is not forgotten; else by the name of whoever wrote, and
// then among open Cases only. A name is found by any of its words, or by how
// they begin, whatever their case; letters of Kazakh and ё are as good as those
// that people type in their place.
func (d *Desk) Search(ctx context.Context, text string) (hits []Hit, err error) {
	text = strings.TrimSpace(text)
	if text == "" || len(text) > 400 {
		return nil, errors.New("type a case number, an address or a name")
	}
	hits = []Hit{}
	err = d.State.View(func(tx *state.Tx) error {
		ids, err := candidates(ctx, tx, text)
		if err != nil {
			return err
		}
		for _, id := range ids[:min(len(ids), maxHits)] {
			h, err := hit(tx, id)
			if err != nil {
				return err
			}
			hits = append(hits, h)
		}
		return nil
	})
	return hits, err
}

// candidates lists the Cases that a search is about, the newest first.
func candidates(ctx context.Context, tx *state.Tx, text string) ([]inbox.MailID, error) {
	if id, err := inbox.ParseMailID(text); err == nil {
		_, err := tx.Mail(id)
		return found(id, err)
	}
	if id, err := inbox.ParseActionID(text); err == nil {
		a, err := tx.Action(id)
		if err != nil {
			return found(0, err)
		}
		return found(a.Case, nil)
	}
	if addr, err := address.Canonical(text); err == nil {
		ids := slices.DeleteFunc(tx.Tied(state.TieAddress, addr), func(id inbox.MailID) bool { return !tx.Remembers(id) })
		slices.Reverse(ids)
		return ids, nil
	}
	return named(ctx, tx, strings.Fields(fold(text)))
}

// found gives a Case, or none when it is not there.
func found(id inbox.MailID, err error) ([]inbox.MailID, error) {
	switch {
	case errors.Is(err, state.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return []inbox.MailID{id}, nil
}

// named lists the open Cases whose sender's name has every one of the words.
func named(ctx context.Context, tx *state.Tx, words []string) ([]inbox.MailID, error) {
	open := map[inbox.MailID]bool{}
	err := tx.OpenAfter("", func(o state.Line, _ string) bool { open[o.Case] = true; return ctx.Err() == nil })
	if err != nil {
		return nil, err
	}
	var ids []inbox.MailID
	for id := range open {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		m, err := tx.Mail(id)
		if err != nil {
			return nil, err
		}
		if m.Detail != nil && hasWords(fold(m.Detail.From.Name), words) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	slices.Reverse(ids)
	return ids, nil
}

// hasWords tells whether each of the words begins one of a name.
func hasWords(name string, words []string) bool {
	parts := strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	for _, w := range words {
		if !slices.ContainsFunc(parts, func(p string) bool { return strings.HasPrefix(p, w) }) {
			return false
		}
	}
	return len(words) > 0
}

// plainer gives the Cyrillic letter that people without a Kazakh keyboard type.
var plainer = strings.NewReplacer("ә", "а", "ғ", "г", "қ", "к", "ң", "н", "ө", "о", "ұ", "у", "ү", "у", "һ", "х", "і", "и", "ӣ", "и", "ʻ", "", "'", "", "’", "")

// fold makes of a name what it is found by: small letters without marks.
func fold(s string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(strings.ToLower(s)) {
		if !unicode.Is(unicode.Mn, r) {
			b.WriteRune(r)
		}
	}
	return plainer.Replace(b.String())
}

func hit(tx *state.Tx, id inbox.MailID) (Hit, error) {
	m, err := tx.Mail(id)
	if err != nil {
		return Hit{}, err
	}
	h := Hit{Case: id, Received: m.Received.UTC(), State: m.State, Actions: m.Actions}
	if d := m.Detail; d != nil {
		h.From, h.Name, h.Subject = d.From.Addr, d.From.Name, d.Subject
	}
	acts, err := tx.CaseActions(id)
	h.Open = slices.ContainsFunc(acts, func(a *inbox.Action) bool { return !a.State.Ended() })
	return h, err
}
