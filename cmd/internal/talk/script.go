// Package talk plays conversations with a running supportd, written as files:
// what people write, which letter each of them must get, and how things stand
// afterwards. The demo plays them, and so do the tests, in virtual time and
// against real servers.
//
// A file begins with its title, a line with "#". Then come steps; each begins
// with a line "-- word … --", and the lines below belong to it:
//
//	-- write ADDRESS aligned|unproven: SUBJECT --   a person writes; the lines are the text
//	-- letter NAME to ADDRESS --                    this letter must come next to that address; each line
//	                                                must stand in it ("! line": must not; "+ file": attached)
//	-- answer ADDRESS --                            the person answers the last letter to that address
//	-- answer ADDRESS from OTHER --                 somebody else does, with the token
//	-- robot ADDRESS --                             a vacation reply to the last letter
//	-- bounce ADDRESS --                            the last letter comes back
//	-- cool-off --                                  time passes until what is scheduled is due
//	-- staff VERB KIND --                           staff act on this conversation's action of that kind
//	-- person ID --                                 field = value, "active", "deactivated" or "gone"
//	-- actions --                                   every action of this conversation: "kind [scope] state"
//
// At the end nobody may have got a letter that no step expected.
package talk

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Script is a conversation.
type Script struct {
	Name  string // of the file
	Title string
	Steps []Step
}

// Step is one step of a Script.
type Step struct {
	Line  int
	Words []string // of the heading
	Rest  string   // of the heading, behind a colon
	Body  string
}

//go:embed conversations/*.txt
var files embed.FS

// Conversations gives every conversation that comes with the program.
func Conversations() ([]Script, error) {
	var out []Script
	err := fs.WalkDir(files, "conversations", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		s, err := Parse(path.Base(name), string(b))
		out = append(out, s)
		return err
	})
	return out, err
}

// Parse reads a Script.
func Parse(name, text string) (Script, error) {
	s := Script{Name: strings.TrimSuffix(name, ".txt")}
	for i, line := range strings.Split(text, "\n") {
		heading, ok := strings.CutPrefix(line, "-- ")
		if ok {
			heading, ok = strings.CutSuffix(heading, " --")
		}
		switch {
		case ok:
			words, rest, _ := strings.Cut(heading, ": ")
			s.Steps = append(s.Steps, Step{Line: i + 1, Words: strings.Fields(words), Rest: rest})
		case len(s.Steps) > 0:
			s.Steps[len(s.Steps)-1].Body += line + "\n"
		case strings.HasPrefix(line, "# ") && s.Title == "":
			s.Title = line[2:]
		case strings.TrimSpace(line) != "" && !strings.HasPrefix(line, "#"):
			return s, fmt.Errorf("%s:%d: a line before the first step", name, i+1)
		}
	}
	for i, step := range s.Steps {
		s.Steps[i].Body = strings.TrimSpace(step.Body)
		if !slices.Contains(known, step.Words[0]) {
			return s, fmt.Errorf("%s:%d: unknown step %q", name, step.Line, step.Words[0])
		}
	}
	if s.Title == "" || len(s.Steps) == 0 {
		return s, fmt.Errorf("%s: no title or no steps", name)
	}
	return s, nil
}

var known = []string{"write", "letter", "answer", "robot", "bounce", "cool-off", "staff", "person", "actions"}

func (s Step) word(i int) string {
	if i < len(s.Words) {
		return s.Words[i]
	}
	return ""
}

func (s Step) lines() []string {
	return slices.DeleteFunc(strings.Split(s.Body, "\n"), func(l string) bool { return strings.TrimSpace(l) == "" })
}

//go:embed people.jsonl
var people string

// People gives everybody who takes part and has an account, as JSON lines for
// an import.
func People() string { return people }
