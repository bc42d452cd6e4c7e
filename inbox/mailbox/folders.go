package mailbox

import (
	"context"
	"slices"
)

// Folders lists the names of the folders that fit a pattern, in which * stands
// for anything, in order.
func (s *Session) Folders(ctx context.Context, pattern string) ([]string, error) {
	var names []string
	err := s.do(ctx, "listing folders", func() error {
		found, err := s.client.List("", pattern, nil).Collect()
		for _, f := range found {
			names = append(names, f.Mailbox)
		}
		return err
	})
	slices.Sort(names)
	return names, err
}

// CreateFolder makes a folder. A server makes each name once: of two who ask
// at the same time one is refused.
func (s *Session) CreateFolder(ctx context.Context, name string) error {
	return s.do(ctx, "creating a folder", func() error { return s.client.Create(name, nil).Wait() })
}

// RenameFolder gives a folder another name.
func (s *Session) RenameFolder(ctx context.Context, from, to string) error {
	return s.do(ctx, "renaming a folder", func() error { return s.client.Rename(from, to, nil).Wait() })
}

// DeleteFolder removes a folder and what is in it.
func (s *Session) DeleteFolder(ctx context.Context, name string) error {
	return s.do(ctx, "deleting a folder", func() error { return s.client.Delete(name).Wait() })
}
