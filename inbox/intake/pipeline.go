package intake

import (
	"context"
	"sync"

	"push.guru/supportd/inbox"
)

// pipeline takes mails in batches while the next ones are fetched. While one
// batch is committed, the next one is prepared, one waits, for the time in which
// the server is told about others, and another one grows behind it; who adds to
// a full one waits. Batches are committed in the order in which they came. So at
// most four of them are in memory, beside what one command of the fetch brings.
type pipeline struct {
	prepare func([]inbox.Raw) []*prepared
	commit  func([]*prepared) error
	tell    func(taken int)
	batch   []inbox.Raw // that grows
	bytes   int         // of it

	full  chan []inbox.Raw
	ready chan []*prepared
	done  sync.WaitGroup

	mu    sync.Mutex
	err   error // the first; nothing is taken after it
	taken int   // mails that are accounted for and that nobody has asked about
}

func (in *Intake) newPipeline(ctx context.Context, tell func(taken int)) *pipeline {
	p := &pipeline{tell: tell, full: make(chan []inbox.Raw, 1), ready: make(chan []*prepared),
		prepare: func(batch []inbox.Raw) []*prepared { return in.prepareAll(ctx, batch) },
		commit:  func(batch []*prepared) error { return in.commitAll(ctx, batch) }}
	p.done.Go(p.prepareEach)
	p.done.Go(p.commitEach)
	return p
}

func (p *pipeline) prepareEach() {
	defer close(p.ready)
	for batch := range p.full {
		if p.failed() == nil {
			p.ready <- p.prepare(batch)
		}
	}
}

func (p *pipeline) commitEach() {
	for batch := range p.ready {
		if p.failed() != nil {
			continue
		}
		err := p.commit(batch)
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
