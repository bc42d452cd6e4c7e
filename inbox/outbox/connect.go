package outbox

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"slices"
	"strings"
	"time"

	"github.com/wneessen/go-mail/smtp"

	"push.guru/supportd/inbox"
)

// connect sees to it that t.link is open, protected and authenticated. Its
// errors are all temporary for the mail.
func (t *Transport) connect(ctx context.Context) error {
	if t.link != nil {
		if time.Since(t.link.lastUse) < maxIdle {
			return nil
		}
		t.quit()
	}
	secret := ""
	if t.cfg.Secret != nil {
		var err error
		if secret, err = t.cfg.Secret(ctx); err != nil {
			return &AuthError{t.cfg.Server.String(), err, "the password or token cannot be read"}
		}
	}
	dialCtx, cancel := context.WithTimeout(ctx, t.cfg.Timeout)
	defer cancel()
	conn, err := t.cfg.Dial(dialCtx, "tcp", t.cfg.Server.Addr())
	if err != nil {
		return t.connectError(ctx, "dialling", err)
	}
	l := &link{raw: &countingConn{Conn: conn}}
	stop := l.bound(ctx, t.cfg.Timeout)
	err = t.greet(ctx, l)
	if err == nil {
		err = t.authenticate(l, secret)
	}
	stop()
	if err == nil && ctx.Err() != nil {
		err = t.connectError(ctx, "logging in", ctx.Err())
	}
	if err != nil {
		_ = l.raw.Close() // the first error is the one that counts
		return err
	}
	l.lastUse = time.Now()
	t.link = l
	t.cfg.Log.Debug("smtp connected", "server", t.cfg.Server.String())
	return nil
}

// greet goes from a fresh connection to one that is protected and has said
// EHLO.
func (t *Transport) greet(ctx context.Context, l *link) error {
	config := &tls.Config{ServerName: t.cfg.Server.Host, RootCAs: t.cfg.RootCAs, MinVersion: tls.VersionTLS12}
	conn := net.Conn(l.raw)
	if t.cfg.Server.Security == ImplicitTLS {
		protected := tls.Client(l.raw, config)
		if err := protected.HandshakeContext(ctx); err != nil {
			return t.tlsError(ctx, err)
		}
		conn = protected
	}
	c, err := smtp.NewClient(conn, t.cfg.Server.Host)
	if err != nil {
		return t.connectError(ctx, "waiting for the greeting", err)
	}
	l.smtp = c
	if err := c.Hello(t.cfg.HELO); err != nil {
		return t.connectError(ctx, "introducing ourselves", err)
	}
	if t.cfg.Server.Security != StartTLS {
		return nil
	}
	if ok, _ := c.Extension("STARTTLS"); !ok {
		return &TLSError{t.cfg.Server.String(), errors.New("the server offers no STARTTLS"),
			"use smtps:// if the server has it; somebody on the way may have removed the offer"}
	}
	if err := c.StartTLS(config); err != nil {
		return t.tlsError(ctx, err)
	}
	return nil
}

// connectError names a failure on the way to a usable connection.
func (t *Transport) connectError(ctx context.Context, doing string, err error) error {
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return &inbox.Error{
		Err:  fmt.Errorf("connecting to %s: %s: %w", t.cfg.Server, doing, serverWords(err)),
		Hint: "is the address right, and does the server listen there?",
		Temp: true,
	}
}

// tlsError tells a failed handshake from a connection that failed meanwhile.
func (t *Transport) tlsError(ctx context.Context, err error) error {
	var (
		unknown  x509.UnknownAuthorityError
		host     x509.HostnameError
		invalid  x509.CertificateInvalidError
		record   tls.RecordHeaderError
		netError net.Error
		hint     = "does the server speak TLS 1.2 or later?"
	)
	switch {
	case ctx.Err() != nil:
		return t.connectError(ctx, "agreeing on TLS", err)
	case errors.As(err, &unknown):
		hint = "the certificate is of an unknown authority; name its root in ca_file"
	case errors.As(err, &host):
		hint = "the certificate is for another name; use the name that it has"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		hint = "the certificate is out of date; renew it, or set this machine's clock"
	case errors.As(err, &invalid):
		hint = "the certificate cannot be used by a server"
	case errors.As(err, &record):
		hint = "the server speaks no TLS on this port; smtps:// is for port 465, smtp:// for 587"
	case errors.As(err, &netError) && netError.Timeout():
		return t.connectError(ctx, "agreeing on TLS", err)
	}
	return &TLSError{t.cfg.Server.String(), serverWords(err), hint}
}

// authenticate logs in with what the server offers. Over TLS the plain
// mechanisms come first: they work everywhere, and what SCRAM adds hangs on
// how the server stores passwords.
func (t *Transport) authenticate(l *link, secret string) error {
	if t.cfg.Secret == nil {
		return nil
	}
	fail := func(err error, hint string) error { return &AuthError{t.cfg.Server.String(), err, hint} }
	_, offer := l.smtp.Extension("AUTH")
	offered := strings.Fields(strings.ToUpper(offer))
	if len(offered) == 0 {
		return fail(errors.New("the server offers no authentication"), "most servers offer it on ports 465 and 587 only, and only under TLS")
	}
	auth := t.mechanism(offered, secret)
	if auth == nil {
		return fail(fmt.Errorf("the server offers only %s", strings.Join(offered, " ")), "xoauth2, or password with PLAIN, LOGIN or SCRAM, is what we speak")
	}
	err := l.smtp.Auth(auth)
	var reply *textproto.Error
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &reply):
		return fail(err, "the connection was lost; some servers close it after a wrong password")
	case reply.Code/100 == 4:
		return fail(serverWords(err), "the server cannot check it at the moment")
	case t.cfg.XOAUTH2:
		return fail(serverWords(err), "check username and token_command; the token may have expired or lack the SMTP scope")
	}
	return fail(serverWords(err), "check username and password")
}

// mechanism picks how to log in, or nil when the server offers nothing that
// fits.
func (t *Transport) mechanism(offered []string, secret string) smtp.Auth {
	user, host := t.cfg.Username, t.cfg.Server.Host
	clear := t.cfg.Server.Security == Insecure // loopback: nobody listens
	switch has := func(m string) bool { return slices.Contains(offered, m) }; {
	case t.cfg.XOAUTH2:
		if has("XOAUTH2") {
			return smtp.XOAuth2Auth(user, secret)
		}
	case has("PLAIN"):
		return smtp.PlainAuth("", user, secret, host, clear)
	case has("LOGIN"):
		return smtp.LoginAuth(user, secret, host, clear)
	case has("SCRAM-SHA-256"):
		return smtp.ScramSHA256Auth(user, secret)
	case has("SCRAM-SHA-1"):
		return smtp.ScramSHA1Auth(user, secret)
	}
	return nil
}
