package console

import "push.guru/supportd/inbox/staff"

// routes is the one table of addresses: what each needs, and how the journal
// names it. A test walks it with every role.
func routes() []route {
	const act, see, log, administer = staff.RightAct, staff.RightSee, staff.RightLog, staff.RightAdminister
	return []route{
		{pattern: "GET /{$}", who: oneself, run: home},
		{pattern: "GET /sign-in", who: anybody, run: signInPage},
		{pattern: "POST /sign-in", who: anybody, run: signIn},
		{pattern: "POST /sign-out", who: oneself, run: signOut},
		{pattern: "GET /link/{token}", who: anybody, run: linkPage},
		{pattern: "POST /link", who: anybody, run: useLink},
		{pattern: "GET /password", who: oneself, run: passwordPage},
		{pattern: "POST /password", who: oneself, run: setPassword},
		{pattern: "GET /account", need: see, what: "own account opened", run: accountPage},
		{pattern: "POST /account", need: see, own: true, what: "own account", run: setLanguage},
		{pattern: "POST /account/sessions", need: see, own: true, what: "own sessions", run: endSessions},

		{pattern: "GET /queue", need: see, what: "queue opened", run: queuePage},
		{pattern: "GET " + livePath, need: see, quiet: true, run: liveQueue},
		{pattern: "POST /search", need: see, what: "searched", run: search},

		{pattern: "GET /case/{id}", need: see, what: "case opened", run: casePage},
		{pattern: "GET /case/{id}/raw", need: staff.RightRaw, what: "raw mail opened", run: rawPage},
		{pattern: "GET /case/{id}/receipt", need: log, what: "receipt made", run: receiptPage},
		{pattern: "POST /case/{id}/approve-without-proof", need: staff.RightApprove, own: true, what: "approve-without-proof", run: doAct},
		{pattern: "POST /case/{id}/{act}", need: act, own: true, what: "act", run: doAct},

		{pattern: "POST /case/{id}/letters/send", need: act, own: true, what: "send letter", run: sendLetter},
		{pattern: "POST /case/{id}/letters/drop", need: act, own: true, what: "drop letter", run: dropLetter},

		{pattern: "GET /mails", need: see, what: "mails opened", run: mailsPage},
		{pattern: "POST /mails/{id}/replay", need: act, own: true, what: "replay", run: replay},

		{pattern: "GET /log", need: log, what: "log opened", run: logPage},
		{pattern: "GET /log/export", need: log, what: "log exported", run: exportLog},
		{pattern: "POST /log/verify", need: log, what: "log verified", run: verifyLog},

		{pattern: "GET /saved", need: act, what: "saved answers opened", run: savedPage},
		{pattern: "POST /saved/put", need: administer, own: true, what: "save answer", run: putSaved},
		{pattern: "POST /saved/delete", need: administer, own: true, what: "drop answer", run: dropSaved},

		{pattern: "GET /staff", need: administer, what: "staff opened", run: staffPage},
		{pattern: "POST /staff/add", need: administer, own: true, what: "staff add", run: addMember},
		{pattern: "POST /staff/reset", need: administer, own: true, what: "staff reset", run: resetMember},
		{pattern: "POST /staff/role", need: administer, own: true, what: "staff role", run: setRole},
		{pattern: "POST /staff/disable", need: administer, own: true, what: "staff disable", run: disableMember},
		{pattern: "POST /staff/enable", need: administer, own: true, what: "staff enable", run: enableMember},

		{pattern: "POST /pause", need: staff.RightApprove, own: true, what: "pause", run: pause},
		{pattern: "POST /resume", need: administer, own: true, what: "resume", run: resume},
	}
}
