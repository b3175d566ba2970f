package traces

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/berthsim/berth/cluster"
)

// Fields of a line, from 1. Those between aren't read: how much CPU the job used, how long it was allowed to run, and what it depends on.
const (
	swfJob = iota + 1
	swfSubmit
	swfWait
	swfRun
	swfProcs
	_
	_
	swfReqProcs
	_
	swfReqMemory
	swfStatus
	swfUser
	swfGroup
	_
	swfQueue
	swfPartition
	_
	swfFields

	_            // MetaCentrum: the nodes it ran on
	swfExtQueue  // its queue, by name
	swfExtNodes  // the nodes it asked for
	swfExtFields = swfExtNodes
)

// swfBy has the field for each way to make namespaces.
var swfBy = map[string]int{"user": swfUser, "group": swfGroup, "queue": swfQueue, "partition": swfPartition}

// maxProcs is more than a job asks for.
const maxProcs = 1_000_000

// An swfReader takes jobs in.
type swfReader struct {
	tally
	settings Settings
	by       string      // what namespaces are
	byField  int         // where that is
	cluster  *swfCluster // nil until the header is over, if that says what it is
	batches  list[batch]
	classes  recordedClasses
	seen     numberSet        // jobs
	spaces   map[int64]string // namespaces by number
	chunks   []swfChunk       // of the current job

	maxNodes, maxProcs int64     // as the header has it, -1 if it doesn't
	began              time.Time // likewise; zero if it doesn't
}

// epoch returns when a time of the log was, zero if the header doesn't say.
func (r *swfReader) epoch(at cluster.Time) time.Time {
	if r.began.IsZero() {
		return r.began
	}
	return r.began.Add(time.Duration(at))
}

func newSWFReader(by string, s Settings) *swfReader {
	return &swfReader{settings: s, by: by, byField: swfBy[by], spaces: map[int64]string{}, maxNodes: -1, maxProcs: -1}
}

// replay returns what was read.
func (r *swfReader) replay() *replay {
	play := &replay{batches: r.batches, classes: r.classes.all, names: numbered(swfPrefix), waits: true}
	if r.cluster != nil { // there is a row
		play.nodes = r.cluster.nodes
	}
	return play
}

// swfPrefix is what the name of each job begins with; its number follows.
const swfPrefix = "job-"

// read takes the lines of a file in.
func (r *swfReader) read(file string, in *stream) error {
	l := newLineReader(file, in)
	for {
		more, err := l.next()
		if err != nil || !more {
			return err
		}
		if l.count() > 0 && l.field(1)[0] == ';' {
			r.header(l.fields())
			continue
		}
		r.rows++
		if l.count() == 0 {
			r.reject(emptyLine, file, l.line)
			continue
		}
		if r.cluster == nil {
			if r.cluster, err = swfNodes(r.settings, file, r.maxNodes, r.maxProcs); err != nil {
				return err
			}
		}
		reason, err := r.row(l)
		if err != nil {
			return err
		}
		if reason != "" {
			r.reject(reason, file, l.line)
		}
	}
}

// header reads a comment: ; KEY: VALUE.
func (r *swfReader) header(fields []string) {
	if len(fields) < 3 {
		return
	}
	n, err := strconv.ParseInt(fields[2], 10, 64)
	switch {
	case err == nil && fields[1] == "UnixStartTime:" && n > 0 && n < maxSeconds*10:
		r.began = time.Unix(n, 0)
	case err != nil || n < 1 || n > maxNodes:
	case fields[1] == "MaxNodes:":
		r.maxNodes = n
	case fields[1] == "MaxProcs:":
		r.maxProcs = n
	}
}

// An swfRow is what is read of a line.
type swfRow struct {
	job, submit, wait, run, procs, allocated, memory, status, by int64
}

// row takes the current line in.
func (r *swfReader) row(l *lineReader) (reason string, err error) {
	if n := l.count(); n != swfFields && n != swfExtFields {
		return "", l.wrong(fmt.Sprintf("%d fields", n), fmt.Sprintf("give %d, or MetaCentrum's %d", swfFields, swfExtFields))
	}
	mostMemory := int64(math.MaxInt64 / 1024 / maxProcs)
	if l.count() == swfExtFields {
		mostMemory = 1 << 53
	}
	integer := func(i int, what string, most int64) (n int64) {
		if err == nil {
			n, err = l.integer(i, what, most)
		}
		return n
	}
	q := swfRow{
		job: integer(swfJob, "the job's number", math.MaxInt64), submit: integer(swfSubmit, "submit time", 8e9),
		wait: integer(swfWait, "wait time", maxSeconds), run: integer(swfRun, "run time", maxSeconds),
		procs: integer(swfReqProcs, "requested processors", maxProcs), allocated: integer(swfProcs, "allocated processors", maxProcs),
		memory: integer(swfReqMemory, "requested memory", mostMemory),
		status: integer(swfStatus, "status", 5), by: integer(r.byField, r.by, math.MaxInt64),
	}
	if err != nil {
		return "", err
	}
	if q.procs < 1 {
		q.procs = q.allocated
	}
	switch {
	case q.job < 0 || q.submit < 0:
		return "", l.wrong("the job has no number, or no time at which it was submitted", "give both, from 0")
	case q.status >= 2 && q.status <= 4:
		return "a part of a job that has a row of its own (status 2, 3 or 4)", nil
	case q.run < 0:
		return "the run time isn't known", nil
	case q.procs < 1:
		return "the number of processors isn't known", nil
	}
	if line, twice := r.seen.add(q.job, l.line); twice {
		return "", l.wrong("job "+strconv.FormatInt(q.job, 10)+" is there already", fmt.Sprintf("line %d has that number: give another", line))
	}
	r.add(l, q)
	return "", nil
}

// add takes a job in: as many pods as it asked nodes for, where that is known, else
// as few as nodes allow.
func (r *swfReader) add(l *lineReader, q swfRow) {
	namespace := r.namespace(q.by)
	r.chunks = append(r.chunks[:0], swfChunk{pods: q.procs / r.cluster.cpus, procs: r.cluster.cpus}, swfChunk{pods: 1, procs: q.procs % r.cluster.cpus})
	chunks := r.chunks
	perProc := max(0, q.memory*1024)
	perPod := int64(0)
	if l.count() == swfExtFields {
		// Bytes of each of the job's nodes: as KiB it would be thousands of times
		// what machines have. By the log's own placements, nodes of zegox are then
		// filled to the last GiB at times, and never further.
		perProc, perPod = 0, max(0, q.memory)
		if r.by == "queue" && isName(l.field(swfExtQueue)) {
			namespace = l.field(swfExtQueue)
		}
		few := len(chunks)
		chunks = appendSWFChunks(chunks, l.field(swfExtNodes))
		r.chunks = chunks
		if asked := chunks[few:]; swfProcsOf(asked) == q.procs {
			chunks = asked
		} else {
			chunks = chunks[:few]
		}
	}
	b := batch{at: cluster.Time(q.submit) * cluster.Second, run: cluster.Time(q.run) * cluster.Second, waited: max(cluster.Time(q.wait)*cluster.Second, -1)}
	b.name = q.job
	ask, pods := recordedRequest{namespace: namespace}, int64(0)
	for _, c := range chunks {
		if c.procs > 0 {
			pods += c.pods
		}
	}
	if pods > 1 {
		ask.owner = cluster.OwnerRef{Kind: "Job", Name: swfPrefix + strconv.FormatInt(q.job, 10)}
	}
	for _, c := range chunks {
		if c.pods == 0 || c.procs == 0 {
			continue
		}
		ask.cpu, ask.memory, ask.on = c.procs*1000, 0, c.on
		if r.cluster.memory {
			ask.memory = perProc*c.procs + perPod
		}
		b.class = r.classes.number(&ask)
		if pods > 1 {
			b.pods = int32(c.pods)
		}
		r.batches.add(b)
		b.first, b.more = b.first+b.pods, true
	}
}

// namespace returns that of jobs with a number of a user, or whatever namespaces are.
func (r *swfReader) namespace(by int64) string {
	name, ok := r.spaces[by]
	if !ok {
		name = r.by + "-" + strconv.FormatInt(by, 10)
		if by < 0 {
			name = r.by + "-unknown"
		}
		r.spaces[by] = name
	}
	return name
}

// An swfChunk is pods with so many processors each.
type swfChunk struct {
	pods, procs int64
	on          cluster.Label
}

// appendSWFChunks reads what nodes a job of MetaCentrum asked for: NODES:ppn=PROCESSORS and
// properties, with + between several. Of these only cl_NAME is read, a cluster.
func appendSWFChunks(chunks []swfChunk, text string) []swfChunk {
	for more := true; more; {
		var part, property string
		part, text, more = cutByte(text, '+')
		c := swfChunk{pods: 1, procs: 1}
		for left := true; left; {
			property, part, left = cutByte(part, ':')
			property, _, _ = cutByte(property, '#') // #excl: alone on the node
			if ppn, ok := strings.CutPrefix(property, "ppn="); ok {
				if n, ok := parseInt(ppn); ok && n > 0 && n <= maxProcs {
					c.procs = n
				}
			} else if property != "" && property[0] <= '9' { // a digit, or a sign
				if n, ok := parseInt(property); ok && n > 0 && n <= maxProcs {
					c.pods = n
				}
			} else if name, ok := strings.CutPrefix(property, "cl_"); ok && isName(name) {
				c.on = cluster.Label{Key: clusterLabel, Value: name}
			}
		}
		chunks = append(chunks, c)
	}
	return chunks
}

// cutByte does what strings.Cut does, for what is a few bytes long.
func cutByte(text string, separator byte) (before, behind string, found bool) {
	for i := range len(text) {
		if text[i] == separator {
			return text[:i], text[i+1:], true
		}
	}
	return text, "", false
}

// swfProcsOf sums the processors of chunks.
func swfProcsOf(chunks []swfChunk) (sum int64) {
	for _, c := range chunks {
		sum += c.pods * c.procs
	}
	return sum
}
