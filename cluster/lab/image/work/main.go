// Command work is what the pods of a lab run: a program that uses what it is told to use, for as
// long as it is told, and ends as it is told.
//
//	work --for 30s --exit 1          ends after half a minute, with status 1
//	work --memory 100Mi --memory-rate 20Mi   takes 20 MiB a second until it has 100
//	work --disk 1Gi --disk-rate 50Mi --disk-dir /data
//	work --cpu 500                   keeps half a core busy
//	work --on-term 0 --term-delay 5s         takes 5 s to end on SIGTERM, with status 0
//	work --ignore-term               ends only by SIGKILL, after the grace period
package main

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// A program is what the flags ask for.
type program struct {
	runs       time.Duration // 0: until told to end
	exit       int           // status after that time
	memory     size
	memoryRate size // a second
	disk       size
	diskRate   size // a second
	diskDir    string
	cpu        int // thousandths of a core
	onTerm     int // status on SIGTERM
	termDelay  time.Duration
	ignoreTerm bool
}

func main() {
	var p program
	flag.DurationVar(&p.runs, "for", 0, "end after this `time`; 0 runs until told to end")
	flag.IntVar(&p.exit, "exit", 0, "`status` to end with after that time")
	flag.Var(&p.memory, "memory", "take this many `bytes` of memory (Ki, Mi, Gi)")
	flag.Var(&p.memoryRate, "memory-rate", "take so many `bytes` of it a second; 0 is at once")
	flag.Var(&p.disk, "disk", "write this many `bytes` to a file")
	flag.Var(&p.diskRate, "disk-rate", "write so many `bytes` of it a second; 0 is at once")
	flag.StringVar(&p.diskDir, "disk-dir", "/", "`folder` to write the file to")
	flag.IntVar(&p.cpu, "cpu", 0, "keep this many `thousandths` of a core busy, 1000 at most")
	flag.IntVar(&p.onTerm, "on-term", 143, "`status` to end with on SIGTERM")
	flag.DurationVar(&p.termDelay, "term-delay", 0, "go on for this `time` after SIGTERM")
	flag.BoolVar(&p.ignoreTerm, "ignore-term", false, "don't end on SIGTERM")
	flag.Parse()
	os.Exit(p.run())
}

// run does what is asked, and returns the status to end with.
func (p program) run() int {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	failed := make(chan error, 2)
	go func() {
		if err := grow(p.memory, p.memoryRate, take); err != nil {
			failed <- err
		}
	}()
	go func() {
		if err := p.fill(); err != nil {
			failed <- err
		}
	}()
	go busy(p.cpu)
	var end <-chan time.Time
	if p.runs > 0 {
		end = time.After(p.runs)
	}
	for {
		select {
		case <-end:
			return p.exit
		case err := <-failed:
			fmt.Println("work:", err)
			return 1
		case s := <-signals:
			fmt.Println("work: told to end:", s)
			if !p.ignoreTerm {
				time.Sleep(p.termDelay)
				return p.onTerm
			}
		}
	}
}

// kept is the memory that was taken.
var kept [][]byte

// take takes n bytes of memory and touches each page, or they wouldn't count.
func take(n size) error {
	b := make([]byte, n)
	for i := 0; i < len(b); i += 4096 {
		b[i] = 1
	}
	kept = append(kept, b)
	return nil
}

// fill writes the file that was asked for.
func (p program) fill() error {
	if p.disk == 0 {
		return nil
	}
	f, err := os.Create(filepath.Join(p.diskDir, "filled"))
	if err != nil {
		return err
	}
	err = grow(p.disk, p.diskRate, func(n size) error {
		_, err := f.Write(make([]byte, n))
		return err
	})
	if err != nil {
		return err
	}
	return f.Sync()
}

// steps is how many times a second something grows.
const steps = 4

// grow calls more until it was asked for total bytes, rate of them a second.
func grow(total, rate size, more func(size) error) error {
	if rate == 0 {
		rate = total * steps
	}
	for done := size(0); done < total; {
		n := min(max(rate/steps, 1), total-done)
		if err := more(n); err != nil {
			return fmt.Errorf("after %d of %d bytes: %w", done, total, err)
		}
		done += n
		fmt.Printf("work: %d of %d bytes\n", done, total)
		time.Sleep(time.Second / steps)
	}
	return nil
}

// busy keeps so many thousandths of a core busy.
func busy(thousandths int) {
	const period = 20 * time.Millisecond
	on := period * time.Duration(min(thousandths, 1000)) / 1000
	for on > 0 {
		for began := time.Now(); time.Since(began) < on; {
		}
		time.Sleep(period - on)
	}
}
