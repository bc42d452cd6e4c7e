package daemon_test

import (
	"strings"
	"testing"

	"push.guru/supportd/cmd/internal/daemon"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/control"
	"push.guru/supportd/inbox/mailtest/realmail"
	"push.guru/supportd/inbox/review"
)

// TestProbeOnRealServers has a probe go through Postfix into Dovecot, both ways,
// while a daemon runs on the mailbox.
func TestProbeOnRealServers(t *testing.T) {
	for _, c := range []struct {
		name  string
		start func(testing.TB) *realmail.Servers
		hops  int
		want  []string // of each line
	}{
		{"with a border", realmail.StartWithBorder, 1, []string{
			"ok    probe support: submitted mail arrives in INBOX",
			"ok    probe support: submitted mail carries no Authentication-Results of mx.site.test: nobody vouches for its sender",
			"ok    probe support: mail from outside arrives in INBOX",
			"ok    probe support: Authentication-Results on mail from outside: those of mx.site.test stand below 1 Received line, as own_hops = 1 says",
			"ok    probe support: forged Authentication-Results of mx.site.test in submitted mail are removed",
			"ok    probe support: forged Authentication-Results of mx.site.test in mail from outside are removed",
			"ok    probe support: plus-addresses: off, arrive: yes",
			"ok    probe support: removed the probe's 5 mails from the mailbox"}},
		{"as Postfix is", realmail.Start, 2, []string{
			"ok    probe support: submitted mail arrives in INBOX",
			"ok    probe support: submitted mail carries no Authentication-Results of mx.site.test: nobody vouches for its sender",
			"ok    probe support: mail from outside arrives in INBOX",
			"FAIL  probe support: Authentication-Results on mail from outside: there are none of mx.site.test; ",
			"FAIL  probe support: forged Authentication-Results of mx.site.test in submitted mail: they are BELIEVED: ",
			"FAIL  probe support: forged Authentication-Results of mx.site.test in mail from outside: they are BELIEVED: ",
			"ok    probe support: plus-addresses: off, arrive: yes",
			"ok    probe support: removed the probe's 5 mails from the mailbox"}},
		{"as Postfix is, and nobody's word at that depth is taken", realmail.Start, 1, []string{
			"ok    probe support: submitted mail arrives in INBOX",
			"ok    probe support: submitted mail carries no Authentication-Results of mx.site.test: nobody vouches for its sender",
			"ok    probe support: mail from outside arrives in INBOX",
			"FAIL  probe support: Authentication-Results on mail from outside: there are none of mx.site.test; ",
			"ok    probe support: forged Authentication-Results of mx.site.test in submitted mail are not removed, and not believed: they stand below 2 Received lines, and own_hops is 1",
			"ok    probe support: forged Authentication-Results of mx.site.test in mail from outside are not removed, and not believed: they stand below 2 Received lines, and own_hops is 1",
			"ok    probe support: plus-addresses: off, arrive: yes",
			"ok    probe support: removed the probe's 5 mails from the mailbox"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			servers := c.start(t)
			cfg := realConfig(t, servers, "imaps://"+servers.IMAPSAddr, "smtp://"+servers.SubmissionAddr, c.hops)
			d := realOpen(t, cfg)
			realRun(t, d)
			ready(t, cfg.StateDir)
			var got []string
			daemon.Probe(t.Context(), cfg, daemon.Options{}, daemon.ProbeOptions{Outside: servers.SMTPAddr},
				func(c daemon.Check) { got = append(got, c.String()) })
			for i, line := range got {
				if i >= len(c.want) || !strings.HasPrefix(line, c.want[i]) {
					t.Errorf("line %d is %q", i, line)
				}
			}
			if len(got) != len(c.want) {
				t.Errorf("%d lines, want %d", len(got), len(c.want))
			}
			emptyReal(t, servers, d)
		})
	}
}

// ready waits until the daemon answers on its socket: from then on a probe can
// tell it which mails to leave alone.
func ready(t *testing.T, stateDir string) {
	t.Helper()
	err := again(t.Context(), func() (bool, error) {
		_, err := control.Dial(control.Socket(stateDir))
		return err == nil, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// emptyReal makes sure that nothing is left of a probe, and nothing is missing.
func emptyReal(t *testing.T, servers *realmail.Servers, d *daemon.Daemon) {
	t.Helper()
	for _, folder := range []string{"INBOX", "Processed"} {
		if left := servers.Mails(t, support, folder); len(left) > 0 {
			t.Errorf("%d mails are left in %s, the first:\n%s", len(left), folder, left[0])
		}
	}
	p := &place{t: t, d: d}
	for _, m := range list[review.MailView](p, control.Call{Verb: "mails list"}) {
		if m.State != inbox.MailIgnored || !strings.Contains(m.Reason, "check --probe") {
			t.Errorf("%s is %s: %s", m.ID, m.State, m.Reason)
		}
	}
	if a := p.reconcile(); a.Server != 0 || a.Gone != 0 || a.Filed != 0 {
		t.Errorf("the mailbox compares as %+v", a)
	}
}
