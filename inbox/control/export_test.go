package control_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"push.guru/supportd/handlers/users/boltusers"
	"push.guru/supportd/inbox/control"
)

// storeOf gives a user store with n people.
func storeOf(t *testing.T, n int) *boltusers.Store {
	t.Helper()
	store, err := boltusers.Open(filepath.Join(t.TempDir(), "users.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"id":"u-%03d","email":"p%d@users.test","about":"%s"}`+"\n", i, i, strings.Repeat("Ж", i%101))
	}
	if _, err := store.Import(t.Context(), strings.NewReader(b.String()), "jsonl"); err != nil {
		t.Fatal(err)
	}
	return store
}

func TestExportGivesEverybody(t *testing.T) {
	const people = 300 // more than any buffer holds
	service := &control.Service{Store: storeOf(t, people)}
	ids := make([]string, 0, people)
	err := service.Do(t.Context(), "tester", control.Call{Verb: "users export"}, strings.NewReader(""), func(item any) error {
		var p struct{ ID string }
		b, err := json.Marshal(item)
		err = errors.Join(err, json.Unmarshal(b, &p))
		ids = append(ids, p.ID)
		return err
	})
	if err != nil || len(ids) != people || ids[people-1] != "u-299" {
		t.Errorf("%d of %d people came, or other ones: %v", len(ids), people, err)
	}
}

func TestExportEndsWithItsReader(t *testing.T) {
	service := &control.Service{Store: storeOf(t, 300)}
	gone := errors.New("the reader is gone")
	n := 0
	err := service.Do(t.Context(), "tester", control.Call{Verb: "users export"}, strings.NewReader(""), func(any) error {
		if n++; n == 2 {
			return gone
		}
		return nil
	})
	if !errors.Is(err, gone) || n != 2 {
		t.Errorf("after %d people: %v", n, err)
	}
}
