package mailbox

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-sasl"

	"push.guru/supportd/inbox"
)

// start reads the greeting, logs in, and asks what the server can do for
// somebody who is logged in, which may differ from what it told strangers.
func (s *Session) start(ctx context.Context, secret string) error {
	// Not do: a server that greets with BYE may be gone already, and still
	// its words are to be read.
	if err := s.run(ctx, "reading the greeting", s.client.WaitGreeting); err != nil {
		return err
	}
	if s.client.State() == imap.ConnStateNotAuthenticated { // else PREAUTH
		if err := s.login(ctx, secret); err != nil {
			return err
		}
	}
	return s.do(ctx, "asking for capabilities", func() error {
		caps, err := s.client.Capability().Wait()
		if err == nil && len(caps) == 0 { // told in the response code only
			caps = s.client.Caps()
		}
		s.caps = caps
		return err
	})
}

func (s *Session) login(ctx context.Context, secret string) error {
	token := &xoauth2{username: s.cfg.Username, token: secret}
	err := s.do(ctx, "logging in", func() error {
		if s.cfg.XOAUTH2 {
			return s.client.Authenticate(token)
		}
		if caps := s.client.Caps(); caps.Has(imap.CapLoginDisabled) && caps.Has(imap.AuthCap(sasl.Plain)) {
			return s.client.Authenticate(sasl.NewPlainClient("", s.cfg.Username, secret))
		}
		return s.client.Login(s.cfg.Username, secret).Wait()
	})
	if s.cfg.XOAUTH2 && (isRefusal(err) || token.status != "") {
		return &AuthError{&inbox.Error{
			Err:  fmt.Errorf("%w%s", err, token.status),
			Hint: "the access token was not accepted: check token_command, the token's scope, and that the account may use IMAP",
			Temp: true, // the next token may be a good one
		}}
	}
	return loginError(err)
}

// xoauth2 is the SASL mechanism of that name.
type xoauth2 struct {
	username, token string
	status          string // what a refusal's challenge said, for the error
}

// Start gives the token.
func (x *xoauth2) Start() (mech string, initial []byte, err error) {
	return "XOAUTH2", []byte("user=" + x.username + "\x01auth=Bearer " + x.token + "\x01\x01"), nil
}

// Next answers the challenge that tells about a refusal. Only after this
// answer does the server end the exchange.
func (x *xoauth2) Next(challenge []byte) ([]byte, error) {
	var told struct{ Status string }
	if json.Unmarshal(challenge, &told) == nil && told.Status != "" {
		x.status = ", status " + harmless(told.Status)
	}
	return []byte{}, nil
}
