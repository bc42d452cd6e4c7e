// Package sender finds out who sent a mail: authentication standards
// (Authentication-Results, DKIM, DMARC alignment) in, [inbox.Evidence] out. It
// is a finding, never a decision, and it never says more than "aligned": the
// domain of the From line vouches for this mail. That a person wrote it, only
// their answer to a confirmation can show (roundtrip), and that is found
// elsewhere. This page says what is trusted, what is not, and what that leaves
// to an attacker.
//
// # What is trusted
//
// Before anything else the mail has to be readable in one way only: a header
// that every parser splits alike (see readMail), none of the fields that
// people and programs act upon twice, one From with one plain address that is
// the same for the parser of the house and for a naive reader, a From domain
// that is below a public suffix, and no Content-Disposition that makes the whole
// mail an attachment. It has to be written to us, not only brought to us: To or
// Cc names an address of Config.Own, its +tag not counted. And its Date is at
// most MaxAge before its arrival, and at most five minutes after it. A mail that
// fails here is none, whatever anybody vouches for; its author is asked.
//
// Then, in this order:
//
//  1. The verdict of our own server: the one Authentication-Results header
//     (RFC 8601) that carries a configured authserv-id, when it stands above
//     every Received line but the uppermost OwnHops, can be read strictly, and
//     holds exactly one dmarc result. "pass" with header.from equal to the From
//     domain is aligned; every other result but none and temperror is none.
//     "pass" for another domain of the same organisation gives no verdict
//     (rspamd names the domain that has the record, which is above the one in
//     From). For any other domain, and with "fail" in any header that has or
//     names a configured id, it says more: the mail is not from its From
//     (inbox.Evidence.Denied). No two headers are ever combined. A second
//     header with a configured id, or one that names an id and cannot be read,
//     takes the trust from all of them. Unless the same header also says that
//     the mail came under the author's own address (spf=pass for it), the pass
//     may rest on a signature, and every signature of the From domain, five at
//     most, must then cover what 2 asks for, though nobody verifies it again.
//     Only To may be missing where spf=pass is for the domain alone, which is
//     all that Microsoft 365 writes.
//  2. Our own verification, when that gave no verdict (no such header, no dmarc
//     result, none, temperror, lost trust) and it is switched on. It depends on
//     no header but the signature, so a forged one cannot help it. A DKIM
//     signature counts when it verifies, has no l= tag, its key is not in test
//     mode, its t= (else the signed Date) is as near to the arrival as the Date
//     must be, its x= has not passed, it covers From, Subject, To, Cc, Date and
//     Content-Disposition as far as the mail has them, and its d= is aligned with
//     the From domain. Five signatures at most are looked at. Programs that split
//     the verdict over several headers (OpenDKIM and OpenDMARC side by side) end
//     up here too.
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
// replayed with a field that turns another part of it into its text. Microsoft
// 365 does not sign To, so mail from there is aligned by a verdict only, and
// only when it came to us from there directly.
//
// # Where the border is Microsoft 365
//
// Exchange Online writes Authentication-Results without an authserv-id. With
// MicrosoftTenant set they are the only ones that count: the topmost of the
// mail, below at most OwnHops Received lines (three is usual), with no second
// one without an id anywhere, and judged as under 1. Besides, the mail must say
// exactly once X-EOPTenantAttributedMessage with our tenant, by which Exchange
// Online tells for whom it took the mail in, and exactly once
// X-MS-Exchange-Organization-AuthAs: Anonymous: it came from outside, and so
// through the checks. This is safe as long as
//
//   - the MX of our domains points to Exchange Online and nothing stands before
//     it: behind a filter it judges the filter, and its results are not about
//     the sender (with "enhanced filtering for connectors" they may be);
//   - our mailbox is in that tenant, and no rule or connector of the tenant
//     writes or keeps X-MS-Exchange-Organization fields of others: the header
//     firewall of Exchange takes them off mail from elsewhere;
//   - the mailbox gets no mail by another way, such as a migration or a program
//     that puts mail into it by IMAP.
//
// The ID of a tenant is no secret; it proves which way a mail went, not who sent
// it. compauth is not DMARC, and dmarc=bestguesspass is no pass.
//
// # OwnHops, and mail that is handed in at our own provider
//
// Nothing in a mail tells a verdict that our border wrote from one that the
// mail's author wrote, but its place: everything that came from outside stands
// below the Received line of the border. OwnHops moves that line down. Now a
// server that writes a verdict on what comes from outside often writes none on
// what its own users hand in (by submission, webmail, a script on the same
// machine), and puts one Received line on top. With OwnHops 1 or more, whoever
// has an account there can write a verdict with our id into such a mail, and is
// aligned for any domain. Nothing here can see that. It takes a server that
// removes its id from submitted mail too, or one that writes its verdict last of
// all (OwnHops 0). Where neither can be had, trust no id and leave it to the
// signatures. "supportd check --probe" hands in a mail with a forged verdict and
// tells whether it would be believed, and what OwnHops must be.
//
// The same holds for a server that writes no dmarc result and quotes a
// stranger's HELO without escaping it; one that evaluates DMARC writes a second
// result beside the forged one, and two are not believed.
//
// # What is not trusted
//
// Authentication-Results of other ids, wherever they stand. ARC: arc=pass is
// what a forwarder says, and never raises the evidence, not even in our own
// server's words; the reason names it. Received-SPF, X- fields other than those
// two of Microsoft 365, spf= and dkim= results by themselves, Sender, Reply-To,
// Return-Path, display names. SPF is not evaluated here, as over IMAP nobody
// knows the connecting address.
//
// # Attacker A has a mailbox at the provider of their victim
//
// A can: be aligned as themselves. Be aligned as their victim if the provider
// lets its customers submit a foreign From, for it then signs it and its servers
// pass SPF; a provider that lets any customer send for a shared domain vouches
// for all of them alike. With an account at our own provider, read OwnHops above.
//
// Where the provider signs no To, as Microsoft 365 does, and A can put a mail
// into their own mailbox and have it sent on from there, A can send us a mail
// that the victim wrote to A.
//
// A cannot: be aligned as their victim where the provider checks the From of
// what it submits, as the large ones do. Act by aligned alone beyond what the
// policy gives for it: by default a copy, a description or a withdrawal, whose
// answers go to the address on record and so to the victim, and a stop.
//
// # Attacker B has a domain of their own, with valid SPF, DKIM and DMARC
//
// B can: be aligned for that domain and what is below it. Make us ask DNS for
// names below the From domain, for five keys and two records a mail. Send on,
// within MaxAge, a mail that the victim wrote to them and to us at once; it says
// what it said, and room intake knows a mail that it had before. Take the
// proof from a genuine mail on its way through their hands, so that its author
// is asked.
//
// B cannot: be aligned for another domain, be it a neighbour below a public
// suffix, one that ends alike or one that looks alike in other letters. A
// verdict of theirs stands below our border's Received line or beside the genuine
// one; what they write into a MAIL FROM or HELO that our server quotes stays
// inside its comment or quoted string, or makes the header unreadable. Send on to
// us a mail that the victim wrote to B alone, or an old one. Give a signed mail
// another author, subject, recipient, date, type, encoding or disposition,
// neither by replacing a field nor by adding one. (Another Sender or Reply-To
// they can give it where those are not signed; they mean nothing to us. So it
// is with Message-ID and References, by which mails are only put together.)
//
// # Attacker C reads a confirmation mail, the network, or DNS
//
// C who has read our question, in the mailbox, on a screen or on its way, has
// its token and can answer it: the answer counts when its From is the address
// that was asked, and that line alone is easily written, unless our own server
// then says that the mail is not from there (dmarc=fail): a token in such a mail
// proves nothing and is not used up. What then runs is what
// the question showed, once; where it cannot be undone, after a cool-off during
// which the owner, who is told, can stop it. C cannot use the token for anything
// else, for somebody else, from another address, twice or late.
//
// C who controls the path to our IMAP or SMTP server is stopped by TLS there. C
// who reads mail between other servers is the first C.
//
// C who controls our DNS answers can publish keys and policies and so be
// aligned for any domain by our own verification; use a resolver on the same
// machine or one that validates, or set dkim to false. Whoever controls the
// answers that our border gets has its verdict, too. C who only breaks DNS gets
// nothing: no answer is neither pass nor fail, the mail is deferred.
//
// None of the three learns here whether an account exists, and without the first
// C's token none of them can confirm anything: that takes reading the mailbox on
// record.
package sender
