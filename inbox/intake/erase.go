package intake

import (
	"context"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/mailbox"
	"push.guru/supportd/inbox/policy"
	"push.guru/supportd/inbox/state"
)

// eraseMails is how many mails of deleted people one pass takes off the server.
const eraseMails = 200

// erase takes the mails of people whose account was deleted off the server: by
// UID, under the UIDVALIDITY that they were filed under, and no others. What
// cannot be reached any more is told to staff.
func (in *Intake) erase(ctx context.Context, src *Source, s *mailbox.Session) error {
	if !src.Erase || in.Mode == policy.Observe || !s.HasUIDPlus() || time.Now().Before(src.refused) {
		return nil
	}
	var due []state.Erasing
	err := in.State.View(func(tx *state.Tx) error {
		if due = tx.ToErase(src.Name, "", 1); len(due) > 0 {
			due = tx.ToErase(src.Name, due[0].Ref.Folder, eraseMails)
		}
		return nil
	})
	if err != nil || len(due) == 0 {
		return err
	}
	name := due[0].Ref.Folder
	folder, err := s.Select(ctx, name)
	if err != nil && (ctx.Err() != nil || inbox.IsTemporary(err)) {
		return err
	}
	reachable := err == nil
	var uids []uint32
	for _, e := range due {
		if reachable && e.Ref.UIDValidity == folder.UIDValidity {
			uids = append(uids, e.Ref.UID)
		}
	}
	var refused error
	if len(uids) > 0 {
		refused = s.Expunge(ctx, uids)
	}
	if err := in.allow(src, refused); err != nil {
		return err
	}
	if refused != nil {
		return in.back(ctx, src, s, name)
	}
	in.Log.Info("intake: mails of deleted people were expunged", "mailbox", src.Name, "folder", name, "mails", len(uids), "out of reach", len(due)-len(uids))
	err = in.State.Update(ctx, "erased mails", func(tx *state.Tx) error {
		for _, e := range due {
			if err := in.erased(tx, e, reachable && e.Ref.UIDValidity == folder.UIDValidity); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return in.back(ctx, src, s, name)
}

// back selects the folder that people write to again, after another.
func (in *Intake) back(ctx context.Context, src *Source, s *mailbox.Session, from string) error {
	if from == src.Folder {
		return nil
	}
	_, err := s.Select(ctx, src.Folder)
	return err
}

// erased notes what came of one mail.
func (in *Intake) erased(tx *state.Tx, e state.Erasing, done bool) error {
	if done {
		return tx.ErasedMail(e, "mail expunged")
	}
	if err := tx.ErasedMail(e, "mail not expunged"); err != nil {
		return err
	}
	return in.Cases.Notify(tx, "a mail of somebody whose account was deleted cannot be found on the server any more, and may still be there: take it away by hand", e.Mail)
}

// refsEach is how many refs of a folder are looked at when all of it is listed.
const refsEach = 10_000

// forgetRefs forgets refs of mails whose records were dropped and that are not
// in the folder any more. uids are all that are there now, in order.
func (in *Intake) forgetRefs(ctx context.Context, src *Source, folder mailbox.Folder, uids []uint32) error {
	here := make(map[uint32]bool, len(uids))
	for _, uid := range uids {
		here[uid] = true
	}
	from, ok := src.refs[folder.Name]
	if !ok {
		from = inbox.Ref{Mailbox: src.Name, Folder: folder.Name}
	}
	var gone []inbox.Ref
	err := in.State.View(func(tx *state.Tx) error {
		gone, from = tx.ForgetRefs(from, folder.UIDValidity, func(uid uint32) bool { return here[uid] }, refsEach)
		return nil
	})
	if err != nil {
		return err
	}
	if src.refs == nil {
		src.refs = make(map[string]inbox.Ref)
	}
	src.refs[folder.Name] = from
	if len(gone) == 0 {
		return nil
	}
	return in.State.Update(ctx, "forget refs", func(tx *state.Tx) error { return tx.DropRefs(gone) })
}
