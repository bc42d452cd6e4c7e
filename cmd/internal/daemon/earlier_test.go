package daemon_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What keeps the address of its time is out of the reach of a delete once the
// person has another one. They are told so when they move, with the reason, and
// again before and after the delete; from the old address they still get at it.
func TestWhatStaysUnderTheOldAddress(t *testing.T) {
	const letters = `
[[related]]
name       = "parcels"
table      = "parcels"
key        = "id"
link       = { column = "mail", address = true }
label      = { en = "Parcels" }
purpose    = { en = "to deliver" }
retention  = { en = "five years" }
recipients = { en = "the post" }
erase      = "values"
  [[related.column]]
  name  = "mail"
  erase = "keep"
  why   = { en = "postal law" }
  [[related.column]]
  name  = "street"
  erase = "null"

[[related]]
name       = "contracts"
table      = "contracts"
key        = "id"
link       = { column = "mail", address = true, fixed = { en = "they prove who agreed" } }
label      = { en = "Contracts" }
purpose    = { en = "to deliver" }
retention  = { en = "five years" }
recipients = { en = "nobody" }
`
	set, db := siteDatabase(t)
	execSQL(t, db, "CREATE TABLE parcels (id INTEGER PRIMARY KEY, mail TEXT NOT NULL, street TEXT)", "INSERT INTO parcels VALUES (1, 'kate@users.test', 'Abay 1')",
		"CREATE TABLE contracts (id INTEGER PRIMARY KEY, mail TEXT NOT NULL)", "INSERT INTO contracts VALUES (1, 'kate@users.test')")
	dir := filepath.Dir(rowOf(t, db, "SELECT file FROM pragma_database_list WHERE name = 'main'"))
	if err := os.WriteFile(filepath.Join(dir, "map.toml"), []byte(siteMap+letters), 0o600); err != nil {
		t.Fatal(err)
	}
	says := func(what, text string, want ...string) {
		t.Helper()
		for _, w := range want {
			if !strings.Contains(strings.Join(strings.Fields(text), " "), w) {
				t.Errorf("%s does not say %q:\n%s", what, w, text)
			}
		}
	}
	moves := []string{"Parcels: your entries keep the old address. They will be in no later copy of your data, and a later deletion of your account will not reach them",
		"Why: postal law", "Contracts: your entries keep the old address", "Why: they prove who agreed"}
	stays := []string{"Parcels: what is stored there under an earlier email address of yours stays; to have that deleted, too, write to us from that address. Why: postal law",
		"Contracts: what is stored there under an earlier email address of yours stays", "Why: they prove who agreed"}
	inScene(t, set, func(s *scene) {
		const moved = "kate@new.test"
		s.write(kate, "address", "Please change my e-mail address to "+moved+".")
		q := s.letter("confirm", kate)
		says("the question", q.Text(), moves...)
		s.answer(q, "Yes")
		s.letter("asked-new", kate)
		s.answer(s.letter("confirm-new-address", moved), "Yes")
		s.letter("address-notice", kate)
		s.passes(2 * coolOff)
		says("the letter to the new address", s.letter("result", moved).Text(), moves...)
		says("the letter to the old address", s.letter("address-changed", kate).Text(), moves...)
		s.write(moved, "leaving", deletePlease)
		s.letter("received", moved)
		s.act("approve", s.id("delete"))
		q = s.letter("confirm", moved)
		says("the question of the delete", q.Text(), stays...)
		s.answer(q, "Yes")
		s.letter("scheduled", moved)
		s.passes(2 * coolOff)
		says("the receipt", s.letter("result", moved).Text(), stays...)
		s.stand("change done", "delete account done")
		if got := rowOf(t, db, "SELECT street FROM parcels") + rowOf(t, db, "SELECT mail FROM contracts"); got != "Abay 1"+kate {
			t.Errorf("what stays: %s", got)
		}
		s.write(kate, "the rest", "Please delete all my data.")
		s.answer(s.letter("confirm", kate), "Yes")
		s.letter("scheduled", kate)
		s.passes(2 * coolOff)
		s.letter("result", kate)
		if got := rowOf(t, db, "SELECT street FROM parcels") + rowOf(t, db, "SELECT mail FROM contracts"); got != "" {
			t.Errorf("what stays of somebody who asked from the old address: %s", got)
		}
	})
}
