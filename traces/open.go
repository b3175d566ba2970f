package traces

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"unicode"
)

// An Opener opens traces. The zero Opener looks for them where their paths say.
type Opener struct {
	// Root is the folder in which a relative path is looked for that isn't
	// there; "" for none. Programs set it to $BERTH_TRACES.
	Root string
}

// Open reads the trace that a user names as "[FORMAT:]PATH[?key=value&…]". It
// returns an *Error if spec, or a file that it names, is not as it must be.
func (o Opener) Open(spec string) (*Trace, error) {
	format, path, settings, err := o.parse(spec, Formats)
	var t *Trace
	if err == nil {
		t, err = format.Open(path, settings)
	}
	if err != nil {
		return nil, about(spec, err)
	}
	t.Name, t.Format = spec, format.Name
	return t, nil
}

// about says of an error that isn't about a file that it is about spec.
func about(spec string, err error) error {
	var wrong *Error
	if errors.As(err, &wrong) && wrong.File == "" {
		wrong.File = spec
	}
	return err
}

// parse finds out which of some formats and what path spec means.
func (o Opener) parse(spec string, among []*Format) (format *Format, path string, s Settings, err error) {
	place, query, _ := strings.Cut(spec, "?")
	format, path = splitFormat(place, among)
	if format == nil || format.Recognise != nil && !slices.Contains(format.Names, path) {
		if path, err = o.find(path, among); err != nil {
			return nil, "", nil, err
		}
	}
	if format == nil {
		if format = recognise(path, among); format == nil {
			if file, is := aggregate(path); is {
				return nil, "", nil, &Error{
					File: file, Problem: "it says how busy a whole data centre was, and not what pods there were",
					Remedy: "give a recording of pods; this one only shows what shape their load has over time",
				}
			}
			return nil, "", nil, &Error{
				Problem: "no format recognises it",
				Remedy:  "write FORMAT:PATH, where FORMAT is one of " + formatNames(among),
			}
		}
	}
	s, err = parseSettings(format, query)
	return format, path, s, err
}

// splitFormat takes the name of a format off place. The format is nil if none is
// named there.
func splitFormat(place string, among []*Format) (*Format, string) {
	name, path, found := strings.Cut(place, ":")
	for _, f := range among {
		if found && f.Name == name {
			return f, path
		}
	}
	return nil, place
}

// find returns where path is: there, or under the root.
func (o Opener) find(path string, among []*Format) (string, error) {
	if path == "" {
		return "", &Error{Problem: "no path is given", Remedy: "write [FORMAT:]PATH[?key=value&…]"}
	}
	if strings.ContainsFunc(path, unicode.IsControl) {
		return "", &Error{Problem: "the path contains control characters", Remedy: "leave them out"}
	}
	_, err := os.Stat(path)
	if err == nil {
		return path, nil
	}
	if o.Root != "" && !filepath.IsAbs(path) {
		under := filepath.Join(o.Root, path)
		if _, err := os.Stat(under); err == nil {
			return under, nil
		}
	}
	for _, absent := range []error{fs.ErrNotExist, syscall.ENOTDIR, syscall.ENAMETOOLONG} {
		if errors.Is(err, absent) {
			return "", o.notFound(path, among)
		}
	}
	return "", fmt.Errorf("looking for the trace: %w", err)
}

// notFound returns the error that nothing lies at path. If what precedes a colon
// looks like a format's name, the mistake is there.
func (o Opener) notFound(path string, among []*Format) *Error {
	name, _, found := strings.Cut(path, ":")
	if found && len(name) > 1 && !strings.ContainsAny(name, `/\`) {
		return &Error{Problem: "there is no format " + quoted(name), Remedy: "write one of " + formatNames(among) + " before the colon"}
	}
	e := &Error{
		Problem: "no file or folder " + quoted(path),
		Remedy:  "give one that exists, or set BERTH_TRACES to the folder that contains it",
	}
	if o.Root != "" {
		e.Problem += ", nor is it under " + quoted(o.Root)
	}
	return e
}

// recognise returns the first format that takes path for its own, or nil.
func recognise(path string, among []*Format) *Format {
	for _, f := range among {
		if f.Recognise != nil && f.Recognise(path) {
			return f
		}
	}
	return nil
}

// formatNames lists the formats for people.
func formatNames(among []*Format) string {
	var names []string
	for _, f := range among {
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}

// parseSettings reads what is behind the question mark: key=value, with & between.
func parseSettings(f *Format, query string) (Settings, error) {
	s := Settings{}
	for pair := range strings.SplitSeq(query, "&") {
		if pair == "" { // no options at all, or & at an end
			continue
		}
		key, value, found := strings.Cut(pair, "=")
		if !f.takes(key) {
			return nil, &Error{
				Problem: "there is no option " + quoted(key),
				Remedy:  f.Name + " takes " + f.optionNames(),
			}
		}
		if !found || value == "" {
			return nil, &Error{Problem: key + " has no value", Remedy: "write " + key + "=VALUE, or leave it out"}
		}
		if _, twice := s[key]; twice {
			return nil, &Error{Problem: key + " is given twice", Remedy: "leave one out"}
		}
		s[key] = value
	}
	for _, option := range f.Options {
		if _, given := s[option.Name]; !given && option.Default != "" {
			s[option.Name] = option.Default
		}
	}
	return s, nil
}

// takes reports whether f has an option called key.
func (f *Format) takes(key string) bool {
	for _, option := range f.Options {
		if option.Name == key {
			return true
		}
	}
	return false
}

// optionNames lists f's options for people.
func (f *Format) optionNames() string {
	var names []string
	for _, option := range f.Options {
		names = append(names, option.Name)
	}
	if names == nil {
		return "none"
	}
	return strings.Join(names, ", ")
}
