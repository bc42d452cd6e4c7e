package main

import (
	"bytes"
	"os"
	"testing"
	"time"

	"push.guru/supportd/inbox/intake"
)

func TestBar(t *testing.T) {
	p := intake.Progress{Mailbox: "support", Done: 50_000, Total: 100_000, Took: 100 * time.Second}
	if got, want := drawn(p), "\r\x1b[K[###############...............] support: 50 %, 50000 of 100000 mails, 500 a second, 1m40s left"; got != want {
		t.Errorf("%q", got)
	}
	p.Done = p.Total
	if got := drawn(p); got[len(got)-1] != '\n' {
		t.Errorf("the end is not a line: %q", got)
	}
}

// What is no terminal gets no bar.
func TestNoBarInAFile(t *testing.T) {
	f, err := os.Create(t.TempDir() + "/log")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if bar(f) != nil || bar(&bytes.Buffer{}) != nil {
		t.Error("a file has a bar")
	}
}
