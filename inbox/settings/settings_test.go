package settings

import "testing"

func TestNearest(t *testing.T) {
	known := []string{"name", "languages", "region", "account_url", "keep"}
	for word, want := range map[string]string{
		"langauges": "languages", "nmae": "name", "account-url": "account_url", "accounturl": "account_url", "zzz": "", "x": "", "region": "region",
	} {
		if got := Nearest(word, known); got != want {
			t.Errorf("%s: got %q, want %q", word, got, want)
		}
	}
}
