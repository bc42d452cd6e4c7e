package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"push.guru/supportd/cmd/internal/config"
	"push.guru/supportd/cmd/internal/daemon"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/state"
)

// configFile is the flag that most commands have.
type configFile struct {
	Config string `short:"c" required:"" placeholder:"FILE" help:"The configuration file."`
}

func (c configFile) load() (*config.Config, error) { return config.Load(c.Config) }

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

func (c *runCmd) Run(w *world) (err error) {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	d, err := daemon.Open(w.ctx, cfg, daemon.Options{Log: logger(cfg, w.stderr), Point: killPoint()})
	if errors.Is(err, state.ErrLocked) {
		return &inbox.Error{Err: err, Hint: "another supportd runs on " + cfg.StateDir}
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if c.Once {
		return d.Once(w.ctx)
	}
	return d.Run(w.ctx)
}

type checkCmd struct {
	configFile
	Probe bool `help:"Also send mails to the mailbox and look at what arrives." hidden:""`
}

func (c *checkCmd) Run(w *world) error {
	if c.Probe {
		return usageError{errors.New("--probe is not part of this version: send a mail to the mailbox and look at \"supportd mails show\"")}
	}
	cfg, err := c.load()
	if err != nil {
		return err
	}
	fmt.Fprintf(w.stdout, "ok    configuration %s\n", c.Config)
	failed := false
	for _, line := range daemon.CheckAll(w.ctx, cfg, daemon.Options{}) {
		if line.Err == nil {
			fmt.Fprintf(w.stdout, "ok    %s\n", line.Name)
			continue
		}
		failed = true
		var e *inbox.Error
		if errors.As(line.Err, &e) && e.Hint != "" {
			fmt.Fprintf(w.stdout, "FAIL  %s: %v\n      hint: %s\n", line.Name, e.Err, e.Hint)
		} else {
			fmt.Fprintf(w.stdout, "FAIL  %s: %v\n", line.Name, line.Err)
		}
	}
	if failed {
		return errFailed
	}
	return nil
}

type configCmd struct{}

func (configCmd) Run(w *world) error {
	_, err := io.WriteString(w.stdout, config.Sample())
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
		if cfg, err = config.Load(c.Config); err != nil {
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
