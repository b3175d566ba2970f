package bench

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Seeds is a set of seeds, in the order given.
type Seeds []int64

// maxSeeds bounds what one experiment may ask for, so that a slip of the pen
// isn't taken for an order.
const maxSeeds = 1_000_000

// ParseSeeds reads seeds and ranges of seeds, as in "1,5,42-51". None may be
// negative, or come twice.
func ParseSeeds(text string) (Seeds, error) {
	var seeds Seeds
	for part := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(strings.TrimSpace(part), "-")
		lo, err := parseSeed(first)
		if err != nil {
			return nil, fmt.Errorf("seeds %q: %w", text, err)
		}
		hi := lo
		if isRange {
			if hi, err = parseSeed(last); err != nil {
				return nil, fmt.Errorf("seeds %q: %w", text, err)
			}
		}
		if hi < lo {
			return nil, fmt.Errorf("seeds %q: the range %s ends before it begins; write %d-%d", text, part, hi, lo)
		}
		if hi-lo >= maxSeeds || int64(len(seeds)) > maxSeeds-(hi-lo+1) {
			return nil, fmt.Errorf("seeds %q: these are more than %d; ask for fewer", text, maxSeeds)
		}
		for seed := lo; seed <= hi; seed++ {
			seeds = append(seeds, seed)
		}
	}
	sorted := slices.Sorted(slices.Values(seeds))
	for i := range sorted[1:] {
		if sorted[i] == sorted[i+1] {
			return nil, fmt.Errorf("seeds %q: seed %d comes twice; name each once", text, sorted[i])
		}
	}
	return seeds, nil
}

func parseSeed(text string) (int64, error) {
	seed, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seed < 0 || seed == math.MaxInt64 {
		return 0, fmt.Errorf("%q is not a seed; write whole numbers from 0 and ranges, for example 1,5,42-51", text)
	}
	return seed, nil
}

// String writes the seeds as ParseSeeds reads them, runs of them as ranges.
func (ss Seeds) String() string {
	var parts []string
	for i := 0; i < len(ss); {
		j := i
		for j+1 < len(ss) && ss[j+1] == ss[j]+1 {
			j++
		}
		if j > i {
			parts = append(parts, fmt.Sprintf("%d-%d", ss[i], ss[j]))
		} else {
			parts = append(parts, strconv.FormatInt(ss[i], 10))
		}
		i = j + 1
	}
	return strings.Join(parts, ",")
}
