package inbox

import "testing"

func TestWhoReadsLikeTheProgram(t *testing.T) {
	for _, name := range append(Whos(), "Person", "the-person", "the.person", "_owner_", "a-sender-without-proof", "SUPPORTD") {
		if !IsWho(name) {
			t.Errorf("%q may be somebody's", name)
		}
	}
	for _, name := range []string{"dana", "root", "personal", "user person", "per-son", "uid 5", ""} {
		if IsWho(name) {
			t.Errorf("%q is the program's", name)
		}
	}
}
