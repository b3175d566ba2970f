package traces

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/berthsim/berth/cluster"
)

// A kubeFormat is a format of recordings of Kubernetes clusters, as a TRACE and as
// FAULTS.
type kubeFormat struct {
	name, doc, path string
	version         string   // part of every hash
	dated           bool     // whether times are since 1970, rather than since the recording began
	suffixes        []string // of the files in a folder, plain or with .gz behind; nil if PATH is a file
	recognise       func(start string) bool

	// read takes a file in. What there was in those before it is in k already.
	read func(k *kubeRecording, in *stream) error
}

// format returns the Format of traces.
func (f *kubeFormat) format() *Format {
	return &Format{
		Name: f.name, Doc: f.doc, Path: f.path, Recognise: f.recognised,
		Options: []Option{
			{"nodes", "", "how many nodes of one kind there are instead of the recorded ones; those if left out"},
			{"cpus", "16", "with nodes: CPUs of each"},
			{"memory", "64", "with nodes: GiB of memory of each"},
			restOption, fromOption, forOption, loadOption,
		},
		Open: func(path string, s Settings) (*Trace, error) {
			part, err := s.span()
			if err != nil {
				return nil, err
			}
			var nodes []*cluster.NodeSpec
			options := ""
			if s["nodes"] != "" {
				if nodes, err = s.alike("nodes", "cpus", "memory"); err != nil {
					return nil, err
				}
				options = fmt.Sprintf("nodes=%s&cpus=%s&memory=%s", s["nodes"], s["cpus"], s["memory"])
			}
			k, content, err := f.readAll(path)
			if err != nil {
				return nil, err
			}
			k.replaceNodes(nodes)
			from := recorded{file: path, version: f.version, options: options, content: content, span: part, settings: s}
			if f.dated {
				from.epoch = sinceUnix
			}
			return k.trace(from)
		},
	}
}

// faults returns the Format of faults.
func (f *kubeFormat) faults() *Format {
	return &Format{
		Name: f.name, Doc: "nodes that left and came back in " + f.doc, Path: f.path, Recognise: f.recognised,
		Options: []Option{kindOption},
		OpenFaults: func(path string, s Settings) (*Faults, error) {
			effect, err := s.kind()
			if err != nil {
				return nil, err
			}
			k, content, err := f.readAll(path)
			if err != nil {
				return nil, err
			}
			return k.openFaults(effect, recorded{file: path, version: f.version, content: content})
		},
	}
}

// replaceNodes has nodes be there instead of those of the recording, if there are any.
func (k *kubeRecording) replaceNodes(nodes []*cluster.NodeSpec) {
	if len(nodes) > 0 {
		k.nodes = nil
	}
	for _, n := range nodes {
		k.nodes = append(k.nodes, kubeNode{first: n, last: n, came: k.start})
	}
}

// recognised implements Format.Recognise.
func (f *kubeFormat) recognised(path string) bool {
	files, err := f.files(path)
	return err == nil && f.recognise(fileStart(files[0]))
}

// files returns the files that a path names, in order: at least one.
func (f *kubeFormat) files(path string) (files []string, err error) {
	if !isFolder(path) {
		return []string{path}, nil
	}
	entries, err := os.ReadDir(path) // sorted
	if err != nil {
		return nil, fmt.Errorf("reading the trace: %w", err)
	}
	for _, e := range entries {
		if !e.IsDir() && slices.Contains(f.suffixes, filepath.Ext(strings.TrimSuffix(e.Name(), ".gz"))) {
			files = append(files, filepath.Join(path, e.Name()))
		}
	}
	if len(files) == 0 {
		return nil, &Error{File: path, Problem: "no file of the format " + f.name + " in the folder", Remedy: "give " + f.path}
	}
	return files, nil
}

// readAll reads the files that a path names, and returns the hash of their content.
func (f *kubeFormat) readAll(path string) (k *kubeRecording, content []byte, err error) {
	files, err := f.files(path)
	if err != nil {
		return nil, nil, err
	}
	k = newKubeRecording(path)
	var sums [][]byte
	for _, file := range files {
		k.file, k.line = file, 0
		in, err := openStream(file)
		if err != nil {
			return nil, nil, err
		}
		err = f.read(k, in)
		sums = append(sums, in.sum())
		in.close()
		if err != nil {
			return nil, nil, err
		}
	}
	return k, []byte(hashOf(sums...)), nil
}
