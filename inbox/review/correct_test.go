package review

import (
	"reflect"
	"testing"

	"push.guru/supportd/inbox"
)

func TestCorrection(t *testing.T) {
	change := &inbox.Action{Kind: inbox.KindChange}
	question := &inbox.Action{Kind: inbox.KindQuestion, Topic: inbox.TopicReactivate}
	account := &inbox.Action{Kind: inbox.KindDelete, Scope: inbox.ScopeAccount}
	set := func(f inbox.Field, v string) inbox.Change { return inbox.Change{Field: f, Op: inbox.OpSet, Value: v} }
	for _, test := range []struct {
		name string
		of   *inbox.Action
		c    Correction
		want inbox.Request
	}{
		{"a value with = in it", change, Correction{Edits: []string{"about=1=1"}},
			inbox.Request{Kind: inbox.KindChange, Changes: []inbox.Change{set("about", "1=1")}}},
		{"a value that begins with a dash", change, Correction{Edits: []string{"about=-x"}},
			inbox.Request{Kind: inbox.KindChange, Changes: []inbox.Change{set("about", "-x")}}},
		{"a value that is added", change, Correction{Edits: []string{"about+=and more"}},
			inbox.Request{Kind: inbox.KindChange, Changes: []inbox.Change{{Field: "about", Op: inbox.OpAdd, Value: "and more"}}}},
		{"a domain in capitals", change, Correction{Edits: []string{"email=Ann@USERS.test"}},
			inbox.Request{Kind: inbox.KindChange, Changes: []inbox.Change{set("email", "Ann@users.test")}}},
		{"a number as people of the region dial it", change, Correction{Edits: []string{"phone=8 (701) 555-00-00"}},
			inbox.Request{Kind: inbox.KindChange, Changes: []inbox.Change{set("phone", "+77015550000")}}},
		{"a number with words about it stays as typed", change, Correction{Edits: []string{"phone=+77015550000 after six"}},
			inbox.Request{Kind: inbox.KindChange, Changes: []inbox.Change{set("phone", "+77015550000 after six")}}},
		{"fields make a delete one of fields", account, Correction{Kind: "delete", Edits: []string{"-phone"}},
			inbox.Request{Kind: inbox.KindDelete, Scope: inbox.ScopeFields, Fields: []inbox.Field{"phone"}}},
		{"a value makes a change of a question", question, Correction{Edits: []string{"about=x"}},
			inbox.Request{Kind: inbox.KindChange, Changes: []inbox.Change{set("about", "x")}}},
		{"fields make a delete of a question", question, Correction{Edits: []string{"-phone", "-about"}},
			inbox.Request{Kind: inbox.KindDelete, Scope: inbox.ScopeFields, Fields: []inbox.Field{"phone", "about"}}},
		{"a scope makes a delete of a question", question, Correction{Scope: "account"},
			inbox.Request{Kind: inbox.KindDelete, Scope: inbox.ScopeAccount}},
		{"another kind drops the scope", account, Correction{Kind: "copy"}, inbox.Request{Kind: inbox.KindCopy}},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.want.Certain, test.want.Confidence = true, 1
			got, err := test.c.request(test.of, "KZ")
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, %v\nwant %+v", got, err, test.want)
			}
		})
	}
}

func TestCorrectionThatDoesNotFit(t *testing.T) {
	change := &inbox.Action{Kind: inbox.KindChange}
	for name, c := range map[string]Correction{
		"nothing at all":               {},
		"a kind that is none":          {Kind: "remove"},
		"a question":                   {Kind: "question"},
		"no value":                     {Edits: []string{"phone="}},
		"no field":                     {Edits: []string{"=1"}},
		"no address":                   {Edits: []string{"email=nowhere"}},
		"an address without a domain":  {Edits: []string{"email=ann@"}},
		"an address of one label":      {Edits: []string{"email=ann@localhost"}},
		"too few digits":               {Edits: []string{"phone=12"}},
		"too many digits":              {Edits: []string{"phone=12345678901234567890"}},
		"a number in words":            {Edits: []string{"phone=my mobile"}},
		"a change and a removal":       {Edits: []string{"about=x", "-phone"}},
		"a delete with a value":        {Kind: "delete", Edits: []string{"phone=1"}},
		"a delete of no scope":         {Kind: "delete"},
		"a delete of an unknown scope": {Kind: "delete", Scope: "everything"},
		"an account and its fields":    {Kind: "delete", Scope: "account", Edits: []string{"-phone"}},
		"a delete of no fields":        {Kind: "delete", Scope: "fields"},
		"a copy of fields":             {Kind: "copy", Edits: []string{"-phone"}},
	} {
		if got, err := c.request(change, "KZ"); err == nil {
			t.Errorf("%s: taken as %+v", name, got)
		}
	}
	question := &inbox.Action{Kind: inbox.KindQuestion}
	for name, c := range map[string]Correction{
		"nothing at all":         {},
		"a change and a removal": {Edits: []string{"about=x", "-phone"}},
	} {
		if got, err := c.request(question, "KZ"); err == nil {
			t.Errorf("a question, %s: taken as %+v", name, got)
		}
	}
}
