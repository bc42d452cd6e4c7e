package inbox

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestIDs(t *testing.T) {
	tests := []struct {
		name, in string
		want     uint64 // 0: refused
	}{
		{"as written", "M-000456", 456},
		{"without zeros", "M-456", 456},
		{"lower case", "m-000456", 456},
		{"more than six digits", "M-12345678", 12345678},
		{"the largest", "M-18446744073709551615", 1<<64 - 1},
		{"one too large", "M-18446744073709551616", 0},
		{"zero", "M-000000", 0},
		{"nothing", "", 0},
		{"letter only", "M-", 0},
		{"no letter", "456", 0},
		{"no hyphen", "M456", 0},
		{"another letter", "X-000456", 0},
		{"a sign", "M-+456", 0},
		{"negative", "M--456", 0},
		{"hexadecimal", "M-0x1f", 0},
		{"underscores", "M-1_000", 0},
		{"blank in front", " M-456", 0},
		{"blank behind", "M-456 ", 0},
		{"line end", "M-456\n", 0},
		{"two", "M-1M-2", 0},
		{"NUL", "M-4\x0056", 0},
		{"Arabic digits", "M-٤٥٦", 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, letter := range []string{"M", "A", "R"} {
				in := strings.NewReplacer("M", letter, "m", strings.ToLower(letter)).Replace(test.in)
				got, err := parsers[letter](in)
				if got != test.want || (err == nil) != (test.want != 0) {
					t.Errorf("%q gave %d, %v", in, got, err)
				}
			}
		})
	}
}

// parsers reads an ID of each kind, in all the ways that there are.
var parsers = map[string]func(string) (uint64, error){
	"M": func(s string) (uint64, error) {
		id, err := ParseMailID(s)
		return same(uint64(id), err, new(MailID), s)
	},
	"A": func(s string) (uint64, error) {
		id, err := ParseActionID(s)
		return same(uint64(id), err, new(ActionID), s)
	},
	"R": func(s string) (uint64, error) {
		var id ReplyID
		err := id.UnmarshalText([]byte(s))
		return uint64(id), err
	},
}

// same checks that the text form is read as the parser read it.
func same(n uint64, err error, id encoding.TextUnmarshaler, s string) (uint64, error) {
	err2 := id.UnmarshalText([]byte(s))
	m := reflect.ValueOf(id).Elem().Uint()
	if n != m || (err == nil) != (err2 == nil) {
		return 0, fmt.Errorf("two readings: %d, %v and %d, %v", n, err, m, err2)
	}
	return n, err
}

func TestIDsOfOneKindAreNoOther(t *testing.T) {
	if id, err := ParseMailID(ActionID(7).String()); err == nil {
		t.Errorf("an action was read as %s", id)
	}
	if id, err := ParseActionID(ReplyID(7).String()); err == nil {
		t.Errorf("a reply was read as %s", id)
	}
}

// TestWrittenForms: what a record or a JSON line holds is read back as it was.
func TestWrittenForms(t *testing.T) {
	type all struct {
		M MailID
		A []ActionID
		R ReplyID
		L Level
	}
	in := all{M: 456, A: []ActionID{1, 1234567}, R: 789, L: LevelRoundtrip}
	b, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"M":"M-000456","A":["A-000001","A-1234567"],"R":"R-000789","L":"roundtrip"}`; string(b) != want {
		t.Errorf("got %s, want %s", b, want)
	}
	var out all
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	if out.M != in.M || !slices.Equal(out.A, in.A) || out.R != in.R || out.L != in.L {
		t.Errorf("%+v came back as %+v", in, out)
	}
}

func TestLevels(t *testing.T) {
	if !(LevelNone < LevelAligned && LevelAligned < LevelRoundtrip) {
		t.Error("the levels are not in order")
	}
	var zero Level
	if zero != LevelNone {
		t.Error("a level that nobody set proves something")
	}
	for i, name := range []string{"none", "aligned", "roundtrip"} {
		l := Level(-1)
		if err := l.UnmarshalText([]byte(name)); err != nil || l != Level(i) || l.String() != name {
			t.Errorf("%q was read as %v, %v", name, l, err)
		}
	}
	for _, bad := range []string{"", "None", "Level(3)", "2", "aligned "} {
		l := LevelNone
		if err := l.UnmarshalText([]byte(bad)); err == nil || l != LevelNone {
			t.Errorf("%q was read as %v, %v", bad, l, err)
		}
	}
	if got := Level(-1).String() + Level(3).String(); got != "Level(-1)Level(3)" {
		t.Errorf("levels that are none are %s", got)
	}
}

func TestKindsRunInOrder(t *testing.T) {
	want := []Kind{KindQuestion, KindCopy, KindDescribe, KindChange, KindWithdraw, KindDeactivate, KindDelete}
	if !slices.Equal(Kinds(), want) {
		t.Errorf("got %v", Kinds())
	}
	for i, k := range want {
		if k.Order() != i {
			t.Errorf("%s is number %d", k, k.Order())
		}
	}
	if Kind("erase").Order() != -1 || Kind("").Order() != -1 {
		t.Error("a word that is no kind has an order")
	}
}

func TestReplyEnds(t *testing.T) {
	ended := map[ReplyState]bool{ReplySent: true, ReplyBounced: true, ReplyFailed: true, ReplyVoid: true}
	for _, s := range []ReplyState{ReplyHeld, ReplyDue, ReplySending, ReplyUnknown, ReplySent, ReplyBounced, ReplyFailed, ReplyVoid} {
		if s.Ended() != ended[s] {
			t.Errorf("%s ended: %t", s, s.Ended())
		}
	}
}

// TestListsHoldEachOnce: what lists every value of a word has no value twice
// and hands out its own copy.
func TestListsHoldEachOnce(t *testing.T) {
	once(t, States)
	once(t, Events)
	once(t, MailStates)
	once(t, Kinds)
	once(t, Fields)
}

func once[T comparable](t *testing.T, list func() []T) {
	t.Helper()
	seen := map[T]bool{}
	for _, v := range list() {
		if seen[v] {
			t.Errorf("%v stands twice in %v", v, list())
		}
		seen[v] = true
	}
	first := list()[0]
	clear(list())
	if list()[0] != first {
		t.Errorf("%v can be changed by its reader", list())
	}
}

func TestErrors(t *testing.T) {
	private := errors.New("dial tcp 10.0.0.7:5432: refused")
	e := &Error{Err: private, Public: "Please try again tomorrow.", Hint: "is the database up?", Temp: true}
	wrapped := fmt.Errorf("finding a person: %w", errors.Join(errors.New("first"), e))
	if !IsTemporary(wrapped) || PublicText(wrapped) != e.Public || !errors.Is(wrapped, private) {
		t.Errorf("what wraps %v lost it", e)
	}
	if strings.Contains(e.Error(), e.Public) || !strings.Contains(e.Error(), e.Hint) {
		t.Errorf("staff read %q", e.Error())
	}
	if strings.Contains(PublicText(wrapped), "10.0.0.7") {
		t.Errorf("the person reads %q", PublicText(wrapped))
	}
	plain := errors.New("no")
	if IsTemporary(plain) || IsTemporary(nil) || PublicText(plain) != "" || PublicText(nil) != "" {
		t.Error("a plain error has properties")
	}
	if !IsTemporary(Temporary(plain)) || IsTemporary(&Error{Err: plain}) {
		t.Error("temporary is not what was said")
	}
	if got := (&Error{Err: plain}).Error(); got != "no" {
		t.Errorf("without a hint: %q", got)
	}
}

func TestInDoubt(t *testing.T) {
	plain := errors.New("no")
	for err, want := range map[error]bool{
		plain: false, ErrNotDone: false, &StaleError{}: false, &MovedError{}: false, fmt.Errorf("x: %w", Temporary(plain)): true,
		fmt.Errorf("x: %w", &InDoubtError{plain}): true, &InDoubtError{Temporary(plain)}: true,
	} {
		if InDoubt(err) != want {
			t.Errorf("%v leaves a doubt: %t", err, !want)
		}
	}
	if err := (&InDoubtError{Temporary(plain)}); !IsTemporary(err) || !errors.Is(err, plain) || err.Error() != "no" {
		t.Errorf("%v lost what it wraps", err)
	}
	if InDoubt(nil) {
		t.Error("success leaves a doubt")
	}
}

func TestRedacted(t *testing.T) {
	var log bytes.Buffer
	l := slog.New(slog.NewTextHandler(&log, nil))
	l.Info("found", "who", Redacted("alice@example.org"), slog.Group("in", "a group", Redacted("alice")))
	if strings.Contains(log.String(), "alice") || strings.Count(log.String(), "[personal]") != 2 {
		t.Errorf("the log has %s", log.String())
	}
}

func TestRefString(t *testing.T) {
	if got := (Ref{Mailbox: "support", Folder: "INBOX", UIDValidity: 3, UID: 17}).String(); got != "support INBOX 3/17" {
		t.Errorf("got %q", got)
	}
}

func TestHeaderGet(t *testing.T) {
	h := Header{"Subject": {"top", "below"}, "Empty": {}}
	if h.Get("Subject") != "top" || h.Get("Empty") != "" || h.Get("None") != "" || Header(nil).Get("x") != "" {
		t.Error("Get does not give the topmost value")
	}
}
