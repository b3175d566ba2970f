package quota

import (
	"testing"

	"github.com/berthsim/berth/cluster"
)

func TestWritten(t *testing.T) {
	for _, tt := range []struct {
		name   string
		amount int64
		want   string
	}{
		{"cpu", 0, "0"}, {"cpu", 1, "1m"}, {"cpu", 1500, "1500m"}, {"cpu", 2000, "2"}, {"cpu", 2000000, "2k"}, {"cpu", 1001000, "1001"},
		{"memory", 0, "0"}, {"memory", 1023, "1023"}, {"memory", 1000, "1k"}, {"memory", 1024, "1Ki"}, {"memory", 1 << 30, "1Gi"},
		{"memory", 1500 << 20, "1500Mi"}, {"memory", 1000000000, "1G"}, {"memory", 1025, "1025"}, {"memory", -2048, "-2Ki"},
		{"storage", 5 << 40, "5Ti"}, {"hugepages-2Mi", 4 << 20, "4Mi"}, {"ephemeral-storage", 3 << 60, "3Ei"},
		{"example.com/gpu", 1024, "1024"}, {"pods", 3000, "3k"}, {"pods", 7000000000000000000, "7E"},
	} {
		if got := written(cluster.NamedAmount{Name: tt.name, Amount: tt.amount}); got != tt.want {
			t.Errorf("%d of %s is written %q, want %q", tt.amount, tt.name, got, tt.want)
		}
	}
}

func TestTogether(t *testing.T) {
	for _, tt := range []struct {
		problems []string
		want     string
	}{
		{[]string{"a"}, "a"}, {[]string{"a", "a"}, "a"}, {[]string{"b", "a", "b"}, "[b, a]"},
	} {
		if got := together(tt.problems); got != tt.want {
			t.Errorf("%q together are %q, want %q", tt.problems, got, tt.want)
		}
	}
}

func TestRefusal(t *testing.T) {
	r := forbids("pods", "p", "no")
	if r.Code != 403 || r.Error() != `pods "p" is forbidden: no` {
		t.Errorf("%d %s", r.Code, r)
	}
}
