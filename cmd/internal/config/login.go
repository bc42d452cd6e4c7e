package config

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// tokenTimeout bounds a run of token_command.
const tokenTimeout = 30 * time.Second

// maxSecret bounds what is read as a secret, in bytes.
const maxSecret = 64 << 10

// Login says who we are on a server and whom we trust there. At most one of
// PasswordFile, PasswordEnv and TokenCommand is set; with none there is no
// authentication.
type Login struct {
	Username     string
	XOAUTH2      bool // the secret is an access token
	PasswordFile string
	PasswordEnv  string
	TokenCommand []string
	RootCAs      *x509.CertPool // nil: the system's authorities
}

// Secret gives a function that reads the secret anew each time, so that a
// changed password or token needs no restart; nil when there is no
// authentication. What it returns is never empty and has no line end.
func (l Login) Secret() func(context.Context) (string, error) {
	switch {
	case l.PasswordFile != "":
		return func(context.Context) (string, error) { return secretOfFile(l.PasswordFile) }
	case l.PasswordEnv != "":
		return func(context.Context) (string, error) { return oneSecret(os.Getenv(l.PasswordEnv), "$"+l.PasswordEnv) }
	case len(l.TokenCommand) > 0:
		return func(ctx context.Context) (string, error) { return secretOfCommand(ctx, l.TokenCommand) }
	}
	return nil
}

// oneSecret takes the line end off a secret; from says where it was found.
func oneSecret(s, from string) (string, error) {
	s = strings.TrimRight(s, "\r\n")
	switch {
	case s == "":
		return "", fmt.Errorf("%s is empty", from)
	case strings.ContainsAny(s, "\r\n\x00"):
		return "", fmt.Errorf("%s holds more than one line", from)
	}
	return s, nil
}

// secretOfFile reads a secret that other users of the machine cannot read.
func secretOfFile(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", fmt.Errorf("reading a secret: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", fmt.Errorf("reading a secret: %w", err)
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is not a file", name)
	}
	if info.Mode().Perm()&0o007 != 0 {
		return "", &openError{name}
	}
	b, err := io.ReadAll(io.LimitReader(f, maxSecret))
	if err != nil {
		return "", fmt.Errorf("reading a secret: %w", err)
	}
	return oneSecret(string(b), name)
}

// openError says that everybody on the machine can read a secret.
type openError struct{ name string }

func (e *openError) Error() string {
	return e.name + " is open to every user of this machine"
}

// secretOfCommand runs a command and takes the line that it prints. What it
// prints as errors is not repeated: it may hold the secret.
func secretOfCommand(ctx context.Context, argv []string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, tokenTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.WaitDelay = time.Second // a child that keeps the pipe open does not hold us up
	var out bounded
	cmd.Stdout = &out
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return "", fmt.Errorf("running the token command %s: %w", argv[0], err)
	}
	return oneSecret(out.buf.String(), "what "+argv[0]+" prints")
}

// bounded takes up to maxSecret bytes and then fails. The buffer is not
// embedded: its ReadFrom would go round the bound.
type bounded struct{ buf bytes.Buffer }

func (b *bounded) Write(p []byte) (int, error) {
	if b.buf.Len()+len(p) > maxSecret {
		return 0, errors.New("it prints too much")
	}
	return b.buf.Write(p)
}

// login reads who we are on a server. needed: there must be a secret.
func (t *table) login(user string, needed bool) Login {
	// A login is taken from one table: a password is never sent under a name
	// that it was not meant for.
	secrets := &table{t.Alone("username", "auth", "password_file", "password_env", "token_command"), t.dir}
	l := Login{
		Username:     secrets.Text("username", user),
		PasswordFile: secrets.file("password_file", ""),
		PasswordEnv:  secrets.Text("password_env", ""),
		TokenCommand: secrets.Texts("token_command"),
		RootCAs:      t.authorities("ca_file"),
	}
	auth := secrets.OneOf("auth", "", "", "password", "xoauth2")
	l.XOAUTH2 = auth == "xoauth2" || auth == "" && len(l.TokenCommand) > 0
	secrets.checkSecret(l, needed)
	return l
}

// checkSecret notes what is wrong with the secret of a login.
func (t *table) checkSecret(l Login, needed bool) {
	set := 0
	for _, isSet := range []bool{l.PasswordFile != "", l.PasswordEnv != "", len(l.TokenCommand) > 0} {
		if isSet {
			set++
		}
	}
	switch {
	case set > 1:
		t.Fault("password_file", "keep one", "more than one of password_file, password_env and token_command is set")
		return
	case set == 0 && (needed || l.XOAUTH2):
		t.Fault("password_file", "", "none of password_file, password_env and token_command is set")
		return
	case set == 0 && l.Username != "":
		t.Fault("username", "without a login, leave both empty", "there is a user name, but none of password_file, password_env and token_command is set")
		return
	case set == 1 && l.Username == "" && (!needed || t.Has("username")): // else the address is at fault
		t.Fault("username", "", "there is a password, but no user name")
	}
	switch {
	case l.PasswordFile != "":
		t.checkSecretFile("password_file", l.PasswordFile, "the file holds the password and nothing else")
	case l.PasswordEnv != "":
		if _, err := oneSecret(os.Getenv(l.PasswordEnv), "$"+l.PasswordEnv); err != nil {
			t.Fault("password_env", "set the variable in the environment of supportd", "%v", err)
		}
	case len(l.TokenCommand) > 0:
		t.checkCommand("token_command", l.TokenCommand, `the program first, then its arguments: ["/usr/bin/token", "imap"]`)
	}
}

// checkSecretFile notes what is wrong with a file that holds a secret.
func (t *table) checkSecretFile(key, name, hint string) {
	var open *openError
	if _, err := secretOfFile(name); errors.As(err, &open) {
		t.Fault(key, "chmod 600 "+name, "%v", err)
	} else if errors.Is(err, os.ErrPermission) {
		t.Fault(key, "it must belong to the user that runs supportd; run this as that user", "%v", err)
	} else if err != nil {
		t.Fault(key, hint, "%v", err)
	}
}

// authorities reads trust anchors (PEM) that count beside the system's, or
// gives nil when no file is named.
func (t *table) authorities(key string) *x509.CertPool {
	name := t.file(key, "")
	if name == "" {
		return nil
	}
	pem, err := os.ReadFile(name)
	if err != nil {
		t.Fault(key, "", "%v", err)
		return nil
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool() // a machine without authorities of its own
	}
	if !pool.AppendCertsFromPEM(pem) {
		t.Fault(key, "the file must be in PEM form, -----BEGIN CERTIFICATE-----", "%s holds no certificate", name)
	}
	return pool
}
