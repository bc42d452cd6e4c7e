package sqlusers

import (
	"slices"
	"testing"

	"push.guru/supportd/handlers/users/datamap"
)

// TestAddresses: the addresses by which rows are found come as they are written,
// each place's own, without what is none and what a delete has put there; a
// reader may have enough.
func TestAddresses(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		addressed(t, s, "id integer PRIMARY KEY, mail varchar(190), topic varchar(20)")
		s.exec(t, "CREATE TABLE kept (id integer PRIMARY KEY, mail varchar(190), topic varchar(20)){end}", "INSERT INTO kept VALUES (1, 'zoe@users.test', 'x')",
			"INSERT INTO news VALUES (1, 'anna@users.test', 'bees'), (2, 'Anna@users.test', 'bees'), (3, 'anna@users.test', 'bees'), (4, 'spam@users.test', 'spam'), "+
				"(5, NULL, 'bees'), (6, 'no address', 'bees'), (7, '0123456789@erased.invalid', 'bees')")
		st := s.open(t, mapOf(t, account("people", "id"),
			news("news", "id", func(p *datamap.Place) { p.Source.Where = []datamap.Match{{Column: "topic", Value: "bees"}} }), news("kept", "id", nil)))
		var got []string
		for addr, err := range st.Addresses(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, addr)
		}
		slices.Sort(got)
		if want := []string{"Anna@users.test", "anna@users.test", "zoe@users.test"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		for _, err := range st.Addresses(t.Context()) {
			if err != nil {
				t.Error(err)
			}
			break
		}
	})
}
