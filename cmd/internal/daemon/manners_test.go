package daemon_test

import (
	"bytes"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"push.guru/supportd/cmd/internal/crowd"
	"push.guru/supportd/inbox/mailtest"
)

// at is a script that has a stage fail the first times.
func at(stage string, times int, fault error) func(string, string, int) error {
	return func(s, _ string, n int) error {
		if s == stage && n <= times {
			return fault
		}
		return nil
	}
}

// Servers that lack something, or have their own ways, or their bad days. The
// people get what they wish, once.
func TestServersOfAllKinds(t *testing.T) {
	const many = 1 << 30
	over := func(p *place) { p.passes(6 * time.Hour) }
	type day func(p *place, c *crowd.Crowd)
	plain := func(p *place, c *crowd.Crowd) { c.Join(10); over(p) }
	scripted := func(stage string, times int, fault error) day {
		return func(p *place, c *crowd.Crowd) {
			p.SetFail(at(stage, times, fault))
			c.Join(10)
			over(p)
		}
	}
	mannered := func(m mailtest.Manner) day {
		return func(p *place, c *crowd.Crowd) { p.SetManner(m); c.Join(10); over(p) }
	}
	for _, k := range []struct {
		name  string
		world mailtest.Options
		set   setup
		day   day
		books crowd.Books
	}{
		{name: "no IDLE", world: mailtest.Options{Without: []string{"IDLE"}}, day: plain, books: filed},
		{name: "no MOVE", world: mailtest.Options{Without: []string{"MOVE"}}, day: plain, books: filed},
		{name: "no UIDPLUS", world: mailtest.Options{Without: []string{"UIDPLUS"}}, day: plain, books: filed},
		{name: "neither MOVE nor UIDPLUS", world: mailtest.Options{Without: []string{"MOVE", "UIDPLUS"}}, day: plain,
			books: crowd.Books{Filed: "Processed", Twice: true}},
		{name: "nothing but IMAP4rev1", world: mailtest.Options{Without: []string{"IDLE", "MOVE", "UIDPLUS", "NAMESPACE", "ESEARCH", "LIST-STATUS", "STATUS=SIZE", "LITERAL+"}},
			day: plain, books: crowd.Books{Filed: "Processed", Twice: true}},
		{name: "mail stays in place", set: setup{replace: []string{`poll = "1m"`, "poll = \"1m\"\nfiled = \"\""}}, day: plain},
		{name: "SEARCH is broken", day: scripted(mailtest.StageSearch, many, mailtest.ErrBad), books: filed},
		{name: "answers backwards", day: mannered(mailtest.Manner{Backwards: true}), books: filed},
		{name: "the UID behind the text", day: mannered(mailtest.Manner{UIDLast: true}), books: filed},
		{name: "unasked-for flags in between", day: mannered(mailtest.Manner{Chatty: true}), books: filed},
		{name: "all of that", day: mannered(mailtest.Manner{Backwards: true, UIDLast: true, Chatty: true}), books: filed},
		{name: "MOVE is over quota for a while", day: scripted(mailtest.StageMove, 5, mailtest.ErrOverQuota), books: filed},
		{name: "COPY is over quota for a while", world: mailtest.Options{Without: []string{"MOVE"}}, day: scripted(mailtest.StageCopy, 5, mailtest.ErrOverQuota), books: filed},
		{name: "MOVE is over quota for good", day: scripted(mailtest.StageMove, many, mailtest.ErrOverQuota), books: crowd.Books{}},
		{name: "COPY is over quota for good", world: mailtest.Options{Without: []string{"MOVE"}}, day: scripted(mailtest.StageCopy, many, mailtest.ErrOverQuota)},
		{name: "the folder to file into cannot be made", day: func(p *place, c *crowd.Crowd) {
			p.SetFail(at(mailtest.StageCreate, many, mailtest.Refuse(550, "no")))
			c.Join(10)
			over(p)
		}},
		{name: "EXPUNGE hangs up after COPY", world: mailtest.Options{Without: []string{"MOVE"}}, day: scripted(mailtest.StageExpunge, 3, mailtest.ErrHangUp),
			books: crowd.Books{Filed: "Processed", Twice: true}},
		{name: "UIDVALIDITY changes again and again", day: func(p *place, c *crowd.Crowd) {
			for i := range 12 {
				c.Join(3)
				if i%2 == 0 { // while there is work, and when there is none
					synctest.Wait()
				}
				if err := p.SetUIDValidity(support, "INBOX", uint32(100+i)); err != nil {
					p.t.Fatal(err)
				}
				p.passes(7 * time.Minute)
			}
			over(p)
		}, books: filed},
		{name: "it signs us out after 29 minutes, while mail comes", day: func(p *place, c *crowd.Crowd) {
			for range 6 {
				p.passes(29 * time.Minute)
				p.ByeIMAP("Autologout; idle for too long")
				c.Join(2)
				p.passes(time.Minute)
			}
			over(p)
		}, books: filed},
		{name: "it hangs up every few minutes, for a day", day: func(p *place, c *crowd.Crowd) {
			for i := range 24 * 20 {
				if i%7 == 0 {
					c.Join(1)
				}
				n := len(p.Sent())
				p.passes(3 * time.Minute)
				if i%7 == 0 && len(p.Sent()) == n {
					p.t.Error("three minutes after a mail came nobody has answered")
				}
				p.CutIMAP()
			}
			over(p)
		}, books: filed},
		{name: "it stalls in every command in turn", day: func(p *place, c *crowd.Crowd) {
			for _, stage := range []string{mailtest.StageLogin, mailtest.StageSelect, mailtest.StageFetch, mailtest.StageMove, mailtest.StageConnect,
				mailtest.StageMail, mailtest.StageRcpt, mailtest.StageData, mailtest.StageDot, mailtest.StageTaken} {
				p.SetFail(at(stage, 1, mailtest.ErrSilence))
				p.CutIMAP()
				c.Join(2)
				p.passes(3 * time.Hour)
			}
			over(p)
		}, books: filed},
		{name: "SMTP sends everybody away for hours", day: scripted(mailtest.StageConnect, 60, mailtest.Refuse(421, "4.3.2 shutting down")), books: filed},
	} {
		t.Run(k.name, func(t *testing.T) {
			s := k.set
			s.world, s.nobody = k.world, true
			s.replace = append(s.replace, "effects_per_hour = 100", "effects_per_hour = 1000000")
			inPlace(t, s, func(p *place) {
				c := p.people(100)
				p.start()
				k.day(p, c)
				if c.Finished() < c.Written {
					p.passes(24 * time.Hour)
				}
				p.SetFail(nil)
				p.custody(c, k.books)
			})
		})
	}
}

// Somebody else at the mailbox takes a mail away between any two of our
// commands. The others are not delayed; nothing comes of a mail that nobody
// had read.
func TestExpungedUnderOurFeet(t *testing.T) {
	for n := 1; n <= 5; n++ { // UIDs, sizes, texts, arrival times, and UIDs again
		for _, uid := range []uint32{1, 3, 5} { // the first, one in the middle, the last
			t.Run(fmt.Sprintf("at the FETCH number %d, UID %d", n, uid), func(t *testing.T) {
				s := setup{nobody: true, replace: []string{`poll = "1m"`, "poll = \"1m\"\nfirst_run = \"all\""}}
				inPlace(t, s, func(p *place) {
					c, books := p.people(10), filed
					c.Wishes = []crowd.Wish{crowd.ACopy, crowd.NoPhone}
					c.Join(5)
					p.SetFail(func(stage, _ string, i int) error {
						if stage == mailtest.StageFetch && i == n {
							switch b := p.Expunge(support, "INBOX", uid); {
							case b == nil:
							case n <= 3:
								c.Taken(b)
							default:
								books.Gone++
							}
						}
						return nil
					})
					p.start()
					p.passes(6 * time.Hour)
					p.custody(c, books)
				})
			})
		}
	}
}

// meddler is somebody on the way who spoils the word by which TLS is asked for.
type meddler struct {
	net.Conn
	on *atomic.Bool
}

func (m meddler) Write(b []byte) (int, error) {
	if !m.on.Load() {
		return m.Conn.Write(b)
	}
	if _, err := m.Conn.Write(bytes.ReplaceAll(b, []byte("STARTTLS"), []byte("STARTFUN"))); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Nothing is said to a server that is not the right one, or does not protect
// the connection; when it is itself again, everybody gets what they wish.
func TestProtection(t *testing.T) {
	const startTLS, implicit = "STARTTLS", "TLS"
	ports := map[string][]string{
		startTLS: {`"imap+insecure://127.0.0.1:143"`, "\"imap://127.0.0.1:143\"\nca_file = \"ca.pem\"", `"smtp+insecure://127.0.0.1:25"`, "\"smtp://127.0.0.1:587\"\nca_file = \"ca.pem\""},
		implicit: {`"imap+insecure://127.0.0.1:143"`, "\"imaps://127.0.0.1:993\"\nca_file = \"ca.pem\"", `"smtp+insecure://127.0.0.1:25"`, "\"smtps://127.0.0.1:465\"\nca_file = \"ca.pem\""},
	}
	certificate := func(c mailtest.Certificate) func(*place) {
		return func(p *place) {
			if err := p.ShowCertificate(c); err != nil {
				p.t.Fatal(err)
			}
		}
	}
	mended := certificate(mailtest.Certificate{})
	for _, k := range []struct {
		name, ports    string
		broken, mended func(p *place)
		log            []string // words of the log
	}{
		{"STARTTLS is refused", startTLS, nil, nil, []string{"STARTTLS"}},
		{"the certificate has expired", implicit, certificate(mailtest.Certificate{Until: time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)}), mended, []string{"expired"}},
		{"the certificate is for another name", implicit, certificate(mailtest.Certificate{Host: "mail.other.test"}), mended, []string{"for another name"}},
		{"nobody knows who issued the certificate", implicit, certificate(mailtest.Certificate{Stranger: true}), mended, []string{"ca_file"}},
		{"the certificate is for another name, after STARTTLS", startTLS, certificate(mailtest.Certificate{Host: "mail.other.test"}), mended, []string{"for another name"}},
	} {
		t.Run(k.name, func(t *testing.T) {
			var meddling atomic.Bool
			wrap := func(c net.Conn) net.Conn { return meddler{c, &meddling} }
			s := setup{nobody: true, world: mailtest.Options{TLS: true}, replace: ports[k.ports], wrap: wrap, relay: wrap}
			inPlace(t, s, func(p *place) {
				c := p.people(20)
				p.start()
				c.Join(3)
				synctest.Wait()
				sent := len(p.Sent())
				if k.broken != nil {
					k.broken(p)
				}
				meddling.Store(k.broken == nil)
				p.CutIMAP()
				p.CutSMTP()
				p.passes(2 * time.Minute)
				c.Join(5)
				p.passes(5 * time.Hour)
				if n := len(p.Sent()); n > sent+3 { // what was under way already
					t.Errorf("%d letters left all the same", n-sent)
				}
				p.wantLog(append(k.log, "intake: the mailbox is out of reach")...)
				if strings.Contains(p.log.String(), "secret") {
					t.Error("the password is in the log")
				}
				meddling.Store(false)
				if k.mended != nil {
					k.mended(p)
				}
				p.passes(24 * time.Hour)
				p.custody(c, filed)
			})
		})
	}
}
