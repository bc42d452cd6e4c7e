// Package console serves the pages that staff work in.
//
// # The way of a request
//
// Every address stands in one table (routes), with the right that it needs and
// the words that the journal has for it. Every request passes one function
// (serve): the Host that it names must be ours; what changes something must come
// from a page of ours (http.CrossOriginProtection); somebody must be signed in;
// and the Desk must let them enter, which checks the right and writes the
// journal. Only then is the page's own function called. What keeps an open page
// up to date checks the right and writes nothing.
//
// # What a browser is told
//
// Each answer carries a policy that allows nothing but our own stylesheet,
// script and forms; no page may be framed, kept in a cache, or named to another
// site. The session is a cookie with the prefix __Host-, which browsers take
// over TLS only, except that Chromium and Firefox take it from a loopback
// address, too. Safari does not: to use it on the machine itself, TLS must be
// configured. The cookie is never sent along from another site's page, so who
// follows a link from a letter comes without it; such a request is answered
// with a page that asks again by itself.
//
// # Addresses
//
// No address names anything personal: cases go by their number, a search is a
// form that is posted, and what may be in an address of a list are words of the
// program and cursors.
//
// # How fast
//
// With 1,000,000 cases that have ended and 5,000 open ones the queue's page
// takes less than 50 ms from the request to the last octet, and the heap stays
// as large as it was; BenchmarkQueuePage holds it to both.
package console
