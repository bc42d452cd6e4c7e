package main

import (
	_ "embed"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"

	"push.guru/supportd/cmd/internal/config"
	"push.guru/supportd/cmd/internal/daemon"
	"push.guru/supportd/handlers/users/boltusers"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/address"
	"push.guru/supportd/inbox/state"
)

// configFile is the flag that most commands have.
type configFile struct {
	Config string `short:"c" required:"" placeholder:"FILE" help:"The configuration file."`
}

// load reads the configuration; what is wrong with it names the file.
func (c configFile) load() (*config.Config, error) {
	cfg, err := config.Load(c.Config)
	return cfg, inFile(c.Config, err)
}

// inFile says what to do about a configuration that cannot be read, and where
// the faults are of one that can.
func inFile(name string, err error) error {
	var faults config.Faults
	switch {
	case errors.Is(err, os.ErrNotExist):
		return usageError{&inbox.Error{Err: err, Hint: `"supportd config" prints a sample to begin with`}}
	case errors.Is(err, os.ErrPermission):
		return &inbox.Error{Err: err, Hint: "run supportd as the user or a member of the group that may read it"}
	case errors.As(err, &faults):
		return fmt.Errorf("%s: %w", name, err)
	}
	return err
}

func logger(cfg *config.Config, w io.Writer) *slog.Logger {
	opt := &slog.HandlerOptions{Level: cfg.Log.Level}
	if cfg.Log.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, opt))
	}
	return slog.New(slog.NewTextHandler(w, opt))
}

type runCmd struct {
	configFile
	Once bool `help:"Take everything that waits, finish all that is due, and exit."`
}

// The daemon stays small beside a site. Its heap grows by four fifths of what is
// in use before it is cleaned, a little less than Go's does by itself, and it is
// cleaned more often rather than let the memory grow past leanMemory. That is no
// bound: what is in use may be more, while large mails are read.
const (
	leanGC     = 80       // percent, as GOGC
	leanMemory = 60 << 20 // bytes, as GOMEMLIMIT
)

// stayLean sets what the environment does not.
func stayLean(getenv func(string) string) {
	if getenv("GOGC") == "" {
		debug.SetGCPercent(leanGC)
	}
	if getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(leanMemory)
	}
}

func (c *runCmd) Run(w *world) (err error) {
	stayLean(os.Getenv)
	cfg, err := c.load()
	if err != nil {
		return err
	}
	d, err := daemon.Open(w.ctx, cfg, c.options(cfg, w))
	if errors.Is(err, state.ErrLocked) {
		return &inbox.Error{Err: err, Hint: "another supportd runs on " + cfg.StateDir + "; one is enough"}
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	debug.FreeOSMemory() // reading the word lists took far more than they keep
	if c.Once {
		return d.Once(w.ctx)
	}
	return d.Run(w.ctx)
}

// options says what the daemon writes to: a bar goes to a terminal where
// somebody waits for the end.
func (c *runCmd) options(cfg *config.Config, w *world) daemon.Options {
	notify, watchdog := serviceManager(os.Getenv)
	o := daemon.Options{Log: logger(cfg, w.stderr), Point: killPoint(), Notify: notify, Watchdog: watchdog}
	if c.Once {
		o.Progress = bar(w.stderr)
	}
	return o
}

type checkCmd struct {
	configFile
	Deep        bool   `help:"Instead of all that, read the whole state: its pages, the journal, every seal and index. The daemon must be stopped."`
	Probe       bool   `help:"Also send mails to each mailbox, one as if forged, and look at what arrives; they are removed again."`
	FromOutside string `placeholder:"HOST:25" help:"With --probe: send mail as a stranger does, too, to the server that takes yours from the internet."`
	OutsideAs   string `placeholder:"ADDRESS" help:"The author of that mail; default: the mailbox itself."`
}

// options reads what --probe should do.
func (c *checkCmd) options(w *world) (o daemon.ProbeOptions, err error) {
	if !c.Probe && (c.FromOutside != "" || c.OutsideAs != "") || c.FromOutside == "" && c.OutsideAs != "" {
		return o, usageError{errors.New("--from-outside goes with --probe, and --outside-as with both")}
	}
	if c.Deep && c.Probe {
		return o, usageError{errors.New("--deep and --probe are two checks: one needs the daemon stopped")}
	}
	if c.FromOutside != "" {
		host, port, err := net.SplitHostPort(c.FromOutside)
		if _, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil || host == "" {
			return o, usageError{fmt.Errorf("--from-outside=%s: a server is written HOST:25", c.FromOutside)}
		}
	}
	if c.OutsideAs != "" {
		if o.As, err = address.Canonical(c.OutsideAs); err != nil {
			return o, usageError{fmt.Errorf("--outside-as=%s: %w", c.OutsideAs, err)}
		}
	}
	o.Outside = c.FromOutside
	o.Tell = func(line string) { fmt.Fprintln(w.stderr, plain(line)) }
	return o, nil
}

func (c *checkCmd) Run(w *world) error {
	probe, err := c.options(w)
	if err != nil {
		return err
	}
	cfg, err := c.load()
	if err != nil {
		return err
	}
	failed := false
	put := func(line daemon.Check) {
		failed = failed || line.Err != nil
		fmt.Fprintln(w.stdout, plain(line.String()))
	}
	put(daemon.Check{Name: "configuration " + c.Config})
	lines := daemon.CheckDeep
	if !c.Deep {
		lines = func(cfg *config.Config) []daemon.Check { return daemon.CheckAll(w.ctx, cfg, daemon.Options{}) }
	}
	for _, line := range lines(cfg) {
		put(line)
	}
	if c.Probe {
		daemon.Probe(w.ctx, cfg, daemon.Options{}, probe, put)
	}
	if failed {
		return errFailed
	}
	return nil
}

type versionCmd struct{}

func (versionCmd) Run(w *world) error {
	version, built := daemon.Version()
	if built != "" {
		built = ", " + built
	}
	_, err := fmt.Fprintf(w.stdout, "supportd %s%s\n", version, built)
	return err
}

type configCmd struct {
	Systemd bool `help:"Print the systemd unit instead."`
}

//go:embed supportd.service
var unit string

func (c *configCmd) Run(w *world) error {
	text := config.Sample()
	if c.Systemd {
		text = unit
	}
	_, err := io.WriteString(w.stdout, text)
	return err
}

type compactCmd struct{ configFile }

func (c *compactCmd) Run(w *world) error {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	before, after, err := state.Compact(state.Config{Dir: cfg.StateDir})
	if errors.Is(err, state.ErrLocked) {
		return &inbox.Error{Err: err, Hint: "stop the daemon first"}
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(w.stdout, "%s: %d bytes before, %d after\n", filepath.Join(cfg.StateDir, "state.db"), before, after)
	if cfg.Users.Store != "bolt" {
		return nil // the site's database is not ours
	}
	if _, err := os.Stat(cfg.Users.Path); errors.Is(err, os.ErrNotExist) {
		return nil // nobody was imported yet
	}
	if err := boltusers.Compact(cfg.Users.Path); err != nil {
		return err
	}
	fmt.Fprintf(w.stdout, "%s: deleted people's pages are gone\n", cfg.Users.Path)
	return nil
}

type classifyCmd struct {
	Config string   `short:"c" placeholder:"FILE" help:"The configuration file; without it the defaults."`
	JSON   bool     `help:"One JSON object a line."`
	Files  []string `arg:"" name:"file" help:"Mails (.eml); - is standard input."`
}

func (c *classifyCmd) Run(w *world) error {
	var cfg *config.Config
	var err error
	if c.Config != "" {
		if cfg, err = (configFile{c.Config}).load(); err != nil {
			return err
		}
	}
	r, err := daemon.NewReader(cfg)
	if err != nil {
		return err
	}
	for _, name := range c.Files {
		raw, err := readFile(w, name)
		if err != nil {
			return err
		}
		reading := r.Read(w.ctx, name, raw)
		if c.JSON {
			err = printJSON(w.stdout, reading)
		} else {
			err = printReading(w.stdout, reading)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func readFile(w *world, name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(w.stdin)
	}
	return os.ReadFile(name)
}
