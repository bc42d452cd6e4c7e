package review

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"push.guru/supportd/inbox/state"
)

// SavedAnswers lists the answers that staff keep to write them again, by name,
// then language.
func (d *Desk) SavedAnswers() (all []state.Saved, err error) {
	err = d.State.View(func(tx *state.Tx) error { all, err = tx.Saved(); return err })
	return all, err
}

// maxSaved is how many answers are kept at most.
const maxSaved = 1000

var languageTag = regexp.MustCompile(`^[a-z]{2,3}$`)

// SaveAnswer keeps an answer under a name in a language ("en"), in the place of
// one that is there. It should say nothing of anybody: it is kept until somebody
// drops it.
func (d *Desk) SaveAnswer(ctx context.Context, who, name, language, text string) error {
	switch name = strings.TrimSpace(name); {
	case name == "" || len(name) > 200 || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' }):
		return errors.New("an answer that is kept needs a name of one line")
	case !languageTag.MatchString(language):
		return fmt.Errorf("%q is no language: write en, ru or kk", language)
	case strings.TrimSpace(text) == "" || len(text) > longest:
		return fmt.Errorf("an answer that is kept needs a text of up to %d bytes", longest)
	}
	return d.State.Update(ctx, "save answer", func(tx *state.Tx) error {
		all, err := tx.Saved()
		if err != nil {
			return err
		}
		if len(all) >= maxSaved {
			return fmt.Errorf("%d answers are kept already: drop one first", len(all))
		}
		return errors.Join(tx.PutSaved(state.Saved{Name: name, Language: language, Text: text, By: who, At: tx.Now.UTC()}),
			tx.Journal("answer kept", who, 0, 0, map[string]string{"name": name, "language": language}))
	})
}

// DropAnswer forgets a kept answer.
func (d *Desk) DropAnswer(ctx context.Context, who, name, language string) error {
	return d.State.Update(ctx, "drop answer", func(tx *state.Tx) error {
		return errors.Join(tx.DropSaved(strings.TrimSpace(name), language),
			tx.Journal("answer dropped", who, 0, 0, map[string]string{"name": name, "language": language}))
	})
}
