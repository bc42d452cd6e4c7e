// Package sender finds out who sent a mail: authentication standards
// (Authentication-Results, DKIM, DMARC alignment) in, [inbox.Evidence] out. It
// is a finding, never a decision, and it never says more than "aligned": the
// domain of the From line vouches for this mail. That a person wrote it, only
// their answer to a confirmation can show (roundtrip), and that is found
// elsewhere.
//
// # What is trusted
//
// Before anything else the mail has to be readable in one way only: a header
// that every parser splits alike (see readMail), none of the fields that
// people and programs act upon twice, one From with one plain address that is
// the same for the parser of the house and for a naive reader, and a From
// domain that is below a public suffix. A mail that fails here is none,
// whatever anybody vouches for.
//
// Then, in this order:
//
//  1. The verdict of our own server: the one Authentication-Results header
//     (RFC 8601) that carries a configured authserv-id, when it stands above
//     every Received line but the uppermost OwnHops, can be read strictly, and
//     holds exactly one dmarc result. "pass" with header.from equal to the From
//     domain is aligned; "pass" for another domain, and every other result but
//     none and temperror, is none. No two headers are ever combined. A second
//     header with a configured id, or one that names an id and cannot be read,
//     takes the trust from all of them.
//  2. Our own verification, when that gave no verdict (no such header, no dmarc
//     result, none, temperror, lost trust) and it is switched on. It depends on
//     no header but the signature, so a forged one cannot help it. A DKIM
//     signature counts when it verifies, has no l= tag, its key is not in test
//     mode, its t= (else the signed Date) is at most MaxAge before the arrival
//     and not after it, its x= has not passed, it covers From, Subject, To and
//     Date as far as the mail has them, and its d= is aligned with the From
//     domain. Programs that split the verdict over several headers (OpenDKIM
//     and OpenDMARC side by side) end up here too.
//
// Aligned means: the same domain, when the DMARC record asks for strict
// alignment; the same organisational domain, when there is a record that does
// not; and without any record the same domain or a parent of it below the
// public suffix, because nobody then declared that one branch of a domain may
// speak for another. Domains are brought to their ASCII, lower-case form
// before they are compared or looked up in the public suffix list, which takes
// evil.CO.UK and victim.CO.UK for one otherwise. A d= that is not already in
// that form counts for nothing.
//
// Gmail does not sign Content-Type, and Yandex not even MIME-Version. Either
// the fields that give a body its meaning (Content-Type,
// Content-Transfer-Encoding, MIME-Version) are signed, or the signed body must
// allow one reading only, as shape.go has it: else a genuine mail could be
// replayed with a field that turns another part of it into its text.
//
// # What is not trusted
//
// Authentication-Results of other ids or without one, wherever they stand:
// Microsoft 365 writes none, so there the own verification decides. ARC sets,
// Received-SPF, X- fields, spf= and dkim= results, Sender, Reply-To,
// Return-Path. SPF is not evaluated here, as over IMAP nobody knows the
// connecting address.
//
// # What an attacker can do
//
// Somebody with a domain of their own can send aligned mail from that domain,
// and make us ask DNS for names below it; at most five signatures are looked
// at, and only such as could be aligned, so a mail cannot make us ask about
// others. They cannot get aligned for another domain: their headers with our
// id stand below a Received line of ours, or beside the genuine one; what they
// write into a MAIL FROM or HELO that our server quotes stays inside its
// comment or quoted string, or makes the header unreadable. This needs a
// server that removes foreign headers with its id (RFC 8601 section 5) and
// OwnHops as small as it really is: with OwnHops too large and a server that
// now and then writes no header of its own, a forged one would be believed. So
// it would with a server that writes no dmarc result and quotes a stranger's
// HELO without escaping it; one that evaluates DMARC writes a second result
// beside the forged one, and two are not believed.
// "supportd check --probe" sends such a forged header to see.
//
// Somebody with an account at the same provider as their victim gets aligned
// for their own address, and for another of that provider only if the provider
// lets them submit a foreign From. They can replay a mail that the victim
// once wrote to them, unchanged, for MaxAge; they cannot give it another
// subject, recipient, date or author, neither by replacing nor by prepending
// one. A provider that passes DMARC by SPF alone on shared addresses vouches
// for all of its customers; the verdict of our server includes such passes.
//
// Somebody who controls our DNS answers can publish keys and so get aligned
// for any domain by the own verification: use a resolver on the same machine
// or one that validates. Somebody who only breaks DNS gets nothing: no answer
// is neither pass nor fail, the mail is deferred. Somebody who controls the
// path to our IMAP server is stopped by TLS there.
//
// None of them can confirm anything: that takes reading the mailbox on record.
package sender
