// Package mailbox knows IMAP servers and their oddities: it connects, lists,
// fetches, acknowledges and waits. It gives sessions; what to do when one
// fails, and when to try again, is decided elsewhere.
//
// # One session, one connection, one goroutine
//
// [Connect] gives a [Session] that is logged in. Its methods are called by one
// goroutine at a time ([Session.Close] alone may be called by any). A session
// that lost its connection stays dead: every method then returns [ErrDead],
// and the caller connects anew.
//
// # What the client library leaves to us
//
//   - It has no contexts and no limit on a server's silence. The session owns
//     the connection (link): while an operation is under way the link is
//     closed when the context ends or when nothing was heard for
//     Config.Timeout; the library then gives up at once. Waiting for mail is
//     the one time when silence is allowed.
//   - A literal that a lost connection cut short looks complete. Every
//     literal's length is compared with what was announced; on a mismatch the
//     link is closed and the library's command is not touched again, for it
//     would read the same stream from two goroutines.
//   - A FETCH answer whose UID follows the text, or that comes in two lines,
//     or after an unasked-for one, is not given to its command but to the
//     handler for unilateral data. Both ways lead into one sink, and what is
//     still missing is fetched alone.
//   - One answer that it cannot parse ends the connection. So nothing is asked
//     for that is not needed (never ENVELOPE or BODYSTRUCTURE), INTERNALDATE
//     is asked for apart, and a mail that ended the connection while it was
//     alone in its FETCH is named in a [PoisonError].
//   - It keeps quoted texts, flags and names in memory as a whole, and tells
//     nobody how long a text may be. So the link counts what is read while
//     mail is fetched and ends when the server sends far more than it was
//     asked for; of a mail whose size is not to be believed only a part is
//     asked for.
//   - Its MOVE falls back to an unguarded EXPUNGE. Here COPY is checked before
//     anything is marked as deleted, and only UID EXPUNGE is ever used.
//   - Its STARTTLS does not wait for the greeting and has no limit in time.
//     The few lines before TLS are spoken here, byte by byte, so that nothing
//     sent before the handshake can be taken for something sent after it.
//
// UIDs are listed with FETCH, never with SEARCH; sequence numbers and \Seen
// mean nothing here.
package mailbox
