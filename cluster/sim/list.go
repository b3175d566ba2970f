package sim

import (
	"io"

	"github.com/berthsim/berth/cluster"
)

// A List is a Source of events that are known beforehand, in order of time.
type List []cluster.Event

// Next implements Source.
func (l *List) Next() (cluster.Event, error) {
	if len(*l) == 0 {
		return cluster.Event{}, io.EOF
	}
	e := (*l)[0]
	*l = (*l)[1:]
	return e, nil
}
