package sqlusers

import (
	"strings"
	"testing"

	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/inbox"
)

// TestLinkedToWhatChanges: rows that are found by what a change writes would be
// found by nothing afterwards, at any depth. Nothing is done then, unless the
// database takes them along.
func TestLinkedToWhatChanges(t *testing.T) {
	nick := datamap.Column{Field: inbox.FieldNickname, Max: 40}
	removal := inbox.Request{Kind: inbox.KindDelete, Scope: inbox.ScopeFields, Fields: []inbox.Field{inbox.FieldNickname}}
	for name, c := range map[string]struct {
		news, clicks string // what the links refer to
		places       []datamap.Place
		request      inbox.Request
		lost         string // the place whose rows would be lost; "": none
	}{
		"linked to an address that is linked by": {"", "", []datamap.Place{news("news", "id", nil), related("clicks", "mail", "news", "mail", "body")}, setting(inbox.FieldEmail, "new@users.test"), "clicks"},
		"linked to the account's address":        {"", "", []datamap.Place{related("news", "mail", "profile", "email", "topic")}, setting(inbox.FieldEmail, "new@users.test"), "news"},
		"two deep, the first goes along": {"people (email) ON UPDATE CASCADE", "", []datamap.Place{related("news", "mail", "profile", "email", "topic"), related("clicks", "mail", "news", "mail", "body")},
			setting(inbox.FieldEmail, "new@users.test"), "clicks"},
		"all go along": {"people (email) ON UPDATE CASCADE", "news (mail) ON UPDATE CASCADE", []datamap.Place{related("news", "mail", "profile", "email", "topic"), related("clicks", "mail", "news", "mail", "body")},
			setting(inbox.FieldEmail, "new@users.test"), ""},
		"linked to a name":             {"", "", []datamap.Place{related("clicks", "nick", "profile", "nickname", "body")}, setting(inbox.FieldNickname, "annie"), "clicks"},
		"linked to a name, which goes": {"", "", []datamap.Place{related("clicks", "nick", "profile", "nickname", "body")}, removal, "clicks"},
		"another field":                {"", "", []datamap.Place{related("news", "mail", "profile", "email", "topic")}, setting(inbox.FieldNickname, "annie"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, s *site) {
				refers := func(to string) string {
					if to == "" {
						return ""
					}
					return ", FOREIGN KEY (mail) REFERENCES " + to
				}
				s.exec(t, "CREATE TABLE people (id integer PRIMARY KEY, email varchar(190) UNIQUE, nickname varchar(40)){end}",
					"CREATE TABLE news (id integer PRIMARY KEY, mail varchar(190) UNIQUE, topic varchar(20)"+refers(c.news)+"){end}",
					"CREATE TABLE clicks (id integer PRIMARY KEY, mail varchar(190), nick varchar(40), body varchar(20)"+refers(c.clicks)+"){end}",
					"INSERT INTO people VALUES (17, 'anna@users.test', 'anna'), (18, 'boris@users.test', 'boris')",
					"INSERT INTO news VALUES (1, 'anna@users.test', 'bees'), (2, 'boris@users.test', 'ants')",
					"INSERT INTO clicks VALUES (1, 'anna@users.test', 'anna', 'x'), (2, 'anna@users.test', 'anna', 'y'), (3, 'boris@users.test', 'boris', 'z')")
				if c.news == "" { // what has the new value already makes up for nothing
					s.exec(t, "INSERT INTO clicks VALUES (4, 'new@users.test', 'annie', 'x'), (5, 'new@users.test', 'annie', 'y'), (6, 'new@users.test', 'annie', 'z')")
				}
				st := s.open(t, mapOf(t, append([]datamap.Place{account("people", "id", nick)}, c.places...)...))
				before := find(t, st, "17")
				_, err := st.Apply(t.Context(), planned(t, st, "k-1", before, c.request))
				if c.lost == "" {
					if err != nil {
						t.Fatalf("Apply: %v", err)
					}
					doPlan(t, st, "k-2", find(t, st, "17"), deletion)
					for _, p := range c.places {
						if n := s.count(t, "SELECT count(*) FROM "+p.Name+" WHERE id < 3"); p.Name == "clicks" && n != 0 || p.Name == "news" && n != 1 {
							t.Errorf("%d rows are left in %s", n, p.Name)
						}
					}
					return
				}
				if err == nil || inbox.IsTemporary(err) || !strings.Contains(err.Error(), `"`+c.lost+`"`) || strings.Contains(err.Error(), "ann") {
					t.Errorf("Apply: %v", err)
				}
				if now := find(t, st, "17"); now.Address() != before.Address() || now.Fields[inbox.FieldNickname] != "anna" {
					t.Errorf("half of it was done: %+v", now)
				}
			})
		})
	}
}
