package daemon_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// A backup of the site may bring back rows that are found by address, of
// somebody whose account it does not know, or of whom it has another row than
// the one by which they were known. They are found by what is kept of the
// address, and deleted again, but not where an account has that address now.
func TestReapplyFindsRowsByAddress(t *testing.T) {
	set, db := siteDatabase(t)
	dir := filepath.Dir(rowOf(t, db, "SELECT file FROM pragma_database_list WHERE name = 'main'"))
	gone := regexp.MustCompile(`(?m)^ *(erase|why|until) .*\n`).ReplaceAllString(siteMap, "")
	if err := os.WriteFile(filepath.Join(dir, "map.toml"), []byte(gone), 0o600); err != nil {
		t.Fatal(err)
	}
	const guest = "guest@users.test"
	inScene(t, set, func(s *scene) {
		at := time.Now()
		s.write(kate, "leaving", deletePlease)
		s.answer(s.letter("confirm", kate), "Yes")
		s.write(guest, "my data", "Please delete all my data.")
		s.answer(s.letter("confirm", guest), "Yes")
		s.passes(2 * coolOff)
		s.stand("delete account done", "delete account done")
		s.reapply(at, false, "17 already", "newsletter:2 already")
		execSQL(t, db, "INSERT INTO newsletter VALUES (8, 'other@users.test'), (9, ' Kate@users.test'), (10, 'kate@USERS.test '), (11, 'guest@users.test')")
		s.reapply(at, true, "17 due", "newsletter:2 due")
		s.reapply(at, false, "17 reapplied", "newsletter:2 reapplied")
		if got := rowOf(t, db, "SELECT * FROM newsletter"); got != "8|other@users.test; 9| Kate@users.test" { // the local part is another
			t.Errorf("newsletter: %s", got)
		}
		s.reapply(at, false, "17 already", "newsletter:2 already")
		execSQL(t, db, "INSERT INTO newsletter VALUES (12, 'kate@users.test')", "INSERT INTO members VALUES (30, 'kate@users.test', 'Kate', NULL, 'q', NULL, NULL)")
		all := s.reapply(at, false, "17 failed", "newsletter:2 already")
		if !strings.Contains(all[0].Error, "an account has that address") {
			t.Errorf("staff are told %q", all[0].Error)
		}
	})
}
