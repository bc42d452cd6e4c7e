package intake

import (
	"strings"
	"testing"

	"push.guru/supportd/inbox"
)

// mail is what a mail of bob's is judged by, changed.
func mail(changes ...func(*judged)) judged {
	j := judged{author: "bob@users.test"}
	for _, c := range changes {
		c(&j)
	}
	return j
}

func class(c inbox.Class) func(*judged) { return func(j *judged) { j.class = c } }
func by(author string) func(*judged)    { return func(j *judged) { j.author = author } }
func at(l inbox.Level) func(*judged)    { return func(j *judged) { j.level = l } }
func open(j *judged)                    { j.open = true }
func junk(j *judged)                    { j.junk = true }
func resent(j *judged)                  { j.again = true }

// TestCovers: a Mail stands for another mail of its content only when whatever
// could be made of that one was made of it.
func TestCovers(t *testing.T) {
	aligned, roundtrip := at(inbox.LevelAligned), at(inbox.LevelRoundtrip)
	auto, list, spam := class(inbox.ClassAutoReply), class(inbox.ClassList), class(inbox.ClassSpam)
	for _, c := range []struct {
		name      string
		then, now judged
		want      bool
	}{
		{"the same", mail(), mail(), true},
		{"the same, proved", mail(aligned), mail(aligned), true},
		{"less proof", mail(roundtrip), mail(aligned), true},
		{"more proof", mail(), mail(aligned), false},
		{"the token, too", mail(aligned), mail(roundtrip), false},

		{"a person's behind a machine's", mail(auto), mail(), false},
		{"a person's behind a machine's that was proved", mail(auto, aligned), mail(), false},
		{"a machine's behind a person's", mail(), mail(auto), true},
		{"a proved machine's behind a person's", mail(), mail(auto, aligned), false},
		{"a machine's twice", mail(auto), mail(auto), true},
		{"another machine's", mail(auto), mail(list), false},
		{"a person's behind spam", mail(spam), mail(), false},
		{"spam behind a person's", mail(), mail(spam), true},

		{"by another", mail(by("eve@evil.test")), mail(), false},
		{"an author behind none", mail(by("")), mail(), false},
		{"none behind an author", mail(), mail(by("")), true},

		{"behind junk", mail(junk), mail(), false},
		{"behind junk that was proved", mail(junk, aligned), mail(), false},
		{"junk behind it", mail(), mail(junk), true},
		{"junk twice", mail(junk), mail(junk), true},
		{"a machine's, moved out of the junk", mail(junk, auto), mail(auto), true},

		{"behind an old mail that was sent again", mail(resent), mail(), false},
		{"an old mail that is sent again, behind it", mail(), mail(resent), true},
		{"an old mail that is sent again twice", mail(resent), mail(resent), true},
	} {
		if got := covers(c.then, c.now); got != c.want {
			t.Errorf("%s: %t", c.name, got)
		}
	}
}

// TestResumes: a Mail that was put off, or about which nobody was written to,
// goes on where it is seen next, and never with something of which less is made.
func TestResumes(t *testing.T) {
	aligned := at(inbox.LevelAligned)
	auto, spam := class(inbox.ClassAutoReply), class(inbox.ClassSpam)
	const deferred, ignored, held = inbox.MailDeferred, inbox.MailIgnored, inbox.MailHeld
	for _, c := range []struct {
		name      string
		was       inbox.MailState
		then, now judged
		want      bool
	}{
		{"deferred, DNS is still away", deferred, mail(), mail(open), true},
		{"deferred, proved now", deferred, mail(), mail(aligned), true},
		{"deferred, proved as before", deferred, mail(aligned), mail(aligned), true},
		{"deferred, less proof", deferred, mail(aligned), mail(open), false},
		{"deferred, nothing will prove the other", deferred, mail(), mail(), false},
		{"deferred, a machine's", deferred, mail(), mail(auto, aligned), false},
		{"deferred, marked as spam", deferred, mail(), mail(spam, aligned), false},
		{"deferred as spam, and not marked", deferred, mail(spam), mail(aligned), true},
		{"deferred, by another", deferred, mail(), mail(by("eve@evil.test"), aligned), false},
		{"deferred, its author is not certain", deferred, mail(), mail(by(""), open), false},
		{"deferred, an old mail that is sent again", deferred, mail(), mail(resent, open), false},
		{"deferred in the junk folder, moved", deferred, mail(junk), mail(), true},
		{"deferred in the junk folder, a machine's", deferred, mail(junk), mail(auto), false},

		{"ignored as junk, moved", ignored, mail(junk), mail(), true},
		{"ignored as junk, seen there again", ignored, mail(junk), mail(junk), false},
		{"ignored as junk, a machine's", ignored, mail(junk), mail(auto), false},
		{"ignored, not as junk", ignored, mail(), mail(), false},
		{"ignored as junk, by another", ignored, mail(junk), mail(by("")), false},

		{"held as junk, moved", held, mail(junk), mail(), true},
		{"held as junk, better proved", held, mail(junk), mail(aligned), true},
		{"held as junk, less proof", held, mail(junk, aligned), mail(), false},
		{"held as junk, an old mail that is sent again", held, mail(junk), mail(resent), false},
		{"held, not as junk", held, mail(), mail(aligned), false},

		{"acted", inbox.MailActed, mail(junk), mail(), false},
		{"asked", inbox.MailAsked, mail(), mail(aligned), false},
		{"answered", inbox.MailAnswered, mail(), mail(aligned), false},
		{"quarantined", inbox.MailQuarantined, mail(), mail(), false},
	} {
		if got := resumes(c.was, c.then, c.now); got != c.want {
			t.Errorf("%s: %t", c.name, got)
		}
	}
}

// TestForm: whatever decides where a mail goes, and is not compared beside it,
// makes another form; what the way through servers adds does not.
func TestForm(t *testing.T) {
	token, other := strings.Repeat("a", 26), strings.Repeat("b", 26)
	in := &Intake{Config: Config{Plus: []string{"support@site.test"}}}
	plain := inbox.Message{Form: inbox.Digest{1}}
	form := func(fromUs string, change func(*inbox.Message)) inbox.Digest {
		m := plain
		m.Header = inbox.Header{}
		change(&m)
		return in.form(&prepared{msg: &m, fromUs: fromUs})
	}
	to := func(tokens ...string) func(*inbox.Message) {
		return func(m *inbox.Message) {
			for _, t := range tokens {
				m.Cc = append(m.Cc, inbox.Address{Addr: "support+" + t + "@site.test"})
			}
		}
	}
	if form("", func(*inbox.Message) {}) != plain.Form {
		t.Error("a mail that answers nothing has another form than its body's")
	}
	seen := map[inbox.Digest]string{plain.Form: "a plain mail"}
	for name, f := range map[string]inbox.Digest{
		"another subject":       form("", func(m *inbox.Message) { m.Form = inbox.Digest{2} }),
		"In-Reply-To":           form("", func(m *inbox.Message) { m.InReplyTo = []string{"1@site.test"} }),
		"References":            form("", func(m *inbox.Message) { m.References = []string{"1@site.test"} }),
		"two References":        form("", func(m *inbox.Message) { m.References = []string{"1@site.test", "2@site.test"} }),
		"References in one":     form("", func(m *inbox.Message) { m.References = []string{`1@site.test" "2@site.test`} }),
		"a token in an address": form("", to(token)),
		"another token":         form("", to(other)),
		"our own house":         form("it comes from one of our own domains", func(*inbox.Message) {}),
		"our own loop":          form("X-Loop names one of our own mailboxes", func(*inbox.Message) {}),
	} {
		if before, ok := seen[f]; ok {
			t.Errorf("%s has the form of %s", name, before)
		}
		seen[f] = name
	}
	delivered := form("", func(m *inbox.Message) {
		to(token)(m)
		m.Header["Delivered-To"] = []string{"support+" + token + "@site.test", "support@site.test"}
	})
	if delivered != form("", to(token)) || form("", to(token, other)) != form("", to(other, token)) {
		t.Error("the same tokens, found elsewhere or in another order, make another form")
	}
}
