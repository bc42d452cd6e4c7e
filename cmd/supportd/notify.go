package main

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"time"
)

// serviceManager gives what tells the service manager how it goes, as
// sd_notify(3) has it, and within what time it wants to hear that we are alive.
// notify is nil where there is none, watchdog 0 where it does not ask.
func serviceManager(getenv func(string) string) (notify func(words string) error, watchdog time.Duration) {
	socket := getenv("NOTIFY_SOCKET")
	if socket == "" {
		return nil, 0
	}
	notify = func(words string) error {
		// A name that begins with @ is one in the abstract namespace, here as there.
		conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: socket, Net: "unixgram"})
		if err != nil {
			return fmt.Errorf("telling the service manager: %w", err)
		}
		defer conn.Close()
		if err := conn.SetWriteDeadline(time.Now().Add(time.Second)); err != nil {
			return fmt.Errorf("telling the service manager: %w", err)
		}
		if _, err := conn.Write([]byte(words)); err != nil {
			return fmt.Errorf("telling the service manager: %w", err)
		}
		return nil
	}
	pid := getenv("WATCHDOG_PID")
	usec, err := strconv.ParseInt(getenv("WATCHDOG_USEC"), 10, 64)
	if err != nil || usec <= 0 || pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return notify, 0
	}
	return notify, time.Duration(usec) * time.Microsecond
}
