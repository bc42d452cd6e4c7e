package console

import (
	"go/ast"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// handed lists what the calls of a function say in one of its arguments.
func handed(t *testing.T, dir, name string, arg int) (all []string) {
	s := readSource(t, filepath.Join("..", "..", "inbox", dir), "*.go")
	s.each(func(fn *ast.FuncDecl, n ast.Node) {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) <= arg {
			return
		}
		called := ""
		switch f := call.Fun.(type) {
		case *ast.Ident:
			called = f.Name
		case *ast.SelectorExpr:
			called = f.Sel.Name
		}
		if called != name {
			return
		}
		for _, text := range s.texts(fn, call.Args[arg], 0) {
			if strings.Contains(text, " ") && !slices.Contains(all, text) {
				all = append(all, text)
			}
		}
	})
	return all
}

// TestEveryMove: why an Action went on in its history, and why a mail ended as
// it did, have a text in every language where the sentence stands in the call, too.
func TestEveryMove(t *testing.T) {
	var all []string
	for _, dir := range []string{"cases", "queue", "intake"} {
		all = slices.Concat(all, handed(t, dir, "MoveFor", 3), handed(t, dir, "Mark", 2))
	}
	all = append(all, "somebody without proof asked to stop it, in M-000003", "it may be asked to stop, in M-000003", "somebody without proof asked to stop it", "it may be asked to stop",
		"it may ask to stop something: held, and the owner was asked")
	inEveryLanguage(t, 40, all)
}

// TestEveryNote: what was odd about a mail is told in every language.
func TestEveryNote(t *testing.T) {
	inEveryLanguage(t, 20, append(handed(t, "parse", "add", 0), "the form's text has no line that begins the person's words; all of it was read",
		"its HTML hid text from the reader; that text was not read", "attachments, not kept: a passport.pdf, b.jpg"))
}

// inEveryLanguage finds sentences without a text; a reason that another ends
// with is one that has a text.
func inEveryLanguage(t *testing.T, least int, all []string) {
	t.Helper()
	p := load(t)
	for _, why := range all {
		if whole, ok := strings.CutSuffix(why, "X"); ok {
			why = whole + "refused by staff"
		}
		why = strings.TrimPrefix(strings.Replace(why, "X, and no request", "refused by staff, and no request", 1), "X; ")
		for _, lang := range Languages()[1:] {
			if _, worded := Worded(p.Words(lang), why); !worded {
				t.Errorf("%s has no text for %q", lang, why)
			}
		}
	}
	if len(all) < least {
		t.Errorf("only %d sentences were found", len(all))
	}
}
