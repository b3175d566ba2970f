package certify

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/berthsim/berth/cluster/faults"
	"github.com/berthsim/berth/internal/input"
	"go.yaml.in/yaml/v3"
)

// A Script says what is played on real kubelets and in the simulator.
type Script struct {
	Version string  `yaml:"version"`
	Pods    []Group `yaml:"pods"`
	// Every is the time between one pod and the next.
	Every time.Duration `yaml:"every"`
	// Faults are what befalls nodes, counted from the first pod on, as package faults reads a
	// script.
	Faults   string        `yaml:"faults"`
	Policy   string        `yaml:"policy"`
	Eviction string        `yaml:"eviction"`
	For      time.Duration `yaml:"for"`
	// Runs is how many simulated runs there are.
	Runs int `yaml:"runs"`

	// Struck are the Faults, read.
	Struck *faults.Script `yaml:"-"`
}

// A Group is pods that are alike but for their names.
type Group struct {
	File  string `yaml:"file"` // a manifest with one pod, beside the script
	Count int    `yaml:"count"`
}

// version is of the format.
const version = "berth/v1"

// maxPods bounds the pods of a script, lest a slip brings a machine down.
const maxPods = 10000

// ReadScript reads a script, which errors call file. What is wrong is an *input.Error.
func ReadScript(file string, content []byte) (*Script, error) {
	s := &Script{Every: 100 * time.Millisecond, Policy: "kube", Eviction: "kube", Runs: 20}
	dec := yaml.NewDecoder(bytes.NewReader(content))
	dec.KnownFields(true)
	if err := dec.Decode(s); err != nil {
		return nil, wrongYAML(file, err)
	}
	if err := dec.Decode(&struct{}{}); !errors.Is(err, io.EOF) {
		return nil, &input.Error{File: file, Problem: "the file holds more than one document", Remedy: "keep one script a file"}
	}
	if err := s.complete(); err != nil {
		problem, remedy, _ := strings.Cut(err.Error(), "; ")
		return nil, &input.Error{File: file, Problem: problem, Remedy: remedy}
	}
	return s, nil
}

// complete reads the faults, and says what can't be.
func (s *Script) complete() (err error) {
	pods := 0
	for _, g := range s.Pods {
		if g.File == "" || g.Count < 1 || g.Count > maxPods {
			return fmt.Errorf("a group has the file %q and the count %d; give a manifest, and a count from 1 to %d", g.File, g.Count, maxPods)
		}
		pods += g.Count
	}
	switch {
	case s.Version != version:
		return fmt.Errorf("version is %q; begin with the line version: %s", s.Version, version)
	case pods == 0 || pods > maxPods:
		return fmt.Errorf("there are %d pods; give 1 to %d", pods, maxPods)
	case s.For <= 0 || s.Every < 0:
		return fmt.Errorf("for is %v and every is %v; give durations, for above 0", s.For, s.Every)
	case s.Runs < 1 || s.Runs > 1000:
		return fmt.Errorf("runs is %d; give 1 to 1000", s.Runs)
	}
	text, name := strings.TrimSpace(s.Faults), "faults"
	if !strings.Contains(text, "\n") {
		name = "" // one line, with ; between faults
	}
	if s.Struck, err = faults.ParseScript(name, text); err != nil {
		return err
	}
	for _, e := range s.Struck.Entries {
		switch {
		case e.By != faults.ByNode:
			return fmt.Errorf("the fault %q is of a rack or a zone; name nodes", e.String())
		case e.Kind != faults.Hang && e.Kind != faults.Partition:
			return fmt.Errorf("the fault %q can't be made on a lab; give hang or partition", e.String())
		}
	}
	return nil
}

var yamlLine = regexp.MustCompile(`line (\d+): `)

// wrongYAML turns yaml's errors into ours.
func wrongYAML(file string, err error) error {
	if errors.Is(err, io.EOF) {
		return &input.Error{File: file, Problem: "the file is empty", Remedy: "write version, pods and for; see docs/certify.md"}
	}
	text, line := strings.TrimPrefix(err.Error(), "yaml: "), 0
	text = strings.TrimSpace(strings.TrimPrefix(text, "unmarshal errors:"))
	text, _, _ = strings.Cut(text, "\n")
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1])
		text = strings.Replace(text, m[0], "", 1)
	}
	return &input.Error{File: file, Line: line, Problem: text, Remedy: "mend it; see docs/certify.md for the format"}
}
