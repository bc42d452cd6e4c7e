package console

import (
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// source is the source of a package, to find out which sentences it can put
// together.
type source struct {
	funcs  map[string][]*ast.FuncDecl
	values map[string]ast.Expr // constants and variables of the package
	within []ast.Node          // what is being put together
}

// readSource reads the files of a folder that match a pattern.
func readSource(t *testing.T, dir, pattern string) *source {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil || len(names) == 0 {
		t.Fatalf("%s has no source: %v", dir, err)
	}
	s := &source{funcs: map[string][]*ast.FuncDecl{}, values: map[string]ast.Expr{}}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				s.funcs[d.Name.Name] = append(s.funcs[d.Name.Name], d)
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					if v, ok := spec.(*ast.ValueSpec); ok {
						for i, id := range v.Names {
							if i < len(v.Values) {
								s.values[id.Name] = v.Values[i]
							}
						}
					}
				}
			}
		}
	}
	return s
}

// each calls do with every node of every function.
func (s *source) each(do func(fn *ast.FuncDecl, n ast.Node)) {
	for _, all := range s.funcs {
		for _, fn := range all {
			ast.Inspect(fn, func(n ast.Node) bool { do(fn, n); return true })
		}
	}
}

// texts lists what an expression of a function can say: "X" stands for what is
// only known when it is said. result is which value of a call is meant.
func (s *source) texts(fn *ast.FuncDecl, e ast.Expr, result int) []string {
	if slices.Contains(s.within, ast.Node(e)) {
		return []string{"X"}
	}
	s.within = append(s.within, e)
	defer func() { s.within = s.within[:len(s.within)-1] }()
	switch e := e.(type) {
	case *ast.BasicLit:
		if text, err := strconv.Unquote(e.Value); err == nil && e.Kind == token.STRING {
			return []string{text}
		}
	case *ast.ParenExpr:
		return s.texts(fn, e.X, 0)
	case *ast.BinaryExpr:
		return joined(s.texts(fn, e.X, 0), s.texts(fn, e.Y, 0))
	case *ast.Ident:
		return s.named(fn, e.Name)
	case *ast.UnaryExpr:
		return s.texts(fn, e.X, 0)
	case *ast.CompositeLit: // an error with a hint
		return s.hinted(fn, e)
	case *ast.CallExpr:
		return s.called(fn, e, result)
	}
	return []string{"X"}
}

func joined(left, right []string) (all []string) {
	for _, l := range left {
		for _, r := range right {
			all = append(all, l+r)
		}
	}
	return all
}

// named lists what a variable of a function, or a value of the package, can be.
func (s *source) named(fn *ast.FuncDecl, name string) (all []string) {
	if v, ok := s.values[name]; ok {
		return s.texts(nil, v, 0)
	}
	if fn == nil {
		return []string{"X"}
	}
	var last []string // assigned before
	ast.Inspect(fn, func(n ast.Node) bool {
		a, ok := n.(*ast.AssignStmt)
		if !ok {
			return true
		}
		for i, to := range a.Lhs {
			if id, ok := to.(*ast.Ident); ok && id.Name == name {
				from, result := a.Rhs[min(i, len(a.Rhs)-1)], 0
				if len(a.Rhs) < len(a.Lhs) {
					result = i
				}
				texts := s.texts(fn, from, result)
				if a.Tok == token.ADD_ASSIGN {
					texts = joined(last, texts)
				}
				all, last = append(all, texts...), texts
			}
		}
		return true
	})
	if len(all) == 0 {
		return []string{"X"}
	}
	return all
}

// hinted lists what an inbox.Error can say.
func (s *source) hinted(fn *ast.FuncDecl, e *ast.CompositeLit) []string {
	parts := map[string][]string{}
	for _, el := range e.Elts {
		if kv, ok := el.(*ast.KeyValueExpr); ok {
			if key, ok := kv.Key.(*ast.Ident); ok {
				parts[key.Name] = s.texts(fn, kv.Value, 0)
			}
		}
	}
	if parts["Hint"] == nil {
		return parts["Err"]
	}
	return joined(joined(joined(parts["Err"], []string{" ("}), parts["Hint"]), []string{")"})
}

var verb = regexp.MustCompile(`%[a-zA-Z]`)

// called lists what a call can say.
func (s *source) called(fn *ast.FuncDecl, call *ast.CallExpr, result int) (all []string) {
	name := ""
	switch f := call.Fun.(type) {
	case *ast.Ident:
		name = f.Name
	case *ast.SelectorExpr:
		if name = f.Sel.Name; name == "Error" && len(call.Args) == 0 {
			return s.texts(fn, f.X, 0)
		}
	}
	switch name {
	case "New", "Sprintf", "Errorf":
		all = s.texts(fn, call.Args[0], 0)
		for _, arg := range call.Args[1:] {
			var next []string
			for _, text := range all {
				for _, value := range s.texts(fn, arg, 0) {
					next = append(next, put1(text, value))
				}
			}
			all = next
		}
		return all
	}
	for _, callee := range s.funcs[name] {
		if slices.Contains(s.within, ast.Node(callee)) {
			continue
		}
		s.within = append(s.within, callee)
		ast.Inspect(callee.Body, func(n ast.Node) bool {
			if r, ok := n.(*ast.ReturnStmt); ok && len(r.Results) > 0 {
				if result < len(r.Results) {
					all = append(all, s.texts(callee, r.Results[result], 0)...)
				} else {
					all = append(all, s.texts(callee, r.Results[0], result)...)
				}
			}
			_, inner := n.(*ast.FuncLit)
			return !inner
		})
		s.within = s.within[:len(s.within)-1]
	}
	if len(all) == 0 {
		return []string{"X"}
	}
	return all
}

// put1 puts a value in the place of the first verb of a format.
func put1(format, value string) string {
	at := verb.FindStringIndex(format)
	switch {
	case at == nil:
		return format
	case value != "X":
	case format[at[0]:at[1]] == "%d":
		value = "3"
	case format[at[0]:at[1]] == "%q":
		value = `"X"`
	}
	return format[:at[0]] + value + format[at[1]:]
}

// evidences lists the reasons that package sender can give for its findings.
func evidences(t *testing.T) (all []string) {
	s := readSource(t, filepath.Join("..", "..", "inbox", "sender"), "*.go")
	take := func(fn *ast.FuncDecl, e ast.Expr) {
		for _, text := range s.texts(fn, e, 0) {
			for part := range strings.SplitSeq(text, "; ") {
				whole := part != "X" && part != "" && !strings.HasSuffix(part, " ") // the functions that say nothing where all is well give ""
				if whole && !strings.HasPrefix(part, "asking DNS") && !strings.HasPrefix(part, "the mail will be") && !slices.Contains(all, part) {
					all = append(all, part)
				}
			}
		}
	}
	s.each(func(fn *ast.FuncDecl, n ast.Node) {
		switch n := n.(type) {
		case *ast.CallExpr:
			if f, ok := n.Fun.(*ast.Ident); ok && f.Name == "none" {
				take(fn, n.Args[0])
			}
		case *ast.KeyValueExpr:
			if notes(n.Key) {
				take(fn, n.Value)
			}
		case *ast.AssignStmt:
			for i, to := range n.Lhs {
				if sel, ok := to.(*ast.SelectorExpr); ok && sel.Sel.Name == "Why" {
					take(fn, n.Rhs[i])
				}
			}
		}
	})
	return all
}

// signatureFaults lists what the library that verifies signatures says of one.
func signatureFaults(t *testing.T) (all []string) {
	lib, err := build.Import("github.com/emersion/go-msgauth/dkim", ".", build.FindOnly)
	if err != nil {
		t.Fatal(err)
	}
	s := readSource(t, lib.Dir, "*.go")
	s.each(func(fn *ast.FuncDecl, n ast.Node) {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return
		}
		if f, ok := call.Fun.(*ast.Ident); ok && slices.Contains([]string{"permFailError", "failError", "tempFailError"}, f.Name) {
			for _, text := range s.texts(fn, call.Args[0], 0) {
				text, _, _ = strings.Cut(text, ":")
				all = append(all, "signature of example.org: "+text)
			}
		}
	})
	return all
}

// authorFaults lists why a mail has no single author.
func authorFaults(t *testing.T) (all []string) {
	s := readSource(t, filepath.Join("..", "..", "inbox", "parse"), "*.go")
	s.each(func(fn *ast.FuncDecl, n ast.Node) {
		a, ok := n.(*ast.AssignStmt)
		for i := 0; ok && i < len(a.Lhs); i++ {
			if sel, is := a.Lhs[i].(*ast.SelectorExpr); is && sel.Sel.Name == "FromFault" {
				for _, text := range s.texts(fn, a.Rhs[min(i, len(a.Rhs)-1)], i) {
					if text != "X" && text != "" {
						all = append(all, "the mail names no single author: "+text)
					}
				}
			}
		}
	})
	return all
}

// refusals lists why acts of staff are refused: the errors of the packages that
// carry them out, whole or as a part of others.
func refusals(t *testing.T) (all []string) {
	for dir, files := range map[string]string{"review": "*.go", "cases": "*.go", "staff": "*.go", "intake": "reconcile.go"} {
		s := readSource(t, filepath.Join("..", "..", "inbox", dir), files)
		take := func(fn *ast.FuncDecl, e ast.Expr) {
			for _, text := range s.texts(fn, e, 0) {
				if text != "X" && !slices.Contains(all, text) && !slices.ContainsFunc(unseen(), func(begin string) bool { return strings.HasPrefix(text, begin) }) {
					all = append(all, text)
				}
			}
		}
		if dir == "review" {
			for _, el := range s.values["slips"].(*ast.CompositeLit).Elts {
				take(nil, el.(*ast.KeyValueExpr).Value)
			}
		}
		for _, v := range s.values {
			if call, ok := v.(*ast.CallExpr); ok && isError(call) {
				take(nil, v)
			}
		}
		s.each(func(fn *ast.FuncDecl, n ast.Node) {
			switch n := n.(type) {
			case *ast.CallExpr:
				if isError(n) {
					take(fn, n)
				}
			case *ast.CompositeLit:
				if sel, ok := n.Type.(*ast.SelectorExpr); ok && sel.Sel.Name == "Error" {
					take(fn, n)
				}
			}
		})
	}
	return all
}

func isError(call *ast.CallExpr) bool {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	pkg, ok := sel.X.(*ast.Ident)
	return ok && (pkg.Name == "errors" && sel.Sel.Name == "New" || pkg.Name == "fmt" && sel.Sel.Name == "Errorf")
}

// unseen lists how errors begin that no page shows.
func unseen() []string {
	return []string{
		"not allowed", "there is no act ", "entering: ", "X: X", "that is no place in the list", // pages of their own
		"X may not approve without proof: it takes a user", "say what it asks for: ", `"X" is none of FIELD`, "X has no held letter", `"X" is no end`, `"X" is no format`, // of the command line
		"exporting the journal", "verifying the journal", "the chain is being verified", "deletes are being repeated", "what was deleted long ago", "no delete is kept", "that time is still", "mode is observe: nothing is done", "the place ",
		"looking ", "writing to ", "mailbox X: ", "X: the address on record cannot be written to: writing", "there is an account  ", "replaying X: X", // faults of what lies below
		"setting a password", "signing in: ", "the stored hash", "touched meanwhile", "too many sign in", "the name or the password", "the link was used", "nobody is signed in", // words of the pages where one signs in
		`"X" is no role`, `"X" is no language`, // not offered by any form
	}
}

// english finds words of English that were left.
var english = regexp.MustCompile(`\b[a-z]{2,}('s)? [a-z]{2,}\b`)

// TestEveryComposedReason: what the proof of a sender rests on, and why an act is
// refused, has a text in every language, whatever is put into it.
func TestEveryComposedReason(t *testing.T) {
	p := load(t)
	for name, all := range map[string][]string{"evidence": evidences(t), "signatures": signatureFaults(t), "authors": authorFaults(t), "refusals": refusals(t)} {
		t.Run(name, func(t *testing.T) {
			if len(all) < 20 {
				t.Errorf("only %d were found", len(all))
			}
			slices.Sort(all)
			for _, why := range slices.Compact(all) {
				for _, lang := range Languages()[1:] {
					if got := Reason(p.Words(lang), why); english.MatchString(got) {
						t.Errorf("%s has no text for %q: %q", lang, why, got)
					}
				}
			}
		})
	}
}
