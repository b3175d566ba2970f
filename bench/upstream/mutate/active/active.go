// Package active switches mutants on: code that package mutate has rewritten asks it at each place
// where it could differ. All mutants are in one binary, so that it is built once; one of them, or
// none, is on at a time. It is not for use by several goroutines.
package active

import (
	"math"
	"os"
	"strconv"
)

// Env names the environment variable with the mutant that is on from the start, so that it takes
// part in the initialisation of packages.
const Env = "BERTH_MUTANT"

var (
	current     = initial()
	steps, most int64
)

func initial() int {
	id, err := strconv.Atoi(os.Getenv(Env))
	if err != nil {
		return 0
	}
	return id
}

// A Hang is what On panics with when it was asked more often than allowed.
type Hang struct{}

func (Hang) Error() string { return "it doesn't end" }

// Set switches a mutant on, and any other off; 0 is none.
func Set(id int) { current = id }

// Allow restarts the count of questions and bounds it, since a mutant may loop without end. It
// returns how many there were since the last call.
func Allow(questions int64) int64 {
	asked := steps
	steps, most = 0, questions
	return asked
}

// On reports whether a mutant is on.
func On(id int) bool {
	if steps++; steps > most && most > 0 {
		panic(Hang{})
	}
	return id == current
}

type integer interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr
}

// Number returns x, or more or less by step.
func Number[T integer | ~float32 | ~float64](more, less int, x, step T) T {
	switch {
	case On(more):
		return x + step
	case On(less):
		return x - step
	}
	return x
}

// Text returns x, or x with a tail.
func Text[T ~string](id int, x T) T {
	if On(id) {
		return x + "~"
	}
	return x
}

// Truth returns x, or its opposite.
func Truth[T ~bool](id int, x T) T { return x != T(On(id)) }

// Quotient returns a/b, rounded toward zero or away from it.
func Quotient[T integer](id int, a, b T) T {
	q := a / b
	if !On(id) || a%b == 0 {
		return q
	}
	if (a < 0) == (b < 0) {
		return q + 1
	}
	return q - 1
}

// Nearest returns x, or the whole number nearest to it, for a conversion that cuts off.
func Nearest(id int, x float64) float64 {
	if On(id) {
		return math.Round(x)
	}
	return x
}

// Rounded returns a number that was rounded from x, or the one below it if that is equal, the one
// above.
func Rounded(id int, rounded, x float64) float64 {
	if !On(id) {
		return rounded
	}
	if down := math.Floor(x); down != rounded {
		return down
	}
	return math.Ceil(x)
}
