//go:build race

package outbox

// raced tells that the race detector is at work, which allocates, too.
const raced = true
