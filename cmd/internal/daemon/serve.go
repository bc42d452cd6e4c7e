package daemon

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// rebind is after which time an address that was taken is tried again.
const rebind = 30 * time.Second

// pages gives what answers on [console] listen.
func (d *Daemon) pages() http.Handler { return d.health.Or(http.NotFoundHandler()) }

// serveConsole answers on [console] listen until ctx ends. An address that is
// taken keeps no mail waiting: it is tried again.
func (d *Daemon) serveConsole(ctx context.Context) error {
	if d.opt.NoSocket || d.cfg.Console.Listen == "" {
		<-ctx.Done()
		return nil
	}
	for logged := ""; ctx.Err() == nil; {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", d.cfg.Console.Listen)
		if err == nil {
			return serveHTTP(ctx, l, d.pages(), d.log)
		}
		if err.Error() != logged && ctx.Err() == nil {
			logged = err.Error()
			d.log.Error("daemon: nobody can ask how it goes: the address of console.listen cannot be used; trying again", "err", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(rebind):
		}
	}
	return nil
}

// serveHTTP answers on l until ctx ends, and lets what is being answered finish.
func serveHTTP(ctx context.Context, l net.Listener, h http.Handler, log *slog.Logger) error {
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: time.Minute,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	err := s.Shutdown(last)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.Close()
	}
	<-done
	return err
}
