// Package realmail runs Debian's Dovecot and Postfix privately, so that tests
// meet the servers that operators have. The program itself never links it.
//
// Each [Start] makes a pair of servers of its own: configuration, queue, mail
// and sockets lie in one directory below the system's temporary one (short, as
// the path of a Unix socket has 108 bytes at most), and the ports are on a
// loopback address of 127.0.0.0/8 that is drawn at random, so that two pairs
// never meet. No service of the system is touched and nothing leaves the
// machine: only domains below .test exist. The servers are children of the
// test and end with it, also when it crashes.
//
// Postfix hands mail to Dovecot by LMTP. Every user of every .test domain has
// a mailbox, with one password for all, and user+detail is user. Recipients
// that begin with reject- are refused with 550, those with defer- with 450,
// and those with bounce- are accepted and then come back as a report.
package realmail
