package faults

import (
	"slices"
	"strings"
	"unicode"

	"github.com/berthsim/berth/cluster"
)

// Parse reads the spec of a model:
//
//	none
//	exp(mtbf=30d,mttr=1h)
//	weibull(shape=0.7,mtbf=30d,mttr=lognormal(median=15m,sigma=1.2),kind=hang)
//	nodes(mtbf=DIST,mttr=DIST)       and racks(…), zones(…): see Renewal
//	correlated(mtbf=7d,share=0.1,by=rack,within=2m,mttr=30m)
//	exp(mtbf=30d,mttr=1h)+zones(mtbf=60d,mttr=30m,kind=partition)
//	at 40s crash n3 for 10m; at 1h outage zone-a for 20m: a script
//
// What a DIST may be, Dist says. The first lines are short for nodes(…): the name
// is the distribution of times between failures. Repair times that are given as a
// duration are exponential with that mean, which is an hour if nothing is given. Every model but a script takes kind=KIND,
// crash if it is left out, with the parameters of that kind (period and down of
// flap, by of late, signal of pressure). Parse returns an *Error whose File is the
// spec if it is not as it must be.
func Parse(spec string) (Model, error) {
	if IsScript(spec) {
		return ParseScript("", spec)
	}
	m, err := parseSum(spec)
	return m, wrongAt(err, spec, 0)
}

func parseSum(spec string) (Model, error) {
	if !printable(spec) {
		return nil, &Error{Problem: "the spec has characters that can't be seen", Remedy: "leave them out"}
	}
	if strings.TrimSpace(spec) == none {
		return Sum(nil), nil
	}
	var sum Sum
	for rest, more := spec, true; more; {
		var e expr
		var err error
		if e, rest, err = parseExpr(rest, 0); err != nil {
			return nil, err
		}
		m, err := parseModel(e)
		if err != nil {
			return nil, err
		}
		sum = append(sum, m)
		if rest, more = strings.CutPrefix(rest, "+"); !more && rest != "" {
			return nil, &Error{Problem: quoted(rest) + " is behind the end", Remedy: "leave it out, or write + between models"}
		}
	}
	if len(sum) == 1 {
		return sum[0], nil
	}
	return sum, nil
}

// printable reports whether a line can be repeated in an error.
func printable(line string) bool {
	return !strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) })
}

// parseModel makes a model of an expr.
func parseModel(e expr) (m Model, err error) {
	if e.opts == nil {
		return nil, &Error{Problem: quoted(e.text) + " is no model", Remedy: "write NAME(KEY=VALUE,…), such as exp(mtbf=30d,mttr=1h), or " + none}
	}
	if e.text == "correlated" {
		m, err = parseCorrelated(e.opts)
	} else {
		m, err = parseRenewal(e)
	}
	if err != nil {
		return nil, err
	}
	return m, e.opts.rest()
}

func parseRenewal(e expr) (m *Renewal, err error) {
	m = &Renewal{}
	family := -1
	for i, name := range domainNames {
		if e.text == name+"s" {
			m.By = Domain(i)
			family = -2
		}
	}
	for i := range families[:Forever] {
		if e.text == families[i].name {
			family = i
		}
	}
	switch family {
	case -1:
		return nil, &Error{
			Problem: "there is no model " + quoted(e.text),
			Remedy:  "write one of exp, weibull, lognormal, gamma, fixed, nodes, racks, zones, correlated",
		}
	case -2:
		m.MTBF, err = e.opts.dist("mtbf")
	default:
		m.MTBF, err = distOfMTBF(Family(family), e.opts)
	}
	if err != nil {
		return nil, err
	}
	if m.Repair, err = repairOf(e.opts); err != nil {
		return nil, err
	}
	m.Effect, err = modelEffect(e.opts)
	return m, err
}

// usualRepair is the mean of repair times, which are exponential, where a spec
// says nothing of them.
const usualRepair = cluster.Hour

// repairOf takes the option mttr.
func repairOf(opts *options) (Dist, error) {
	if !opts.has("mttr") {
		opts.known = append(opts.known, "mttr")
		return Dist{Time: usualRepair}, nil
	}
	return opts.dist("mttr")
}

// distOfMTBF takes a distribution of a family whose mean is the option mtbf.
func distOfMTBF(family Family, opts *options) (d Dist, err error) {
	d.Family = family
	if f := &families[family]; f.shape != "" {
		if d.Shape, err = opts.number(f.shape, f.least, f.most); err != nil {
			return d, err
		}
	}
	if d.Time, err = opts.duration("mtbf"); err != nil {
		return d, err
	}
	return d, checkMean("mtbf", d.Time)
}

// leastShare bounds shares from below: it would take incidents without number to
// hit anything.
const leastShare = 1e-6

func parseCorrelated(opts *options) (m *Correlated, err error) {
	m = &Correlated{}
	if m.MTBF, err = opts.dist("mtbf"); err != nil {
		return nil, err
	}
	if m.Share, err = opts.number("share", leastShare, 1); err != nil {
		return nil, err
	}
	if m.By, err = domainOf(opts); err != nil {
		return nil, err
	}
	within, err := opts.word("within", "0s")
	if err != nil {
		return nil, err
	}
	if m.Within, err = ParseDuration(within); err != nil {
		return nil, err
	}
	if m.Repair, err = repairOf(opts); err != nil {
		return nil, err
	}
	m.Effect, err = modelEffect(opts, Late) // whose option by is taken
	return m, err
}

// modelEffect takes the option kind, which must be none of refused, and those of
// the kind.
func modelEffect(opts *options, refused ...Kind) (Effect, error) {
	word, err := opts.word("kind", Crash.String())
	if err != nil {
		return Effect{}, err
	}
	kind, err := ParseKind(word)
	if err != nil {
		return Effect{}, err
	}
	if slices.Contains(refused, kind) {
		return Effect{}, &Error{Problem: opts.of + " has no kind " + word, Remedy: "use nodes(…), racks(…) or zones(…) for that kind"}
	}
	return effectOf(kind, opts)
}
