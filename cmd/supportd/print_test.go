package main

import (
	"strings"
	"testing"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/review"
)

// TestPrintErasure: staff see of each column what becomes of it, and what is
// kept of which.
func TestPrintErasure(t *testing.T) {
	var v review.ActionDetail
	v.Plan = inbox.Plan{
		Steps: []inbox.Step{{Place: "profile", Op: inbox.StepRemove}, {Place: "orders", Field: "street", Op: inbox.StepBlank, New: "null"},
			{Place: "orders", Field: "name", Op: inbox.StepBlank, New: "=gone\x1b[31m"}, {Place: "newsletter", Field: "email", Op: inbox.StepReaddress}},
		Keeps: []inbox.Keep{{Place: "orders", Field: "total", Why: "tax law", Until: "2031-12-31"}, {Place: "invoices", Why: "tax law"}, {Place: "tokens"}},
	}
	var b strings.Builder
	if err := printAction(&b, v, clock{time.UTC}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"plan       remove profile\n", "plan       blank orders.street: null\n", "plan       blank orders.name: =gone[31m\n",
		"kept       orders.total: tax law; until: 2031-12-31\n", "kept       invoices: tax law\n",
		"plan       readdress newsletter\n", "kept       tokens\n"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}
