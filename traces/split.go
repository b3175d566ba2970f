package traces

import (
	"encoding/csv"
	"errors"
	"io"
	"math/bits"
	"strings"
)

// splitQuoted takes a row apart that has quotes in it, the first line of which is line,
// with a line break or without. It does so as package encoding/csv, and with its errors:
// csv.ErrQuote if what is quoted doesn't end where its field ends, csv.ErrBareQuote if
// there is a quote in the midst of what isn't. Such rows are few, so that their fields
// may take memory.
func (t *table) splitQuoted(line string, broken bool) error {
	t.start, t.ends, t.starts = t.lines.line, append(t.ends[:0], -1), t.starts[:0]
	var row strings.Builder
	for more := true; more; {
		start, field := t.lines.line, ""
		if quoted, ok := strings.CutPrefix(line, `"`); ok {
			var err error
			if field, line, more, err = t.unquote(quoted, &broken); err != nil {
				return err
			}
		} else if field, line, more = strings.Cut(line, ","); strings.Contains(field, `"`) {
			return csv.ErrBareQuote
		}
		if t.count() > 0 {
			row.WriteByte(',')
		}
		row.WriteString(field)
		t.ends, t.starts = append(t.ends, row.Len()), append(t.starts, start)
	}
	t.row = row.String()
	return nil
}

// unquote returns the field that begins with rest, behind its first quote, and what is
// left of the line behind the field and its comma. If there is no comma, the row has
// no more fields. Lines are read until the field ends; broken says whether the last of
// them has a line break.
func (t *table) unquote(rest string, broken *bool) (field, left string, more bool, err error) {
	var text strings.Builder
	for {
		part, behind, found := strings.Cut(rest, `"`)
		text.WriteString(part)
		switch {
		case !found && !*broken:
			return "", "", false, csv.ErrQuote
		case !found:
			text.WriteByte('\n')
			rest, *broken, err = t.lines.next()
			if errors.Is(err, io.EOF) {
				err = csv.ErrQuote
			}
			if err != nil {
				return "", "", false, err
			}
		case strings.HasPrefix(behind, `"`):
			text.WriteByte('"')
			rest = behind[1:]
		case strings.HasPrefix(behind, ","):
			return text.String(), behind[1:], true, nil
		case behind == "":
			return text.String(), "", false, nil
		default:
			return "", "", false, csv.ErrQuote
		}
	}
}

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
