package mailtest

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
)

// Search finds mails by number, flag, date, size and text. Text is looked for
// in the mail as it lies there, without decoding.
func (s *session) Search(kind imapserver.NumKind, criteria *imap.SearchCriteria, _ *imap.SearchOptions) (*imap.SearchData, error) {
	if err := s.fault(StageSearch); err != nil {
		return nil, err
	}
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	var seqs imap.SeqSet
	var uids imap.UIDSet
	data := &imap.SearchData{}
	for i, uid := range s.view.known {
		p := picked{uint32(i + 1), s.view.folder.get(uid)}
		if p.mail == nil || !s.view.matches(p, criteria) {
			continue
		}
		n := p.seq
		if kind == imapserver.NumKindUID {
			n = uint32(uid)
		}
		seqs.AddNum(p.seq)
		uids.AddNum(uid)
		if data.Min == 0 {
			data.Min = n
		}
		data.Max = n
		data.Count++
	}
	data.All = seqs
	if kind == imapserver.NumKindUID {
		data.All = uids
	}
	return data, nil
}

func (v *view) matches(p picked, c *imap.SearchCriteria) bool {
	for _, set := range c.SeqNum {
		if !v.contains(set)(p.seq, p.mail.uid) {
			return false
		}
	}
	for _, set := range c.UID {
		if !v.contains(set)(p.seq, p.mail.uid) {
			return false
		}
	}
	lacks := func(f imap.Flag) bool { return !hasFlag(p.mail.flags, f) }
	has := func(f imap.Flag) bool { return hasFlag(p.mail.flags, f) }
	if slices.ContainsFunc(c.Flag, lacks) || slices.ContainsFunc(c.NotFlag, has) {
		return false
	}
	if !p.mail.dated(c.Since, c.Before) || !p.mail.dated(c.SentSince, c.SentBefore) || !p.mail.says(c) {
		return false
	}
	size := int64(len(p.mail.bytes))
	if c.Larger > 0 && size <= c.Larger || c.Smaller > 0 && size >= c.Smaller {
		return false
	}
	for i := range c.Not {
		if v.matches(p, &c.Not[i]) {
			return false
		}
	}
	for i := range c.Or {
		if !v.matches(p, &c.Or[i][0]) && !v.matches(p, &c.Or[i][1]) {
			return false
		}
	}
	return true
}

// dated compares days only, as IMAP does. The day that a mail was sent is
// taken to be the day that it arrived.
func (m *stored) dated(since, before time.Time) bool {
	y, month, d := m.at.Date()
	day := time.Date(y, month, d, 0, 0, 0, 0, time.UTC)
	return (since.IsZero() || !day.Before(since)) && (before.IsZero() || day.Before(before))
}

func (m *stored) says(c *imap.SearchCriteria) bool {
	head, body, _ := bytes.Cut(m.bytes, []byte("\r\n\r\n"))
	for _, h := range c.Header {
		if !headerSays(string(head), h.Key, h.Value) {
			return false
		}
	}
	missing := func(in []byte) func(string) bool {
		low := bytes.ToLower(in)
		return func(s string) bool { return !bytes.Contains(low, bytes.ToLower([]byte(s))) }
	}
	return !slices.ContainsFunc(c.Body, missing(body)) && !slices.ContainsFunc(c.Text, missing(m.bytes))
}

func headerSays(head, key, value string) bool {
	head = strings.NewReplacer("\r\n ", " ", "\r\n\t", " ").Replace(head)
	for line := range strings.SplitSeq(head, "\r\n") {
		k, v, ok := strings.Cut(line, ":")
		if ok && strings.EqualFold(k, key) && strings.Contains(strings.ToLower(v), strings.ToLower(value)) {
			return true
		}
	}
	return false
}
