package pressure

import "fmt"

// value draws the text of an amount, right or wrong: a number with what may be behind it.
func (d drawer) value() string {
	text := pick(d, "", "", "", "", "-", "+")
	for range 1 + d.IntN(4) {
		text += pick(d, "0", "1", "9", "25", "100", "007")
	}
	if d.chance(0.3) {
		text += "." + pick(d, "", "0", "5", "25", "001", "999999999")
	}
	text += pick(d, "", "", "%", "%", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "n", "u", "m", "k", "M", "G", "T", "P", "E",
		"e3", "E2", "e10", "E-12", "e--1", "e+-1", "/2", "e+1", "e-2", "e0", "K", "i", "Kii", "mi", "e", "B", "%%", " ", "e1.5", "--", ".", "µ")
	if d.chance(0.03) {
		text = pick(d, "", "%", "0%", "100%", "0", "-inf%", "0x10%", "1_0%", "1e2%", "100.01%", "9999999999Ei", "1e50", "1e-50", ".5", "5.", "1Gi ")
	}
	return text
}

func format(input, theirs, ours any) string {
	return fmt.Sprintf("%#v: upstream %v, berth %v", input, theirs, ours)
}
