package cases

import (
	"testing"

	"push.guru/supportd/inbox"
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
