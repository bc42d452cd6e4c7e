package console

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"push.guru/supportd/inbox/staff"
)

// livePath is where an open queue is kept up to date from.
const livePath = "/queue/live"

// quiet is how long nothing is said at most: a connection on which nothing
// passes is cut by what lies between.
const quiet = 20 * time.Second

// watchers are the open pages that are kept up to date.
type watchers struct {
	mu   sync.Mutex
	open map[chan struct{}]string // whose session it is; a full channel is a change not seen yet
	made map[string]rows          // for those who look at the same, since the last change
	turn int                      // grows with each change: what was made before one is not kept after it
	key  []byte                   // of the marks
}

// rows is the part of the queue as it is sent, and when it was made.
type rows struct {
	html []byte
	at   time.Time
}

func newWatchers() *watchers {
	w := &watchers{open: map[chan struct{}]string{}, made: map[string]rows{}, key: make([]byte, 32)}
	rand.Read(w.key)
	return w
}

// mark gives a mark of rows, by which a page says which it shows. It tells
// nothing about them, and is another after a restart.
func (w *watchers) mark(html []byte) string {
	h := hmac.New(sha256.New, w.key)
	h.Write(html)
	return hex.EncodeToString(h.Sum(nil)[:12])
}

// same gives rows that were made for somebody who looks at the same, or makes
// them. What is older than a sign of life is made anew: times are worded in it.
func (w *watchers) same(key string, make func() ([]byte, error)) ([]byte, error) {
	w.mu.Lock()
	r, turn := w.made[key], w.turn
	w.mu.Unlock()
	if r.html != nil && time.Since(r.at) < quiet {
		return r.html, nil
	}
	html, err := make()
	w.mu.Lock()
	defer w.mu.Unlock()
	if err == nil && turn == w.turn {
		w.keep(key, rows{html, time.Now()})
	}
	return html, err
}

// keep keeps rows for others, in place of the oldest when there are many: what
// is looked at can be made up.
func (w *watchers) keep(key string, r rows) {
	if _, ok := w.made[key]; !ok && len(w.made) >= maxMade {
		oldest := ""
		for k, other := range w.made {
			if oldest == "" || other.at.Before(w.made[oldest].at) {
				oldest = k
			}
		}
		delete(w.made, oldest)
	}
	w.made[key] = r
}

// add begins to tell of changes; nil when there are too many open pages.
func (w *watchers) add(token string) chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, t := range w.open {
		if t == token {
			n++
		}
	}
	if len(w.open) >= maxLive || n >= liveEach {
		return nil
	}
	c := make(chan struct{}, 1)
	w.open[c] = token
	return c
}

func (w *watchers) drop(c chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.open, c)
}

// tell tells every open page that something has changed.
func (w *watchers) tell() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.made)
	w.turn++
	for c := range w.open {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// look finds out whether anything was stored, until ctx ends.
func (s *Server) look(ctx context.Context) {
	if s.Revision == nil {
		return
	}
	last := uint64(0)
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now, err := s.Revision()
		if err != nil {
			s.Log.Error("console: looking for changes", "err", err)
			continue
		}
		if now != last {
			last = now
			s.live.tell()
		}
	}
}

// liveQueue sends the rows whenever they are others than the page shows, until
// the browser goes away, the session ends, or the program stops. Which rows the
// page was made with stands in its address, and which it was sent since in the
// header of a browser that connects again.
func liveQueue(s *Server, w http.ResponseWriter, q *request) error {
	change := s.live.add(q.token)
	if change == nil {
		w.Header().Set("Retry-After", "30")
		s.fault(w, q, http.StatusServiceUnavailable, "")
		return nil
	}
	defer s.live.drop(change)
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would keep it
	out := &stream{w: w, c: http.NewResponseController(w)}
	if err := out.say("hello", ""); err != nil {
		return nil // the browser went away
	}
	seen := cmp.Or(q.Header.Get("Last-Event-ID"), q.URL.Query().Get("seen"))
	beat := time.NewTicker(quiet)
	defer beat.Stop()
	for {
		rows, err := s.liveRows(q)
		switch {
		case errors.Is(err, staff.ErrSignedOut):
			_ = out.say("out", "") // the browser may have gone, too
			return nil
		case err != nil:
			s.Log.Error("console: an open page could not be kept up to date", "err", err)
			return nil
		}
		if now := s.live.mark(rows); now != seen {
			seen = now
			if err := out.send("rows", now, string(rows)); err != nil {
				return nil
			}
		}
		if !s.next(q.Context(), out, change, beat.C) {
			return nil
		}
	}
}

// next waits for a change; false when there is nobody to tell any more.
func (s *Server) next(ctx context.Context, out *stream, change <-chan struct{}, beat <-chan time.Time) bool {
	select {
	case <-ctx.Done():
		return false
	case <-s.stop:
		return false
	case <-change:
		return true
	case <-beat: // the session may be over, and deadlines come nearer
		return out.say("beat", "") == nil
	}
}

// liveRows makes the rows for whoever is still signed in and may see them.
func (s *Server) liveRows(q *request) ([]byte, error) {
	session, err := s.Staff.Peek(q.token)
	if err != nil {
		return nil, err
	}
	if !session.May(staff.RightSee) {
		return nil, staff.ErrSignedOut
	}
	revision := uint64(0)
	if s.Revision != nil {
		if revision, err = s.Revision(); err != nil {
			return nil, err
		}
	}
	// What was made before the last change is older than a page that is opened now.
	a := s.ask(q)
	handed, err := s.handed(q, a)
	if err != nil {
		return nil, err
	}
	key := strconv.FormatUint(revision, 10) + " " + q.lang + " " + a.address(livePath)
	if a.mine == "me" || len(handed) > 0 { // nobody else has these rows
		key += " " + q.actor.Name
	}
	return s.live.same(key, func() ([]byte, error) {
		f, err := s.queue(q)
		if err != nil {
			return nil, err
		}
		var b bytes.Buffer
		err = s.pages.RenderRows(&b, f)
		return b.Bytes(), err
	})
}

// stream writes server-sent events.
type stream struct {
	w http.ResponseWriter
	c *http.ResponseController
}

// say sends an event without an id.
func (o *stream) say(event, data string) error { return o.send(event, "", data) }

// send sends an event. The browser names the last id when it connects again.
func (o *stream) send(event, id, data string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "event: %s\n", event)
	if id != "" {
		fmt.Fprintf(&b, "id: %s\n", id)
	}
	for line := range strings.SplitSeq(data, "\n") {
		fmt.Fprintf(&b, "data: %s\n", strings.TrimRight(line, "\r"))
	}
	b.WriteString("\n")
	if err := o.c.SetWriteDeadline(time.Now().Add(slowest)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := o.w.Write([]byte(b.String())); err != nil {
		return err
	}
	return o.c.Flush()
}
