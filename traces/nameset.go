package traces

import "math/bits"

// A nameSet holds names and the lines that they are on. Its table has no pointers for
// the collector to follow, and names take no more than their place in a list: a map
// takes several times as long for millions.
type nameSet struct {
	slots []nameSlot   // a power of two, of which half are free
	names list[nameOn] // in the order in which they came
}

// A nameSlot says where a name with a hash is.
type nameSlot struct {
	hash uint32
	at   int32 // in names, from 1; 0 if the slot is free
}

type nameOn struct {
	name string
	line int
}

// add adds a name, unless it is there: then it returns the line that it is on.
func (s *nameSet) add(name string, line int) (before int, twice bool) {
	if 2*s.names.count >= len(s.slots) {
		s.grow()
	}
	hash := hashName(name)
	slot := s.slot(hash, name)
	if slot.at > 0 {
		return s.names.at(int(slot.at) - 1).line, true
	}
	s.names.add(nameOn{name, line})
	*slot = nameSlot{hash, int32(s.names.count)}
	return 0, false
}

// slot returns the slot of a name, free if the name isn't there: the first behind its
// hash's place.
func (s *nameSet) slot(hash uint32, name string) *nameSlot {
	for i := int(hash); ; i++ {
		slot := &s.slots[i&(len(s.slots)-1)]
		if slot.at == 0 || slot.hash == hash && s.names.at(int(slot.at)-1).name == name {
			return slot
		}
	}
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
func hashName(name string) uint32 {
	h := uint64(len(name)) * 0x9e3779b97f4a7c15
	for ; len(name) >= wordBytes; name = name[wordBytes:] {
		h = fold(h^word(name), 0xe7037ed1a0b428db)
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
