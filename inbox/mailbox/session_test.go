package mailbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"push.guru/supportd/inbox"
)

func TestUIDs(t *testing.T) {
	tests := []struct {
		name   string
		from   uint32
		mails  int
		script func(*fake)
		want   []uint32
		fails  bool
	}{
		{"in any order, some twice", 1, 3, func(f *fake) {
			f.ok("UID FETCH 1:* (UID)", "* 3 FETCH (UID 9)", "* 1 FETCH (UID 2)", "* 2 FETCH (FLAGS () UID 5)", "* 2 FETCH (UID 5)", "* 2 FETCH (FLAGS ())")
		}, []uint32{2, 5, 9}, false},
		{"the last mail below n", 10, 1, func(f *fake) { f.ok("UID FETCH 10:* (UID)", "* 1 FETCH (UID 9)") }, nil, false},
		{"from 0", 0, 1, func(f *fake) { f.ok("UID FETCH 1:* (UID)", "* 1 FETCH (UID 1)") }, []uint32{1}, false},
		{"the highest UID", 1<<32 - 1, 1, func(f *fake) { f.ok("UID FETCH 4294967295:* (UID)", "* 1 FETCH (UID 4294967295)") }, []uint32{1<<32 - 1}, false},
		{"empty", 1, 0, func(f *fake) { f.ok("UID FETCH 1:* (UID)") }, nil, false},
		{"empty, and the server calls it a mistake", 1, 0, func(f *fake) { f.no("UID FETCH 1:* (UID)", "BAD no such message") }, nil, false},
		{"not empty, and the server calls it a mistake", 1, 1, func(f *fake) { f.no("UID FETCH 1:* (UID)", "BAD what") }, nil, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, _ := enter(t, scripted(t, func(f *fake) { f.enter(everything, tt.mails); tt.script(f); f.bye() }))
			got, err := s.UIDsFrom(t.Context(), tt.from)
			if !slices.Equal(got, tt.want) || (err != nil) != tt.fails {
				t.Errorf("got %d %v, want %d", got, err, tt.want)
			}
		})
	}
}

func TestManyUIDs(t *testing.T) {
	const n = 20_000
	s, _ := enter(t, scripted(t, func(f *fake) {
		f.enter(everything, n)
		tag := f.expect("UID FETCH 1:* (UID)")
		var b strings.Builder
		for i := 1; i <= n; i++ {
			fmt.Fprintf(&b, "* %d FETCH (UID %d)\r\n", i, 2*i)
		}
		f.say(b.String()+"\x00", tag+" OK")
		f.bye()
	}))
	got, err := s.UIDs(t.Context())
	if err != nil || len(got) != n || got[n-1] != 2*n {
		t.Errorf("got %d UIDs, %v", len(got), err)
	}
}

func TestSelect(t *testing.T) {
	tests := []struct {
		name string
		say  []string
		want Folder
		text string
	}{
		{"all", []string{"* OK [UIDVALIDITY 3] x", "* OK [UIDNEXT 8] x", `* OK [PERMANENTFLAGS (\Seen \*)] x`}, Folder{"Größe", 3, 8, true}, ""},
		{"our keyword only", []string{"* OK [UIDVALIDITY 3] x", `* OK [PERMANENTFLAGS ($supportd)] x`}, Folder{"Größe", 3, 0, true}, ""},
		{"no new keywords", []string{"* OK [UIDVALIDITY 3] x", `* OK [PERMANENTFLAGS (\Seen)] x`}, Folder{"Größe", 3, 0, false}, ""},
		{"no UIDVALIDITY", []string{"* 1 EXISTS"}, Folder{}, "no UIDVALIDITY"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := connect(t, scripted(t, func(f *fake) {
				f.login(everything)
				f.ok(`SELECT "Gr&APYA3w-e"`, tt.say...)
				f.bye()
			}))
			defer s.Close()
			got, err := s.Select(t.Context(), "Größe")
			if got != tt.want || (err == nil) != (tt.text == "") || err != nil && !strings.Contains(err.Error(), tt.text) {
				t.Errorf("got %+v %v", got, err)
			}
		})
	}
}

// TestNothingSelected makes sure that a failed SELECT leaves no folder behind
// that a later command could be taken to be about.
func TestNothingSelected(t *testing.T) {
	s, _ := enter(t, scripted(t, func(f *fake) {
		f.enter(everything, 1)
		f.no(`SELECT "Nowhere"`, "NO [NONEXISTENT] Mailbox of bob@example.org doesn't exist")
		f.bye()
	}))
	_, err := s.Select(t.Context(), "Nowhere")
	var told *inbox.Error
	if !errors.As(err, &told) || told.Hint == "" || told.Temp || strings.Contains(err.Error(), "bob") || !strings.Contains(err.Error(), "[NONEXISTENT]") {
		t.Errorf("error %v", err)
	}
	for name, f := range map[string]func() error{
		"UIDs":    func() error { _, err := s.UIDs(t.Context()); return err },
		"File":    func() error { _, err := s.File(t.Context(), []uint32{1}, "Processed"); return err },
		"Mark":    func() error { return s.Mark(t.Context(), []uint32{1}) },
		"Expunge": func() error { return s.Expunge(t.Context(), []uint32{1}) },
		"Wait":    func() error { return s.Wait(t.Context(), time.Second) },
	} {
		if err := f(); !errors.Is(err, ErrFolder) {
			t.Errorf("%s: %v, want ErrFolder", name, err)
		}
	}
}

func TestContextBefore(t *testing.T) {
	s, _ := enter(t, scripted(t, func(f *fake) { f.enter(everything, 1); f.bye() }))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.UIDs(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if s.link.dead() {
		t.Error("a context that had ended before killed the session")
	}
}

func TestClose(t *testing.T) {
	t.Run("the server does not say goodbye", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s, _ := enter(t, scripted(t, func(f *fake) { f.enter(everything, 1); f.expect("LOGOUT"); time.Sleep(time.Hour) }))
			start := time.Now()
			if err := s.Close(); err != nil || time.Since(start) > logoutTime {
				t.Errorf("%v after %v", err, time.Since(start))
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	})
	t.Run("the server does not read", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s, _ := enter(t, scripted(t, func(f *fake) { f.enter(everything, 1); time.Sleep(time.Hour) }))
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	})
	t.Run("while another goroutine waits", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s, _ := enter(t, scripted(t, func(f *fake) { f.enter(everything, 1); f.expect("IDLE"); f.say("+ idling"); time.Sleep(time.Hour) }))
			waited := make(chan error)
			go func() { waited <- s.Wait(t.Context(), time.Hour) }()
			synctest.Wait()
			s.Close()
			if err := <-waited; err == nil {
				t.Error("Wait did not notice")
			}
		})
	})
	t.Run("while a literal is on its way", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s, folder := enter(t, scripted(t, func(f *fake) {
				f.enter(everything, 1)
				f.ok("UID FETCH 5 "+askSize, size(1, 5, 300))
				f.expect("UID FETCH 5 " + askMost)
				f.say("* 1 FETCH (UID 5 BODY[] {300}\r\nonly this\x00")
				time.Sleep(time.Hour)
			}))
			fetched := make(chan error)
			go func() { fetched <- s.Fetch(t.Context(), folder, []uint32{5}, nil) }()
			synctest.Wait()
			s.Close()
			if err := <-fetched; err == nil {
				t.Error("Fetch did not notice")
			}
		})
	})
}

func TestWait(t *testing.T) {
	const quarter = 15 * time.Minute
	tests := []struct {
		name   string
		caps   string
		script func(*fake)
		want   time.Duration
	}{
		{"nothing comes", everything, func(f *fake) {
			for range 2 { // nine minutes, then six
				tag := f.expect("IDLE")
				f.say("+ idling")
				f.line("DONE")
				f.say(tag + " OK")
			}
		}, quarter},
		{"mail comes", everything, func(f *fake) {
			tag := f.expect("IDLE")
			f.say("+ idling", "* 3 EXISTS", "* 0 EXPUNGE")
			time.Sleep(5 * time.Minute)
			f.say("* OK still here", "* 4 EXISTS", "* 1 RECENT")
			f.line("DONE")
			f.say(tag + " OK")
		}, 5 * time.Minute},
		{"mail goes, and another comes", everything, func(f *fake) {
			tag := f.expect("IDLE")
			f.say("+ idling", "* 2 EXPUNGE")
			time.Sleep(time.Minute)
			f.say("* 3 EXISTS")
			f.line("DONE")
			f.say(tag + " OK")
		}, time.Minute},
		{"no IDLE, nothing comes", "", func(f *fake) { f.ok("NOOP"); f.ok("NOOP") }, quarter},
		{"no IDLE, mail comes", "", func(f *fake) { f.ok("NOOP", "* 4 EXISTS") }, stretch},
		{"no IDLE, mail comes unasked", "", func(f *fake) { time.Sleep(time.Minute); f.say("* 4 EXISTS"); f.ok("NOOP") }, time.Minute},
		{"IDLE is announced and refused", everything, func(f *fake) { f.no("IDLE", "NO not for you"); f.ok("NOOP"); f.ok("NOOP") }, quarter},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, _ := enter(t, scripted(t, func(f *fake) { f.enter(tt.caps, 3); tt.script(f); f.bye() }))
				start := time.Now()
				if err := s.Wait(t.Context(), quarter); err != nil {
					t.Fatal(err)
				}
				if got := time.Since(start); got != tt.want {
					t.Errorf("waited %v, want %v", got, tt.want)
				}
				s.Close()
			})
		})
	}
}

// TestWaitAfterListing is about mail that comes between the last listing and
// IDLE: it must not wait for the next listing.
func TestWaitAfterListing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := enter(t, scripted(t, func(f *fake) {
			f.enter(everything, 1)
			f.say("* 2 EXISTS") // before the listing: seen by it
			f.ok("UID FETCH 1:* (UID)", "* 1 FETCH (UID 5)", "* 2 FETCH (UID 6)", "* 3 EXISTS")
			f.ok("UID FETCH 1:* (UID)", "* 1 FETCH (UID 5)", "* 2 FETCH (UID 6)", "* 3 FETCH (UID 7)")
			tag := f.expect("IDLE")
			f.say("+ idling")
			f.line("DONE")
			f.say(tag + " OK")
			f.bye()
		}))
		synctest.Wait()
		list := func() {
			if _, err := s.UIDs(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		wait := func() time.Duration {
			start := time.Now()
			if err := s.Wait(t.Context(), time.Minute); err != nil {
				t.Fatal(err)
			}
			return time.Since(start)
		}
		list()
		if got := wait(); got != 0 {
			t.Errorf("waited %v although a third mail came", got)
		}
		list()
		if got := wait(); got != time.Minute {
			t.Errorf("waited %v although nothing came", got)
		}
		s.Close()
	})
}

func TestWaitFails(t *testing.T) {
	tests := []struct {
		name   string
		caps   string
		script func(*fake)
		after  time.Duration
		text   string
	}{
		{"BYE in IDLE", everything, func(f *fake) { f.expect("IDLE"); f.say("+ idling"); time.Sleep(time.Second); f.say("* BYE restart") }, time.Second, "the server closed the connection"},
		{"no answer to IDLE", everything, func(f *fake) { f.expect("IDLE"); time.Sleep(time.Hour) }, time.Minute, "silent for 1m0s"},
		{"no answer to DONE", everything, func(f *fake) { f.expect("IDLE"); f.say("+ idling"); f.line("DONE"); time.Sleep(time.Hour) }, stretch + time.Minute, "silent for 1m0s"},
		{"no answer to NOOP", "", func(f *fake) { f.expect("NOOP"); time.Sleep(time.Hour) }, stretch + time.Minute, "silent for 1m0s"},
		{"garbage", everything, func(f *fake) {
			f.expect("IDLE")
			f.say("+ idling", `* 1 FETCH (SECRET "dear bob@example.org" "x")`)
		}, 0, "IMAP protocol error"},
		{"gone without IDLE", "", func(f *fake) { time.Sleep(time.Second) }, time.Second, "the server closed the connection"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, _ := enter(t, scripted(t, func(f *fake) { f.enter(tt.caps, 3); tt.script(f) }))
				start := time.Now()
				err := s.Wait(t.Context(), 15*time.Minute)
				if err == nil || !strings.Contains(err.Error(), tt.text) || !inbox.IsTemporary(err) || strings.Contains(err.Error(), "bob") {
					t.Errorf("error %v, want a temporary one with %q", err, tt.text)
				}
				if got := time.Since(start); got != tt.after {
					t.Errorf("after %v, want %v", got, tt.after)
				}
				if err := s.Wait(t.Context(), time.Minute); !errors.Is(err, ErrDead) {
					t.Errorf("after it: %v, want ErrDead", err)
				}
			})
		})
	}
}

func TestWaitContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := enter(t, scripted(t, func(f *fake) { f.enter(everything, 1); f.expect("IDLE"); f.say("+ idling"); time.Sleep(time.Hour) }))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := s.Wait(ctx, time.Hour); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want the context's", err)
		}
	})
}

// FuzzAnswers lets a server say anything after the login. Whatever it is, the
// session ends with the connection and hands out only what belongs to it.
func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{
		"* 1 FETCH (UID 5 BODY[] {3}\r\nabc)\r\nT4 OK\r\n",
		"* 1 FETCH (BODY[] {3}\r\nabc UID 5)\r\nT4 OK\r\n* 1 FETCH (UID 5 INTERNALDATE \"05-Mar-2026 10:00:00 +0000\")\r\nT5 OK\r\n",
		"* 1 FETCH (UID 5 RFC822.SIZE 3)\r\nT4 OK\r\n* 1 FETCH (UID 5 BODY[] {300}\r\nabc",
		"* 1 FETCH (UID 5 RFC822.SIZE 99999999999)\r\nT4 NO\r\n", "* BYE\r\n", "+ go\r\n", "* 1 FETCH (UID 5 BODY[] {99999999999}\r\n",
		"* 1 FETCH (BODY[] \"a\" BODY[] \"b\" UID 5)\r\n", "T4 BAD [\r\n", "* 0 EXPUNGE\r\n* 4294967295 EXISTS\r\n", "*\r\n", "\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, answers []byte) {
		cfg := scripted(t, func(f *fake) {
			f.enter(everything, 1)
			read := make(chan struct{})
			go func() { // commands are not looked at
				defer close(read)
				for {
					if _, err := f.r.ReadString('\n'); err != nil {
						return
					}
				}
			}()
			f.conn.Write(answers)
			f.conn.Close()
			<-read
		})
		cfg.MaxBytes = 1 << 10
		s, folder := enter(t, cfg)
		err := s.Fetch(t.Context(), folder, []uint32{5}, func(r inbox.Raw) error {
			if r.Ref.UID != 5 || len(r.Bytes) > 1<<10 || r.Bytes != nil && int64(len(r.Bytes)) > r.Size {
				t.Errorf("handed out %v with %d of %d bytes", r.Ref, len(r.Bytes), r.Size)
			}
			return nil
		})
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("an error of several lines: %q", err)
		}
		s.Close()
		if !s.link.dead() {
			t.Error("the session lives")
		}
	})
}

func FuzzHarmless(f *testing.F) {
	f.Add("login of bob@example.org failed\r\nx")
	f.Fuzz(func(t *testing.T, s string) {
		if got := harmless(s); strings.Contains(strings.ReplaceAll(got, "[address]", ""), "@") || strings.ContainsAny(got, "\r\n\x1b") || len(got) > 10*200 {
			t.Errorf("%q became %q", s, got)
		}
	})
}

func TestUnquoted(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                              "plain",
		"unknown tag \"secret\"":             "unknown tag …",
		`parsing "a \" secret" as "b": no`:   "parsing …: no",
		"panic: \"secret\nand more":          "panic: …",
		"panic reading response: x\ngoro \"": "panic reading response: x",
	} {
		if got := unquoted(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}
