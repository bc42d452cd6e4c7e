package realmail

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// keeper owns server processes. One goroutine with a thread of its own starts
// them all, because the kernel ends a child when the thread that made it ends:
// so nothing is left behind even when the test is killed.
type keeper struct {
	dir   string
	calls chan func()
	owner sync.WaitGroup
	procs []*process // touched by the goroutine that called Start only
	quit  chan struct{}
	once  sync.Once
	err   error
}

type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
}

func newKeeper(dir string) *keeper {
	k := &keeper{dir: dir, calls: make(chan func()), quit: make(chan struct{})}
	k.owner.Go(func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		for call := range k.calls {
			call()
		}
	})
	return k
}

// start runs a server in the foreground and in a session of its own, because
// Postfix and Dovecot signal their whole process group.
func (k *keeper) start(name string, args ...string) error {
	out, err := os.OpenFile(filepath.Join(k.dir, "out.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("starting %s: %w", name, err)
	}
	defer out.Close()
	p := &process{cmd: exec.Command(name, args...), done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGTERM}
	started := make(chan error)
	k.calls <- func() { started <- p.cmd.Start() }
	if err := <-started; err != nil {
		return fmt.Errorf("starting %s: %w", name, err)
	}
	k.procs = append(k.procs, p)
	k.owner.Go(func() {
		_ = p.cmd.Wait() // how it ended is in its log
		close(p.done)
	})
	return nil
}

// answering waits until addr takes connections. It gives up when a server has
// ended or the context is over.
func (k *keeper) answering(ctx context.Context, addr string) error {
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	var d net.Dialer
	for {
		c, err := d.DialContext(ctx, "tcp", addr)
		if err == nil {
			return c.Close()
		}
		for _, p := range k.procs {
			select {
			case <-p.done:
				return fmt.Errorf("starting the mail servers: %s ended: %s", p.cmd.Path, p.cmd.ProcessState)
			default:
			}
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w", addr, errors.Join(ctx.Err(), err))
		}
	}
}

// stop asks every server to end and kills what does not.
func (k *keeper) stop() error {
	k.once.Do(func() {
		for _, p := range k.procs {
			k.err = errors.Join(k.err, p.signal(syscall.SIGTERM))
		}
		for _, p := range k.procs {
			k.err = errors.Join(k.err, p.ended())
		}
		close(k.calls)
		k.owner.Wait()
	})
	return k.err
}

func (p *process) ended() error {
	limit := time.NewTimer(patience)
	defer limit.Stop()
	select {
	case <-p.done:
		return nil
	case <-limit.C:
	}
	err := syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // the whole session: it is all ours
	<-p.done
	return errors.Join(fmt.Errorf("%s did not end by itself", p.cmd.Path), err)
}

func (p *process) signal(sig os.Signal) error {
	if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("ending %s: %w", p.cmd.Path, err)
	}
	return nil
}
