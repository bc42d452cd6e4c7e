package classify

import (
	"slices"
	"strings"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/classify/lang"
)

// typedFields are those whose values their own form tells.
var typedFields = []inbox.Field{inbox.FieldEmail, inbox.FieldPhone, inbox.FieldBirth}

// fieldOf gives the field that a hit names.
func fieldOf(h lang.Hit) inbox.Field {
	s := string(h.Concept)
	s = strings.TrimPrefix(strings.TrimPrefix(s, lang.FieldPrefix), lang.SetPrefix)
	return inbox.Field(s)
}

// isTyped tells those fields.
func isTyped(f inbox.Field) bool { return slices.Contains(typedFields, f) }

// introduces tells the fields by which people say who they are.
func introduces(f inbox.Field) bool { return f == inbox.FieldEmail || isName(f) }

// isName tells the fields that hold a name or a part of one.
func isName(f inbox.Field) bool {
	return f == inbox.FieldFullName || f == inbox.FieldGivenName || f == inbox.FieldFamilyName
}

// single tells the fields of which nobody has two.
func single(f inbox.Field) bool {
	return isName(f) || f == inbox.FieldGender || f == inbox.FieldBirth
}

// kin are the fields that people call by the same words.
var kin = map[inbox.Field]inbox.Field{
	inbox.FieldGivenName: inbox.FieldFullName, inbox.FieldFamilyName: inbox.FieldFullName, inbox.FieldNickname: inbox.FieldFullName,
	inbox.FieldEmail: inbox.FieldAddress, inbox.FieldLocation: inbox.FieldAddress,
}

// root gives the field that stands for all of its kin.
func root(f inbox.Field) inbox.Field {
	if k, ok := kin[f]; ok {
		return k
	}
	return f
}

// maxWords bounds the words of a value.
func maxWords(f inbox.Field) int {
	switch f {
	case inbox.FieldAbout:
		return 80
	case inbox.FieldAddress:
		return 16
	case inbox.FieldNickname, inbox.FieldNationality, inbox.FieldGender:
		return 2
	case inbox.FieldOccupation, inbox.FieldLocation:
		return 6
	}
	return 4
}
