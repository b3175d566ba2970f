package plugins

import (
	"fmt"
	"regexp"
	"strings"
)

// What Kubernetes takes for the value of a label, which the name in its key is
// like, and for the prefix of such a key.
var (
	labelText   = regexp.MustCompile(`^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$`)
	labelPrefix = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)
)

const (
	maxLabelText   = 63
	maxLabelPrefix = 253
)

// checkLabelName reports what is wrong with the key of a label, or the name of a
// resource, which follow the same rules.
func checkLabelName(text string) error {
	prefix, name, ok := strings.Cut(text, "/")
	if !ok {
		name = prefix
	} else if len(prefix) > maxLabelPrefix || !labelPrefix.MatchString(prefix) {
		return fmt.Errorf("%q is no label name; before the slash there must be a DNS subdomain: at most %d of a-z, 0-9, '-' and '.'", text, maxLabelPrefix)
	}
	if name == "" || checkLabelValue(name) != nil {
		return fmt.Errorf("%q is no label name; it must be 1 to %d of A-Z, a-z, 0-9, '-', '_' and '.', with a letter or digit at both ends, "+
			"after a DNS subdomain and a slash if there is one", text, maxLabelText)
	}
	return nil
}

// checkLabelValue reports what is wrong with the value of a label.
func checkLabelValue(text string) error {
	if len(text) > maxLabelText || !labelText.MatchString(text) {
		return fmt.Errorf("%q is no label value; it must be at most %d of A-Z, a-z, 0-9, '-', '_' and '.', with a letter or digit at both ends", text, maxLabelText)
	}
	return nil
}
