package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"text/tabwriter"

	"push.guru/supportd/cmd/internal/daemon"
	"push.guru/supportd/cmd/internal/talk"
	"push.guru/supportd/inbox/control"
	"push.guru/supportd/inbox/mailtest"
	"push.guru/supportd/inbox/parse"
	"push.guru/supportd/inbox/review"
)

// printer shows the conversations to a person.
type printer struct {
	mu     sync.Mutex // mails pass from several goroutines
	w      io.Writer
	colour bool
}

// newPrinter uses colour on a terminal, unless NO_COLOR says otherwise.
func newPrinter(w io.Writer) *printer {
	p := &printer{w: w}
	if f, ok := w.(*os.File); ok && os.Getenv("NO_COLOR") == "" {
		if info, err := f.Stat(); err == nil {
			p.colour = info.Mode()&os.ModeCharDevice != 0
		}
	}
	return p
}

const (
	bold   = "1"
	green  = "32"
	red    = "31"
	yellow = "33"
	cyan   = "36"
	dim    = "2"
)

func (p *printer) paint(colour, s string) string {
	if !p.colour {
		return s
	}
	return "\x1b[" + colour + "m" + s + "\x1b[0m"
}

func (p *printer) title(s talk.Script) {
	fmt.Fprintf(p.w, "\n%s\n", p.paint(bold, "━━ "+s.Title+"  ("+s.Name+")"))
}

// passing shows a mail that SMTP has just taken: one to the site without the
// quotes below it, or, with its name, one of our letters.
func (p *printer) passing(d mailtest.Delivery, letter string) {
	if letter != "" {
		p.mail(talk.Script{}, false, d.To, d.Subject(), d.Text(), letter)
		return
	}
	note := "nobody logged in"
	if d.User != "" {
		note = "logged in as " + d.User
	}
	m := parse.Message(d.Bytes, parse.Options{})
	p.mail(talk.Script{}, true, m.From.Addr, d.Subject(), m.Text, note)
}

// mail shows one mail: what a person wrote, or the letter that they got.
func (p *printer) mail(_ talk.Script, in bool, who, subject, text, note string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	arrow, colour := "▶ from ", cyan
	if !in {
		arrow, colour = "◀ to ", green
	}
	if note == "unproven" {
		note = "sender not proved"
	}
	fmt.Fprintf(p.w, "\n  %s %s\n", p.paint(colour, arrow+who), p.paint(dim, "["+note+"]"))
	fmt.Fprintf(p.w, "  %s\n", p.paint(bold, subject))
	for line := range strings.Lines(strings.TrimSpace(text)) {
		fmt.Fprintf(p.w, "  %s %s\n", p.paint(colour, "│"), strings.TrimRight(line, "\r\n"))
	}
}

func (p *printer) verdict(err error) {
	if err != nil {
		fmt.Fprintf(p.w, "\n  %s %v\n", p.paint(red, "✗ not as it should be:"), err)
		return
	}
	fmt.Fprintf(p.w, "\n  %s\n", p.paint(green, "✓ as it should be"))
}

// actions prints the table of all actions.
func (p *printer) actions(ctx context.Context, d *daemon.Daemon) error {
	fmt.Fprintf(p.w, "\n%s\n\n", p.paint(bold, "━━ The queued-action log"))
	t := tabwriter.NewWriter(p.w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "  ACTION\tCASE\tKIND\tSTATE\tSENDER\tNOTE")
	err := call(ctx, d, control.Call{Verb: "actions list"}, func(item json.RawMessage) error {
		var v review.ActionView
		if err := json.Unmarshal(item, &v); err != nil {
			return err
		}
		kind := strings.TrimSpace(string(v.Kind) + " " + string(v.Scope))
		if v.Undo {
			kind = "reactivate"
		}
		_, err := fmt.Fprintf(t, "  %s\t%s\t%s\t%s\t%s\t%s\n", v.ID, v.Case, kind, v.State, v.Evidence, v.Error)
		return err
	})
	if err != nil {
		return err
	}
	return t.Flush()
}

func (p *printer) sum(all, failed int) {
	if failed > 0 {
		fmt.Fprintf(p.w, "\n%s\n", p.paint(red, fmt.Sprintf("%d of %d conversations did not end as they should.", failed, all)))
		return
	}
	fmt.Fprintf(p.w, "\n%s\n", p.paint(green, fmt.Sprintf("All %d conversations ended as they should.", all)))
}

// invite says how to try it oneself.
func (p *printer) invite(w *mailtest.World, file, link string) {
	fmt.Fprintf(p.w, `
%[1]s

  IMAP  %[2]s   SMTP  %[3]s   no encryption; this machine only
  log in as %[4]s, password %[5]s; you have an account at the site

  Write to %[6]s with a mail program, or like this:

      printf 'From: %[7]s\nTo: %[9]s\nDate: '"$(date -R)"'\nSubject: my data\n\nPlease change my phone number to +7 701 555 77 99.\n' |
        curl -sS --crlf smtp://%[3]s -u %[7]s:%[8]s --mail-from %[7]s --mail-rcpt %[9]s -T -

  Answer with the subject of the letter: the token in it says to what. Without the login nobody vouches for the
  sender, and you are asked first whether it was you. A delete or a new address waits %[10]v minutes: "stop" prevents it.

  Staff's view, in a browser; the link signs you in once, within a day:

      %[12]s

  and on the command line:

      go run ./cmd/supportd actions -c %[11]s list
      go run ./cmd/supportd mails -c %[11]s list

  What goes in and out is printed here. Ctrl-C ends the demo.
`, p.paint(bold, "━━ Your turn"), w.IMAPAddr(), w.SMTPAddr(), p.paint(yellow, visitor), p.paint(yellow, password), p.paint(yellow, support),
		visitor, password, support, ownCoolOff.Minutes(), file, p.paint(yellow, link))
}
