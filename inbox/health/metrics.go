package health

import (
	"io"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/state"
)

// atRisk is how long before its due time an open action is at risk.
const atRisk = 12 * time.Hour

// risks counts the open actions whose answer is due soon, or late, and
// whose clock does not stand. It reads the
// index of what is open as far as the due times are near.
func risks(tx *state.Tx) (n int, err error) {
	until := tx.Now.Add(atRisk)
	for _, class := range []state.Class{state.ClassNow, state.ClassSelf} {
		err := tx.OpenAfter(string([]byte{byte(class)}), func(o state.Line, _ string) bool { // where the class begins
			near := o.Class == class && !o.Due.After(until)
			if near && !o.Undated && !o.Stands && o.Action != 0 {
				n++
			}
			return near
		})
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// kept is what the state says.
type kept struct {
	now              time.Time
	tallies          state.Tallies
	waits            state.Waits
	risks            int
	effects, replies bool // paused
}

func readKept(db *state.DB) (k kept, err error) {
	err = db.View(func(tx *state.Tx) (err error) {
		k.now, k.tallies = tx.Now, tx.Tallies()
		k.effects, k.replies = tx.Paused()
		if k.risks, err = risks(tx); err != nil {
			return err
		}
		k.waits, err = tx.Waits()
		return err
	})
	return k, err
}

// age gives how long ago t was; 0 when it is zero.
func age(now, t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return max(now.Sub(t).Seconds(), 0)
}

// write writes the page of metrics.
func (h *Health) write(w io.Writer) error {
	k, err := readKept(h.State)
	if err != nil {
		return err
	}
	var p page
	h.putProgram(&p)
	h.putMail(&p, k)
	h.putQueue(&p, k)
	h.putServices(&p)
	_, err = p.b.WriteTo(w)
	return err
}

func (h *Health) putProgram(p *page) {
	p.begin("supportd_build_info", gauge, "The version that runs; always 1.").put(1, "version", h.Version, "goversion", h.GoVersion)
	p.begin("supportd_start_time_seconds", gauge, "When the program began, in seconds since 1970.").put(float64(h.began.Unix()))
	p.begin("supportd_hanging_loops", gauge, "Loops that should have gone on and did not; 0 is healthy.").put(float64(len(h.Pulse.Late())))
	p.begin("supportd_not_ready_services", gauge, "What is needed and out of reach; 0 is ready.").put(float64(len(h.Services.Missing())))
}

func (h *Health) putMail(p *page, k kept) {
	m := p.begin("supportd_oldest_unaccounted_mail_seconds", gauge, "How long the mailbox has had mail that is not on record, as far as it was looked; 0: none.")
	for _, s := range h.Services.All() {
		if s.Kind == KindIMAP {
			m.put(age(k.now, h.WaitsSince(s.Mailbox)), "mailbox", s.Mailbox)
		}
	}
	p.begin("supportd_oldest_deferred_mail_seconds", gauge, "Age of the oldest mail that waits for DNS or the user store; 0: none.").put(age(k.now, k.waits.Mail))
	p.begin("supportd_deferred_mails", gauge, "Mails that wait for DNS or the user store.").put(float64(k.tallies.Mails[inbox.MailDeferred]))
	h.count(p, "supportd_mails_total", "Mails by the state in which they ended, since the program began.", countMails, endStates())
	p.begin("supportd_oldest_due_reply_seconds", gauge, "Age of the oldest reply that was not handed over; 0: none waits.").put(age(k.now, k.waits.Reply))
	p.begin("supportd_due_replies", gauge, "Replies that wait to be handed over.").put(float64(k.waits.Replies))
	h.count(p, "supportd_replies_total", "Replies by what became of them, since the program began.", countReplies,
		[]string{string(inbox.ReplySent), string(inbox.ReplyFailed), string(inbox.ReplyVoid)})
}

func (h *Health) putQueue(p *page, k kept) {
	m := p.begin("supportd_actions", gauge, "Actions on record, by state.")
	for _, s := range inbox.States() {
		m.put(float64(k.tallies.States[s]), "state", string(s))
	}
	p.begin("supportd_waiting_for_staff", gauge, "Actions, and mails with held letters, that a person must look at.").put(float64(k.tallies.Now))
	p.begin("supportd_deadlines_at_risk", gauge, "Open actions whose answer is due within 12 hours, or late.").put(float64(k.risks))
	var kinds []string
	for _, kind := range inbox.Kinds() {
		if kind != inbox.KindQuestion {
			kinds = append(kinds, string(kind))
		}
	}
	h.count(p, "supportd_effects_total", "Requests carried out in the user store, by kind, since the program began.", countEffects, kinds)
	m = p.begin("supportd_paused", gauge, "1 while staff have it paused.")
	m.put(flag(k.effects), "what", "effects")
	m.put(flag(k.replies), "what", "replies")
}

func (h *Health) putServices(p *page) {
	for _, of := range []struct {
		kind       Kind
		name, help string
	}{
		{KindIMAP, "supportd_imap_contact_age_seconds", "How long ago the mailbox was last read with success."},
		{KindSMTP, "supportd_smtp_contact_age_seconds", "How long ago the SMTP server last did its work."},
		{KindStore, "supportd_user_store_contact_age_seconds", "How long ago the user store last answered."},
	} {
		m := p.begin(of.name, gauge, of.help)
		for _, s := range h.Services.All() {
			switch {
			case s.Kind == of.kind && s.Mailbox != "":
				m.put(h.Services.Age(s.Kind, s.Mailbox).Seconds(), "mailbox", s.Mailbox)
			case s.Kind == of.kind:
				m.put(h.Services.Age(s.Kind, "").Seconds())
			}
		}
	}
	m := p.begin("supportd_failing_seconds", gauge, "How long each service has failed without a success in between; 0: it does not.")
	for _, s := range h.Services.All() {
		labels := []string{"service", string(s.Kind)}
		if s.Mailbox != "" {
			labels = append(labels, "mailbox", s.Mailbox)
		}
		m.put(age(time.Now(), h.Services.Standing(s.Kind, s.Mailbox).Since), labels...)
	}
}

func (h *Health) count(p *page, name, help, what string, labels []string) {
	label := "state"
	if what == countEffects {
		label = "kind"
	}
	m := p.begin(name, counter, help)
	names, counts := h.Counters.of(what, labels)
	for i := range names {
		m.put(float64(counts[i]), label, names[i])
	}
}

// endStates lists the states in which a mail ends.
func endStates() []string {
	var out []string
	for _, s := range inbox.MailStates() {
		if s != inbox.MailDeferred {
			out = append(out, string(s))
		}
	}
	return out
}

func flag(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
