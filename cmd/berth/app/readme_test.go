package app

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestReadmeIsTrue runs what `make run` runs, and wants README.md to show what it
// prints and the example program as it is.
func TestReadmeIsTrue(t *testing.T) {
	root := filepath.Join("..", "..", "..")
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	command := regexp.MustCompile(`\./bin/berth (compare .*)`).FindStringSubmatch(read("Makefile"))
	if command == nil {
		t.Fatal("the Makefile runs no ./bin/berth compare")
	}
	var out, errs bytes.Buffer
	env := Env{Args: append(strings.Fields(command[1]), "-q"), Stdout: &out, Stderr: &errs}
	if status := Run(context.Background(), env); status != 0 {
		t.Fatalf("exit status %d: %s", status, errs.String())
	}
	version := regexp.MustCompile(`(?m)^  berth .*\n`) // differs from build to build
	shown := version.ReplaceAllString(out.String(), "")
	was := read("README.md")
	is := between(t, was, "<!-- run:begin -->\n", "<!-- run:end -->", "```\n"+shown+"```\n")
	is = between(t, is, "<!-- leftover:begin -->\n", "<!-- leftover:end -->", "```go\n"+read("examples/leftover/main.go")+"```\n")
	if is == was {
		return
	}
	if !*update {
		t.Fatal("README.md does not show what the program prints; run go test ./cmd/berth/app -run Readme -update, and look at it")
	}
	if err := os.WriteFile(filepath.Join(root, "README.md"), []byte(is), 0o644); err != nil {
		t.Fatal(err)
	}
}

// between puts text between two marks.
func between(t *testing.T, in, from, to, text string) string {
	t.Helper()
	before, rest, ok := strings.Cut(in, from)
	if !ok {
		t.Fatalf("README.md has no %s", from)
	}
	_, after, ok := strings.Cut(rest, to)
	if !ok {
		t.Fatalf("README.md has no %s", to)
	}
	return before + from + text + to + after
}
