package traces

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/berthsim/berth/cluster"
)

// azureNamespace is where all pods are: the form has no customers.
const azureNamespace = "default"

// An azureReader takes virtual machines in, from a file that has their flavours and,
// line by line, from one that has their run times.
type azureReader struct {
	tally
	in        [2]*stream
	lines     [2]*lineReader
	flavours  [256]int32      // numbers of classes from 1, by letter; 0 for those that don't exist
	intervals []azureInterval // by number
	end       int64           // when run times end, in seconds by the recording's clock
	count     int             // batches of customers so far
	last      int64           // the time of the line before, -1 if there is none
	batches   list[batch]
	classes   recordedClasses
}

// An azureInterval holds run times, in seconds, that count as one.
type azureInterval struct {
	least, most int64
	known       bool
}

// replay returns what was read, on nodes.
func (r *azureReader) replay(nodes []*cluster.NodeSpec) *replay {
	return &replay{nodes: nodes, batches: r.batches, classes: r.classes.all, names: numbered("batch-")}
}

// flavour takes in a line of the table of flavours: CPUs,GiB LETTER.
func (r *azureReader) flavour(l *lineReader) error {
	if l.count() == 2 && len(l.field(2)) == 1 && l.field(2) >= "a" && l.field(2) <= "z" {
		cpus, gib, _ := strings.Cut(l.field(1), ",")
		c, err := strconv.ParseFloat(cpus, 64)
		g, err2 := strconv.ParseFloat(gib, 64)
		if err == nil && err2 == nil && c > 0 && c <= maxNodeCPUs && g >= 0 && g <= 1_000_000 {
			r.flavours[l.field(2)[0]] = 1 + r.classes.number(&recordedRequest{
				namespace: azureNamespace, cpu: int64(math.Round(float64(c * 1000))), memory: int64(math.Round(float64(g*1024))) * mib,
			})
			return nil
		}
	}
	return l.wrong(quoted(strings.Join(l.fields(), " "))+" is no flavour", "give CPUs,GiB and a letter from a to z, such as 2,3.5 g")
}

// middle returns the run time in the middle of an interval.
func (i *azureInterval) middle() cluster.Time {
	return cluster.Time(i.least+i.most) * cluster.Second / 2
}

// maxIntervals is more intervals of run times than there are.
const maxIntervals = 100_000

// interval takes in a line of the table of intervals: SECONDS NUMBER.
func (r *azureReader) interval(l *lineReader) error {
	if l.count() != 2 {
		return l.wrong(fmt.Sprintf("%d fields", l.count()), "give 2: seconds, and the number of their interval")
	}
	seconds, err := l.integer(1, "the run time", maxSeconds)
	if err != nil {
		return err
	}
	n, err := l.integer(2, "the interval", maxIntervals)
	if err != nil {
		return err
	}
	if seconds < 0 || n < 0 {
		return l.wrong("a number below 0", "give two from 0")
	}
	for int64(len(r.intervals)) <= n {
		r.intervals = append(r.intervals, azureInterval{least: maxSeconds})
	}
	i := &r.intervals[n]
	i.least, i.most, i.known = min(i.least, seconds), max(i.most, seconds), true
	return nil
}

// read takes both files in, a line of each at a time.
func (r *azureReader) read() error {
	r.last = -1
	vms, times := r.lines[0], r.lines[1]
	for {
		more, err := vms.next()
		if err != nil {
			return err
		}
		too, err := times.next()
		if err != nil {
			return err
		}
		if more != too {
			return &Error{File: times.file, Line: vms.line, Problem: "it has not as many lines as the file of flavours", Remedy: "fetch both again"}
		}
		if !more {
			return nil
		}
		r.rows++
		if vms.count() == 0 && times.count() == 0 {
			r.reject(emptyLine, vms.file, vms.line)
			continue
		}
		if err := r.line(vms, times); err != nil {
			return err
		}
	}
}

// line takes in what came at a time: flavours, or run times, with a comma behind each,
// and | behind each batch.
func (r *azureReader) line(vms, times *lineReader) error {
	if vms.count() != 2 || times.count() != 2 || vms.field(1) != times.field(1) {
		return times.wrong("not the time of the same line of flavours, and run times", "give SECONDS RUN,RUN,|,…")
	}
	at, err := vms.integer(1, "the time", maxSeconds)
	if err != nil {
		return err
	}
	if at <= r.last || at > r.end {
		return vms.wrong("the time is "+quoted(vms.field(1)), fmt.Sprintf("give one after that of the line before, up to %d", r.end))
	}
	r.last = at
	return r.pods(vms, times, at)
}

// pods takes in the flavours and run times of a line. A virtual machine is a few bytes of
// each, so that what nearly all are is read in a few steps.
func (r *azureReader) pods(vms, times *lineReader, at int64) (err error) {
	flavours, runs := vms.field(2), times.field(2)
	next := batch{at: cluster.Time(at) * cluster.Second}
	var last *batch // of the same customer's batch
	for r.count++; flavours != ""; {
		letter, run := flavours[0], cluster.Time(0)
		known := len(flavours) > 1 && flavours[1] == ',' && r.flavours[letter] > 0
		if length := 0; known {
			if run, length, known = r.quickRun(runs, at); known {
				flavours, runs = flavours[2:], runs[length:]
			}
		}
		if !known {
			var flavour, text string
			flavour, flavours, _ = cutByte(flavours, ',')
			text, runs, _ = cutByte(runs, ',')
			if (flavour == "|") != (text == "|") || (flavours == "") != (runs == "") {
				return r.unlike(times)
			}
			if flavour == "|" {
				last, next.first = nil, 0
				if flavours != "" {
					r.count++
				}
				continue
			}
			if run, err = r.pod(vms, times, at, flavour, text); err != nil {
				return err
			}
		} else if (flavours == "") != (runs == "") {
			return r.unlike(times)
		}
		if class := r.flavours[letter] - 1; last != nil && last.class == class && last.run == run {
			last.pods++
		} else {
			next.name, next.class, next.run, next.pods = int64(r.count), class, run, 1
			r.batches.add(next)
			last, next.more = r.batches.at(r.batches.count-1), true
		}
		next.first++
	}
	return nil
}

// quickRun returns the run time that text begins with, if it is as nearly all are, and how
// long that is with its comma.
func (r *azureReader) quickRun(text string, at int64) (run cluster.Time, length int, ok bool) {
	n, i := uint(0), 1
	for ; i < len(text) && i < sureDigits; i++ {
		digit := text[i] - '0'
		if digit > 9 {
			break
		}
		n = 10*n + uint(digit)
	}
	if i == 1 || i >= len(text) || text[i] != ',' || n >= uint(len(r.intervals)) || !r.intervals[n].known {
		return 0, 0, false
	}
	switch text[0] {
	case 'U':
		return r.intervals[n].middle(), i + 1, true
	case 'C':
		return cluster.Time(r.end-at) * cluster.Second, i + 1, true
	}
	return 0, 0, false
}

// pod returns the run time of a virtual machine, and checks its flavour.
func (r *azureReader) pod(vms, times *lineReader, at int64, flavour, run string) (cluster.Time, error) {
	if len(flavour) != 1 || r.flavours[flavour[0]] == 0 {
		return 0, vms.wrong("the flavour is "+quoted(flavour), "give one of those in "+azureFlavours)
	}
	return r.run(times, run, at)
}

// unlike returns the error that a line of run times isn't of the virtual machines that have
// come.
func (r *azureReader) unlike(times *lineReader) error {
	return times.wrong("batches are not those of the line of flavours", "fetch both files again")
}

// run reads how long a virtual machine runs: U and an interval, of which the middle is
// taken, if it ended in the recording; C and one if it went on: to its end, as no more
// is known.
func (r *azureReader) run(times *lineReader, text string, at int64) (cluster.Time, error) {
	if n, ok := parseInt(trimKind(text)); ok && n >= 0 && n < int64(len(r.intervals)) && r.intervals[n].known && len(text) > 1 {
		switch text[0] {
		case 'U':
			return r.intervals[n].middle(), nil
		case 'C':
			return cluster.Time(r.end-at) * cluster.Second, nil
		}
	}
	return 0, times.wrong("the run time is "+quoted(text), "give U, or C if it went on, and the number of an interval in "+azureIntervals)
}

// trimKind returns the text of a run time without U or C, or several of them, in front.
func trimKind(text string) string {
	for len(text) > 0 && (text[0] == 'U' || text[0] == 'C') {
		text = text[1:]
	}
	return text
}
