package traces

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/traces/wire"
)

// longestSilence is how long a container isn't seen at most without having been gone:
// samples are 57 s apart, and up to 7 of them are missing. The next longer silence takes
// 40 minutes.
const longestSilence = 10 * cluster.Minute

// latestSecond bounds samples' times, in seconds since some time that nobody knows.
const latestSecond = 4e9

// A genAIReader takes samples in.
type genAIReader struct {
	tally
	gpus    int32 // that a container asks for which has any
	memory  int64 // bytes that each asks for, 0 for none
	pods    []*genAIPod
	byName  map[string]*genAIPod
	batches list[batch]
	names   texts
	uses    []use
	classes recordedClasses
}

// A genAIPod is a container, by its address.
type genAIPod struct {
	name    string
	file    string       // that was read last
	last    cluster.Time // of its samples in that
	samples []genAISample
}

// A genAISample says that a container was there.
type genAISample struct {
	at    cluster.Time
	share float64 // of its memory that it used, -1 if that is for another sample to say
	gpu   bool    // whether it had a GPU
}

func newGenAI() *genAIReader {
	return &genAIReader{byName: map[string]*genAIPod{}, gpus: 1}
}

// replay returns what was read, on nodes.
func (r *genAIReader) replay(nodes []*cluster.NodeSpec) *replay {
	return &replay{nodes: nodes, batches: r.batches, classes: r.classes.all, names: &r.names}
}

// read takes the samples of a file in.
func (r *genAIReader) read(file string, in *stream, f genAIFile) error {
	t, err := streamTable(file, in, []string{"timestamp_anon", "value", "container_ip"})
	if err != nil {
		return err
	}
	second, share, address := t.at("timestamp_anon"), t.at("value"), t.at("container_ip")
	return r.tally.read(t, func() (reason string, err error) {
		seconds, err := t.number(second, latestSecond)
		if err != nil {
			return "", err
		}
		at := cluster.Time(math.Round(float64(seconds*1000))) * cluster.Millisecond
		value, err := strconv.ParseFloat(t.text(share), 64)
		if err != nil || !(value >= f.least && value <= f.most) {
			return "", t.wrongField(share, fmt.Sprintf("give a number from %v to %v", max(0, f.least), f.most))
		}
		if t.text(address) == "" {
			return "container_ip is empty", nil
		}
		p, err := r.pod(t, address)
		if err != nil {
			return "", err
		}
		switch {
		case p.file == file && at < p.last:
			return "", t.wrongField(second, "the container has a later one already: sort the rows by time")
		case p.file == file && at == p.last:
			return "the container has a sample of that time already", nil
		}
		p.file, p.last = file, at
		sample := genAISample{at, -1, f.gpu}
		if !f.gpu {
			sample.share = max(0, value)
		}
		p.samples = append(p.samples, sample)
		return "", nil
	})
}

// pod returns the container of the current row.
func (r *genAIReader) pod(t *table, address column) (*genAIPod, error) {
	if p, ok := r.byName[t.text(address)]; ok {
		return p, nil
	}
	name, err := t.name(address)
	if err != nil {
		return nil, err
	}
	p := &genAIPod{name: "pod-" + name}
	r.byName[name] = p
	r.pods = append(r.pods, p)
	return p, nil
}

// finish makes pods of all containers: one from its first sample to its last and until the
// next would have been due, and another if it comes again after a silence.
func (r *genAIReader) finish() {
	period := longestSilence
	for _, p := range r.pods {
		slices.SortStableFunc(p.samples, func(a, b genAISample) int { return int(min(1, max(-1, a.at-b.at))) })
		for i := range p.samples[1:] {
			if gap := p.samples[i+1].at - p.samples[i].at; gap > 0 {
				period = min(period, gap)
			}
		}
	}
	for _, p := range r.pods {
		for begin, again := 0, 0; begin < len(p.samples); again++ {
			end := begin + 1
			for end < len(p.samples) && p.samples[end].at-p.samples[end-1].at <= longestSilence {
				end++
			}
			name := p.name
			if again > 0 {
				name += "-again-" + strconv.Itoa(again)
			}
			r.stint(name, p.samples[begin:end], period)
			begin = end
		}
	}
}

// stint makes a pod of samples of a container without a silence in between.
func (r *genAIReader) stint(name string, samples []genAISample, period cluster.Time) {
	q := recordedRequest{namespace: "default", memory: r.memory}
	number := r.names.put(name)
	began := samples[0].at
	for _, s := range samples {
		if s.gpu {
			q.gpus = r.gpus
		}
		if s.share >= 0 && r.memory > 0 {
			r.uses = append(r.uses, use{number, s.at - began, wire.Unknown, int64(math.Round(float64(s.share * float64(r.memory))))})
		}
	}
	r.batches.add(batch{at: began, run: samples[len(samples)-1].at + period - began, name: number, class: r.classes.number(&q)})
}

// inTar returns the table in a tar file, and what errors about it are about.
func inTar(file string, in *stream) (name string, table *stream, err error) {
	t := tar.NewReader(in)
	for {
		h, err := t.Next()
		var damaged *Error
		switch {
		case errors.As(err, &damaged):
			return "", nil, damaged
		case errors.Is(err, io.EOF):
			return "", nil, &Error{File: file, Problem: "no .csv file in it", Remedy: "fetch the file again"}
		case err != nil:
			return "", nil, &Error{File: file, Problem: "no sound tar file", Remedy: "fetch the file again"}
		}
		if h.Typeflag == tar.TypeReg && strings.HasSuffix(h.Name, ".csv") && !strings.HasPrefix(path.Base(h.Name), ".") {
			name = file + "/" + path.Base(h.Name)
			table, err = newStream(name, t)
			return name, table, err
		}
	}
}
