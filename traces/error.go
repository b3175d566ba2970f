package traces

import "github.com/berthsim/berth/internal/input"

// An Error says what is wrong with an input, where, and what to do about it.
// Everything wrong with a TRACE or the files it names is one; what the system
// fails to read (disk, permissions) is not.
type Error = input.Error

// quoted returns what an input says, short enough for a line.
func quoted(text string) string { return input.Quoted(text) }
