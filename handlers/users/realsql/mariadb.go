package realsql

import (
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/go-sql-driver/mysql" // registers the driver "mysql"
)

const (
	mariadbBin     = "/usr/sbin/mariadbd"
	mariadbInstall = "/usr/bin/mariadb-install-db"
)

func mariadb() kind {
	return kind{
		name: "MariaDB", pkg: "mariadb-server", user: "mysql",
		bins:   []string{mariadbBin, mariadbInstall},
		end:    syscall.SIGTERM,
		driver: "mysql", admin: "admin", home: "mysql",
		secret: "CREATE USER admin@'%%' IDENTIFIED BY '%s';\nGRANT ALL ON *.* TO admin@'%%' WITH GRANT OPTION;\n",
		prepare: func(s *server) *exec.Cmd {
			return exec.Command(mariadbInstall, "--no-defaults", "--datadir="+filepath.Join(s.dir, "data"), "--tmpdir="+s.dir, "--skip-test-db",
				"--auth-root-authentication-method=socket", "--innodb-log-file-size=16M", "--innodb-flush-method=nosync")
		},
		run: func(s *server) *exec.Cmd {
			at := func(name string) string { return filepath.Join(s.dir, name) }
			return exec.Command(mariadbBin, "--no-defaults", "--datadir="+at("data"), "--tmpdir="+s.dir, "--socket="+at("sock"), "--pid-file="+at("pid"),
				"--bind-address="+s.host, "--port="+s.port, "--init-file="+s.secret(), "--skip-name-resolve", "--skip-log-bin",
				"--innodb-flush-log-at-trx-commit=0", "--innodb-flush-method=nosync", "--innodb-log-file-size=16M",
				"--innodb-buffer-pool-size=64M", "--innodb-fast-shutdown=2", "--performance-schema=off", "--max-connections=60")
		},
		dsn: func(s *server, user, database string) string { return mariadbDSN(s, user, s.password, database) },
		as:  mariadbDSN,
		settle: []string{
			"CREATE USER %s@'%%' IDENTIFIED BY '%s'",
		},
		create: func(name string) []string {
			return []string{"CREATE DATABASE " + name, fmt.Sprintf("GRANT ALL ON %s.* TO %s@'%%'", name, Site)}
		},
		drop: "DROP DATABASE %s",
	}
}

func mariadbDSN(s *server, user, password, database string) string {
	c := mysql.NewConfig()
	c.User, c.Passwd, c.Net, c.Addr, c.DBName = user, password, "tcp", net.JoinHostPort(s.host, s.port), database
	return c.FormatDSN()
}
