package cluster

import "testing"

func TestIntOrPercent(t *testing.T) {
	for _, tt := range []struct {
		x           IntOrPercent
		total, want int32
	}{
		{IntOrPercent{Value: 3}, 100, 3},
		{IntOrPercent{50, true}, 7, 4},
		{IntOrPercent{50, true}, 8, 4},
		{IntOrPercent{1, true}, 100, 1},
		{IntOrPercent{1, true}, 101, 2},
		{IntOrPercent{0, true}, 9, 0},
		{IntOrPercent{100, true}, 9, 9},
		{IntOrPercent{100, true}, 0, 0},
		{IntOrPercent{100, true}, 1 << 30, 1 << 30},
	} {
		if got := tt.x.Of(tt.total); got != tt.want {
			t.Errorf("%v of %d is %d, want %d", tt.x, tt.total, got, tt.want)
		}
	}
}
