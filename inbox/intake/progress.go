package intake

import (
	"fmt"
	"time"
)

// Progress is how far a long pass over a folder has come. Only mails count that
// are accounted for: whoever goes on after a crash does so behind them.
type Progress struct {
	Mailbox     string
	Done, Total int           // mails of this pass
	Took        time.Duration // since the pass began
}

// longPass is how many mails a pass takes at least for its progress to be told.
const longPass = 8 * batchMails

// progressParts is how often progress is logged from the beginning of a pass to
// its end, where nobody looks at a bar.
const progressParts = 20

// Rate gives the mails a second.
func (p Progress) Rate() float64 { return float64(p.Done) / max(p.Took.Seconds(), 1e-3) }

// Left is how long the rest takes at that rate.
func (p Progress) Left() time.Duration {
	if p.Done == 0 {
		return 0
	}
	return time.Duration(float64(p.Took) / float64(p.Done) * float64(p.Total-p.Done)).Round(time.Second)
}

// String gives percent, numbers, rate and the time left.
func (p Progress) String() string {
	return fmt.Sprintf("%s: %d %%, %d of %d mails, %.0f a second, %v left", p.Mailbox, 100*p.Done/max(p.Total, 1), p.Done, p.Total, p.Rate(), p.Left())
}

// tell gives what tells of the progress of a pass over so many mails, after
// each batch.
func (in *Intake) tell(src *Source, total int) func(taken int) {
	if total < longPass {
		return func(int) {}
	}
	p, began, logged := Progress{Mailbox: src.Name, Total: total}, time.Now(), 0
	return func(taken int) {
		p.Done += taken
		p.Took = time.Since(began)
		if in.Progress != nil {
			in.Progress(p)
			return
		}
		if part := progressParts * p.Done / total; part > logged {
			logged = part
			in.Log.Info("intake: backlog", "mailbox", src.Name, "percent", 100*p.Done/total, "done", p.Done, "of", total, "persecond", int(p.Rate()), "left", p.Left())
		}
	}
}
