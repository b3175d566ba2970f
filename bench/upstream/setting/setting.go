// Package setting lets whoever runs a differential test choose its seed and its size, as in
// SEED=7 PODS=100000 go test.
package setting

import (
	"os"
	"strconv"
	"testing"
)

// Int returns the number that the environment variable of a name holds, or otherwise if it is unset or
// empty. Text that is not a whole number from 0 fails the test: to go on with the number of every day
// would look as if what was asked for had been compared.
func Int(t testing.TB, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		t.Fatalf("%s is %q; it must be a whole number from 0", name, text)
	}
	return n
}
