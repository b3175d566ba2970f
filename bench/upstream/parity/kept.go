package parity

import (
	"bytes"
	"embed"
	"fmt"
	"path"

	"github.com/berthsim/berth/bench/upstream/scenario"
)

//go:embed testdata/*.yaml
var keptFiles embed.FS

// A Kept scenario is one that was written, or found, to show a corner.
type Kept struct {
	Name string // of its file
	*scenario.Scenario
}

// KeptScenarios reads all of them, by name.
func KeptScenarios() ([]Kept, error) {
	entries, err := keptFiles.ReadDir("testdata")
	if err != nil {
		return nil, err
	}
	var kept []Kept
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		text, err := keptFiles.ReadFile(path.Join("testdata", e.Name()))
		if err != nil {
			return nil, err
		}
		s, err := scenario.Read(bytes.NewReader(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e.Name(), err)
		}
		kept = append(kept, Kept{e.Name(), s})
	}
	return kept, nil
}
