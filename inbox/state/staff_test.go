package state

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// What the tests give the staff. None of it may stand in state.db.
const (
	staffPassword = "$argon2id$planted"
	staffToken    = "planted-session-token"
	staffLink     = "planted-link-token"
)

// freezeStaff stores one of each record about the staff.
func freezeStaff(tx *Tx) error {
	return errors.Join(
		tx.PutStaffAccount(&StaffAccount{Name: "aliya", Role: "admin", Language: "kk", Created: tx.Now, Seen: tx.Now,
			Password: staffPassword, Networks: [][]byte{{1, 2, 3}}}),
		tx.PutStaffAccount(&StaffAccount{Name: "boris", Role: "viewer", Disabled: true, Created: tx.Now}),
		tx.AddStaffSession(staffToken, &StaffSession{Account: "aliya", Started: tx.Now, Seen: tx.Now}),
		tx.AddStaffLink(staffLink, &StaffLink{Account: "boris", Expires: tx.Now.Add(time.Hour), Choose: true}))
}

// dumpStaff gives all that can be read about the staff.
func dumpStaff(tx *Tx) (all []any, err error) {
	accounts, err1 := tx.StaffAccounts()
	for _, a := range accounts {
		all = append(all, a, a.Password, a.Networks)
	}
	sessions, err2 := tx.StaffSessions()
	for _, s := range sessions {
		all = append(all, s)
	}
	links, err3 := tx.StaffLinks()
	for _, l := range links {
		all = append(all, l)
	}
	return all, errors.Join(err1, err2, err3)
}

// useFrozenStaff looks whether tokens of the time when a state was frozen still
// open what they opened. A state from before there were accounts has none.
func useFrozenStaff(t *testing.T, tx *Tx) error {
	accounts, err := tx.StaffAccounts()
	if err != nil || len(accounts) == 0 {
		return errors.Join(err, freezeStaff(tx))
	}
	s, err := tx.StaffSession(staffToken)
	if err != nil || s.Account != "aliya" {
		t.Errorf("the session is %+v, %v", s, err)
	}
	l, err := tx.StaffLink(staffLink)
	if err != nil || l.Account != "boris" || !l.Choose {
		t.Errorf("the link is %+v, %v", l, err)
	}
	return errors.Join(tx.EndStaffSession(s), tx.EndStaffLink(l))
}

func TestStaffRecords(t *testing.T) {
	db := newState(t)
	db.update(t, freezeStaff)
	db.update(t, func(tx *Tx) error {
		a, err := tx.StaffAccount("aliya")
		if err != nil || a.Role != "admin" || a.Password != staffPassword || !slices.EqualFunc(a.Networks, [][]byte{{1, 2, 3}}, bytes.Equal) {
			t.Errorf("the account is %+v, %v", a, err)
		}
		if _, err := tx.StaffAccount("Aliya"); !errors.Is(err, ErrNotFound) {
			t.Errorf("an account that is none: %v", err)
		}
		if _, err := tx.StaffSession(staffLink); !errors.Is(err, ErrNotFound) {
			t.Errorf("the token of a link as one of a session: %v", err)
		}
		if _, err := tx.StaffLink(staffToken); !errors.Is(err, ErrNotFound) {
			t.Errorf("the token of a session as one of a link: %v", err)
		}
		s, err := tx.StaffSession(staffToken)
		if err != nil {
			return err
		}
		s.Seen = s.Seen.Add(time.Minute)
		return tx.PutStaffSession(s)
	})
	db.update(t, func(tx *Tx) error {
		all, err := tx.StaffSessions()
		if err != nil || len(all) != 1 || !all[0].Seen.Equal(all[0].Started.Add(time.Minute)) {
			t.Fatalf("the sessions are %+v, %v", all, err)
		}
		links, err := tx.StaffLinks()
		if err != nil || len(links) != 1 {
			t.Fatalf("the links are %+v, %v", links, err)
		}
		return errors.Join(tx.EndStaffSession(all[0]), tx.EndStaffLink(links[0]))
	})
	db.view(t, func(tx *Tx) error {
		_, gone := tx.StaffSession(staffToken)
		_, used := tx.StaffLink(staffLink)
		if !errors.Is(gone, ErrNotFound) || !errors.Is(used, ErrNotFound) {
			t.Errorf("after their end: %v, %v", gone, used)
		}
		return nil
	})
}

// TestStaffSecretsAreSealed: whoever has state.db alone has no hash of a
// password to guess at, and no token.
func TestStaffSecretsAreSealed(t *testing.T) {
	dir := t.TempDir()
	db := openState(t, dir)
	db.update(t, freezeStaff)
	shut(t, db)
	b, err := os.ReadFile(filepath.Join(dir, "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"argon2id", staffToken, staffLink} {
		if bytes.Contains(b, []byte(secret)) {
			t.Errorf("state.db holds %q", secret)
		}
	}
}

// TestRestoredCopyHasNoSessions: a copy that is put back must not bring a
// session back that was signed out since, nor a link that was used.
func TestRestoredCopyHasNoSessions(t *testing.T) {
	dir, copied := t.TempDir(), filepath.Join(t.TempDir(), "copy")
	db := openState(t, dir)
	db.update(t, freezeStaff)
	if err := db.Backup(copied, nil); err != nil {
		t.Fatal(err)
	}
	shut(t, db)
	db = openState(t, copied)
	if !db.Restored() {
		t.Fatal("the copy is not known as one")
	}
	db.view(t, func(tx *Tx) error {
		_, session := tx.StaffSession(staffToken)
		_, link := tx.StaffLink(staffLink)
		if !errors.Is(session, ErrNotFound) || !errors.Is(link, ErrNotFound) {
			t.Errorf("the session of the copy: %v, the link: %v", session, link)
		}
		a, err := tx.StaffAccount("aliya")
		if err != nil || a.Password != staffPassword {
			t.Errorf("the account of the copy: %+v, %v", a, err)
		}
		return nil
	})
}
