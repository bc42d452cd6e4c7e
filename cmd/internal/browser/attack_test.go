package browser

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"push.guru/supportd/inbox/staff"
)

// arena is a site whose console is attacked. In case M-000001 somebody wants
// their account deleted, in M-000002 somebody asks a question.
type arena struct {
	*site
	viewer, handler, approver string // sessions
}

const (
	deleting = "/case/M-000001"
	asking   = "/case/M-000002"
)

// attack is something that must not succeed; it gives what did.
type attack struct {
	name string
	do   func(x *arena) (fault string)
}

// TestAttacks attacks the console as it is served. Nothing succeeds, and each
// answer carries what protects a browser.
func TestAttacks(t *testing.T) {
	s := open(t, "Site", bySight, "")
	s.write(alice, "please", "Please delete my account.")
	s.write(bob, "hello", "Why was I charged twice in June?")
	x := &arena{site: s, viewer: s.hire("vera", staff.RoleViewer), handler: s.hire("hana", staff.RoleHandler), approver: s.hire("arno", staff.RoleApprover)}
	s.hire("wanda", staff.RoleHandler) // whose sessions come and go
	all := slices.Concat(forgeries(), fixations(), links(), roles(), forms(), addresses(), papers(), floods())
	refused := 0
	for _, a := range all {
		t.Run(a.name, func(t *testing.T) {
			x.t = t
			before := x.stand()
			if fault := a.do(x); fault != "" {
				t.Error(fault)
			}
			if after := x.stand(); after != before {
				t.Errorf("the actions stand at %s, before at %s", after, before)
			}
			if !t.Failed() {
				refused++
			}
		})
	}
	x.t = t
	if got := x.stand(); got != "review review" {
		t.Errorf("in the end they stand at %s", got)
	}
	t.Logf("%d of %d attacks were refused", refused, len(all))
	if len(all) < 40 {
		t.Errorf("only %d attacks", len(all))
	}
}

// stand tells how the actions stand.
func (x *arena) stand() string {
	x.t.Helper()
	return string(x.action(1).State) + " " + string(x.action(2).State)
}

// coded tells when an answer has another code, or lacks what protects a browser.
func coded(a answered, codes ...int) string {
	if !slices.Contains(codes, a.Code) {
		return fmt.Sprintf("answered %d %s: %s", a.Code, a.to(), a.text())
	}
	return bare(a)
}

// bare tells which of the headers that protect a browser an answer lacks.
func bare(a answered) string {
	for name, want := range map[string]string{
		"Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
		"X-Frame-Options":         "DENY", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
		"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
	} {
		if got := a.Header.Get(name); got != want {
			return fmt.Sprintf("%s is %q", name, got)
		}
	}
	if a.Header.Get("Access-Control-Allow-Origin") != "" {
		return "another site may read it"
	}
	return ""
}

// sendsAway tells when an answer does not lead to the sign-in. A form that
// nobody signed sent is answered with the sign-in itself, which keeps what was
// typed.
func sendsAway(a answered) string {
	if a.Code == http.StatusUnauthorized && strings.Contains(a.Body, `<form action="/sign-in"`) && (a.given() == nil || a.given().MaxAge < 0) {
		return bare(a)
	}
	if a.Code != http.StatusSeeOther || !strings.HasPrefix(a.to(), "/sign-in") && a.to() != "/password" {
		return fmt.Sprintf("answered %d %s", a.Code, a.to())
	}
	return bare(a)
}

// first gives the first of several faults.
func first(faults ...string) string {
	for _, f := range faults {
		if f != "" {
			return f
		}
	}
	return ""
}

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) {
		r.Header.Del(name)
		if value != "" {
			r.Header.Set(name, value)
		}
	}
}

const approval = "action=A-000001&typed=M-000001"

// forgeries are requests that another site's page makes a browser send.
func forgeries() (out []attack) {
	for name, change := range map[string][]func(*http.Request){
		"cross-site":               {header("Sec-Fetch-Site", "cross-site")},
		"same-site":                {header("Sec-Fetch-Site", "same-site")},
		"cross-site, our Origin":   {header("Sec-Fetch-Site", "cross-site"), func(r *http.Request) { r.Header.Set("Origin", "http://"+r.URL.Host) }},
		"Origin of another site":   {header("Sec-Fetch-Site", ""), header("Origin", "https://evil.test")},
		"Origin null":              {header("Sec-Fetch-Site", ""), header("Origin", "null")},
		"Origin of another port":   {header("Sec-Fetch-Site", ""), header("Origin", "http://127.0.0.1:1")},
		"Origin that begins so":    {header("Sec-Fetch-Site", ""), func(r *http.Request) { r.Header.Set("Origin", "http://"+r.URL.Host+".evil.test") }},
		"cross-site as text/plain": {header("Sec-Fetch-Site", "cross-site"), header("Content-Type", "text/plain")},
	} {
		out = append(out, attack{"forged approval: " + name, func(x *arena) string {
			return coded(x.ask(http.MethodPost, deleting+"/approve", x.handler, approval, change...), http.StatusForbidden)
		}})
	}
	for _, kind := range []string{"text/plain", "application/json", "multipart/form-data; boundary=x", ""} {
		out = append(out, attack{"form as " + kind, func(x *arena) string {
			return coded(x.ask(http.MethodPost, deleting+"/approve", x.handler, approval, header("Content-Type", kind)), http.StatusNotFound, http.StatusBadRequest)
		}})
	}
	for _, path := range []string{"/sign-in", "/sign-out", "/link", "/password", "/account", "/search", "/saved/put", "/saved/delete", "/staff/add", "/staff/role", "/staff/reset",
		"/staff/disable", "/staff/enable", "/pause", "/resume", "/log/verify", "/mails/M-000001/replay"} {
		out = append(out, attack{"forged POST " + path, func(x *arena) string {
			return coded(x.ask(http.MethodPost, path, x.admin, "name=vera&role=admin&language=en&text=x&what=x", header("Sec-Fetch-Site", "cross-site")), http.StatusForbidden)
		}})
	}
	return append(out,
		attack{"act by GET", func(x *arena) string {
			return coded(x.get(deleting+"/approve?"+approval, x.handler), http.StatusMethodNotAllowed)
		}},
		attack{"act by GET that says it is a POST", func(x *arena) string {
			return coded(x.ask(http.MethodGet, deleting+"/approve?_method=POST&"+approval, x.handler, "", header("X-HTTP-Method-Override", "POST")), http.StatusMethodNotAllowed)
		}},
		attack{"act by fields in the address", func(x *arena) string {
			return coded(x.ask(http.MethodPost, deleting+"/approve?"+approval, x.handler, ""), http.StatusNotFound, http.StatusBadRequest)
		}})
}

// fixations are sessions that are not, or no longer, good.
func fixations() []attack {
	const planted = "AAAAAAAAAAAAAAAAAAAAAAAAAA"
	return []attack{
		{"planted session at the sign-in", func(x *arena) string {
			got := x.post("/sign-in", planted, "name", "wanda", "password", password)
			if c := got.given(); c == nil || c.Value == planted {
				return "the planted session was kept"
			}
			return sendsAway(x.get("/queue", planted))
		}},
		{"session from before the sign-in", func(x *arena) string {
			one := x.signIn("wanda")
			two := x.post("/sign-in", one, "name", "wanda", "password", password).given()
			if two == nil || two.Value == one {
				return "no new session was given"
			}
			return sendsAway(x.get("/queue", one))
		}},
		{"session of somebody else at the sign-in", func(x *arena) string {
			mine := x.signIn("vera")
			if c := x.post("/sign-in", mine, "name", "wanda", "password", password).given(); c == nil {
				return "nobody got in"
			}
			return sendsAway(x.get("/queue", mine))
		}},
		{"session after the sign-out", func(x *arena) string {
			token := x.signIn("wanda")
			got := x.post("/sign-out", token)
			if got.Header.Get("Clear-Site-Data") == "" || got.given() == nil || got.given().MaxAge >= 0 {
				return "the browser keeps it"
			}
			return first(sendsAway(x.get("/queue", token)), sendsAway(x.post(deleting+"/approve", token, "action", "A-000001", "typed", "M-000001")))
		}},
		{"session after the account was disabled", func(x *arena) string {
			token := x.hire("dora", staff.RoleAdmin)
			x.post("/staff/disable", x.admin, "name", "dora")
			again := x.post("/sign-in", "", "name", "dora", "password", password)
			return first(sendsAway(x.get("/staff", token)), sendsAway(x.post("/staff/add", token, "name", "friend", "role", "admin")), coded(again, http.StatusUnauthorized))
		}},
		{"session after the role was lowered", func(x *arena) string {
			token := x.hire("emil", staff.RoleAdmin)
			x.post("/staff/role", x.admin, "name", "emil", "role", "viewer")
			got := x.post("/staff/add", token, "name", "friend", "role", "admin")
			if got.Code != http.StatusForbidden && sendsAway(got) != "" {
				return fmt.Sprintf("answered %d", got.Code)
			}
			return ""
		}},
		{"session after a new password", func(x *arena) string {
			token := x.hire("fritz", staff.RoleViewer)
			got := x.post("/password", token, "old", password, "password", "seven green kettles hum", "again", "seven green kettles hum")
			if got.given() == nil || got.given().Value == token {
				return "no new session was given"
			}
			return sendsAway(x.get("/queue", token))
		}},
		{"session after a reset", func(x *arena) string {
			token := x.hire("greta", staff.RoleViewer)
			x.post("/staff/reset", x.admin, "name", "greta")
			return first(sendsAway(x.get("/queue", token)), coded(x.post("/sign-in", "", "name", "greta", "password", password), http.StatusUnauthorized))
		}},
		{"password of somebody whose session is open", func(x *arena) string {
			return coded(x.post("/password", x.viewer, "old", "a guess of mine", "password", "seven green kettles hum", "again", "seven green kettles hum"),
				http.StatusUnauthorized, http.StatusUnprocessableEntity)
		}},
		{"session that was guessed", func(x *arena) string {
			return first(sendsAway(x.get("/queue", planted)), sendsAway(x.get("/queue", "x")), sendsAway(x.get("/queue", strings.Repeat("A", 5000))))
		}},
		{"session in the address", func(x *arena) string {
			return sendsAway(x.get("/queue?"+cookie+"="+x.handler+"&token="+x.handler, ""))
		}},
		{"session under another name", func(x *arena) string {
			return sendsAway(x.ask(http.MethodGet, "/queue", "", "", header("Cookie", "session="+x.handler), header("Authorization", "Bearer "+x.handler)))
		}},
		{"cookie without its guards", func(x *arena) string {
			c := x.post("/sign-in", "", "name", "wanda", "password", password).given()
			if c == nil || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Domain != "" || len(c.Value) < 22 {
				return fmt.Sprintf("the cookie is %v", c)
			}
			return ""
		}},
		{"live queue without a session", func(x *arena) string { return coded(x.get("/queue/live", ""), http.StatusUnauthorized) }},
		{"live queue that stays open after the sign-out", func(x *arena) string {
			token := x.signIn("wanda")
			ctx, cancel := context.WithTimeout(x.t.Context(), patience)
			defer cancel()
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, x.url+"/queue/live", nil)
			if err != nil {
				return err.Error()
			}
			r.AddCookie(&http.Cookie{Name: cookie, Value: token})
			resp, err := http.DefaultTransport.RoundTrip(r)
			if err != nil {
				return err.Error()
			}
			defer func() { _ = resp.Body.Close() }() // it has ended, or will not be read
			lines := bufio.NewScanner(resp.Body)
			if !lines.Scan() || lines.Text() != "event: hello" {
				return "it does not begin"
			}
			for lines.Scan() && lines.Text() != "event: rows" { // as the page would have them
			}
			x.post("/sign-out", token)
			for lines.Scan() {
				if lines.Text() == "event: rows" {
					return "it goes on telling"
				}
				if lines.Text() == "event: out" {
					return ""
				}
			}
			return fmt.Sprint("it broke off: ", lines.Err())
		}},
		{"page that a browser keeps", func(x *arena) string {
			for _, path := range []string{"/queue", deleting, "/log", "/log/export?format=csv", deleting + "/raw", deleting + "/receipt", "/mails", "/account"} {
				if fault := coded(x.get(path, x.handler), http.StatusOK); fault != "" {
					return path + ": " + fault
				}
			}
			return ""
		}},
	}
}

// links are one-time links that are used otherwise than once.
func links() []attack {
	use := func(x *arena, token string) answered { return x.post("/link", "", "token", token) }
	token := func(x *arena, name string) string {
		return strings.TrimPrefix(x.invite(name, staff.RoleAdmin), "/link/")
	}
	return []attack{
		{"one-time link twice", func(x *arena) string {
			link := token(x, "hugo")
			use(x, link)
			return coded(use(x, link), http.StatusForbidden)
		}},
		{"one-time link by many at the same time", func(x *arena) string {
			link := token(x, "ilse")
			var in sync.WaitGroup
			got := make([]answered, 12)
			for i := range got {
				in.Go(func() { got[i] = use(x, link) })
			}
			in.Wait()
			n := 0
			for _, a := range got {
				if a.given() != nil {
					n++
				}
			}
			if n != 1 {
				return fmt.Sprintf("%d got in", n)
			}
			return ""
		}},
		{"one-time link that was looked at", func(x *arena) string {
			link := token(x, "jana")
			for range 5 {
				if got := x.get("/link/"+link, ""); got.given() != nil {
					return "to look at it signs in"
				}
			}
			if use(x, link).given() == nil {
				return "to look at it used it up"
			}
			return ""
		}},
		{"one-time link of a disabled account", func(x *arena) string {
			link := token(x, "karl")
			x.post("/staff/disable", x.admin, "name", "karl")
			return coded(use(x, link), http.StatusForbidden)
		}},
		{"one-time link that a newer one replaced", func(x *arena) string {
			link := token(x, "lena")
			x.post("/staff/reset", x.admin, "name", "lena")
			return coded(use(x, link), http.StatusForbidden)
		}},
		{"work before a password is chosen", func(x *arena) string {
			c := use(x, token(x, "mona")).given()
			if c == nil {
				return "the link does not work"
			}
			return first(sendsAway(x.get("/queue", c.Value)), sendsAway(x.get("/log/export?format=csv", c.Value)), sendsAway(x.post("/staff/add", c.Value, "name", "friend", "role", "admin")),
				sendsAway(x.post(deleting+"/approve", c.Value, "action", "A-000001", "typed", "M-000001")))
		}},
		{"one-time link in the journal or the log", func(x *arena) string {
			link := token(x, "nils")
			text := x.get("/log/export?format=jsonl", x.admin).Body + x.get("/log", x.admin).Body + x.log.String()
			if strings.Contains(text, link) || strings.Contains(text, x.handler) || strings.Contains(text, password) {
				return "a secret is written down"
			}
			return ""
		}},
	}
}

// roles go beyond what they may.
func roles() (out []attack) {
	fields := "action=A-000001&typed=M-000001&reason=x&text=x&to=hana&note=x&kind=delete&scope=account&step=send&name=vera&role=admin&language=en&password=x"
	try := func(who, path string, token func(*arena) string) {
		out = append(out, attack{who + " " + path, func(x *arena) string {
			if method, at, _ := strings.Cut(path, " "); method == "GET" {
				return coded(x.get(at, token(x)), http.StatusForbidden)
			} else {
				return coded(x.ask(method, at, token(x), fields), http.StatusForbidden)
			}
		}})
	}
	administers := []string{"GET /staff", "POST /staff/add", "POST /staff/role", "POST /staff/reset", "POST /staff/disable", "POST /staff/enable", "POST /saved/put", "POST /saved/delete", "POST /resume"}
	approves := []string{"POST " + deleting + "/approve-without-proof", "POST /pause"}
	acts := []string{"GET " + deleting + "/raw", "GET /saved", "POST /mails/M-000001/replay"}
	for _, verb := range []string{"approve", "refuse", "correct", "hold", "release", "answer", "ask", "close", "retry", "undo", "hand-over", "extend"} {
		acts = append(acts, "POST "+deleting+"/"+verb)
	}
	for _, path := range slices.Concat(administers, approves, acts) {
		try("viewer", path, func(x *arena) string { return x.viewer })
	}
	for _, path := range slices.Concat(administers, approves) {
		try("handler", path, func(x *arena) string { return x.handler })
	}
	for _, path := range administers {
		try("approver", path, func(x *arena) string { return x.approver })
	}
	for _, path := range []string{"/queue", deleting, deleting + "/raw", deleting + "/receipt", "/mails", "/log", "/log/export?format=csv", "/saved", "/staff", "/account", "/password"} {
		out = append(out, attack{"nobody GET " + path, func(x *arena) string { return sendsAway(x.get(path, "")) }})
	}
	for _, path := range []string{deleting + "/approve", "/search", "/log/verify", "/saved/put", "/staff/add", "/pause", "/resume", "/sign-out", "/password", "/account"} {
		out = append(out, attack{"nobody POST " + path, func(x *arena) string { return sendsAway(x.ask(http.MethodPost, path, "", fields)) }})
	}
	return out
}

// forms are ours, with something changed in them.
func forms() (out []attack) {
	for name, f := range map[string]struct {
		path  string
		pairs []string
		codes []int
	}{
		"the action of another case":           {asking + "/approve", []string{"action", "A-000001", "typed", "M-000001"}, []int{404}},
		"the action of another case, answered": {deleting + "/answer", []string{"action", "A-000002", "text", "x", "step", "send"}, []int{404}},
		"a case that nobody has":               {"/case/M-999999/approve", []string{"action", "A-000001", "typed", "M-000001"}, []int{404}},
		"no action":                            {deleting + "/approve", []string{"typed", "M-000001"}, []int{404}},
		"action zero":                          {deleting + "/approve", []string{"action", "A-000000", "typed", "M-000001"}, []int{404}},
		"an action that is no number":          {deleting + "/approve", []string{"action", "A-1 OR 1=1", "typed", "M-000001"}, []int{404}},
		"an action beyond all numbers":         {deleting + "/approve", []string{"action", "A-99999999999999999999999", "typed", "M-000001"}, []int{404}},
		"no number typed":                      {deleting + "/approve", []string{"action", "A-000001"}, []int{422}},
		"the number of another case":           {deleting + "/approve", []string{"action", "A-000001", "typed", "M-000002"}, []int{422}},
		"the number of the action":             {deleting + "/approve", []string{"action", "A-000001", "typed", "A-000001"}, []int{422}},
		"a refusal sent without its letter":    {deleting + "/refuse", []string{"action", "A-000001", "reason", "x", "step", "send"}, []int{422}},
		"a refusal without a reason":           {deleting + "/refuse", []string{"action", "A-000001", "step", "send", "typed", "M-000001"}, []int{409, 422}},
		"an act that is not offered: retry":    {deleting + "/retry", []string{"action", "A-000001", "typed", "M-000001"}, []int{409, 422}},
		"an act that is not offered: release":  {deleting + "/release", []string{"action", "A-000001", "typed", "M-000001"}, []int{409, 422}},
		"an act that is not offered: answer":   {deleting + "/answer", []string{"action", "A-000001", "text", "x", "step", "send", "typed", "M-000001"}, []int{409, 422}},
		"an act that is not offered: undo":     {deleting + "/undo", []string{"action", "A-000001"}, []int{409, 422}},
		"an act that there is not":             {deleting + "/erase", []string{"action", "A-000001", "typed", "M-000001"}, []int{404}},
		"an act of the program itself":         {deleting + "/done", []string{"action", "A-000001", "typed", "M-000001"}, []int{404}},
		"handed over to nobody there is":       {deleting + "/hand-over", []string{"action", "A-000001", "to", "nobody-there"}, []int{409, 422}},
		"handed over to a viewer":              {deleting + "/hand-over", []string{"action", "A-000001", "to", "vera"}, []int{409, 422}},
		"corrected to a kind that is none":     {deleting + "/correct", []string{"action", "A-000001", "kind", "drop table"}, []int{409, 422}},
		"corrected to nothing":                 {deleting + "/correct", []string{"action", "A-000001", "kind", "change", "set.id", "u-bob", "set.active", "false", "set.password", "x"}, []int{409, 422}},
		"on hold until a day that is none":     {deleting + "/hold", []string{"action", "A-000001", "reason", "x", "until", "tomorrow'--"}, []int{422}},
		"on hold until yesterday":              {deleting + "/hold", []string{"action", "A-000001", "reason", "x", "until", "2020-01-01"}, []int{409, 422}},
		"asked at an address of nobody":        {asking + "/ask", []string{"action", "A-000002", "text", "x", "record", "evil@evil.test", "step", "send"}, []int{409, 422}},
		"asked at an address with a second":    {asking + "/ask", []string{"action", "A-000002", "text", "x", "record", "bob@users.test\r\nBcc: evil@evil.test", "step", "send"}, []int{409, 422}},
	} {
		out = append(out, attack{"form with " + name, func(x *arena) string { return coded(x.post(f.path, x.approver, f.pairs...), f.codes...) }})
	}
	return append(out,
		attack{"administrator who locks everybody out", func(x *arena) string {
			for _, other := range []string{"dora", "emil", "hugo", "ilse", "jana", "karl", "lena", "mona", "nils"} {
				x.post("/staff/disable", x.admin, "name", other)
			}
			return first(coded(x.post("/staff/disable", x.admin, "name", "chief"), http.StatusUnprocessableEntity),
				coded(x.post("/staff/role", x.admin, "name", "chief", "role", "viewer"), http.StatusUnprocessableEntity))
		}},
		attack{"account with a name of the program", func(x *arena) string {
			for _, name := range []string{"supportd", "root", "owner", "<script>", "a\r\nb", "", strings.Repeat("x", 200), "vera ", "VERA"} {
				if got := x.post("/staff/add", x.admin, "name", name, "role", "viewer"); got.Code != http.StatusUnprocessableEntity {
					return fmt.Sprintf("%q: %d", name, got.Code)
				}
			}
			return ""
		}},
		attack{"role that is none", func(x *arena) string {
			return first(coded(x.post("/staff/role", x.admin, "name", "vera", "role", "emperor"), http.StatusUnprocessableEntity),
				coded(x.post("/staff/add", x.admin, "name", "otto", "role", ""), http.StatusUnprocessableEntity))
		}})
}

// addresses are made up: other hosts, other sites, other files.
func addresses() (out []attack) {
	for _, host := range []string{"evil.test", "127.0.0.1", "127.0.0.1.evil.test:80", "localhost.evil.test", "[::ffff:127.0.0.1]", "127.1"} {
		out = append(out, attack{"host " + host, func(x *arena) string {
			got := x.ask(http.MethodGet, "/queue", x.handler, "", func(r *http.Request) { r.Host = host })
			return coded(got, http.StatusMisdirectedRequest)
		}})
	}
	out = append(out, attack{"host that a proxy is said to have", func(x *arena) string {
		got := x.ask(http.MethodGet, "/queue", "", "", header("X-Forwarded-Host", "evil.test"), header("Forwarded", "host=evil.test"))
		if strings.Contains(got.to(), "evil") {
			return "it leads to " + got.to()
		}
		link := x.ask(http.MethodPost, "/staff/add", x.admin, "name=paul&role=viewer", header("X-Forwarded-Host", "evil.test")).Body
		if strings.Contains(link, "evil.test") {
			return "a one-time link leads there"
		}
		return sendsAway(got)
	}})
	for _, next := range []string{"//evil.test", "https://evil.test/queue", "/\\evil.test", "\t//evil.test", "/queue/../../evil", "javascript:alert(1)", "/queue?x=//evil.test", "/%2f/evil.test", "/case/M-1/../..//evil.test", "http:evil.test", "/sign-out"} {
		out = append(out, attack{"next " + next, func(x *arena) string {
			got := x.post("/sign-in", "", "name", "wanda", "password", password, "next", next)
			shown := x.get("/sign-in?next="+url.QueryEscape(next), "")
			if got.Code != http.StatusSeeOther || got.to() != "/queue" || !strings.Contains(shown.Body, `name="next" value=""`) {
				return fmt.Sprintf("it leads to %d %s", got.Code, got.to())
			}
			return ""
		}})
	}
	for _, path := range []string{"/assets/../../../etc/passwd", "/assets/%2e%2e/%2e%2e/etc/passwd", "/assets/..%2f..%2fetc%2fpasswd", "/assets/style.css", "/assets/", "/texts/en.txt", "/pages/case.html",
		"/.git/config", "/supportd.toml", "/state", "/case/..%2f..%2fetc/passwd", "/case/M-000001%2f..%2f../raw", "/case/M-000001/raw/../../../etc/passwd", "/log/export/../../state", "/log/export?format=../../x",
		"/log/export?format=csv%0d%0aX-Evil:1", "/log/export?format=", "/debug/pprof/", "//evil.test/%2e%2e"} {
		out = append(out, attack{"path " + path, func(x *arena) string {
			got := x.ask(http.MethodGet, "/", x.admin, "", func(r *http.Request) {
				at, query, _ := strings.Cut(path, "?")
				r.URL.Opaque, r.URL.RawQuery = "//"+r.URL.Host+at, query
			})
			for range 3 {
				if got.Code/100 != 3 {
					break
				}
				if to, err := url.Parse(got.to()); err != nil || to.Host != "" {
					return "it leads to " + got.to()
				}
				got = x.get(got.to(), x.admin)
			}
			if got.Header.Get("X-Evil") != "" || strings.Contains(got.Body, "root:") {
				return "it has what it should not have"
			}
			return coded(got, http.StatusNotFound, http.StatusMethodNotAllowed)
		}})
	}
	return out
}

// papers are what somebody downloads or is shown.
func papers() []attack {
	return []attack{
		{"export's file name", func(x *arena) string {
			got := x.get("/log/export?format=csv&what="+url.QueryEscape("approve\"\r\nX-Evil: 1")+"&who=%0d%0aSet-Cookie:a=b&case=M-1%22", x.handler)
			name := got.Header.Get("Content-Disposition")
			if !strings.HasPrefix(name, `attachment; filename="log-20`) || !strings.HasSuffix(name, `.csv"`) || len(name) != len(`attachment; filename="log-2006-01-02.csv"`) || got.Header.Get("X-Evil") != "" || len(got.Header.Values("Set-Cookie")) > 0 {
				return fmt.Sprint(got.Header)
			}
			return bare(got)
		}},
		{"export whose cells are formulas", func(x *arena) string {
			x.post(asking+"/hold", x.handler, "action", "A-000002", "reason", `=HYPERLINK("http://evil.test","x")`)
			x.post(asking+"/release", x.handler, "action", "A-000002")
			x.post(asking+"/hand-over", x.handler, "action", "A-000002", "to", "hana", "note", "+cmd|' /C calc'!A0")
			rows, err := csv.NewReader(strings.NewReader(x.get("/log/export?format=csv", x.handler).Body)).ReadAll()
			if err != nil {
				return err.Error()
			}
			for _, row := range rows {
				for _, cell := range row {
					if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r") {
						return fmt.Sprintf("a cell is %q", cell)
					}
				}
			}
			return ""
		}},
		{"page in a frame", func(x *arena) string {
			return first(coded(x.get("/queue", x.handler), 200), coded(x.get("/sign-in", ""), 200), coded(x.get("/nothing", ""), 404))
		}},
		{"search that names somebody in an address", func(x *arena) string {
			got := x.post("/search", x.handler, "what", alice)
			if strings.Contains(got.to(), "alice") || strings.Contains(x.log.String(), alice) || strings.Contains(strings.Join(x.logged(20), "\n"), "alice") {
				return "the address, the log or the journal names them"
			}
			return first(coded(got, http.StatusOK), coded(x.get("/search?what="+alice, x.handler), http.StatusMethodNotAllowed))
		}},
		{"search with something else in it", func(x *arena) string {
			for _, what := range []string{`<script>alert(1)</script>`, `' OR 1=1 --`, "\x00\xff", strings.Repeat("a", 100000), "{{.}}", "%s%n"} {
				if got := x.post("/search", x.handler, "what", what); got.Code != http.StatusOK && got.Code != http.StatusBadRequest || strings.Contains(got.Body, "<script>alert") {
					return fmt.Sprintf("%.20q: %d", what, got.Code)
				}
			}
			return ""
		}},
		{"cursor that was made up", func(x *arena) string {
			for _, path := range []string{"/queue", "/log", "/mails"} {
				for _, after := range []string{"junk", "%00", "..", strings.Repeat("f", 4000), "%27--"} {
					if fault := coded(x.get(path+"?after="+after, x.handler), http.StatusNotFound); fault != "" {
						return path + " " + after + ": " + fault
					}
				}
			}
			return ""
		}},
	}
}

// floods are too much of something.
func floods() []attack {
	guess := func(x *arena, name string, change ...func(*http.Request)) int {
		return x.ask(http.MethodPost, "/sign-in", "", url.Values{"name": {name}, "password": {"a guess of mine"}}.Encode(), change...).Code
	}
	return []attack{
		{"form that is too large", func(x *arena) string {
			return first(coded(x.post(asking+"/answer", x.handler, "action", "A-000002", "text", strings.Repeat("x", 1<<20)), http.StatusRequestEntityTooLarge),
				coded(x.post("/sign-in", "", "name", strings.Repeat("x", 1<<20)), http.StatusRequestEntityTooLarge))
		}},
		{"header that is too large", func(x *arena) string {
			got := x.ask(http.MethodGet, "/queue", x.handler, "", header("X-Much", strings.Repeat("x", 64<<10)))
			if got.Code != http.StatusRequestHeaderFieldsTooLarge {
				return fmt.Sprint(got.Code)
			}
			return ""
		}},
		{"bodies that never end", func(x *arena) string {
			for range 80 {
				conn, err := x.slow("POST /sign-in HTTP/1.1\r\nHost: " + x.host() + "\r\nSec-Fetch-Site: same-origin\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\nname=")
				if err != nil {
					return err.Error()
				}
				defer func() { _ = conn.Close() }() // the other end may have closed it
			}
			return coded(x.get("/sign-in", ""), http.StatusOK)
		}},
		{"headers that never end", func(x *arena) string {
			conn, err := x.slow("GET /queue HTTP/1.1\r\nHost: " + x.host() + "\r\nX-Slow: ")
			if err != nil {
				return err.Error()
			}
			if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
				return err.Error()
			}
			_, err = conn.Read(make([]byte, 4096))
			var late net.Error
			if errors.As(err, &late) && late.Timeout() {
				return "the connection stays open"
			}
			_ = conn.Close() // the other end has
			return ""
		}},
		{"open pages without end", func(x *arena) string {
			ctx, cancel := context.WithCancel(x.t.Context())
			defer cancel()
			codes := map[int]int{}
			for range 9 {
				r, err := http.NewRequestWithContext(ctx, http.MethodGet, x.url+"/queue/live", nil)
				if err != nil {
					return err.Error()
				}
				r.AddCookie(&http.Cookie{Name: cookie, Value: x.viewer})
				resp, err := http.DefaultTransport.RoundTrip(r)
				if err != nil {
					return err.Error()
				}
				defer func() { _ = resp.Body.Close() }() // cut off by the context
				codes[resp.StatusCode]++
			}
			if codes[http.StatusOK] > 6 || codes[http.StatusServiceUnavailable] < 3 {
				return fmt.Sprint(codes)
			}
			return ""
		}},
		{"guesses at one account", func(x *arena) string {
			for range 40 {
				if guess(x, "vera") == http.StatusTooManyRequests {
					return ""
				}
			}
			return "nobody stops them"
		}},
		{"guesses from addresses that are said", func(x *arena) string {
			stopped := 0
			for i := range 40 {
				if guess(x, "arno", header("X-Forwarded-For", fmt.Sprintf("203.0.113.%d", i))) == http.StatusTooManyRequests {
					stopped++
				}
			}
			if stopped < 20 {
				return fmt.Sprintf("%d of 40 were stopped", stopped)
			}
			return ""
		}},
		{"guesses at many accounts", func(x *arena) string {
			stopped := 0
			for i := range 60 {
				if guess(x, fmt.Sprintf("somebody-%d", i)) == http.StatusTooManyRequests {
					stopped++
				}
			}
			if stopped == 0 {
				return "nobody stops them"
			}
			return ""
		}},
		{"one-time links that are guessed", func(x *arena) string {
			for i := range 10 {
				if got := x.post("/link", "", "token", fmt.Sprintf("%026d", i)); got.given() != nil {
					return "one was right"
				}
			}
			return ""
		}},
	}
}

// host gives host:port of the console.
func (s *site) host() string { return strings.TrimPrefix(s.url, "http://") }

// slow opens a connection and says only the beginning of a request.
func (s *site) slow(beginning string) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(s.t.Context(), "tcp", s.host())
	if err != nil {
		return nil, err
	}
	_, err = conn.Write([]byte(beginning))
	return conn, err
}
