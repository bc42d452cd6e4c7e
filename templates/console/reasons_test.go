package console

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"push.guru/supportd/inbox"
)

// reasonsOf collects the sentences in which a package says why: those that its
// functions give back or note as a why, reason or Error. What is put into a
// sentence when it is said is "X" in them.
func reasonsOf(t *testing.T, dir string) (all []string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(names) == 0 {
		t.Fatalf("%s has no source: %v", dir, err)
	}
	take := func(exprs []ast.Expr) {
		for _, e := range exprs {
			if s, ok := sentence(e); ok && strings.Count(s, " ") > 0 && !slices.Contains(all, s) {
				all = append(all, s)
			}
		}
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ReturnStmt:
				take(n.Results)
			case *ast.AssignStmt:
				for i, to := range n.Lhs {
					if len(n.Rhs) == len(n.Lhs) && notes(to) {
						take(n.Rhs[i : i+1])
					}
				}
			case *ast.KeyValueExpr:
				if notes(n.Key) {
					take([]ast.Expr{n.Value})
				}
			case *ast.ValueSpec:
				for i, id := range n.Names {
					if i < len(n.Values) && strings.HasPrefix(id.Name, "Why") {
						take(n.Values[i : i+1])
					}
				}
			}
			return true
		})
	}
	return all
}

// notes tells whether something is where a reason is noted.
func notes(to ast.Expr) bool {
	name := ""
	switch to := to.(type) {
	case *ast.Ident:
		name = to.Name
	case *ast.SelectorExpr:
		name = to.Sel.Name
	}
	return slices.Contains([]string{"why", "Why", "reason", "Reason", "Error"}, name)
}

// sentence gives a text that stands in the source, or is put together there.
func sentence(e ast.Expr) (s string, ok bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		s, err := strconv.Unquote(e.Value)
		return s, err == nil && e.Kind == token.STRING
	case *ast.BinaryExpr:
		left, one := sentence(e.X)
		right, two := sentence(e.Y)
		if e.Op != token.ADD || !one && !two {
			return "", false
		}
		if !one {
			left = "X"
		}
		if !two {
			right = "X"
		}
		return left + right, true
	}
	return "", false
}

// noReasons are what else is put together so: lines of a mail's header, which are
// the same in every language, words for those who are told of an effect, names
// in logs, and lines that have a remark before or behind them.
func noReasons() []string {
	return []string{"Auto-Submitted: X", "Precedence: X", "Precedence: list", "Precedence: auto_reply",
		"X withdrew their consent or objected", "X was deleted", "of X was X: X", "X (X)", "X: X", "mailbox X", "at once"}
}

// TestSaid: what is put into a sentence stands in its text, and what only looks
// like one stays as it is.
func TestSaid(t *testing.T) {
	w := load(t).Words("ru")
	for why, want := range map[string]string{
		"the person was last signed in on 2025-01-02: the mailbox may be somebody else's by now": "Человек последний раз входил 2025-01-02: ящик уже может быть чужим",
		"R-000007, its letter, is held: refused by staff":                                        "Его письмо R-000007 приостановлено: Отказано сотрудниками",
		"List-Id is set; to nina":                                    "Задан заголовок List-Id; Кому: nina",
		"the copy was not delivered (R-000007 is void)":              "Копия не доставлена (R-000007: не отправлено)",
		"A-000001 is done: only an action in review can be approved": "A-000001 – Выполнено: одобрить можно только то, что ждёт решения",
		"full_name: it is longer than the field can hold":            "Полное имя: длиннее, чем вмещает поле",
		"our server says dmarc=none, and arc=pass, by which a forwarder vouches, does not count; no signature of the From domain": "Наш сервер сообщает dmarc=none; arc=pass, которым ручается пересылающий сервер, не считается; Нет подписи домена отправителя",
		"it cannot be done; no signature of the From domain":                                                                      "it cannot be done; Нет подписи домена отправителя",
		"the account was deleted (R-000007)":                                                                                      "Аккаунт удалён (R-000007)",
		"phone=8 701 ten: not a telephone number, which has 6 to 15 digits":                                                       "Телефон «8 701 ten»: это не номер телефона: в нём от 6 до 15 цифр",
		"email=a b: not a plain e-mail address":                                                                                   "Электронная почта «a b»: это не обычный адрес почты",
		"bounce: the return path is empty":                                                                                        "недоставка: Обратный путь пуст",
		"tell Analytics, Post of what A-000001 did":                                                                               "Сообщить Analytics, Post, что сделано по A-000001",
		"dial tcp: connection refused":                                                                                            "dial tcp: connection refused",
		"the disk of the server is set":                                                                                           "the disk of the server is set", "to": "to", "to all of you": "to all of you", " is set": " is set",
	} {
		if got := Reason(w, why); got != want {
			t.Errorf("%q is %q, want %q", why, got, want)
		}
	}
}

// TestEveryReason: why a case waits, what was done, and why a mail is not
// answered have a text in every language.
func TestEveryReason(t *testing.T) {
	p := load(t)
	n := 0
	for _, dir := range []string{"cases", "screen", "intake", "policy", "queue"} {
		for _, why := range reasonsOf(t, filepath.Join("..", "..", "inbox", dir)) {
			if n++; slices.Contains(noReasons(), why) {
				continue
			}
			for _, lang := range Languages()[1:] {
				if Reason(p.Words(lang), why) == why {
					t.Errorf("%s has no text for %s: %q", lang, dir, why)
				}
			}
		}
	}
	for _, c := range []inbox.Class{inbox.ClassAutoReply, inbox.ClassBounce, inbox.ClassList, inbox.ClassLoop, inbox.ClassBulk, inbox.ClassSpam, inbox.ClassNoSender, inbox.ClassOversize, inbox.ClassMalformed} {
		for _, lang := range Languages() {
			if !p.Words(lang).Has("class." + string(c)) {
				t.Errorf("%s has no text for the class %s", lang, c)
			}
		}
	}
	if n < 80 {
		t.Errorf("only %d reasons were found", n)
	}
}
