// Package keeper runs the servers that tests start privately, and sees that
// they end: with the test, and also when the test is killed. It knows no
// server; realmail and its like do. The program itself never links it.
package keeper

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// patience bounds how long a server may take to end.
const patience = 30 * time.Second

// Keeper owns server processes. One goroutine with a thread of its own starts
// them all, because the kernel ends a child when the thread that made it ends:
// so nothing is left behind even when the test is killed.
type Keeper struct {
	log   string
	calls chan func()
	owner sync.WaitGroup
	procs []*process // touched by the goroutine that calls Start only
	once  sync.Once
	err   error
}

type process struct {
	cmd  *exec.Cmd
	end  syscall.Signal
	done chan struct{} // closed when it has ended
}

// New makes a keeper whose servers write what they print to the file log.
func New(log string) *Keeper {
	k := &Keeper{log: log, calls: make(chan func())}
	k.owner.Go(func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		for call := range k.calls {
			call()
		}
	})
	return k
}

// Start runs a server in the foreground and in a session of its own, because
// servers signal their whole process group. The signal end is what asks it to
// end; it gets it also when the test itself is killed.
func (k *Keeper) Start(cmd *exec.Cmd, end syscall.Signal) error {
	if err := k.start(cmd, end); err != nil {
		return fmt.Errorf("starting %s: %w", cmd.Path, err)
	}
	return nil
}

func (k *Keeper) start(cmd *exec.Cmd, end syscall.Signal) error {
	out, err := os.OpenFile(k.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	p := &process{cmd: cmd, end: end, done: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = out, out
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setsid, cmd.SysProcAttr.Pdeathsig = true, end
	started := make(chan error)
	k.calls <- func() { started <- cmd.Start() }
	if err := <-started; err != nil {
		return err
	}
	k.procs = append(k.procs, p)
	k.owner.Go(func() {
		_ = cmd.Wait() // how it ended is in its log
		close(p.done)
	})
	return nil
}

// Answering waits until addr takes connections. It gives up when a server has
// ended or the context is over.
func (k *Keeper) Answering(ctx context.Context, addr string) error {
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
				return fmt.Errorf("starting the servers: %s ended: %s", p.cmd.Path, p.cmd.ProcessState)
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

// Stop asks every server to end and kills what does not.
func (k *Keeper) Stop() error {
	k.once.Do(func() {
		for _, p := range k.procs {
			k.err = errors.Join(k.err, p.signal(p.end))
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

// FreePorts draws a loopback address and finds ports on it that nobody uses.
// The address is what keeps two tests apart: between here and the servers'
// start nobody else draws the same one.
func FreePorts(n int) (host string, ports []string, err error) {
	b := make([]byte, 3)
	_, _ = rand.Read(b) // it never fails
	host = net.IPv4(127, 1+b[0]%254, b[1], 1+b[2]%254).String()
	for range n {
		l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
		if err != nil {
			return "", nil, fmt.Errorf("finding a free port: %w", err)
		}
		defer l.Close()
		_, port, err := net.SplitHostPort(l.Addr().String())
		if err != nil {
			return "", nil, fmt.Errorf("finding a free port: %w", err)
		}
		ports = append(ports, port)
	}
	return host, ports, nil
}
