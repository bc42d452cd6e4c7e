package staff

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestPlaces: one sees where one is signed in oneself, and nobody else, and can
// end it elsewhere, one by one or all at once.
func TestPlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t)
		ctx := t.Context()
		boris := o.hire("boris", RoleAdmin)
		first := o.hire("ann", RoleViewer)
		o.must(o.Describe(ctx, first, "Firefox · Windows"))
		began := time.Now().UTC()
		time.Sleep(10 * time.Minute)
		phone, tablet := o.in("ann", home), o.in("ann", home)
		o.must(o.Describe(ctx, phone, "Safari · iPhone"))
		time.Sleep(2 * time.Minute)
		if _, err := o.Session(ctx, phone); err != nil {
			t.Fatal(err)
		}
		places := func(token string) (all []Place, said []string) {
			t.Helper()
			all, err := o.Places(token)
			o.must(err)
			for _, p := range all {
				said = append(said, p.Browser)
			}
			return all, said
		}
		all, said := places(first)
		if !slices.Equal(said, []string{"Firefox · Windows", "Safari · iPhone", ""}) || !all[0].Own || all[1].Own || !all[0].Started.Equal(began) || all[1].Seen.Sub(all[1].Started) != 2*time.Minute {
			t.Fatalf("%+v", all)
		}
		for _, id := range []string{all[0].ID, "0000000000000000", "x"} { // one's own, and none
			if n, err := o.SignOutElsewhere(ctx, first, id); n != 0 || err != nil {
				t.Errorf("%s ended %d sessions, %v", id, n, err)
			}
		}
		if n, err := o.SignOutElsewhere(ctx, boris, all[1].ID); n != 0 || err != nil {
			t.Errorf("somebody else ended %d sessions, %v", n, err)
		}
		if n, err := o.SignOutElsewhere(ctx, first, all[1].ID); n != 1 || err != nil {
			t.Errorf("ended %d, %v", n, err)
		}
		o.out("ended elsewhere", phone)
		if _, err := o.Peek(tablet); err != nil {
			t.Errorf("another has ended, too: %v", err)
		}
		o.in("ann", home)
		if n, err := o.SignOutElsewhere(ctx, first, ""); n != 2 || err != nil {
			t.Errorf("ended %d, %v", n, err)
		}
		o.out("all ended elsewhere", tablet)
		if _, said := places(first); len(said) != 1 {
			t.Errorf("left are %q", said)
		}
		if _, said := places(boris); len(said) != 1 {
			t.Errorf("boris is signed in at %q", said)
		}
		if log := o.log(); !strings.HasSuffix(log[len(log)-1], `ann: signed out elsewhere {"sessions":2}`) {
			t.Errorf("the journal ends with %q", log[len(log)-1])
		}
		other := o.in("ann", home)
		time.Sleep(29 * time.Minute)
		o.in("ann", home)
		time.Sleep(2 * time.Minute) // two are over, and not listed
		if _, err := o.Places(other); !errors.Is(err, ErrSignedOut) {
			t.Errorf("who is signed out sees places: %v", err)
		}
		last := o.in("ann", home)
		if _, said := places(last); len(said) != 2 {
			t.Errorf("listed are %d, want the two that are not over", len(said))
		}
		if _, err := o.SignOutElsewhere(ctx, other, ""); !errors.Is(err, ErrSignedOut) {
			t.Errorf("who is signed out ends sessions: %v", err)
		}
	})
}
