package traces

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/faults"
	"github.com/berthsim/berth/internal/chance"
)

// failureArchive reads distributions that were fitted to recordings of the Failure
// Trace Archive (Javadi, Kondo, Iosup, Epema, JPDC 73(8), 2013), as OpenDC has
// them. Intervals are read as a node's times of operation between failures: of a
// whole system, they would be far too long. OpenDC lets each failure hit a random
// share of hosts.
var failureArchive = &Format{
	Name: "fta",
	Doc:  "distributions fitted to recordings of the Failure Trace Archive: each node fails on its own",
	Path: "a CSV file with the columns archive, distribution, interarrival_p1 and _p2, duration_p1 and _p2 (hours)",
	Options: []Option{
		{"archive", "", "whose failures: a name in the file's column archive, such as Lanl05"},
		{"fit", "weibull", "the distribution: exponential, weibull, lognormal or gamma"},
		kindOption,
	},
	Recognise:  func(path string) bool { return strings.HasSuffix(path, "failure_models.csv") },
	OpenFaults: openFailureArchive,
}

// fittedColumns are the columns of the file.
var fittedColumns = []string{"archive", "distribution", "interarrival_p1", "interarrival_p2", "duration_p1", "duration_p2"}

func openFailureArchive(path string, s Settings) (*Faults, error) {
	effect, err := s.kind()
	if err != nil {
		return nil, err
	}
	content, err := readFile(path)
	if err != nil {
		return nil, err
	}
	models, err := readFitted(path, content)
	if err != nil {
		return nil, err
	}
	var archives, fits []string
	for i := range models {
		m := &models[i]
		if !slices.Contains(archives, m.archive) {
			archives = append(archives, m.archive)
		}
		if m.archive != s["archive"] {
			continue
		}
		fits = append(fits, m.fit)
		if m.fit == s["fit"] {
			m.model.Effect = effect
			hash := hashOf([]byte("fta/1"), []byte(m.model.String()))
			return &Faults{Hash: hash, source: m.model.Source}, nil
		}
	}
	if fits == nil {
		_, err = s.choice("archive", archives)
	} else {
		_, err = s.choice("fit", fits)
	}
	return nil, err
}

// A fitted is a row of the file.
type fitted struct {
	archive, fit string
	model        faults.Renewal
}

// fittedFamilies has the names in the column distribution, but for what is behind
// them in parentheses.
var fittedFamilies = map[string]faults.Family{
	"exponential": faults.Exponential, "weibull": faults.Weibull, "lognormal": faults.LogNormal, "gamma": faults.Gamma,
}

// readFitted reads the content of a file.
func readFitted(file string, content []byte) ([]fitted, error) {
	t, err := newTable(file, content, fittedColumns)
	if err != nil {
		return nil, err
	}
	var models []fitted
	err = t.each(func() error {
		m, err := fittedRow(t)
		if err != nil {
			return err
		}
		for i := range models {
			if models[i].archive == m.archive && models[i].fit == m.fit {
				return t.wrongField(t.at("distribution"), "the archive has that distribution already: leave one out")
			}
		}
		models = append(models, m)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(models) == 0 {
		return nil, &Error{File: file, Problem: "no distributions", Remedy: "give a file with at least one"}
	}
	return models, nil
}

// fittedRow makes a model of the current row.
func fittedRow(t *table) (m fitted, err error) {
	m.archive = strings.Clone(t.text(t.at("archive")))
	if m.archive == "" {
		return m, t.wrongField(t.at("archive"), "give a name")
	}
	m.fit, _, _ = strings.Cut(strings.Clone(t.text(t.at("distribution"))), "(")
	family, ok := fittedFamilies[m.fit]
	if !ok {
		return m, t.wrongField(t.at("distribution"), "give exponential, weibull, lognormal or gamma")
	}
	if m.model.MTBF, err = t.fitted("interarrival", family); err != nil {
		return m, err
	}
	m.model.Repair, err = t.fitted("duration", family)
	return m, err
}

// fitted reads the two parameters of a distribution of hours.
func (t *table) fitted(what string, family faults.Family) (faults.Dist, error) {
	first, second := what+"_p1", what+"_p2"
	if family == faults.Exponential {
		mean, err := t.hours(first, t.text(t.at(first)))
		return faults.Dist{Time: mean}, err
	}
	d := faults.Dist{Family: family, Other: true}
	shape, scale := first, second
	if family == faults.LogNormal { // mu, then sigma
		shape, scale = second, first
	}
	var err error
	if d.Shape, err = strconv.ParseFloat(t.text(t.at(shape)), 64); err != nil || !d.Valid() {
		return d, t.wrongField(t.at(shape), "give a shape from 0.1 (gamma: 0.05) to 100, or a sigma up to 5")
	}
	hours := t.text(t.at(scale))
	if family == faults.LogNormal {
		mu, err := strconv.ParseFloat(hours, 64)
		if err != nil || !(math.Abs(mu) < 20) {
			return d, t.wrongField(t.at(scale), "give the mean of the logarithm of hours, from -20 to 20")
		}
		hours = formatNumber(chance.Exp(mu))
	}
	d.Time, err = t.hours(scale, hours)
	return d, err
}

// hours returns the time that a column's text gives in hours.
func (t *table) hours(column, text string) (cluster.Time, error) {
	const least, most = 1e-6, 1e6
	h, err := strconv.ParseFloat(text, 64)
	if err != nil || !(h >= least && h <= most) {
		return 0, t.wrongField(t.at(column), "give hours from 0.000001 to 1000000")
	}
	return cluster.Time(math.Round(float64(h * float64(cluster.Hour)))), nil
}
