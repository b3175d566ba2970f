package quota

import "testing"

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
