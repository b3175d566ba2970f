package manifest

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Read reads a file of manifests: YAML or JSON, compressed with gzip or not, with
// any number of documents, each an object or a List of them, as kubectl get prints
// it. File names the input in errors, which are *Error.
func Read(file string, content []byte) (*Cluster, error) {
	r := newReader()
	if err := r.read(file, bytes.NewReader(content)); err != nil {
		return nil, err
	}
	return r.finish()
}

// ReadPath reads a file of manifests, or all of a folder, in order of their names;
// folders in it are left alone, as kubectl does. What is wrong with the input is an
// *Error; other errors are the system's.
func ReadPath(path string) (*Cluster, error) {
	files, err := manifestFiles(path)
	if err != nil {
		return nil, err
	}
	r := newReader()
	for _, file := range files {
		if err := r.readFile(file); err != nil {
			return nil, err
		}
	}
	return r.finish()
}

func (r *reader) readFile(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("reading manifests: %w", err)
	}
	defer f.Close()
	return r.read(file, f)
}

// suffixes are those of manifests.
var suffixes = []string{".yaml", ".yml", ".json"}

// manifestFiles returns the files that a path stands for.
func manifestFiles(path string) (files []string, err error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, &Error{File: path, Problem: "there is no such file or folder", Remedy: "give the path of a manifest, or of a folder of them"}
	case err != nil:
		return nil, fmt.Errorf("reading manifests: %w", err)
	case !info.IsDir():
		return []string{path}, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("reading manifests: %w", err)
	}
	for _, e := range entries {
		base := strings.TrimSuffix(e.Name(), ".gz")
		for _, suffix := range suffixes {
			if !e.IsDir() && strings.HasSuffix(base, suffix) {
				files = append(files, filepath.Join(path, e.Name()))
			}
		}
	}
	if len(files) == 0 {
		return nil, &Error{File: path, Problem: "no file in the folder is a manifest", Remedy: "give files that end in .yaml, .yml or .json, or these and .gz"}
	}
	return files, nil
}

// read reads one file.
func (r *reader) read(file string, from io.Reader) error {
	in := bufio.NewReaderSize(from, 1<<16)
	text := in
	if magic, _ := in.Peek(2); string(magic) == "\x1f\x8b" {
		z, err := gzip.NewReader(in)
		if err != nil {
			return readError(file, err)
		}
		text = bufio.NewReaderSize(z, 1<<16)
	}
	if mark, _ := text.Peek(3); string(mark) == "\xef\xbb\xbf" { // a byte order mark
		text.Discard(3)
	}
	// What begins like this is JSON to kubectl too.
	start, _ := text.Peek(1 << 12)
	if start = bytes.TrimLeft(start, " \t\r\n"); len(start) > 0 && (start[0] == '{' || start[0] == '[') {
		return r.readJSON(file, newWindow(text, 1<<20))
	}
	content, err := io.ReadAll(text)
	if err != nil {
		return readError(file, err)
	}
	for _, doc := range documents(content) {
		if err := r.readYAML(file, doc); err != nil {
			return err
		}
	}
	return nil
}

// readError tells damaged files from what the system fails at.
func readError(file string, err error) error {
	var corrupt flate.CorruptInputError
	if errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, io.EOF) || errors.As(err, &corrupt) {
		return &Error{File: file, Problem: "damaged gzip data", Remedy: "compress the file again"}
	}
	return fmt.Errorf("reading manifests: %w", err)
}

// readJSON reads a file of JSON values, one behind the other.
func (r *reader) readJSON(file string, w *window) error {
	src := &source{file: file, line: w.lineAt}
	src.more = func(keep int) bool {
		ok := w.more(keep)
		src.data = w.data
		return ok
	}
	s := src.scanner(0)
	var err error
	for s.space(); s.at < len(s.data) && err == nil; s.space() {
		var end int
		end, err = r.value(src, s.at)
		s.data, s.at = src.data, end
		if err != nil {
			break
		}
	}
	if w.err != nil && w.err != io.EOF {
		return readError(file, w.err)
	}
	return err
}

// readYAML reads a document. A list as kubectl prints it is read item by item,
// since a large one would not fit into memory as a tree.
func (r *reader) readYAML(file string, doc part) error {
	done := 0
	err := errNotSplit
	if rest, items, ok := listItems(doc); ok {
		err = r.readItems(file, rest, items, &done)
	}
	// What can't be split, or not there, is read as a whole; what was read of it
	// already is skipped.
	if err == errNotSplit {
		err = yamlValues(doc.text, doc.line, func(json []byte, marks []mark) error {
			if string(json) == "null" {
				return nil
			}
			src := &source{file: file, data: json, line: func(at int) int { return lineIn(marks, at) }, skip: done}
			_, err := r.value(src, 0)
			return err
		})
	}
	var wrong *yamlError
	if errors.As(err, &wrong) {
		return &Error{File: file, Line: wrong.line, Problem: wrong.problem, Remedy: wrong.remedy}
	}
	return err
}

var errNotSplit = errors.New("the document can't be read in parts")

// readItems reads the items of a list, and counts them in done.
func (r *reader) readItems(file string, rest part, items []part, done *int) error {
	isList := false
	err := yamlValues(rest.text, rest.line, func(json []byte, marks []mark) error {
		h, err := readHead(json, 0)
		isList = err == nil && h.kind == "List" && h.apiVersion == "v1"
		return nil
	})
	if err != nil || !isList {
		return errNotSplit
	}
	for _, item := range items {
		err := yamlValues(item.text, item.line, func(json []byte, marks []mark) error {
			src := &source{file: file, data: json, line: func(at int) int { return lineIn(marks, at) }}
			_, err := r.elements(src, 0, head{})
			return err
		})
		var wrong *yamlError
		if errors.As(err, &wrong) {
			return errNotSplit
		}
		if err != nil {
			return err
		}
		*done++
	}
	return nil
}

// IsPath reports whether a path names manifests: a file by its ending, or a folder with such
// a file.
func IsPath(path string) bool {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		_, err := manifestFiles(path)
		return err == nil
	}
	base := strings.TrimSuffix(path, ".gz")
	for _, suffix := range suffixes {
		if strings.HasSuffix(base, suffix) {
			return true
		}
	}
	return false
}
