package model

// Kolmogorov returns the greatest difference between the shares of two lists of
// numbers that are at most x, for any x: 0 if they are distributed alike, 1 if none
// of one is among those of the other. Both must be in order and not be empty.
func Kolmogorov(a, b []float64) float64 {
	i, j, most := 0, 0, 0.0
	for i < len(a) && j < len(b) {
		x := min(a[i], b[j])
		for i < len(a) && a[i] == x {
			i++
		}
		for j < len(b) && b[j] == x {
			j++
		}
		d := float64(i)/float64(len(a)) - float64(j)/float64(len(b))
		most = max(most, d, -d)
	}
	return most
}
