package app

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/berthsim/berth/bench"
	"golang.org/x/term"
)

// progress is a line on a terminal that says how far an experiment is.
type progress struct {
	w     io.Writer // nil if there is no terminal to write to
	began time.Time
}

// progress returns the line, which shows nothing in a pipe, if -q was given, or
// beside a log.
func (a *app) progress() *progress {
	f, ok := a.env.Stderr.(*os.File)
	if a.quiet || a.verbose || !ok || !term.IsTerminal(int(f.Fd())) {
		return &progress{}
	}
	return &progress{w: f, began: time.Now()}
}

const clearLine = "\r\x1b[K"

func (p *progress) show(done, total int, last *bench.Run) {
	if p.w == nil {
		return
	}
	left := time.Since(p.began) / time.Duration(done) * time.Duration(total-done)
	fmt.Fprintf(p.w, "%s%d of %d runs, %v left (%s, seed %d)", clearLine, done, total, left.Round(time.Second), last.Policy, last.Seed)
}

func (p *progress) clear() {
	if p.w != nil {
		fmt.Fprint(p.w, clearLine)
	}
}
