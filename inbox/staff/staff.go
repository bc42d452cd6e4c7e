package staff

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"time"

	"golang.org/x/text/language"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/state"
)

// Config is what the accounts need. State must be set.
type Config struct {
	State *state.DB
	Idle  time.Duration // a session ends when nothing was done in it for so long; 0: 30 minutes
	Site  []string      // names of the site, which do not count towards a password
	Cost  Cost          // of a new hash of a password; zero: DefaultCost. Less is for tests only
	Log   *slog.Logger  // nil: none
}

// What holds whatever the configuration says.
const (
	// LinkLife is how long a one-time link can be used.
	LinkLife = 24 * time.Hour

	// lifetime ends a session however busy it is.
	lifetime = 12 * time.Hour

	// touched is how often at most a session notes that it is in use.
	touched = time.Minute

	// mostSessions is how many sessions an account has; a new one ends the one
	// that was idle for the longest.
	mostSessions = 10

	// mostNetworks is how many networks of somebody are known at a time.
	mostNetworks = 8
)

// Account is somebody of the staff.
type Account struct {
	Name     string    `json:"name"`
	Role     Role      `json:"role"`
	Language string    `json:"language,omitempty"` // of the pages, BCP 47; "": the browser's
	Disabled bool      `json:"disabled"`
	Created  time.Time `json:"created"`
	LastSeen time.Time `json:"last_seen,omitzero"` // to the minute; zero: never
}

// Staff are the accounts. Its methods may be called by several goroutines.
type Staff struct {
	Config
	hashes   *hasher
	throttle *throttle
	refused  *refusals
}

// New gives the Staff of a state.
func New(c Config) *Staff {
	if c.Idle == 0 {
		c.Idle = 30 * time.Minute
	}
	if c.Cost == (Cost{}) {
		c.Cost = DefaultCost()
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Staff{Config: c, hashes: newHasher(c.Cost), throttle: newThrottle(throttleSize), refused: newRefusals()}
}

// accountName is how an account may be called. Case is not told apart, and
// there are no letters that look like others.
var accountName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,31}$`)

// fold gives a name as accounts have it.
func fold(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

// reserved tells whether the journal or the pages have a name for somebody who
// is not of the staff: the program, those who write to it, the machine's
// administrator.
func reserved(name string) bool { return name == "root" || inbox.IsWho(name) }

// keptOut tells whether nothing lets an account in.
func keptOut(a *state.StaffAccount) bool { return a.Disabled || reserved(a.Name) }

// newName reads the name for a new account.
func newName(name string) (string, error) {
	name = fold(name)
	switch {
	case !accountName.MatchString(name):
		return "", fmt.Errorf("%q cannot be an account's name: it takes 1 to 32 of a-z, 0-9, dot, dash and underscore, and begins with a letter or digit", name)
	case reserved(name):
		return "", fmt.Errorf("%q cannot be an account's name: the journal has it for somebody else", name)
	}
	return name, nil
}

// find gives an account, with what to do when there is none.
func find(tx *state.Tx, name string) (*state.StaffAccount, error) {
	a, err := tx.StaffAccount(fold(name))
	if errors.Is(err, state.ErrNotFound) {
		return nil, &inbox.Error{Err: fmt.Errorf("there is no account %q", name), Hint: `"supportd staff list" shows them`}
	}
	return a, err
}

func account(a *state.StaffAccount) Account {
	return Account{Name: a.Name, Role: Role(a.Role), Language: a.Language, Disabled: a.Disabled, Created: a.Created, LastSeen: a.Seen}
}

// note is the detail of a journal entry about an account.
type note struct {
	Account  string `json:"account"`
	Role     Role   `json:"role,omitempty"`
	Was      Role   `json:"was,omitempty"`
	Language string `json:"language,omitempty"`
}

// Add makes an account, and gives the token of a one-time link by which its
// owner chooses a password: nobody else ever knows one. Who is in the journal
// as having done it, here and below.
func (s *Staff) Add(ctx context.Context, who, name string, role Role) (link string, err error) {
	if name, err = newName(name); err != nil {
		return "", err
	}
	if _, err := ParseRole(string(role)); err != nil {
		return "", err
	}
	err = s.State.Update(ctx, "staff add", func(tx *state.Tx) error {
		switch _, err := tx.StaffAccount(name); {
		case err == nil:
			return &inbox.Error{Err: fmt.Errorf("there is an account %q already", name), Hint: `"supportd staff reset" gives its owner a new link`}
		case !errors.Is(err, state.ErrNotFound):
			return err
		}
		a := &state.StaffAccount{Name: name, Role: string(role), Created: tx.Now.UTC()}
		link, err = s.link(tx, a, true)
		return errors.Join(err, tx.PutStaffAccount(a), tx.Journal("staff added", who, 0, 0, note{Account: name, Role: role}))
	})
	return link, err
}

// List gives every account, by name.
func (s *Staff) List() ([]Account, error) {
	var all []Account
	err := s.State.View(func(tx *state.Tx) error {
		stored, err := tx.StaffAccounts()
		for _, a := range stored {
			all = append(all, account(a))
		}
		return err
	})
	return all, err
}

// SetRole gives an account another role, and ends its sessions. The last
// enabled admin keeps theirs.
func (s *Staff) SetRole(ctx context.Context, who, name string, role Role) error {
	if _, err := ParseRole(string(role)); err != nil {
		return err
	}
	return s.State.Update(ctx, "staff role", func(tx *state.Tx) error {
		a, err := find(tx, name)
		if err != nil || a.Role == string(role) {
			return err
		}
		if err := keepAdmin(tx, a); err != nil {
			return err
		}
		was := Role(a.Role)
		a.Role = string(role)
		return errors.Join(tx.PutStaffAccount(a), endSessions(tx, a.Name), tx.Journal("staff role", who, 0, 0, note{Account: a.Name, Role: role, Was: was}))
	})
}

// SetLanguage says in which language somebody has their pages; "" is the
// browser's.
func (s *Staff) SetLanguage(ctx context.Context, who, name, lang string) error {
	if lang != "" {
		tag, err := language.Parse(lang)
		if err != nil {
			return fmt.Errorf("%q is no language", lang)
		}
		lang = tag.String()
	}
	return s.State.Update(ctx, "staff language", func(tx *state.Tx) error {
		a, err := find(tx, name)
		if err != nil || a.Language == lang {
			return err
		}
		a.Language = lang
		return errors.Join(tx.PutStaffAccount(a), tx.Journal("staff language", who, 0, 0, note{Account: a.Name, Language: lang}))
	})
}

// Disable keeps somebody out: their sessions end, their link is void, and their
// password does nothing until Enable. The last enabled admin cannot be
// disabled.
func (s *Staff) Disable(ctx context.Context, who, name string) error {
	return s.State.Update(ctx, "staff disable", func(tx *state.Tx) error {
		a, err := find(tx, name)
		if err != nil || a.Disabled {
			return err
		}
		if err := keepAdmin(tx, a); err != nil {
			return err
		}
		a.Disabled = true
		return errors.Join(tx.PutStaffAccount(a), endSessions(tx, a.Name), endLinks(tx, a.Name), tx.Journal("staff disabled", who, 0, 0, note{Account: a.Name}))
	})
}

// Enable lets somebody in again, with the password that they had.
func (s *Staff) Enable(ctx context.Context, who, name string) error {
	return s.State.Update(ctx, "staff enable", func(tx *state.Tx) error {
		a, err := find(tx, name)
		if err != nil || !a.Disabled {
			return err
		}
		a.Disabled = false
		return errors.Join(tx.PutStaffAccount(a), tx.Journal("staff enabled", who, 0, 0, note{Account: a.Name}))
	})
}

// Reset takes somebody's password away, ends their sessions, and gives the
// token of a one-time link by which they choose another.
func (s *Staff) Reset(ctx context.Context, who, name string) (link string, err error) {
	err = s.State.Update(ctx, "staff reset", func(tx *state.Tx) error {
		a, err := find(tx, name)
		if err != nil {
			return err
		}
		if a.Disabled {
			return &inbox.Error{Err: fmt.Errorf("account %q is disabled", a.Name), Hint: "enable it first"}
		}
		a.Password, a.Networks = "", nil
		link, err = s.link(tx, a, true)
		return errors.Join(err, tx.PutStaffAccount(a), endSessions(tx, a.Name), tx.Journal("staff reset", who, 0, 0, note{Account: a.Name}))
	})
	return link, err
}

// Link gives the token of a one-time link that signs somebody in at once: no
// password is asked for or taken away. It is for the demo and for tests.
func (s *Staff) Link(ctx context.Context, who, name string) (link string, err error) {
	err = s.State.Update(ctx, "staff link", func(tx *state.Tx) error {
		a, err := find(tx, name)
		if err != nil {
			return err
		}
		if a.Disabled {
			return &inbox.Error{Err: fmt.Errorf("account %q is disabled", a.Name), Hint: "enable it first"}
		}
		link, err = s.link(tx, a, false)
		return errors.Join(err, tx.Journal("staff link", who, 0, 0, note{Account: a.Name}))
	})
	return link, err
}

// link makes the one link of an account; the one before is void.
func (s *Staff) link(tx *state.Tx, a *state.StaffAccount, choose bool) (token string, err error) {
	if err := errors.Join(endLinks(tx, a.Name), tidy(tx, s.Idle)); err != nil {
		return "", err
	}
	token = rand.Text() // 130 bits
	return token, tx.AddStaffLink(token, &state.StaffLink{Account: a.Name, Expires: tx.Now.Add(LinkLife), Choose: choose})
}

// keepAdmin refuses to lose the last enabled admin: nobody could make another
// one from the pages.
func keepAdmin(tx *state.Tx, a *state.StaffAccount) error {
	if Role(a.Role) != RoleAdmin || a.Disabled {
		return nil
	}
	all, err := tx.StaffAccounts()
	if err != nil {
		return err
	}
	for _, other := range all {
		if other.Name != a.Name && Role(other.Role) == RoleAdmin && !other.Disabled {
			return nil
		}
	}
	return &inbox.Error{Err: fmt.Errorf("%q is the last enabled admin", a.Name), Hint: "make somebody else one first"}
}

func endSessions(tx *state.Tx, name string) error {
	return eachSession(tx, func(one *state.StaffSession) bool { return one.Account == name })
}

// eachSession ends the sessions that end is true of.
func eachSession(tx *state.Tx, end func(*state.StaffSession) bool) error {
	all, err := tx.StaffSessions()
	for _, one := range all {
		if end(one) {
			err = errors.Join(err, tx.EndStaffSession(one))
		}
	}
	return err
}

func endLinks(tx *state.Tx, name string) error {
	all, err := tx.StaffLinks()
	for _, one := range all {
		if one.Account == name {
			err = errors.Join(err, tx.EndStaffLink(one))
		}
	}
	return err
}

// tidy removes sessions and links whose time is over.
func tidy(tx *state.Tx, idle time.Duration) error {
	err := eachSession(tx, func(one *state.StaffSession) bool { return !tx.Now.Before(ends(one, idle)) })
	links, err1 := tx.StaffLinks()
	for _, one := range links {
		if !tx.Now.Before(one.Expires) {
			err = errors.Join(err, tx.EndStaffLink(one))
		}
	}
	return errors.Join(err, err1)
}
