package outbox

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

// scripted is an SMTP server that says what a test wants it to say. A script
// maps a stage (greeting, EHLO, AUTH, RSET, MAIL, RCPT, DATA, text, dot, QUIT)
// to the answers that the stage gives one after the other, over all
// connections; after the last one the stage answers as a good server does.
//
//	"550 5.1.1 no"  is said
//	"cut"           closes the connection
//	"stall"         stays silent until the client closes the connection
//	""              is the good answer
type scripted struct {
	offers []string // lines of the EHLO answer

	mu     sync.Mutex
	script map[string][]string
	dials  int
	mails  []string // texts that the server took over
	froms  []string // arguments of MAIL
	wg     sync.WaitGroup
}

// dial is a dial function whose every connection is served by s.
func (s *scripted) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	s.mu.Lock()
	s.dials++
	s.mu.Unlock()
	s.wg.Go(func() {
		defer server.Close()
		s.serve(server)
	})
	return client, nil
}

// next takes the next answer of a stage from the script.
func (s *scripted) next(stage string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	answers := s.script[stage]
	if len(answers) == 0 {
		return ""
	}
	s.script[stage] = answers[1:]
	return answers[0]
}

// say gives an answer of the script, or the good one. It tells whether the
// connection goes on.
func say(c net.Conn, answer, good string) bool {
	switch answer {
	case "cut":
		return false
	case "stall":
		_, _ = io.Copy(io.Discard, c)
		return false
	case "":
		answer = good
	}
	_, err := io.WriteString(c, answer+"\r\n")
	return err == nil && !strings.HasPrefix(answer, "421")
}

func (s *scripted) serve(c net.Conn) {
	r := bufio.NewReader(c)
	if !say(c, s.next("greeting"), "220 test") {
		return
	}
	ehlo := "250 test"
	if len(s.offers) > 0 {
		ehlo = "250-test\r\n250-" + strings.Join(s.offers, "\r\n250-") + "\r\n250 HELP"
	}
	refused := false // the sender or the recipient of the mail
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		verb, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		good := "250 2.0.0 ok"
		switch verb {
		case "EHLO":
			good = ehlo
		case "AUTH":
			good = "235 2.7.0 welcome"
		case "DATA":
			good = "354 go on"
			if refused {
				good = "554 5.5.1 nobody to take it to"
			}
		case "RSET":
			refused = false
		case "QUIT":
			good = "221 bye"
		case "MAIL":
			s.mu.Lock()
			s.froms = append(s.froms, strings.TrimSpace(line))
			s.mu.Unlock()
		}
		answer := cmp.Or(s.next(verb), good)
		if !say(c, answer, good) {
			return
		}
		if (verb == "MAIL" || verb == "RCPT") && !strings.HasPrefix(answer, "2") {
			refused = true
		}
		if verb == "DATA" && strings.HasPrefix(answer, "354") && !s.takeText(c, r) {
			return
		}
	}
}

// takeText reads a mail, to its end or to where the script breaks off. It
// tells whether the connection goes on.
func (s *scripted) takeText(c net.Conn, r *bufio.Reader) bool {
	switch s.next("text") {
	case "cut":
		_, _ = r.ReadString('\n')
		return false
	case "stall":
		_, _ = c.Write([]byte{0}) // nobody reads it: waits for the client to close
		return false
	}
	var text strings.Builder
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return false
		}
		if line == ".\r\n" {
			break
		}
		text.WriteString(strings.TrimPrefix(line, "."))
	}
	answer := s.next("dot")
	if answer == "" || strings.HasPrefix(answer, "2") {
		s.mu.Lock()
		s.mails = append(s.mails, text.String())
		s.mu.Unlock()
	}
	return say(c, answer, "250 2.0.0 queued")
}

// transport makes a Transport that talks to s without protection.
func (s *scripted) transport(t *testing.T, change ...func(*TransportConfig)) *Transport {
	t.Helper()
	srv, err := ParseServer("smtp+insecure://127.0.0.1:25")
	if err != nil {
		t.Fatal(err)
	}
	cfg := TransportConfig{Server: srv, Dial: s.dial, HELO: "support.test"}
	for _, f := range change {
		f(&cfg)
	}
	tr := NewTransport(cfg)
	t.Cleanup(func() {
		if err := tr.Close(); err != nil {
			t.Error(err)
		}
		s.wg.Wait()
	})
	return tr
}

// mailOf makes a mail of n lines.
func mailOf(n int) []byte {
	var b strings.Builder
	b.WriteString("Subject: test\r\n\r\n")
	for i := range n {
		fmt.Fprintf(&b, ".line %d of a mail that is long enough to fill buffers\r\n", i)
	}
	return []byte(b.String())
}
