package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/berthsim/berth/bench/upstream/mutate/active"
)

// An Outcome is what a worker says of a mutant.
type Outcome struct {
	ID     int
	Caught string
	Pods   int
}

// wakes reports whether the mutant is about what wakes pods, rather than about where they go.
func (m Mutant) wakes() bool {
	return strings.Contains(m.File, "wake") || strings.HasPrefix(m.Function, "Wake")
}

// patience is how long a worker may take for one mutant; what takes longer hangs where it can't be
// counted, and is caught.
const patience = 2 * time.Minute

// A pool runs workers.
type pool struct {
	binary string
	args   []string
	show   func(Outcome)
}

// run tries all mutants with so many workers at a time, and returns the outcomes by number.
func (p *pool) run(mutants []Mutant, workers int) (map[int]Outcome, error) {
	todo := make(chan Mutant)
	outcomes := map[int]Outcome{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	var failed error
	for range workers {
		wg.Go(func() {
			w := worker{pool: p}
			defer w.stop()
			for m := range todo {
				o, err := w.try(m)
				mu.Lock()
				if err != nil && failed == nil {
					failed = err
				}
				outcomes[m.ID] = o
				p.show(o)
				mu.Unlock()
			}
		})
	}
	for _, m := range mutants {
		todo <- m
	}
	close(todo)
	wg.Wait()
	return outcomes, failed
}

// A worker is one process, started when it is needed and again when it died.
type worker struct {
	*pool
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func (w *worker) start(env ...string) (err error) {
	w.cmd = exec.Command(w.binary, w.args...)
	w.cmd.Env = append(os.Environ(), append(env, "GOMAXPROCS=1")...)
	w.cmd.Stderr = os.Stderr
	if w.in, err = w.cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	w.out = bufio.NewReader(out)
	return w.cmd.Start()
}

func (w *worker) stop() {
	if w.cmd == nil {
		return
	}
	w.in.Close()
	w.cmd.Process.Kill()
	w.cmd.Wait()
	w.cmd = nil
}

// try asks the worker about a mutant. One that takes part in initialisation gets a process of its own.
func (w *worker) try(m Mutant) (Outcome, error) {
	if m.Initial {
		own := worker{pool: w.pool}
		defer own.stop()
		return own.ask(m, fmt.Sprintf("%s=%d", active.Env, m.ID))
	}
	return w.ask(m)
}

func (w *worker) ask(m Mutant, env ...string) (Outcome, error) {
	if w.cmd == nil {
		if err := w.start(env...); err != nil {
			return Outcome{ID: m.ID}, err
		}
	}
	timer := time.AfterFunc(patience, func() { w.cmd.Process.Kill() })
	defer timer.Stop()
	if _, err := fmt.Fprintln(w.in, m.ID, m.wakes()); err != nil {
		w.stop()
		return Outcome{ID: m.ID, Caught: "the process ended"}, nil
	}
	line, err := w.out.ReadBytes('\n')
	if err != nil { // it died: the mutant crashes it, or hangs
		w.stop()
		return Outcome{ID: m.ID, Caught: "the process ended"}, nil
	}
	var o Outcome
	return o, json.Unmarshal(line, &o)
}
