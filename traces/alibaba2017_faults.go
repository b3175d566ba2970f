package traces

import (
	"fmt"
	"slices"
	"strings"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/faults"
)

// alibaba2017Faults reads the soft errors of machines in Alibaba's cluster-trace-v2017,
// whose tasks alibaba2017 reads. The recording says when one was found, and not when it was
// repaired.
var alibaba2017Faults = &Format{
	Name: "alibaba2017",
	Doc:  "soft errors of machines in Alibaba's cluster-trace-v2017",
	Path: "the file server_event.csv[.gz], or its folder",
	Options: append([]Option{
		{"kind", faults.Partition.String(), "what befalls a node: crash, hang or partition, in which work goes on, as it may after a soft error"},
		{"from", "0s", "how far into the recording, by its clock, the run begins"},
	}, softErrorOptions...),
	Recognise: func(path string) bool {
		file, err := recordedFile(path, alibaba2017Machines.names...)
		return err == nil && strings.HasSuffix(strings.TrimSuffix(file, ".gz"), alibaba2017Machines.names[0])
	},
	OpenFaults: openAlibaba2017Faults,
}

// softErrorOptions say what is made of soft errors. An hour is what models of failures take
// for a repair, too; the machines with the most errors have one every two hours.
var softErrorOptions = []Option{
	{"repair", defaultRepair, "how long after a soft error the machine is well again, unless it has another meanwhile: the recording doesn't say"},
	{"errors", everySoftError, "which soft errors count: " + everySoftError + ", or one of " + strings.Join(softErrorDetails[:], ", ")},
}

const (
	defaultRepair  = "1h"
	everySoftError = "all"
)

// softErrorDetails are what a soft error may be, in the recording's words.
var softErrorDetails = [...]string{"agent_check", "daemon_check", "disk_full", "machine_fail", "nc_diskless"}

func openAlibaba2017Faults(path string, s Settings) (*Faults, error) {
	effect, err := s.kind()
	if err != nil {
		return nil, err
	}
	from, err := faults.ParseDuration(s["from"])
	if err != nil {
		return nil, s.wrong("from", "give a duration such as 5h")
	}
	r := newAlibabaBatch(1, "none")
	if r.errors, err = s.softErrors(); err != nil {
		return nil, err
	}
	file, err := recordedFile(path, alibaba2017Machines.names...)
	if err != nil {
		return nil, err
	}
	in, err := openStream(file)
	if err != nil {
		return nil, err
	}
	defer in.close()
	if err := r.read(file, in, alibaba2017Machines); err != nil {
		return nil, err
	}
	m := r.errors.of(r.nodes)
	if m.since(from); m.repairs == 0 {
		return nil, &Error{File: file, Problem: "no soft errors", Remedy: "give a table with some, or ask for others with errors and from"}
	}
	options := fmt.Sprintf("kind=%v&from=%d&%s", effect.Kind, from, r.errors)
	return &Faults{Hash: hashOf([]byte(alibaba2017Version+" faults/1"), []byte(options), in.sum()), source: m.faults(effect)}, nil
}

// softErrors are when machines had errors, by the recording's clock.
type softErrors struct {
	repair cluster.Time
	which  string // the option errors
	at     map[string][]cluster.Time
}

// softErrors returns what options make of soft errors, nil if the format has none.
func (s Settings) softErrors() (*softErrors, error) {
	if _, has := s["repair"]; !has {
		return nil, nil
	}
	repair, err := faults.ParseDuration(s["repair"])
	if err != nil || repair == 0 {
		return nil, s.wrong("repair", "give a duration above 0, such as 30m")
	}
	which, err := s.choice("errors", append([]string{everySoftError}, softErrorDetails[:]...))
	if err != nil {
		return nil, err
	}
	return &softErrors{repair: repair, which: which, at: map[string][]cluster.Time{}}, nil
}

// String writes the options down for a hash.
func (e *softErrors) String() string { return fmt.Sprintf("repair=%d&errors=%s", e.repair, e.which) }

// options returns that for a hash that was there before them: nothing for the defaults.
func (e *softErrors) options() string {
	if e == nil || e.repair == cluster.Hour && e.which == everySoftError {
		return ""
	}
	return "&" + e.String()
}

// add takes the current row in, of an error that a machine had.
func (e *softErrors) add(t *table, machines map[string]bool) (reason string, err error) {
	at, err := t.amount(event2017At, maxSeconds)
	if err != nil {
		return "", err
	}
	id := t.text(event2017Machine)
	switch {
	case !machines[id]:
		return "a soft error of a machine that isn't there", nil
	case e.which != everySoftError && e.which != t.text(event2017Detail):
		return "a soft error of another kind", nil
	}
	name := "machine-" + id
	e.at[name] = append(e.at[name], cluster.Time(at)*cluster.Second)
	return "", nil
}

// of returns nodes as machines with their outages, each from an error to when it was repaired.
// One that came before that puts it off.
func (e *softErrors) of(nodes []*cluster.NodeSpec) *Machines {
	m := &Machines{as: faults.Partition}
	for _, n := range nodes {
		times := e.at[n.Name]
		slices.Sort(times)
		var outages []outage
		for _, at := range times {
			if last := len(outages) - 1; last >= 0 && at <= outages[last].until {
				outages[last].until = at + e.repair
			} else {
				outages = append(outages, outage{at, at + e.repair})
			}
		}
		m.names, m.outages = append(m.names, n.Name), append(m.outages, outages)
		m.repairs += len(outages)
	}
	return m
}

// since makes a time of the recording's clock 0. What was over by then is left out.
func (m *Machines) since(from cluster.Time) {
	m.repairs = 0
	for i, outages := range m.outages {
		outages = slices.DeleteFunc(outages, func(o outage) bool { return o.until <= from })
		for j := range outages {
			outages[j] = outage{max(0, outages[j].at-from), outages[j].until - from}
		}
		m.outages[i] = outages
		m.repairs += len(outages)
	}
}
