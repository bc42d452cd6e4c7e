package house

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"strings"
)

// Undocumented reads every Go file of the tree but its tests and gives the
// exported names that have no comment, one sentence a name, in the order of
// the files: types and their methods, those of interfaces, too; functions,
// constants and variables. A comment on a group, or behind a name on its line,
// counts. Fields of structs speak for themselves or with their type.
func Undocumented(tree fs.FS) ([]string, error) {
	var faults []string
	err := eachFile(tree, func(name string) error {
		if strings.HasSuffix(name, "_test.go") {
			return nil
		}
		src, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		fset := token.NewFileSet()
		parsed, err := parser.ParseFile(fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, d := range parsed.Decls {
			for _, id := range undocumented(d) {
				faults = append(faults, fmt.Sprintf("%s: %s.%s has no comment", fset.Position(id.pos), path.Base(path.Dir(name)), id.name))
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("checking the comments: %w", err)
	}
	return faults, nil
}

// exported is an exported name and where it stands.
type exported struct {
	name string
	pos  token.Pos
}

// undocumented gives the exported names of a declaration that lack a comment.
func undocumented(d ast.Decl) []exported {
	switch d := d.(type) {
	case *ast.FuncDecl:
		receiver := receiverOf(d)
		if d.Doc != nil || !d.Name.IsExported() || receiver != "" && !ast.IsExported(receiver) {
			return nil
		}
		return []exported{{strings.TrimPrefix(receiver+"."+d.Name.Name, "."), d.Pos()}}
	case *ast.GenDecl:
		var out []exported
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.ValueSpec:
				if d.Doc == nil && s.Doc == nil && s.Comment == nil {
					out = append(out, exportedOf(s.Names)...)
				}
			case *ast.TypeSpec:
				out = append(out, undocumentedType(s, d.Doc != nil || s.Doc != nil)...)
			}
		}
		return out
	}
	return nil
}

// undocumentedType gives a type, and those methods of an interface, that lack
// a comment.
func undocumentedType(s *ast.TypeSpec, documented bool) []exported {
	if !s.Name.IsExported() {
		return nil
	}
	var out []exported
	if !documented {
		out = exportedOf([]*ast.Ident{s.Name})
	}
	face, ok := s.Type.(*ast.InterfaceType)
	if !ok {
		return out
	}
	for _, m := range face.Methods.List {
		if m.Doc != nil || m.Comment != nil {
			continue
		}
		for _, method := range exportedOf(m.Names) {
			out = append(out, exported{s.Name.Name + "." + method.name, method.pos})
		}
	}
	return out
}

func exportedOf(names []*ast.Ident) []exported {
	var out []exported
	for _, id := range names {
		if id.IsExported() {
			out = append(out, exported{id.Name, id.Pos()})
		}
	}
	return out
}

// receiverOf gives the name of a method's type, and "" for a function.
func receiverOf(d *ast.FuncDecl) string {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return ""
	}
	for t := d.Recv.List[0].Type; ; {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}
