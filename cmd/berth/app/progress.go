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
	last  time.Time // that share wrote
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
	p.tell(done, total, "runs", fmt.Sprintf("%s, seed %d", last.Policy, last.Seed))
}

// tell says how much of how much is done, and what was last.
func (p *progress) tell(done, total int, of, last string) {
	if p.w == nil {
		return
	}
	left := time.Since(p.began) / time.Duration(done) * time.Duration(total-done)
	fmt.Fprintf(p.w, "%s%d of %d %s, %v left (%s)", clearLine, done, total, of, left.Round(time.Second), last)
}

// share says how much there is of a file, four times a second at most.
func (p *progress) share(done, total int64, file string) {
	if p.w == nil || total == 0 || done < total && time.Since(p.last) < time.Second/4 {
		return
	}
	p.last = time.Now()
	fmt.Fprintf(p.w, "%s%3d %% of %s, %s", clearLine, 100*done/total, file, sizeText(total))
}

func (p *progress) clear() {
	if p.w != nil {
		fmt.Fprint(p.w, clearLine)
	}
}
