package eviction

import (
	"slices"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
)

// TestShutdown: the example of Kubernetes' documentation on graceful shutdown by priority, and corners.
func TestShutdown(t *testing.T) {
	byClass := []ShutdownPeriod{{100_000, 10}, {10_000, 180}, {1000, 120}, {0, 60}}
	tests := []struct {
		why     string
		periods []ShutdownPeriod
		pods    []ShutdownPod
		want    []Stop
		done    cluster.Time
	}{
		{
			"each period ends with its slowest pod, or is cut off", byClass, []ShutdownPod{
				{Priority: 100_000, Grace: 30 * second, Takes: 20 * second}, // gets 10 of its 30 s
				{Priority: 500, Grace: 30 * second, Takes: 40 * second},     // gets its 30 s
				{Priority: -7, Grace: 90 * second, Takes: 5 * second},       // below all: with the lowest
				{Priority: 9999, Grace: 200 * second, Takes: 119 * second},
				{Priority: 2_000_000_000, Grace: 2 * second, Takes: second}, // above all: with the highest
			}, []Stop{
				{1, 0, 30 * second, 30 * second}, {2, 0, 60 * second, 5 * second},
				{3, 30 * second, 120 * second, 149 * second},
				{0, 149 * second, 10 * second, 159 * second}, {4, 149 * second, 2 * second, 150 * second},
			}, 159 * second,
		},
		{"a period without pods takes no time", byClass, nil, nil, 0},
		{
			"volumes are waited for, until the period is over", byClass, []ShutdownPod{
				{Priority: 0, Grace: 30 * second, Takes: 5 * second, Unmount: 10 * second},
				{Priority: 0, Grace: 30 * second, Takes: 12 * second},
				{Priority: 100_000, Grace: 30 * second, Takes: 5 * second, Unmount: 10 * second},
			}, []Stop{
				{0, 0, 30 * second, 5 * second}, {1, 0, 30 * second, 12 * second}, {2, 15 * second, 10 * second, 20 * second},
			}, 25 * second,
		},
		{
			"a period of 0 s doesn't wait, though containers have 2 s", []ShutdownPeriod{{0, 0}, {100, 5}}, []ShutdownPod{
				{Priority: 0, Grace: 30 * second, Takes: 3 * second}, {Priority: 100, Grace: 0, Takes: second},
			}, []Stop{{0, 0, 0, 2 * second}, {1, 0, 0, second}}, second,
		},
	}
	for _, tt := range tests {
		given := slices.Clone(tt.periods)
		stops, done := Shutdown(0, tt.periods, tt.pods)
		if !slices.Equal(stops, tt.want) || done != tt.done {
			t.Errorf("%s: %v, done at %v s; want %v, %v s", tt.why, stops, done.Seconds(), tt.want, tt.done.Seconds())
		}
		later, _ := Shutdown(7, tt.periods, tt.pods)
		for i := range later {
			if later[i].Begin != stops[i].Begin+7 || later[i].End != stops[i].End+7 {
				t.Errorf("%s: begun later, %v", tt.why, later[i])
			}
		}
		if !slices.Equal(given, tt.periods) {
			t.Errorf("%s: the periods were changed to %v", tt.why, tt.periods)
		}
	}
}

func TestShutdownConfig(t *testing.T) {
	tests := []struct {
		c    ShutdownConfig
		want []ShutdownPeriod
		err  string
	}{
		{c: ShutdownConfig{}},
		{c: ShutdownConfig{Total: 30 * second, Critical: 10*second + 1}, want: []ShutdownPeriod{{0, 19}, {SystemCritical, 10}}},
		{c: ShutdownConfig{Total: 30 * second}, want: []ShutdownPeriod{{0, 30}, {SystemCritical, 0}}},
		{c: ShutdownConfig{ByPriority: []ShutdownPeriod{{5, 1}}}, want: []ShutdownPeriod{{5, 1}}},
		{c: ShutdownConfig{Total: second, Critical: 2 * second}, err: "critical pods' part of the shutdown grace period, 2 s, is more than all of it, 1 s"},
		{c: ShutdownConfig{Total: second}, want: []ShutdownPeriod{{0, 1}, {SystemCritical, 0}}},
		{c: ShutdownConfig{Total: second - 1}, err: "is neither 0 nor 1 s or more"},
		{c: ShutdownConfig{Total: 1}, err: "is neither 0 nor 1 s or more"},
		{c: ShutdownConfig{Total: -1}, err: "is neither 0 nor 1 s or more"},
		{c: ShutdownConfig{Total: second / 2}, err: "a shutdown grace period of 0.5 s is neither 0 nor 1 s or more"},
		{c: ShutdownConfig{Total: 2 * second, Critical: -second}, err: "a shutdown grace period of -1 s"},
		{c: ShutdownConfig{Total: second, ByPriority: []ShutdownPeriod{{5, 1}}}, err: "by priority, and one for all pods"},
	}
	for _, tt := range tests {
		got, err := tt.c.Periods()
		if !slices.Equal(got, tt.want) || (err != nil) != (tt.err != "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%+v: %v, %v; want %v, %s", tt.c, got, err, tt.want, tt.err)
		}
	}
}
