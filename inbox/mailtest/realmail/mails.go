package realmail

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-message/mail"
	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// TLS gives a client's configuration that trusts the servers and nobody else.
func (s *Servers) TLS() *tls.Config {
	host, _, err := net.SplitHostPort(s.IMAPSAddr)
	if err != nil {
		host = "localhost" // the certificate has it too
	}
	return &tls.Config{RootCAs: s.authority.Pool(), ServerName: host}
}

// Submit sends a mail through Postfix's submission port, as the user from. A
// refusal of the server is an *smtp.SMTPError of go-smtp in the error's tree.
func (s *Servers) Submit(from, to string, raw []byte) error {
	if err := s.submit(from, to, raw); err != nil {
		return fmt.Errorf("submitting a mail: %w", err)
	}
	return nil
}

func (s *Servers) submit(from, to string, raw []byte) error {
	conn, err := s.dial(s.SubmissionAddr)
	if err != nil {
		return err
	}
	defer conn.Close()
	c, err := smtp.NewClientStartTLS(conn, s.TLS())
	if err != nil {
		return err
	}
	if err := c.Auth(sasl.NewPlainClient("", from, s.Password)); err != nil {
		return err
	}
	if err := c.SendMail(from, []string{to}, bytes.NewReader(raw)); err != nil {
		return err
	}
	return c.Quit()
}

// dial connects with a limit on the whole conversation.
func (s *Servers) dial(addr string) (net.Conn, error) {
	conn, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		return nil, err
	}
	return conn, conn.SetDeadline(time.Now().Add(patience))
}

// DeliverAs puts a mail into the mailboxes of its To header, past Postfix, as
// the site's border would: with Return-Path, Received and, when aligned, the
// Authentication-Results of AuthservID with dmarc=pass for the domain of from,
// the address of the envelope.
func (s *Servers) DeliverAs(from string, raw []byte, aligned bool) error {
	r, err := mail.CreateReader(bytes.NewReader(raw))
	if r == nil {
		return fmt.Errorf("reading the mail to deliver: %w", err)
	}
	to, err := r.Header.AddressList("To")
	if err != nil || len(to) == 0 {
		return errors.Join(errors.New("the mail to deliver has no readable To"), err)
	}
	domain := from[strings.LastIndexByte(from, '@')+1:]
	var b bytes.Buffer
	fmt.Fprintf(&b, "Received: from mail.%s (mail.%s [192.0.2.25])\r\n\tby %s with ESMTPS id REALMAIL; %s\r\n",
		domain, domain, AuthservID, time.Now().Format(time.RFC1123Z))
	if aligned {
		fmt.Fprintf(&b, "Authentication-Results: %s;\r\n\tdmarc=pass header.from=%s\r\n", AuthservID, domain)
	}
	b.Write(raw)
	var rcpts []string
	for _, a := range to {
		rcpts = append(rcpts, a.Address)
	}
	conn, err := s.dial(s.LMTPAddr)
	if err != nil {
		return fmt.Errorf("delivering a mail by LMTP: %w", err)
	}
	c := smtp.NewClientLMTP(conn)
	defer c.Close()
	if err := c.SendMail(from, rcpts, &b); err != nil {
		return fmt.Errorf("delivering a mail by LMTP: %w", err)
	}
	return nil
}

// Mails reads a user's folder by IMAP, by UID; a folder that does not exist is
// empty. It fails the test when the server does not answer.
func (s *Servers) Mails(t testing.TB, user, folder string) [][]byte {
	t.Helper()
	mails, err := s.read(user, folder)
	if err != nil {
		t.Fatalf("reading the folder %s: %v", folder, err)
	}
	return mails
}

// WaitMails waits until a user's folder has at least n mails and gives them.
// It fails the test when they do not come in time.
func (s *Servers) WaitMails(t testing.TB, user, folder string, n int) [][]byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		mails := s.Mails(t, user, folder)
		if len(mails) >= n {
			return mails
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			t.Fatalf("waiting for %d mails in %s: %d came", n, folder, len(mails))
		}
	}
}

func (s *Servers) read(user, folder string) ([][]byte, error) {
	conn, err := s.dial(s.IMAPSAddr)
	if err != nil {
		return nil, err
	}
	c := imapclient.New(tls.Client(conn, s.TLS()), nil)
	defer c.Close()
	if err := c.Login(user, s.Password).Wait(); err != nil {
		return nil, err
	}
	if found, err := c.List("", folder, nil).Collect(); err != nil || len(found) == 0 {
		return nil, err
	}
	box, err := c.Select(folder, &imap.SelectOptions{ReadOnly: true}).Wait()
	if err != nil || box.NumMessages == 0 {
		return nil, err
	}
	section := &imap.FetchItemBodySection{Peek: true}
	got, err := c.Fetch(imap.UIDSet{{Start: 1, Stop: 0}}, &imap.FetchOptions{BodySection: []*imap.FetchItemBodySection{section}}).Collect()
	if err != nil {
		return nil, err
	}
	var out [][]byte
	for _, m := range got {
		out = append(out, m.FindBodySection(section))
	}
	return out, nil
}
