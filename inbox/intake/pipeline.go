package intake

import (
	"context"
	"sync"

	"push.guru/supportd/inbox"
)

// pipeline takes mails in batches while the next ones are fetched. One batch is
// taken at a time, in the order in which they came; another one grows behind
// it, and who adds to a full one waits. So at most two batches are in memory,
// beside what one command of the fetch brings.
type pipeline struct {
	take  func([]inbox.Raw) error
	tell  func(taken int)
	batch []inbox.Raw // that grows
	bytes int         // of it

	full chan []inbox.Raw
	done sync.WaitGroup

	mu    sync.Mutex
	err   error // the first; nothing is taken after it
	taken int   // mails that are accounted for and that nobody has asked about
}

func (in *Intake) newPipeline(ctx context.Context, tell func(taken int)) *pipeline {
	p := &pipeline{tell: tell, take: func(batch []inbox.Raw) error { return in.take(ctx, batch) }, full: make(chan []inbox.Raw)}
	p.done.Go(p.run)
	return p
}

func (p *pipeline) run() {
	for batch := range p.full {
		if p.failed() != nil {
			continue
		}
		err := p.take(batch)
		p.mu.Lock()
		p.err = err
		p.taken += len(batch)
		p.mu.Unlock()
		if err == nil {
			p.tell(len(batch))
		}
	}
}

func (p *pipeline) failed() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// add puts a mail to the batch that grows, and hands it over when it is full:
// that waits for the one before. The error is that of a batch before.
func (p *pipeline) add(raw inbox.Raw) (full bool, err error) {
	p.batch, p.bytes = append(p.batch, raw), p.bytes+len(raw.Bytes)
	if len(p.batch) < batchMails && p.bytes < batchBytes {
		return false, nil
	}
	p.flush()
	return true, p.failed()
}

func (p *pipeline) flush() {
	if len(p.batch) > 0 {
		p.full <- p.batch
	}
	p.batch, p.bytes = nil, 0
}

// end takes what is left, waits for it and gives the first error.
func (p *pipeline) end() error {
	p.flush()
	close(p.full)
	p.done.Wait()
	return p.err
}

// filable tells, once, whether n mails or more were taken since the last time.
func (p *pipeline) filable(n int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken < n {
		return false
	}
	p.taken = 0
	return true
}
