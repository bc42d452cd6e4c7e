package realmail

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Fill makes a user's mailbox anew, with these mails in its INBOX. They are
// written as files, past both servers: ten thousand of them take seconds.
// Nobody may be signed in to the mailbox meanwhile.
func (s *Servers) Fill(user string, mails iter.Seq2[[]byte, error]) error {
	local, domain, _ := strings.Cut(strings.ToLower(user), "@")
	dirs := []string{filepath.Join(s.dir, "mail", domain)}
	for _, name := range []string{local, "Maildir", "new"} {
		dirs = append(dirs, filepath.Join(dirs[len(dirs)-1], name))
	}
	box := dirs[len(dirs)-1]
	dirs = append(dirs, filepath.Join(filepath.Dir(box), "cur"), filepath.Join(filepath.Dir(box), "tmp"))
	if err := os.RemoveAll(filepath.Dir(box)); err != nil {
		return fmt.Errorf("emptying a mailbox: %w", err)
	}
	for _, dir := range dirs {
		if err := errors.Join(os.MkdirAll(dir, 0o755), os.Chown(dir, mailUID, mailUID)); err != nil {
			return fmt.Errorf("making a mailbox: %w", err)
		}
	}
	n, now := 0, time.Now().Unix()
	for raw, err := range mails {
		if n++; err != nil {
			return err
		}
		path := filepath.Join(box, fmt.Sprintf("%d.M%07dP%d.mail", now, n, os.Getpid()))
		if err := errors.Join(os.WriteFile(path, bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n")), 0o600), os.Chown(path, mailUID, mailUID)); err != nil {
			return fmt.Errorf("filling a mailbox: %w", err)
		}
	}
	return nil
}

// Delivered counts the mails that Postfix has delivered so far.
func (s *Servers) Delivered() (int, error) {
	f, err := os.Open(filepath.Join(s.dir, "postfix.log"))
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("reading the log of Postfix: %w", err)
	}
	defer f.Close()
	s.reading.Lock()
	defer s.reading.Unlock()
	if _, err := f.Seek(s.readTo, io.SeekStart); err != nil {
		return 0, fmt.Errorf("reading the log of Postfix: %w", err)
	}
	b, err := io.ReadAll(f)
	if err != nil {
		return 0, fmt.Errorf("reading the log of Postfix: %w", err)
	}
	whole := bytes.LastIndexByte(b, '\n') + 1
	s.readTo += int64(whole)
	s.delivered += bytes.Count(b[:whole], []byte("status=sent ("))
	return s.delivered, nil
}
