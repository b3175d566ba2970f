package lifecycle

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Read reads a timeline as String writes it. It is strict; errors name the line, counted from 1.
func Read(text string) (*Timeline, error) {
	t := &Timeline{}
	n := 0
	for line := range strings.Lines(text) {
		n++
		if err := t.readLine(strings.TrimSpace(line)); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
	}
	if t.End == 0 {
		return nil, fmt.Errorf("no settings")
	}
	return t, t.Check()
}

func (t *Timeline) readLine(line string) error {
	words := strings.Fields(line)
	switch {
	case len(words) == 0:
		return nil
	case strings.HasPrefix(line, "#"):
		t.Why = append(t.Why, strings.TrimPrefix(line[1:], " "))
		return nil
	case words[0] == "settings":
		return t.readSettings(words[1:])
	case words[0] == "node" && len(words) > 1:
		return t.readNode(words[1], words[2:])
	case words[0] == "pod" && len(words) > 1:
		return t.readPod(words[1], words[2:])
	case words[0] == "at" && len(words) > 3:
		return t.readEvents(words[1], Verb(words[2]), words[3:])
	}
	return fmt.Errorf("%q: want settings, node, pod or at, and more", line)
}

func (t *Timeline) readSettings(words []string) error {
	s := &t.Settings
	err := eachSetting(words, func(key, value string) (err error) {
		switch key {
		case "period":
			s.Period, err = time.ParseDuration(value)
		case "startup":
			s.Startup, err = time.ParseDuration(value)
		case "grace":
			s.Grace, err = time.ParseDuration(value)
		case "end":
			t.End, err = time.ParseDuration(value)
		case "rate":
			s.Rate, err = readFloat(value)
		case "secondary":
			s.Secondary, err = readFloat(value)
		case "threshold":
			s.Threshold, err = readFloat(value)
		case "large":
			var n int64
			n, err = strconv.ParseInt(value, 10, 32)
			s.Large = int32(n)
		default:
			err = fmt.Errorf("unknown setting")
		}
		return err
	})
	if err != nil {
		return err
	}
	return nil
}

// eachSetting takes words of the form key=value, or key alone, one after another.
func eachSetting(words []string, take func(key, value string) error) error {
	for _, w := range words {
		key, value, _ := strings.Cut(w, "=")
		if err := take(key, value); err != nil {
			return fmt.Errorf("%s: %w", w, err)
		}
	}
	return nil
}

func readFloat(text string) (float32, error) {
	f, err := strconv.ParseFloat(text, 32)
	return float32(f), err
}

func (t *Timeline) readNode(name string, words []string) error {
	n := Node{Name: name}
	err := eachSetting(words, func(key, value string) (err error) {
		switch key {
		case "at":
			n.At, err = time.ParseDuration(value)
		case "age":
			n.Age, err = time.ParseDuration(value)
		case "zone":
			n.Zone = value
		case "region":
			n.Region = value
		case "lease":
			n.Lease, err = readBeat(value)
		case "status":
			n.Status, err = readBeat(value)
		case "silent":
			n.Silent = true
		case "excluded":
			n.Excluded = true
		case "cordoned":
			n.Cordoned = true
		case "taint":
			var taint Taint
			taint, err = readTaint(value)
			n.Taints = append(n.Taints, taint)
		default:
			err = fmt.Errorf("nodes have no %q", key)
		}
		return err
	})
	if err != nil {
		return err
	}
	t.Nodes = append(t.Nodes, n)
	return nil
}

func (t *Timeline) readPod(name string, words []string) error {
	p := Pod{Name: name}
	err := eachSetting(words, func(key, value string) (err error) {
		switch key {
		case "node":
			p.Node = value
		case "at":
			p.At, err = time.ParseDuration(value)
		case "grace":
			p.Grace, err = time.ParseDuration(value)
		case "stop":
			p.Stop, err = time.ParseDuration(value)
		case "notready":
			p.NotReady = true
		case "tolerate":
			var tol Toleration
			tol, err = readToleration(value)
			p.Tolerations = append(p.Tolerations, tol)
		default:
			err = fmt.Errorf("pods have no %q", key)
		}
		return err
	})
	if err != nil {
		return err
	}
	t.Pods = append(t.Pods, p)
	return nil
}

func readBeat(text string) (b Beat, err error) {
	every, phase, ok := strings.Cut(text, "@")
	if b.Every, err = time.ParseDuration(every); err != nil {
		return b, err
	}
	if !ok {
		return b, fmt.Errorf("want a period and a phase, as in 10s@3s")
	}
	b.Phase, err = time.ParseDuration(phase)
	return b, err
}

func readTaint(text string) (t Taint, err error) {
	i := strings.LastIndex(text, ":")
	if i < 0 {
		return t, fmt.Errorf("want an effect behind a colon")
	}
	t.Effect = text[i+1:]
	t.Key, t.Value, _ = strings.Cut(text[:i], "=")
	return t, nil
}

func readToleration(text string) (t Toleration, err error) {
	rest, limit, limited := text, "", false
	if i := strings.LastIndex(text, "/"); i > strings.LastIndex(text, ":") {
		rest, limit, limited = text[:i], text[i+1:], true
	}
	if limited {
		t.Limited = true
		if t.Seconds, err = strconv.ParseInt(limit, 10, 64); err != nil {
			return t, err
		}
	}
	taint, err := readTaint(rest)
	t.Key, t.Value, t.Effect, t.Operator = taint.Key, taint.Value, taint.Effect, "Exists"
	if strings.Contains(rest, "=") {
		t.Operator = "Equal"
	}
	return t, err
}

func (t *Timeline) readEvents(at string, verb Verb, words []string) error {
	when, err := time.ParseDuration(at)
	if err != nil {
		return err
	}
	if _, ok := verbs[verb]; !ok {
		return fmt.Errorf("nothing called %q happens", verb)
	}
	if !hasMore[verb] {
		for _, name := range words {
			t.Events = append(t.Events, Event{At: when, Verb: verb, Name: name})
		}
		return nil
	}
	e := Event{At: when, Verb: verb, Name: words[0]}
	switch {
	case verb == Post || verb == Network && len(words) == 2:
		for _, w := range words[1:] {
			name, status, _ := strings.Cut(w, "=")
			if status != "True" && status != "False" {
				return fmt.Errorf("%s: want a condition that is True or False", w)
			}
			e.Conditions = append(e.Conditions, Condition{name, status == "True"})
		}
	case len(words) != 2:
		err = fmt.Errorf("want one word behind the name")
	case verb == Tolerate:
		e.Toleration, err = readToleration(words[1])
	default:
		e.Taint, err = readTaint(words[1])
	}
	t.Events = append(t.Events, e)
	return err
}

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
