package traces

// classTexts has the numbers of classes by the text that says what a row asks for: most rows
// have one that a row before had, so that it need not be read again. It forgets some. Texts
// are held as numbers, without a pointer for the collector to follow.
type classTexts struct{ recent []heldText } // the last one with each hash

// A heldText is a text of 8 to 16 bytes, which its first and its last eight and its length
// tell from all others, and the number of its class.
type heldText struct {
	first, last uint64
	length      int32 // 0 if there is none
	class       int32
}

// hold returns a text as it is held, if it can be, and where.
func hold(text string) (held heldText, at uint64, ok bool) {
	if len(text) < wordBytes || len(text) > 2*wordBytes {
		return held, 0, false
	}
	held = heldText{first: word(text), last: word(text[len(text)-wordBytes:]), length: int32(len(text))}
	return held, fold(held.first^0xe7037ed1a0b428db, held.last^0xa0761d6478bd642f) % recentClasses, true
}

// class returns the number that was kept with a text, if it is still known.
func (ts *classTexts) class(text string) (class int32, known bool) {
	held, at, ok := hold(text)
	if !ok || ts.recent == nil {
		return 0, false
	}
	recent := &ts.recent[at]
	held.class = recent.class
	return held.class, *recent == held
}

// keep keeps the number of the class that a text stands for.
func (ts *classTexts) keep(text string, class int32) {
	held, at, ok := hold(text)
	if !ok {
		return
	}
	if ts.recent == nil {
		ts.recent = make([]heldText, recentClasses)
	}
	held.class = class
	ts.recent[at] = held
}
