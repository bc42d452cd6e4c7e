package inbox

import (
	"encoding/json"
	"testing"
)

func changePlan() Plan {
	return Plan{
		Steps: []Step{
			{Place: "users.phone", Field: FieldPhone, Op: StepSet, Old: "+77010000001", New: "+77010000002"},
			{Place: "users.about", Field: FieldAbout, Op: StepAdd, Old: "a", New: "a\nb"},
		},
		Keeps: []Keep{{Place: "invoices", Why: "tax law", Until: "2031"}},
	}
}

func deletePlan() Plan {
	return Plan{
		Steps: []Step{{Place: "users", Op: StepRemove, Old: "3 rows"}, {Place: "events", Op: StepRemove, Old: "17 rows"}},
		Keeps: []Keep{{Place: "invoices", Why: "tax law", Until: "2031"}},
	}
}

// TestDigestBinds: every difference that the person was shown makes another
// digest.
func TestDigestBinds(t *testing.T) {
	tests := []struct {
		name   string
		person string
		kind   Kind
		plan   Plan
		edit   func(*Plan)
	}{
		{"another person", "18", KindChange, changePlan(), func(*Plan) {}},
		{"no person", "", KindChange, changePlan(), func(*Plan) {}},
		{"another kind", "17", KindWithdraw, changePlan(), func(*Plan) {}},
		{"old value", "17", KindChange, changePlan(), func(p *Plan) { p.Steps[0].Old = "+77010000009" }},
		{"new value", "17", KindChange, changePlan(), func(p *Plan) { p.Steps[0].New = "+77010000009" }},
		{"old and new swapped", "17", KindChange, changePlan(), func(p *Plan) { s := &p.Steps[0]; s.Old, s.New = s.New, s.Old }},
		{"value of an add", "17", KindChange, changePlan(), func(p *Plan) { p.Steps[1].New = "a\nc" }},
		{"field", "17", KindChange, changePlan(), func(p *Plan) { p.Steps[0].Field = FieldNickname }},
		{"place", "17", KindChange, changePlan(), func(p *Plan) { p.Steps[0].Place = "profiles.phone" }},
		{"operation", "17", KindChange, changePlan(), func(p *Plan) { p.Steps[0].Op = StepAdd }},
		{"order of steps", "17", KindChange, changePlan(), func(p *Plan) { p.Steps[0], p.Steps[1] = p.Steps[1], p.Steps[0] }},
		{"a step less", "17", KindChange, changePlan(), func(p *Plan) { p.Steps = p.Steps[:1] }},
		{"a step twice", "17", KindChange, changePlan(), func(p *Plan) { p.Steps = append(p.Steps, p.Steps[1]) }},
		{"letter case of a value", "17", KindChange, changePlan(), func(p *Plan) { p.Steps[1].New = "A\nb" }},
		{"bytes that are no text", "17", KindChange, changePlan(), func(p *Plan) { p.Steps[1].New = "a\nb\xff" }},
		{"other bytes that are no text", "17", KindChange, changePlan(), func(p *Plan) { p.Steps[1].New = "a\nb\xfe" }},
		{"the mark for bytes that are no text", "17", KindChange, changePlan(), func(p *Plan) { p.Steps[1].New = "a\nb\uFFFD" }},
		{"a value that runs into the next", "17", KindChange, changePlan(), func(p *Plan) { p.Steps[1].Old, p.Steps[1].New = "aa\nb", "" }},
		{"what is kept", "17", KindChange, changePlan(), func(p *Plan) { p.Keeps[0].Place = "orders" }},
		{"why it is kept", "17", KindChange, changePlan(), func(p *Plan) { p.Keeps[0].Why = "a dispute" }},
		{"until when it is kept", "17", KindChange, changePlan(), func(p *Plan) { p.Keeps[0].Until = "2032" }},
		{"nothing kept", "17", KindChange, changePlan(), func(p *Plan) { p.Keeps = nil }},
		{"a delete", "17", KindDelete, deletePlan(), func(*Plan) {}},
		{"a delete of one place more", "17", KindDelete, deletePlan(), func(p *Plan) { p.Steps = append(p.Steps, Step{Place: "cookies", Op: StepRemove}) }},
		{"a delete of a field", "17", KindDelete, deletePlan(), func(p *Plan) { p.Steps[0].Op, p.Steps[0].Field = StepClear, FieldPhone }},
		{"an empty plan", "17", KindDelete, Plan{}, func(*Plan) {}},
	}
	seen := map[string]string{changePlan().Digest("17", KindChange): "the plan itself"}
	for _, test := range tests {
		test.edit(&test.plan)
		d := test.plan.Digest(test.person, test.kind)
		if other, ok := seen[d]; ok {
			t.Errorf("%s has the digest of %s", test.name, other)
		}
		seen[d] = test.name
	}
}

// TestDigestLetsGo: for what is no change the digest does not hang on what the
// places hold at the moment.
func TestDigestLetsGo(t *testing.T) {
	for _, op := range []StepOp{StepClear, StepRemove, StepReaddress, StepDeactivate, StepReactivate, StepWithdraw, StepSend, StepDescribe} {
		a := Plan{Steps: []Step{{Place: "users.phone", Field: FieldPhone, Op: op, Old: "1", New: "2"}}}
		b := Plan{Steps: []Step{{Place: "users.phone", Field: FieldPhone, Op: op}}}
		if a.Digest("17", KindDelete) != b.Digest("17", KindDelete) {
			t.Errorf("%s: the digest changes with the data", op)
		}
		if a.Steps[0].Old != "1" || a.Steps[0].New != "2" {
			t.Errorf("%s: Digest changed the plan", op)
		}
	}
}

// TestDigestOutlivesStorage: a plan that was stored and read again has the
// digest that the person confirmed.
func TestDigestOutlivesStorage(t *testing.T) {
	for name, p := range map[string]Plan{
		"a change":           changePlan(),
		"empty, not nil":     {Steps: []Step{}, Keeps: []Keep{}},
		"nothing kept":       {Steps: deletePlan().Steps, Keeps: []Keep{}},
		"nothing at all":     {},
		"markup and accents": {Steps: []Step{{Place: "<p>", Op: StepSet, Old: "é\u2028&", New: "\u0000"}}},
	} {
		b, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		var back Plan
		if err := json.Unmarshal(b, &back); err != nil {
			t.Fatal(err)
		}
		if p.Digest("17", KindChange) != back.Digest("17", KindChange) {
			t.Errorf("%s: the digest changed on the way through the state", name)
		}
	}
}
