package guest

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// A Request is a line that goes to the machine: JSON, so that no byte of an argument
// can be taken for the end of a line.
type Request struct {
	// ID comes back in the Answer. A serial line has no connections: what another
	// client's command wrote may still be in it, and is told apart by this.
	ID      string `json:"id"`
	Command string `json:"command"`
}

// An Answer is a line that comes back.
type Answer struct {
	ID     string `json:"id"`
	Output string `json:"output,omitempty"`
	Error  string `json:"error,omitempty"` // "" if the command was carried out
}

// MaxLine is the longest line either way, in bytes; output that would make an answer
// longer is cut.
const MaxLine = 1 << 20

// MaxOutput is how much of a command's output is sent, in bytes: JSON makes up to six
// bytes of one.
const MaxOutput = MaxLine/6 - 1024

// Send writes a Request or an Answer as one line. It ends whatever line another client
// has left half-written first: a machine that was paused may have taken in the beginning
// of one whose sender has gone.
func Send(w io.Writer, message any) error {
	line, err := json.Marshal(message)
	if err != nil {
		return err
	}
	if len(line) >= MaxLine {
		return fmt.Errorf("%d bytes are more than a line of %d holds", len(line), MaxLine)
	}
	_, err = w.Write(slices.Concat([]byte("\n"), line, []byte("\n")))
	return err
}

// Lines returns a reader of lines for Receive.
func Lines(r io.Reader) *bufio.Scanner {
	s := bufio.NewScanner(r)
	s.Buffer(nil, MaxLine)
	return s
}

// Receive reads lines until one is a message that keep wants. Other lines are passed
// over, since a client that went away may have left half of one. At the end of lines it
// returns io.EOF.
func Receive[M any](lines *bufio.Scanner, keep func(*M) bool) (*M, error) {
	for lines.Scan() {
		var m M
		if json.Unmarshal(lines.Bytes(), &m) == nil && keep(&m) {
			return &m, nil
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	return nil, io.EOF
}

// Err returns what went wrong in the machine, or nil.
func (a *Answer) Err() error {
	if a.Error == "" {
		return nil
	}
	return errors.New(a.Error)
}
