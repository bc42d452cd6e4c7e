package daemon_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/control"
	"push.guru/supportd/inbox/mailtest"
	"push.guru/supportd/inbox/review"
)

// scene is a place whose daemon runs, with what tells a story: people who
// write, letters that come one after the other, staff who act. What is not as
// the story says ends the test.
type scene struct {
	*place
	read map[string]int // letters that the story has told of, by address
}

// inScene runs f in a scene. The mailbox tells of new mail by itself, so that
// weeks need few polls.
func inScene(t *testing.T, s setup, f func(*scene)) {
	t.Helper()
	s.replace = append(s.replace, `poll = "1m"`, `poll = "10m"`)
	inPlace(t, s, func(p *place) {
		p.start()
		f(&scene{place: p, read: make(map[string]int)})
	})
}

// coolOff is longer than the waits that are set by default by the time of a
// poll, because nothing runs before the mail of its cool-off was read.
const coolOff = 12*time.Hour + 15*time.Minute

// write has an aligned sender write to support.
func (s *scene) write(from, subject, text string, opts ...mailtest.MailOption) {
	s.takes(from, subject, text, slices.Concat([]mailtest.MailOption{mailtest.Aligned(true)}, opts)...)
}

// claim has somebody write in the name of from, with no proof at all.
func (s *scene) claim(from, subject, text string, opts ...mailtest.MailOption) {
	s.takes(from, subject, text, slices.Concat([]mailtest.MailOption{mailtest.Aligned(false)}, opts)...)
}

// answer answers a letter the way a mail program does; the border vouches for
// nobody, so that only the token counts.
func (s *scene) answer(d mailtest.Delivery, text string, opts ...mailtest.MailOption) {
	s.Reply(d, d.To, text, slices.Concat([]mailtest.MailOption{mailtest.Aligned(false)}, opts)...)
	synctest.Wait()
}

// letter gives the next letter to an address, which must be the named one.
func (s *scene) letter(name, to string) mailtest.Delivery {
	s.t.Helper()
	all, n := s.lettersTo(to), s.read[to]
	if len(all) <= n {
		s.t.Fatalf("%s has got %d letters, and no %q; actions: %q", to, n, name, s.states())
	}
	s.read[to] = n + 1
	if got := s.d.Letter(all[n].MessageID()); got != name {
		s.t.Fatalf("%s has got %q instead of %q:\n%s", to, got, name, all[n].Text())
	}
	return all[n]
}

// silence fails when an address has got a letter that the story did not tell of.
func (s *scene) silence(to ...string) {
	s.t.Helper()
	for _, addr := range to {
		if all := s.lettersTo(addr); len(all) > s.read[addr] {
			d := all[s.read[addr]]
			s.t.Fatalf("%s has got a letter too many, %q:\n%s", addr, s.d.Letter(d.MessageID()), d.Text())
		}
	}
}

// notice takes the next notice to staff, which must say what happened.
func (s *scene) notice(what string) {
	s.t.Helper()
	if d := s.letter("staff-notice", staff); !strings.Contains(d.Text(), what) {
		s.t.Fatalf("staff were not told %q but:\n%s", what, d.Text())
	}
}

// act has staff do something about an Action or a Mail; it must succeed.
func (s *scene) act(verb, id string) {
	s.t.Helper()
	s.must(control.Call{Verb: verb, ID: id})
	synctest.Wait()
}

// acts is act for verbs that take more than an ID.
func (s *scene) acts(c control.Call) {
	s.t.Helper()
	s.must(c)
	synctest.Wait()
}

func (s *scene) action(id string) review.ActionDetail {
	s.t.Helper()
	return list[review.ActionDetail](s.place, control.Call{Verb: "actions show", ID: id})[0]
}

// states gives the Actions as "kind [scope] state", in the order in which they
// were made.
func (s *scene) states() []string {
	s.t.Helper()
	var out []string
	for _, a := range s.actions() {
		out = append(out, strings.Join(strings.Fields(string(a.Kind)+" "+string(a.Scope)+" "+string(a.State)), " "))
	}
	return out
}

// stand compares the states of all Actions.
func (s *scene) stand(want ...string) {
	s.t.Helper()
	if got := s.states(); !slices.Equal(got, want) {
		s.t.Fatalf("the actions stand at %q, want %q", got, want)
	}
}

// newest gives the Mail that came last.
func (s *scene) newest() review.MailView {
	s.t.Helper()
	all := s.mails()
	if len(all) == 0 {
		s.t.Fatal("no mail came")
	}
	return all[len(all)-1]
}

// person gives what the user store holds; without an ID when they are gone.
func (s *scene) person(id string) users.Person {
	p, err := s.d.Person(s.t.Context(), id)
	if err != nil {
		return users.Person{}
	}
	return p
}

// holds compares one value in the user store.
func (s *scene) holds(id string, f inbox.Field, want string) {
	s.t.Helper()
	if got := s.person(id).Fields[f]; got != want {
		s.t.Fatalf("%s of %s is %q, want %q", f, id, got, want)
	}
}

// did tells whether an Action's history says that who did what.
func did(a review.ActionDetail, what, who string) bool {
	return slices.ContainsFunc(a.History, func(h inbox.HistoryEntry) bool { return h.What == what && h.Who == who })
}
