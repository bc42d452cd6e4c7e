package datamap

import (
	"errors"
	"testing"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/inbox"
)

// TestNarrowColumns: what the store cannot hold is refused before anybody is
// asked, and one of a few values is written as the store spells it.
func TestNarrowColumns(t *testing.T) {
	profile := Place{Name: "profile", Single: true, Label: Text{"en": "Profile"}, Columns: []Column{
		{Field: inbox.FieldEmail, Type: TypeEmail},
		{Field: inbox.FieldGender, Type: TypeGender, Allowed: []string{"Male", "Female", "x"}},
		{Field: "anrede", Type: TypeGender, Allowed: []string{"F", "M", "d"}},
		{Field: "size", Allowed: []string{"S", "M"}},
		{Field: "contact", Source: []string{"first", "last"}, Parts: []int{5, 0}, Max: 20},
		{Field: inbox.FieldGivenName, Max: 6, Join: " "}, {Field: inbox.FieldFamilyName, Max: 6, Join: " "},
	}}
	m, err := New(profile)
	if err != nil {
		t.Fatal(err)
	}
	p := users.Person{ID: "1", Active: true, Fields: map[inbox.Field]string{inbox.FieldGivenName: "Anna", inbox.FieldFamilyName: "Ivan"}}
	for _, c := range []struct {
		field inbox.Field
		value string
		want  string
		why   Reason
	}{
		{inbox.FieldGender, "female", "Female", ""}, {inbox.FieldGender, "X", "x", ""}, {inbox.FieldGender, "none", "", ReasonNotAllowed},
		{"anrede", "female", "F", ""}, {"anrede", "Male", "M", ""}, {"anrede", "D", "d", ""}, {"anrede", "both", "", ReasonNotAllowed},
		{"size", "m", "M", ""}, {"size", "L", "", ReasonNotAllowed},
		{"contact", "Ännas Petrowskaja", "Ännas Petrowskaja", ""}, {"contact", "Annnna Petrov", "", ReasonTooLong}, {"contact", "Anna", "", ReasonParts},
		{"contact", "Anna Petrowskaja-Iwanowa", "", ReasonTooLong},
		{inbox.FieldFullName, "Anna Petrova", "", ReasonTooLong}, {inbox.FieldFullName, "Anna Petrov", "Petrov", ""},
	} {
		plan, err := m.Plan(p, inbox.Request{Kind: inbox.KindChange, Changes: []inbox.Change{{Field: c.field, Op: inbox.OpSet, Value: c.value}}}, false)
		var refused *RefusedError
		switch {
		case c.why != "":
			if !errors.As(err, &refused) || refused.Reason != c.why {
				t.Errorf("%s=%s: %v, want %s", c.field, c.value, err, c.why)
			}
		case err != nil || len(plan.Steps) != 1 || plan.Steps[0].New != c.want:
			t.Errorf("%s=%s: %+v, %v, want %s", c.field, c.value, plan, err, c.want)
		}
	}
}
