package cases

import (
	"strings"
	"testing"

	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/policy"
)

// site makes a Keeper of a site with a database, where accounts have the
// columns that account names, and visitors leave messages.
func site(t *testing.T, account datamap.Account) *Keeper {
	t.Helper()
	email, _ := datamap.Known(inbox.FieldEmail)
	label := datamap.Text{"en": "x"}
	m, err := datamap.New(
		datamap.Place{Name: "profile", Single: true, Label: label, Columns: []datamap.Column{email},
			Source: datamap.Source{Table: "users", Key: []string{"id"}}, Account: account},
		datamap.Place{Name: "messages", Label: label,
			Source: datamap.Source{Table: "messages", Key: []string{"id"}, Link: datamap.Link{Column: "sender"}}})
	if err != nil {
		t.Fatal(err)
	}
	return New(Config{Map: m, Rules: policy.Rules{Mode: policy.Auto, Of: map[policy.Subject]policy.Rule{"withdraw": {Review: policy.ReviewNever}}}})
}

// TestObjectionsGoToStaff: where the site has no column for an objection, staff
// see it, whatever the policy says; and once, not again after they approved.
func TestObjectionsGoToStaff(t *testing.T) {
	aligned := Sender{Evidence: inbox.Evidence{Level: inbox.LevelAligned}}
	for _, c := range []struct {
		name   string
		column string
		sender Sender
		a      inbox.Action
		want   bool
	}{
		{"no column", "", aligned, inbox.Action{Kind: inbox.KindWithdraw, Certain: true}, true},
		{"a column", "objected_at", aligned, inbox.Action{Kind: inbox.KindWithdraw, Certain: true}, false},
		{"nobody proved it", "", Sender{}, inbox.Action{Kind: inbox.KindWithdraw, Certain: true}, false},
		{"staff approved", "", aligned, inbox.Action{Kind: inbox.KindWithdraw, Certain: true, Approved: true}, false},
	} {
		k := site(t, datamap.Account{Withdrawn: c.column})
		if why, yes := k.reviewFirst(nil, &c.a, c.sender); yes != c.want || yes && !strings.Contains(why, "no column for an objection") {
			t.Errorf("%s: %v, %q", c.name, yes, why)
		}
	}
}

// TestItemsOfGuests: the letters are told that there is no account.
func TestItemsOfGuests(t *testing.T) {
	k := site(t, datamap.Account{})
	for place, want := range map[string]bool{"messages": true, "profile": false} {
		a := inbox.Action{Kind: inbox.KindDelete, Scope: inbox.ScopeAccount,
			Detail: &inbox.ActionDetail{Plan: inbox.Plan{Steps: []inbox.Step{{Place: place, Op: inbox.StepRemove}}}}}
		if got := k.items([]*inbox.Action{&a})[0].Guest; got != want {
			t.Errorf("%s: guest %v", place, got)
		}
	}
}
