package config

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/handlers/users/datamap/mapfile"
	"push.guru/supportd/inbox/settings"
)

// Age is a span of the calendar: 18 months ago is the same day of another month.
type Age struct{ Months, Days int }

// Before gives the moment that lies an age before t; t itself where it is zero.
func (a Age) Before(t time.Time) time.Time { return t.AddDate(0, -a.Months, -a.Days) }

var age = regexp.MustCompile(`^([1-9][0-9]{0,3})([dmy])$`)

// ParseAge reads a span of the calendar: a whole number of days ("540d"), months
// ("18m") or years ("2y").
func ParseAge(s string) (Age, error) {
	m := age.FindStringSubmatch(s)
	if m == nil {
		return Age{}, fmt.Errorf("%q is no number of days, months or years", s)
	}
	n, _ := strconv.Atoi(m[1]) // at most four digits
	switch m[2] {
	case "d":
		return Age{Days: n}, nil
	case "m":
		return Age{Months: n}, nil
	}
	return Age{Months: 12 * n}, nil
}

// Database reads from a configuration only where the site's database is, for
// whoever is to write its data map: the rest may be unfinished. The error is a
// Faults where it says that wrongly.
func Database(path string) (Users, error) {
	r, root, err := read(path)
	if err != nil {
		return Users{}, err
	}
	t := root.table("users")
	u := Users{Store: t.OneOf("store", "bolt", "bolt", "postgres", "mysql", "sqlite")}
	if u.Store == "bolt" {
		t.Fault("store", "write postgres, mysql or sqlite", "is bolt: the embedded store has a data map of its own")
	} else {
		u.Path, u.DSNFile, u.DSNEnv = t.readWhere(u.Store, "")
	}
	if faults := r.Faults(); len(faults) > 0 {
		return Users{}, faults
	}
	return u, nil
}

func readUsers(t *table, stateDir string) Users {
	defer t.Close()
	u := Users{Store: t.OneOf("store", "bolt", "bolt", "postgres", "mysql", "sqlite"), Protected: t.Texts("protected")}
	if t.Faulty("store") { // nobody knows which of these keys it should have
		for _, key := range []string{"path", "dsn_file", "dsn_env", "map"} {
			t.Find(key)
		}
	} else {
		u.Path, u.DSNFile, u.DSNEnv = t.readWhere(u.Store, stateDir)
		u.Map = t.readMap(u.Store)
	}
	if s := t.Text("dormant", ""); s != "" {
		var err error
		if u.Dormant, err = ParseAge(s); err != nil {
			t.Fault("dormant", `write for example "18m" (months), "540d" or "2y"`, "%v", err)
		}
	}
	switch {
	case u.Dormant == Age{}, u.Map == nil, u.Map.Places()[0].Account.LastSeen != "":
	case u.Store == "bolt":
		t.Fault("dormant", "leave it out", "the embedded store does not know when people were last signed in")
	default:
		t.Fault("dormant", "name the column in the data map: last_seen, under [account]", "nothing says when people were last signed in")
	}
	for _, id := range u.Protected {
		if id == "" {
			t.Fault("protected", "each is the ID of somebody", "an ID is empty")
		}
	}
	u.Reapply = t.duration("reapply", 365*day, 0)
	u.After = readAfter(t.table("after"))
	return u
}

// readWhere reads where the store is: a file, or a data source name.
func (t *table) readWhere(store, stateDir string) (path, dsnFile, dsnEnv string) {
	def := ""
	if store == "bolt" {
		def = filepath.Join(stateDir, "users.db")
	}
	path, dsnFile, dsnEnv = t.file("path", def), t.file("dsn_file", ""), t.Text("dsn_env", "")
	if store == "postgres" || store == "mysql" {
		if t.Has("path") {
			t.Fault("path", "leave it out; dsn_file or dsn_env says where the database is", "is not read: %s is no file", store)
		}
		t.checkDSN(store, dsnFile, dsnEnv)
		return "", dsnFile, dsnEnv
	}
	for _, key := range []string{"dsn_file", "dsn_env"} {
		if t.Has(key) {
			t.Fault(key, "leave it out; path says where the file is", "is not read: %s is a file", store)
		}
	}
	switch info, err := os.Stat(path); {
	case path == "" && store == "bolt":
		t.Fault("path", "leave the key out for the default", "is empty")
	case path == "":
		t.Fault("path", "name the site's database file", "is missing")
	case store == "sqlite" && err != nil:
		t.Fault("path", "the site makes this file, and supportd does not", "%v", err)
	case store == "sqlite" && info.IsDir():
		t.Fault("path", "", "%s is a folder", path)
	}
	return path, "", ""
}

// checkDSN notes what is wrong with where a data source name is read.
func (t *table) checkDSN(store, file, env string) {
	form := map[string]string{"postgres": "postgres://user:password@host/database", "mysql": "user:password@tcp(host:3306)/database"}[store]
	switch {
	case file != "" && env != "":
		t.Fault("dsn_file", "keep one", "both dsn_file and dsn_env are set")
	case file != "":
		t.checkSecretFile("dsn_file", file, "the file holds one line, "+form)
	case env != "":
		if _, err := oneSecret(os.Getenv(env), "$"+env); err != nil {
			t.Fault("dsn_env", "set the variable in the environment of supportd: "+form, "%v", err)
		}
	default:
		t.Fault("dsn_file", "name a file with one line, "+form+", or a variable of the environment: dsn_env", "is missing: nothing says where the database is")
	}
}

// readMap reads the data map. Its faults are listed with those of the
// configuration, under its own name.
func (t *table) readMap(store string) *datamap.Map {
	const example = `"supportd users -c FILE map --example NAME" prints one to begin with`
	name := t.file("map", "")
	switch {
	case store == "bolt" && t.Has("map"):
		t.Fault("map", "leave it out", "is not read: the embedded store has its own")
		return datamap.Embedded()
	case store == "bolt":
		return datamap.Embedded()
	case name == "":
		t.Fault("map", example, "is missing: nothing says what the database stores about people")
		return nil
	}
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fault("map", example, "%v", err)
		return nil
	}
	m, err := mapfile.Read(data)
	var faults settings.Faults
	if errors.As(err, &faults) {
		t.FaultsOf(name, faults)
	} else if err != nil {
		t.Fault("map", "", "%v", err)
	}
	return m
}

func readAfter(t *table) After {
	defer t.Close()
	a := After{URL: t.page("url"), SecretFile: t.file("secret_file", ""), Command: t.Texts("command")}
	const secret = "name a file with the secret that requests are signed with, so that your page knows them from others"
	switch {
	case a.URL != "" && len(a.Command) > 0:
		t.Fault("url", "keep one", "both url and command are set")
	case a.URL != "" && a.SecretFile == "":
		t.Fault("secret_file", secret, "is missing")
	case a.URL != "":
		t.checkSecretFile("secret_file", a.SecretFile, "the file holds the secret and nothing else")
	case a.SecretFile != "":
		t.Fault("secret_file", "it goes with url", "is not read")
	case t.Has("command"):
		t.checkCommand("command", a.Command, `the program first, then its arguments: ["/usr/local/bin/after"]`)
	}
	return a
}

// checkCommand notes that a program cannot be run.
func (t *table) checkCommand(key string, argv []string, hint string) {
	if len(argv) == 0 {
		t.Fault(key, hint, "is empty")
	} else if _, err := exec.LookPath(argv[0]); err != nil {
		t.Fault(key, hint, "%v", err)
	}
}
