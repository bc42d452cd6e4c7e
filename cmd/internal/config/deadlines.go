package config

import (
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/deadline"
	"push.guru/supportd/inbox/settings"
)

// readDeadlines reads the profile, the operator's holidays, and a table a kind
// whose keys stand over the profile's.
func readDeadlines(t *table, zone *time.Location) Deadlines {
	defer t.Close()
	d := Deadlines{Profile: t.OneOf("profile", "kz", deadline.Profiles()...), Holidays: t.file("holidays", "")}
	clock, err := deadline.Profile(d.Profile, zone)
	if err != nil && !t.Faulty("profile") {
		t.Fault("profile", "", "%v", err)
	}
	for _, k := range inbox.Kinds() {
		sub := t.table(string(k))
		term := clock.Term(k)
		if readTerm(sub, &term); err == nil {
			clock = clock.WithTerm(k, term)
		}
	}
	if cal := readHolidays(t, d.Holidays); cal != nil && err == nil {
		clock = clock.WithHolidays(cal)
	}
	d.Clock = clock
	return d
}

// readTerm reads what the table of a kind changes.
func readTerm(t *table, term *deadline.Term) {
	defer t.Close()
	for _, key := range deadline.Keys() {
		if value := t.Text(key, ""); t.Has(key) && !t.Faulty(key) {
			if err := term.Set(key, value); err != nil {
				t.Fault(key, "", "%v", err)
			}
		}
	}
}

// readHolidays reads a calendar, or all files of a folder that end in .txt, in
// the order of their names: later ones stand over earlier ones.
func readHolidays(t *table, path string) *deadline.Calendar {
	const hint = `"go doc ./inbox/deadline ReadCalendar" has the form of the file`
	if path == "" {
		return nil
	}
	files, err := filesIn(path)
	switch {
	case err != nil:
		t.Fault("holidays", "", "%v", err)
	case len(files) == 0:
		t.Fault("holidays", hint, "%s has no file that ends in .txt", path)
	}
	var all *deadline.Calendar
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fault("holidays", "", "%v", err)
			continue
		}
		cal, faults := deadline.ReadCalendar(text)
		var told settings.Faults
		for _, f := range faults {
			told = append(told, Fault{Line: f.Line, Problem: f.Problem, Hint: hint})
		}
		t.FaultsOf(name, told)
		if all != nil {
			cal = cal.Over(all)
		}
		all = cal
	}
	return all
}

// filesIn gives a file itself, or the calendars of a folder.
func filesIn(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	names, err := fs.Glob(os.DirFS(path), "*.txt")
	for i, name := range names {
		names[i] = filepath.Join(path, name)
	}
	return names, err
}
