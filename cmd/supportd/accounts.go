package main

import (
	"fmt"

	"push.guru/supportd/inbox/control"
	"push.guru/supportd/inbox/staff"
)

type staffCmd struct {
	configFile
	Add     staffAdd    `cmd:"" help:"Make an account; prints the one-time link by which its owner chooses a password."`
	List    staffList   `cmd:"" help:"One account a line."`
	Role    staffRole   `cmd:"" help:"Give an account another role; its owner is signed out."`
	Disable staffChange `cmd:"" help:"Keep somebody out, from this moment on."`
	Enable  staffChange `cmd:"" help:"Let somebody in again, with the password that they had."`
	Reset   staffReset  `cmd:"" help:"Take a password away, and print a one-time link by which its owner chooses another."`
}

// role is one of a staff account.
type role string

// UnmarshalText takes the name of a role.
func (r *role) UnmarshalText(b []byte) error {
	parsed, err := staff.ParseRole(string(b))
	*r = role(parsed)
	return err
}

type staffAdd struct {
	Name string `arg:"" help:"a-z, 0-9, dot, dash, underscore; it stands in the journal."`
	Role role   `required:"" placeholder:"ROLE" help:"viewer: looks. handler: works through the queue. approver: also without proof. admin: also the accounts. Each may all that the one before may."`
}

func (c *staffAdd) Run(w *world, all *cli) error {
	return all.Staff.invite(w, control.Call{Verb: "staff add", Name: c.Name, Role: string(c.Role)})
}

type staffReset struct {
	Name string `arg:"" help:"The account."`
}

func (c *staffReset) Run(w *world, all *cli) error {
	return all.Staff.invite(w, control.Call{Verb: "staff reset", Name: c.Name})
}

// invite makes a call that is answered with a link. The link alone goes to
// standard output: a script can hand it on.
func (c *staffCmd) invite(w *world, call control.Call) error {
	return each(c.configFile, w, call, func(i control.Invitation) error {
		fmt.Fprintf(w.stderr, "%s opens this once, until %s, and chooses a password; whoever has the link is %[1]s:\n", plain(i.Name), c.clock().when(i.Expires))
		_, err := fmt.Fprintln(w.stdout, plain(i.Link))
		return err
	})
}

type staffRole struct {
	Name string `arg:"" help:"The account."`
	Role role   `arg:"" help:"viewer, handler, approver or admin."`
}

func (c *staffRole) Run(w *world, all *cli) error {
	return all.Staff.say(w, control.Call{Verb: "staff role", Name: c.Name, Role: string(c.Role)}, nil)
}

type staffChange struct {
	Name string `arg:"" help:"The account."`
}

func (c *staffChange) Run(w *world, all *cli, verb command) error {
	return all.Staff.say(w, control.Call{Verb: "staff " + string(verb), Name: c.Name}, nil)
}

type staffList struct {
	JSON bool `help:"One JSON object a line."`
}

func (c *staffList) Run(w *world, all *cli) error {
	call := control.Call{Verb: "staff list"}
	if c.JSON {
		return all.Staff.raw(w, call)
	}
	clock := all.Staff.clock()
	t := newTable(w.stdout, "NAME", "ROLE", "STATE", "ADDED", "LAST SEEN")
	err := each(all.Staff.configFile, w, call, func(a staff.Account) error {
		state := "enabled"
		if a.Disabled {
			state = "disabled"
		}
		t.row(a.Name, string(a.Role), state, clock.when(a.Created), clock.when(a.LastSeen))
		return nil
	})
	return t.end(err)
}
