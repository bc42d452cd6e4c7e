package daemon_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"push.guru/supportd/cmd/internal/daemon"
	"push.guru/supportd/inbox/mailtest"
)

// chance is what differs between two letters of the same words.
var chance = regexp.MustCompile(`(?m)^Message-ID: .*|^X-Supportd-Loop: .*|^Date: .*|boundary=.*|^--[0-9a-z]{20,}.*|\[\S+\]|\+[a-z2-7]{26}@`)

func withoutChance(letter string) string { return chance.ReplaceAllString(letter, "…") }

// seen is all that the outside can see of what a mail caused, and all the work
// that it made.
type seen struct {
	letters []string // whole, but for what is chance
	finds   int      // queries of the user store
	commits []string
}

// accounts are how many people have the address of whoever writes.
type accounts int

func (n accounts) people() (lines string) {
	for i := range n {
		lines += fmt.Sprintf(`{"id": "u-%d", "email": "alice@users.test", "full_name": "Alice %d", "phone": "+7 701 000 00 0%d"}`+"\n", i, i, i)
	}
	return lines
}

// look has somebody who proves nothing write mails, and gives what is seen.
func look(t *testing.T, set setup, n accounts, texts ...string) (out seen) {
	var mu sync.Mutex // of out: the loops run side by side
	set.opt = daemon.Options{
		Find: finding(func(string) error {
			mu.Lock()
			defer mu.Unlock()
			out.finds++
			return nil
		}),
		Point: func(name string) {
			mu.Lock()
			defer mu.Unlock()
			if strings.HasPrefix(name, "before commit") {
				out.commits = append(out.commits, name)
			}
		},
	}
	set.nobody = true
	inPlace(t, set, func(p *place) {
		if err := p.d.ImportPeople(t.Context(), n.people()); err != nil {
			t.Fatal(err)
		}
		p.start()
		mu.Lock()
		out.commits = nil
		mu.Unlock()
		for i, text := range texts {
			p.takes("alice@users.test", "my account", text, mailtest.Aligned(false), mailtest.Header("Message-ID", fmt.Sprintf("<%d@users.test>", i)))
		}
		for _, d := range p.lettersTo("alice@users.test") {
			out.letters = append(out.letters, p.d.Letter(d.MessageID())+"\n"+withoutChance(string(d.Bytes)))
		}
		mu.Lock()
		slices.Sort(out.commits)
		mu.Unlock()
	})
	return out
}

// Nobody learns from a letter, or from the work behind it, whether an address
// has an account, or more than one.
func TestStrangersLearnNothing(t *testing.T) {
	for _, c := range []struct {
		name   string
		texts  []string
		letter string // "": none
		plus   bool
	}{
		{"a copy", []string{copyPlease}, "claim", false},
		{"a delete", []string{"Please delete my account."}, "claim", false},
		{"a delete, where details are delivered", []string{"Please delete my account."}, "claim", true},
		{"a change and a delete", []string{"Change my phone to +7 701 000 00 00 and delete my date of birth."}, "claim", false},
		{"a delete, in Russian", []string{"Удалите мой аккаунт, пожалуйста."}, "claim", false},
		{"an objection, which staff see first", []string{"I withdraw my consent to the processing of my data."}, "", false},
		{"an uncertain request", []string{"Maybe you could delete some of my stuff?"}, "", false},
		{"a question", []string{"When do you open on Sundays?"}, "", false},
		{"a request beside a question", []string{"Please delete my account. When do you open on Sundays?"}, "claim", false},
		{"a question where a request stands", []string{"What about my request?"}, "claim", false},
		{"the same, while one is open", []string{"Please delete my account.", "What about my request?"}, "claim", false},
		{"the same request twice", []string{"Please delete my account.", "Please delete my account!"}, "claim", false},
		{"a yes to nothing", []string{"Yes"}, "", false},
		{"a stop of nothing", []string{"Stop!"}, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var set setup
			if c.plus {
				set = plusSetup()
			}
			without := look(t, set, 0, c.texts...)
			if (len(without.letters) > 0) != (c.letter != "") {
				t.Errorf("%d letters", len(without.letters))
			}
			for _, l := range without.letters {
				if !strings.HasPrefix(l, c.letter+"\n") {
					t.Errorf("a letter is\n%s", l)
				}
			}
			if n := len(c.texts); without.finds != n {
				t.Errorf("for %d mails the user store was asked %d times", n, without.finds)
			}
			if n := strings.Count(strings.Join(without.commits, "\n"), "commit intake"); n != len(c.texts) {
				t.Errorf("it took %d commits to take %d mails in", n, len(c.texts))
			}
			for n := accounts(1); n <= 2; n++ {
				with := look(t, set, n, c.texts...)
				if !slices.Equal(with.letters, without.letters) {
					t.Errorf("with %d accounts:\n%s\nwithout:\n%s", n, with.letters, without.letters)
				}
				if with.finds != without.finds {
					t.Errorf("the user store was asked %d times with %d accounts, %d times without", with.finds, n, without.finds)
				}
				if !slices.Equal(with.commits, without.commits) {
					t.Errorf("commits with %d accounts %q, without %q", n, with.commits, without.commits)
				}
			}
		})
	}
}
