// Package staff knows who the staff are: their accounts, roles and rights, their
// passwords, and who of them is signed in. What it keeps lies in the state;
// every change stands in the journal, in the same transaction.
//
// # Getting in
//
// Nobody sets a password for somebody else. [Staff.Add] and [Staff.Reset] give
// a one-time link: 130 random bits, good once and for 24 hours, void when
// another is made. Its page (GET) has a form and does nothing else, because
// mail programs and scanners open links in advance; the form (POST) uses the
// link up, and the session that comes of it may only choose a password. The
// token stands in the path and not behind a "#", so that the page works without
// JavaScript; what a proxy's log keeps of it is worthless once it was used.
//
// A session is a token of 256 random bits, a new one at every sign-in and after
// every change of the password, of which the state has a keyed hash. It ends by
// sign-out, after Config.Idle without a call of [Staff.Session], 12 hours after
// its start, and when the account is disabled, reset, or given another role.
// The role is read at every call. A state that was restored from a copy knows no
// session and no link of the time before.
//
// # Guessing
//
// Passwords are hashed with argon2id, one at a time, so that ten sign-ins at
// once take the memory of one and the time of ten. The parameters stand with
// the hash; when they are raised, a hash is made anew at its owner's next
// sign-in. A wrong name, a disabled account and a wrong password give the same
// error after the same work.
//
// Failures slow further tries down: by account and address, by address, and by
// account, where it is seconds only. From an address from which somebody has
// signed in to that account, only the first of these applies. So a guesser,
// with many addresses or behind the same one, keeps nobody out who comes from
// where they always come from, unless it is their account that is guessed at
// from there. What is remembered is bounded
// and is in memory: a guesser cannot make the daemon restart, and must not be
// able to make it write. The journal is told of refused sign-ins in one entry
// an hour, as counts an account; names that no account has are not kept, for
// they may be passwords.
//
// # How a handler uses it
//
// Sign-in, with the token in a cookie that only this host can set and read:
//
//	token, err := s.SignIn(r.Context(), r.PostFormValue("name"), r.PostFormValue("password"), clientAddress(r))
//	var wait *staff.ThrottledError
//	switch {
//	case errors.Is(err, staff.ErrSignIn): // 403, the form again
//	case errors.As(err, &wait):           // 429, Retry-After: wait.Wait
//	case err != nil:                      // 503 when inbox.IsTemporary(err), else 500
//	}
//	http.SetCookie(w, &http.Cookie{Name: "__Host-session", Value: token, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
//
// Every page:
//
//	session, err := s.Session(r.Context(), cookie)   // Peek for what only refreshes a page
//	if errors.Is(err, staff.ErrSignedOut) { … }      // to the sign-in page
//	if session.MustChoose { … }                      // to the page that chooses a password
//	if !session.May(staff.RightAct) { … }            // 403
//
// The page of a link, and choosing a password (old is "" while MustChoose):
//
//	GET  /link/TOKEN   a form with the token in a hidden field; Referrer-Policy: no-referrer, Cache-Control: no-store
//	POST /link         token, err := s.Begin(r.Context(), link, clientAddress(r)); staff.ErrLink: ask an admin for another
//	POST /password     token, err := s.SetPassword(r.Context(), cookie, old, password, clientAddress(r)); the cookie is set anew
//	                   errors.As(err, &fault) with a staff.PasswordFault: its sentence, and the form again
package staff
