package bench

import (
	"encoding/json"
	"fmt"
	"io"
)

// writeJSON writes the results as they are, indented. The same results give
// the same bytes: fields come in the order of the types, metrics by name.
//
// JSON has no NaN and no infinity. A run that gives one is an error here,
// as reading the file back could not tell it from an absent metric.
func (r *Results) writeJSON(w io.Writer) error {
	full := *r
	if full.Traces == nil {
		full.Traces = []TraceInfo{}
	}
	if full.Runs == nil {
		full.Runs = []Run{} // "runs": null would trip every reader that loops over runs
	}
	if full.Summary == nil {
		full.Summary = []Summary{}
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false) // traces are named ?a=b&c=d, and no browser reads this
	if err := e.Encode(full); err != nil {
		return fmt.Errorf("writing results as JSON: %w", err)
	}
	return nil
}
