package console

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/cases"
	"push.guru/supportd/inbox/deadline"
	"push.guru/supportd/inbox/policy"
	"push.guru/supportd/inbox/review"
	"push.guru/supportd/inbox/staff"
	"push.guru/supportd/templates"
	pages "push.guru/supportd/templates/console"
)

var said = regexp.MustCompile(`\.Say\("([a-z.0-9-]+)"[,)]`)

// TestWords: every text that the code asks for by its key is there, and so is
// one for each of the words that the pages show.
func TestWords(t *testing.T) {
	p, err := pages.Load(time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	keys := wordsOf()
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range sources {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range said.FindAllStringSubmatch(string(b), -1) {
			keys = append(keys, m[1])
		}
	}
	if len(keys) < 150 {
		t.Errorf("only %d keys were found", len(keys))
	}
	for _, lang := range pages.Languages() {
		for _, k := range keys {
			if !p.Words(lang).Has(k) {
				t.Errorf("%s has no text %q", lang, k)
			}
		}
	}
}

// TestWhoIsNobodysName: each name for which the pages have words of their own
// is the program's, and each of the program's has such words.
func TestWhoIsNobodysName(t *testing.T) {
	p, err := pages.Load(time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile("../../templates/console/texts/en.txt")
	if err != nil {
		t.Fatal(err)
	}
	keys := regexp.MustCompile(`(?m)^who\.([^ ]+) =`).FindAllStringSubmatch(string(b), -1)
	for _, key := range keys {
		if !inbox.IsWho(key[1]) {
			t.Errorf("an account may be called %q", key[1])
		}
	}
	for _, lang := range pages.Languages() {
		for _, who := range []string{inbox.WhoProgram, inbox.WhoOwner, inbox.WhoClaimant, inbox.WhoNobody, inbox.WhoUnknown} {
			if !p.Words(lang).Has("who." + strings.ReplaceAll(who, " ", "-")) {
				t.Errorf("%s has no words for %q", lang, who)
			}
		}
	}
	if len(keys) < 5 {
		t.Error("no keys were found")
	}
}

// TestFamiliesOfWords: a word that stands for many is worded, too.
func TestFamiliesOfWords(t *testing.T) {
	p, err := pages.Load(time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	for _, lang := range pages.Languages() {
		for _, w := range review.Words() {
			if strings.Contains(w, "…") && happened(&request{words: p.Words(lang)}, w) == w {
				t.Errorf("%s has no words for %q", lang, w)
			}
		}
	}
}

// TestNotesAreWorded: what stands beside a request about its letters and about
// mails of others has words in every language, the reason in it too.
func TestNotesAreWorded(t *testing.T) {
	p, err := pages.Load(time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	english := regexp.MustCompile(`[a-z]{2,}`)
	for _, lang := range []string{"ru", "kk"} {
		for _, what := range []string{"letter R-000007 held: mode is assist", "letter R-000007 released", "letter R-000007 discarded", "its token came from elsewhere, in M-000003", "doubtful asked for"} {
			if got := happened(&request{words: p.Words(lang)}, what); english.MatchString(got) || strings.Contains(what, "R-") != strings.Contains(got, "R-000007") {
				t.Errorf("%s: %q is %q", lang, what, got)
			}
		}
	}
}

// TestLogIsFilteredByWhatIsWritten: the journal's own words are offered and
// find their entries; of a case that there is not the log is empty.
func TestLogIsFilteredByWhatIsWritten(t *testing.T) {
	o := newOffice(t)
	m := o.deletion()
	token := o.session("ada", staff.RoleApprover)
	o.post("/case/"+m.ID.String()+"/approve", token, "action", m.Actions[0].String(), "typed", m.ID.String())
	o.post("/staff/add", token, "name", "x", "role", "admin")
	for _, what := range []string{"approved", "denied …"} {
		want(t, o.get("/log?"+url.Values{"what": {what}}.Encode(), token), http.StatusOK, `<option value="`+what+`" selected>`, ">ada<")
	}
	want(t, o.get("/log?case=M-4711", token), http.StatusOK, "Nothing here fits.")
}

// wordsOf lists the keys of the fixed words that the pages show.
func wordsOf() (keys []string) {
	add := func(group string, words ...string) {
		for _, w := range words {
			keys = append(keys, group+"."+strings.ReplaceAll(w, " ", "-"))
		}
	}
	for _, l := range review.Labels() {
		add("kind", l)
		add("wants", l)
	}
	for _, st := range inbox.States() {
		add("state", string(st))
	}
	for _, st := range inbox.MailStates() {
		add("mail", string(st))
		add("what", "mail "+string(st))
	}
	for _, v := range cases.Verbs() {
		add("act.done", string(v))
		if v != cases.ApproveWithoutProof {
			add("act", string(v))
		}
		if previewed(v) {
			add("preview", string(v))
		}
	}
	for _, e := range inbox.Events() {
		add("what", string(e))
	}
	for _, r := range staff.Roles() {
		add("role", string(r))
		add("role-may", string(r))
	}
	for _, n := range templates.Names() {
		add("letters", string(n))
	}
	for _, r := range routes() {
		if r.who == signedIn && !r.own && !r.quiet {
			add("what", r.what)
		}
	}
	for _, subject := range []policy.Subject{policy.Change, policy.ChangeEmail, policy.DeleteAccount, policy.DeleteFields, policy.Deactivate, policy.Copy, policy.Describe, policy.Withdraw} {
		add("why", "policy wants every "+strings.ReplaceAll(string(subject), "_", "-")+" reviewed")
	}
	add("law", deadline.Profiles()...)
	add("why", "it came in mode observe", "it came in mode assist")
	add("state", queueStates()...)
	add("filter.deadline", deadlines()...)
	for _, w := range review.Words() {
		if !strings.Contains(w, "…") {
			add("what", w)
		}
	}
	add("proof", "none", "aligned", "roundtrip")
	add("proof-means", "none", "aligned", "roundtrip")
	add("attempt", "sent", "temporary", "permanent", "unknown")
	add("letter", "held", "due", "sending", "unknown", "sent", "bounced", "failed", "void")
	for _, v := range review.Verdicts() {
		add("receipt", string(v))
	}
	add("password", string(staff.PasswordShort), string(staff.PasswordLong), string(staff.PasswordCommon), string(staff.PasswordOdd))
	add("op", "set", "add", "clear", "remove", "blank", "deactivate", "reactivate", "withdraw", "send", "describe")
	for _, code := range []string{"400", "403", "404", "405", "409", "413", "421", "429", "500", "503"} {
		keys = append(keys, "fault."+code, "fault."+code+".text")
	}
	return keys
}
