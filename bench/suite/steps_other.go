//go:build !linux

package suite

import "errors"

// ServeTracer does nothing: instructions are counted on Linux alone.
func ServeTracer() {}

// A stepper counts instructions. There is none here.
type stepper struct{}

func newStepper() (*stepper, error) {
	return nil, errors.New("instructions are counted on Linux alone")
}

func (*stepper) count(func()) (uint64, error) { panic("suite: there is no stepper") }

func (*stepper) close() {}
