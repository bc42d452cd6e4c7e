// Package mailtest is a mail world on this machine: an IMAP server, an SMTP
// server and a DNS server that live in memory, for tests and for the demo. The
// program itself never links it.
//
// # The world
//
// A [World] has users with mailboxes. Mail comes in by [World.Deliver], or as
// a person writes it by [World.Send] and [World.Reply], and lies in the user's
// INBOX with the trace headers that a border server adds. What the program
// sends is accepted by SMTP, handed to the recipient's mailbox when there is
// one, and kept for [World.Sent].
//
// Servers listen on loopback, or, with [Options.InMemory], on nothing at all:
// connections are then pairs of buffers that [World.DialIMAP] and
// [World.DialSMTP] hand out. Such a world runs inside a testing/synctest
// bubble, where hours of IDLE take a millisecond. Create and close it inside
// the bubble.
//
// # Faults
//
// A script ([World.SetFail]) decides at each stage of an SMTP conversation
// whether the server refuses, hangs up or falls silent, before or after it
// took the mail. Hooks tell when a client acknowledges a mail
// ([World.OnAcknowledge]) and when a mail of ours is about to be accepted
// ([World.OnFinalDot]), both before the server answers: what must be on disk
// by then can be looked at. Hooks run in the goroutine of the connection and
// may call the World. [World.SetLie] makes the IMAP server lie about the sizes
// of mails.
//
// # Why own servers
//
// The IMAP side is a small backend of its own on go-imap's imapserver, because
// the library's memory backend reports a moved mail twice, deadlocks on
// crossing moves, loses what arrives between SELECT and IDLE and folds the
// case of keywords. Here one lock covers the whole store, is never held while
// writing to a client, and each session finds its news by comparing what it
// told its client with what is there. The SMTP side is written out, because a
// server library answers DATA by itself and so cannot refuse there.
package mailtest
