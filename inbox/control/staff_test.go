package control_test

import (
	"strings"
	"testing"

	"push.guru/supportd/inbox/control"
	"push.guru/supportd/inbox/staff"
	"push.guru/supportd/inbox/state"
)

// TestOnlyAdministratorsChangeStaff: whoever may use the socket sees the
// accounts; they make no admin of themselves.
func TestOnlyAdministratorsChangeStaff(t *testing.T) {
	db, err := state.Open(state.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	service := &control.Service{State: db, Staff: staff.New(staff.Config{State: db}), Console: "http://127.0.0.1:8080"}
	call := func(who, verb string) (items []any, err error) {
		err = service.Do(t.Context(), who, control.Call{Verb: verb, Name: "eve", Role: "admin"}, nil, func(item any) error {
			items = append(items, item)
			return nil
		})
		return items, err
	}
	changes := []string{"staff add", "staff role", "staff disable", "staff enable", "staff reset"}
	for _, who := range []string{"mallory", "uid 0", "unknown", ""} {
		for _, verb := range changes {
			if items, err := call(who, verb); err == nil || !strings.Contains(err.Error(), "may not change staff accounts") || len(items) > 0 {
				t.Errorf("%s of %q: %v, %v", verb, who, items, err)
			}
		}
		if items, err := call(who, "staff list"); err != nil || len(items) != 0 {
			t.Errorf("staff list of %q: %v, %v", who, items, err)
		}
	}
	for _, who := range []string{control.Caller(), "root"} {
		items, err := call(who, "staff add")
		if err == nil {
			i, ok := items[0].(control.Invitation)
			if !ok || !strings.HasPrefix(i.Link, "http://127.0.0.1:8080/link/") || i.Expires.IsZero() {
				t.Errorf("%+v", items)
			}
		} else if !strings.Contains(err.Error(), "already") {
			t.Errorf("%q: %v", who, err)
		}
	}
	for _, verb := range control.Verbs() {
		if strings.HasPrefix(verb, "staff ") && verb != "staff list" {
			if _, err := call("mallory", verb); err == nil {
				t.Errorf("anybody may %q", verb)
			}
		}
	}
}
