package mailtest

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/emersion/go-imap/v2"
)

// The stages at which a script of faults is asked.
const (
	StageConnect = "CONNECT" // SMTP: before the greeting
	StageAuth    = "AUTH"    // SMTP: the password is right; who is the user
	StageMail    = "MAIL"    // SMTP: who is the envelope's sender
	StageRcpt    = "RCPT"    // SMTP: who is the recipient, from here on the first one
	StageData    = "DATA"    // SMTP: in place of 354
	StageBody    = "BODY"    // SMTP: after the first line of the mail
	StageDot     = "DOT"     // SMTP: after the final dot, before the mail is taken
	StageTaken   = "TAKEN"   // SMTP: the mail is taken, the 250 not yet written

	StageLogin   = "IMAP LOGIN" // IMAP: the password is right; who is the user, here and below
	StageSelect  = "IMAP SELECT"
	StageFetch   = "IMAP FETCH"
	StageSearch  = "IMAP SEARCH"
	StageStore   = "IMAP STORE"
	StageCopy    = "IMAP COPY"
	StageMove    = "IMAP MOVE"
	StageExpunge = "IMAP EXPUNGE"
	StageAppend  = "IMAP APPEND"
	StageCreate  = "IMAP CREATE"
)

// What a script returns for a fault that is no answer.
var (
	// ErrHangUp closes the connection without an answer. At StageTaken the
	// mail is kept, and the client cannot know.
	ErrHangUp = errors.New("the server hangs up")
	// ErrSilence keeps the connection open and never answers.
	ErrSilence = errors.New("the server falls silent")
	// ErrOverQuota is IMAP's NO [OVERQUOTA]: the mailbox is full.
	ErrOverQuota = error(&imap.Error{Type: imap.StatusResponseTypeNo, Code: imap.ResponseCodeOverQuota, Text: "Quota exceeded (mailbox for user is full)"})
	// ErrExists is IMAP's NO [ALREADYEXISTS]. At StageCreate the folder is made
	// all the same, as Dovecot does while another session lists the folders.
	ErrExists = error(&imap.Error{Type: imap.StatusResponseTypeNo, Code: imap.ResponseCodeAlreadyExists, Text: "Mailbox already exists"})
	// ErrBad is IMAP's BAD: the server does not know the command.
	ErrBad = error(&imap.Error{Type: imap.StatusResponseTypeBad, Text: "Unknown command"})
)

// Refusal is a reply of the SMTP server. In IMAP it is a NO.
type Refusal struct {
	Code int    // 4xx or 5xx
	Text string // with the enhanced status code in front
}

// Error gives the reply as it is written to the client.
func (r *Refusal) Error() string { return fmt.Sprintf("%d %s", r.Code, r.Text) }

// Refuse gives the error that makes the server answer with code and text.
func Refuse(code int, text string) error { return &Refusal{Code: code, Text: text} }

// SetFail sets the script of faults. It is asked at each stage with whom the
// stage is about and how often, from 1, that stage was reached for them; what
// it returns is the fault: nil, a Refusal, ErrHangUp, ErrSilence, or for IMAP
// ErrOverQuota or ErrBad. Any other error is a temporary refusal. At StageTaken a Refusal is still written,
// although the mail was taken. A nil script lets everything pass.
func (w *World) SetFail(f func(stage, who string, n int) error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fail = f
	clear(w.tries)
}

func (w *World) fault(stage, who string) error {
	w.mu.Lock()
	k := [2]string{stage, who}
	w.tries[k]++
	n, fail := w.tries[k], w.fail
	w.mu.Unlock()
	if fail == nil {
		return nil
	}
	return fail(stage, who, n)
}

// Lie is what the IMAP server says of a mail in place of the truth.
type Lie struct {
	Size  int64 // its size in bytes (RFC822.SIZE)
	Whole bool  // the whole text is sent where a part of it was asked for
}

// SetLie makes the IMAP server tell lies: f is asked for each mail of a FETCH
// and gives the lie, or nil for the truth. A nil f ends the lies.
func (w *World) SetLie(f func(mail []byte) *Lie) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lie = f
}

// Manner is how the IMAP server answers a FETCH, all of it allowed by RFC 3501.
type Manner struct {
	Backwards bool // the mails from the last to the first
	UIDLast   bool // the UID behind the text
	Chatty    bool // flags of mails that nobody asked about in between
}

// SetManner sets how the IMAP server answers from now on.
func (w *World) SetManner(m Manner) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.manner = m
}

func (w *World) manners() Manner {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.manner
}

// ByeIMAP signs every IMAP client out, as servers do after half an hour.
func (w *World) ByeIMAP(text string) {
	w.mu.Lock()
	open := slices.Collect(maps.Keys(w.open))
	w.mu.Unlock()
	for _, s := range open {
		_ = s.conn.Bye(text) // one that is gone already has signed out
	}
}

// told gives the size that the server tells of a mail, and whether it sends
// all of it in any case.
func (w *World) told(mail []byte) (size int64, whole bool) {
	w.mu.Lock()
	f := w.lie
	w.mu.Unlock()
	if f != nil {
		if l := f(mail); l != nil {
			return l.Size, l.Whole
		}
	}
	return int64(len(mail)), false
}

// OnSent sets what is called after a mail was accepted by SMTP and the 250 was
// written.
func (w *World) OnSent(f func(Delivery)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.onSent = f
}

// OnFinalDot sets what is called when a mail has arrived in full and is about
// to be taken, before it is stored and the 250 is written.
func (w *World) OnFinalDot(f func(Delivery)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.onFinalDot = f
}

// OnAcknowledge sets what is called when an IMAP client changes flags of mails
// or copies or moves them out of a folder, before anything happens to them.
func (w *World) OnAcknowledge(f func(user, folder string, uids []uint32)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.acknowledge = f
}

func (w *World) acknowledged(user, folder string, uids []uint32) {
	w.mu.Lock()
	f := w.acknowledge
	w.mu.Unlock()
	if f != nil {
		f(user, folder, uids)
	}
}
