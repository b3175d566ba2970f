package manifest

import (
	"bytes"
	"errors"
	"io"
)

// A window is the part of a file of JSON that is being read. A large cluster's
// file goes through it object by object, and is never in memory as a whole.
type window struct {
	from io.Reader
	data []byte // what was read and not dropped
	line int    // the line on which data begins, from 1
	err  error  // why there is no more: io.EOF, or what went wrong
	at   int    // the last offset that lineAt was asked for, and its line
	is   int
}

func newWindow(from io.Reader, size int) *window {
	return &window{from: from, data: make([]byte, 0, size), line: 1, is: 1}
}

// more drops what is before keep, and reads on. It returns false at the end.
func (w *window) more(keep int) bool {
	if w.err != nil {
		return false
	}
	w.line += bytes.Count(w.data[:keep], []byte("\n"))
	w.at, w.is = 0, w.line
	n := copy(w.data, w.data[keep:])
	w.data = w.data[:n]
	if n > cap(w.data)/2 { // an object that is larger than half a window
		w.data = append(make([]byte, 0, 2*cap(w.data)), w.data...)
	}
	read, err := io.ReadFull(w.from, w.data[n:cap(w.data)])
	w.data = w.data[:n+read]
	if errors.Is(err, io.ErrUnexpectedEOF) && read > 0 {
		err = nil // there is more to look at; the next time it is the end
	}
	w.err = err
	return read > 0
}

// lineAt returns the line of an offset in data.
func (w *window) lineAt(offset int) int {
	offset = min(offset, len(w.data))
	if offset < w.at {
		w.at, w.is = 0, w.line
	}
	w.is += bytes.Count(w.data[w.at:offset], []byte("\n"))
	w.at = offset
	return w.is
}
