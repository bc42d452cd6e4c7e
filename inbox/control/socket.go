package control

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"push.guru/supportd/inbox"
)

// SocketName is the name of the socket in the state directory.
const SocketName = "supportd.sock"

// Socket gives the path of the socket of a state directory.
func Socket(stateDir string) string { return filepath.Join(stateDir, SocketName) }

// Listen opens the socket, mode 0660. A socket that a dead daemon left behind
// is replaced; the state's lock has made sure that no other lives.
func Listen(path string) (net.Listener, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("opening the control socket: %w", err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("opening the control socket: %w", err)
	}
	if err := os.Chmod(path, 0o660); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the control socket: %w", err), l.Close())
	}
	return l, nil
}

type callerKey struct{}

// Serve answers calls on l until ctx ends, and waits for those under way; a
// caller that holds it up for longer than ten seconds is cut off.
func Serve(ctx context.Context, l net.Listener, s *Service, log *slog.Logger) error {
	srv := &http.Server{
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { answer(s, log, w, r) }),
		ReadHeaderTimeout: 10 * time.Second,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, callerKey{}, peer(c))
		},
	}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	select {
	case err := <-done:
		return fmt.Errorf("serving the control socket: %w", err)
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := srv.Shutdown(stop); err != nil {
		log.Warn("control: a caller was cut off", "err", err)
		err = srv.Close()
		<-done
		return err
	}
	<-done
	return nil
}

// peer names who is at the other end of a Unix socket: the kernel knows.
func peer(c net.Conn) string {
	uc, ok := c.(*net.UnixConn)
	if !ok {
		return inbox.WhoUnknown
	}
	raw, err := uc.SyscallConn()
	if err != nil {
		return inbox.WhoUnknown
	}
	name := inbox.WhoUnknown
	err = raw.Control(func(fd uintptr) {
		if cred, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); err == nil {
			name = userName(strconv.FormatUint(uint64(cred.Uid), 10))
		}
	})
	if err != nil {
		return inbox.WhoUnknown
	}
	return name
}

// Caller names the user of this process, for calls without a daemon.
func Caller() string { return userName(strconv.Itoa(os.Getuid())) }

// NameOf gives the name that a user of this machine has in the journal: their
// own, but where it is one of the program's words.
func NameOf(user string) string {
	if inbox.IsWho(user) {
		return "user " + user
	}
	return user
}

func userName(uid string) string {
	if u, err := user.LookupId(uid); err == nil {
		return NameOf(u.Username)
	}
	return "uid " + uid
}

// line is one line of an answer: an item, or the end.
type line struct {
	Item  json.RawMessage `json:"item,omitempty"`
	Error string          `json:"error,omitempty"`
	Hint  string          `json:"hint,omitempty"`
	End   bool            `json:"end,omitempty"`
}

func answer(s *Service, log *slog.Logger, w http.ResponseWriter, r *http.Request) {
	who, _ := r.Context().Value(callerKey{}).(string)
	body := bufio.NewReader(r.Body)
	first, err := body.ReadBytes('\n')
	var c Call
	if err == nil {
		err = json.Unmarshal(first, &c)
	}
	if err != nil {
		http.Error(w, "a call is one line of JSON", http.StatusBadRequest)
		return
	}
	out := json.NewEncoder(w)
	err = s.Do(r.Context(), who, c, body, func(item any) error {
		b, err := json.Marshal(item)
		if err != nil {
			return err
		}
		return out.Encode(line{Item: b})
	})
	last := line{End: true}
	if err != nil {
		last = line{Error: err.Error()}
		var e *inbox.Error
		if errors.As(err, &e) {
			last.Error, last.Hint = e.Err.Error(), e.Hint
		}
	}
	if err := out.Encode(last); err != nil {
		log.Warn("control: the caller hung up", "verb", c.Verb)
	}
}

// Client calls a daemon over its socket.
type Client struct{ http *http.Client }

// ErrNoDaemon says that nothing listens on the socket.
var ErrNoDaemon = errors.New("no daemon listens")

// Dial looks for a daemon behind the socket; ErrNoDaemon when there is none.
func Dial(path string) (*Client, error) {
	c, err := net.DialTimeout("unix", path, 5*time.Second)
	switch {
	case errors.Is(err, os.ErrPermission):
		return nil, &inbox.Error{Err: fmt.Errorf("reaching the daemon at %s: %w", path, err), Hint: permissionHint(path)}
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrNoDaemon, err)
	}
	if err := c.Close(); err != nil {
		return nil, fmt.Errorf("reaching the daemon: %w", err)
	}
	return &Client{&http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", path)
		},
	}}}, nil
}

// permissionHint says who may use the socket, as far as one can see.
func permissionHint(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return "its directory is closed to you: be root, or a member of the group that may enter it"
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		if g, err := user.LookupGroupId(strconv.FormatUint(uint64(st.Gid), 10)); err == nil {
			return "be root, or a member of the group " + g.Name
		}
	}
	return "be root, or a member of the socket's group"
}

// Do sends a call and gives each item of the answer to put. An answer that
// breaks off is an error.
func (c *Client) Do(ctx context.Context, call Call, body io.Reader, put func(json.RawMessage) error) error {
	first, err := json.Marshal(call)
	if err != nil {
		return fmt.Errorf("calling the daemon: %w", err)
	}
	if body == nil {
		body = bytes.NewReader(nil)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://supportd/", io.MultiReader(bytes.NewReader(append(first, '\n')), body))
	if err != nil {
		return fmt.Errorf("calling the daemon: %w", err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("calling the daemon: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("calling the daemon: %s", resp.Status)
	}
	for d := json.NewDecoder(resp.Body); ; {
		var l line
		if err := d.Decode(&l); err != nil {
			return fmt.Errorf("the daemon's answer broke off: %w", err)
		}
		switch {
		case l.Error != "":
			return &inbox.Error{Err: errors.New(l.Error), Hint: l.Hint}
		case l.End:
			return nil
		}
		if err := put(l.Item); err != nil {
			return err
		}
	}
}
