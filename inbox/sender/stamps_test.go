package sender

import (
	"slices"
	"testing"
)

func TestStamps(t *testing.T) {
	const raw = "Authentication-Results: Top.test 1;\r\n spf=pass; dmarc=Pass header.from=a.test\r\n" +
		"Received: by one\r\n" +
		"Authentication-Results: two.test; dmarc=pass header.from=a.test; dmarc=fail header.from=b.test\r\n" +
		"Received: by two\r\n" +
		"X-Authentication-Results: three.test; dmarc=pass\r\n" +
		"Authentication-Results: (broken; dmarc=pass\r\n" +
		"Authentication-Results: four.test; none\r\n" +
		"\r\n" +
		"Authentication-Results: five.test; dmarc=pass\r\n"
	got, err := Stamps([]byte(raw))
	want := []Stamp{
		{"Top.test", " Top.test 1; spf=pass; dmarc=Pass header.from=a.test", 0, "pass"},
		{"two.test", " two.test; dmarc=pass header.from=a.test; dmarc=fail header.from=b.test", 1, ""},
		{"", " (broken; dmarc=pass", 2, ""},
		{"four.test", " four.test; none", 2, ""},
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	if got, err := Stamps([]byte("Subject: no end")); err == nil {
		t.Errorf("a header without an end has the stamps %+v", got)
	}
}
