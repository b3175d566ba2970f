package wire

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/berthsim/berth/cluster"
)

// The beginning of a file: magic, version, records in a block at most, CRC.
const (
	magic      = "\xb3ERTH\r\n\x1a"
	fileHeader = 20
)

// The end of a file: where the trailer is, and a mark.
const (
	endMark    = "BERTHEND"
	fileFooter = 16
)

// The kinds of blocks.
const (
	metaBlock    = 'M'
	dataBlock    = 'D'
	trailerBlock = 'T'
)

// The frames of a block.
const (
	definitionFrame = iota
	workloadFrame
	outcomeFrame
	frames
)

// blockMark begins each block.
const blockMark = "BLK\n"

// headerSize is the bytes of a block's header.
const headerSize = 128

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// A header says what is in a block. All numbers are little end first.
type header struct {
	kind        byte
	compressed  byte // bit i: frame i is a zstd frame; otherwise it is as it is
	seq         uint64
	first, last cluster.Time // positions of the first and the last record

	workload, outcomes, definitions uint32 // records, and definitions

	raw, stored, crc [frames]uint32

	// Of all blocks before.
	pods, created, nodes uint64
}

func appendHeader(b []byte, h *header) []byte {
	start := len(b)
	b = append(b, blockMark...)
	b = append(b, h.kind, h.compressed, 0, 0)
	b = binary.LittleEndian.AppendUint64(b, h.seq)
	b = binary.LittleEndian.AppendUint64(b, uint64(h.first))
	b = binary.LittleEndian.AppendUint64(b, uint64(h.last))
	for _, n := range [...]uint32{h.workload, h.outcomes, h.definitions, 0} {
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	for _, list := range [...][frames]uint32{h.raw, h.stored, h.crc} {
		for _, n := range list {
			b = binary.LittleEndian.AppendUint32(b, n)
		}
	}
	for _, n := range [...]uint64{h.pods, h.created, h.nodes} {
		b = binary.LittleEndian.AppendUint64(b, n)
	}
	for len(b) < start+headerSize-4 {
		b = append(b, 0)
	}
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli))
}

// parseHeader reads what appendHeader wrote; problem is "" if all is well.
func parseHeader(b []byte) (h header, problem string) {
	u32, u64 := binary.LittleEndian.Uint32, binary.LittleEndian.Uint64
	switch {
	case string(b[:4]) != blockMark:
		return h, "no block begins here"
	case u32(b[headerSize-4:]) != crc32.Checksum(b[:headerSize-4], castagnoli):
		return h, "the block's header is damaged"
	}
	h.kind, h.compressed = b[4], b[5]
	h.seq, h.first, h.last = u64(b[8:]), cluster.Time(u64(b[16:])), cluster.Time(u64(b[24:]))
	h.workload, h.outcomes, h.definitions = u32(b[32:]), u32(b[36:]), u32(b[40:])
	for i := range frames {
		h.raw[i], h.stored[i], h.crc[i] = u32(b[48+4*i:]), u32(b[60+4*i:]), u32(b[72+4*i:])
	}
	h.pods, h.created, h.nodes = u64(b[84:]), u64(b[92:]), u64(b[100:])
	return h, h.check(b)
}

// check says what can't be in a header whose CRC is right.
func (h *header) check(b []byte) string {
	for _, reserved := range [...][]byte{b[6:8], b[44:48], b[108 : headerSize-4]} {
		for _, x := range reserved {
			if x != 0 {
				return "a reserved byte of the block's header isn't 0"
			}
		}
	}
	if h.kind != metaBlock && h.kind != dataBlock && h.kind != trailerBlock {
		return "the block is of no known kind"
	}
	if h.compressed>>frames != 0 || h.first > h.last || h.pods > maxPods || h.created > maxPods || h.nodes > maxPods {
		return "the block's header says what can't be"
	}
	for i := range frames {
		packed := h.compressed>>i&1 == 1
		if h.raw[i] > maxFrame || h.stored[i] > h.raw[i] || !packed && h.stored[i] != h.raw[i] || packed && h.stored[i] == 0 {
			return "a frame of the block has a size that can't be"
		}
		// A record has three bytes at least, a definition two.
		n := [frames]uint32{h.definitions, h.workload, h.outcomes}[i]
		if h.kind == dataBlock && uint64(n) > uint64(h.raw[i]) || h.kind != dataBlock && n != 0 {
			return "a frame of the block is too small for what it is to hold"
		}
	}
	return ""
}

func appendFileHeader(b []byte, records int) []byte {
	b = append(b, magic...)
	b = binary.LittleEndian.AppendUint32(b, Version)
	b = binary.LittleEndian.AppendUint32(b, uint32(records))
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[len(b)-16:], castagnoli))
}

func appendFileFooter(b []byte, trailer int64) []byte {
	return append(binary.LittleEndian.AppendUint64(b, uint64(trailer)), endMark...)
}
