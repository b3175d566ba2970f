package quota

import (
	"strconv"
	"strings"
)

// quantity writes an amount of what a quota name limits as Kubernetes does: CPU as 1500m or
// 2, bytes in powers of 1024 if they come out even, everything else in powers of 1000.
// Kubernetes remembers which of the two a quantity was written in; that is lost here.
func quantity(name string, amount int64) string {
	switch unit := strings.TrimPrefix(strings.TrimPrefix(name, requestsPrefix), limitsPrefix); {
	case unit == "cpu":
		if amount%1000 != 0 {
			return strconv.FormatInt(amount, 10) + "m"
		}
		return scaled(amount/1000, 1000, "kMGTPE", "")
	case bytes(unit) && amount != 0 && amount%1024 == 0:
		return scaled(amount, 1024, "KMGTPE", "i")
	}
	return scaled(amount, 1000, "kMGTPE", "")
}

// bytes reports whether a name, without requests. or limits. before it, is counted in bytes.
func bytes(unit string) bool {
	return unit == "memory" || unit == "ephemeral-storage" || unit == "storage" ||
		strings.HasPrefix(unit, hugePages) || strings.HasSuffix(unit, "/requests.storage")
}

// scaled writes n with the largest prefix with which it is whole.
func scaled(n, base int64, prefixes, suffix string) string {
	power := 0
	for n != 0 && n%base == 0 && power < len(prefixes) {
		n /= base
		power++
	}
	text := strconv.FormatInt(n, 10)
	if power > 0 {
		text += prefixes[power-1:power] + suffix
	}
	return text
}
