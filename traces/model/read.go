package model

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
)

// written is a model as a file has it.
type written struct {
	Format  string `json:"format"`
	Version int    `json:"version"`
	Model
}

// Read reads a model. What is wrong with it is an *input.Error, which names file
// and line.
func Read(file string, content []byte) (*Model, error) {
	var is written
	w, err := decode(file, content, &is)
	if err != nil {
		return nil, err
	}
	if is.Format != Format {
		return nil, w.wrong("format", "is "+strconv.Quote(is.Format), "give a model, whose format is "+Format)
	}
	if is.Version != Version {
		return nil, w.wrong("version", "is "+strconv.Itoa(is.Version), fmt.Sprintf("give a model of version %d: fit it anew", Version))
	}
	if err := is.check(w.wrong); err != nil {
		return nil, err
	}
	return &is.Model, nil
}

// Write writes the model so that Read gives the same: each class, job and
// distribution on a line of its own.
func (m *Model) Write(w io.Writer) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "{\"format\": %q, \"version\": %d,\n", Format, Version)
	list := func(key string, n int, at func(int) any) {
		fmt.Fprintf(&b, "%q: [", key)
		for i := range n {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteByte('\n')
			b.Write(text(at(i)))
		}
		b.WriteString("],\n")
	}
	fmt.Fprintf(&b, "\"origin\": %s,\n", text(m.Origin))
	list("nodes", len(m.Nodes), func(i int) any { return &m.Nodes[i] })
	fmt.Fprintf(&b, "\"arrivals\": %s,\n", text(&m.Arrivals))
	list("bursts", len(m.Bursts), func(i int) any { return &m.Bursts[i] })
	list("sources", len(m.Sources), func(i int) any { return &m.Sources[i] })
	list("classes", len(m.Classes), func(i int) any { return &m.Classes[i] })
	list("jobs", len(m.Jobs), func(i int) any { return &m.Jobs[i] })
	list("runs", len(m.Runs), func(i int) any { return &m.Runs[i] })
	fmt.Fprintf(&b, "\"runTick\": %s}\n", text(m.RunTick))
	_, err := w.Write(b.Bytes())
	return err
}

// text writes a part of a model as JSON. Models have finite numbers only, so that
// it can't fail.
func text(part any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(part); err != nil {
		panic("model: " + err.Error())
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}
