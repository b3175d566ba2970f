package traces

import (
	"fmt"
	"strconv"
	"strings"
)

// A Format knows how to make a Trace, or Faults, of what one kind of PATH names.
type Format struct {
	Name    string // as written before the colon in a TRACE
	Doc     string // a sentence, for people
	Path    string // what PATH is, for people
	Options []Option

	// Names are what PATH may be beside a path: of what the program has itself.
	Names []string

	// Recognise reports whether what lies at path looks like this format. It
	// is nil if PATH is no path, but the name of something generated.
	Recognise func(path string) bool

	// Open reads the trace. The Opener sets its Name and Format. An Error
	// without a File is about the settings. Only Formats have it.
	Open func(path string, s Settings) (*Trace, error)

	// OpenFaults reads the faults likewise. Only FaultFormats have it.
	OpenFaults func(path string, s Settings) (*Faults, error)
}

// An Option is a key that a TRACE may have behind the question mark.
type Option struct {
	Name    string
	Default string // "" if what holds then is for Doc to say
	Doc     string
}

// Settings are the values of a format's options, by name: what the user wrote,
// or the option's Default. Options with neither are absent.
type Settings map[string]string

// Formats lists the formats of traces.
var Formats = []*Format{
	own,
	openb, philly, swf, azure, azurePacking, alibaba2018, alibaba2017, googleTasks, google2019, dlrm, pai, spot, heliosJobs, helios,
	openDCTasks, genAI, podMemory, byteDance,
	simkube, kss.format(), kwok.format(), audit.format(), snapshot,
	sample, synthetic, modelled,
}

// FaultFormats lists the formats of recorded and written failures.
var FaultFormats = []*Format{script, google2011, openDC, failureArchive, kss.faults(), kwok.faults(), audit.faults(), google2019Faults, alibaba2017Faults, ownFaults}

// choice returns the value of an option that must be one of among.
func (s Settings) choice(key string, among []string) (string, error) {
	for _, value := range among {
		if s[key] == value {
			return value, nil
		}
	}
	return "", s.wrong(key, "give one of "+strings.Join(among, ", "))
}

// integer returns the value of an option that must be a whole number.
func (s Settings) integer(key string, least, most int) (int, error) {
	n, err := strconv.Atoi(s[key])
	if err != nil || n < least || n > most {
		return 0, s.wrong(key, fmt.Sprintf("give a whole number from %d to %d", least, most))
	}
	return n, nil
}

// maxLoad is a load that nobody means. It keeps workloads finite.
const maxLoad = 1000

// load returns the value of the option load: a share of capacity, above 0; or
// otherwise, if it is absent.
func (s Settings) load(otherwise float64) (float64, error) {
	if _, given := s["load"]; !given {
		return otherwise, nil
	}
	f, err := strconv.ParseFloat(s["load"], 64)
	if err != nil || !(f > 0) || f > maxLoad {
		return 0, s.wrong("load", fmt.Sprintf("give a share of capacity above 0 and up to %d, such as 1.3", maxLoad))
	}
	return f, nil
}

// wrong returns the error that an option's value is not what it must be.
func (s Settings) wrong(key, remedy string) *Error {
	return &Error{Problem: key + " is " + quoted(s[key]), Remedy: remedy}
}

// formatNumber writes f with as many digits as it takes to read it back.
func formatNumber(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }
