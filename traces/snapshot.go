package traces

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/faults"
	"github.com/berthsim/berth/cluster/manifest"
)

// snapshot reads a cluster as it was at one time: what kubectl get -o yaml (or json)
// prints of its nodes, pods and the objects that decisions depend on, or manifests that
// people wrote.
var snapshot = &Format{
	Name: "snapshot",
	Doc:  "a Kubernetes cluster at one time, as kubectl get -o yaml or json prints it",
	Path: "a file of manifests (YAML or JSON), or a folder of them",
	Options: []Option{
		{"run", "", "how long pods run, from when they are bound or, if they are on a node, from the beginning; without an end if left out"},
	},
	Recognise: func(path string) bool {
		files, err := snapshotFiles(path)
		return err == nil && len(files) > 0 && manifest.IsPath(path) && isManifest(fileStart(files[0]))
	},
	Open: openSnapshot,
}

// snapshotVersion is part of every hash. It changes when the same files and options
// come to give other events.
const snapshotVersion = "snapshot/1"

// isManifest reports whether a file that begins so is one of manifests.
func isManifest(start string) bool {
	return strings.Contains(start, "apiVersion") && strings.Contains(start, "kind")
}

func openSnapshot(path string, s Settings) (*Trace, error) {
	run := cluster.Time(cluster.Never)
	if s["run"] != "" {
		var err error
		if run, err = faults.ParseDuration(s["run"]); err != nil {
			return nil, s.wrong("run", "give a duration such as 30m")
		}
	}
	content, err := snapshotHash(path)
	if err != nil {
		return nil, err
	}
	c, err := manifest.ReadPath(path)
	if err != nil {
		return nil, err
	}
	t, err := snapshotTrace(c, run, path)
	if err != nil {
		return nil, err
	}
	t.Hash = hashOf([]byte(snapshotVersion), fmt.Appendf(nil, "run=%d", run), content)
	return t, nil
}

// snapshotTrace makes a Trace of a cluster, all of it at time 0.
func snapshotTrace(c *manifest.Cluster, run cluster.Time, path string) (*Trace, error) {
	if len(c.Nodes) == 0 || len(c.Pods) == 0 {
		return nil, &Error{File: path, Problem: fmt.Sprintf("there are %d nodes and %d pods", len(c.Nodes), len(c.Pods)), Remedy: "give at least one of each: kubectl get nodes,pods -A -o yaml"}
	}
	t := &Trace{Timed: run != cluster.Never, Epoch: c.Epoch, Rows: len(c.Nodes) + len(c.Pods) + len(c.Objects)}
	y := &tally{}
	y.rejectAll("is a pod that had run to its end", path, 0, c.Ended)
	for _, skipped := range c.Skipped {
		y.rejectAll("is a "+skipped.Kind+", which isn't read", path, 0, skipped.Count)
	}
	for _, r := range y.rejected {
		t.Rows += r.Rows
	}
	t.Rejected = y.rejected
	for _, p := range c.Pods {
		p.Run = run
	}
	var nodes, pods []cluster.Event
	events := c.Events()
	for i := range events {
		e := &events[i]
		e.Pod, e.Node = cluster.None, cluster.None
		switch e.Kind {
		case cluster.NodeAdded:
			nodes = append(nodes, *e)
		case cluster.PodAdded:
			pods = append(pods, *e)
		}
	}
	if _, err := t.measure(nodes, pods, make([]cluster.Time, len(pods)), 0, path); err != nil {
		return nil, err
	}
	t.events = func(int64) Stream { return &eventStream{events: events, stretch: 1} }
	return t, nil
}

// snapshotFiles returns the files of manifests that a path names, in order.
func snapshotFiles(path string) (files []string, err error) {
	if !isFolder(path) {
		return []string{path}, nil
	}
	entries, err := os.ReadDir(path) // sorted
	if err != nil {
		return nil, fmt.Errorf("reading the trace: %w", err)
	}
	for _, e := range entries {
		if file := filepath.Join(path, e.Name()); !e.IsDir() && manifest.IsPath(file) {
			files = append(files, file)
		}
	}
	return files, nil
}

// snapshotHash hashes the content of the files that a path names.
func snapshotHash(path string) ([]byte, error) {
	files, err := snapshotFiles(path)
	if err != nil {
		return nil, err
	}
	var sums [][]byte
	for _, file := range files {
		in, err := openStream(file)
		if err != nil {
			return nil, err
		}
		_, err = io.Copy(io.Discard, in)
		sums = append(sums, in.sum())
		in.close()
		if err != nil {
			return nil, err
		}
	}
	return []byte(hashOf(sums...)), nil
}
