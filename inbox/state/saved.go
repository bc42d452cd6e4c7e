package state

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Saved is an answer that staff keep to write it again.
type Saved struct {
	Name     string    `json:"name"`
	Language string    `json:"language"` // base language tag
	Text     string    `json:"text"`
	By       string    `json:"by"`
	At       time.Time `json:"at"`
}

// savedKey hides name and language: staff may name an answer after a person.
func (tx *Tx) savedKey(name, language string) []byte { return tx.Hash("saved", language+"\x00"+name) }

// PutSaved keeps an answer, in the place of one of the same name and language.
func (tx *Tx) PutSaved(s Saved) error {
	key := tx.savedKey(s.Name, s.Language)
	b, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("keeping an answer: %w", err)
	}
	sealed, err := tx.db.keys.seal(house, savedLabel(key), b)
	if err != nil {
		return err
	}
	return tx.bucket("saved").Put(key, sealed)
}

func savedLabel(key []byte) string { return fmt.Sprintf("saved %x", key) }

// Saved lists the kept answers by name, then language.
func (tx *Tx) Saved() ([]Saved, error) {
	var out []Saved
	err := tx.bucket("saved").ForEach(func(k, v []byte) error {
		b, err := tx.db.keys.unseal(house, savedLabel(k), v)
		if err != nil {
			return err
		}
		var s Saved
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		out = append(out, s)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the kept answers: %w", err)
	}
	slices.SortFunc(out, func(a, b Saved) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Language, b.Language))
	})
	return out, nil
}

// DropSaved removes a kept answer; ErrNotFound when there is none.
func (tx *Tx) DropSaved(name, language string) error {
	key := tx.savedKey(name, language)
	if tx.bucket("saved").Get(key) == nil {
		return fmt.Errorf("the answer %q in %q: %w", name, language, ErrNotFound)
	}
	return tx.bucket("saved").Delete(key)
}
