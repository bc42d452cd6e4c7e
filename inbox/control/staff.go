package control

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/staff"
)

// Invitation is a one-time link for somebody of the staff. Whoever opens it
// first is that person.
type Invitation struct {
	Name    string    `json:"name"`
	Link    string    `json:"link"`
	Expires time.Time `json:"expires"`
}

// administers tells whether a caller of the command line may do what in the
// console is for administrators: only who holds the state's files anyway, or is root. Members of the
// group that may use the socket are staff themselves: none of them makes an
// approver of themselves.
func administers(who, what string) error {
	if who == "root" || who == Caller() {
		return nil
	}
	return &inbox.Error{Err: fmt.Errorf("%s may not %s", who, what), Hint: "run it as root, or as the user that the daemon runs as: " + Caller()}
}

// invite makes an account, or takes the password of one away, and answers with
// the link by which its owner chooses one.
func (s *Service) invite(ctx context.Context, who string, c Call, _ io.Reader, put func(any) error) error {
	if err := administers(who, "change staff accounts"); err != nil {
		return err
	}
	if s.Console == "" {
		return &inbox.Error{Err: errors.New("there is no console that the link could lead to"), Hint: "set listen under [console]"}
	}
	expires := time.Now().Add(staff.LinkLife).UTC().Truncate(time.Second)
	var link string
	var err error
	if c.Verb == "staff add" {
		link, err = s.Staff.Add(ctx, who, c.Name, staff.Role(c.Role))
	} else {
		link, err = s.Staff.Reset(ctx, who, c.Name)
	}
	if err != nil {
		return err
	}
	return put(Invitation{Name: c.Name, Link: s.Console + "/link/" + link, Expires: expires})
}

func (s *Service) listStaff(_ context.Context, _ string, _ Call, _ io.Reader, put func(any) error) error {
	all, err := s.Staff.List()
	for _, a := range all {
		if err := put(a); err != nil {
			return err
		}
	}
	return err
}

// changeStaff is every change of an account that gives no link.
func (s *Service) changeStaff(ctx context.Context, who string, c Call, _ io.Reader, put func(any) error) error {
	if err := administers(who, "change staff accounts"); err != nil {
		return err
	}
	said := c.Name + " is " + c.Role
	var err error
	switch c.Verb {
	case "staff role":
		err = s.Staff.SetRole(ctx, who, c.Name, staff.Role(c.Role))
	case "staff disable":
		said = c.Name + " is disabled, and signed out everywhere"
		err = s.Staff.Disable(ctx, who, c.Name)
	case "staff enable":
		said = c.Name + " is enabled"
		err = s.Staff.Enable(ctx, who, c.Name)
	}
	if err != nil {
		return err
	}
	return put(Said{said})
}
