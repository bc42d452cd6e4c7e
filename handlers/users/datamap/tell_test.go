package datamap

import (
	"slices"
	"strings"
	"testing"

	"push.guru/supportd/inbox"
)

// telling gives the embedded map with recipients of both places.
func telling(t *testing.T, profile, visits []string) (*Map, error) {
	t.Helper()
	places := Embedded().Places()
	places[0].Tell, places[1].Tell = profile, visits
	return New(places...)
}

func TestTell(t *testing.T) {
	m, err := telling(t, []string{"Mailchimp", "the printers"}, []string{"Matomo", "Mailchimp"})
	if err != nil {
		t.Fatal(err)
	}
	step := func(place string, op inbox.StepOp, f inbox.Field) inbox.Step {
		return inbox.Step{Place: place, Op: op, Field: f}
	}
	for _, c := range []struct {
		name         string
		steps        []inbox.Step
		whom, fields string
	}{
		{"nothing", nil, "", ""},
		{"change", []inbox.Step{step("profile", inbox.StepSet, "phone"), step("profile", inbox.StepAdd, "about"), step("profile", inbox.StepSet, "phone")}, "Mailchimp, the printers", "phone, about"},
		{"delete of fields", []inbox.Step{step("profile", inbox.StepClear, "phone")}, "Mailchimp, the printers", "phone"},
		{"delete of everything", []inbox.Step{step("visits", inbox.StepRemove, ""), step("profile", inbox.StepRemove, "")}, "Mailchimp, the printers, Matomo", ""},
		{"of one place", []inbox.Step{step("visits", inbox.StepRemove, "")}, "Matomo, Mailchimp", ""},
		{"made unrecognisable", []inbox.Step{step("visits", inbox.StepBlank, "ip")}, "Matomo, Mailchimp", "ip"},
		{"change of address", []inbox.Step{step("profile", inbox.StepSet, "email"), step("visits", inbox.StepReaddress, "email")}, "Mailchimp, the printers, Matomo", "email"},
		{"withdraw", []inbox.Step{step("profile", inbox.StepWithdraw, "")}, "Mailchimp, the printers", ""},
		{"copy", []inbox.Step{step("profile", inbox.StepSend, ""), step("visits", inbox.StepSend, "")}, "", ""},
		{"describe", []inbox.Step{step("profile", inbox.StepDescribe, "")}, "", ""},
		{"deactivate", []inbox.Step{step("profile", inbox.StepDeactivate, "")}, "", ""},
		{"another place", []inbox.Step{step("orders", inbox.StepRemove, "")}, "", ""},
	} {
		whom, fields := m.Tell(inbox.Plan{Steps: c.steps})
		var names []string
		for _, f := range fields {
			names = append(names, string(f))
		}
		if strings.Join(whom, ", ") != c.whom || strings.Join(names, ", ") != c.fields {
			t.Errorf("%s: tell %q of %q, want %q of %q", c.name, whom, names, c.whom, c.fields)
		}
	}
	if whom, _ := Embedded().Tell(inbox.Plan{Steps: []inbox.Step{step("profile", inbox.StepRemove, "")}}); len(whom) != 0 {
		t.Errorf("nobody is named, and %q are to be told", whom)
	}
}

func TestTellFaults(t *testing.T) {
	for _, names := range [][]string{{""}, {" "}, {"a\nb"}, {"Mailchimp", "Mailchimp"}} {
		if _, err := telling(t, names, nil); err == nil || !strings.Contains(err.Error(), `place "profile"`) {
			t.Errorf("%q: %v", names, err)
		}
	}
}

// TestTellIsTheMapsOwn: who has read the recipients cannot change them.
func TestTellIsTheMapsOwn(t *testing.T) {
	m, err := telling(t, []string{"Mailchimp"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	m.Places()[0].Tell[0] = "nobody"
	if whom, _ := m.Tell(inbox.Plan{Steps: []inbox.Step{{Place: "profile", Op: inbox.StepRemove}}}); !slices.Equal(whom, []string{"Mailchimp"}) {
		t.Errorf("told are %q", whom)
	}
}
