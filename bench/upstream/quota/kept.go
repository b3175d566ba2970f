package quota

import (
	"os"
	"path/filepath"
	"strings"
)

// A Kept story is one worth keeping, with what upstream does in it.
type Kept struct {
	File     string
	Why      string // lines that begin with #
	Story    Story
	Upstream string
}

// outcome stands before what upstream does.
const outcome = "\n=== upstream\n"

// ReadKept reads the files of a folder.
func ReadKept(folder string) (list []Kept, err error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.txt"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		k := Kept{File: file}
		rest := string(text)
		for strings.HasPrefix(rest, "#") {
			line, after, _ := strings.Cut(rest, "\n")
			k.Why, rest = k.Why+line+"\n", after
		}
		steps, upstream, _ := strings.Cut(rest, outcome)
		k.Upstream = upstream
		if k.Story, err = Read(steps); err != nil {
			return nil, err
		}
		list = append(list, k)
	}
	return list, nil
}

// Write writes the file of a story.
func (k Kept) Write() error {
	return os.WriteFile(k.File, []byte(k.Why+strings.TrimSuffix(k.Story.String(), "\n")+outcome+k.Upstream), 0o644)
}
