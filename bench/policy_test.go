package bench

import (
	"slices"
	"testing"

	"github.com/berthsim/berth/plugins"
	"github.com/berthsim/berth/scheduler"
)

func TestParsePolicy(t *testing.T) {
	tests := []struct {
		text string
		want []scheduler.Weighted
	}{
		{"fgd", []scheduler.Weighted{{Name: "fgd", Weight: 1}}},
		{"FGD", []scheduler.Weighted{{Name: "FGD", Weight: 1}}},
		{"fgd:7", []scheduler.Weighted{{Name: "fgd", Weight: 7}}},
		{"fgd:2+bestfit", []scheduler.Weighted{{Name: "fgd", Weight: 2}, {Name: "bestfit", Weight: 1}}},
		{" fgd + BestFit:3 ", []scheduler.Weighted{{Name: "fgd", Weight: 1}, {Name: "BestFit", Weight: 3}}},
		{"noderesourcesfit:1099511627776", []scheduler.Weighted{{Name: "noderesourcesfit", Weight: 1 << 40}}},
	}
	for _, tt := range tests {
		if got, err := ParsePolicy(plugins.All, tt.text); err != nil || !slices.EqualFunc(got, tt.want, func(a, b scheduler.Weighted) bool { return a.Name == b.Name && a.Weight == b.Weight }) {
			t.Errorf("%q: got %v, %v, want %v", tt.text, got, err, tt.want)
		}
	}
}

func TestParsePolicyErrors(t *testing.T) {
	const number = " is not a whole number; write NAME:WEIGHT, for example fgd:2"
	tests := []struct{ text, want string }{
		{"", `unknown plugin ""; ` + known},
		{"fdg", `unknown plugin "fdg"; ` + known},
		{"fgd+", `unknown plugin ""; ` + known},
		{"fgd,bestfit", `unknown plugin "fgd,bestfit"; ` + known},
		{"fgd:", `the weight ""` + number},
		{"fgd:much", `the weight "much"` + number},
		{"fgd:1.5", `the weight "1.5"` + number},
		{"fgd:1:2", `the weight "1:2"` + number},
		{"fgd:99999999999999999999", `the weight "99999999999999999999"` + number},
		{"fgd:0", "plugin fgd has weight 0; a weight is a whole number from 1 to 1099511627776"},
		{"fgd:-1", "plugin fgd has weight -1; a weight is a whole number from 1 to 1099511627776"},
		{"fgd:1099511627777", "plugin fgd has weight 1099511627777; a weight is a whole number from 1 to 1099511627776"},
		{"fgd+FGD:2", "plugin FGD is named twice; name each once, with one weight"},
	}
	for _, tt := range tests {
		got, err := ParsePolicy(plugins.All, tt.text)
		if want := `policy "` + tt.text + `": ` + tt.want; err == nil || err.Error() != want {
			t.Errorf("got  %v, %v\nwant %s", got, err, want)
		}
	}
}
