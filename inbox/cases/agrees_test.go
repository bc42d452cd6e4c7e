package cases

import (
	"os"
	"slices"
	"strings"
	"testing"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/classify"
)

// TestAgrees: a yes that names something is one only to just that.
func TestAgrees(t *testing.T) {
	act := func(k inbox.Kind, fields ...inbox.Field) *inbox.Action {
		a := &inbox.Action{Kind: k, State: inbox.StateUnconfirmed, Detail: &inbox.ActionDetail{}}
		for _, f := range fields {
			a.Detail.Request.Changes = append(a.Detail.Request.Changes, inbox.Change{Field: f})
		}
		return a
	}
	del, phone := act(inbox.KindDelete), act(inbox.KindChange, inbox.FieldPhone)
	name := act(inbox.KindChange, inbox.FieldGivenName)
	for i, c := range []struct {
		said inbox.Agreed
		acts []*inbox.Action
		want bool
	}{
		{inbox.Agreed{}, []*inbox.Action{del, phone}, true},
		{inbox.Agreed{Kinds: []inbox.Kind{inbox.KindDelete}}, []*inbox.Action{del}, true},
		{inbox.Agreed{Kinds: []inbox.Kind{inbox.KindDelete}}, []*inbox.Action{phone}, false},
		{inbox.Agreed{Kinds: []inbox.Kind{inbox.KindDelete}}, []*inbox.Action{del, phone}, false},
		{inbox.Agreed{Kinds: []inbox.Kind{inbox.KindChange}, Fields: []inbox.Field{inbox.FieldPhone}}, []*inbox.Action{phone}, true},
		{inbox.Agreed{Fields: []inbox.Field{inbox.FieldEmail}}, []*inbox.Action{phone}, false},
		{inbox.Agreed{Fields: []inbox.Field{inbox.FieldPhone}}, []*inbox.Action{phone, name}, false},
		{inbox.Agreed{Fields: []inbox.Field{inbox.FieldFullName}}, []*inbox.Action{name}, true},
	} {
		if got := agrees(c.said, c.acts); got != c.want {
			t.Errorf("%d: %+v: got %v", i, c.said, got)
		}
	}
}

// TestAgreedFromText reads answers as people word them: what they name must be
// what was asked.
func TestAgreedFromText(t *testing.T) {
	c, err := classify.New(classify.Options{Region: "KZ", Languages: []string{"en", "ru", "kk"}})
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile("testdata/agrees.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		asked, rest, ok := strings.Cut(line, " | ")
		text, want, has := strings.Cut(rest, " => ")
		if !ok || !has || !slices.Contains([]string{"yes", "no", "unclear"}, want) {
			t.Fatalf("%q is no case", line)
		}
		r := c.Read(&inbox.Message{Text: strings.ReplaceAll(text, `\n`, "\n"), InReplyTo: []string{"question@site.test"}})
		got := string(r.Answer)
		if got == "" || r.Answer == inbox.AnswerYes && !agrees(r.Agreed, askedFor(asked)) {
			got = "unclear"
		}
		if got != want {
			t.Errorf("%s\n\tgot %q, agreed %+v, %d requests", line, r.Answer, r.Agreed, len(r.Requests))
		}
	}
}

// askedFor gives open Actions from the words of a case file.
func askedFor(s string) []*inbox.Action {
	var out []*inbox.Action
	for one := range strings.SplitSeq(s, ";") {
		words := strings.Fields(one)
		q := inbox.Request{Kind: inbox.Kind(words[0])}
		for _, f := range words[1:] {
			switch {
			case f == string(inbox.ScopeAccount):
				q.Scope = inbox.ScopeAccount
			case q.Kind == inbox.KindDelete:
				q.Scope, q.Fields = inbox.ScopeFields, append(q.Fields, inbox.Field(f))
			default:
				q.Changes = append(q.Changes, inbox.Change{Field: inbox.Field(f)})
			}
		}
		out = append(out, &inbox.Action{Kind: q.Kind, State: inbox.StateUnconfirmed, Detail: &inbox.ActionDetail{Request: q}})
	}
	return out
}
