package main

import (
	"cmp"
	"encoding/json"
	"go/format"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// An edit puts text before and after a part of the source, or in its place. Parts lie within each
// other or apart; of equal parts, the one noted first is the outer one.
type edit struct {
	start, end    int
	before, after string
}

// replaced returns an edit that puts text in the place of e's part.
func (e edit) replaced(text string) edit {
	e.before, e.after = text, replacing
	return e
}

// replacing marks, as an edit's after, that its part goes.
const replacing = "\x00"

// rewrite applies edits to source and has it import package active.
func rewrite(source []byte, edits []edit) ([]byte, error) {
	type insertion struct {
		at, order int
		text      string
		skip      int // bytes of the source that it stands for
	}
	var all []insertion
	for i, e := range edits {
		if e.after == replacing {
			all = append(all, insertion{e.start, 0, e.before, e.end - e.start})
			continue
		}
		// Where one part ends and another begins, the end comes first; inner parts end first.
		all = append(all, insertion{e.start, len(edits) + i, e.before, 0}, insertion{e.end, -i, e.after, 0})
	}
	slices.SortStableFunc(all, func(a, b insertion) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.order, b.order))
	})
	var b strings.Builder
	from := 0
	for _, in := range all {
		b.Write(source[from:in.at])
		b.WriteString(in.text)
		from = in.at + in.skip
	}
	b.Write(source[from:])
	text := b.String()
	if i := strings.Index(text, "\nimport "); len(edits) > 0 && i >= 0 {
		text = text[:i] + "\nimport \"" + activePath + "\"\n" + text[i:]
	} else if len(edits) > 0 {
		i = strings.Index(text, "\npackage ")
		i += 1 + strings.Index(text[i+1:], "\n")
		text = text[:i] + "\n\nimport \"" + activePath + "\"\n" + text[i:]
	}
	return format.Source([]byte(text))
}

// overlay finds the mutants of a package and writes its rewritten files to dir, with the file that
// tells go build to take them instead.
func overlay(path, dir string, wanted func(file string) bool) (mutants []Mutant, config string, err error) {
	pkg, err := load(path)
	if err != nil {
		return nil, "", err
	}
	replace := map[string]string{}
	for i, file := range pkg.Syntax {
		name := pkg.GoFiles[i]
		if !wanted(filepath.Base(name)) {
			continue
		}
		source, err := os.ReadFile(name)
		if err != nil {
			return nil, "", err
		}
		text, err := rewrite(source, find(pkg, file, source, &mutants))
		if err != nil {
			return nil, "", err
		}
		replace[name] = filepath.Join(dir, filepath.Base(name))
		if err := os.WriteFile(replace[name], text, 0o644); err != nil {
			return nil, "", err
		}
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return nil, "", err
	}
	config = filepath.Join(dir, "overlay.json")
	return mutants, config, os.WriteFile(config, text, 0o644)
}
