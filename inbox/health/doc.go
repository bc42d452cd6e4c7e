// Package health knows whether the program does its work, and says so: to the
// service manager, to whoever asks over HTTP, and, when something has failed for
// an hour, to staff by mail.
//
// # What it is told
//
//	Pulse      each loop says, before each step, how long the step may take; one that is late hangs
//	Services   what the program cannot work without, and what came of each try to use it
//	Counters   what came to its end since the program began
//
// What it can look up it is not told: how many actions there are of each state,
// and what waits the longest, are kept by package state, so that asking costs
// the same with a million finished actions as with none.
//
// # What it answers
//
//	/healthz    200 while every loop is alive, else 503; the service manager's watchdog goes by the same
//	/readyz     200 while everything that is needed was reached a short while ago, else 503
//	/metrics    Prometheus' text format, version 0.0.4
//
// A mail server that is down makes the program not ready, and does not make it
// unhealthy: starting it again would help nobody.
//
// Only this machine gets an answer, and whom the configuration names. Nothing
// that is answered is personal.
package health
