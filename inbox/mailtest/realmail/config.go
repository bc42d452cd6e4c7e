package realmail

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// mailUID owns the mailboxes; no account needs to have it.
const mailUID = 5000

// dovecotConf has {name} in place of what differs between servers.
const dovecotConf = `base_dir = {dir}/run
state_dir = {dir}/state
log_path = {dir}/dovecot.log
instance_name = {name}
listen = {host}
protocols = imap lmtp
ssl = yes
ssl_cert = <{dir}/server.pem
ssl_key = <{dir}/server.key
disable_plaintext_auth = yes
auth_failure_delay = 0
auth_mechanisms = plain login
mail_uid = {uid}
mail_gid = {uid}
first_valid_uid = {uid}
mail_location = maildir:~/Maildir
mail_max_userip_connections = 200
recipient_delimiter = +
lmtp_save_to_detail_mailbox = no
default_process_limit = 50
default_client_limit = 500
default_vsz_limit = 0
passdb {
  driver = static
  args = password={password}
}
userdb {
  driver = static
  args = uid={uid} gid={uid} home={dir}/mail/%Ld/%Ln allow_all_users=yes
}
namespace inbox {
  inbox = yes
  separator = /
}
service imap-login {
  inet_listener imap {
    port = {imap}
  }
  inet_listener imaps {
    port = {imaps}
    ssl = yes
  }
}
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service lmtp {
  unix_listener {dir}/queue/private/dovecot-lmtp {
    user = postfix
    group = postfix
    mode = 0600
  }
  inet_listener lmtp {
    port = {lmtp}
  }
}
service auth {
  unix_listener {dir}/queue/private/dovecot-auth {
    user = postfix
    group = postfix
    mode = 0600
  }
}
`

const mainCF = `compatibility_level = 3.6
queue_directory = {dir}/queue
data_directory = {dir}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {dir}/postfix.log
maillog_file_prefixes = {dir}
myhostname = mail.site.test
mydomain = site.test
myorigin = site.test
mydestination =
local_recipient_maps =
alias_maps =
alias_database =
inet_interfaces = loopback-only
inet_protocols = ipv4
mynetworks = {host}/32
smtp_dns_support_level = disabled
biff = no
recipient_delimiter = +
default_transport = error:5.7.1 only .test exists here
relay_transport = error:5.7.1 only .test exists here
transport_maps = regexp:{dir}/postfix/transport
virtual_mailbox_domains = regexp:{dir}/postfix/domains
virtual_mailbox_maps =
virtual_transport = lmtp:unix:private/dovecot-lmtp
smtpd_tls_cert_file = {dir}/server.pem
smtpd_tls_key_file = {dir}/server.key
smtpd_tls_security_level = may
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/dovecot-auth
smtpd_sasl_auth_enable = no
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
{border checks}smtpd_recipient_restrictions = check_recipient_access regexp:{dir}/postfix/recipients
`

const masterCF = `{host}:{smtp} inet n - n - 50 smtpd
{border writes}{host}:{submission} inet n - n - 50 smtpd
  -o syslog_name=postfix/submission
  -o smtpd_tls_security_level=encrypt
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_client_restrictions=permit_sasl_authenticated,reject
{host}:{submissions} inet n - n - 50 smtpd
  -o syslog_name=postfix/submissions
  -o smtpd_tls_wrappermode=yes
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_client_restrictions=permit_sasl_authenticated,reject
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
nobody unix - n n - 4 pipe
  user=nobody argv=/bin/sh -c {exit 67}
postlog unix-dgram n - n - 1 postlogd
`

// What makes Postfix a border. Its own results pass the same checks as those
// that a mail brings along; a comment tells them apart.
const (
	borderWrites = "  -o { smtpd_client_restrictions = check_client_access static:{PREPEND Authentication-Results: " + AuthservID +
		"; dmarc=none (by the border)} }\n"
	headersMap = "if !/by the border/\n/^Authentication-Results:[[:space:]]*mx\\.site\\.test/ IGNORE\nendif\n"
)

// The maps decide by address; 67 above is EX_NOUSER, which makes Postfix
// report a failure to the sender.
const (
	domainsMap    = "/^(.*\\.)?test$/ ok\n"
	recipientsMap = "/^reject-.*\\.test$/ 550 5.1.1 no such user here\n/^defer-.*\\.test$/ 450 4.2.0 try again later\n"
	transportMap  = "/^bounce-.*\\.test$/ nobody:\n"
)

// configure writes everything that the servers read. The files look old,
// because each Postfix process waits until its main.cf is some seconds of age.
func (s *Servers) configure(values map[string]string) error {
	old := time.Now().Add(-time.Hour)
	var pairs []string
	for k, v := range values {
		pairs = append(pairs, "{"+k+"}", v)
	}
	fill := strings.NewReplacer(pairs...)
	for name, text := range map[string]string{
		"dovecot.conf":       dovecotConf,
		"postfix/main.cf":    mainCF,
		"postfix/master.cf":  masterCF,
		"postfix/domains":    domainsMap,
		"postfix/recipients": recipientsMap,
		"postfix/transport":  transportMap,
		"postfix/headers":    headersMap,
	} {
		path := filepath.Join(s.dir, name)
		if err := errors.Join(os.WriteFile(path, []byte(fill.Replace(text)), 0o644), os.Chtimes(path, old, old)); err != nil {
			return fmt.Errorf("configuring the mail servers: %w", err)
		}
	}
	return nil
}
