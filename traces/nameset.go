package traces

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"
)

// A nameSet holds names and the lines that they are on. It has no pointers for the
// collector to follow, name by name: a map of strings takes several times as long for
// millions.
type nameSet struct {
	slots []nameSlot   // a power of two, of which half are free
	names list[nameOn] // in the order in which they came
	text  []byte       // all names, one behind the other
}

// A nameSlot says where a name with a hash is.
type nameSlot struct {
	hash uint32
	at   int32 // in names, from 1; 0 if the slot is free
}

// A nameOn says where a name is in the text, and on which line it was.
type nameOn struct {
	from   int
	length int32
	line   int32
}

// add adds a name, unless it is there: then it returns the line that it is on.
func (s *nameSet) add(name []byte, line int) (before int, twice bool) {
	if 2*s.names.count >= len(s.slots) {
		s.grow()
	}
	hash := hashName(name)
	slot := s.slot(hash, name)
	if slot.at > 0 {
		return int(s.names.at(int(slot.at) - 1).line), true
	}
	s.names.add(nameOn{from: len(s.text), length: int32(len(name)), line: int32(line)})
	if len(name) > cap(s.text)-len(s.text) {
		s.text = slices.Grow(s.text, len(s.text)+len(name)) // twice as much: append would copy all often
	}
	s.text = append(s.text, name...)
	*slot = nameSlot{hash, int32(s.names.count)}
	return 0, false
}

// last returns the number of the name that was added last.
func (s *nameSet) last() int64 { return int64(s.names.count) - 1 }

// appendName implements batchNames.
func (s *nameSet) appendName(to []byte, number int64) []byte {
	on := s.names.at(int(number))
	return append(to, s.text[on.from:on.from+int(on.length)]...)
}

// slot returns the slot of a name, free if the name isn't there: the first behind its
// hash's place.
func (s *nameSet) slot(hash uint32, name []byte) *nameSlot {
	for i := int(hash); ; i++ {
		slot := &s.slots[i&(len(s.slots)-1)]
		if slot.at == 0 || slot.hash == hash && s.is(slot, name) {
			return slot
		}
	}
}

// is reports whether a slot is of a name.
func (s *nameSet) is(slot *nameSlot, name []byte) bool {
	on := s.names.at(int(slot.at) - 1)
	return bytes.Equal(s.text[on.from:on.from+int(on.length)], name)
}

// grow makes twice as many slots.
func (s *nameSet) grow() {
	old := s.slots
	s.slots = make([]nameSlot, max(256, 2*len(old)))
	for _, slot := range old {
		for i := int(slot.hash); slot.at > 0; i++ {
			if free := &s.slots[i&(len(s.slots)-1)]; free.at == 0 {
				*free = slot
				break
			}
		}
	}
}

// hashName mixes a name, eight bytes at a time, by products whose halves are folded.
func hashName(name []byte) uint32 {
	h := uint64(len(name)) * 0x9e3779b97f4a7c15
	for ; len(name) >= wordBytes; name = name[wordBytes:] {
		h = fold(h^binary.LittleEndian.Uint64(name), 0xe7037ed1a0b428db)
	}
	rest := uint64(0)
	for i := range len(name) {
		rest = rest<<8 | uint64(name[i])
	}
	h = fold(h^rest, 0x8ebc6af09c88c6e3)
	return uint32(h ^ h>>32)
}

func fold(a, b uint64) uint64 {
	high, low := bits.Mul64(a, b)
	return high ^ low
}
