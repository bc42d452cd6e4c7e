//go:build killpoints

package main

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// measure writes a line about the process to standard error whenever it gets
// SIGUSR1: how many goroutines it has, and how many bytes are in use after a
// collection.
func measure() {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR1)
	for range asked {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		fmt.Fprintf(os.Stderr, "measure goroutines=%d heap=%d\n", runtime.NumGoroutine(), m.HeapAlloc)
	}
}

// killPoint ends the process with SIGKILL when the named moment comes for the
// n-th time: SUPPORTD_KILL="after commit intake#2". Only a build with the tag
// killpoints has it.
func killPoint() func(string) {
	go measure()
	name, n, _ := strings.Cut(os.Getenv("SUPPORTD_KILL"), "#")
	if name == "" {
		return nil
	}
	left, err := strconv.ParseInt(n, 10, 64)
	if err != nil {
		left = 1
	}
	var seen atomic.Int64
	return func(point string) {
		if point == name && seen.Add(1) == left {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // the signal is on its way
		}
	}
}
