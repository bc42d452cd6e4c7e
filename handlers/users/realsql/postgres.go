package realsql

import (
	"fmt"
	"net"
	"net/url"
	"os/exec"
	"path/filepath"
	"syscall"

	_ "github.com/jackc/pgx/v5/stdlib" // registers the driver "pgx"
)

const postgresBin = "/usr/lib/postgresql/15/bin/"

func postgres() kind {
	return kind{
		name: "PostgreSQL", pkg: "postgresql-15", user: "postgres",
		bins:   []string{postgresBin + "initdb", postgresBin + "postgres"},
		end:    syscall.SIGQUIT, // at once: nobody needs the data
		driver: "pgx", admin: "postgres", home: "postgres",
		secret: "%s\n",
		prepare: func(s *server) *exec.Cmd {
			return exec.Command(postgresBin+"initdb", "-D", filepath.Join(s.dir, "data"), "-U", "postgres", "-E", "UTF8",
				"--locale=C.UTF-8", "--auth=scram-sha-256", "--pwfile="+s.secret(), "--no-sync")
		},
		run: func(s *server) *exec.Cmd {
			args := []string{"-D", filepath.Join(s.dir, "data"), "-h", s.host, "-p", s.port}
			for _, set := range []string{"unix_socket_directories=", "fsync=off", "synchronous_commit=off", "full_page_writes=off",
				"max_connections=60", "shared_buffers=32MB", "log_min_messages=warning"} {
				args = append(args, "-c", set)
			}
			return exec.Command(postgresBin+"postgres", args...)
		},
		dsn: func(s *server, user, database string) string { return postgresDSN(s, user, s.password, database) },
		as:  postgresDSN,
		settle: []string{
			"CREATE ROLE %s LOGIN PASSWORD '%s'",
		},
		create: func(name string) []string {
			return []string{fmt.Sprintf("CREATE DATABASE %s OWNER %s", name, Site)}
		},
		drop: "DROP DATABASE %s WITH (FORCE)",
	}
}

func postgresDSN(s *server, user, password, database string) string {
	u := url.URL{Scheme: "postgres", User: url.UserPassword(user, password), Host: net.JoinHostPort(s.host, s.port),
		Path: "/" + database, RawQuery: "sslmode=disable"}
	return u.String()
}
