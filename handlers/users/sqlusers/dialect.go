package sqlusers

import (
	"database/sql"
	"errors"
	"strconv"
	"time"
	"unicode/utf8"

	"push.guru/supportd/inbox"
)

// dialLimit bounds how long a connection may take to come about.
const dialLimit = 10 * time.Second

// dialect is what differs between databases.
type dialect struct {
	name string
	fold bool // names of columns differ by more than case
	// patterns: an index finds texts by how they begin only with a class of
	// operators of its own.
	patterns bool
	quote    func(name string) string
	param    func(n int, c Column) string // the n-th parameter, from 1, compared with or written into c
	lock     string                       // what makes a SELECT lock the rows
	begin    []string                     // at the start of a transaction that writes
	reads    []string                     // at the start of one that only reads; none: it needs no transaction
	// copies: a table that is written cannot be read in the same statement, a
	// DELETE names the alias first, and references are checked row by row.
	copies    bool
	ranges    bool // an equality and an order by the key together use no index of both
	joined    bool // an UPDATE joins rows that are values
	walks     bool // for each page it would make the list anew of all that rows may be linked to
	mixes     bool // columns of no type hold numbers and texts side by side
	isolation sql.IsolationLevel

	read   func(c Column, col string) string        // what to select of a column
	same   func(c Column, col, param string) string // whether col is exactly the text param, in addition to col = param; "": that says it
	exact  func(col string) string                  // the column as a text that only the same text equals
	prefix func(col, param string) string           // whether col begins with what like made; more is fine, fewer is not
	like   func(prefix string) string
	near   func(c Column, param string) string // the text param as c's character set has it, and other characters where it has none; nil: as it is
	// blankRanges have the texts that begin with a blank between them, and few
	// others; nil: each blank is asked for by prefix.
	blankRanges [][2]rune
	arg         func(c Column, v string) (any, bool) // the parameter; false: the column cannot hold such a value
	moment      func(t time.Time) string             // a time as columns of KindTime and text have it

	effects   string // CREATE TABLE
	open      func(Config) (*sql.DB, error)
	failure   func(error) (failure, bool) // of an error that the database itself gave
	catalogue catalogue
}

// dialectOf gives the dialect of a store's name in the configuration.
func dialectOf(store string) (*dialect, bool) {
	for _, d := range []*dialect{postgres(), mysql(), sqlite()} {
		if d.name == store {
			return d, true
		}
	}
	return nil, false
}

// errDSN stands for a driver's text about a DSN, which may quote the password.
var errDSN = &inbox.Error{Err: errors.New("the DSN cannot be read"),
	Hint: "postgres://user:password@host/database or user:password@tcp(host:3306)/database, on one line"}

func itoa(n int) string { return strconv.Itoa(n) }

// plausible tells whether a column may hold the text v: what it surely cannot
// hold is not asked for, since PostgreSQL ends the transaction over it.
func plausible(c Column, v string) bool {
	if !utf8.ValidString(v) || hasNUL(v) {
		return false
	}
	switch c.Kind {
	case KindInt:
		_, errI := strconv.ParseInt(v, 10, 64)
		_, errU := strconv.ParseUint(v, 10, 64)
		return errI == nil || errU == nil
	case KindBool:
		_, ok := boolOf(v)
		return ok
	}
	return true
}
