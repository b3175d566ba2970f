package main

import (
	"fmt"
	"strconv"
	"strings"
)

// size is a number of bytes, written as Kubernetes writes them: 100, 64Ki, 20Mi, 1Gi.
type size int64

// String is flag.Value's.
func (s *size) String() string { return strconv.FormatInt(int64(*s), 10) }

// Set is flag.Value's.
func (s *size) Set(text string) error {
	unit := int64(1)
	for i, suffix := range []string{"Ki", "Mi", "Gi"} {
		if number, ok := strings.CutSuffix(text, suffix); ok {
			text, unit = number, 1<<(10*(i+1))
			break
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > (1<<62)/unit {
		return fmt.Errorf("%q is no number of bytes; write 100, 64Ki, 20Mi or 1Gi", text)
	}
	*s = size(n * unit)
	return nil
}
