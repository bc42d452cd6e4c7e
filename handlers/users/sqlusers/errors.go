package sqlusers

import (
	"context"
	"crypto/tls"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"

	"push.guru/supportd/inbox"
)

// class is the sort of a failure of the database, by what helps against it.
type class string

const (
	classPassing    class = "it failed for now"      // connection lost, deadlock, lock timeout, too many connections, shutting down
	classRights     class = "the rights are missing" // on a table or a column
	classHidden     class = "row-level security hides rows from us"
	classAccess     class = "it does not let us in" // user, password, database, file
	classSchema     class = "a table or column is missing, or of another type"
	classReadOnly   class = "it is read-only"
	classUnique     class = "a value must be unique, and is taken"
	classConstraint class = "a constraint refuses it"
	classValue      class = "a value does not fit its column"
	classOther      class = "it refused"
)

// hints say what the operator can do.
var hints = map[class]string{
	classRights:     "grant SELECT, INSERT, UPDATE and DELETE on the tables of the data map and on supportd_effects",
	classHidden:     hintHidden,
	classAccess:     "look at the DSN or path, and at who may connect",
	classSchema:     "was a table changed, or `supportd users init` never run? compare the data map with the database: supportd check",
	classReadOnly:   "give supportd the primary server, or a file that it may write",
	classConstraint: "rows that refer to it are no part of the data map, or a column must not be empty",
}

const hintHidden = "give supportd a database user with BYPASSRLS, or tables without FORCE ROW LEVEL SECURITY that are its own"

// failure is an error of the database without the values that it names: the
// driver's own text may quote what people gave, so it goes no further.
type failure struct {
	class   class
	code    string   // as the database has it
	name    string   // of the index or constraint that refused, when it is known
	at      string   // table and column, when they are known
	columns []string // of a unique index that has no name
}

// Error says what sort of failure it was, and where.
func (f *failure) Error() string {
	text := fmt.Sprintf("the site's database: %s (%s)", f.class, f.code)
	if f.at != "" {
		text += " at " + f.at
	}
	if f.name != "" {
		text += ", by " + f.name
	}
	return text
}

// failed turns what a driver says into an error with class and hint. What neither
// the database said nor the way there brought about is the driver's own, and
// would come again.
func (s *Store) failed(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if cause := ctx.Err(); cause != nil {
		return inbox.Temporary(fmt.Errorf("asking the site's database: %w", cause))
	}
	f, ok := s.d.failure(err)
	switch {
	case ok:
	case onTheWay(err):
		f = failure{class: classPassing, code: lost(err)}
	default:
		f = failure{class: classOther, code: "by its driver"}
	}
	if f.class == classSchema {
		s.forget()
	}
	return &inbox.Error{Err: &f, Hint: hints[f.class], Temp: f.class == classPassing}
}

// placed says which table or column is missing, in place of a failure that says
// only that one is: the database's own text may quote values. It is not for use
// within a transaction, since it asks by another connection.
func (s *Store) placed(ctx context.Context, err error) error {
	if isClass(err, classSchema) {
		if _, differs := s.refit(ctx); differs != nil {
			return differs
		}
	}
	return err
}

// onTheWay tells whether an error is about the connection.
func onTheWay(err error) bool {
	for _, e := range []error{driver.ErrBadConn, sql.ErrConnDone, sql.ErrTxDone, io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, net.ErrClosed, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, e) {
			return true
		}
	}
	_, network := errors.AsType[net.Error](err)
	_, system := errors.AsType[syscall.Errno](err)
	_, record := errors.AsType[tls.RecordHeaderError](err)
	_, certificate := errors.AsType[*tls.CertificateVerificationError](err)
	const closed = "sql: database is closed" // it has no name
	return network || system || record || certificate || err.Error() == closed
}

// lost tells roughly why there was no answer. The text of the network's error
// names hosts only, but a driver may wrap it in more.
func lost(err error) string {
	var timeout interface{ Timeout() bool }
	if errors.As(err, &timeout) && timeout.Timeout() {
		return "no answer in time"
	}
	return "no connection"
}

// isClass tells whether err is such a failure of the database.
func isClass(err error, c class) bool {
	f, ok := errors.AsType[*failure](err)
	return ok && f.class == c
}
