package mapfile

import (
	"embed"
	"path"
	"slices"
	"strings"
)

//go:embed examples/*.toml
var examples embed.FS

// Examples lists the frameworks that there is a ready map for, sorted.
func Examples() []string {
	files, _ := examples.ReadDir("examples") // embedded: it is there
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = strings.TrimSuffix(f.Name(), ".toml")
	}
	slices.Sort(names)
	return names
}

// Example gives the ready map of a framework as a commented file, which Read
// takes without a fault; "" when there is none of that name.
func Example(name string) string {
	if !slices.Contains(Examples(), name) {
		return ""
	}
	text, _ := examples.ReadFile(path.Join("examples", name+".toml"))
	return string(text)
}
