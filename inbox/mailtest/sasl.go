package mailtest

import (
	"errors"
	"strings"

	"github.com/emersion/go-sasl"
)

const xoauth2 = "XOAUTH2"

// saslServer gives the server's side of a mechanism, or nil. For XOAUTH2 the
// token is the user's password.
func saslServer(mech string, login func(username, password string) error) sasl.Server {
	switch strings.ToUpper(mech) {
	case sasl.Plain:
		return sasl.NewPlainServer(func(_, username, password string) error { return login(username, password) })
	case sasl.Login:
		return &loginServer{login: login}
	case xoauth2:
		return &xoauth2Server{login: login}
	}
	return nil
}

// loginServer is the mechanism LOGIN, which go-sasl has for clients only.
type loginServer struct {
	login    func(username, password string) error
	username *string
}

func (s *loginServer) Next(response []byte) (challenge []byte, done bool, err error) {
	if response == nil {
		return []byte("Username:"), false, nil
	}
	if s.username == nil {
		name := string(response)
		s.username = &name
		return []byte("Password:"), false, nil
	}
	return nil, true, s.login(*s.username, string(response))
}

// xoauth2Server is the mechanism of the large providers: after a wrong token
// it sends an error that the client must answer with an empty line.
type xoauth2Server struct {
	login  func(username, password string) error
	failed error
}

func (s *xoauth2Server) Next(response []byte) (challenge []byte, done bool, err error) {
	if s.failed != nil {
		return nil, true, s.failed
	}
	if response == nil {
		return []byte{}, false, nil
	}
	var username, token string
	for field := range strings.SplitSeq(string(response), "\x01") {
		if v, ok := strings.CutPrefix(field, "user="); ok {
			username = v
		}
		if v, ok := strings.CutPrefix(field, "auth=Bearer "); ok {
			token = v
		}
	}
	if username == "" || token == "" {
		return nil, true, errors.New("malformed XOAUTH2 response")
	}
	if s.failed = s.login(username, token); s.failed != nil {
		return []byte(`{"status":"401","schemes":"bearer","scope":"mail"}`), false, nil
	}
	return nil, true, nil
}
