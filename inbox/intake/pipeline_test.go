package intake

import (
	"errors"
	"testing"
	"testing/synctest"

	"push.guru/supportd/inbox"
)

// While one batch is taken the next one grows, and then whoever fetches waits:
// how many mails there are does not matter to what is in memory.
func TestPipelineHoldsTwoBatches(t *testing.T) {
	for _, size := range []int{10, batchBytes / 8} { // by the number of mails, and by their bytes
		synctest.Test(t, func(t *testing.T) {
			in := New(Config{})
			p := in.newPipeline(t.Context(), func(int) {})
			release, added, taken := make(chan bool), 0, 0
			p.take = func(batch []inbox.Raw) error {
				<-release
				taken += len(batch)
				return nil
			}
			const mails = 5 * batchMails
			var failed error
			go func() {
				for range mails {
					_, err := p.add(inbox.Raw{Bytes: make([]byte, size)})
					failed = errors.Join(failed, err)
					added++
				}
			}()
			synctest.Wait()
			if limit := min(2*batchMails, 2*batchBytes/size+2); added == 0 || added >= limit {
				t.Errorf("%d mails of %d bytes are in memory, want less than %d", added, size, limit)
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
		p.take = func([]inbox.Raw) error { calls++; return broken }
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
