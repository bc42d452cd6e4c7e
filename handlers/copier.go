package handlers

import (
	"fmt"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/inbox"
)

// encoder writes one form of a part of a copy. The records of a place come
// together.
type encoder interface {
	record(r users.Record) error
	// rest writes what only the last part has: the places that hold nothing,
	// and the earlier cases.
	rest(empty []datamap.Place, past []inbox.PastCase) error
	end() error
}

// copier writes a copy, part by part. It holds one part in memory.
type copier struct {
	h      *Handlers
	job    inbox.Job
	part   int            // the one that is being written, from 1
	held   int            // records in it
	place  string         // that is being written
	counts map[string]int // records of each place so far

	members  []*member // the files of the part; kept from part to part
	encoders []encoder // nil: no part is being written
}

func newCopier(h *Handlers, job inbox.Job) *copier {
	return &copier{h: h, job: job, counts: map[string]int{}}
}

// record writes a record, into another part where this one is full.
func (c *copier) record(r users.Record) error {
	if len(r.Columns) != len(r.Values) {
		return fmt.Errorf("a record of %q has %d columns and %d values", r.Place, len(r.Columns), len(r.Values))
	}
	if r.Place != c.place && c.counts[r.Place] > 0 {
		return fmt.Errorf("the store gave the place %q in two parts", r.Place)
	}
	if c.held > 0 && c.full(weight(r)) {
		if err := c.attach(); err != nil {
			return err
		}
	}
	if err := c.begin(); err != nil {
		return err
	}
	c.place = r.Place
	c.counts[r.Place]++
	c.held++
	for _, e := range c.encoders {
		if err := e.record(r); err != nil {
			return err
		}
	}
	return nil
}

// begin begins a part, if none is being written.
func (c *copier) begin() error {
	if c.encoders != nil {
		return nil
	}
	c.part++
	if limit := c.h.copies.MaxParts; limit > 0 && c.part > limit {
		return &inbox.Error{Err: fmt.Errorf("it needs more than %d mails of %d bytes", limit, c.h.copies.PartBytes),
			Hint: "hand it over in another way, or raise smtp.max_parts and retry"}
	}
	if c.members == nil {
		c.members = []*member{c.h.compressors.member("data.html"), c.h.compressors.member("data.json"), c.h.compressors.member("data.csv")}
	} else {
		for _, m := range c.members {
			m.reset()
		}
	}
	asHTML, asJSON, asCSV := c.members[0], c.members[1], c.members[2]
	page, err := newPage(asHTML, c.h.data(), c.h.copies.Site, c.job.Language, c.part)
	if err != nil {
		return err
	}
	c.encoders = []encoder{newJSON(asJSON, c.h.data()), newCSV(asCSV, c.counts), page}
	return nil
}

// slack is what a part may still grow by once it is found to be full: what the
// compressors hold back, the ends of the files.
const slack = 256 << 10

// room is how large a part may be that a mail can carry: Base64 makes 78 bytes
// of 57 (RFC 2045 section 6.8), and the letter itself needs some; 0: no limit.
func (c *copier) room() int { return c.h.copies.PartBytes / 78 * 57 }

// full tells whether the part has no room for a record that weighs more.
func (c *copier) full(more int) bool {
	limit := c.room()
	if limit == 0 {
		return false
	}
	for _, m := range c.members {
		more += m.packed.size
	}
	return more >= max(limit-slack, limit/4)
}

// weight is what a large record adds to a part at most, nearly: its values in
// three files, should no compressor make them smaller. Small ones are within
// what full leaves anyway.
func weight(r users.Record) (n int) {
	for _, v := range r.Values {
		n += len(v)
	}
	if n = 3 * n; n < slack/4 {
		return 0
	}
	return n
}

// end writes what comes last, attaches the last part and lets go of what is kept
// from part to part.
func (c *copier) end(past []inbox.PastCase) error {
	if err := c.begin(); err != nil {
		return err
	}
	var empty []datamap.Place
	for _, p := range c.h.data().Places() {
		if c.counts[p.Name] == 0 {
			empty = append(empty, p)
		}
	}
	for _, e := range c.encoders {
		if err := e.rest(empty, past); err != nil {
			return err
		}
	}
	if err := c.attach(); err != nil {
		return err
	}
	c.h.compressors.take(c.members)
	c.members = nil
	return nil
}

// attach ends the part and hands it over.
func (c *copier) attach() error {
	for _, e := range c.encoders {
		if err := e.end(); err != nil {
			return err
		}
	}
	b, err := pack(c.members...)
	if err != nil {
		return err
	}
	if limit := c.room(); limit > 0 && len(b) > limit {
		return &inbox.Error{Err: fmt.Errorf("part %d needs more than a mail of %d bytes: a record of the place %q is too large", c.part, c.h.copies.PartBytes, c.place),
			Hint: "hand it over in another way, or raise smtp.max_reply_bytes and retry"}
	}
	c.encoders, c.held = nil, 0
	return c.job.Attach(b)
}
