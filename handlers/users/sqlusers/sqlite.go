package sqlusers

import (
	"database/sql"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	driver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

func sqlite() *dialect {
	return &dialect{
		name:  "sqlite",
		fold:  true,
		walks: true,
		mixes: true,
		quote: func(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` },
		param: func(n int, _ Column) string { return "?" + itoa(n) },
		// An expression has no declared type, by which the driver would convert.
		read: func(_ Column, col string) string { return "+" + col },
		same: func(c Column, col, param string) string {
			if c.Kind != KindText {
				return ""
			}
			return col + " COLLATE BINARY = " + param
		},
		exact: func(col string) string { return col + " COLLATE BINARY" },
		// LIKE uses no index that tells upper from lower case; the column's own
		// order does, and each that there is has in it what begins so.
		prefix: func(col, param string) string {
			return col + " >= " + param + " AND " + col + " < " + param + " || char(1114111)"
		},
		like: func(prefix string) string { return prefix },
		// It takes many ranges for more work than the whole table.
		blankRanges: [][2]rune{{'\t', '!'}, {0x85, 0xa1}, {0x1680, 0x1681}, {0x2000, 0x2060}, {0x3000, 0x3001}},
		arg: func(c Column, v string) (any, bool) {
			switch c.Kind {
			case KindBytes:
				return bytesOf(v), true
			case KindInt:
				if n, err := strconv.ParseInt(v, 10, 64); err == nil {
					return n, true
				}
			case KindBool:
				if b, ok := boolOf(v); ok && b {
					return 1, true
				} else if ok {
					return 0, true
				}
			}
			return v, plausible(Column{}, v)
		},
		moment: func(t time.Time) string { return t.Format(time.DateTime) },
		effects: `CREATE TABLE IF NOT EXISTS supportd_effects ("key" TEXT PRIMARY KEY NOT NULL, "kind" TEXT NOT NULL, ` +
			`"digest" TEXT NOT NULL, "at" TEXT NOT NULL, "plan" TEXT NOT NULL)`,
		open:      openSQLite,
		failure:   sqliteFailure,
		catalogue: sqliteCatalogue,
	}
}

// openSQLite never makes a file that is not there: an empty one would answer
// that nobody is known.
func openSQLite(c Config) (*sql.DB, error) {
	set := "mode=rw&_txlock=immediate&_dqs=0&_pragma=busy_timeout(5000)&_pragma=foreign_keys(1)&_pragma=secure_delete(1)"
	return sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: c.Path}).EscapedPath(), RawQuery: set}).String())
}

func sqliteFailure(err error) (failure, bool) {
	e, ok := errors.AsType[*driver.Error](err)
	if !ok {
		return failure{}, false
	}
	f := failure{code: "code " + itoa(e.Code()), class: classOther}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_INTERRUPT,
		sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_SCHEMA, sqlite3.SQLITE_NOMEM:
		f.class = classPassing
	case sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH:
		f.class = classRights
	case sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT:
		f.class = classAccess
	case sqlite3.SQLITE_READONLY:
		f.class = classReadOnly
	case sqlite3.SQLITE_ERROR:
		if strings.Contains(e.Error(), "no such") || strings.Contains(e.Error(), "has no column") {
			f.class = classSchema
		}
	case sqlite3.SQLITE_CONSTRAINT:
		f.class = classConstraint
		if e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || e.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY {
			f.class = classUnique
			f.columns = failedColumns(e.Error())
		}
	case sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_RANGE:
		f.class = classValue
	}
	return f, true
}

// failedColumns reads "… UNIQUE constraint failed: users.email, users.site (2067)".
func failedColumns(text string) (columns []string) {
	_, after, ok := strings.Cut(text, "UNIQUE constraint failed: ")
	if !ok {
		return nil
	}
	if i := strings.LastIndex(after, " ("); i >= 0 {
		after = after[:i]
	}
	for name := range strings.SplitSeq(after, ", ") {
		columns = append(columns, name[strings.LastIndexByte(name, '.')+1:])
	}
	return columns
}

var sqliteCatalogue = catalogue{
	columns: `SELECT 'main', m.name, 'plain', CASE m.type WHEN 'view' THEN 'view' ELSE '' END, '', p.name, p.type,
CASE WHEN p.type LIKE '%bool%' THEN 'bool' WHEN upper(p.type) = 'DATE' THEN 'date' WHEN p.type LIKE '%datetime%' OR p.type LIKE '%timestamp%' THEN 'time'
 WHEN p.type LIKE '%int%' THEN 'int' WHEN p.type LIKE '%char%' OR p.type LIKE '%clob%' OR p.type LIKE '%text%' THEN 'text'
 WHEN p.type LIKE '%blob%' THEN 'bytes' WHEN p.type LIKE '%real%' OR p.type LIKE '%floa%' OR p.type LIKE '%doub%' OR p.type LIKE '%num%'
 OR p.type LIKE '%dec%' THEN 'number' ELSE 'other' END,
CASE WHEN p."notnull" OR p.pk AND p.type LIKE 'integer' THEN '' ELSE 'null' END,
CASE WHEN p.type LIKE '%char%(%' THEN substr(p.type, instr(p.type, '(') + 1) ELSE '' END,
CASE WHEN p.dflt_value IS NOT NULL OR p.pk = 1 AND p.type LIKE 'integer' THEN 'default' ELSE '' END,
CASE WHEN p.hidden IN (2, 3) THEN 'generated' ELSE '' END, '', '', '', '', ''
FROM sqlite_master m JOIN pragma_table_xinfo(m.name) p WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite\_%' ESCAPE '\' AND p.hidden <> 1
ORDER BY m.name, p.cid`,

	unique: `SELECT 'main', m.name, 'plain', 'PRIMARY', 'primary', '', p.name FROM sqlite_master m JOIN pragma_table_xinfo(m.name) p
WHERE m.type = 'table' AND p.pk > 0
UNION ALL SELECT 'main', m.name, 'plain', i.name, '', CASE WHEN i.partial THEN 'partial' ELSE '' END, COALESCE(c.name, '')
FROM sqlite_master m JOIN pragma_index_list(m.name) i JOIN pragma_index_info(i.name) c
WHERE m.type = 'table' AND i."unique" AND i.origin <> 'pk' ORDER BY 2, 5 DESC, 4`,

	searched: `SELECT 'main', m.name, 'plain', COALESCE(c.name, '') FROM sqlite_master m JOIN pragma_index_list(m.name) i
JOIN pragma_index_info(i.name) c WHERE m.type = 'table' AND c.seqno = 0 AND NOT i.partial ORDER BY m.name`,

	foreign: `SELECT 'main', m.name, 'plain', CAST(f.id AS TEXT), f."from", 'main', f."table", 'plain', COALESCE(f."to", ''), f.on_delete, f.on_update
FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table' ORDER BY m.name, f.id, f.seq`,
}
