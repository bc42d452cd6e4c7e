package daemon

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"push.guru/supportd/cmd/internal/config"
)

// checked gives the lines of check about deadlines on a day of 2026 or 2027,
// and what tooSlow says, of a site with some configuration added.
func checked(t *testing.T, day, more string) string {
	t.Helper()
	dir := t.TempDir()
	text := `state_dir = "state"
[site]
name = "Site"
[[mailbox]]
name = "support"
address = "support@site.test"
imap = "imaps://mail.site.test:993"
password_file = "pass"
poll = "10m"
[smtp]
server = "smtps://mail.site.test:465"
` + more
	file := filepath.Join(dir, "c.toml")
	holidays := "covers 2027 official\n2027-12-31 off\ncovers 2028 official\n2028-01-03 off\n"
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "pass"), []byte("x\n"), 0o600), os.WriteFile(file, []byte(text), 0o600),
		os.WriteFile(filepath.Join(dir, "days.txt"), []byte(holidays), 0o600)); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	now, err := time.Parse(time.DateOnly, day)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, c := range checkDeadlines(cfg.Deadlines, tooSlow(cfg), now) {
		out = append(out, c.String())
	}
	return strings.Join(out, "\n")
}

func TestCheckDeadlines(t *testing.T) {
	const kz = "ok    deadlines kz, holidays to the end of 2027"
	for _, x := range []struct{ name, day, more, want string }{
		{"the defaults", "2026-03-01", "", kz},
		{"weekends only", "2030-03-01", "[deadlines]\nprofile = \"ccpa\"\n", "ok    deadlines ccpa, weekends only"},
		{"a year that was not published", "2026-12-20", "", kz + "\n-     calendar: of 2027 it has the pattern of the statute, and not what the government moves; give that year's days in deadlines.holidays"},
		{"the end of the table", "2027-12-20", "",
			kz + "\nFAIL  calendar: it ends with 2027, and what comes today can be due on 2028-01-04: of that year only weekends are known (give that year's days in deadlines.holidays)"},
		{"a table of our own", "2027-12-20", "[deadlines]\nholidays = \"days.txt\"\n", "ok    deadlines kz, holidays to the end of 2028"},
		{"too slow", "2026-03-01", "[policy.delete_account]\ncool_off = \"17h\"\n[policy.change]\ncool_off = \"24h\"\n",
			"FAIL  deadlines kz, holidays to the end of 2027: change: cool_off 24h, poll 10m and one retry 1h are 25h10m, more than half of its 1 working day (36h from noon)" +
				" (make policy.change.cool_off 16h50m or less, or have a lawyer say what deadlines.change.due may be); " +
				"delete: cool_off 17h, poll 10m and one retry 1h are 18h10m, more than half of its 1 working day (36h from noon)" +
				" (make policy.delete_account.cool_off 16h50m or less, or have a lawyer say what deadlines.delete.due may be)"},
		{"just quick enough", "2026-03-01", "[policy.delete_account]\ncool_off = \"16h50m\"\n", kz},
		{"a limit of our own", "2026-03-01", "[deadlines.delete]\ndue = \"24 hours\"\n",
			"FAIL  deadlines kz, holidays to the end of 2027: delete: cool_off 12h, poll 10m and one retry 1h are 13h10m, more than half of its 24 hours (24h from noon)" +
				" (make policy.delete_account.cool_off 10h50m or less, or have a lawyer say what deadlines.delete.due may be)"},
	} {
		if got := checked(t, x.day, x.more); got != x.want {
			t.Errorf("%s:\n%s\nwant\n%s", x.name, got, x.want)
		}
	}
}
