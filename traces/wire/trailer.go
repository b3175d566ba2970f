package wire

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"

	"github.com/berthsim/berth/cluster"
)

// mostEntries bounds the index. Beyond, two neighbours become one.
const mostEntries = 1 << 16

// totals are what a trailer says of the whole file.
type totals struct {
	Blocks      int64        `json:"blocks"` // with records
	Definitions int64        `json:"definitions"`
	Workload    frameTotal   `json:"workload"`
	Outcomes    int64        `json:"outcomes"` // records
	Pods        uint64       `json:"pods"`     // from outside
	Created     uint64       `json:"created"`  // pods that were outcomes
	Nodes       uint64       `json:"nodes"`
	First       cluster.Time `json:"first"` // positions of the first and the last record
	Last        cluster.Time `json:"last"`
	Content     string       `json:"content"` // hash of everything
	Stride      int64        `json:"stride"`  // blocks of an entry
	Index       []entry      `json:"index"`
}

// frameTotal is about the workload alone: records, and the hash of definitions and workload.
type frameTotal struct {
	Records int64  `json:"records"`
	Content string `json:"content"`
}

// An entry of the index is of Stride blocks, or fewer at the end: the offset of the first,
// the first and the last position, and how many definitions they have.
type entry struct {
	Offset      int64        `json:"offset"`
	First       cluster.Time `json:"first"`
	Last        cluster.Time `json:"last"`
	Definitions int64        `json:"definitions"`
}

// add takes in a block.
func (t *totals) add(h *header, offset int64) {
	if t.Blocks == 0 {
		t.First = h.first
	}
	t.Last = h.last
	if t.Blocks%t.Stride == 0 {
		t.Index = append(t.Index, entry{Offset: offset, First: h.first})
	}
	last := &t.Index[len(t.Index)-1]
	last.Last = h.last
	last.Definitions += int64(h.definitions)
	t.Blocks++
	t.Definitions += int64(h.definitions)
	t.Workload.Records += int64(h.workload)
	t.Outcomes += int64(h.outcomes)
	if len(t.Index) > mostEntries {
		t.halve()
	}
}

// halve makes one entry of two.
func (t *totals) halve() {
	half := t.Index[:0]
	for i := 0; i < len(t.Index); i += 2 {
		e := t.Index[i]
		if i+1 < len(t.Index) {
			e.Last = t.Index[i+1].Last
			e.Definitions += t.Index[i+1].Definitions
		}
		half = append(half, e)
	}
	t.Index = half
	t.Stride *= 2
}

func (t *totals) population(p population) { t.Pods, t.Created, t.Nodes = p.outside, p.created, p.nodes }

// contentHash hashes what a file says, however it is compressed: the frames that readers of
// workloads see apart from outcomes, so that these readers can check their part.
type contentHash struct{ workload, outcomes hash.Hash }

func newContentHash() contentHash { return contentHash{sha256.New(), sha256.New()} }

// addFrame hashes a frame, with its length before it. Frames come in order, block by block.
func (c contentHash) addFrame(i int, raw []byte) {
	h := c.workload
	if i == outcomeFrame {
		h = c.outcomes
	}
	var size [8]byte
	binary.LittleEndian.PutUint64(size[:], uint64(len(raw)))
	h.Write(size[:])
	h.Write(raw)
}

// sums returns the hash of everything, which is that of the two parts' hashes, and that of the
// workload, in hex.
func (c contentHash) sums() (content, workload string) {
	w := c.workload.Sum(nil)
	all := sha256.Sum256(c.outcomes.Sum(w))
	return hex.EncodeToString(all[:]), hex.EncodeToString(w)
}
