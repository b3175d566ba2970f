package faults

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/internal/input"
)

// quoted returns what a spec says, short enough for a line.
func quoted(text string) string { return input.Quoted(text) }

// An expr is a word, or a name with options: NAME(KEY=EXPR, …).
type expr struct {
	text string // of a word, or the name
	opts *options
}

// options are what an expr has between parentheses, or a line of a script at its
// end. Each is taken once; what is left over is an error.
type options struct {
	of    string // what they are options of, for people
	known []string
	keys  []string
	exprs []expr
}

// maxNesting is deeper than any spec that means something.
const maxNesting = 4

// parseExpr reads the expr at the beginning of text, and returns what is behind
// it.
func parseExpr(text string, depth int) (e expr, rest string, err error) {
	text = strings.TrimLeft(text, " ")
	end := strings.IndexAny(text, "(),=+ ")
	if end < 0 {
		end = len(text)
	}
	e.text, rest = text[:end], strings.TrimLeft(text[end:], " ")
	if e.text == "" {
		return e, rest, &Error{Problem: "something is missing before " + quoted(rest), Remedy: "write NAME(KEY=VALUE,…), such as exp(mtbf=30d,mttr=1h)"}
	}
	if !strings.HasPrefix(rest, "(") {
		return e, rest, nil
	}
	if depth == maxNesting {
		return e, rest, &Error{Problem: "parentheses are nested too deep", Remedy: "write NAME(KEY=VALUE,…), where a value may be a distribution"}
	}
	e.opts = &options{of: e.text}
	for more := true; more; {
		key, after, found := strings.Cut(rest[1:], "=")
		key = strings.TrimSpace(key)
		if !found || key == "" || strings.ContainsAny(key, "(),+ ") {
			return e, rest, &Error{Problem: "no KEY=VALUE at " + quoted(rest[1:]), Remedy: "write " + e.text + "(KEY=VALUE,…)"}
		}
		var value expr
		if value, rest, err = parseExpr(after, depth+1); err != nil {
			return e, rest, err
		}
		if err := e.opts.add(key, value); err != nil {
			return e, rest, err
		}
		more = strings.HasPrefix(rest, ",")
	}
	rest, found := strings.CutPrefix(rest, ")")
	if !found {
		return e, rest, &Error{Problem: e.text + "( is not closed", Remedy: "write ) behind its last option"}
	}
	return e, strings.TrimLeft(rest, " "), nil
}

func (o *options) add(key string, value expr) error {
	if slices.Contains(o.keys, key) {
		return &Error{Problem: key + " is given twice", Remedy: "leave one out"}
	}
	o.keys, o.exprs = append(o.keys, key), append(o.exprs, value)
	return nil
}

func (o *options) has(key string) bool { return slices.Contains(o.keys, key) }

// take takes the option called key out, if it is there.
func (o *options) take(key string) (e expr, ok bool) {
	o.known = append(o.known, key)
	i := slices.Index(o.keys, key)
	if i < 0 {
		return expr{}, false
	}
	e = o.exprs[i]
	o.keys, o.exprs = slices.Delete(o.keys, i, i+1), slices.Delete(o.exprs, i, i+1)
	return e, true
}

// word takes the option called key, which must be a word, or returns otherwise
// if it isn't there; "" for one that must be.
func (o *options) word(key, otherwise string) (string, error) {
	e, ok := o.take(key)
	switch {
	case !ok && otherwise == "":
		return "", &Error{Problem: o.of + " has no " + key, Remedy: "write " + key + "=VALUE"}
	case !ok:
		return otherwise, nil
	case e.opts != nil:
		return "", &Error{Problem: key + " is " + quoted(e.text+"(…)"), Remedy: "give a word"}
	}
	return e.text, nil
}

// duration takes the option called key, which must be there and above 0.
func (o *options) duration(key string) (cluster.Time, error) {
	text, err := o.word(key, "")
	if err != nil {
		return 0, err
	}
	t, err := ParseDuration(text)
	if err == nil && t == 0 {
		err = &Error{Problem: key + " is 0", Remedy: "give a duration above 0"}
	}
	return t, err
}

// choice takes the option called key, which must be there and one of among.
func (o *options) choice(key string, among []string) (string, error) {
	text, err := o.word(key, "")
	if err == nil && !slices.Contains(among, text) {
		err = &Error{Problem: key + " is " + quoted(text), Remedy: "give one of " + strings.Join(among, ", ")}
	}
	return text, err
}

// number takes the option called key, which must be there and from least to most.
func (o *options) number(key string, least, most float64) (float64, error) {
	text, err := o.word(key, "")
	if err != nil {
		return 0, err
	}
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || !(x >= least) || !(x <= most) {
		return 0, &Error{Problem: key + " is " + quoted(text), Remedy: fmt.Sprintf("give a number from %v to %v", least, most)}
	}
	return math.Abs(x), nil // -0 is 0
}

// rest returns an error if there are options that nobody has taken.
func (o *options) rest() error {
	if len(o.keys) == 0 {
		return nil
	}
	remedy := "it takes none"
	if len(o.known) > 0 {
		remedy = "it takes " + strings.Join(o.known, ", ")
	}
	return &Error{Problem: o.of + " has no option " + quoted(o.keys[0]), Remedy: remedy}
}

// formatNumber writes f with as many digits as it takes to read it back.
func formatNumber(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }
