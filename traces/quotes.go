package traces

import (
	"encoding/csv"
	"errors"
	"io"
	"strings"
)

// splitQuoted takes a row apart that has quotes in it, the first line of which is line,
// with a line break or without. It does so as package encoding/csv, and with its errors:
// csv.ErrQuote if what is quoted doesn't end where its field ends, csv.ErrBareQuote if
// there is a quote in the midst of what isn't. Such rows are few, so that their fields
// may take memory.
func (t *table) splitQuoted(line string, broken bool) error {
	t.start, t.ends, t.starts = t.lines.line, t.ends[:0], t.starts[:0]
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
		if len(t.ends) > 0 {
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
