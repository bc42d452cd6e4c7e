package intake

import (
	"context"
	"errors"
	"maps"

	"push.guru/supportd/inbox/mailbox"
	"push.guru/supportd/inbox/state"
)

// recall takes what is on record of the suspects of a folder in place of what
// was known of them.
func (src *Source) recall(folder string, suspects map[uint32]int) {
	if src.suspects == nil {
		src.suspects, src.poisoned = make(map[spot]bool), make(map[spot]int)
	}
	maps.DeleteFunc(src.suspects, func(at spot, _ bool) bool { return at.folder == folder })
	maps.DeleteFunc(src.poisoned, func(at spot, _ int) bool { return at.folder == folder })
	for uid, n := range suspects {
		at := spot{folder, uid}
		src.suspects[at] = true
		if n > 0 {
			src.poisoned[at] = n
		}
	}
}

// remember puts the suspects of a folder on record: the program may be
// restarted before one of them was asked for often enough.
func (in *Intake) remember(ctx context.Context, src *Source, folder mailbox.Folder) error {
	suspects := make(map[uint32]int)
	for at := range src.suspects {
		if at.folder == folder.Name {
			suspects[at.uid] = src.poisoned[at]
		}
	}
	var f state.Folder
	err := in.State.View(func(tx *state.Tx) (err error) { f, _, err = tx.Folder(src.Name, folder.Name); return err })
	if err != nil || maps.Equal(f.Suspects, suspects) {
		return err
	}
	return in.State.Update(ctx, "suspects", func(tx *state.Tx) error {
		f, _, err := tx.Folder(src.Name, folder.Name)
		if err != nil {
			return err
		}
		f.Suspects = suspects
		return tx.PutFolder(src.Name, folder.Name, f)
	})
}

// join is errors.Join that leaves a single error as it is.
func join(err, other error) error {
	if other == nil {
		return err
	}
	return errors.Join(err, other)
}
