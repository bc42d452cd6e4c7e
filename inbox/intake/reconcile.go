package intake

import (
	"context"
	"errors"
	"fmt"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/mailbox"
	"push.guru/supportd/inbox/state"
)

// Account is how one mailbox compares with the state.
type Account struct {
	Mailbox   string `json:"mailbox"`
	Server    int    `json:"server"`    // mails now in the folder
	Accounted int    `json:"accounted"` // of these: with a Mail, or from before the first run
	Filed     int    `json:"filed"`     // accounted and told to the server
	Gone      int    `json:"gone"`      // accounted, never filed, and no longer in the folder
}

// Reconcile compares every mailbox with the state. It changes nothing.
func (in *Intake) Reconcile(ctx context.Context) ([]Account, error) {
	var out []Account
	for i := range in.Sources {
		src := &in.Sources[i]
		a, err := in.reconcile(ctx, src)
		if err != nil {
			return out, fmt.Errorf("mailbox %s: %w", src.Name, err)
		}
		out = append(out, a)
	}
	return out, nil
}

func (in *Intake) reconcile(ctx context.Context, src *Source) (a Account, err error) {
	a.Mailbox = src.Name
	s, err := src.Connect(ctx)
	if err != nil {
		return a, err
	}
	defer s.Close()
	folder, err := s.Select(ctx, src.Folder)
	if err != nil {
		return a, err
	}
	uids, err := s.UIDs(ctx)
	if err != nil {
		return a, err
	}
	a.Server = len(uids)
	here := make(map[uint32]bool, len(uids))
	err = in.State.View(func(tx *state.Tx) error {
		f, _, err := tx.Folder(src.Name, src.Folder)
		if err != nil {
			return err
		}
		for _, uid := range uids {
			here[uid] = true
			ref := inbox.Ref{Mailbox: src.Name, Folder: src.Folder, UIDValidity: folder.UIDValidity, UID: uid}
			if _, ok := tx.MailByRef(ref); ok || f.UIDValidity == folder.UIDValidity && uid < f.Floor {
				a.Accounted++
			}
		}
		refs, err := tx.Unfiled(src.Name, src.Folder, folder.UIDValidity, 1<<30)
		for _, r := range refs {
			if !here[r.UID] {
				a.Gone++
			}
		}
		a.Filed = tx.CountFiled(src.Name)
		return err
	})
	return a, err
}

// Replay processes a mail again, from the server: one that was quarantined,
// held or ignored and has no open Action.
func (in *Intake) Replay(ctx context.Context, id inbox.MailID, who string) error {
	m, err := in.replayable(id)
	if err != nil {
		return err
	}
	raw, err := in.refetch(ctx, m)
	if err != nil {
		return err
	}
	p := in.prepare(ctx, *raw)
	p.anew = true
	if p.later != nil {
		return fmt.Errorf("replaying %s: %w", id, p.later)
	}
	p.raw.Ref = m.Ref
	if m.Digest != (inbox.Digest{}) && p.msg.Digest != m.Digest {
		return replaced(id)
	}
	err = in.State.Update(ctx, "replay", func(tx *state.Tx) error {
		m, err := tx.Mail(id)
		if err != nil {
			return err
		}
		m.Actions, m.Ended, m.Language, m.Digest = nil, time.Time{}, p.reading.Language, p.msg.Digest
		if err := tx.Journal("replay", who, id, 0, nil); err != nil {
			return err
		}
		if err := in.store(tx, p, m); err != nil {
			return err
		}
		m.State = inbox.MailDeferred // so that account takes it up
		if err := tx.PutMail(m); err != nil {
			return err
		}
		return in.account(tx, p)
	})
	in.Changed()
	return err
}

func (in *Intake) replayable(id inbox.MailID) (m *inbox.Mail, err error) {
	err = in.State.View(func(tx *state.Tx) error {
		if m, err = tx.Mail(id); err != nil {
			return err
		}
		switch m.State {
		case inbox.MailQuarantined, inbox.MailHeld, inbox.MailIgnored:
		default:
			return fmt.Errorf("%s is %s: %w", id, m.State, ErrReplay)
		}
		acts, err := tx.CaseActions(id)
		for _, a := range acts {
			if !a.State.Ended() {
				return fmt.Errorf("%s has open %s: %w", id, a.ID, ErrReplay)
			}
		}
		return err
	})
	return m, err
}

func (in *Intake) source(name string) *Source {
	for i := range in.Sources {
		if in.Sources[i].Name == name {
			return &in.Sources[i]
		}
	}
	return nil
}

// Raw gives a mail as the server has it, over a connection of its own. The error
// says when it is gone, when another stands in its place, and when it is larger
// than policy.max_message_bytes.
func (in *Intake) Raw(ctx context.Context, id inbox.MailID) (inbox.Raw, error) {
	var m *inbox.Mail
	err := in.State.View(func(tx *state.Tx) (err error) { m, err = tx.Mail(id); return err })
	if err != nil {
		return inbox.Raw{}, err
	}
	raw, err := in.refetch(ctx, m)
	switch {
	case err != nil:
		return inbox.Raw{}, err
	case raw.Bytes == nil:
		return inbox.Raw{}, fmt.Errorf("%s has %d bytes, more than policy.max_message_bytes: look at it with a mail program", id, raw.Size)
	}
	if m.Digest == (inbox.Digest{}) { // it could not be read when it came
		return *raw, nil
	}
	p := &prepared{raw: *raw}
	if in.look(p); p.msg.Digest != m.Digest {
		return inbox.Raw{}, replaced(id)
	}
	return *raw, nil
}

// replaced says that a mail is not the one that a Mail accounts for.
func replaced(id inbox.MailID) error {
	return fmt.Errorf("%s: another mail stands in its place on the server", id)
}

// refetch reads a mail from where it is now, over a connection of its own.
func (in *Intake) refetch(ctx context.Context, m *inbox.Mail) (*inbox.Raw, error) {
	src := in.source(m.Ref.Mailbox)
	if src == nil {
		return nil, fmt.Errorf("%s came from mailbox %q, which is not configured any more", m.ID, m.Ref.Mailbox)
	}
	s, err := src.Connect(ctx)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	var refused error
	for _, at := range []inbox.Ref{m.Where, m.Ref} {
		if at.UID == 0 {
			continue
		}
		folder, err := s.Select(ctx, at.Folder)
		var no *inbox.Error
		switch {
		case errors.As(err, &no) && !no.Temp: // renamed or removed since
			refused = err
			continue
		case err != nil:
			return nil, err
		case folder.UIDValidity != at.UIDValidity:
			continue
		}
		raw, err := fetchOne(ctx, s, folder, at.UID)
		if raw != nil || err != nil {
			return raw, err
		}
	}
	return nil, errors.Join(fmt.Errorf("%s is no longer on the server", m.ID), refused)
}

func fetchOne(ctx context.Context, s *mailbox.Session, folder mailbox.Folder, uid uint32) (*inbox.Raw, error) {
	var found *inbox.Raw
	err := s.Fetch(ctx, folder, []uint32{uid}, func(r inbox.Raw) error { found = &r; return nil })
	return found, err
}
