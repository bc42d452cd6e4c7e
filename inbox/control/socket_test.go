package control_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/control"
)

// serve answers calls on a socket until the test ends.
func serve(t *testing.T, s *control.Service) (path string) {
	t.Helper()
	path = control.Socket(t.TempDir())
	l, err := control.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- control.Serve(ctx, l, s, slog.New(slog.DiscardHandler)) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return path
}

func dial(t *testing.T, path string) *control.Client {
	t.Helper()
	c, err := control.Dial(path)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestUsersDoNotPassAsTheProgram: a user of the machine who is called what the
// journal has for the program, or for the person who wrote, stands there as a
// user.
func TestUsersDoNotPassAsTheProgram(t *testing.T) {
	for _, name := range inbox.Whos() {
		if got := control.NameOf(name); inbox.IsWho(got) {
			t.Errorf("the user %q is %q", name, got)
		}
	}
	for _, name := range []string{"root", "dana"} {
		if got := control.NameOf(name); got != name {
			t.Errorf("the user %q is %q", name, got)
		}
	}
}

func TestSocketIsForOwnerAndGroup(t *testing.T) {
	info, err := os.Stat(serve(t, &control.Service{}))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != os.ModeSocket|0o660 {
		t.Errorf("mode %v", info.Mode())
	}
}

func TestStaleSocket(t *testing.T) {
	path := control.Socket(t.TempDir())
	dead, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	dead.(*net.UnixListener).SetUnlinkOnClose(false)
	if err := dead.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := control.Dial(path); !errors.Is(err, control.ErrNoDaemon) {
		t.Errorf("behind a socket that a dead daemon left: %v", err)
	}
	l, err := control.Listen(path)
	if err != nil {
		t.Fatalf("a stale socket is in the way: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a stopped daemon leaves its socket: %v", err)
	}
	if _, err := control.Dial(path); !errors.Is(err, control.ErrNoDaemon) {
		t.Errorf("where no socket is: %v", err)
	}
}

func TestErrorsComeThrough(t *testing.T) {
	people := storeOf(t, 1)
	client := dial(t, serve(t, &control.Service{People: people, Store: people}))
	// The file is larger than what a server reads of its own accord, and its
	// first line is wrong already.
	large := "id;email\n" + strings.Repeat("1;a@users.test\n", 100_000)
	for _, test := range []struct {
		name string
		call control.Call
		body string
		want string
	}{
		{"a verb that is none", control.Call{Verb: "destroy"}, "", `unknown verb "destroy"`},
		{"no verb", control.Call{}, "", `unknown verb ""`},
		{"an ID that is none", control.Call{Verb: "hold", ID: "A-x"}, "", "is not an ID of the form A-000123"},
		{"an import that is refused before its end", control.Call{Verb: "users import", Format: "csv"}, large, "between commas, not semicolons"},
		{"an import of two faulty lines", control.Call{Verb: "users import", Format: "jsonl"}, "x\ny\n", "line 2: the line is not a JSON object"},
		{"an address that nobody has", control.Call{Verb: "users show", Address: "x@users.test"}, "", "nobody has that address"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := client.Do(t.Context(), test.call, strings.NewReader(test.body), func(item json.RawMessage) error {
				return fmt.Errorf("there is an item: %s", item)
			})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestBrokenAnswers talks to a server that ends in the middle: what came so
// far must not pass for the whole.
func TestBrokenAnswers(t *testing.T) {
	for name, answer := range map[string]string{
		"nothing":              "",
		"items without an end": `{"item":{"said":"one"}}` + "\n",
		"half a line":          `{"item":{"said":"one"}}` + "\n" + `{"item":{"sa`,
		"something else":       "<html>",
	} {
		t.Run(name, func(t *testing.T) {
			path := control.Socket(t.TempDir())
			l, err := net.Listen("unix", path)
			if err != nil {
				t.Fatal(err)
			}
			srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if _, err := io.WriteString(w, answer); err != nil {
					t.Error(err)
				}
			})}
			var served sync.WaitGroup
			served.Go(func() { _ = srv.Serve(l) })
			defer served.Wait()
			defer srv.Close()
			err = dial(t, path).Do(t.Context(), control.Call{Verb: "actions list"}, nil, func(json.RawMessage) error { return nil })
			if err == nil || !strings.Contains(err.Error(), "broke off") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestFailureIsAnError(t *testing.T) {
	err := dial(t, serve(t, &control.Service{})).Do(t.Context(), control.Call{Verb: "users export"}, nil, nil)
	var e *inbox.Error
	if !errors.As(err, &e) || !strings.Contains(e.Err.Error(), "embedded store") {
		t.Errorf("got %v", err)
	}
}

func TestManyCallsAtOnce(t *testing.T) {
	const callers, people = 20, 300
	path := serve(t, &control.Service{Store: storeOf(t, people)})
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			client, err := control.Dial(path)
			if err != nil {
				t.Error(err)
				return
			}
			n := 0
			err = client.Do(t.Context(), control.Call{Verb: "users export"}, nil, func(json.RawMessage) error { n++; return nil })
			if err != nil || n != people {
				t.Errorf("%d people, %v", n, err)
			}
		})
	}
	all.Wait()
}

func TestNotACall(t *testing.T) {
	path := serve(t, &control.Service{})
	c := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}}}
	defer c.CloseIdleConnections()
	for name, body := range map[string]string{"nothing": "", "no line end": `{"verb":"resume"}`, "no JSON": "hello\n"} {
		resp, err := c.Post("http://supportd/", "", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if err := resp.Body.Close(); err != nil {
			t.Error(err)
		}
		if resp.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %s", name, resp.Status)
		}
	}
}

func TestSocketPathThatIsTaken(t *testing.T) {
	dir := filepath.Join(t.TempDir(), control.SocketName)
	if err := os.MkdirAll(filepath.Join(dir, "full"), 0o700); err != nil {
		t.Fatal(err)
	}
	if l, err := control.Listen(dir); err == nil {
		t.Errorf("a folder was replaced by a socket: %v", l.Close())
	}
}
