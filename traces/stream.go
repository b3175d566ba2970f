package traces

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"strings"

	"github.com/klauspost/compress/gzip"
)

// A stream reads a file from its beginning to its end, decompressed if its name
// ends in ".gz", and hashes what it reads. It is for files that need not be in
// memory as a whole.
type stream struct {
	file    string
	closer  io.Closer
	content io.Reader
	zipped  bool
	hash    hash.Hash
}

func openStream(file string) (*stream, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("reading the trace: %w", err)
	}
	s, err := newStream(file, f)
	if err != nil {
		_ = f.Close() // only read
		return nil, err
	}
	s.closer = f
	return s, nil
}

// newStream reads what is called file from r.
func newStream(file string, r io.Reader) (*stream, error) {
	s := &stream{file: file, content: bufio.NewReaderSize(r, 1<<16), zipped: strings.HasSuffix(file, ".gz"), hash: sha256.New()}
	if s.zipped {
		z, err := gzip.NewReader(s.content)
		if err != nil {
			return nil, s.failed(err, "not gzip data")
		}
		s.content = z
	}
	return s, nil
}

// Read implements io.Reader. What is wrong with compressed data is an *Error.
func (s *stream) Read(p []byte) (int, error) {
	n, err := s.content.Read(p)
	s.hash.Write(p[:n])
	switch {
	case err == nil || errors.Is(err, io.EOF):
		return n, err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return n, s.failed(err, "the gzip data ends early")
	}
	return n, s.failed(err, "damaged gzip data")
}

// failed returns the error that reading failed with err.
func (s *stream) failed(err error, problem string) error {
	var system *os.PathError
	if !s.zipped || errors.As(err, &system) {
		return fmt.Errorf("reading the trace: %w", err)
	}
	return &Error{File: s.file, Problem: problem, Remedy: "fetch the file again"}
}

// sum returns the hash of what was read.
func (s *stream) sum() []byte { return s.hash.Sum(nil) }

// close lets go of the file.
func (s *stream) close() {
	if s.closer != nil {
		_ = s.closer.Close() // only read
	}
}

// readFile returns what is in a file, decompressed if its name ends in ".gz".
// Lists of nodes and pods fit in memory many times over, so they are read whole:
// a damaged file is found out before any of it is believed.
func readFile(file string) ([]byte, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the trace: %w", err)
	}
	if !strings.HasSuffix(file, ".gz") {
		return content, nil
	}
	damaged := &Error{File: file, Problem: "damaged gzip data", Remedy: "fetch the file again"}
	z, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		damaged.Problem = "not gzip data"
		return nil, damaged
	}
	content, err = io.ReadAll(z)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		damaged.Problem = "the gzip data ends early"
	}
	if err != nil {
		return nil, damaged
	}
	return content, nil
}
