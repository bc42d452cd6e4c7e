package sqlusers

import (
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/stdlib"
)

func postgres() *dialect {
	return &dialect{
		name:  "postgres",
		quote: func(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` },
		param: postgresParam,
		lock:  " FOR UPDATE",

		patterns: true,
		joined:   true,
		read: func(c Column, col string) string {
			if c.Kind == KindBytes {
				return "encode(" + col + ", 'hex')" // bytea has two forms, by the server's settings
			}
			return "CAST(" + col + " AS text)"
		},
		same: func(c Column, col, param string) string {
			if c.Kind != KindText {
				return ""
			}
			return "CAST(" + col + ` AS text) COLLATE "C" = CAST(` + param + " AS text)"
		},
		exact:  func(col string) string { return "CAST(" + col + ` AS text) COLLATE "C"` },
		prefix: func(col, param string) string { return col + " LIKE " + param },
		like:   func(prefix string) string { return backslashed(prefix) + "%" },
		arg: func(c Column, v string) (any, bool) {
			if c.Kind == KindBytes {
				return bytesOf(v), true
			}
			return v, plausible(c, v)
		},
		moment:    func(t time.Time) string { return t.Format(time.RFC3339) },
		isolation: sql.LevelReadCommitted,
		begin:     []string{"SET LOCAL lock_timeout = '10s'", seeAll},
		reads:     []string{seeAll},
		effects: `CREATE TABLE IF NOT EXISTS supportd_effects ("key" text COLLATE "C" PRIMARY KEY, "kind" text NOT NULL, ` +
			`"digest" text NOT NULL, "at" timestamptz NOT NULL, "plan" text NOT NULL)`,
		open:      openPostgres,
		failure:   postgresFailure,
		catalogue: postgresCatalogue,
	}
}

// seeAll makes it an error that row-level security would hide rows from a
// statement, which would else find fewer and not say so. It is said in every
// transaction, because a pooler takes no such setting for a connection.
const seeAll = "SET LOCAL row_security = off"

// postgresParam casts, so that a value has the type of what it is compared
// with, and an index on that serves.
func postgresParam(n int, c Column) string {
	if c.cast == "" || c.Kind == KindBytes {
		return "$" + itoa(n)
	}
	return "CAST($" + itoa(n) + " AS " + c.cast + ")"
}

func backslashed(s string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s)
}

// openPostgres uses no prepared statements, which a pooler between us and the
// server would lose, and which a change of the schema makes useless.
func openPostgres(c Config) (*sql.DB, error) {
	pc, err := pgx.ParseConfig(c.DSN)
	if err != nil {
		return nil, errDSN // the text may have the password in it
	}
	pc.DefaultQueryExecMode = pgx.QueryExecModeExec
	if pc.ConnectTimeout == 0 {
		pc.ConnectTimeout = dialLimit
	}
	for name, v := range map[string]string{"timezone": "UTC", "datestyle": "ISO, YMD", "client_encoding": "UTF8", "application_name": "supportd"} {
		pc.RuntimeParams[name] = v
	}
	// When the caller gives up, the server is told to.
	pc.BuildContextWatcherHandler = cancelAtServer
	return stdlib.OpenDB(*pc), nil
}

func postgresFailure(err error) (failure, bool) {
	e, ok := errors.AsType[*pgconn.PgError](err)
	_, connecting := errors.AsType[*pgconn.ConnectError](err)
	switch {
	case ok:
	case connecting, pgconn.SafeToRetry(err), pgconn.Timeout(err):
		return failure{class: classPassing, code: lost(err)}, true
	default:
		return failure{}, false
	}
	f := failure{code: "SQLSTATE " + e.Code, name: e.ConstraintName, class: classOther}
	if e.ColumnName != "" || e.TableName != "" {
		f.at = strings.Trim(e.TableName+"."+e.ColumnName, ".")
	}
	switch e.Code {
	case "40001", "40P01", "55P03", "57014", "57P01", "57P02", "57P03", "57P05", "25P03", "XX000":
		f.class = classPassing // XX000: also a table that goes while it is read
	case "42501":
		f.class = classRights
		if e.Routine == "check_enable_rls" {
			f.class = classHidden
		}
	case "42P01", "42703", "3F000", "42704", "42804", "42883":
		f.class = classSchema
	case "25006":
		f.class = classReadOnly
	case "23505":
		f.class = classUnique
	case "3D000":
		f.class = classAccess
	default:
		switch e.Code[:min(2, len(e.Code))] {
		case "08", "53", "58":
			f.class = classPassing
		case "28":
			f.class = classAccess
		case "23", "44":
			f.class = classConstraint
		case "22":
			f.class = classValue
		}
	}
	return f, true
}

func cancelAtServer(conn *pgconn.PgConn) ctxwatch.Handler {
	return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, DeadlineDelay: time.Second}
}

// shown says which tables are the site's, and how a map names them.
const shown = `SELECT n.nspname, c.relname, CASE WHEN pg_table_is_visible(c.oid) THEN 'plain' ELSE '' END`

var postgresCatalogue = catalogue{
	columns: shown + `, CASE WHEN c.relkind IN ('v', 'm') THEN 'view' ELSE '' END, '', a.attname, format_type(a.atttypid, a.atttypmod),
CASE WHEN b.typname IN ('int2', 'int4', 'int8', 'oid') THEN 'int' WHEN b.typname IN ('numeric', 'float4', 'float8', 'money') THEN 'number'
 WHEN b.typname = 'bool' THEN 'bool' WHEN b.typname = 'date' THEN 'date' WHEN b.typname IN ('timestamp', 'timestamptz') THEN 'time'
 WHEN b.typname = 'bytea' THEN 'bytes' WHEN b.typname IN ('text', 'varchar', 'bpchar', 'citext', 'name') THEN 'text' ELSE 'other' END,
CASE WHEN a.attnotnull OR t.typnotnull THEN '' ELSE 'null' END,
CASE WHEN b.typname IN ('varchar', 'bpchar') THEN CAST(greatest(greatest(a.atttypmod, t.typtypmod) - 4, 0) AS text) ELSE '' END,
CASE WHEN (a.atthasdef AND a.attgenerated = '') OR a.attidentity <> '' OR t.typdefault IS NOT NULL THEN 'default' ELSE '' END,
CASE WHEN a.attgenerated <> '' OR a.attidentity = 'a' THEN 'generated' ELSE '' END,
CAST((SELECT json_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = b.oid) AS text), format_type(b.oid, -1), COALESCE(l.collname, ''),
CASE WHEN row_security_active(c.oid) THEN 'filtered' ELSE '' END, CASE WHEN NOT l.collisdeterministic THEN 'loose' ELSE '' END
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_type t ON t.oid = a.atttypid JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
LEFT JOIN pg_collation l ON l.oid = a.attcollation
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' ORDER BY n.nspname, c.relname, a.attnum`,

	unique: shown + `, i.relname, CASE WHEN x.indisprimary THEN 'primary' ELSE '' END,
CASE WHEN x.indpred IS NOT NULL OR x.indexprs IS NOT NULL THEN 'partial' ELSE '' END, a.attname
FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_class i ON i.oid = x.indexrelid
JOIN LATERAL (SELECT k.num, k.ord FROM unnest(x.indkey) WITH ORDINALITY k(num, ord) WHERE k.num > 0 AND k.ord <= x.indnkeyatts
 UNION SELECT d.refobjsubid, 99 FROM pg_depend d WHERE x.indexprs IS NOT NULL AND d.classid = 'pg_class'::regclass AND d.objid = x.indexrelid
 AND d.refclassid = 'pg_class'::regclass AND d.refobjid = x.indrelid AND d.refobjsubid > 0 AND NOT d.refobjsubid = ANY (x.indkey)) k ON true
JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.num
WHERE x.indisunique AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
ORDER BY n.nspname, c.relname, NOT x.indisprimary, i.relname, k.ord, a.attnum`,

	// The first column of an index in the order of its bytes: by the class of its
	// operators, or by its collation.
	searched: shown + `, a.attname FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_am m ON m.oid = i.relam AND m.amname = 'btree'
JOIN pg_opclass o ON o.oid = x.indclass[0] JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[0]
LEFT JOIN pg_collation l ON l.oid = x.indcollation[0] LEFT JOIN pg_database d ON d.datname = current_database()
WHERE x.indpred IS NULL AND x.indisvalid AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
AND (o.opcname LIKE '%pattern_ops' OR CASE l.collname WHEN 'default' THEN d.datcollate ELSE l.collname END IN ('C', 'POSIX')) ORDER BY 1, 2`,

	foreign: shown + `, f.conname, a.attname, rn.nspname, rc.relname, CASE WHEN pg_table_is_visible(rc.oid) THEN 'plain' ELSE '' END, ra.attname,
CASE f.confdeltype WHEN 'c' THEN 'cascade' WHEN 'n' THEN 'set null' WHEN 'd' THEN 'set default' WHEN 'r' THEN 'restrict' ELSE 'no action' END,
CASE f.confupdtype WHEN 'c' THEN 'cascade' WHEN 'n' THEN 'set null' WHEN 'd' THEN 'set default' WHEN 'r' THEN 'restrict' ELSE 'no action' END
FROM pg_constraint f JOIN pg_class c ON c.oid = f.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class rc ON rc.oid = f.confrelid JOIN pg_namespace rn ON rn.oid = rc.relnamespace
JOIN LATERAL unnest(f.conkey, f.confkey) WITH ORDINALITY k(num, rnum, ord) ON true
JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.num JOIN pg_attribute ra ON ra.attrelid = f.confrelid AND ra.attnum = k.rnum
WHERE f.contype = 'f' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' ORDER BY n.nspname, c.relname, f.conname, k.ord`,
}
