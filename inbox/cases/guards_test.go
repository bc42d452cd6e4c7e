package cases

import (
	"strings"
	"testing"
	"time"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/inbox"
)

func TestGuards(t *testing.T) {
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	const months = 30 * 24 * time.Hour
	seen := func(ago time.Duration) users.Person { return users.Person{ID: "17", LastSeen: now.Add(-ago)} }
	dormant := Guards{Dormant: func(t time.Time) time.Time { return t.Add(-18 * months) }}
	for name, c := range map[string]struct {
		guards   Guards
		kind     inbox.Kind
		person   users.Person
		approved bool
		want     string // part of the reason
	}{
		"signed in today":                        {dormant, inbox.KindDelete, seen(time.Hour), false, ""},
		"just within":                            {dormant, inbox.KindDelete, seen(18 * months), false, ""},
		"too long ago, delete":                   {dormant, inbox.KindDelete, seen(18*months + time.Second), false, "last signed in on 2025-06-04"},
		"too long ago, change":                   {dormant, inbox.KindChange, seen(19 * months), false, "last signed in"},
		"too long ago, copy":                     {dormant, inbox.KindCopy, seen(19 * months), false, "last signed in"},
		"too long ago, describe":                 {dormant, inbox.KindDescribe, seen(19 * months), false, ""},
		"too long ago, deactivate":               {dormant, inbox.KindDeactivate, seen(19 * months), false, ""},
		"too long ago, approved":                 {dormant, inbox.KindDelete, seen(19 * months), true, ""},
		"switched off":                           {Guards{}, inbox.KindDelete, seen(190 * months), false, ""},
		"never":                                  {dormant, inbox.KindDelete, users.Person{ID: "17"}, false, "never signed in"},
		"never, and there is no account":         {dormant, inbox.KindDelete, users.Person{ID: "17", Guest: true}, false, ""},
		"protected by the store":                 {Guards{}, inbox.KindDescribe, users.Person{ID: "17", Protected: true}, false, "protected"},
		"protected by its ID":                    {Guards{Protected: []string{"1", "17"}}, inbox.KindWithdraw, users.Person{ID: "17"}, false, "protected"},
		"another ID":                             {Guards{Protected: []string{"1", "171"}}, inbox.KindDelete, users.Person{ID: "17"}, false, ""},
		"protected, and staff have approved":     {Guards{Protected: []string{"17"}}, inbox.KindDelete, users.Person{ID: "17"}, true, ""},
		"protected, and a question":              {Guards{Protected: []string{"17"}}, inbox.KindQuestion, users.Person{ID: "17"}, false, ""},
		"protected and too long ago, protection": {Guards{Dormant: dormant.Dormant, Protected: []string{"17"}}, inbox.KindDelete, seen(19 * months), false, "protected"},
	} {
		a := &inbox.Action{Kind: c.kind, Approved: c.approved}
		if got := c.guards.why(a, c.person, now); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q in it", name, got, c.want)
		}
	}
}
