package traces

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// A nameSet holds names and the lines that they are on. It has no pointers for the
// collector to follow, name by name: a map of strings takes several times as long for
// millions.
//
// Names are found by hashes, a byte of which, its tag, is held apart: tags are few bytes
// enough for the processor to have them at hand, and they tell nearly always that a name is
// new, as nearly all are. Eight are looked at together.
type nameSet struct {
	tags  []uint64     // of eight names each, in its bytes; 0 where there is none. A power of two
	slots []int32      // where the name with each tag is in names
	names list[nameOn] // in the order in which they came
	text  [][]byte     // all names, one behind the other, in pieces
}

// namesPiece is how long a piece is, in bytes, unless it is of one name that is longer.
const namesPiece = 1 << 14

// A nameOn says where a name is in the text, and on which line it was.
type nameOn struct {
	piece  int32
	from   int32 // in the piece
	length int32
	line   int32
}

// add adds a name, unless it is there: then it returns the line that it is on.
func (s *nameSet) add(name []byte, line int) (before int, twice bool) {
	if s.names.count >= len(s.slots)/8*fullEighths {
		s.grow()
	}
	hash := hashName(name)
	slot, found := s.find(hash, name)
	if found {
		return int(s.names.at(int(s.slots[slot])).line), true
	}
	s.put(slot, hash, s.names.count)
	last := len(s.text) - 1
	if last < 0 || len(name) > cap(s.text[last])-len(s.text[last]) {
		s.text = append(s.text, make([]byte, 0, max(namesPiece, len(name))))
		last++
	}
	piece := s.text[last]
	s.names.add(nameOn{piece: int32(last), from: int32(len(piece)), length: int32(len(name)), line: int32(line)})
	s.text[last] = append(piece, name...)
	return 0, false
}

// last returns the number of the name that was added last.
func (s *nameSet) last() int64 { return int64(s.names.count) - 1 }

// appendName implements batchNames.
func (s *nameSet) appendName(to []byte, number int64) []byte {
	return append(to, s.name(int(number))...)
}

// find returns the slot of a name with a hash, and whether the name is there: if not, the
// slot is free. Names go to the first eight slots, from a place by their hash on, of which
// one is free, as no name ever goes.
func (s *nameSet) find(hash uint64, name []byte) (slot int, found bool) {
	wanted := tagOf(hash) * everyByte
	for i := int(hash); ; i++ {
		i &= len(s.tags) - 1
		tags := s.tags[i]
		for same := zeroBytes(tags ^ wanted); same != 0; same &= same - 1 {
			slot := i*wordBytes + bits.TrailingZeros64(same)/8
			if bytes.Equal(s.name(int(s.slots[slot])), name) {
				return slot, true
			}
		}
		if free := zeroBytes(tags); free != 0 {
			return i*wordBytes + bits.TrailingZeros64(free)/8, false
		}
	}
}

// put says which name a free slot is of.
func (s *nameSet) put(slot int, hash uint64, number int) {
	s.tags[slot/wordBytes] |= tagOf(hash) << (slot % wordBytes * 8)
	s.slots[slot] = int32(number)
}

// tagOf returns the tag of a name with a hash, which isn't 0.
func tagOf(hash uint64) uint64 { return hash>>56 | 0x80 }

// everyByte is a word whose bytes are all 1.
const everyByte = 0x0101010101010101

// Slots of a set that is new, how many eighths of them are taken at most, and as many as grow
// to four times as many, rather than twice, so that a name gets a slot anew but once or twice.
const (
	leastSlots  = 1 << 10
	fullEighths = 7
	fewSlots    = 1 << 16
)

// grow makes more slots, and gives them to the names in their order, all of which differ.
func (s *nameSet) grow() {
	times := 2
	if len(s.slots) < fewSlots {
		times = 4
	}
	n := max(leastSlots, times*len(s.slots))
	s.tags, s.slots = make([]uint64, n/wordBytes), make([]int32, n)
	for number := range s.names.count {
		hash := hashName(s.name(number))
		i := int(hash)
		for zeroBytes(s.tags[i&(len(s.tags)-1)]) == 0 {
			i++
		}
		i &= len(s.tags) - 1
		s.put(i*wordBytes+bits.TrailingZeros64(zeroBytes(s.tags[i]))/8, hash, number)
	}
}

// name returns a name by its number.
func (s *nameSet) name(i int) []byte {
	on := s.names.at(i)
	return s.text[on.piece][on.from:][:on.length]
}

// hashName mixes a name, eight bytes at a time, by products whose halves are folded.
func hashName(name []byte) uint64 {
	h := uint64(len(name)) * 0x9e3779b97f4a7c15
	for ; len(name) >= wordBytes; name = name[wordBytes:] {
		h = fold(h^binary.LittleEndian.Uint64(name), 0xe7037ed1a0b428db)
	}
	rest := uint64(0)
	for i := range len(name) {
		rest = rest<<8 | uint64(name[i])
	}
	return fold(h^rest, 0xa0761d6478bd642f)
}

func fold(a, b uint64) uint64 {
	high, low := bits.Mul64(a, b)
	return high ^ low
}
