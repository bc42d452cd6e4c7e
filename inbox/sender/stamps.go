package sender

// Stamp is an Authentication-Results header as it stands in a mail.
type Stamp struct {
	ID       string // authserv-id as it is written; "" when the header cannot be read
	Value    string // unfolded
	Received int    // how many Received lines stand above it
	DMARC    string // its dmarc result in lower case; "" when it has none, or several
}

// Stamps lists the Authentication-Results headers of a mail, topmost first,
// whoever wrote them: where a server puts its own is what OwnHops must count.
// It believes none of them. It returns an error when the header can be read in
// more than one way, as [Checker.Evidence] sees it.
func Stamps(raw []byte) ([]Stamp, error) {
	m, err := readMail(raw)
	if err != nil {
		return nil, err
	}
	var out []Stamp
	hops := 0
	for _, f := range m.fields {
		switch f.name {
		case "received":
			hops++
		case "authentication-results":
			s := Stamp{Value: f.value, Received: hops}
			if r, err := parseResults(f.value); err == nil {
				s.ID, s.DMARC = r.id, onlyDMARC(r)
			}
			out = append(out, s)
		}
	}
	return out, nil
}

func onlyDMARC(r *results) string {
	result, n := "", 0
	for _, m := range r.methods {
		if m.name == "dmarc" {
			result = m.result
			n++
		}
	}
	if n != 1 {
		return ""
	}
	return result
}
