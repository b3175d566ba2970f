package faults

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestDocs parses what docs/faults.md shows: every line of a script, and every
// model that has numbers for its parameters.
func TestDocs(t *testing.T) {
	content, err := os.ReadFile("../../docs/faults.md")
	if err != nil {
		t.Fatal(err)
	}
	models := regexp.MustCompile(`[a-z]+\([^()A-Z …]*\d[^()A-Z …]*\)`)
	script, parsed := "", 0
	for line := range strings.Lines(string(content)) {
		if rest, ok := strings.CutPrefix(line, "    at "); ok && !strings.Contains(line, "…") {
			script += "at " + rest
		}
		for _, spec := range models.FindAllString(line, -1) {
			if strings.HasPrefix(spec, "fixed(mean") {
				continue // a distribution
			}
			if _, err := Parse(spec); err != nil {
				t.Error(err)
			}
			parsed++
		}
	}
	s, err := ParseScript("docs/faults.md", script)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Entries) != 6 || parsed != 3 {
		t.Errorf("%d faults and %d models are shown", len(s.Entries), parsed)
	}
}
