package sqlusers

import (
	"testing"

	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/inbox"
)

// numbers gives the numbers from 1 to a million as a table with the column n.
var numbers = map[string]string{
	"postgres": "generate_series(1, 1000000) AS g(n)",
	"mysql":    "(SELECT seq AS n FROM seq_1_to_1000000) AS g",
	"sqlite":   "(WITH RECURSIVE g(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < 1000000) SELECT n FROM g)",
}

// BenchmarkByAddress looks for one of a million people, without an index on the
// address and with one.
func BenchmarkByAddress(b *testing.B) {
	for _, store := range stores {
		b.Run(store, func(b *testing.B) {
			s := newSite(b, store)
			name := "'person' || n || '@users.test'"
			if store == "mysql" {
				name = "CONCAT('person', n, '@users.test')"
			}
			s.exec(b, `CREATE TABLE people (id integer PRIMARY KEY, email varchar(254)){end}`,
				"INSERT INTO people SELECT n, "+name+" FROM "+numbers[store])
			st := s.open(b, mapOf(b, datamap.Place{Name: "profile", Single: true, Label: en("Profile"),
				Source: datamap.Source{Table: "people", Key: []string{"id"}}, Columns: []datamap.Column{{Field: inbox.FieldEmail, Type: datamap.TypeEmail}}}))
			find := func(b *testing.B) {
				for b.Loop() {
					if found, err := st.ByAddress(b.Context(), "person654321@USERS.test"); err != nil || len(found) != 1 || found[0].ID != "654321" {
						b.Fatalf("found %v, %v", found, err)
					}
				}
			}
			b.Run("no index", find)
			index := "CREATE INDEX people_email ON people (email)"
			if store == "postgres" {
				index = "CREATE INDEX people_email ON people (email text_pattern_ops)"
			}
			s.exec(b, index)
			b.Run("index", find)
		})
	}
}
