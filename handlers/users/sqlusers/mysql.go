package sqlusers

import (
	"database/sql"
	"errors"
	"strconv"
	"strings"
	"time"

	driver "github.com/go-sql-driver/mysql"
)

// mysql is the dialect of MySQL and MariaDB.
func mysql() *dialect {
	return &dialect{
		name:      "mysql",
		fold:      true,
		quote:     func(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" },
		param:     func(int, Column) string { return "?" },
		lock:      " FOR UPDATE",
		copies:    true,
		ranges:    true,
		isolation: sql.LevelReadCommitted,
		read:      func(_ Column, col string) string { return col },
		same: func(c Column, col, param string) string {
			if c.Kind != KindText {
				return ""
			}
			return "CONVERT(" + col + " USING utf8mb4) COLLATE utf8mb4_bin = " + param
		},
		exact:  func(col string) string { return "CONVERT(" + col + " USING utf8mb4) COLLATE utf8mb4_bin" },
		prefix: func(col, param string) string { return col + " LIKE " + param + " ESCAPE '!'" },
		like: func(prefix string) string {
			return strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(prefix) + "%"
		},
		near:   mysqlNear,
		arg:    mysqlArg,
		moment: func(t time.Time) string { return t.Format(time.DateTime) },
		effects: "CREATE TABLE IF NOT EXISTS supportd_effects (`key` VARBINARY(255) PRIMARY KEY, `kind` VARCHAR(32) NOT NULL, " +
			"`digest` VARCHAR(128) NOT NULL, `at` DATETIME NOT NULL, `plan` LONGTEXT NOT NULL) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
		open:      openMySQL,
		failure:   mysqlFailure,
		catalogue: mysqlCatalogue,
	}
}

// mysqlNear is for tables of old character sets, such as latin1: MySQL compares
// nothing with them that they cannot say.
func mysqlNear(c Column, param string) string {
	set, _, ok := strings.Cut(c.collation, "_")
	if !ok || strings.HasPrefix(set, "utf8") {
		return param
	}
	return "CONVERT(" + param + " USING " + set + ") COLLATE " + c.collation
}

func mysqlArg(c Column, v string) (any, bool) {
	switch c.Kind {
	case KindBytes:
		return bytesOf(v), true
	case KindInt:
		if n, err := strconv.ParseInt(v, 10, 64); err == nil {
			return n, true
		}
		n, err := strconv.ParseUint(v, 10, 64)
		return n, err == nil
	case KindBool:
		b, ok := boolOf(v)
		if b {
			return 1, ok
		}
		return 0, ok
	case KindTime:
		if t, ok := timeOf(v); ok {
			return t.Format("2006-01-02 15:04:05.999999"), true
		}
	}
	return v, plausible(c, v)
}

// openMySQL makes the session strict, whatever the server's settings are:
// MySQL would else cut what is too long and write it.
func openMySQL(c Config) (*sql.DB, error) {
	mc, err := driver.ParseDSN(c.DSN)
	if err != nil || mc.DBName == "" {
		return nil, errDSN // the text may have the password in it
	}
	mc.ClientFoundRows, mc.MultiStatements, mc.ParseTime, mc.InterpolateParams = true, false, false, false
	mc.Logger = &driver.NopLogger{}
	if mc.Timeout == 0 {
		mc.Timeout = dialLimit
	}
	if mc.Params == nil {
		mc.Params = map[string]string{}
	}
	for name, v := range map[string]string{"sql_mode": "'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'", "time_zone": "'+00:00'",
		"innodb_lock_wait_timeout": "10", "lock_wait_timeout": "10", "foreign_key_checks": "1", "unique_checks": "1"} {
		mc.Params[name] = v
	}
	connector, err := driver.NewConnector(mc)
	if err != nil {
		return nil, errDSN
	}
	return sql.OpenDB(connector), nil
}

func mysqlFailure(err error) (failure, bool) {
	for _, e := range []error{driver.ErrInvalidConn, driver.ErrMalformPkt, driver.ErrPktSync, driver.ErrPktSyncMul, driver.ErrBusyBuffer} {
		if errors.Is(err, e) {
			return failure{class: classPassing, code: "connection lost"}, true
		}
	}
	e, ok := errors.AsType[*driver.MySQLError](err)
	if !ok {
		return failure{}, false
	}
	f := failure{code: "error " + itoa(int(e.Number)), class: classOther}
	switch e.Number {
	case 1205, 1213, 1040, 1203, 1226, 1053, 1927, 1317, 1969, 3024, 1021, 1412, 1615, 1020, 1158, 1159, 1160, 1161, 2006, 2013, 1152, 1184, 3058, 4031:
		f.class = classPassing
	case 1142, 1143, 1227, 1370, 1419:
		f.class = classRights
	case 1044, 1045, 1049, 1698, 1129, 1130, 1251, 1524, 1862, 1820:
		f.class = classAccess
	case 1146, 1054, 1051, 1109, 1305:
		f.class = classSchema
	case 1290, 1792, 1836, 1036:
		f.class = classReadOnly
	case 1062, 1586:
		f.class = classUnique
		// "Duplicate entry '…' for key 'table.index'": the entry is somebody's, and
		// may itself say so, but not after the last of it.
		if i := strings.LastIndex(e.Message, "for key '"); i >= 0 {
			f.name = strings.TrimSuffix(e.Message[i+len("for key '"):], "'")
			f.name = f.name[strings.LastIndexByte(f.name, '.')+1:]
		}
	case 1451, 1452, 1216, 1217, 1048, 1364, 4025, 3819, 1761, 1762:
		f.class = classConstraint
		if e.Number == 1048 || e.Number == 1364 { // "Column '…' cannot be null", "Field '…' doesn't have a default value"
			if _, rest, ok := strings.Cut(e.Message, "'"); ok {
				f.at, _, _ = strings.Cut(rest, "'")
			}
		}
	case 1406, 1366, 1264, 1265, 1292, 1411, 1525, 3140, 1267, 1300:
		f.class = classValue
	}
	return f, true
}

var mysqlCatalogue = catalogue{
	schemas: func(query string, names []string) (string, []any) {
		in, args := "DATABASE()", []any(nil)
		for _, n := range names {
			in, args = in+", ?", append(args, n)
		}
		return strings.ReplaceAll(query, "{schemas}", in), args
	},
	columns: `SELECT c.TABLE_SCHEMA, c.TABLE_NAME, IF(c.TABLE_SCHEMA = DATABASE(), 'plain', ''), IF(t.TABLE_TYPE LIKE '%VIEW%', 'view', ''),
IF(t.TABLE_TYPE LIKE '%VIEW%' OR e.TRANSACTIONS = 'YES', '', 'plain'), c.COLUMN_NAME, c.COLUMN_TYPE,
CASE WHEN c.COLUMN_TYPE LIKE 'tinyint(1)%' OR c.COLUMN_TYPE = 'bit(1)' THEN 'bool' WHEN c.DATA_TYPE LIKE '%int' OR c.DATA_TYPE = 'year' THEN 'int'
 WHEN c.DATA_TYPE IN ('decimal', 'float', 'double') THEN 'number' WHEN c.DATA_TYPE = 'date' THEN 'date'
 WHEN c.DATA_TYPE IN ('datetime', 'timestamp') THEN 'time' WHEN c.DATA_TYPE LIKE '%blob' OR c.DATA_TYPE LIKE '%binary' OR c.DATA_TYPE = 'bit' THEN 'bytes'
 WHEN c.DATA_TYPE LIKE '%char' OR c.DATA_TYPE LIKE '%text' THEN 'text' ELSE 'other' END,
IF(c.IS_NULLABLE = 'YES', 'null', ''), CASE WHEN c.DATA_TYPE LIKE '%char' THEN c.CHARACTER_MAXIMUM_LENGTH
 WHEN c.DATA_TYPE LIKE '%text' THEN c.CHARACTER_OCTET_LENGTH DIV COALESCE(s.MAXLEN, 1) ELSE '' END,
IF(c.COLUMN_DEFAULT IS NOT NULL AND c.COLUMN_DEFAULT <> 'NULL' OR c.EXTRA LIKE '%auto_increment%', 'default', ''),
IF(c.EXTRA LIKE '%VIRTUAL%' OR c.EXTRA LIKE '%STORED%' OR c.EXTRA LIKE '%PERSISTENT%', 'generated', ''),
IF(c.DATA_TYPE IN ('enum', 'set'), CONCAT('[', REPLACE(REPLACE(REPLACE(SUBSTRING(c.COLUMN_TYPE, LENGTH(c.DATA_TYPE) + 2,
 CHAR_LENGTH(c.COLUMN_TYPE) - LENGTH(c.DATA_TYPE) - 2), '"', '\\"'), '''''', '\\u0027'), '''', '"'), ']'), ''), '', COALESCE(c.COLLATION_NAME, ''), '', ''
FROM information_schema.COLUMNS c JOIN information_schema.TABLES t ON t.TABLE_SCHEMA = c.TABLE_SCHEMA AND t.TABLE_NAME = c.TABLE_NAME
LEFT JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE
LEFT JOIN information_schema.CHARACTER_SETS s ON s.CHARACTER_SET_NAME = c.CHARACTER_SET_NAME
WHERE c.TABLE_SCHEMA IN ({schemas}) ORDER BY c.TABLE_SCHEMA, c.TABLE_NAME, c.ORDINAL_POSITION`,

	unique: `SELECT TABLE_SCHEMA, TABLE_NAME, IF(TABLE_SCHEMA = DATABASE(), 'plain', ''), INDEX_NAME, IF(INDEX_NAME = 'PRIMARY', 'primary', ''),
'', COALESCE(COLUMN_NAME, '') FROM information_schema.STATISTICS WHERE NON_UNIQUE = 0 AND TABLE_SCHEMA IN ({schemas})
ORDER BY TABLE_SCHEMA, TABLE_NAME, INDEX_NAME <> 'PRIMARY', INDEX_NAME, SEQ_IN_INDEX`,

	searched: `SELECT TABLE_SCHEMA, TABLE_NAME, IF(TABLE_SCHEMA = DATABASE(), 'plain', ''), COALESCE(COLUMN_NAME, '')
FROM information_schema.STATISTICS WHERE SEQ_IN_INDEX = 1 AND INDEX_TYPE = 'BTREE' AND TABLE_SCHEMA IN ({schemas}) ORDER BY TABLE_SCHEMA, TABLE_NAME`,

	foreign: `SELECT k.TABLE_SCHEMA, k.TABLE_NAME, IF(k.TABLE_SCHEMA = DATABASE(), 'plain', ''), k.CONSTRAINT_NAME, k.COLUMN_NAME,
k.REFERENCED_TABLE_SCHEMA, k.REFERENCED_TABLE_NAME, IF(k.REFERENCED_TABLE_SCHEMA = DATABASE(), 'plain', ''), k.REFERENCED_COLUMN_NAME, r.DELETE_RULE, r.UPDATE_RULE
FROM information_schema.KEY_COLUMN_USAGE k JOIN information_schema.REFERENTIAL_CONSTRAINTS r
ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME AND r.TABLE_NAME = k.TABLE_NAME
WHERE k.REFERENCED_TABLE_NAME IS NOT NULL AND k.TABLE_SCHEMA IN ({schemas})
ORDER BY k.TABLE_SCHEMA, k.TABLE_NAME, k.CONSTRAINT_NAME, k.ORDINAL_POSITION`,
}
