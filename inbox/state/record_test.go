package state

import (
	"encoding/json"
	"strings"
	"testing"
)

// What was stored as JSON, before a record had its own form, is read the same.
func TestRecordsOfBeforeAreRead(t *testing.T) {
	type plain struct{ Name string }
	old, err := json.Marshal(record[plain]{Plain: plain{"Alice"}, Sealed: []byte{0, 1, 0xFF}})
	if err != nil {
		t.Fatal(err)
	}
	now, err := encode(plain{"Alice"}, []byte{0, 1, 0xFF})
	if err != nil {
		t.Fatal(err)
	}
	for _, stored := range [][]byte{old, now} {
		var got plain
		sealed, err := decode(stored, &got)
		if err != nil || got.Name != "Alice" || string(sealed) != "\x00\x01\xFF" {
			t.Errorf("%q gives %v and %q: %v", stored, got, sealed, err)
		}
		if sealed, err := sealedPart(stored); err != nil || string(sealed) != "\x00\x01\xFF" {
			t.Errorf("the sealed part of %q is %q: %v", stored, sealed, err)
		}
	}
}

// However a record is cut short, it is an error and no panic.
func TestDamagedRecords(t *testing.T) {
	whole, err := encode(map[string]string{"name": strings.Repeat("x", 300)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(whole) {
		var got map[string]string
		if _, err := decode(whole[:n], &got); err == nil {
			t.Errorf("the first %d of %d bytes are read", n, len(whole))
		}
	}
}
