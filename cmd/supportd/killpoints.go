//go:build killpoints

package main

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// killPoint ends the process with SIGKILL when the named moment comes for the
// n-th time: SUPPORTD_KILL="after commit intake#2". Only a build with the tag
// killpoints has it.
func killPoint() func(string) {
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
