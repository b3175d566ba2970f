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
// Recordings number what they name, so that most names are as the one before but for their
// last character. Such names go to the same two buckets of slots, which the processor has
// at hand then; as slots all over the table it would wait for each. A name whose bucket is
// full goes to the first free slot behind a place that is its own.
type nameSet struct {
	slots []nameSlot   // a power of two, of which half are free
	names list[nameOn] // in the order in which they came
	text  [][]byte     // all names, one behind the other, in pieces
}

// namesPiece is how long a piece is, in bytes, unless it is of one name that is longer.
const namesPiece = 1 << 14

// bucket is how many slots are filled together: as many as there are in 64 bytes, the line
// of a processor's cache.
const bucket = 8

// A nameSlot says where a name with a hash is.
type nameSlot struct {
	hash uint32
	at   int32 // in names, from 1; 0 if the slot is free
}

// A nameOn says where a name is in the text, and on which line it was.
type nameOn struct {
	piece  int32
	from   int32 // in the piece
	length int32
	line   int32
}

// add adds a name, unless it is there: then it returns the line that it is on.
func (s *nameSet) add(name []byte, line int) (before int, twice bool) {
	if 2*s.names.count >= len(s.slots) {
		s.grow()
	}
	alike, hash := hashName(name)
	slot := s.slot(alike, hash, name)
	if slot.at > 0 {
		return int(s.names.at(int(slot.at) - 1).line), true
	}
	last := len(s.text) - 1
	if last < 0 || len(name) > cap(s.text[last])-len(s.text[last]) {
		s.text = append(s.text, make([]byte, 0, max(namesPiece, len(name))))
		last++
	}
	piece := s.text[last]
	s.names.add(nameOn{piece: int32(last), from: int32(len(piece)), length: int32(len(name)), line: int32(line)})
	s.text[last] = append(piece, name...)
	*slot = nameSlot{hash, int32(s.names.count)}
	return 0, false
}

// last returns the number of the name that was added last.
func (s *nameSet) last() int64 { return int64(s.names.count) - 1 }

// appendName implements batchNames.
func (s *nameSet) appendName(to []byte, number int64) []byte {
	return append(to, s.name(int(number))...)
}

// slot returns the slot of a name with two hashes, free if the name isn't there. A name is
// only outside its bucket if that is full, as no name ever goes.
func (s *nameSet) slot(alike, hash uint32, name []byte) *nameSlot {
	begin := int(alike) * bucket & (len(s.slots) - 1)
	slots := s.slots[begin : begin+bucket]
	for i := range slots {
		slot := &slots[i]
		if slot.at == 0 || slot.hash == hash && s.is(slot, name) {
			return slot
		}
	}
	for i := int(hash); ; i++ {
		slot := &s.slots[i&(len(s.slots)-1)]
		if slot.at == 0 || slot.hash == hash && s.is(slot, name) {
			return slot
		}
	}
}

// is reports whether a slot is of a name.
func (s *nameSet) is(slot *nameSlot, name []byte) bool {
	return bytes.Equal(s.name(int(slot.at)-1), name)
}

// Slots of a set that is new, and as many as grow to four times as many, rather than twice,
// so that a name gets a slot anew but once or twice.
const (
	leastSlots = 1 << 10
	fewSlots   = 1 << 16
)

// grow makes more slots, and gives them to the names in their order.
func (s *nameSet) grow() {
	times := 2
	if len(s.slots) < fewSlots {
		times = 4
	}
	s.slots = make([]nameSlot, max(leastSlots, times*len(s.slots)))
	for i := range s.names.count {
		name := s.name(i)
		alike, hash := hashName(name)
		*s.slot(alike, hash, name) = nameSlot{hash, int32(i + 1)}
	}
}

// name returns a name by its number.
func (s *nameSet) name(i int) []byte {
	on := s.names.at(i)
	return s.text[on.piece][on.from:][:on.length]
}

// hashName mixes a name, eight bytes at a time, by products whose halves are folded. The
// first hash is one of two of all names that differ in their last character alone.
func hashName(name []byte) (alike, hash uint32) {
	if len(name) == 0 {
		return 0, 0
	}
	last := uint64(name[len(name)-1])
	h := uint64(len(name)) * 0x9e3779b97f4a7c15
	for name = name[:len(name)-1]; len(name) >= wordBytes; name = name[wordBytes:] {
		h = fold(h^binary.LittleEndian.Uint64(name), 0xe7037ed1a0b428db)
	}
	rest := uint64(0)
	for i := range len(name) {
		rest = rest<<8 | uint64(name[i])
	}
	h = fold(h^rest, 0x8ebc6af09c88c6e3)
	hash = uint32(fold(h^last, 0xa0761d6478bd642f))
	return uint32(h>>32)<<1 | uint32(last&1), hash
}

func fold(a, b uint64) uint64 {
	high, low := bits.Mul64(a, b)
	return high ^ low
}
