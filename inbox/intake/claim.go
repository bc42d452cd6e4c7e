package intake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/mailbox"
	"push.guru/supportd/inbox/policy"
)

// claim is the sign by which a supportd tells others, which have another state,
// that it works on a folder: an empty folder beside it, whose name says whose it
// is. A server makes folders one after the other and shows what it has made; so
// who puts up a claim and then sees no other is alone.
type claim struct {
	stem     string // what all claims to the same folder begin with
	instance string // of the state
	epoch    uint64 // a later one of the same state is a restored copy of it
}

const claimWord = "supportd-claim-"

func (in *Intake) claimTo(folder string) claim {
	sum := sha256.Sum256([]byte(folder))
	return claim{claimWord + hex.EncodeToString(sum[:4]) + "-", in.State.Instance()[:12], in.State.Epoch()}
}

func (c claim) name() string { return c.stem + c.instance + "-" + strconv.FormatUint(c.epoch, 10) }

// is tells whether a folder is this very claim.
func (c claim) is(name string) bool { return strings.HasSuffix(name, c.name()) }

// read reads a claim to the same folder; ok is false for any other name.
func (c claim) read(name string) (other claim, ok bool) {
	i := strings.LastIndex(name, c.stem)
	if i < 0 {
		return other, false
	}
	instance, epoch, ok := strings.Cut(name[i+len(c.stem):], "-")
	n, err := strconv.ParseUint(epoch, 10, 64)
	return claim{c.stem, instance, n}, ok && err == nil
}

// mine tells whether a claim is of this state, or of one that it came from.
func (c claim) mine(name string) bool {
	other, ok := c.read(name)
	return ok && other.instance == c.instance && other.epoch <= c.epoch
}

// claim makes sure that no other supportd works on the folder. It returns an
// error while one does. Where the server lets nobody make folders, nobody can
// know; that is logged.
func (in *Intake) claim(ctx context.Context, src *Source, s *mailbox.Session) error {
	if in.Mode == policy.Observe {
		return nil // nothing is sent, and nothing is changed on the server
	}
	c := in.claimTo(src.Folder)
	found, err := s.Folders(ctx, "*"+c.stem+"*")
	if err == nil && len(found) == 0 {
		found, err = in.putUp(ctx, s, c, root(src.Filed)+c.name())
	}
	if mailbox.Refused(err) {
		in.Log.Warn("intake: the mailbox cannot be claimed: make sure that no other supportd works on it", "mailbox", src.Name, "err", err)
		err, found = nil, nil
	}
	if err != nil {
		return err
	}
	for _, name := range found {
		if !c.mine(name) {
			return c.taken(name)
		}
		if !c.is(name) { // from before this state was restored
			if err := s.RenameFolder(ctx, name, strings.TrimSuffix(name, name[strings.LastIndex(name, c.stem):])+c.name()); err != nil {
				return err
			}
		}
	}
	src.claimed = time.Now()
	return nil
}

// putUp puts up a claim, and looks who else has done so at the same time. Then
// both take theirs down, and come again. What counts is what the server shows:
// it may say no to what it does.
func (in *Intake) putUp(ctx context.Context, s *mailbox.Session, c claim, name string) ([]string, error) {
	made := s.CreateFolder(ctx, name)
	if made != nil && !mailbox.Refused(made) {
		return nil, made
	}
	found, err := s.Folders(ctx, "*"+c.stem+"*")
	if err != nil {
		return nil, err
	}
	up := made == nil || slices.ContainsFunc(found, c.is)
	switch others := slices.ContainsFunc(found, func(f string) bool { return !c.mine(f) }); {
	case up && others:
		return found, s.DeleteFolder(ctx, name)
	case !up && !others:
		return nil, made
	}
	return found, nil
}

// taken is the error of a folder that another works on.
func (c claim) taken(name string) error {
	why := "another supportd, with another state, works on this mailbox"
	if other, ok := c.read(name); ok && other.instance == c.instance {
		why = "a restored copy of this state has taken this mailbox over"
	}
	return &inbox.Error{Err: fmt.Errorf("%s: it has made the folder %s", why, name), Temp: true,
		Hint: "stop one of them; when the other is gone for good, delete that folder"}
}

// root is what the server wants before the names of folders, as far as the
// configured one shows it.
func root(filed string) string {
	for _, prefix := range []string{"INBOX.", "INBOX/"} {
		if strings.HasPrefix(filed, prefix) {
			return prefix
		}
	}
	return ""
}
