package staff

import (
	"fmt"
	"slices"
	"strings"
)

// Role is what somebody of the staff is there for. Each may all that the one
// before it may, and more.
type Role string

// The roles, from the least to the most.
const (
	RoleViewer   Role = "viewer"   // looks: an auditor, a lawyer, a colleague who learns
	RoleHandler  Role = "handler"  // works through the queue
	RoleApprover Role = "approver" // decides where the owner's proof is missing, or nothing can be taken back
	RoleAdmin    Role = "admin"    // looks after the staff and the console itself
)

// Roles lists the roles, from the least to the most.
func Roles() []Role { return []Role{RoleViewer, RoleHandler, RoleApprover, RoleAdmin} }

// ParseRole reads the name of a role.
func ParseRole(s string) (Role, error) {
	if r := Role(s); slices.Contains(Roles(), r) {
		return r, nil
	}
	names := make([]string, len(Roles()))
	for i, r := range Roles() {
		names[i] = string(r)
	}
	return "", fmt.Errorf("%q is no role: they are %s", s, strings.Join(names, ", "))
}

// Right is what a page or a call needs.
type Right string

// The rights. What each is for stands here and nowhere else:
//
//	see         queue, cases, mails without their raw text, search, counts
//	log         the journal's page, its export and verification, receipts
//	raw         a raw mail, fetched from the mail server
//	act         approve a reading, correct, hold, release, answer, ask, refuse, close, retry, replay, undo,
//	            hand over, extend a deadline
//	approve     approve without the owner's proof; on people who are protected also approve, correct, and what
//	            cannot be taken back; pause, which any approver must be able to do at once
//	administer  accounts of the staff, saved answers, resume after a pause or a restored state
const (
	RightSee        Right = "see"
	RightLog        Right = "log"
	RightRaw        Right = "raw"
	RightAct        Right = "act"
	RightApprove    Right = "approve"
	RightAdminister Right = "administer"
)

// Rights lists the rights, from the least to the most.
func Rights() []Right {
	return []Right{RightSee, RightLog, RightRaw, RightAct, RightApprove, RightAdminister}
}

// least gives the least role that has a right, or "" for what is no right.
// This is the one table of roles and rights:
//
//	            viewer  handler  approver  admin
//	see           x        x        x        x
//	log           x        x        x        x
//	raw                    x        x        x
//	act                    x        x        x
//	approve                         x        x
//	administer                               x
func (r Right) least() Role {
	switch r {
	case RightSee, RightLog:
		return RoleViewer
	case RightRaw, RightAct:
		return RoleHandler
	case RightApprove:
		return RoleApprover
	case RightAdminister:
		return RoleAdmin
	}
	return ""
}

// May tells whether a role has a right. What is no role has none, and what is
// no right nobody has.
func (r Role) May(need Right) bool {
	least := slices.Index(Roles(), need.least())
	return least >= 0 && slices.Index(Roles(), r) >= least
}
