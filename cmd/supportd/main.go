// Command supportd answers a site's support mailbox when people write about
// their personal data. "supportd --help" lists its commands; the README has a
// real installation.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"push.guru/supportd/cmd/internal/config"
	"push.guru/supportd/inbox"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := Run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// The exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// cli is the command line; each field is a command.
type cli struct {
	Run       runCmd       `cmd:"" help:"The daemon: take mail in, carry requests out, reply."`
	Check     checkCmd     `cmd:"" help:"Try configuration, mail servers, templates and user store; changes nothing."`
	Config    configCmd    `cmd:"" help:"Print the commented sample configuration."`
	Classify  classifyCmd  `cmd:"" help:"Show what the daemon would understand of mails; stores and sends nothing."`
	Actions   actionsCmd   `cmd:"" help:"The queued actions: list, show, decide."`
	Mails     mailsCmd     `cmd:"" help:"Every mail and its end state."`
	Pause     pauseCmd     `cmd:"" help:"Stop effects, replies, or both; mail is still taken in."`
	Resume    resumeCmd    `cmd:"" help:"End a pause, also the one after a restored state."`
	Reconcile reconcileCmd `cmd:"" help:"Compare every mailbox with the state; exit 1 when a mail is not accounted for."`
	Users     usersCmd     `cmd:"" help:"The people of the embedded user store."`
	Journal   journalCmd   `cmd:"" help:"The journal's hash chain."`
	Backup    backupCmd    `cmd:"" help:"Write a consistent copy of the state into an empty directory."`
	Compact   compactCmd   `cmd:"" help:"Rewrite the state without freed pages (daemon stopped)."`
}

// world is what commands read from and write to.
type world struct {
	ctx            context.Context
	stdin          io.Reader
	stdout, stderr io.Writer
}

// usageError is a mistake in how the program was called.
type usageError struct{ error }

// errFailed ends a command with exit code 1 after it has said why.
var errFailed = errors.New("failed")

// Run is the program: it carries out one command line and gives the exit code.
func Run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	var c cli
	exited := -1
	parser, err := kong.New(&c, kong.Name("supportd"), kong.UsageOnError(),
		kong.Description("Answers a site's support mailbox when people write about their personal data."),
		kong.Writers(stdout, stderr), kong.Exit(func(code int) { exited = code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err != nil {
		fmt.Fprintln(stderr, "supportd:", err)
		return exitFailed
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	k, err := parser.Parse(protectEdits(args))
	if exited >= 0 {
		return exited
	}
	if err != nil {
		fmt.Fprintln(stderr, "supportd:", err)
		fmt.Fprintln(stderr, `"supportd --help" lists the commands`)
		return exitUsage
	}
	k.Bind(&c, command(lastWord(k.Command())))
	return report(stderr, k.Run(&world{ctx, stdin, stdout, stderr}))
}

// command is the verb that was typed: "hold" of "actions hold <id>".
type command string

func lastWord(path string) string {
	verb := ""
	for word := range strings.FieldsSeq(path) {
		if !strings.HasPrefix(word, "<") && !strings.HasPrefix(word, "[") {
			verb = word
		}
	}
	return verb
}

// report says what went wrong, with its hint, and gives the exit code.
func report(stderr io.Writer, err error) int {
	var usage usageError
	var faults config.Faults
	var e *inbox.Error
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errFailed):
		return exitFailed
	case errors.As(err, &faults):
		fmt.Fprintln(stderr, "supportd: the configuration has faults:")
		for _, f := range faults {
			fmt.Fprintln(stderr, " ", f)
		}
		return exitUsage
	case errors.As(err, &usage):
		fmt.Fprintln(stderr, "supportd:", err)
		return exitUsage
	case errors.As(err, &e) && e.Hint != "":
		fmt.Fprintln(stderr, "supportd:", e.Err)
		fmt.Fprintln(stderr, "  hint:", e.Hint)
		return exitFailed
	}
	fmt.Fprintln(stderr, "supportd:", err)
	return exitFailed
}

// protectEdits lets "-field" of "actions correct" pass as what it is: all
// edits of that form are moved behind "--".
func protectEdits(args []string) []string {
	correct := -1
	for i, a := range args {
		if a == "correct" {
			correct = i
			break
		}
	}
	if correct < 0 {
		return args
	}
	kept, edits := append([]string(nil), args[:correct+1]...), []string{}
	for _, a := range args[correct+1:] {
		if len(a) > 2 && a[0] == '-' && a[1] != '-' {
			edits = append(edits, a)
		} else {
			kept = append(kept, a)
		}
	}
	if len(edits) == 0 {
		return kept
	}
	return append(append(kept, "--"), edits...)
}
