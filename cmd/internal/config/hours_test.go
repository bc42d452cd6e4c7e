package config

import (
	"testing"
	"time"
)

func TestHours(t *testing.T) {
	for _, c := range []struct{ hours, in, out string }{
		{"02:00-05:00", "02:00 03:30 04:59", "01:59 05:00 14:00"},
		{"22:30-01:00", "22:30 23:59 00:00 00:59", "22:29 01:00 12:00"},
		{"", "", "00:00 02:00 12:00"},
	} {
		h, err := ParseHours(c.hours)
		if err != nil {
			t.Fatal(err)
		}
		for text, want := range map[string]bool{c.in: true, c.out: false} {
			for len(text) > 0 {
				at, err := time.Parse("15:04", text[:5])
				if err != nil {
					t.Fatal(err)
				}
				if h.Has(at) != want {
					t.Errorf("%s has %s: %t", c.hours, text[:5], !want)
				}
				if text = text[5:]; text != "" {
					text = text[1:]
				}
			}
		}
	}
	for _, bad := range []string{"2-5", "02:00", "02:00-02:00", "02:00-25:00", "02:00-05:00 ", "night"} {
		if h, err := ParseHours(bad); err == nil {
			t.Errorf("%q is taken for %v", bad, h)
		}
	}
}
