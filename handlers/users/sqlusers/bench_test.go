package sqlusers

import (
	"fmt"
	"runtime"
	"testing"

	"push.guru/supportd/handlers/users"
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

// BenchmarkRecords reads a person with a million rows, which lie among another
// million of others, and prints how far the heap grew over what it was.
func BenchmarkRecords(b *testing.B) {
	for _, store := range stores {
		b.Run(store, func(b *testing.B) {
			s := newSite(b, store)
			s.exec(b, "CREATE TABLE people (id integer PRIMARY KEY, email varchar(254)){end}", "INSERT INTO people VALUES (0, 'anna@users.test'), (1, 'boris@users.test')",
				"CREATE TABLE visits (id integer PRIMARY KEY, user_id integer, page varchar(100)){end}",
				"INSERT INTO visits SELECT n, n % 2, '/a/page/of/the/site/that/has/a/name' FROM "+numbers[store],
				"INSERT INTO visits SELECT n + 1000000, n % 2, '/another/page' FROM "+numbers[store], "CREATE INDEX visits_user ON visits (user_id)",
				"CREATE TABLE hits (id integer PRIMARY KEY, visit_id integer){end}", "INSERT INTO hits SELECT n, n FROM "+numbers[store],
				"CREATE INDEX hits_visit ON hits (visit_id)")
			if store != "mysql" {
				s.exec(b, "ANALYZE")
			}
			direct := []datamap.Place{account("people", "id"), related("visits", "user_id", "profile", "id", "page")}
			for name, places := range map[string][]datamap.Place{"a million": direct, "half a million at two depths": append(direct, related("hits", "visit_id", "visits", "id", "visit_id"))} {
				b.Run(name, func(b *testing.B) {
					st := s.open(b, mapOf(b, places...))
					for b.Loop() {
						n, grown := read(b, st)
						b.ReportMetric(float64(n), "rows")
						b.ReportMetric(float64(grown)/(1<<20), "MB-heap")
					}
				})
			}
		})
	}
}

// read gives how many records there are, and the most that the heap grew.
func read(b *testing.B, st *Store) (n int, grown uint64) {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	before := m.HeapInuse
	for _, err := range st.Records(b.Context(), users.Person{ID: "0"}) {
		if err != nil {
			b.Fatal(err)
		}
		if n++; n%10_000 == 0 {
			runtime.ReadMemStats(&m)
			grown = max(grown, m.HeapInuse-min(before, m.HeapInuse))
		}
	}
	return n, grown
}

// BenchmarkBlank writes a hash and an address that cannot receive mail into many
// rows of one person.
func BenchmarkBlank(b *testing.B) {
	const many = 50_000
	for _, store := range stores {
		b.Run(store, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				s := newSite(b, store)
				s.exec(b, "CREATE TABLE people (id integer PRIMARY KEY, email varchar(254)){end}", "INSERT INTO people VALUES (17, 'anna@users.test')",
					"CREATE TABLE reviews (id integer PRIMARY KEY, user_id integer, author varchar(40), mail varchar(60), ip varchar(40)){end}", "CREATE INDEX reviews_user ON reviews (user_id)",
					fmt.Sprintf("INSERT INTO reviews SELECT n, 17, 'Anna', 'anna@users.test', '192.0.2.7' FROM %s WHERE n <= %d", numbers[store], many))
				place := related("reviews", "user_id", "profile", "id")
				place.Erase = datamap.EraseValues
				place.Columns = []datamap.Column{fixed("author", datamap.Rule{Op: datamap.RuleHash}), fixed("mail", datamap.Rule{Op: datamap.RuleInvalid}), fixed("ip", datamap.Rule{Op: datamap.RuleNull})}
				st := s.open(b, mapOf(b, account("people", "id"), place))
				e := planned(b, st, "k-1", find(b, st, "17"), deletion)
				b.StartTimer()
				if _, err := st.Apply(b.Context(), e); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(many, "rows")
		})
	}
}
