package handlers

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/handlers/users/boltusers"
	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/inbox"
)

var past = []inbox.PastCase{{Case: 41, Received: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Subject: "=HYPERLINK(1)",
	Text: "Please change my phone.\n<img src=x onerror=alert(1)>", Asked: []string{"change done"}}}

// files performs a copy and opens it.
func (h *house) files(lang string) map[string]string {
	h.t.Helper()
	job := h.job("k-1", inbox.Request{Kind: inbox.KindCopy}, false)
	job.Language, job.Past = lang, past
	return h.copied(job)
}

// copied performs a copy of one part, and opens it.
func (h *house) copied(job inbox.Job) map[string]string {
	h.t.Helper()
	h.perform(job)
	if len(h.sent) != 1 {
		h.t.Fatalf("the copy has %d files", len(h.sent))
	}
	return unzip(h.t, h.sent[0])
}

func unzip(t *testing.T, b []byte) map[string]string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r) // compares size and checksum
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		files[f.Name] = string(text)
	}
	if len(files) != 3 {
		t.Fatalf("the copy holds %d files, want 3", len(files))
	}
	return files
}

func TestCopyJSON(t *testing.T) {
	h := open(t)
	if strings.Contains(h.files("en")["data.html"], "Left out") {
		t.Error("the page says that something is left out")
	}
	var got struct {
		Profile map[string]any      `json:"profile"`
		Visits  []map[string]string `json:"visits"`
		Cases   []inbox.PastCase    `json:"cases"`
	}
	d := json.NewDecoder(strings.NewReader(h.files("en")["data.json"]))
	d.DisallowUnknownFields()
	if err := d.Decode(&got); err != nil {
		t.Fatal(err)
	}
	p := h.get("17")
	for f, v := range p.Fields {
		if got.Profile[string(f)] != v {
			t.Errorf("%s is %q, want %q", f, got.Profile[string(f)], v)
		}
	}
	if got.Profile["id"] != "17" || got.Profile["active"] != true || len(got.Profile) != len(p.Fields)+2 {
		t.Errorf("profile %v", got.Profile)
	}
	if len(got.Visits) != 2 || got.Visits[0]["at"] != "2026-03-04T05:06:07Z" || got.Visits[0]["page"] != "/shop?a=1&b=2" || got.Visits[1]["cookie"] != `=cmd|' /C calc'!A0` {
		t.Errorf("visits %v", got.Visits)
	}
	if len(got.Cases) != 1 || got.Cases[0].Case != 41 || got.Cases[0].Text != past[0].Text || got.Cases[0].Asked[0] != "change done" {
		t.Errorf("cases %+v", got.Cases)
	}
}

func TestCopyCSV(t *testing.T) {
	h := open(t)
	text := h.files("en")["data.csv"]
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	has := map[string]bool{}
	for _, r := range rows {
		has[strings.Join(r, "|")] = true
		for _, cell := range r {
			if strings.ContainsAny(cell[:min(1, len(cell))], "=+-@\t\r") && cell != "+77010000001" {
				t.Errorf("the cell %q begins a formula", cell)
			}
		}
	}
	if strings.Join(rows[0], "|") != "place|record|field|value" {
		t.Errorf("header %v", rows[0])
	}
	for _, want := range []string{"profile|1|email|anna@users.test", "profile|1|phone|+77010000001", "visits|1|ip|192.0.2.7",
		"visits|2|cookie|'=cmd|' /C calc'!A0", "cases|1|case|M-000041", "cases|1|subject|'=HYPERLINK(1)", "cases|1|asked|change done"} {
		if !has[want] {
			t.Errorf("the row %s is missing in\n%s", want, text)
		}
	}
}

var (
	dangerous = regexp.MustCompile(`(?i)<(script|img|a|iframe|form|link|object|embed|base|svg)\b|\bon\w+\s*=|javascript:|\b(src|href)=`)
	tags      = regexp.MustCompile(`<[^>]*>`)
)

func TestCopyPage(t *testing.T) {
	h := open(t)
	for lang, want := range map[string][]string{
		"en":    {`lang="en"`, "Your data – Push.Guru", "Phone number", "<dd>&#43;77010000001</dd>", "2026-03-04 05:06:07 UTC", "<dd>yes</dd>", "change done", "M-000041"},
		"ru-KZ": {`lang="ru"`, "Ваши данные – Push.Guru", "Телефон", "Посещения сайта", "<dd>да</dd>", "изменение выполнено", "Письма в поддержку"},
		"kk":    {`lang="kk"`, "Сіздің деректеріңіз", "Телефон нөмірі", "Сайтқа кірулер", "<dd>иә</dd>", "өзгерту орындалды"},
		"de":    {`lang="en"`, "Your data"},
	} {
		page := h.files(lang)["data.html"]
		for _, w := range want {
			if !strings.Contains(page, w) {
				t.Errorf("%s: %q is not on the page", lang, w)
			}
		}
		if bad := dangerous.FindString(withoutText(page)); bad != "" {
			t.Errorf("%s: the page has %q in it", lang, bad)
		}
		if !strings.Contains(page, "default-src &#39;none&#39;") && !strings.Contains(page, "default-src 'none'") {
			t.Errorf("%s: the page may load something", lang)
		}
		for _, value := range h.get("17").Fields {
			if !strings.Contains(page, escape(value)) {
				t.Errorf("%s: %q is not on the page", lang, value)
			}
		}
		for _, tag := range []string{"section", "dl", "table", "tbody", "article", "main", "html"} {
			if o, c := strings.Count(page, "<"+tag), strings.Count(page, "</"+tag+">"); o != c || o == 0 {
				t.Errorf("%s: %d <%s> and %d ends", lang, o, tag, c)
			}
		}
	}
}

func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;", "+", "&#43;").Replace(s)
}

// TestCopyAgrees: the three forms hold the same values.
func TestCopyAgrees(t *testing.T) {
	h := open(t)
	files := h.files("en")
	words := strings.Join(strings.Fields(tags.ReplaceAllString(files["data.html"], " ")), " ")
	for r, err := range h.store.Records(t.Context(), users.Person{ID: "17"}) {
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range r.Values {
			quoted, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			if r.Columns[i] == "active" {
				quoted = []byte(`"active": ` + v)
			}
			if !strings.Contains(files["data.json"], string(quoted)) {
				t.Errorf("%s.%s is not in data.json", r.Place, r.Columns[i])
			}
			if !strings.Contains(files["data.csv"], strings.ReplaceAll(strings.ReplaceAll(v, `"`, `""`), "\n", "\r\n")) {
				t.Errorf("%s.%s is not in data.csv", r.Place, r.Columns[i])
			}
			plain := v == "true" || r.Columns[i] == "at"
			if !plain && !strings.Contains(words, escape(strings.Join(strings.Fields(v), " "))) {
				t.Errorf("%s.%s is not in data.html", r.Place, r.Columns[i])
			}
		}
	}
}

// TestCopyOfWords: a person's own word stays a word, in a field that holds text
// as in a mail that asked for nothing.
func TestCopyOfWords(t *testing.T) {
	h := open(t)
	if err := h.store.Put(t.Context(), boltusers.Import{ID: "17", Fields: map[inbox.Field]string{inbox.FieldAbout: "true"}}); err != nil {
		t.Fatal(err)
	}
	job := h.job("k-1", inbox.Request{Kind: inbox.KindCopy}, false)
	job.Past = []inbox.PastCase{{Case: 3, Text: "Thanks!"}}
	files := h.copied(job)
	if text := files["data.json"]; !strings.Contains(text, `"about": "true"`) || !strings.Contains(text, `"active": true`) || strings.Contains(text, "null") {
		t.Errorf("data.json is\n%s", text)
	}
	if page := files["data.html"]; !strings.Contains(page, "<dd>true</dd>") || !strings.Contains(page, "<dd>yes</dd>") {
		t.Errorf("data.html is\n%s", page)
	}
}

func TestCopyIsTheSameTwice(t *testing.T) {
	h := open(t)
	job := h.job("k-1", inbox.Request{Kind: inbox.KindCopy}, false)
	job.Past = past
	h.perform(job)
	first := h.sent[0]
	if h.perform(job); !bytes.Equal(first, h.sent[0]) {
		t.Error("two copies of the same data differ")
	}
}

func TestCopyOfLittle(t *testing.T) {
	h := open(t)
	if err := h.store.Put(t.Context(), boltusers.Import{ID: "17", Events: []boltusers.Event{}}); err != nil {
		t.Fatal(err)
	}
	job := h.job("k-1", inbox.Request{Kind: inbox.KindCopy}, false)
	files := h.copied(job)
	var got map[string]json.RawMessage
	if err := json.Unmarshal([]byte(files["data.json"]), &got); err != nil {
		t.Fatal(err)
	}
	if string(got["visits"]) != "[]" || string(got["cases"]) != "[]" {
		t.Errorf("visits %s, cases %s; want empty lists", got["visits"], got["cases"])
	}
	if !strings.Contains(files["data.html"], "We hold nothing here.") {
		t.Error("the page does not say that there are no visits")
	}
}

// TestCopyOfOtherPlaces: what the map does not know is copied all the same,
// and a store that breaks its word is noticed.
func TestCopyOfOtherPlaces(t *testing.T) {
	h := open(t)
	s := h.script()
	job := h.job("k-1", inbox.Request{Kind: inbox.KindCopy}, false)
	own := users.Record{Place: datamap.PlaceProfile, Columns: []string{"id"}, Values: []string{"17"}}
	order := func(v string) users.Record {
		return users.Record{Place: "orders", Columns: []string{"item"}, Values: []string{v}}
	}
	s.records = []users.Record{own, order("honey"), order("wax"), {Place: "orders", Columns: []string{"item", "price"}, Values: []string{"hive", "9"}}}
	files := h.copied(job)
	if !json.Valid([]byte(files["data.json"])) {
		t.Errorf("data.json is\n%s", files["data.json"])
	}
	for name, text := range files {
		for _, v := range []string{"honey", "wax", "hive"} {
			if !strings.Contains(text, v) {
				t.Errorf("%s lacks %q", name, v)
			}
		}
	}
	if n := strings.Count(files["data.html"], "<table>"); n != 2 {
		t.Errorf("%d tables for records of two shapes", n)
	}
	for name, bad := range map[string][]users.Record{
		"a place in two parts":  {own, order("honey"), {Place: "visits"}, order("wax")},
		"two profiles":          {own, own},
		"a value without label": {{Place: datamap.PlaceProfile, Columns: []string{"id"}}},
	} {
		s.records = bad
		if _, err := h.Perform(t.Context(), job); err == nil || inbox.IsTemporary(err) {
			t.Errorf("%s: %v, want a permanent error", name, err)
		}
	}
}

// A column that the map hides goes into none of the three files, and nobody is
// told that it holds something.
func TestHiddenIsInNoCopy(t *testing.T) {
	h := open(t)
	places := datamap.Embedded().Places()
	for i, c := range places[0].Columns {
		places[0].Columns[i].Hidden = c.Field == inbox.FieldPhone
	}
	m, err := datamap.New(places...)
	if err != nil {
		t.Fatal(err)
	}
	h.Handlers = New(h.store, m, Copies{Site: "Push.Guru"}, nil)
	files := h.files("en")
	if !strings.Contains(files["data.html"], "Left out are only passwords") {
		t.Error("the page does not say that something is left out")
	}
	for name, text := range files {
		if strings.Contains(text, "77010000001") || strings.Contains(text, `"phone"`) || strings.Contains(text, ",phone,") || strings.Contains(text, "Phone number") || !strings.Contains(text, "Anna Petrova") {
			t.Errorf("%s is\n%s", name, text)
		}
	}
	for _, held := range h.perform(h.job("k-2", inbox.Request{Kind: inbox.KindDescribe}, false)).Holdings {
		if slices.Contains(held.Fields, "Phone number") {
			t.Errorf("described: %q", held.Fields)
		}
	}
}

func TestGuardCell(t *testing.T) {
	for v, want := range map[string]string{
		"": "", "a": "a", "a=b": "a=b", "1+1": "1+1", "=1": "'=1", "+7": "+7", "+77010000000": "+77010000000", "-1": "'-1",
		"+": "'+", "+7+1": "'+7+1", "+7 701": "'+7 701", "+7A1": "'+7A1", "+7\n=1": "'+7\n=1", "＋7": "'＋7", "+７": "'+７", " +7": "' +7", "@SUM(A1)": "'@SUM(A1)", " =1": "' =1",
		"\t=1": "'\t=1", "\r=1": "'\r=1", "\nx": "'\nx", "＝1": "'＝1", "\u00a0=1": "'\u00a0=1", "Жанна": "Жанна", "'=1": "'=1",
	} {
		if got := GuardCell(v); got != want {
			t.Errorf("%q becomes %q, want %q", v, got, want)
		}
	}
}

func FuzzCopyEncoders(f *testing.F) {
	for _, v := range []string{"", "=1", "</td><script>", "\x00", "\xff", "a\r\nb", "\u202e", `"`, "2026-01-02T03:04:05Z", "{{.}}"} {
		f.Add("item", v)
	}
	m := datamap.Embedded()
	f.Fuzz(func(t *testing.T, column, value string) {
		var asJSON, asCSV, asHTML bytes.Buffer
		page, err := newPage(&asHTML, m, value, "en", 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range []encoder{newJSON(&asJSON, m), newCSV(&asCSV, map[string]int{}), page} {
			r := users.Record{Place: datamap.PlaceVisits, Columns: []string{column}, Values: []string{value}}
			c := []inbox.PastCase{{Case: 1, Subject: value, Text: value, Asked: []string{value}}}
			if err := e.record(r); err != nil {
				t.Fatal(err)
			}
			if err := e.rest(nil, c); err != nil {
				t.Fatal(err)
			}
			if err := e.end(); err != nil {
				t.Fatal(err)
			}
		}
		if !json.Valid(asJSON.Bytes()) {
			t.Errorf("data.json is\n%s", asJSON.String())
		}
		if rows, err := csv.NewReader(&asCSV).ReadAll(); err != nil || len(rows) != 7 {
			t.Errorf("data.csv has %d rows, %v", len(rows), err)
		}
		if bad := dangerous.FindString(withoutText(asHTML.String())); bad != "" {
			t.Errorf("data.html has %q in it", bad)
		}
	})
}

// withoutText gives the tags of a page alone.
func withoutText(page string) string { return strings.Join(tags.FindAllString(page, -1), "\n") }
