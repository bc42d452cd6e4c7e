package handlers_test

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"runtime/metrics"
	"testing"

	"push.guru/supportd/handlers"
	"push.guru/supportd/handlers/users"
)

// mailBytes is what a mail may weigh unless the operator says otherwise.
const mailBytes = 15 << 20

// crowd is a site on which anna has made many visits, and boris as many.
func crowd(t testing.TB, store string, visits int) *site {
	t.Helper()
	s := newSite(t, store)
	numbers := map[string]string{
		"postgres": fmt.Sprintf("generate_series(1, %d) AS g(n)", 2*visits),
		"mysql":    fmt.Sprintf("(SELECT seq AS n FROM seq_1_to_%d) AS g", 2*visits),
		"sqlite":   fmt.Sprintf("(WITH RECURSIVE g(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < %d) SELECT n FROM g)", 2*visits),
	}[store]
	// Something that no compressor makes small.
	noise := map[string]string{"postgres": "md5(CAST(n AS text))", "mysql": "md5(n)", "sqlite": "lower(hex(randomblob(16)))"}[store]
	s.script(t, `CREATE TABLE people (id integer PRIMARY KEY, email varchar(254));
CREATE TABLE visits (id integer PRIMARY KEY, user_id integer NOT NULL, at timestamp NULL, ip varchar(40), agent varchar(100), page varchar(100), cookie varchar(40));
INSERT INTO people VALUES (0, 'anna@users.test'), (1, 'boris@users.test');
INSERT INTO visits SELECT n, n % 2, '2026-03-04 05:06:07', '192.0.2.7', 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', '/a/page/of/the/site', `+noise+` FROM `+numbers+`;
CREATE INDEX visits_user ON visits (user_id);`)
	if store != "mysql" {
		s.script(t, "ANALYZE")
	}
	return s
}

const crowdMap = `
[account]
table = "people"
key = "id"
purpose = { en = "to know you" }
retention = { en = "for ever" }
recipients = { en = "nobody" }
[[account.column]]
name = "email"
field = "email"

[[related]]
name = "visits"
table = "visits"
key = "id"
link = { column = "user_id", to = "profile.id" }
label = { en = "Visits" }
purpose = { en = "to count" }
retention = { en = "for ever" }
recipients = { en = "nobody" }
[[related.column]]
name = "at"
[[related.column]]
name = "ip"
[[related.column]]
name = "agent"
[[related.column]]
name = "page"
[[related.column]]
name = "cookie"
`

// watched is a store that looks at the memory while a copy is read from it.
type watched struct {
	users.Store
	look func(records int)
}

func (w *watched) Records(ctx context.Context, p users.Person) iter.Seq2[users.Record, error] {
	return func(yield func(users.Record, error) bool) {
		n := 0
		for r, err := range w.Store.Records(ctx, p) {
			if n++; !yield(r, err) {
				return
			}
			w.look(n)
		}
	}
}

// heap gives the bytes of all objects, those included that nobody needs any
// more and the collector has not found yet.
func heap() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// live gives the bytes of the objects that somebody needs.
func live() uint64 {
	runtime.GC()
	return heap()
}

// usage is what a copy took.
type usage struct {
	records, parts, largest, bytes int
	peak, live                     uint64 // above what was there before
}

// copyCrowd makes anna's copy, in mails of so many bytes, and lets go of each
// part, as the queue does, which keeps them in files. It looks at the heap every
// so many records, and without what is waste when a part is handed over and,
// where hard is not 0, every so many records, too.
func copyCrowd(t testing.TB, s *site, part, every, hard int) (u usage) {
	t.Helper()
	m := readMap(t, crowdMap)
	d := s.desk(t, m)
	job := d.job("k-1", d.find("anna@users.test"), copied, false)
	before := live()
	above := func(now uint64) uint64 { return now - min(now, before) }
	w := &watched{Store: d.store, look: func(n int) {
		if u.records = n; n%every == 0 {
			u.peak = max(u.peak, above(heap()))
		}
		if hard > 0 && n%hard == 0 {
			u.live = max(u.live, above(live()))
		}
	}}
	job.Attach = func(b []byte) error {
		u.peak = max(u.peak, above(heap()))
		u.live = max(u.live, above(live()))
		u.parts, u.bytes, u.largest = u.parts+1, u.bytes+len(b), max(u.largest, len(b))
		return nil
	}
	h := handlers.New(w, m, handlers.Copies{Site: "Push.Guru", PartBytes: part}, nil)
	if _, err := h.Perform(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	return u
}

// BenchmarkCopyOfAMillion copies a person with a million related rows and prints
// what it took: heap above the baseline at its peak and without waste, parts and
// bytes.
func BenchmarkCopyOfAMillion(b *testing.B) {
	for _, store := range databases {
		b.Run(store, func(b *testing.B) {
			s := crowd(b, store, 1_000_000)
			for b.Loop() {
				u := copyCrowd(b, s, mailBytes, 1000, 0)
				b.ReportMetric(float64(u.records), "records")
				b.ReportMetric(float64(u.parts), "parts")
				b.ReportMetric(float64(u.bytes)/(1<<20), "MB-copy")
				b.ReportMetric(float64(u.peak)/(1<<20), "MB-peak")
				b.ReportMetric(float64(u.live)/(1<<20), "MB-live")
			}
		})
	}
}

// TestCopyOfManyRows bounds the heap all through a copy of a hundred thousand
// rows, which are 50 MB when they are read at once, in the largest mails that are
// usual: what is needed is little more than the part, and there are never 64 MB
// more than before, with what the collector has not found yet.
func TestCopyOfManyRows(t *testing.T) {
	const visits, most, beside = 100_000, 64 << 20, 8 << 20
	for _, store := range databases {
		t.Run(store, func(t *testing.T) {
			u := copyCrowd(t, crowd(t, store, visits), mailBytes, 500, 20_000)
			t.Logf("%+v", u)
			if u.records != visits+1 || u.peak == 0 || u.live == 0 {
				t.Errorf("%d records, and the heap was not looked at", u.records)
			}
			if u.peak > most || u.live > uint64(u.largest+beside) {
				t.Errorf("%d bytes at the peak, and %d were needed, want no more than %d and %d", u.peak, u.live, most, u.largest+beside)
			}
		})
	}
}

// TestCopyHoldsOnePart bounds what a large copy holds: with thirty thousand rows
// as with a million, one part of it, what makes that part, and a page of rows.
func TestCopyHoldsOnePart(t *testing.T) {
	const visits, part = 30_000, 1 << 20
	for _, store := range databases {
		t.Run(store, func(t *testing.T) {
			u := copyCrowd(t, crowd(t, store, visits), part, visits/10, 0)
			t.Logf("%+v", u)
			if u.records != visits+1 || u.parts < 2 {
				t.Errorf("%d records in %d parts", u.records, u.parts)
			}
			if mail := u.largest / 57 * 78; mail > part {
				t.Errorf("a part needs %d bytes of a mail", mail)
			}
			// The part itself, three compressors of a little over a MB each, the page.
			if most := uint64(part + 4<<20 + 1<<20); u.live > most {
				t.Errorf("%d bytes are held when a part is handed over, want %d or less", u.live, most)
			}
		})
	}
}
