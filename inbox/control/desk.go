package control

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/review"
	"push.guru/supportd/inbox/staff"
	"push.guru/supportd/inbox/state"
)

// search finds cases. That somebody searched stands in the journal, and not what
// for.
func (s *Service) search(ctx context.Context, who string, c Call, _ io.Reader, put func(any) error) error {
	if err := s.Desk.Enter(ctx, review.Actor{Name: who, Role: staff.RoleAdmin}, staff.RightSee, "searched"); err != nil {
		return err
	}
	hits, err := s.Desk.Search(ctx, c.Text)
	for _, h := range hits {
		if err := put(h); err != nil {
			return err
		}
	}
	return err
}

func (s *Service) listAnswers(_ context.Context, _ string, _ Call, _ io.Reader, put func(any) error) error {
	all, err := s.Desk.SavedAnswers()
	for _, a := range all {
		if err := put(a); err != nil {
			return err
		}
	}
	return err
}

// changeAnswers keeps an answer, or drops one.
func (s *Service) changeAnswers(ctx context.Context, who string, c Call, _ io.Reader, put func(any) error) error {
	if err := administers(who, "change the saved answers"); err != nil {
		return err
	}
	name := strings.TrimSpace(c.Name)
	if c.Verb == "answers add" {
		if err := s.Desk.SaveAnswer(ctx, who, name, c.Language, c.Text); err != nil {
			return err
		}
		return put(Said{fmt.Sprintf("%q is kept in %s", name, c.Language)})
	}
	all, err := s.Desk.SavedAnswers()
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(all, func(a state.Saved) bool { return a.Name == name && a.Language == c.Language }) {
		return &inbox.Error{Err: fmt.Errorf("no answer %q is kept in %s", name, c.Language), Hint: `"supportd answers list" shows them`}
	}
	if err := s.Desk.DropAnswer(ctx, who, name, c.Language); err != nil {
		return err
	}
	return put(Said{fmt.Sprintf("%q is not kept in %s any more", name, c.Language)})
}
