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
	"regexp"
	"slices"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"push.guru/supportd/cmd/internal/config"
	"push.guru/supportd/inbox"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the first signal lets what is under way finish, a second one ends the program at once
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
	Run       runCmd       `cmd:"" help:"The daemon: take mail in, carry requests out, reply. SIGTERM lets what is under way finish, a second one ends it at once."`
	Check     checkCmd     `cmd:"" help:"Try configuration, mail servers, templates and user store; changes nothing."`
	Config    configCmd    `cmd:"" help:"Print the commented sample configuration, or the systemd unit."`
	Classify  classifyCmd  `cmd:"" help:"Show what the daemon would understand of mails; stores and sends nothing."`
	Actions   actionsCmd   `cmd:"" help:"The queued actions: list, show, decide."`
	Answers   answersCmd   `cmd:"" help:"Answers that staff keep to write them again; every case page offers them."`
	Mails     mailsCmd     `cmd:"" help:"Every mail and its end state."`
	Pause     pauseCmd     `cmd:"" help:"Stop effects, replies, or both; mail is still taken in."`
	Resume    resumeCmd    `cmd:"" help:"End a pause, also the one after a restored state."`
	Reconcile reconcileCmd `cmd:"" help:"Compare every mailbox with the state; exit 1 when a mail is not accounted for."`
	Users     usersCmd     `cmd:"" help:"The people of the user store, and the data map of a database."`
	Staff     staffCmd     `cmd:"" help:"Who may sign in to the console, and what they may do there."`
	Journal   journalCmd   `cmd:"" help:"The journal's hash chain."`
	Backup    backupCmd    `cmd:"" help:"Write a consistent copy of the state and the embedded user store into an empty directory."`
	Restore   restoreCmd   `cmd:"" help:"Put a copy that backup made in place of the state (daemon stopped)."`
	Version   versionCmd   `cmd:"" help:"Print the version of the program."`
	Compact   compactCmd   `cmd:"" help:"Rewrite state and user store without freed pages, in which deleted data may still be read (daemon stopped)."`
}

// world is what commands read from and write to.
type world struct {
	ctx            context.Context
	stdin          io.Reader
	stdout, stderr io.Writer
}

// usageError is a mistake in how the program was called.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// errFailed ends a command with exit code 1 after it has said why.
var errFailed = errors.New("failed")

// Run is the program: it carries out one command line and gives the exit code.
func Run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	helpTo := stdout
	if len(args) == 0 { // nothing was asked for: that is no success
		args, helpTo = []string{"--help"}, stderr
	}
	var c cli
	helped := false
	parser, err := newParser(&c, helpTo, stderr, func(int) { helped = true })
	if err != nil {
		return report(stderr, err)
	}
	k, err := parser.Parse(protectEdits(args))
	switch {
	case helped && helpTo == stderr:
		return exitUsage
	case helped:
		return exitDone
	case err != nil:
		return report(stderr, usageError{err})
	}
	k.Bind(&c, command(lastWord(k.Command())))
	return report(stderr, k.Run(&world{ctx, stdin, stdout, stderr}))
}

// newParser reads command lines into c; exit is called after a help page.
func newParser(c *cli, stdout, stderr io.Writer, exit func(int)) (*kong.Kong, error) {
	return kong.New(c, kong.Name("supportd"),
		kong.Description("Answers a site's support mailbox when people write about their personal data.\n\n"+
			"Exit codes: 0 done, 1 failed, 2 wrong usage, or a configuration that is missing or faulty."),
		kong.Writers(stdout, stderr), kong.Exit(exit),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
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
		complain(stderr, err.Error(), "")
		return exitUsage
	case errors.As(err, &e) && e.Hint != "":
		complain(stderr, strings.Replace(err.Error(), e.Error(), e.Err.Error(), 1), e.Hint)
	case errors.As(err, &usage):
		complain(stderr, err.Error(), `"supportd --help" lists the commands, "supportd COMMAND --help" explains one`)
	default:
		complain(stderr, err.Error(), "")
	}
	if errors.As(err, &usage) {
		return exitUsage
	}
	return exitFailed
}

// complain writes an error for a terminal. It may quote a server or a mail, so
// it is made harmless.
func complain(w io.Writer, text, hint string) {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = plain(line)
	}
	fmt.Fprintln(w, "supportd:", strings.Join(lines, "\n"))
	if hint != "" {
		fmt.Fprintln(w, "  hint:", plain(hint))
	}
}

// An edit is "-field" of "actions correct", and not a flag: "-c" is shorter,
// and a file glued to it has a dot or a slash.
var removal = regexp.MustCompile(`^-[a-z][a-z0-9_]+$`)

// protectEdits lets "-field" of "actions correct" pass as what it is: all
// edits of that form are moved behind "--".
func protectEdits(args []string) []string {
	actions := slices.Index(args, "actions")
	correct := slices.Index(args, "correct")
	if actions != 0 || correct < 0 {
		return args
	}
	kept, edits := slices.Clone(args[:correct+1]), []string{}
	rest := args[correct+1:]
	if i := slices.Index(rest, "--"); i >= 0 { // somebody knows what it is for
		rest, edits = rest[:i], slices.Clone(rest[i+1:])
	}
	for _, a := range rest {
		if removal.MatchString(a) {
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
