package intake

import (
	"errors"
	"testing"
	"testing/synctest"

	"push.guru/supportd/inbox"
)

// While one batch is committed the next one is prepared, one waits and another
// one grows, and then whoever fetches waits: how many mails there are does not matter to
// what is in memory.
func TestPipelineHoldsFourBatches(t *testing.T) {
	for _, size := range []int{10, batchBytes / 8} { // by the number of mails, and by their bytes
		synctest.Test(t, func(t *testing.T) {
			in := New(Config{})
			p := in.newPipeline(t.Context(), func(int) {})
			release, added, ready, taken := make(chan bool), 0, 0, 0
			p.prepare = func(batch []inbox.Raw) []*prepared {
				ready += len(batch)
				return make([]*prepared, len(batch))
			}
			p.commit = func(batch []*prepared) error {
				<-release
				taken += len(batch)
				return nil
			}
			const mails = 7 * batchMails
			var failed error
			go func() {
				for range mails {
					_, err := p.add(inbox.Raw{Bytes: make([]byte, size)})
					failed = errors.Join(failed, err)
					added++
				}
			}()
			synctest.Wait()
			if each := min(batchMails, (batchBytes+size-1)/size); added < 3*each || added > 4*each || ready != 2*each {
				t.Errorf("%d mails of %d bytes are in memory, and %d prepared, want at most %d and %d", added, size, ready, 4*each, 2*each)
			}
			close(release)
			synctest.Wait()
			if err := p.end(); err != nil || failed != nil || taken != mails {
				t.Errorf("%d of %d mails were taken: %v, %v", taken, mails, err, failed)
			}
		})
	}
}

// After a batch that could not be taken nothing more is, and whoever fetches
// learns of it.
func TestPipelineStopsAtAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(Config{}).newPipeline(t.Context(), func(int) {})
		broken, calls := errors.New("the disk is full"), 0
		p.prepare = func(batch []inbox.Raw) []*prepared { return make([]*prepared, len(batch)) }
		p.commit = func([]*prepared) error { calls++; return broken }
		var err error
		for range 3 * batchMails {
			if _, err = p.add(inbox.Raw{}); err != nil {
				break
			}
			synctest.Wait()
		}
		if !errors.Is(err, broken) || !errors.Is(p.end(), broken) || calls != 1 {
			t.Errorf("%v after %d calls", err, calls)
		}
	})
}
