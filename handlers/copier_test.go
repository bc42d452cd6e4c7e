package handlers

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/inbox"
)

// noisy gives records that no compressor makes small.
func noisy(n int) []users.Record {
	r := rand.New(rand.NewPCG(1, 2))
	out := []users.Record{{Place: datamap.PlaceProfile, Columns: []string{"id"}, Values: []string{"17"}}}
	for i := range n {
		out = append(out, users.Record{Place: datamap.PlaceVisits, Columns: []string{"page", "cookie"},
			Values: []string{strconv.Itoa(i), fmt.Sprintf("%016x%016x", r.Uint64(), r.Uint64())}})
	}
	return out
}

// TestCopyInParts: a copy that no mail can carry comes in parts, each of which
// fits and can be read by itself, and nothing is missing or there twice.
func TestCopyInParts(t *testing.T) {
	const records, mail = 60000, 2 << 20
	h := open(t)
	h.script().records = noisy(records)
	h.copies.PartBytes = mail
	job := h.job("k-1", inbox.Request{Kind: inbox.KindCopy}, false)
	job.Past = past
	h.perform(job)
	if len(h.sent) < 3 {
		t.Fatalf("the copy has %d parts", len(h.sent))
	}
	var visits, numbers []string
	for i, f := range h.sent {
		if size := len(f) * 78 / 57; size > mail {
			t.Errorf("part %d needs %d bytes of a mail", i+1, size)
		}
		files := unzip(t, f)
		var got struct {
			Profile map[string]any
			Visits  []map[string]string
			Cases   []inbox.PastCase
		}
		if err := json.Unmarshal([]byte(files["data.json"]), &got); err != nil {
			t.Fatal(err)
		}
		if first, last := i == 0, i == len(h.sent)-1; (got.Profile != nil) != first || (got.Cases != nil) != last {
			t.Errorf("part %d of %d has profile %v and %d cases", i+1, len(h.sent), got.Profile, len(got.Cases))
		}
		for _, v := range got.Visits {
			visits = append(visits, v["page"])
		}
		rows, err := csv.NewReader(strings.NewReader(files["data.csv"])).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			if r[0] == datamap.PlaceVisits && r[2] == "page" {
				numbers = append(numbers, r[1])
			}
		}
		if page := files["data.html"]; strings.Contains(page, fmt.Sprintf("This is part %d ", i+1)) != (i > 0) || !strings.HasSuffix(page, "</html>\n") {
			t.Errorf("the page of part %d begins %q", i+1, page[:200])
		}
	}
	if len(visits) != records || len(numbers) != records {
		t.Fatalf("%d records as JSON, %d as CSV, want %d", len(visits), len(numbers), records)
	}
	for i := range records {
		if visits[i] != strconv.Itoa(i) || numbers[i] != strconv.Itoa(i+1) {
			t.Fatalf("record %d is %s as JSON, %s as CSV", i, visits[i], numbers[i])
		}
	}
}

// TestCopyOfTooManyParts: what would be too many mails is for staff.
func TestCopyOfTooManyParts(t *testing.T) {
	h := open(t)
	h.script().records = noisy(60000)
	h.copies.PartBytes, h.copies.MaxParts = 2<<20, 2
	job := h.job("k-1", inbox.Request{Kind: inbox.KindCopy}, false)
	_, err := h.Perform(t.Context(), job)
	if err == nil || inbox.IsTemporary(err) || !strings.Contains(err.Error(), "more than 2 mails of 2097152 bytes") || !strings.Contains(err.Error(), "smtp.max_parts") {
		t.Errorf("Perform: %v, want a permanent error that names the limit", err)
	}
}

// TestCopyOfLargeRecords: a record that does not fit beside what is there comes
// in the next part, and one that fits no mail is for staff, before any is sent
// that no server takes.
func TestCopyOfLargeRecords(t *testing.T) {
	const mail = 4 << 20
	noise := func(size int) string {
		b := make([]byte, size/2)
		rand.NewChaCha8([32]byte{1}).Read(b)
		return fmt.Sprintf("%x", b)
	}
	for name, c := range map[string]struct {
		sizes []int
		parts int // 0: refused
	}{
		// As hexadecimal digits, three times, and in Base64: about twice what it was.
		"one that fits alone":       {[]int{1_500_000}, 2},
		"small ones and large ones": {[]int{1000, 1_500_000, 1000, 1_500_000, 1_500_000}, 4},
		"one that fits no mail":     {[]int{1000, 3_000_000}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t)
			s := h.script()
			s.records = []users.Record{{Place: datamap.PlaceProfile, Columns: []string{"id"}, Values: []string{"17"}}}
			for _, size := range c.sizes {
				s.records = append(s.records, users.Record{Place: datamap.PlaceVisits, Columns: []string{"page"}, Values: []string{noise(size)}})
			}
			h.copies.PartBytes = mail
			job := h.job("k-1", inbox.Request{Kind: inbox.KindCopy}, false)
			_, err := h.Perform(t.Context(), job)
			for i, f := range h.sent {
				if size := len(f) / 57 * 78; size > mail {
					t.Errorf("part %d needs %d bytes of a mail", i+1, size)
				}
			}
			switch {
			case c.parts == 0 && (err == nil || inbox.IsTemporary(err) || !strings.Contains(err.Error(), `"visits"`) || !strings.Contains(err.Error(), "smtp.max_reply_bytes")):
				t.Errorf("Perform: %v, want a permanent error that names the place and the limit", err)
			case c.parts > 0 && (err != nil || len(h.sent) != c.parts):
				t.Errorf("%d parts, want %d; %v", len(h.sent), c.parts, err)
			}
		})
	}
}
