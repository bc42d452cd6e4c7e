package review

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/cases"
	"push.guru/supportd/inbox/journal"
	"push.guru/supportd/inbox/state"
)

// site is a user store of one person, of whom phone and gender were deleted.
type site struct {
	held map[inbox.Field]string // now
	jobs []inbox.Job            // performed
}

func (s *site) Remains(_ context.Context, job inbox.Job) (rest inbox.Remains, err error) {
	for _, f := range job.Request.Fields {
		switch v := s.held[f]; {
		case v == "":
		case job.Took(f, v):
			rest.Left = append(rest.Left, inbox.Step{Place: "profile", Field: f, Op: inbox.StepClear})
		default:
			rest.LeftAlone = append(rest.LeftAlone, f)
		}
	}
	rest.Address, rest.Key, rest.Digest = "ann@users.test", "again", "digest of what is left"
	return rest, nil
}

func (s *site) Perform(_ context.Context, job inbox.Job) (inbox.Outcome, error) {
	s.jobs = append(s.jobs, job)
	return inbox.Outcome{}, nil
}

// TestReapplyValues: of a delete of fields that is repeated it is told which
// fields were left alone, whether it is done or only looked at; what is done is
// what was found to be left, and no value is kept or noted.
func TestReapplyValues(t *testing.T) {
	const phone, gender = inbox.FieldPhone, inbox.FieldGender
	for _, c := range []struct {
		held      map[inbox.Field]string
		dry, done Result
		alone     []inbox.Field
	}{
		{nil, ResultAlready, ResultAlready, nil},
		{map[inbox.Field]string{phone: "+77010000001", gender: "female"}, ResultDue, ResultReapplied, nil},
		{map[inbox.Field]string{phone: "+77010000002", gender: "female"}, ResultDue, ResultReapplied, []inbox.Field{phone}},
		{map[inbox.Field]string{phone: "+77010000002", gender: "male"}, ResultValue, ResultValue, []inbox.Field{phone, gender}},
		{map[inbox.Field]string{gender: "+77010000001"}, ResultValue, ResultValue, []inbox.Field{gender}},
	} {
		t.Run(fmt.Sprint(c.held), func(t *testing.T) {
			db := withDelete(t)
			for _, dry := range []bool{true, false} {
				s, want := &site{held: c.held}, c.done
				if dry {
					want = c.dry
				}
				d := New(Config{State: db, Cases: cases.New(cases.Config{}), Eraser: s, KeepDeleted: time.Hour})
				var told []Repetition
				err := d.Reapply(t.Context(), "staff", time.Now().Add(-time.Minute), dry, func(r Repetition) error { told = append(told, r); return nil })
				if err != nil || len(told) != 1 || told[0].Result != want || !slices.Equal(told[0].LeftAlone, c.alone) {
					t.Fatalf("dry %t: told %+v, %v; want %s", dry, told, err, want)
				}
				if acted := want == ResultReapplied; acted != (len(s.jobs) == 1) || acted && (s.jobs[0].EffectKey != "again" || s.jobs[0].Digest != "digest of what is left" || s.jobs[0].Took == nil) {
					t.Errorf("dry %t: performed %+v", dry, s.jobs)
				}
				notes := noted(t, db)
				if dry && notes != "" || strings.Contains(notes, "+7701") || strings.Contains(notes, "female") {
					t.Errorf("dry %t: noted\n%s", dry, notes)
				}
				if left := strings.Contains(notes, `"left_alone":`); !dry && left != (c.alone != nil) {
					t.Errorf("noted\n%s", notes)
				}
			}
		})
	}
}

// withDelete gives a state that keeps one delete.
func withDelete(t *testing.T) *state.DB {
	t.Helper()
	db, err := state.Open(state.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	err = db.Update(t.Context(), "test", func(tx *state.Tx) error {
		return tx.AddDeleted(&state.Deleted{Action: 1, Effect: "first", Kind: inbox.KindDelete, Scope: inbox.ScopeFields, Person: "1",
			Fields: []inbox.Field{inbox.FieldPhone, inbox.FieldGender}}, "ann@users.test",
			[]inbox.Step{{Field: inbox.FieldPhone, Op: inbox.StepClear, Old: "+77010000001"}, {Field: inbox.FieldGender, Op: inbox.StepClear, Old: "female"}})
	})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// noted gives the journal as text.
func noted(t *testing.T, db *state.DB) string {
	t.Helper()
	var b strings.Builder
	err := db.View(func(tx *state.Tx) error {
		return tx.EachEntry(1, func(e journal.Entry, detail []byte) error {
			fmt.Fprintln(&b, e.What, string(detail))
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}
