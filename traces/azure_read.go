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
	flavours  [26]*cluster.Class // by letter; nil for those that don't exist
	intervals []azureInterval    // by number
	end       int64              // when run times end, in seconds by the recording's clock
	count     int                // batches of customers so far
	last      int64              // the time of the line before, -1 if there is none
	batches   list[batch]
	classes   recordedClasses
	names     nameMaker
}

// An azureInterval holds run times, in seconds, that count as one.
type azureInterval struct {
	least, most int64
	known       bool
}

// flavour takes in a line of the table of flavours: CPUs,GiB LETTER.
func (r *azureReader) flavour(l *lineReader) error {
	if len(l.fields) == 2 && len(l.fields[1]) == 1 && l.fields[1] >= "a" && l.fields[1] <= "z" {
		cpus, gib, _ := strings.Cut(l.fields[0], ",")
		c, err := strconv.ParseFloat(cpus, 64)
		g, err2 := strconv.ParseFloat(gib, 64)
		if err == nil && err2 == nil && c > 0 && c <= maxNodeCPUs && g >= 0 && g <= 1_000_000 {
			r.flavours[l.fields[1][0]-'a'] = r.classes.class(recordedRequest{
				namespace: azureNamespace, cpu: int64(math.Round(float64(c * 1000))), memory: int64(math.Round(float64(g*1024))) * mib,
			})
			return nil
		}
	}
	return l.wrong(quoted(strings.Join(l.fields, " "))+" is no flavour", "give CPUs,GiB and a letter from a to z, such as 2,3.5 g")
}

// maxIntervals is more intervals of run times than there are.
const maxIntervals = 100_000

// interval takes in a line of the table of intervals: SECONDS NUMBER.
func (r *azureReader) interval(l *lineReader) error {
	if len(l.fields) != 2 {
		return l.wrong(fmt.Sprintf("%d fields", len(l.fields)), "give 2: seconds, and the number of their interval")
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
		if len(vms.fields) == 0 && len(times.fields) == 0 {
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
	if len(vms.fields) != 2 || len(times.fields) != 2 || vms.fields[0] != times.fields[0] {
		return times.wrong("not the time of the same line of flavours, and run times", "give SECONDS RUN,RUN,|,…")
	}
	at, err := vms.integer(1, "the time", maxSeconds)
	if err != nil {
		return err
	}
	if at <= r.last || at > r.end {
		return vms.wrong("the time is "+quoted(vms.fields[0]), fmt.Sprintf("give one after that of the line before, up to %d", r.end))
	}
	r.last = at
	b := batch{at: cluster.Time(at) * cluster.Second}
	r.count++
	first, flavours, runs := true, vms.fields[1], times.fields[1]
	for flavours != "" {
		var flavour, run string
		flavour, flavours = cutComma(flavours)
		run, runs = cutComma(runs)
		if (flavour == "|") != (run == "|") || (flavours == "") != (runs == "") {
			return times.wrong("batches are not those of the line of flavours", "fetch both files again")
		}
		if flavour == "|" {
			b.first, b.pods, b.name = 0, 0, ""
			if flavours != "" {
				r.count++
			}
			continue
		}
		if len(flavour) != 1 || flavour < "a" || flavour > "z" || r.flavours[flavour[0]-'a'] == nil {
			return vms.wrong("the flavour is "+quoted(flavour), "give one of those in "+azureFlavours)
		}
		if b.run, err = r.run(times, run, at); err != nil {
			return err
		}
		b.class = r.flavours[flavour[0]-'a']
		r.add(&b, &first)
	}
	return nil
}

// cutComma returns what is before the first comma, which is a few bytes, and what is
// behind it.
func cutComma(text string) (before, behind string) {
	for i := range len(text) {
		if text[i] == ',' {
			return text[:i], text[i+1:]
		}
	}
	return text, ""
}

// add takes a virtual machine in: the next of its batch.
func (r *azureReader) add(b *batch, first *bool) {
	if b.name == "" {
		b.name = r.names.begin("batch-").number(int64(r.count)).name()
	}
	if last := r.batches.count - 1; b.first > 0 && r.batches.at(last).class == b.class && r.batches.at(last).run == b.run {
		r.batches.at(last).pods++
	} else {
		b.pods, b.more = 1, !*first
		r.batches.add(*b)
	}
	b.first, *first = b.first+1, false
}

// run reads how long a virtual machine runs: U and an interval, of which the middle is
// taken, if it ended in the recording; C and one if it went on: to its end, as no more
// is known.
func (r *azureReader) run(times *lineReader, text string, at int64) (cluster.Time, error) {
	if n, ok := parseInt(trimKind(text)); ok && n >= 0 && n < int64(len(r.intervals)) && r.intervals[n].known && len(text) > 1 {
		switch text[0] {
		case 'U':
			return cluster.Time(r.intervals[n].least+r.intervals[n].most) * cluster.Second / 2, nil
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
