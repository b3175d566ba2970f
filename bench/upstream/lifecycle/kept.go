package lifecycle

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A Kept timeline is a file of testdata: the timeline, a line of three dashes, and what upstream's
// controllers did.
type Kept struct {
	File     string
	Timeline *Timeline
	Upstream string // a line for each observation
}

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
		story, after, _ := strings.Cut(string(text), "---\n")
		k := Kept{File: file, Upstream: after}
		if k.Timeline, err = Read(story); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		list = append(list, k)
	}
	return list, nil
}

// Write writes the file.
func (k Kept) Write() error {
	return os.WriteFile(k.File, []byte(k.Timeline.String()+"---\n"+k.Upstream), 0o644)
}

// Lines writes observations, a line each.
func Lines(list []Observation) string {
	var b strings.Builder
	for _, o := range list {
		b.WriteString(o.String() + "\n")
	}
	return b.String()
}
