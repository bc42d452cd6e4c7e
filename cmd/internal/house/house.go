// Package house checks that the packages of this module keep the order that
// the page of package inbox draws: each imports only from lower layers, each
// library is used only in its rooms, and what serves tests stays out of the
// programs. It reads the import lines of every Go file, whatever its build
// tags, and uses the standard library only. It also finds exported names that
// nobody wrote a comment for. Its own test runs it on the module.
package house

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Rules are what a tree is held against.
type Rules struct {
	Module string
	// Layer ranks every package, by its path in the module. A package imports
	// only from a lower rank; its tests also from their own, as far as the
	// compiler lets them.
	Layer map[string]int
	// Testing names the packages that only tests import, and the other packages
	// that may import them.
	Testing map[string][]string
	// Rooms names the packages that may use a library, by the prefix of its
	// import path; "…" at the end of a room stands for everything below it, and
	// a room of "…" alone for every package.
	Rooms map[string][]string
	// TestRooms are the libraries that tests may use everywhere.
	TestRooms []string
	// Standard names the packages that use the standard library only.
	Standard []string
}

// House gives the rules of this module.
func House() Rules {
	return Rules{
		Module: "push.guru/supportd",
		Layer:  layers(),
		Testing: map[string][]string{
			"inbox/mailtest":           {"cmd/demo", "cmd/internal/talk", "cmd/internal/crowd", "inbox/mailtest/realmail"},
			"cmd/internal/talk":        {"cmd/demo"},
			"cmd/internal/crowd":       nil,
			"inbox/mailtest/keeper":    {"inbox/mailtest/realmail", "handlers/users/realsql"},
			"inbox/mailtest/realmail":  nil,
			"handlers/users/realsql":   nil,
			"handlers/users/userstest": nil,
		},
		Rooms: map[string][]string{
			"github.com/emersion/go-imap/v2":  {"inbox/mailbox", "inbox/mailtest/…"},
			"github.com/emersion/go-message":  {"inbox/parse", "inbox/mailtest/…"},
			"github.com/emersion/go-msgauth":  {"inbox/sender", "inbox/outbox"},
			"github.com/emersion/go-sasl":     {"inbox/mailbox", "inbox/mailtest/…"},
			"github.com/emersion/go-smtp":     {"inbox/mailtest/…"},
			"github.com/wneessen/go-mail":     {"inbox/outbox"},
			"go.etcd.io/bbolt":                {"inbox/state", "inbox/journal", "handlers/users/boltusers"},
			"github.com/jackc/pgx/v5":         {"handlers/users/sqlusers", "handlers/users/realsql"},
			"github.com/go-sql-driver/mysql":  {"handlers/users/sqlusers", "handlers/users/realsql"},
			"modernc.org/sqlite":              {"handlers/users/sqlusers"},
			"github.com/alecthomas/kong":      {"cmd/…"},
			"github.com/pelletier/go-toml/v2": {"inbox/settings"},
			"github.com/abadojack/whatlanggo": {"inbox/classify/…"},
			"github.com/nyaruka/phonenumbers": {"inbox/classify/…"},
			"filippo.io/age":                  {"cmd/internal/config", "cmd/internal/daemon"},
			"golang.org/x":                    {"…"},
			"github.com/rogpeppe/go-internal": nil,
			"go.uber.org/goleak":              nil,
			"github.com/chromedp":             {"cmd/internal/browser"},
		},
		TestRooms: []string{
			"github.com/emersion/go-message", "github.com/emersion/go-msgauth", "github.com/emersion/go-sasl", "github.com/emersion/go-smtp",
			"github.com/rogpeppe/go-internal", "go.uber.org/goleak",
		},
		Standard: []string{"inbox"},
	}
}

// layers ranks the packages, lowest first.
func layers() map[string]int {
	rank := map[string]int{}
	for i, names := range [...]string{
		"inbox",
		"inbox/address inbox/classify/lang inbox/mailtest/keeper",
		"inbox/mailbox inbox/parse inbox/screen inbox/sender inbox/policy inbox/deadline inbox/journal templates handlers/users handlers/users/meaning handlers/after " +
			"inbox/classify/value inbox/classify/answer inbox/settings",
		"inbox/classify inbox/state handlers/users/datamap templates/console",
		"inbox/cases inbox/staff handlers/users/datamap/mapfile",
		"inbox/intake inbox/queue inbox/outbox handlers handlers/users/boltusers handlers/users/sqlusers " +
			"handlers/users/userstest handlers/users/realsql inbox/mailtest",
		"inbox/mailtest/realmail inbox/review inbox/health handlers/users/fit",
		"inbox/control inbox/console handlers/users/draft",
		"cmd/internal/config cmd/internal/crowd cmd/internal/house cmd/internal/talk",
		"cmd/internal/daemon",
		"cmd/supportd cmd/demo cmd/internal/browser",
	} {
		for _, name := range strings.Fields(names) {
			rank[name] = i
		}
	}
	return rank
}

// file is what counts of one Go file.
type file struct {
	pkg  string // its folder
	test bool
}

// Check reads every Go file of the tree and gives what is against the rules,
// one sentence a fault, in the order of the files.
func (r Rules) Check(tree fs.FS) ([]string, error) {
	var faults []string
	err := eachFile(tree, func(name string) error {
		found, err := r.checkFile(tree, name)
		faults = append(faults, found...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("checking the imports: %w", err)
	}
	return faults, nil
}

// eachFile calls f for the Go files of a tree, as far as the go tool looks.
func eachFile(tree fs.FS, f func(name string) error) error {
	return fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		switch base := path.Base(name); {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (base[0] == '.' || base[0] == '_' || base == "testdata" || base == "vendor"):
			return fs.SkipDir
		case d.IsDir() || path.Ext(name) != ".go":
			return nil
		}
		return f(name)
	})
}

func (r Rules) checkFile(tree fs.FS, name string) ([]string, error) {
	src, err := fs.ReadFile(tree, name)
	if err != nil {
		return nil, err
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), name, src, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	f := file{pkg: path.Dir(name), test: strings.HasSuffix(name, "_test.go")}
	if _, ok := r.Layer[f.pkg]; !ok {
		return []string{fmt.Sprintf("%s: package %s is in no layer; give it one", name, f.pkg)}, nil
	}
	var faults []string
	for _, spec := range parsed.Imports {
		target, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		if why := r.against(f, target); why != "" {
			faults = append(faults, name+": "+why)
		}
	}
	return faults, nil
}

// against says what is wrong with one import, or "".
func (r Rules) against(f file, target string) string {
	if inner, ok := strings.CutPrefix(target, r.Module+"/"); ok {
		return r.againstLayer(f, inner)
	}
	if first, _, _ := strings.Cut(target, "/"); !strings.Contains(first, ".") {
		return "" // the standard library
	}
	if !f.test && slices.Contains(r.Standard, f.pkg) {
		return fmt.Sprintf("%s uses the standard library only, not %s", f.pkg, target)
	}
	return r.againstRooms(f, target)
}

// againstLayer judges an import from this module.
func (r Rules) againstLayer(f file, target string) string {
	rank, known := r.Layer[target]
	importers, testing := r.Testing[target]
	switch {
	case !known:
		return fmt.Sprintf("package %s is in no layer; give it one", target)
	case testing && f.test:
		return ""
	case testing && !slices.Contains(importers, f.pkg):
		return fmt.Sprintf("%s serves tests; %s may not link it", target, f.pkg)
	case rank < r.Layer[f.pkg], f.test && rank == r.Layer[f.pkg]:
		return ""
	}
	return fmt.Sprintf("%s (layer %d) may not import %s (layer %d)", f.pkg, r.Layer[f.pkg], target, rank)
}

// againstRooms judges the use of a library. The longest prefix decides.
func (r Rules) againstRooms(f file, target string) string {
	library := ""
	for prefix := range r.Rooms {
		if within(target, prefix) && len(prefix) > len(library) {
			library = prefix
		}
	}
	if library == "" {
		return fmt.Sprintf("library %s has no room; give it one", target)
	}
	if f.test && slices.Contains(r.TestRooms, library) {
		return ""
	}
	for _, room := range r.Rooms[library] {
		below, deep := strings.CutSuffix(room, "…")
		if room == f.pkg || deep && (below == "" || within(f.pkg, strings.TrimSuffix(below, "/"))) {
			return ""
		}
	}
	return fmt.Sprintf("library %s is used outside its rooms", library)
}

// within tells whether an import path is prefix or below it.
func within(name, prefix string) bool {
	return name == prefix || strings.HasPrefix(name, prefix+"/")
}
