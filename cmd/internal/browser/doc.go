// Package browser holds what proves the staff's console from outside: tests
// that drive a real browser through the pages of a running daemon, with its mail
// world beside it, that let the accessibility checker axe-core look at every
// page, and that attack the console's own listener. It has no code of its own.
//
// Chromium is looked for in the path, or where SUPPORTD_CHROMIUM says; axe-core
// is the file that SUPPORTD_AXE names. Without them the tests say how to get
// them and are skipped, unless SUPPORTD_REAL is 1. With SUPPORTD_SHOTS, a
// folder, pictures of the pages are kept there; the two of the README are made
// by
//
//	SUPPORTD_SHOTS=/tmp/shots go test ./cmd/internal/browser -run TestScene
//	cp /tmp/shots/readme-queue-1280.png templates/console/queue.png
//	cp /tmp/shots/readme-case-1280.png templates/console/case.png
package browser
