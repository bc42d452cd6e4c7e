package daemon_test

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"push.guru/supportd/cmd/internal/daemon"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/control"
	"push.guru/supportd/inbox/intake"
	"push.guru/supportd/inbox/mailtest"
)

var updateProbes = flag.Bool("update-probes", false, "write what the probes find into testdata/probe")

// probeScene is one file of testdata/probe: how the servers are, and the lines
// that a probe then writes.
type probeScene struct {
	world   mailtest.Options
	refuses []string
	replace []string
	more    string
	options daemon.ProbeOptions
	runs    bool // a daemon runs
	bounces bool // mail to a plus-address comes back with a report
	unknown bool // one comes that does not know of the probe
}

// TestProbe plays every file. The section lines has the findings, random words
// put aside, and the section time how long they took.
func TestProbe(t *testing.T) {
	files, err := filepath.Glob("testdata/probe/*.txt")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d scenes, %v", len(files), err)
	}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) {
			a, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			lines, took := playProbe(t, readProbeScene(t, a))
			found := map[string]string{"lines": lines, "time": took.String() + "\n"}
			for i, f := range a.Files {
				got, ok := found[f.Name]
				if !ok {
					continue
				}
				if *updateProbes {
					a.Files[i].Data = []byte(got)
				} else if got != string(f.Data) {
					t.Errorf("%s:\n%swant\n%s", f.Name, got, f.Data)
				}
			}
			if *updateProbes {
				if err := os.WriteFile(name, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func readProbeScene(t *testing.T, a *txtar.Archive) (s probeScene) {
	t.Helper()
	s.replace = []string{`server = "smtp+insecure://127.0.0.1:25"`,
		`server = "smtp+insecure://127.0.0.1:25"` + "\nusername = \"support@site.test\"\npassword_file = \"pass\""}
	for _, f := range a.Files {
		for line := range strings.Lines(string(f.Data)) {
			s.read(t, f.Name, strings.TrimSpace(line))
		}
	}
	return s
}

func (s *probeScene) read(t *testing.T, section, line string) {
	t.Helper()
	word, rest, _ := strings.Cut(line, " ")
	switch section + ": " + word {
	case "border: strips":
		s.world.Border.Strips = true
	case "border: silent":
		s.world.Border.Silent = true
	case "border: deaf":
		s.world.Border.Deaf = true
	case "border: no-detail":
		s.world.Border.NoDetail = true
	case "border: loses":
		s.world.Border.Loses = func(mailtest.Delivery) bool { return true }
	case "border: loses-foreign":
		s.world.Border.Loses = foreign
	case "border: puts-author":
		s.world.Border.Rewrites = func(raw []byte) []byte { return anyAuthor.ReplaceAll(raw, []byte("From: <"+support+">\r\n")) }
	case "border: puts-id":
		s.world.Border.Rewrites = func(raw []byte) []byte { return anyID.ReplaceAll(raw, []byte("Message-ID: <${1}@else.test>\r\n")) }
	case "refuses: foreign":
		s.world.Border.Refuses = func(d mailtest.Delivery) *mailtest.Refusal {
			if !foreign(d) {
				return nil
			}
			return &mailtest.Refusal{Code: 550, Text: "5.7.60 not your name"}
		}
	case "config: own_hops":
		s.replace = append(s.replace, "own_hops = 1", line)
	case "config: trusted_authserv_ids":
		s.replace = append(s.replace, `trusted_authserv_ids = ["mx.site.test"]`, line)
	case "config: plus":
		s.replace = append(s.replace, `poll = "1m"`, "poll = \"1m\"\nplus = true")
	case "border: bounces-plus":
		s.world.Border.NoDetail, s.bounces = true, true
	case "config: mode":
		s.more = "[policy]\n" + line + "\n"
	case "probe: outside":
		s.options.Outside = "mx.site.test:25"
	case "probe: as":
		s.options.As = rest
	case "probe: daemon":
		s.runs = true
	case "probe: unknown":
		s.unknown = true
	default:
		switch section {
		case "without":
			s.world.Without = append(s.world.Without, "UIDPLUS")
		case "refuses":
			s.refuses = append(s.refuses, line)
		case "lines", "time":
		default:
			t.Fatalf("a scene knows no %q in %q", line, section)
		}
	}
}

// foreign tells whether a mail's author is not of the site.
func foreign(d mailtest.Delivery) bool {
	return strings.Contains(d.Header("From"), ".example")
}

// fail is the script by which the servers refuse mail.
func (s *probeScene) fail(stage, who string, _ int) error {
	for _, r := range s.refuses {
		switch {
		case r == "AUTH" && stage == mailtest.StageAuth:
			return mailtest.Refuse(535, "5.7.8 no")
		case r == "stranger 450" && stage == mailtest.StageMail && who == "":
			return mailtest.Refuse(450, "4.7.1 come back later")
		case r == "stranger 550" && stage == mailtest.StageMail && who == "":
			return mailtest.Refuse(550, "5.7.1 not from there")
		}
	}
	return nil
}

// playProbe gives what a probe finds, and makes sure that nothing is left of
// it: no letter, nothing unaccounted for, no mail where it could be removed.
func playProbe(t *testing.T, s probeScene) (lines string, took time.Duration) {
	s.world.Fail = s.fail
	inPlace(t, setup{nobody: true, world: s.world, replace: s.replace, more: s.more}, func(p *place) {
		p.start()
		p.passes(time.Minute) // the daemon has been here before
		if !s.runs {
			p.stop()
		}
		if s.bounces {
			p.bouncesPlus()
		}
		if s.unknown {
			p.startsMeanwhile(&s)
		}
		before := len(p.Sent())
		s.options.Draw = func(ctx context.Context, n int, to string) (ids []string, err error) {
			for range n {
				ids = append(ids, intake.NewProbeID("site.test"))
			}
			if !s.runs {
				return ids, nil
			}
			ids = nil
			for _, d := range list[control.Drawn](p, control.Call{Verb: "probe", Address: to, Mails: n}) {
				ids = append(ids, d.MessageID)
			}
			return ids, nil
		}
		began := time.Now()
		lines = p.probes(s.options)
		took = time.Since(began)
		p.untouched(before, s)
	})
	return lines, took
}

// startsMeanwhile has a daemon that was never told take the mail that is there
// after each mail that the probe sends but the last.
func (p *place) startsMeanwhile(s *probeScene) {
	p.deliver("Auto-Submitted: auto-replied\r\n" + withID("old@users.test", "I am away."))
	once := func() {
		if err := p.d.Once(p.t.Context()); err != nil {
			p.t.Error(err)
		}
	}
	once() // makes the folder for filed mail
	p.OnSent(func(d mailtest.Delivery) {
		if !strings.Contains(d.To, "+") {
			once()
		}
	})
}

// bouncesPlus has the server report, the way Exchange does, that nobody has a
// plus-address.
func (p *place) bouncesPlus() {
	p.OnSent(func(d mailtest.Delivery) {
		if !strings.Contains(d.To, "+") {
			return
		}
		report := strings.Replace(string(mailtest.Bounce(d, "mx.site.test", "550 5.1.1 nobody has that address")),
			"Undelivered Mail Returned to Sender", "Undeliverable: "+d.Subject(), 1)
		if err := p.Deliver(support, []byte(report)); err != nil {
			p.t.Error(err)
		}
	})
}

var (
	randomMark = regexp.MustCompile(`\b[a-z2-7]{26}\b`)
	anyAuthor  = regexp.MustCompile(`(?m)^From: .*\r\n`)
	anyID      = regexp.MustCompile(`(?m)^Message-ID: <([^@]*)@.*\r\n`)
	randomTag  = regexp.MustCompile(`\+probe[a-z2-7]{8}@`)
)

// probes runs a probe and gives its lines as the program prints them.
func (p *place) probes(o daemon.ProbeOptions) string {
	var b strings.Builder
	daemon.Probe(p.t.Context(), p.cfg, p.opt, o, func(c daemon.Check) { b.WriteString(c.String() + "\n") })
	synctest.Wait()
	return randomTag.ReplaceAllString(randomMark.ReplaceAllString(b.String(), "MARK"), "+probeTAG@")
}

// untouched looks at what a probe leaves behind.
func (p *place) untouched(before int, s probeScene) {
	p.t.Helper()
	p.passes(time.Minute)
	for _, d := range p.Sent()[before:] {
		if !strings.HasPrefix(d.Subject(), "supportd probe ") {
			p.t.Errorf("a letter went to %s: %s", d.To, d.Subject())
		}
	}
	for _, m := range slices.Concat(p.Folder(support, "INBOX"), p.Folder(support, "Processed")) {
		head, _, _ := bytes.Cut(m.Bytes, []byte("\r\n\r\n"))
		if bytes.Contains(head, []byte("Subject: supportd probe")) && s.world.Without == nil {
			p.t.Errorf("a mail of the probe is left, with UID %d", m.UID)
		}
	}
	if !s.runs {
		p.start()
		p.passes(time.Minute)
	}
	for _, m := range p.mails() {
		if m.State != inbox.MailIgnored {
			p.t.Errorf("%s is %s (%s)", m.ID, m.State, m.Reason)
		}
	}
	p.wantActions()
	if a := p.reconcile(); a.Server != a.Accounted || a.Gone != 0 {
		p.t.Errorf("the mailbox compares as %+v", a)
	}
}

// A probe that is interrupted removes what has arrived, and says what has not.
func TestProbeInterrupted(t *testing.T) {
	inPlace(t, setup{nobody: true, world: mailtest.Options{Border: mailtest.Border{Strips: true, Loses: foreign}}}, func(p *place) {
		ctx, cancel := context.WithTimeout(p.t.Context(), 30*time.Second)
		defer cancel()
		began := time.Now()
		var lines, told []string
		o := daemon.ProbeOptions{Tell: func(line string) { told = append(told, line) }}
		daemon.Probe(ctx, p.cfg, p.opt, o, func(c daemon.Check) { lines = append(lines, c.String()) })
		if took := time.Since(began); took != 30*time.Second {
			t.Errorf("it took %v", took)
		}
		if len(told) != 2 || told[1] != "support: waiting for 1 mail in INBOX, for at most 2m0s" {
			t.Errorf("told %q", told)
		}
		all := strings.Join(lines, "\n")
		for _, want := range []string{"FAIL  probe support: looking for the mails: context deadline exceeded", "did not arrive in INBOX within 30s", "removed the probe's 2 mails", "for it has not arrived: 1 mail"} {
			if !strings.Contains(all, want) {
				t.Errorf("the lines lack %q:\n%s", want, all)
			}
		}
		if left := len(p.Folder(support, "INBOX")); left > 0 {
			t.Errorf("%d mails are left", left)
		}
	})
}

// The probe looks at what is new only, sets no flags, and tells what it waits for.
func TestProbeTouchesNothingElse(t *testing.T) {
	inPlace(t, setup{nobody: true, world: mailtest.Options{Border: mailtest.Border{Strips: true}}}, func(p *place) {
		p.deliver(withID("old@users.test", "An old mail."))
		p.OnAcknowledge(func(_, folder string, uids []uint32) {
			if folder != "INBOX" || slices.Contains(uids, 1) {
				t.Errorf("UIDs %v of %s were touched", uids, folder)
			}
		})
		var told []string
		o := daemon.ProbeOptions{Tell: func(line string) { told = append(told, line) }}
		p.OnSent(func(mailtest.Delivery) {
			if len(p.Folder(support, "INBOX")) == 2 {
				if err := p.Deliver(support, []byte(withID("new@users.test", "A mail meanwhile."))); err != nil {
					t.Error(err)
				}
			}
		})
		p.probes(o)
		left := p.Folder(support, "INBOX")
		if len(left) != 2 || len(left[0].Flags)+len(left[1].Flags) > 0 {
			t.Errorf("%d mails are left, want the two of others without flags", len(left))
		}
		if !strings.HasPrefix(strings.Join(told, "\n"), "support: sending submitted mail to smtp+insecure://127.0.0.1:25") {
			t.Errorf("told %q", told)
		}
	})
}
