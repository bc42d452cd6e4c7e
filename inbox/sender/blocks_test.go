package sender

import (
	"bytes"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"push.guru/supportd/inbox"
)

// blockSizes is a writer that keeps what it gets, and how it got it.
type blockSizes struct {
	bytes.Buffer
	sizes []int
	ends  string // the last byte of each block
}

func (w *blockSizes) Write(p []byte) (int, error) {
	w.sizes, w.ends = append(w.sizes, len(p)), w.ends+string(p[len(p)-1])
	return w.Buffer.Write(p)
}

func TestBlocks(t *testing.T) {
	lines := strings.Repeat("A line of a text.\r\n", 20000)
	run := strings.Repeat("\r\n", 100000)
	tests := []struct {
		name  string
		body  string
		most  int // octets of a block
		count int // of blocks
	}{
		{"nothing", "", 0, 0},
		{"a little", "x", 1, 1},
		{"lines", lines, blockSize + 2, 6},
		{"one line", strings.Repeat("x", 4*blockSize), blockSize, 4},
		{"line ends only", run, len(run), 1},
		{"line ends in the middle", lines + run + lines, len(run) + blockSize, 13},
		{"LF only", strings.ReplaceAll(run, "\r", ""), len(run) / 2, 1},
		{"CR only", strings.ReplaceAll(run, "\n", ""), len(run) / 2, 1},
	}
	for _, test := range tests {
		var w blockSizes
		r := &blocks{rest: []byte(test.body)}
		if n, err := io.Copy(&w, r); err != nil || n != int64(len(test.body)) || w.String() != test.body {
			t.Errorf("%s: %d of %d octets, %v", test.name, n, len(test.body), err)
		}
		for i, size := range w.sizes {
			if last := i == len(w.sizes)-1; size > test.most || !last && strings.Contains("\r\n", w.ends[i:i+1]) {
				t.Errorf("%s: block %d has %d octets and ends with %q", test.name, i, size, w.ends[i])
			}
		}
		if len(w.sizes) > test.count {
			t.Errorf("%s: %d blocks, want %d", test.name, len(w.sizes), test.count)
		}
	}
}

// TestLargeBody bounds what five signatures of a large mail allocate: the
// library makes two copies of each block for each of them, and nothing here
// copies the body as a whole.
func TestLargeBody(t *testing.T) {
	body := strings.Repeat("A line of a text that is signed.\r\n", 256<<10)
	for _, form := range []dkim.Canonicalization{dkim.CanonicalizationRelaxed, dkim.CanonicalizationSimple} {
		raw := plain + "x\r\n"
		for range maxSignatures {
			raw = signWith(t, raw, &dkim.SignOptions{Domain: "victim.org", HeaderKeys: usual, HeaderCanonicalization: form, BodyCanonicalization: form})
		}
		raw += body // no signature fits any more, and all of it has to be read to see that
		z := newZone("victim.org")
		c := checker(t, Config{DKIM: true, MaxAge: time.Hour, LookupTXT: z.LookupTXT})
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		e := evidence(t, c, raw, alice)
		runtime.ReadMemStats(&after)
		if e.Level != inbox.LevelNone || !strings.Contains(e.Why, "body hash") || len(z.asked) != maxSignatures {
			t.Errorf("%s: %s, %q, asked %d times", form, e.Level, e.Why, len(z.asked))
		}
		got := float64(after.TotalAlloc-before.TotalAlloc) / float64(len(raw))
		t.Logf("%s: %d signatures of a mail of %d octets allocated %.1f times its size", form, maxSignatures, len(raw), got)
		if got > 2.5*maxSignatures {
			t.Errorf("%s: allocated %.1f times the size of the mail", form, got)
		}
	}
}
