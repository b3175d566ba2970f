package traces

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// slowTable reads what a table does with package encoding/csv, and writes down its rows,
// each field with its line, its empty lines, and what is wrong with it.
func slowTable(content []byte, width int) (report string) {
	r := csv.NewReader(bytes.NewReader(content))
	r.FieldsPerRecord = width
	end, line, blank := int64(0), 0, blankLines{}
	for {
		row, err := r.Read()
		// What the reader passed over, and what it took, are lines of the content.
		passed := content[end:r.InputOffset()]
		for end = r.InputOffset(); ; {
			rest, ok := bytes.CutPrefix(passed, []byte("\n"))
			if !ok {
				rest, ok = bytes.CutPrefix(passed, []byte("\r\n"))
			}
			if !ok {
				break
			}
			line++
			blank.add(line)
			passed = rest
		}
		line += bytes.Count(passed, []byte("\n"))
		var bad *csv.ParseError
		switch {
		case errors.Is(err, io.EOF):
			return report + fmt.Sprintf("%d empty lines from %d", blank.count, blank.first)
		case errors.As(err, &bad) && errors.Is(err, csv.ErrFieldCount):
			return report + fmt.Sprintf("f:%d: %d fields; give %d, ", bad.StartLine, len(row), r.FieldsPerRecord)
		case errors.As(err, &bad):
			return report + fmt.Sprintf("f:%d: %v; correct the quotes of the row", bad.StartLine, bad.Err)
		}
		for i, field := range row {
			line, _ := r.FieldPos(i)
			report += fmt.Sprintf("%d:%q ", line, field)
		}
		report += "\n"
	}
}

// fastTable does so with a table, which gets its content from r.
func fastTable(r io.Reader, width int) (report string) {
	t := newHeadless("f", r, make([]string, width))
	t.fields = ""
	err := t.each(func() error {
		for i := range column(t.count()) {
			report += fmt.Sprintf("%d:%q ", t.wrong(i, "", "").Line, t.text(i))
		}
		report += "\n"
		return nil
	})
	if err != nil {
		return report + err.Error()
	}
	return report + fmt.Sprintf("%d empty lines from %d", t.blank.count, t.blank.first)
}

// tableTexts are texts that a table must take apart, or refuse, as encoding/csv does.
var tableTexts = []string{
	"", "a", "a\n", "a,b\r\nc,d", "\n", "\r\n\r\na\r\n\r\nb", "a\n\n\n\nb\n", "a\r", "\r", "a\n\r", "a\r\r\n", "\ra\n", ",\n,,\n", "a,b\nc\n", "\n\na\n\nb,c\n",
	`"a"`, `"a,b",c`, `"a""b"`, `""`, `"",""` + "\n", "\"a\nb\",c\n\"d\n\n\ne\",\"f\ng\"\nh,i", "\"a\r\nb\"\r\n", "\"a\"\r", "\"a\r", "\"a\n\r",
	`a"b`, `"a"b`, `"a`, "a,\"\n", `a,b"`, "\"a\n\nb\"\"\n,c", "x,y\n\"a\nb\",\"c\"d", "\"a\nb\",c\"\n", "é,\"ü\n\"", "\x00,\xff\n", `"a"` + "\rb", `a,"` + "\n\n",
}

func TestTableLikeEncodingCSV(t *testing.T) {
	for _, text := range tableTexts {
		for width := range 3 {
			checkTable(t, []byte(text), width)
		}
	}
}

func FuzzTable(f *testing.F) {
	for _, text := range tableTexts {
		f.Add([]byte(text), uint(2))
	}
	f.Fuzz(func(t *testing.T, content []byte, width uint) { checkTable(t, content, int(width%5)) })
}

// checkTable compares, also where chunks of the file end anywhere, and with its end
// coming together with its last bytes.
func checkTable(t *testing.T, content []byte, width int) {
	t.Helper()
	want := slowTable(content, width)
	for how, r := range map[string]io.Reader{
		"whole": bytes.NewReader(content), "by bytes": iotest.OneByteReader(bytes.NewReader(content)), "by halves": iotest.HalfReader(bytes.NewReader(content)),
		"with its end": iotest.DataErrReader(bytes.NewReader(content)),
	} {
		if got := fastTable(r, width); got != want {
			t.Errorf("%q, %d fields, %s:\ngot  %s\nwant %s", content, width, how, got, want)
		}
	}
}

// TestTableOfLongLines has lines as long as chunks, and longer.
func TestTableOfLongLines(t *testing.T) {
	for _, n := range []int{textChunk - 1, textChunk, textChunk + 1, 3*textChunk + 7} {
		long := strings.Repeat("x", n)
		checkTable(t, []byte("a,b\n"+long+",c\n\nd,e\n"+long+`,"`+long+"\n"+long+"\"\nf,"+long), 2)
	}
}

// TestTableThatCannotBeRead checks that rows come up to where reading fails, and that of
// a part of a row nothing is said.
func TestTableThatCannotBeRead(t *testing.T) {
	broken := errors.New("broken")
	for text, rows := range map[string]int{"a,b\nc,d\ne,f": 2, "a,b\nc\"": 1, "a,b\n\"c\nd": 1, "": 0} {
		n := 0
		table := newHeadless("f", io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken)), []string{"x", "y"})
		err := table.each(func() error { n++; return nil })
		if !errors.Is(err, broken) || n != rows {
			t.Errorf("%q: %d rows, then %v", text, n, err)
		}
	}
	idle := newHeadless("f", idleReader{}, nil)
	if _, err := idle.next(); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("a reader that never reads: %v", err)
	}
}

// An idleReader reads nothing for ever.
type idleReader struct{}

func (idleReader) Read([]byte) (int, error) { return 0, nil }

// TestTableColumns asks for columns that are there, and for one that isn't.
func TestTableColumns(t *testing.T) {
	table := newHeadless("f", strings.NewReader(strings.Repeat("0,1,2\n", 40)), []string{"a", "b", "c"})
	at, n := [4]column{table.at("c"), table.at("d"), table.at("a"), table.at("b")}, 0
	err := table.each(func() error {
		for i, want := range [4]string{"2", "", "0", "1"} {
			if got := table.text(at[i]); got != want {
				t.Errorf("row %d: column %d is %q, want %q", n, i, got, want)
			}
		}
		n++
		return nil
	})
	if err != nil || n != 40 || table.at("d") != at[1] || table.has("d") || !table.has("c") {
		t.Errorf("%d rows, %v; has d: %v", n, err, table.has("d"))
	}
	if got := table.empty(at[2], at[1], at[0]); got != "d" {
		t.Errorf("%q is empty", got)
	}
	want := `f:40: d is ""; x`
	if got := table.wrongField(at[1], "x").Error(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestTableAllocations checks that rows take no memory of their own.
func TestTableAllocations(t *testing.T) {
	content := []byte(strings.Repeat("alpha,17,3.25,2017-10-09 07:01:55\n", 10*textChunk/34))
	columns := []string{"name", "n", "x", "at"}
	allocations := testing.AllocsPerRun(5, func() {
		table := newHeadless("f", bytes.NewReader(content), columns)
		err := table.each(func() error {
			if table.empty(0, 1, 2, 3) != "" || !isName(table.text(0)) {
				return table.wrongField(0, "")
			}
			_, err := table.amount(1, 20)
			_, err2 := table.number(2, 20)
			_, err3 := table.moment(3)
			return errors.Join(err, err2, err3)
		})
		if err != nil {
			t.Error(err)
		}
	})
	if allocations > 60 {
		t.Errorf("%v allocations in 10 chunks", allocations)
	}
}

// TestLinesLikeFields compares fields of lines with the standard library's, at each place
// of a word.
func TestLinesLikeFields(t *testing.T) {
	for _, line := range []string{"", " ", "a", " a", "a ", "a b", "\ta\v\fb\r c  d", "a\u00a0b\u2003c", "a\x85b", "ab cd\xff e", "é è", "a\x08b\x0ec\x1fd\x7f e!", "\x00 \x00"} {
		for i := range 17 {
			checkFields(t, strings.Repeat(" ", i)+line)
			checkFields(t, strings.Repeat("x", i)+line+strings.Repeat("y z", i))
		}
	}
	for c := range 256 {
		checkFields(t, "ab"+string([]byte{byte(c), 'c', byte(c), byte(c)})+"def")
	}
}

// checkFields compares, with bounds there already, as a line before may have left them.
func checkFields(t *testing.T, line string) {
	t.Helper()
	l := &lineReader{}
	l.row, l.bounds = splitFields(line, make([]int, 0, 4))
	if got, want := l.fields(), strings.Fields(line); !slices.Equal(got, want) {
		t.Errorf("%q: got %q, want %q", line, got, want)
	}
}

func FuzzFields(f *testing.F) {
	f.Add("\ta\v\fb\r c  d")
	f.Add("a\u00a0b\u2003c")
	f.Fuzz(checkFields)
}
