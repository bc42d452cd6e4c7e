package sqlusers

import (
	"errors"
	"testing"

	"push.guru/supportd/inbox"
)

// TestFits: the store asks whether the map fits, once for each sight of other
// tables, and while it does not, nobody is found, nothing is read and nothing is
// done; what was done is still answered for.
func TestFits(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		annas(t, s)
		var unfit error
		asked := 0
		c := s.config(mapOf(t, shopPlaces()...))
		c.Fits = func(Schema) error { asked++; return unfit }
		st, err := Open(c)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { st.Close() })
		who := find(t, st, "17")
		e, next := planned(t, st, "k-1", who, setting(inbox.FieldPhone, "2")), planned(t, st, "k-2", who, setting(inbox.FieldNickname, "Ann"))
		if _, err := st.Apply(t.Context(), e); err != nil || asked != 1 {
			t.Fatalf("asked %d times, %v", asked, err)
		}
		unfit = errors.New("a reference")
		s.exec(t, "ALTER TABLE people ADD COLUMN more varchar(10)")
		records := func() (err error) {
			for _, e := range st.Records(t.Context(), who) {
				err = e
			}
			return err
		}
		closed := func() {
			_, errApply := st.Apply(t.Context(), next)
			_, errFind := st.ByAddress(t.Context(), who.Address())
			for what, err := range map[string]error{"Apply": errApply, "ByAddress": errFind, "Records": records(), "Ping": st.Ping(t.Context())} {
				if !errors.Is(err, unfit) || !inbox.IsTemporary(err) {
					t.Errorf("%s: %v", what, err)
				}
			}
		}
		closed()
		closed()
		if asked != 2 {
			t.Errorf("asked %d times of two sights", asked)
		}
		if a, err := st.Recorded(t.Context(), e.Key, e.Kind, e.Digest); err != nil || !a.Again {
			t.Errorf("what was done: %+v, %v", a, err)
		}
		unfit = nil
		s.exec(t, "ALTER TABLE people DROP COLUMN more")
		if _, err := st.Apply(t.Context(), next); err != nil || records() != nil {
			t.Errorf("once it fits: %v", err)
		}
	})
}
