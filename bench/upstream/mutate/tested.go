package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/berthsim/berth/bench/upstream/mutate/active"
)

// runTests tries the mutants of a package that is not about pods' places, by running tests on each:
// the first are those that compare with upstream, and what they don't catch is left to the next ones.
func (o options) runTests(out io.Writer) (bool, error) {
	files, err := regexp.Compile(o.files)
	if err != nil {
		return false, err
	}
	dir, mutants, config, err := o.overlay(o.pkg, files.MatchString)
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	var binaries []string
	for i, test := range strings.Split(o.tests, ",") {
		binary := filepath.Join(dir, fmt.Sprint("test", i))
		build := exec.Command("go", "test", "-c", "-vet=off", "-overlay", config, "-o", binary, test)
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			return false, fmt.Errorf("building %s with the mutants: %w", test, err)
		}
		if !o.passes(binary, 0) {
			return false, fmt.Errorf("%s fails without a mutant", test)
		}
		binaries = append(binaries, binary)
	}
	caught := o.judge(mutants, binaries)
	outcomes := map[int]Outcome{}
	for i, test := range strings.Split(o.tests, ",") {
		n := 0
		for id, by := range caught {
			if by == i {
				n++
				outcomes[id] = Outcome{ID: id, Caught: test}
			}
		}
		fmt.Fprintf(out, "%d caught by %s\n", n, test)
	}
	return report(out, mutants, outcomes, o)
}

// judge returns, for each mutant that is caught, which of the test binaries caught it.
func (o options) judge(mutants []Mutant, binaries []string) map[int]int {
	todo, caught := make(chan Mutant), map[int]int{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	done := 0
	for range o.workers {
		wg.Go(func() {
			for m := range todo {
				by := slices.IndexFunc(binaries, func(binary string) bool { return !o.passes(binary, m.ID) })
				mu.Lock()
				if by >= 0 {
					caught[m.ID] = by
				}
				if done++; done%50 == 0 {
					fmt.Fprintf(os.Stderr, "%d of %d mutants\n", done, len(mutants))
				}
				mu.Unlock()
			}
		})
	}
	for _, m := range mutants {
		todo <- m
	}
	close(todo)
	wg.Wait()
	return caught
}

// passes reports whether a test binary has nothing to say against a mutant. One that takes too long
// hangs, which doesn't pass.
func (o options) passes(binary string, mutant int) bool {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, "-test.failfast")
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", active.Env, mutant), fmt.Sprint("SEED=", o.seed), fmt.Sprint("CASES=", o.pods), "GOMAXPROCS=1")
	cmd.WaitDelay = 10 * time.Second
	return cmd.Run() == nil
}
