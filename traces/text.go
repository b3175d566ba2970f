package traces

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strings"
)

// textChunk is how much is read at a time, in bytes: enough that what a chunk costs
// is spread over hundreds of rows, and little enough to stay in the processor's caches.
const textChunk = 1 << 16

// A textReader reads text line by line. Lines are parts of long strings, a chunk of
// the file each, so that a line takes no memory of its own; who keeps a part of one
// should clone it, or the whole chunk stays.
type textReader struct {
	from   io.Reader
	most   int    // bytes of a line, with its line break
	line   int    // of the line that next returned, from 1
	rest   string // of the chunk: lines that next hasn't returned yet
	err    error  // io.EOF, or what else reading ended with
	buffer []byte // where chunks are read to
}

// newTextReader reads r, whose lines may be as long as memory allows.
func newTextReader(r io.Reader) textReader { return textReader{from: r, most: math.MaxInt} }

// errLongLine says that a line is longer than a textReader may take.
var errLongLine = errors.New("the line is too long")

// next returns the next line without its line break, which is "\n" or "\r\n", and
// whether there was one: the last line may have none. After the last the error is
// io.EOF. If the file can't be read to a line's end, nothing is known of that line.
func (r *textReader) next() (line string, broken bool, err error) {
	end := strings.IndexByte(r.rest, '\n')
	if end < 0 {
		if end, err = r.fill(); err != nil {
			return "", false, err
		}
	}
	if end >= r.most {
		return "", false, errLongLine
	}
	r.line++
	if end < 0 { // the last line
		line, r.rest = r.rest, ""
	} else {
		line, broken, r.rest = r.rest[:end], true, r.rest[end+1:]
	}
	if last := len(line) - 1; last >= 0 && line[last] == '\r' {
		line = line[:last]
	}
	return line, broken, nil
}

// fill makes rest begin with a whole line, and returns where it ends, -1 for the end
// of the file.
func (r *textReader) fill() (end int, err error) {
	have := len(r.rest)
	if len(r.buffer) < have+textChunk {
		r.buffer = make([]byte, 2*have+textChunk)
	}
	copy(r.buffer, r.rest)
	for idle := 0; r.err == nil; {
		if have == len(r.buffer) {
			r.buffer = append(r.buffer, make([]byte, have)...)
		}
		n, err := r.from.Read(r.buffer[have:])
		r.err = err
		end := bytes.IndexByte(r.buffer[have:have+n], '\n')
		have += n
		if end >= 0 {
			r.rest = string(r.buffer[:have])
			return have - n + end, nil
		}
		if have >= r.most {
			return 0, errLongLine
		}
		if idle++; n > 0 {
			idle = 0
		} else if idle == 100 { // a reader that is broken
			r.err = io.ErrNoProgress
		}
	}
	if !errors.Is(r.err, io.EOF) || have == 0 {
		return 0, r.err
	}
	r.rest = string(r.buffer[:have])
	return -1, nil
}
