// Package state keeps what supportd must not forget, in two bbolt files.
//
// # Files
//
//	state.db      mails, actions, replies, indexes and the journal; what is personal in it is sealed
//	keys.db       the keys: one a Mail, one for the house (0), one for keyed hashes; under the house's lies what
//	              belongs to no Case or outlives it: letters to staff, their own tasks, kept answers and passwords, what deletes
//	              can be repeated by
//	instance      the sentinel: instance mark and number of openings, as text
//	forgotten/    what was forgotten, a file a month, for copies that are restored (forgotten.go)
//	replies/      sealed data of replies that wait: A-000123-1, R-000789
//
// A key is dropped by rewriting keys.db into a new file without it, because
// bbolt leaves deleted values in freed pages. state.db alone reveals nothing
// about anybody: addresses, persons, Message-IDs and tokens stand in its
// indexes as keyed hashes only.
//
// state.db cannot shrink in place. Compaction writes a copy without freed pages,
// and puts it in place while it is open (compact.go).
//
// What ended goes in three steps: its key is dropped, so long after its end as it
// is kept (forget.go); its records go, so long after that as records are kept
// (sweep.go), and the journal's segments with them; and a compaction gives the
// pages back. A ref stays accounted for until its mail is off the server.
//
// # Buckets of state.db
//
// IDs are 8 bytes, big endian; times are Unix nanoseconds, 8 bytes, big
// endian; h(x) is HMAC-SHA-256 under the hash key, cut to 16 bytes; ref is
// mailbox NUL folder NUL uidvalidity uid.
//
//	meta            schema, instance, keyring, epoch, opens, indexed, restored, paused, notes -> text
//	mailboxes       mailbox NUL folder -> JSON Folder
//	mails           mail -> JSON inbox.Mail and sealed detail
//	mail_refs       ref -> mail
//	mail_digests    h(digest) -> mail, 1 if by its form, too; h(digest and form) -> mail
//	mail_ids        h(Message-ID of the sender) -> mail
//	mail_signatures h(signature and believed sender) -> mail
//	mail_unfiled    ref -> mail: accounted, not yet acknowledged on the server
//	mail_filed      mailbox NUL time, ref as it is now -> mail: acknowledged, to be expunged after keep
//	mail_places     mail, ref as it is now -> time of mail_filed
//	mail_erase      ref -> mail: of somebody whose account was deleted, to be taken off the server
//	mail_retry      time, mail: deferred
//	mail_ended      end NUL time, mail: nothing open any more; retention starts
//	mail_states     state NUL mail
//	actions         action -> JSON inbox.Action and sealed detail
//	action_states   state NUL action
//	action_due      time, action: wakes the queue
//	action_deadlines  time, action: when staff must hear that an open one is due soon, or late
//	action_persons  h(person), action: the open ones
//	asks            h(token) -> JSON Ask
//	case_asks       mail, h(token)
//	replies         reply -> JSON inbox.Reply and sealed detail
//	reply_due       time, reply: wakes the outbox
//	reply_cases     mail, reply
//	reply_ids       h(our Message-ID) -> reply
//	rendered        reply -> sealed bytes as they go out, or "file"
//	attached        name of a file -> its sealed bytes, when it is a small one; the others lie beside state.db
//	persons         h(person or address), mail: every key under which something of theirs is sealed
//	erasures        mail -> JSON: drop every key of that person when no letter is owed
//	deleted         time, action -> JSON Deleted and sealed detail: to be repeated when the site restores a backup of its own
//	moves           h(person) -> time of the last change of address
//	counts          h(limit name) -> JSON Count
//	effects         time, action: irreversible ones, for the brake
//	staff           name -> JSON StaffAccount and sealed password hash and networks
//	staff_sessions  h(epoch, token) -> JSON StaffSession
//	staff_links     h(epoch, token) -> JSON StaffLink
//	open            class, time, thing -> JSON Line: what is open, what needs a person first; a thing is 1 action or 2 mail
//	open_at         thing -> its key in open
//	reply_held      mail, reply -> time, actions: letters that wait for staff
//	tallies         "state S", "mail S", "class C" -> number, 8 bytes: how many there are
//	journal_of      thing, seq: the entries about it
//	saved           h(language and name) -> sealed Saved
//	journal, journal_detail, journal_segments   see package journal
//
// # Instance and epoch
//
// The instance mark is random and made once. The epoch is drawn anew when the
// state turns out to be an older copy of itself (the sentinel has counted more
// openings), or a backup, which counts none: effect keys of the time in between
// then never answer for new Actions, everything open is held, and nothing is
// sent until staff resume. A copy that was made by other means while the state
// was open, and put back before the next opening, cannot be told from it.
//
// A missing or emptied state.db beside a sentinel stops the start, and so do
// the keys.db of another state and an older copy of its own.
//
// # Time
//
// Tx.Now is the machine's clock as long as that goes on evenly (clock.go).
package state
