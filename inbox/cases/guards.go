package cases

import (
	"slices"
	"time"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/inbox"
)

// Guards are the operator's rules about accounts for which nothing that matters
// happens before staff have seen it.
type Guards struct {
	// Dormant gives, for a time, the moment before which the last sign-in of a
	// person is too long ago: changes, deletes and copies are seen by staff
	// first then, because providers give the address of a mailbox that nobody
	// used to somebody else. nil: off. The user store must know the moment.
	Dormant func(now time.Time) time.Time

	// Protected are the IDs of people for whom staff see everything first,
	// beside those whom the user store marks itself.
	Protected []string
}

// Names tells whether the operator has named a person for whom staff see
// everything first. Whether somebody has become protected is looked at again
// when an Action is due; whether they are dormant is not, since they have
// answered meanwhile.
func (g Guards) Names(person string) bool { return slices.Contains(g.Protected, person) }

// Protect tells whether a person is one of whom staff see everything first: the
// site says so, or the operator.
func (g Guards) Protect(p users.Person) bool { return p.Protected || g.Names(p.ID) }

// why tells, in words for staff, why they look at an Action for a person first;
// "" when nothing here says that they must. What staff have approved is not
// guarded any more.
func (g Guards) why(a *inbox.Action, p users.Person, now time.Time) string {
	switch {
	case a.Approved || a.Kind == inbox.KindQuestion:
		return ""
	case g.Protect(p):
		return (&inbox.ProtectedError{}).Error()
	case a.Kind != inbox.KindChange && a.Kind != inbox.KindDelete && a.Kind != inbox.KindCopy:
		return ""
	case g.Dormant == nil || p.Guest:
	case p.LastSeen.IsZero():
		return "the person was never signed in: the mailbox may be somebody else's"
	case p.LastSeen.Before(g.Dormant(now)):
		return "the person was last signed in on " + p.LastSeen.UTC().Format(time.DateOnly) + ": the mailbox may be somebody else's by now"
	}
	return ""
}
