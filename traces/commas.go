package traces

import "math/bits"

// Eight bytes are looked at together, as one number: branches that depend on where
// commas are take longer than all else that is done with a row.

// Words whose bytes are all alike.
const (
	wordBytes  = 8
	wordCommas = 0x2c2c2c2c2c2c2c2c
	wordLow    = 0x7f7f7f7f7f7f7f7f // all bits but the highest
)

// appendEnds appends where the fields of a line end, which has no quotes: where its
// commas are, and its own end.
func appendEnds(ends []int, line string) []int {
	i := 0
	for ; i+wordBytes <= len(line); i += wordBytes {
		for found := zeroBytes(word(line[i:]) ^ wordCommas); found != 0; found &= found - 1 {
			ends = append(ends, i+bits.TrailingZeros64(found)/8)
		}
	}
	for ; i < len(line); i++ {
		if line[i] == ',' {
			ends = append(ends, i)
		}
	}
	return append(ends, len(line))
}

// word returns the first eight bytes of text, the first of them lowest.
func word(text string) uint64 {
	_ = text[wordBytes-1]
	return uint64(text[0]) | uint64(text[1])<<8 | uint64(text[2])<<16 | uint64(text[3])<<24 |
		uint64(text[4])<<32 | uint64(text[5])<<40 | uint64(text[6])<<48 | uint64(text[7])<<56
}

// zeroBytes returns a word with the highest bit of each byte that is 0 in w, and no
// other: the sum below sets that bit of a byte whose lower bits aren't all 0, and
// carries nothing into the next. Warren, "Hacker's Delight", 6-1.
func zeroBytes(w uint64) uint64 { return ^(w&wordLow + wordLow | w | wordLow) }
