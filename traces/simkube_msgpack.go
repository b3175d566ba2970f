package traces

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/vmihailenco/msgpack/v5"
	"github.com/vmihailenco/msgpack/v5/msgpcode"
)

// Bounds of what is read as MessagePack: how deep it nests, and bytes as JSON.
const (
	deepestSimkube = 1000
	longestSimkube = 1 << 30
)

// jsonOf returns the text of a recording, which as MessagePack is turned into JSON.
// Keys there become strings: the number 7 is "7", the pair of a and b is "a b".
func jsonOf(file string, in io.Reader) ([]byte, error) {
	first := make([]byte, 1)
	switch _, err := io.ReadFull(in, first); {
	case errors.Is(err, io.EOF):
		return nil, &Error{File: file, Problem: "the file is empty", Remedy: "fetch it again"}
	case err != nil:
		return nil, err
	case first[0] == '{' || first[0] == ' ' || first[0] == '\n' || first[0] == '\t':
		rest, err := io.ReadAll(io.LimitReader(in, longestSimkube))
		return append(first, rest...), err
	}
	in = io.MultiReader(&oneByte{first}, in)
	m := msgpackReader{from: msgpack.NewDecoder(in), file: file}
	if err := m.value(0); err != nil {
		return nil, m.failed(err)
	}
	if _, err := m.from.PeekCode(); !errors.Is(err, io.EOF) {
		if err != nil {
			return nil, m.failed(err)
		}
		return nil, &Error{File: file, Problem: "there is more behind the recording", Remedy: "fetch the file again"}
	}
	return m.out, nil
}

// oneByte yields what is left of it. A bytes.Reader would do, and let a decoder seek.
type oneByte struct{ left []byte }

// Read implements io.Reader.
func (o *oneByte) Read(p []byte) (int, error) {
	if len(o.left) == 0 {
		return 0, io.EOF
	}
	n := copy(p, o.left)
	o.left = o.left[n:]
	return n, nil
}

// A msgpackReader writes MessagePack as JSON. What it reads grows with the file, not
// with the lengths that the file claims.
type msgpackReader struct {
	from *msgpack.Decoder
	file string
	out  []byte
}

// failed tells damaged data from what the system fails to read.
func (m *msgpackReader) failed(err error) error {
	var wrong *Error
	if errors.As(err, &wrong) {
		return err
	}
	problem := "no MessagePack: " + jsonProblem(err)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		problem = "the MessagePack ends early"
	}
	return &Error{File: m.file, Problem: problem, Remedy: "fetch the file again"}
}

// value writes the next value.
func (m *msgpackReader) value(depth int) error {
	if depth > deepestSimkube || len(m.out) > longestSimkube {
		return &Error{File: m.file, Problem: "the recording is too deep or too long", Remedy: "give a shorter one"}
	}
	code, err := m.from.PeekCode()
	if err != nil {
		return err
	}
	switch {
	case code == msgpcode.Nil:
		m.out = append(m.out, "null"...)
		return m.from.DecodeNil()
	case code == msgpcode.True || code == msgpcode.False:
		b, err := m.from.DecodeBool()
		m.out = strconv.AppendBool(m.out, b)
		return err
	case msgpcode.IsFixedString(code) || code >= msgpcode.Str8 && code <= msgpcode.Str32:
		return m.text()
	case code == msgpcode.Float || code == msgpcode.Double:
		f, err := m.from.DecodeFloat64()
		if err == nil && (math.IsNaN(f) || math.IsInf(f, 0)) {
			err = fmt.Errorf("a number is %v", f)
		}
		m.out = strconv.AppendFloat(m.out, f, 'g', -1, 64)
		return err
	case code == msgpcode.Uint64:
		n, err := m.from.DecodeUint64()
		m.out = strconv.AppendUint(m.out, n, 10)
		return err
	case msgpcode.IsFixedNum(code) || code >= msgpcode.Uint8 && code <= msgpcode.Int64:
		n, err := m.from.DecodeInt64()
		m.out = strconv.AppendInt(m.out, n, 10)
		return err
	case msgpcode.IsFixedArray(code) || code == msgpcode.Array16 || code == msgpcode.Array32:
		return m.array(depth)
	case msgpcode.IsFixedMap(code) || code == msgpcode.Map16 || code == msgpcode.Map32:
		return m.dictionary(depth)
	}
	return fmt.Errorf("a value has the code %#x, which JSON can't say", code)
}

// text writes a string, or what of it is UTF-8.
func (m *msgpackReader) text() error {
	s, err := m.from.DecodeString()
	if err != nil {
		return err
	}
	quoted, err := json.Marshal(s)
	m.out = append(m.out, quoted...)
	return err
}

func (m *msgpackReader) array(depth int) error {
	n, err := m.from.DecodeArrayLen()
	m.out = append(m.out, '[')
	for i := 0; i < n && err == nil; i++ {
		if i > 0 {
			m.out = append(m.out, ',')
		}
		err = m.value(depth + 1)
	}
	m.out = append(m.out, ']')
	return err
}

func (m *msgpackReader) dictionary(depth int) error {
	n, err := m.from.DecodeMapLen()
	m.out = append(m.out, '{')
	for i := 0; i < n && err == nil; i++ {
		if i > 0 {
			m.out = append(m.out, ',')
		}
		if err = m.key(); err == nil {
			m.out = append(m.out, ':')
			err = m.value(depth + 1)
		}
	}
	m.out = append(m.out, '}')
	return err
}

// key writes a key: a string, a number, or several of them with spaces between.
func (m *msgpackReader) key() error {
	start := len(m.out)
	if err := m.value(deepestSimkube - 2); err != nil {
		return err
	}
	var v any
	d := json.RawMessage(m.out[start:])
	if err := json.Unmarshal(d, &v); err != nil {
		return err
	}
	key := ""
	switch v := v.(type) {
	case string:
		return nil
	case float64:
		key = string(d)
	case []any:
		for i, part := range v {
			if i > 0 {
				key += " "
			}
			key += fmt.Sprint(part)
		}
	default:
		return errors.New("a key is no string, no number and no pair of them")
	}
	quoted, err := json.Marshal(key)
	m.out = append(m.out[:start], quoted...)
	return err
}
