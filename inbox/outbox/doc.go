// Package outbox delivers what is owed to people: it renders each Reply once
// (Compose), keeps the connections to the servers that take mail (Transport),
// and decides from the outcome of each try what happens next (Outbox).
//
// # When a mail counts as sent
//
// The server's answer to the final dot decides, nothing before and nothing
// after it:
//
//	before the dot   nothing was delivered: refused for good (5xx) is Permanent, everything else Temporary
//	the dot          2xx is Sent, 4xx Temporary, 5xx Permanent
//	no answer to it  Unknown: the server may have the mail; tried once more, late, under the same Message-ID
//
// A failure to connect, to agree on TLS or to log in is Temporary whatever the
// server says, because it is never the mail's fault; it comes as a TLSError or
// an AuthError where the operator must act. A connection on which anything
// went wrong inside the text is closed without another word: whatever else
// were written would end the text, and half a mail would be delivered.
//
// MAIL, RCPT and DATA leave in one write where the server takes that (RFC 2920,
// PIPELINING). The first of them that it refuses decides, whatever its other
// answers are and whatever becomes of the connection.
package outbox
