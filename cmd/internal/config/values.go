package config

import (
	"errors"
	"math"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/language"

	"push.guru/supportd/inbox/address"
	"push.guru/supportd/inbox/settings"
)

// ParseDuration reads a span of time: a whole number of days ("90d"), or what
// time.ParseDuration reads ("12h", "1h30m"), or days before that ("1d12h").
// Negative spans are an error.
func ParseDuration(s string) (time.Duration, error) {
	const day = 24 * time.Hour
	total, rest := time.Duration(0), s
	if days, after, ok := strings.Cut(s, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 32)
		if err != nil || n > uint64(math.MaxInt64/day)-1 {
			return 0, errors.New(strconv.Quote(s) + " is no span of time")
		}
		total, rest = time.Duration(n)*day, after
		if rest == "" {
			return total, nil
		}
	}
	d, err := time.ParseDuration(rest)
	if err != nil || d < 0 || total+d < total || strings.HasPrefix(rest, "+") {
		return 0, errors.New(strconv.Quote(s) + " is no span of time")
	}
	return total + d, nil
}

// table is a table of the configuration file, with the values that only a
// configuration has.
type table struct {
	*settings.Table
	dir string // relative paths start here
}

// table gives the table of that name; an empty one when it is not there.
func (t *table) table(key string) *table { return &table{t.Sub(key), t.dir} }

// tables gives the tables of an array, [[key]].
func (t *table) tables(key string) []*table {
	var out []*table
	for _, sub := range t.Subs(key) {
		out = append(out, &table{sub, t.dir})
	}
	return out
}

// duration reads a span of time that is not shorter than least.
func (t *table) duration(key string, def, least time.Duration) time.Duration {
	const hint = `write for example "90d", "12h" or "30s"`
	v, _, ok := t.Find(key)
	if !ok {
		return def
	}
	s, isText := v.(string)
	d, err := ParseDuration(s)
	switch {
	case !isText:
		t.Fault(key, hint, "must be a text in quotes")
	case err != nil:
		t.Fault(key, hint, "%v", err)
	case d < least:
		t.Fault(key, "", "%s is shorter than %s", s, least)
	default:
		return d
	}
	return def
}

// file reads a file name and makes it absolute; "" stays "".
func (t *table) file(key, def string) string {
	s := t.Text(key, def)
	if s == "" || filepath.IsAbs(s) {
		return s
	}
	return filepath.Join(t.dir, s)
}

// folder reads the name of a folder that must exist, or "".
func (t *table) folder(key string) string {
	s := t.file(key, "")
	if s == "" {
		return ""
	}
	if info, err := os.Stat(s); err != nil {
		t.Fault(key, "create the folder, or leave the key empty", "%v", err)
	} else if !info.IsDir() {
		t.Fault(key, "", "%s is not a folder", s)
	}
	return s
}

// addresses reads a list of mail addresses.
func (t *table) addresses(key string) []string {
	var out []string
	for _, s := range t.Texts(key) {
		if a := t.canonical(key, s); a != "" {
			out = append(out, a)
		}
	}
	return out
}

// networks reads a list of IP addresses and networks of them; one that holds
// every address is a fault.
func (t *table) networks(key, hint string) []netip.Prefix {
	var out []netip.Prefix
	for _, s := range t.Texts(key) {
		p, err := netip.ParsePrefix(s)
		if a, single := netip.ParseAddr(s); single == nil {
			p, err = a.Prefix(a.BitLen())
		}
		if err != nil || p.Bits() == 0 {
			t.Fault(key, hint, "%q is neither an address nor a network", s)
			continue
		}
		out = append(out, p.Masked())
	}
	return out
}

// labels reads a list of the words by which a form names what it asks for.
func (t *table) labels(key string) []string {
	list := t.Texts(key)
	for _, s := range list {
		if strings.Trim(s, " \t*_-–—=#|•:") == "" || strings.ContainsAny(s, ":\n") || strings.TrimSpace(s) != s {
			t.Fault(key, "write the words alone, without colon and blanks around them", "%q is no label", s)
		}
	}
	return list
}

// canonical gives the comparable form of an address found at key, or "".
func (t *table) canonical(key, s string) string {
	a, err := address.Canonical(s)
	if err != nil {
		t.Fault(key, "write it bare: local@domain", "%q is not a mail address", s)
		return ""
	}
	return a
}

// languages reads the languages of replies.
func (t *table) languages(key string, known []string, def ...string) []string {
	list := t.Texts(key, def...)
	if len(list) == 0 {
		t.Fault(key, `for example ["en"]`, "names no language")
	}
	seen := map[string]bool{}
	for _, s := range list {
		tag, err := language.Parse(s)
		switch {
		case err != nil || tag.String() != s:
			t.Fault(key, `for example "en" or "kk"`, "%q is not a language tag", s)
		case seen[s]:
			t.Fault(key, "", "%q is named twice", s)
		case len(known) > 0 && !slices.Contains(known, s):
			t.Fault(key, "there are "+strings.Join(known, ", "), "there are no letters in %q", s)
		}
		seen[s] = true
	}
	return list
}

// region reads a country code.
func (t *table) region(key, def string) string {
	s := t.Text(key, def)
	if r, err := language.ParseRegion(s); err != nil || r.String() != s || !r.IsCountry() {
		t.Fault(key, `two capitals, for example "KZ"`, "%q is not a country code", s)
	}
	return s
}

// page reads the address of a web page, or "".
func (t *table) page(key string) string {
	s := t.Text(key, "")
	if s == "" {
		return ""
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || u.User != nil:
		t.Fault(key, `for example "https://site.example/account"`, "not the address of a web page")
	case u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname())):
		t.Fault(key, "people's data go over https only; http works on loopback", "the scheme is %q", u.Scheme)
	}
	return s
}

// hostPort reads host:port, or "".
func (t *table) hostPort(key, def string) string {
	s := t.Text(key, def)
	if s == "" {
		return ""
	}
	host, port, err := net.SplitHostPort(s)
	if n, perr := strconv.Atoi(port); err != nil || perr != nil || host == "" || n < 0 || n > 65535 {
		t.Fault(key, `for example "127.0.0.1:8080"`, "%q is not host:port", s)
		return ""
	}
	return s
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
