// Package staff knows who the staff are and what each of them may do.
package staff

// Role is what somebody of the staff is there for; each may all that the one
// before may.
type Role string

// The roles, from the one that may least.
const (
	RoleViewer   Role = "viewer"
	RoleHandler  Role = "handler"
	RoleApprover Role = "approver"
	RoleAdmin    Role = "admin"
)

// Right is what a page or a call needs.
type Right string

// The rights.
const (
	RightSee        Right = "see"        // cases, the log, mails
	RightAct        Right = "act"        // decide, write, correct
	RightApprove    Right = "approve"    // go on without the owner's proof; see details of the log
	RightAdminister Right = "administer" // accounts, pauses, exports with details
)

// rights is the one table of who may what.
var rights = map[Role][]Right{
	RoleViewer:   {RightSee},
	RoleHandler:  {RightSee, RightAct},
	RoleApprover: {RightSee, RightAct, RightApprove},
	RoleAdmin:    {RightSee, RightAct, RightApprove, RightAdminister},
}

// May tells whether somebody of the role has a right; an unknown role has none.
func (r Role) May(right Right) bool {
	for _, x := range rights[r] {
		if x == right {
			return true
		}
	}
	return false
}
