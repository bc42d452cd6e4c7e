package mailbox

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"push.guru/supportd/inbox"
)

const (
	askSize = "(UID RFC822.SIZE)"
	askBody = "(UID BODY.PEEK[])"
	askPart = "(UID BODY.PEEK[]<0.101>)"      // of a mail whose size is not believed; MaxBytes is 100
	askMost = "(UID BODY.PEEK[]<0.26214401>)" // the same, with the default MaxBytes
	askDate = "(UID INTERNALDATE)"
)

// TestFetch walks through what servers answer to FETCH while the connection
// lives.
func TestFetch(t *testing.T) {
	tests := []struct {
		name   string
		uids   []uint32
		script func(*fake)
		want   []string
		poison uint32
	}{{
		name: "as it should be",
		uids: []uint32{6, 5, 5},
		script: func(f *fake) {
			f.ok("UID FETCH 5:6 "+askSize, size(1, 5, 3), size(2, 6, 4))
			f.ok("UID FETCH 5:6 "+askPart, body(1, 5, "abc"), body(2, 6, "defg"))
			f.ok("UID FETCH 5:6 "+askDate, date(1, 5), date(2, 6))
		},
		want: []string{"5 3 abc dated", "6 4 defg dated"},
	}, {
		name: "UID after the literal",
		uids: []uint32{5, 6},
		script: func(f *fake) {
			f.ok("UID FETCH 5:6 "+askSize, size(1, 5, 3), size(2, 6, 4))
			f.ok("UID FETCH 5:6 "+askPart, "* 1 FETCH (FLAGS () BODY[] {3}", "abc UID 5)", body(2, 6, "defg"))
			f.ok("UID FETCH 5:6 "+askDate, date(1, 5), date(2, 6))
		},
		want: []string{"5 3 abc dated", "6 4 defg dated"},
	}, {
		name: "unasked-for answers before the real ones",
		uids: []uint32{5},
		script: func(f *fake) {
			flags := `* 1 FETCH (UID 5 FLAGS (\Seen))`
			f.ok("UID FETCH 5 "+askSize, flags, size(1, 5, 3))
			f.ok("UID FETCH 5 "+askPart, flags, body(1, 5, "abc"))
			f.ok("UID FETCH 5 "+askDate, date(1, 5), flags)
		},
		want: []string{"5 3 abc dated"},
	}, {
		name: "a mail in two lines",
		uids: []uint32{5, 6},
		script: func(f *fake) {
			f.ok("UID FETCH 5:6 "+askSize, size(1, 5, 3), size(2, 6, 4))
			f.ok("UID FETCH 5:6 "+askPart, "* 1 FETCH (UID 5)", body(1, 5, "abc"), body(2, 6, "defg"))
			f.ok("UID FETCH 5:6 "+askDate, date(1, 5), date(2, 6))
		},
		want: []string{"5 3 abc dated", "6 4 defg dated"},
	}, {
		name: "two lines, the text without a UID",
		uids: []uint32{5, 6},
		script: func(f *fake) {
			f.ok("UID FETCH 5:6 "+askSize, size(1, 5, 3), size(2, 6, 4))
			f.ok("UID FETCH 5:6 "+askPart, "* 1 FETCH (UID 5)", "* 1 FETCH (BODY[] {3}", "abc)", body(2, 6, "defg"))
			f.ok("UID FETCH 5 "+askPart, "* 1 FETCH (UID 5)", "* 1 FETCH (BODY[] {3}", "abc)")
			f.ok("UID FETCH 5:6 "+askDate, date(1, 5), date(2, 6))
		},
		want: []string{"5 3 abc dated", "6 4 defg dated"},
	}, {
		name: "gone between the commands",
		uids: []uint32{5, 6},
		script: func(f *fake) {
			f.ok("UID FETCH 5:6 "+askSize, size(1, 5, 3), size(2, 6, 4))
			f.ok("UID FETCH 5:6 "+askPart, body(1, 6, "defg"))
			f.ok("UID FETCH 5 " + askPart)
			f.ok("UID FETCH 6 "+askDate, date(1, 6))
		},
		want: []string{"6 4 defg dated"},
	}, {
		name: "never there",
		uids: []uint32{5},
		script: func(f *fake) {
			f.ok("UID FETCH 5 " + askSize)
			f.ok("UID FETCH 5 " + askPart)
		},
	}, {
		name: "no sizes",
		uids: []uint32{5, 6},
		script: func(f *fake) {
			f.no("UID FETCH 5:6 "+askSize, "NO not today")
			f.ok("UID FETCH 5 "+askPart, body(1, 5, "abc"))
			f.ok("UID FETCH 5 "+askDate, date(1, 5))
			f.ok("UID FETCH 6 "+askPart, body(2, 6, "defg"))
			f.ok("UID FETCH 6 "+askDate, date(2, 6))
		},
		want: []string{"5 3 abc dated", "6 4 defg dated"},
	}, {
		name: "too large, and larger than said",
		uids: []uint32{5, 6, 7},
		script: func(f *fake) {
			f.ok("UID FETCH 5:7 "+askSize, size(1, 5, 101), size(2, 6, 50), size(3, 7, 4))
			f.ok("UID FETCH 6:7 "+askPart, body(2, 6, strings.Repeat("x", 102)), body(3, 7, "defg"))
			f.ok("UID FETCH 5:7 "+askDate, date(1, 5), date(2, 6), date(3, 7))
		},
		want: []string{"5 101 nil dated", "6 102 nil dated", "7 4 defg dated"},
	}, {
		name: "no more than a batch at a time",
		uids: []uint32{5, 6, 7},
		script: func(f *fake) {
			f.ok("UID FETCH 5:7 "+askSize, size(1, 5, 30), size(2, 6, 31), size(3, 7, 4))
			f.ok("UID FETCH 5 "+askPart, body(1, 5, "a"))
			f.ok("UID FETCH 5 "+askDate, date(1, 5))
			f.ok("UID FETCH 6:7 "+askPart, body(2, 6, "b"), body(3, 7, "c"))
			f.ok("UID FETCH 6:7 "+askDate, date(2, 6), date(3, 7))
		},
		want: []string{"5 30 a dated", "6 31 b dated", "7 4 c dated"},
	}, {
		name: "empty, quoted and NIL",
		uids: []uint32{5, 6, 7},
		script: func(f *fake) {
			f.ok("UID FETCH 5:7 "+askSize, size(1, 5, 0), size(2, 6, 4), size(3, 7, 0))
			f.ok("UID FETCH 5:7 "+askPart, body(1, 5, ""), `* 2 FETCH (UID 6 BODY[] "defg")`, `* 3 FETCH (UID 7 BODY[] NIL)`)
			f.ok("UID FETCH 7 "+askPart, `* 3 FETCH (UID 7 BODY[] NIL)`)
			f.ok("UID FETCH 5:7 "+askDate, date(1, 5), date(2, 6), date(3, 7))
		},
		want: []string{"5 0  dated", "6 4 defg dated", "7 0  dated"},
	}, {
		name: "a mail without content does not block the next",
		uids: []uint32{5, 6},
		script: func(f *fake) {
			f.ok("UID FETCH 5:6 "+askSize, size(1, 5, 3), size(2, 6, 4))
			f.ok("UID FETCH 5:6 "+askPart, "* 1 FETCH (UID 5 BODY[] NIL)", body(2, 6, "defg"))
			f.ok("UID FETCH 5 "+askPart, "* 1 FETCH (UID 5 BODY[] NIL)")
			f.ok("UID FETCH 6 "+askDate, date(2, 6))
		},
		want:   []string{"6 4 defg dated"},
		poison: 5,
	}, {
		name: "the server refuses a mail",
		uids: []uint32{5, 6},
		script: func(f *fake) {
			f.ok("UID FETCH 5:6 "+askSize, size(1, 5, 3), size(2, 6, 4))
			tag := f.expect("UID FETCH 5:6 " + askPart)
			f.say(body(1, 5, "abc"), tag+" NO [SERVERBUG] cannot read")
			f.no("UID FETCH 6 "+askPart, "NO [SERVERBUG] cannot read")
			f.ok("UID FETCH 5 "+askDate, date(1, 5))
		},
		want:   []string{"5 3 abc dated"},
		poison: 6,
	}, {
		name: "no arrival times",
		uids: []uint32{5, 6},
		script: func(f *fake) {
			f.ok("UID FETCH 5:6 "+askSize, size(1, 5, 3), size(2, 6, 4))
			f.ok("UID FETCH 5:6 "+askPart, body(1, 5, "abc"), body(2, 6, "defg"))
			f.ok("UID FETCH 5:6 "+askDate, `* 1 FETCH (UID 5 FLAGS ())`, date(1, 5), date(2, 6))
			f.no("UID FETCH 5 "+askDate, "NO never")
		},
		want: []string{"5 3 abc now", "6 4 defg dated"},
	}, {
		name: "a server that does not know parts",
		uids: []uint32{5, 6},
		script: func(f *fake) {
			f.ok("UID FETCH 5:6 "+askSize, size(1, 5, 3), size(2, 6, 4))
			f.no("UID FETCH 5:6 "+askPart, "BAD what is this")
			f.no("UID FETCH 5 "+askPart, "BAD what is this")
			f.ok("UID FETCH 5 "+askBody, body(1, 5, "abc"))
			f.ok("UID FETCH 6 "+askPart, "* 2 FETCH (UID 6)")
			f.ok("UID FETCH 6 "+askBody, body(2, 6, "defg"))
			f.ok("UID FETCH 5:6 "+askDate, date(1, 5), date(2, 6))
		},
		want: []string{"5 3 abc dated", "6 4 defg dated"},
	}, {
		name: "parts named as parts, and another part",
		uids: []uint32{5, 6},
		script: func(f *fake) {
			f.ok("UID FETCH 5:6 "+askSize, size(1, 5, 3), size(2, 6, 4))
			f.ok("UID FETCH 5:6 "+askPart, "* 1 FETCH (UID 5 BODY[]<0> {3}", "abc)", "* 2 FETCH (UID 6 BODY[]<2> {2}", "fg)")
			f.ok("UID FETCH 6 "+askPart, "* 2 FETCH (UID 6 BODY[]<0> {4}", "defg)")
			f.ok("UID FETCH 5:6 "+askDate, date(1, 5), date(2, 6))
		},
		want: []string{"5 3 abc dated", "6 4 defg dated"},
	}, {
		name: "other sections and other mails",
		uids: []uint32{5},
		script: func(f *fake) {
			f.ok("UID FETCH 5 "+askSize, size(1, 5, 3), size(2, 6, 1))
			f.ok("UID FETCH 5 "+askPart, "* 1 FETCH (UID 5 BODY[HEADER] {2}", "hh BODY[] {3}", "abc)", body(2, 6, "x"))
			f.ok("UID FETCH 5 "+askDate, date(1, 5))
		},
		want: []string{"5 3 abc dated"},
	}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := scripted(t, func(f *fake) { f.enter(everything, 3); tt.script(f); f.bye() })
			cfg.MaxBytes, cfg.BatchBytes = 100, 60
			s, folder := enter(t, cfg)
			got, err := fetch(t, s, folder, tt.uids...)
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			var p *PoisonError
			switch {
			case tt.poison == 0 && err != nil:
				t.Error(err)
			case tt.poison != 0 && (!errors.As(err, &p) || p.UID != tt.poison):
				t.Errorf("error %v, want poison %d", err, tt.poison)
			}
			if s.link.dead() {
				t.Error("the session is dead")
			}
		})
	}
}

// TestFetchLost walks through what ends the connection during a FETCH, and
// who is blamed.
func TestFetchLost(t *testing.T) {
	two := func(f *fake) string {
		f.ok("UID FETCH 5:6 "+askSize, size(1, 5, 300), size(2, 6, 4))
		return f.expect("UID FETCH 5:6 " + askMost)
	}
	one := func(f *fake) {
		f.ok("UID FETCH 5 "+askSize, size(1, 5, 300))
		f.expect("UID FETCH 5 " + askMost)
	}
	const partial = "* 1 FETCH (UID 5 BODY[] {300}\r\nonly this\x00"
	tests := []struct {
		name   string
		uids   []uint32
		script func(*fake)
		want   []string
		poison uint32
		batch  []uint32
		text   string
	}{
		{"cut in the literal of one", []uint32{5}, func(f *fake) { one(f); f.say(partial) }, nil, 5, nil, "closed the connection"},
		{"cut in the literal of several", []uint32{5, 6}, func(f *fake) { two(f); f.say(body(2, 6, "defg"), partial) }, nil, 0, []uint32{5, 6}, "closed the connection"},
		{"cut in a literal before its UID", []uint32{5}, func(f *fake) { one(f); f.say("* 1 FETCH (BODY[] {300}\r\nonly this\x00") }, nil, 5, nil, "closed the connection"},
		{"silent in the literal", []uint32{5}, func(f *fake) { one(f); f.say(partial); time.Sleep(time.Hour) }, nil, 5, nil, "silent for 1m0s"},
		{"silent before the answer", []uint32{5, 6}, func(f *fake) { two(f); time.Sleep(time.Hour) }, nil, 0, []uint32{5, 6}, "silent for 1m0s"},
		{"an unknown item", []uint32{5}, func(f *fake) { one(f); f.say(`* 1 FETCH (X-GM-MSGID 12 UID 5)`) }, nil, 5, nil, "protocol error"},
		{"an unknown answer", []uint32{5, 6}, func(f *fake) { two(f); f.say(`* XFOO`) }, nil, 0, []uint32{5, 6}, "protocol error"},
		{"an odd arrival time of one", []uint32{5}, func(f *fake) {
			f.ok("UID FETCH 5 "+askSize, size(1, 5, 3))
			f.ok("UID FETCH 5 "+askMost, body(1, 5, "abc"))
			f.ok("UID FETCH 5 "+askDate, `* 1 FETCH (UID 5 INTERNALDATE "yesterday")`)
		}, []string{"5 3 abc now"}, 0, nil, "protocol error"},
		{"an odd arrival time of several", []uint32{5, 6}, func(f *fake) {
			f.say(body(1, 5, "abc"), body(2, 6, "defg"), two(f)+" OK")
			f.ok("UID FETCH 5:6 "+askDate, date(1, 5), `* 2 FETCH (UID 6 INTERNALDATE NIL)`)
		}, nil, 0, []uint32{5, 6}, "protocol error"},
		{"cut in the arrival time of one", []uint32{5}, func(f *fake) {
			f.ok("UID FETCH 5 "+askSize, size(1, 5, 3))
			f.ok("UID FETCH 5 "+askMost, body(1, 5, "abc"))
			f.expect("UID FETCH 5 " + askDate)
		}, nil, 5, nil, "closed the connection"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, folder := enter(t, scripted(t, func(f *fake) { f.enter(everything, 2); tt.script(f) }))
				got, err := fetch(t, s, folder, tt.uids...)
				if !slices.Equal(got, tt.want) {
					t.Errorf("got %q, want %q", got, tt.want)
				}
				if err == nil || !strings.Contains(err.Error(), tt.text) || !inbox.IsTemporary(err) {
					t.Fatalf("error %v, want a temporary one with %q", err, tt.text)
				}
				var p *PoisonError
				if errors.As(err, &p) != (tt.poison != 0) || p != nil && p.UID != tt.poison {
					t.Errorf("error %v, want poison %d", err, tt.poison)
				}
				var b *BatchError
				if errors.As(err, &b) != (tt.batch != nil) || b != nil && !slices.Equal(b.UIDs, tt.batch) {
					t.Errorf("error %v, want batch %d", err, tt.batch)
				}
				if _, err := s.UIDs(t.Context()); !errors.Is(err, ErrDead) {
					t.Errorf("after it: %v, want ErrDead", err)
				}
			})
		})
	}
}

// TestFetchSlow makes sure that a slow mail is no silent server.
func TestFetchSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, folder := enter(t, scripted(t, func(f *fake) {
			f.enter(everything, 1)
			f.ok("UID FETCH 5 "+askSize, size(1, 5, 20))
			tag := f.expect("UID FETCH 5 " + askMost)
			f.say("* 1 FETCH (UID 5 BODY[] {20}")
			for range 20 {
				time.Sleep(50 * time.Second)
				f.say("x\x00")
			}
			f.say(")", tag+" OK")
			f.ok("UID FETCH 5 "+askDate, date(1, 5))
			f.bye()
		}))
		got, err := fetch(t, s, folder, 5)
		if want := []string{"5 20 xxxxxxxxxxxxxxxxxxxx dated"}; err != nil || !slices.Equal(got, want) {
			t.Errorf("got %q %v, want %q", got, err, want)
		}
	})
}

// TestFetchBelieves asks for the whole of a mail of credible size, until one
// was larger than the server had said.
func TestFetchBelieves(t *testing.T) {
	text := strings.Repeat("x", 600)
	s, folder := enter(t, scripted(t, func(f *fake) {
		f.enter(everything, 3)
		f.ok("UID FETCH 5 "+askSize, size(1, 5, 600))
		f.ok("UID FETCH 5 "+askBody, body(1, 5, text))
		f.ok("UID FETCH 5 "+askDate, date(1, 5))
		f.ok("UID FETCH 6 "+askSize, size(1, 6, 590))
		f.ok("UID FETCH 6 "+askBody, body(1, 6, text))
		f.ok("UID FETCH 6 "+askDate, date(1, 6))
		f.ok("UID FETCH 7 "+askSize, size(1, 7, 600))
		f.ok("UID FETCH 7 "+askMost, body(1, 7, text))
		f.ok("UID FETCH 7 "+askDate, date(1, 7))
		f.bye()
	}))
	for _, uid := range []uint32{5, 6, 7} {
		got, err := fetch(t, s, folder, uid)
		if err != nil || len(got) != 1 {
			t.Errorf("got %q, %v", got, err)
		}
	}
}

func TestFetchContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, folder := enter(t, scripted(t, func(f *fake) {
			f.enter(everything, 1)
			f.ok("UID FETCH 5 "+askSize, size(1, 5, 300))
			f.expect("UID FETCH 5 " + askMost)
			f.say("* 1 FETCH (UID 5 BODY[] {300}\r\nonly this\x00")
			time.Sleep(time.Hour)
		}))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := s.Fetch(ctx, folder, []uint32{5}, func(inbox.Raw) error { t.Error("got a mail"); return nil })
		var p *PoisonError
		if !errors.Is(err, context.DeadlineExceeded) || errors.As(err, &p) {
			t.Errorf("error %v, want the context's and nobody blamed", err)
		}
	})
}

func TestFetchWrongFolder(t *testing.T) {
	s, folder := enter(t, scripted(t, func(f *fake) {
		f.enter(everything, 1)
		f.ok("SELECT INBOX", "* 1 EXISTS", "* OK [UIDVALIDITY 8] made anew")
		f.bye()
	}))
	again, err := s.Select(t.Context(), "INBOX")
	if err != nil || again.UIDValidity != 8 || again.Keywords {
		t.Fatalf("selected %+v, %v", again, err)
	}
	for _, f := range []Folder{folder, {}, {Name: "Other", UIDValidity: 8}} {
		if err := s.Fetch(t.Context(), f, []uint32{5}, nil); !errors.Is(err, ErrFolder) {
			t.Errorf("fetching from %+v: %v, want ErrFolder", f, err)
		}
	}
	if err := s.Fetch(t.Context(), again, []uint32{0}, nil); err == nil {
		t.Error("UID 0 was taken")
	}
}

func TestFetchStopsWithEach(t *testing.T) {
	s, folder := enter(t, scripted(t, func(f *fake) {
		f.enter(everything, 2)
		f.ok("UID FETCH 5:6 "+askSize, size(1, 5, 3), size(2, 6, 4))
		f.ok("UID FETCH 5:6 "+askMost, body(1, 5, "abc"), body(2, 6, "defg"))
		f.ok("UID FETCH 5:6 "+askDate, date(1, 5), date(2, 6))
		f.ok(`UID MOVE 5 "Processed"`, "* OK [COPYUID 9 5 1] moved", "* 1 EXPUNGE")
		f.bye()
	}))
	full := errors.New("disk full")
	calls := 0
	err := s.Fetch(t.Context(), folder, []uint32{5, 6}, func(r inbox.Raw) error {
		if calls++; calls == 2 {
			return full
		}
		moved, err := s.File(t.Context(), []uint32{r.Ref.UID}, "Processed")
		if moved.UIDs[5] != 1 || moved.UIDValidity != 9 {
			t.Errorf("moved %v", moved)
		}
		return err
	})
	if err != full || calls != 2 {
		t.Errorf("error %v after %d calls", err, calls)
	}
}
