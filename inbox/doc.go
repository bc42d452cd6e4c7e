// Package inbox holds the words of supportd: the types that every room shares
// and the one table that says how an Action moves. It is also the
// architecture page. It imports the standard library only.
//
// # What the program does
//
// supportd answers the support mailbox of a site. People write, in their own
// words, that the site should change, delete or send them a copy of what it
// stores about them. supportd reads the mailbox over IMAP, understands the
// mail, makes sure who wrote it, asks them to confirm by reply, carries the
// request out in the site's user store and answers by SMTP. Staff see every
// step and can stop, correct or decide. The promise is a chain of custody:
// this mail, this proof of who sent it, this decision, this effect, this
// reply. No mail is lost, none is answered twice, nothing is done for a
// stranger.
//
// # Words
//
//   - [Raw]: a mail as the server has it, with its [Ref] and arrival time.
//   - [Message]: a Raw made readable.
//   - [Mail]: the record that accounts for a Raw: its end state, and why.
//   - [Evidence]: what we know about who sent it; a finding, never a decision.
//   - [Request]: one thing that a Message asks.
//   - Case: what came of one Mail. It has the Mail's ID: its Actions in order,
//     one confirmation, one reply at a time.
//   - [Action]: a Request accepted into the queue.
//   - [Plan]: what an Action will do: places, old and new values, what is kept
//     and why.
//   - Person: who the Action is about, in the user store.
//   - [Reply]: a mail that we owe somebody; it lives in the outbox until it is
//     delivered.
//   - Journal: the append-only, hash-chained log of what happened.
//
// # The way of a mail
//
//	mailbox -> intake  (Raw -> Message -> Requests -> Case of Actions | Reply)   commit, then acknowledge in IMAP
//	queue              (Action due: claim -> handlers -> Outcome + Reply)         commit, act, commit
//	outbox             (Reply due: claim -> SMTP -> sent | later | given up)      commit, act, commit
//
// Three loops, one direction. No transaction is ever open across the network.
// A crash between two commits is seen and resolved at the next start: a mail
// that was committed but not acknowledged is acknowledged; an Action that was
// running runs again under the same effect key, and the user store answers
// with what it did the first time; until it has, nothing else ends the Action;
// a Reply that was being sent is sent again unless the server had begun to
// accept it, which is the one outcome that nobody can know and that is counted
// apart ([ReplyUnknown]).
//
// # The rooms
//
// A package imports only from a lower layer; a test in cmd/internal/house
// walks the imports and fails on an arrow that points up, on a package that
// its table does not name, and on a library used outside its rooms.
//
//	0  inbox, inbox/address      the words; when two addresses are the same
//	1  inbox/settings            the files that operators write: strict, all faults at once
//	1  inbox/mailbox             IMAP servers and their oddities
//	1  inbox/parse               mail formats: bytes -> Message
//	1  inbox/screen              what must never be answered
//	1  inbox/sender              authentication standards -> Evidence
//	1  inbox/classify            how people word things; value, answer and lang lie below it
//	1  inbox/policy              the operator's rules: Evidence x Request -> what happens
//	1  inbox/deadline            when an answer is due
//	1  inbox/journal, then inbox/state   what is kept and how
//	1  templates                 everything a person reads
//	2  templates/console         the pages that staff work in
//	1  handlers/users, then handlers/users/datamap   the user store's interface; map, Plan, receipt
//	1  handlers/after          the rest of the site is told of an effect: webhook, command
//	1  handlers/users/meaning   what names of tables and columns say
//	2  inbox/cases               what a Case owes next: which question, which answer, to whom
//	2  inbox/staff               who the staff are: accounts, rights, passwords, who is signed in
//	2  handlers/users/datamap/mapfile   the data map as a file, and ready ones
//	3  inbox/intake, inbox/queue, inbox/outbox   order and retry of one loop each
//	3  handlers                  what change, delete and copy mean: one file a kind
//	3  handlers/users/boltusers, .../sqlusers    where people are stored
//	3  handlers/users/userstest, .../realsql     the suite for it, and databases to run it on
//	3  inbox/mailtest, .../realmail, .../keeper  test servers; production never links them
//	4  inbox/review              what staff may do, and its record
//	4  inbox/health              whether it does its work: watchdog, metrics, the mail after an hour of failure
//	4  handlers/users/fit, then handlers/users/draft   the data map against the tables; a first one from them
//	5  inbox/control             the Unix socket and its client
//	5  inbox/console             the pages over HTTP: who is it, may they, then the page
//	6  cmd/internal/config, then cmd/internal/daemon   how it is started and wired
//	6  cmd/internal/talk         scripted conversations, for tests and the demo
//	6  cmd/internal/crowd        many people who write and answer, and what must have come of it, for tests
//	6  cmd/internal/house        the test of this table
//	7  cmd/internal/browser      what proves the console: a real browser, attacks, accessibility
//	7  cmd/supportd, cmd/demo    the program and its demo
//
// # What holds everywhere
//
//   - A mail is moved on the server only after the commit that accounts for it.
//   - A mail's identity is ours: mailbox, UIDVALIDITY and UID, and a digest of
//     From, To, Date, Message-ID and body.
//   - Every mail ends in a named state; one bad mail never blocks the next.
//   - Effects are idempotent by effect key: instance, epoch, Action.
//   - A Reply has one stable Message-ID and is rendered once.
//   - The answer goes to the address on record. Reply-To is never read.
//   - Nobody learns from us whether an account exists.
//   - A confirmation binds person, kinds and the exact diffs.
//   - Irreversible acts wait, and one word from the owner stops them.
//   - What we keep about people is sealed under one key a Mail, and short-lived.
//   - Nothing personal is logged.
package inbox
