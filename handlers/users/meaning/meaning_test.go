package meaning

import (
	"os"
	"strings"
	"testing"
)

func TestWords(t *testing.T) {
	for name, want := range map[string]string{
		"first_name": "first name", "firstName": "first name", "FirstName": "first name", "userID": "user id", "userIPAddress_2": "user ip address", "IPAddress": "ip address",
		"comment_author_IP": "comment author ip", "address1": "address", "EMAIL": "email", "e-mail": "e mail", "Имя Клиента": "имя клиента", "датаРождения": "дата рождения", "": "", "__": "",
	} {
		if got := strings.Join(Words(name), " "); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// TestMeaning: a line of the file is a table, a column, the field that it holds
// and what it looks like.
func TestMeaning(t *testing.T) {
	data, err := os.ReadFile("testdata/columns.txt")
	if err != nil {
		t.Fatal(err)
	}
	l, n := New(), 0
	for line := range strings.Lines(string(data)) {
		parts := strings.Split(strings.TrimSpace(line), "|")
		if len(parts) != 4 {
			continue
		}
		for i := range parts {
			parts[i] = strings.TrimSpace(parts[i])
		}
		n++
		field, _ := l.Field(parts[0], parts[1])
		if looks := l.Looks(parts[0], parts[1]); string(field) != parts[2] || looks != parts[3] {
			t.Errorf("%s.%s: %s | %s, want %s | %s", parts[0], parts[1], field, looks, parts[2], parts[3])
		}
	}
	if n < 60 {
		t.Errorf("only %d lines were read", n)
	}
}

// TestLexicon: no word is there twice in one meaning, and each is written as
// names are looked up.
func TestLexicon(t *testing.T) {
	for meaning, words := range New().words {
		seen := map[string]bool{}
		for _, w := range words {
			if seen[w] || w != strings.ToLower(w) || len(Words(strings.TrimPrefix(w, "*"))) != 1 {
				t.Errorf("%s: %q", meaning, w)
			}
			seen[w] = true
		}
	}
}

func TestPoints(t *testing.T) {
	l := New()
	for _, c := range []struct {
		column, table string
		want          bool
	}{
		{"user_id", "users", true}, {"userId", "auth_user", true}, {"USERID", "users", true}, {"id_user", "users", true}, {"user_id", "members", true}, {"member_id", "members", true},
		{"customer_id", "users", true}, {"order_id", "shop_orders", true}, {"comment_ID", "wp_comments", true}, {"shop_order_id", "shop_orders", true},
		{"id", "users", false}, {"group_id", "users", false}, {"user_id", "orders", false}, {"paid", "users", false}, {"user", "users", false},
	} {
		if got := l.Points(c.column, c.table); got != c.want {
			t.Errorf("%s, %s: %v", c.column, c.table, got)
		}
	}
}

func TestOne(t *testing.T) {
	for many, want := range map[string]string{"users": "user", "people": "person", "entries": "entry", "boxes": "box", "address": "address", "addresses": "address", "order": "order", "series": "sery", "is": "is"} {
		if got := One(many); got != want {
			t.Errorf("%s: %q, want %q", many, got, want)
		}
	}
}
