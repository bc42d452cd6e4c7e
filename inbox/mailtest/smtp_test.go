package mailtest_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"push.guru/supportd/inbox/mailtest"
)

func smtpClient(t *testing.T, w *mailtest.World) *smtp.Client {
	t.Helper()
	conn, err := w.DialSMTP(t.Context(), "tcp", w.SMTPAddr())
	if err != nil {
		t.Fatal(err)
	}
	c := smtp.NewClient(conn)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func code(err error) int {
	if e, ok := errors.AsType[*smtp.SMTPError](err); ok {
		return e.Code
	}
	return 0
}

func TestAcceptedMailIsOnRecordAndInItsMailbox(t *testing.T) {
	w := world(t, mailtest.Options{})
	var order []string
	w.OnFinalDot(func(d mailtest.Delivery) {
		order = append(order, "dot "+d.To)
		if len(w.Sent()) > 0 && d.To == alice {
			t.Error("the mail was taken before the hook")
		}
	})
	told := make(chan string, 2)
	w.OnSent(func(d mailtest.Delivery) { told <- d.To })
	const raw = "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nMessage-Id: <1@site.test>\r\n\r\n.hidden\r\n..\r\nlast\r\n"
	c := smtpClient(t, w)
	if err := c.SendMail(site, []string{alice, "nobody@example.org"}, strings.NewReader(raw)); err != nil {
		t.Fatal(err)
	}
	sent := w.Sent()
	if len(sent) != 2 || sent[0].To != alice || sent[1].To != "nobody@example.org" || sent[0].From != site {
		t.Fatalf("on record: %+v", sent)
	}
	if string(sent[0].Bytes) != raw || sent[0].Subject() != "Grüße" || sent[0].MessageID() != "1@site.test" || sent[0].Text() != ".hidden\n..\nlast\n" {
		t.Errorf("on record: %q %q %q", sent[0].Bytes, sent[0].Subject(), sent[0].Text())
	}
	box := w.Folder(alice, "INBOX")
	if len(box) != 1 || !bytes.HasSuffix(box[0].Bytes, []byte(raw)) {
		t.Errorf("the mailbox has %d mails", len(box))
	}
	if a, b := <-told, <-told; a != alice || b != "nobody@example.org" || len(order) != 2 {
		t.Errorf("told of %s and %s; final dots %v", a, b, order)
	}
}

func TestScriptedSMTP(t *testing.T) {
	const raw = "Subject: Hello\r\n\r\nHello\r\n"
	for _, x := range []struct {
		stage string
		fault error
		code  int // 0: no reply
		taken bool
	}{
		{mailtest.StageConnect, mailtest.Refuse(421, "4.3.2 full"), 421, false},
		{mailtest.StageMail, mailtest.Refuse(451, "4.3.0 later"), 451, false},
		{mailtest.StageRcpt, mailtest.Refuse(550, "5.1.1 nobody"), 550, false},
		{mailtest.StageData, mailtest.Refuse(554, "5.5.1 no"), 554, false},
		{mailtest.StageDot, mailtest.Refuse(452, "4.2.2 full"), 452, false},
		{mailtest.StageDot, errors.New("anything"), 451, false},
		{mailtest.StageConnect, mailtest.ErrHangUp, 0, false},
		{mailtest.StageData, mailtest.ErrHangUp, 0, false},
		{mailtest.StageBody, mailtest.ErrHangUp, 0, false},
		{mailtest.StageDot, mailtest.ErrHangUp, 0, false},
		{mailtest.StageTaken, mailtest.ErrHangUp, 0, true},
		{mailtest.StageTaken, mailtest.Refuse(451, "4.3.0 after all"), 451, true},
	} {
		w := world(t, mailtest.Options{InMemory: true, Fail: func(stage, who string, n int) error {
			if stage == x.stage && n == 1 {
				return x.fault
			}
			return nil
		}})
		err := smtpClient(t, w).SendMail(site, []string{alice}, strings.NewReader(raw))
		if err == nil || code(err) != x.code {
			t.Errorf("%s, %v: the client saw %v", x.stage, x.fault, err)
		}
		if got := len(w.Sent()) == 1 && len(w.Folder(alice, "INBOX")) == 1; got != x.taken {
			t.Errorf("%s, %v: taken: %v", x.stage, x.fault, got)
		}
		if err := smtpClient(t, w).SendMail(site, []string{alice}, strings.NewReader(raw)); err != nil {
			t.Errorf("%s, %v: the second try: %v", x.stage, x.fault, err)
		}
	}
}

func TestSilenceLastsUntilTheClientGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := world(t, mailtest.Options{InMemory: true, Fail: func(stage, _ string, _ int) error {
			if stage == mailtest.StageDot {
				return mailtest.ErrSilence
			}
			return nil
		}})
		c := smtpClient(t, w)
		c.SubmissionTimeout = 10 * time.Minute
		start := time.Now()
		err := c.SendMail(site, []string{alice}, strings.NewReader("Subject: Hello\r\n\r\nHello\r\n"))
		if !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != 10*time.Minute {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		if n := len(w.Sent()); n != 0 {
			t.Errorf("%d mails on record", n)
		}
	})
}

func TestAuthentication(t *testing.T) {
	w := world(t, mailtest.Options{RequireAuth: true})
	const raw = "From: alice@example.org\r\nSubject: Hello\r\n\r\nHello\r\n"
	if err := smtpClient(t, w).SendMail(alice, []string{site}, strings.NewReader(raw)); code(err) != 530 {
		t.Errorf("without AUTH: %v", err)
	}
	for name, client := range map[string]sasl.Client{
		"PLAIN": sasl.NewPlainClient("", alice, password), "LOGIN": sasl.NewLoginClient(alice, password), "XOAUTH2": xoauth2{alice, password}} {
		c := smtpClient(t, w)
		if err := c.Auth(client); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := c.SendMail(alice, []string{site}, strings.NewReader(raw)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, client := range map[string]sasl.Client{
		"PLAIN": sasl.NewPlainClient("", alice, "wrong"), "LOGIN": sasl.NewLoginClient(alice, "wrong"), "XOAUTH2": xoauth2{alice, "wrong"}} {
		if err := smtpClient(t, w).Auth(client); code(err) != 535 {
			t.Errorf("%s with a wrong password: %v", name, err)
		}
	}
	for _, m := range w.Folder(site, "INBOX") {
		if !bytes.Contains(m.Bytes, []byte("dmarc=pass header.from=example.org")) {
			t.Errorf("an authenticated sender in their own name is not vouched for:\n%s", m.Bytes)
		}
	}
}

func TestIMAPAuthentication(t *testing.T) {
	w := world(t, mailtest.Options{})
	for _, x := range []struct {
		client sasl.Client
		ok     bool
	}{
		{sasl.NewPlainClient("", site, password), true}, {sasl.NewPlainClient("", site, "wrong"), false},
		{xoauth2{site, password}, true}, {xoauth2{site, "wrong"}, false},
	} {
		c, err := imapclient.DialInsecure(w.IMAPAddr(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Authenticate(x.client); (err == nil) != x.ok {
			t.Errorf("%T: %v", x.client, err)
		}
		_ = c.Close()
	}
}

// xoauth2 is the client's side, with the empty answer to an error.
type xoauth2 struct{ user, token string }

func (x xoauth2) Start() (string, []byte, error) {
	return "XOAUTH2", []byte("user=" + x.user + "\x01auth=Bearer " + x.token + "\x01\x01"), nil
}

func (x xoauth2) Next([]byte) ([]byte, error) { return []byte{}, nil }

func TestTLS(t *testing.T) {
	for _, memory := range []bool{false, true} {
		w := world(t, mailtest.Options{TLS: true, InMemory: memory})
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(w.CA()) {
			t.Fatal("no CA")
		}
		conf := &tls.Config{RootCAs: pool, ServerName: "localhost"}

		conn, err := w.DialSMTP(t.Context(), "tcp", w.SMTPAddr())
		if err != nil {
			t.Fatal(err)
		}
		c, err := smtp.NewClientStartTLS(conn, conf)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Auth(sasl.NewPlainClient("", site, password)); err != nil {
			t.Errorf("AUTH after STARTTLS: %v", err)
		}
		_ = c.Close()
		if err := smtpClient(t, w).Auth(sasl.NewPlainClient("", site, password)); code(err) != 538 {
			t.Errorf("AUTH before TLS: %v", err)
		}

		if conn, err = w.DialSMTP(t.Context(), "tcp", w.SMTPSAddr()); err != nil {
			t.Fatal(err)
		}
		c = smtp.NewClient(tls.Client(conn, conf))
		if err := c.Auth(sasl.NewPlainClient("", site, password)); err != nil {
			t.Errorf("AUTH in TLS: %v", err)
		}
		_ = c.Close()

		if conn, err = w.DialIMAP(t.Context(), "tcp", w.IMAPSAddr()); err != nil {
			t.Fatal(err)
		}
		i := imapclient.New(tls.Client(conn, conf), nil)
		if err := i.Login(site, password).Wait(); err != nil {
			t.Errorf("LOGIN in TLS: %v", err)
		}
		_ = i.Close()

		if conn, err = w.DialIMAP(t.Context(), "tcp", w.IMAPAddr()); err != nil {
			t.Fatal(err)
		}
		i = imapclient.New(conn, nil)
		if err := i.Login(site, password).Wait(); err == nil {
			t.Error("LOGIN before TLS was accepted")
		}
		_ = i.Close()
	}
}

func TestWaitSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := world(t, mailtest.Options{InMemory: true})
		time.AfterFunc(time.Minute, func() {
			if err := smtpClient(t, w).SendMail(site, []string{alice}, strings.NewReader("Subject: Hello\r\n\r\nHello\r\n")); err != nil {
				t.Error(err)
			}
		})
		ctx, stop := context.WithTimeout(t.Context(), time.Hour)
		defer stop()
		start := time.Now()
		if sent, err := w.WaitSent(ctx, 1); err != nil || len(sent) != 1 || time.Since(start) != time.Minute {
			t.Errorf("%d mails after %v: %v", len(sent), time.Since(start), err)
		}
		if _, err := w.WaitSent(ctx, 2); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("waiting for a mail that nobody sends: %v", err)
		}
		synctest.Wait()
	})
}

func TestTooLarge(t *testing.T) {
	w := world(t, mailtest.Options{MaxMessageBytes: 100})
	c := smtpClient(t, w)
	if err := c.SendMail(site, []string{alice}, strings.NewReader(strings.Repeat("x", 9000)+"\r\n")); code(err) != 552 {
		t.Errorf("a large mail: %v", err)
	}
	if err := c.SendMail(site, []string{alice}, strings.NewReader("Subject: small\r\n\r\n")); err != nil || len(w.Sent()) != 1 {
		t.Errorf("a small mail after it: %v, %d on record", err, len(w.Sent()))
	}
}

// FuzzSMTP sends a stranger's bytes. Whatever they are, the conversation ends
// with the connection, and a mail is only ever taken whole: up to a line with
// one dot between two line ends of CR LF.
func FuzzSMTP(f *testing.F) {
	const head = "EHLO x\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n"
	for _, s := range []string{
		head + "Subject: x\r\n\r\nx\r\n.\r\nQUIT\r\n", head + "x\n.\nx\r\n.\r\n", head + "x\r\n.\n.\r\n", head + ".\r\n", head + "..\r\n.\r\n",
		head + strings.Repeat("x", 4095) + "\r\n.\r\n", head + strings.Repeat("x", 4096) + "\r\n.\r\n", "AUTH PLAIN =\r\n", "AUTH LOGIN\r\n\r\n\r\n",
		"AUTH XOAUTH2\r\n\x00\r\n", "MAIL FROM:<\r\nRCPT TO:>\r\n", "STARTTLS\r\nNOOP\r\n", strings.Repeat("x", 5000),
	} {
		f.Add([]byte(s))
	}
	w, err := mailtest.New(mailtest.Options{InMemory: true})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = w.Close() })
	f.Fuzz(func(t *testing.T, b []byte) {
		before := len(w.Sent())
		conn, err := w.DialSMTP(t.Context(), "tcp", w.SMTPAddr())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := conn.Write(append(bytes.Clone(b), "\r\nRSET\r\nQUIT\r\n"...)); err != nil {
			t.Fatal(err)
		}
		half, ok := conn.(interface{ CloseWrite() error })
		if !ok {
			t.Fatal("the connection cannot be closed by halves")
		}
		if err := half.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, bufio.NewReader(conn)); err != nil && !errors.Is(err, net.ErrClosed) {
			t.Fatal(err)
		}
		for _, d := range w.Sent()[before:] {
			if len(d.Bytes) > 0 && !bytes.HasSuffix(d.Bytes, []byte("\r\n")) {
				t.Errorf("a mail was taken in the middle of a line: %q", d.Bytes)
			}
		}
	})
}
