package users

import (
	"testing"

	"push.guru/supportd/inbox"
)

func TestName(t *testing.T) {
	for _, c := range []struct {
		fields map[inbox.Field]string
		want   string
	}{
		{nil, ""},
		{map[inbox.Field]string{inbox.FieldFullName: " Anna Petrova ", inbox.FieldNickname: "bee"}, "Anna Petrova"},
		{map[inbox.Field]string{inbox.FieldGivenName: "Anna", inbox.FieldNickname: "bee"}, "Anna"},
		{map[inbox.Field]string{inbox.FieldGivenName: "Anna", inbox.FieldFamilyName: "Petrova"}, "Anna Petrova"},
		{map[inbox.Field]string{inbox.FieldNickname: "bee"}, "bee"},
	} {
		if got := (Person{Fields: c.fields}).Name(); got != c.want {
			t.Errorf("%v: %q, want %q", c.fields, got, c.want)
		}
	}
}

func TestWithoutValues(t *testing.T) {
	p := inbox.Plan{
		Steps: []inbox.Step{{Place: "profile", Field: inbox.FieldPhone, Op: inbox.StepSet, Old: "1", New: "2"}},
		Keeps: []inbox.Keep{{Place: "orders", Why: "tax law"}},
	}
	got := WithoutValues(p)
	if got.Steps[0] != (inbox.Step{Place: "profile", Field: inbox.FieldPhone, Op: inbox.StepSet}) || got.Keeps[0].Why != "tax law" {
		t.Errorf("got %+v", got)
	}
	if p.Steps[0].Old != "1" || p.Steps[0].New != "2" {
		t.Error("the plan itself was changed")
	}
}

func TestValidate(t *testing.T) {
	plan := inbox.Plan{Steps: []inbox.Step{{Place: "profile", Op: inbox.StepDeactivate}}}
	good := Effect{Key: "k", Kind: inbox.KindDeactivate, Person: "1", Plan: plan, Digest: plan.Digest("1", inbox.KindDeactivate)}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*Effect){
		"no key":        func(e *Effect) { e.Key = "" },
		"no person":     func(e *Effect) { e.Person = "" },
		"other person":  func(e *Effect) { e.Person = "2" },
		"other kind":    func(e *Effect) { e.Kind = inbox.KindDelete },
		"nothing to do": func(e *Effect) { e.Plan = inbox.Plan{}; e.Digest = e.Plan.Digest("1", e.Kind) },
		"no digest":     func(e *Effect) { e.Digest = "" },
	} {
		e := good
		if spoil(&e); e.Validate() == nil {
			t.Errorf("%s: the effect is taken for good", name)
		}
	}
}
