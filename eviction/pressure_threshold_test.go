package eviction

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

func TestParseThreshold(t *testing.T) {
	const gi = 1 << 30
	tests := []struct {
		text     string
		signal   Signal
		capacity int64
		level    int64 // of the capacity
	}{
		{"memory.available<100Mi", MemoryAvailable, gi, 104_857_600},
		{" memory.available < 1.5Gi ", MemoryAvailable, 8 * gi, 1_610_612_736},
		{"memory.available<1G", MemoryAvailable, 8 * gi, 1_000_000_000},
		{"memory.available<12e2", MemoryAvailable, 8 * gi, 1200},
		{"memory.available<1500m", MemoryAvailable, 8 * gi, 2}, // 1.5 bytes
		{"memory.available<9Ei", MemoryAvailable, 8 * gi, math.MaxInt64},
		{"memory.available<1e99", MemoryAvailable, 8 * gi, math.MaxInt64},
		{"allocatableMemory.available<.5k", AllocatableMemoryAvailable, gi, 500},
		{"nodefs.available<10%", NodeFsAvailable, 100_000, 10_000},
		{"nodefs.inodesFree<5%", NodeFsInodesFree, 199, 9}, // 9.95
		// 15 % is 0.15000000596046448 in 32 bits, as upstream has it.
		{"imagefs.available<15%", ImageFsAvailable, 1_000_000_000_000, 150_000_005_960},
		{"imagefs.inodesFree<0.0%", ImageFsInodesFree, 1000, 0},
		{"containerfs.available<12.5%", ContainerFsAvailable, 80, 10},
		{"containerfs.inodesFree<99.9%", ContainerFsInodesFree, 1000, 999},
		{"pid.available<1k", PIDAvailable, 32768, 1000},
	}
	for _, tt := range tests {
		th, ok, err := ParseThreshold(tt.text)
		if err != nil || !ok {
			t.Errorf("%s: ok %v, %v", tt.text, ok, err)
			continue
		}
		if got := th.Of(tt.capacity); th.Signal != tt.signal || got != tt.level || !th.Hard() {
			t.Errorf("%s is %v at %d, want %v at %d", tt.text, th.Signal, got, tt.signal, tt.level)
		}
	}
}

func TestLevelOf(t *testing.T) {
	tests := []struct {
		level    Level
		capacity int64
		want     int64
	}{
		{Level{Percentage: 1e30, Relative: true}, gibi, math.MaxInt64},
		{Level{Percentage: 3, Relative: true}, 1 << 61, 3 << 61},
		{Level{Percentage: 4, Relative: true}, 1 << 61, math.MaxInt64},
		{Level{Quantity: 5, Percentage: 0.5}, 100, 5},
	}
	for _, tt := range tests {
		if got := tt.level.Of(tt.capacity); got != tt.want {
			t.Errorf("%v of %d is %d, want %d", tt.level, tt.capacity, got, tt.want)
		}
	}
	th := Threshold{Level: Level{Quantity: math.MaxInt64 - 1}, MinReclaim: Level{Quantity: math.MaxInt64 - 1}}
	if !th.met(&Observation{Available: math.MaxInt64 - 1, Known: true}, true) {
		t.Error("a level and a minimum reclaim that are too much together are met by nothing")
	}
}

func TestParseThresholdNone(t *testing.T) {
	for _, text := range []string{"memory.available<0%", "nodefs.available<100%"} {
		if th, ok, err := ParseThreshold(text); ok || err != nil || th != (Threshold{}) {
			t.Errorf("%s is %v, ok %v, %v; want no threshold", text, &th, ok, err)
		}
	}
}

func TestParseThresholdErrors(t *testing.T) {
	tests := []struct{ text, want string }{
		{"memory.available", `"memory.available" is no threshold: it has no <, as in memory.available<100Mi`},
		{"memory.free<1Gi", `"memory.free" is no eviction signal; there are memory.available, allocatableMemory.available, `},
		{"memory.available<", `threshold of memory.available: "" doesn't begin with a number`},
		{"memory.available<0", "threshold of memory.available is 0; it must be more than 0"},
		{"memory.available<-1Gi", "threshold of memory.available is -1Gi; it must be more than 0"},
		{"memory.available<1GiB", `threshold of memory.available: "1GiB": "GiB" is no suffix of a quantity; there are Ki, `},
		{"memory.available<1 Gi", `threshold of memory.available: "1 Gi": " Gi" is no suffix`},
		{"memory.available<--1", `"--1" has more than one sign`},
		{"memory.available<1.2.3", `"1.2.3" doesn't begin with a number`},
		{"memory.available<1e", `"1e": there is no whole number behind the e`},
		{"memory.available<1e--1", `there is no whole number behind the e`},
		{"memory.available<1/2", `"/2" is no suffix of a quantity`},
		{"memory.available<~5", `"~5" doesn't begin with a number`},
		{"memory.available<1~", `"~" is no suffix of a quantity`},
		{"memory.available<1e~1", `there is no whole number behind the e`},
		{"memory.available<1e1~", `there is no whole number behind the e`},
		{"memory.available<1~i", `"~i" is no suffix of a quantity`},
		{"memory.available<.", `"." doesn't begin with a number`},
		{"memory.available<1e1.5", `there is no whole number behind the e`},
		{"nodefs.available<101%", "threshold of nodefs.available is 101%; it must be from 0% to 100%"},
		{"nodefs.available<-1%", "threshold of nodefs.available is -1%; it must be from 0% to 100%"},
		{"nodefs.available<ten%", `"ten%" is no percentage: invalid syntax`},
		{"nodefs.available<NaN%", `"NaN%" is no percentage`},
		{"nodefs.available<Inf%", `"Inf%" is no percentage`},
	}
	for _, tt := range tests {
		_, ok, err := ParseThreshold(tt.text)
		if ok || err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: ok %v, error %v; want %s", tt.text, ok, err, tt.want)
		}
	}
}

func statements(t *testing.T, text, separator string) []Statement {
	t.Helper()
	all, err := ParseStatements(text, separator)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// written is how thresholds read one after the other, with what String leaves out.
func written(all []Threshold) string {
	var lines []string
	for i := range all {
		line := all[i].String()
		if !all[i].Hard() {
			line += fmt.Sprintf(" for %vs", all[i].Grace.Seconds())
		}
		if all[i].MinReclaim != (Level{}) {
			line += " until " + all[i].MinReclaim.String() + " more"
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, ", ")
}

func TestSettings(t *testing.T) {
	const defaults = "memory.available<104857600, nodefs.available<10%, nodefs.inodesFree<5%, imagefs.available<15%, imagefs.inodesFree<5%"
	tests := []struct {
		why  string
		s    PressureSettings
		want string
	}{
		{"nothing is set", PressureSettings{}, defaults + ", allocatableMemory.available<104857600"},
		{"pods' memory isn't enforced", PressureSettings{NoAllocatable: true}, defaults},
		{"setting one drops the others", PressureSettings{Hard: statements(t, "nodefs.available<1Gi", "<")}, "nodefs.available<1073741824"},
		{"setting none drops all", PressureSettings{Hard: statements(t, "", "<")}, ""},
		{
			"merged with the defaults", PressureSettings{Hard: statements(t, "nodefs.available<1Gi,pid.available<100", "<"), MergeDefaults: true, NoAllocatable: true},
			"nodefs.available<1073741824, pid.available<100, memory.available<104857600, nodefs.inodesFree<5%, imagefs.available<15%, imagefs.inodesFree<5%",
		},
		{
			"a default is taken away", PressureSettings{Hard: statements(t, "memory.available<0%,imagefs.available<100%", "<"), MergeDefaults: true},
			"nodefs.available<10%, nodefs.inodesFree<5%, imagefs.inodesFree<5%",
		},
		{
			"soft ones, with minimum reclaims", PressureSettings{
				Hard: statements(t, "memory.available<1", "<"), Soft: statements(t, "memory.available<2,pid.available<7", "<"),
				SoftGrace:  statements(t, "memory.available=1m30s,pid.available=5s,nodefs.available=1s", "="),
				MinReclaim: statements(t, "memory.available=3,nodefs.available=5%", "="),
			},
			"memory.available<1 until 3 more, memory.available<2 for 90s until 3 more, pid.available<7 for 5s, allocatableMemory.available<1 until 3 more",
		},
		{
			"a soft one without a grace period is a hard one", PressureSettings{
				Hard: []Statement{}, Soft: statements(t, "memory.available<2", "<"), SoftGrace: statements(t, "memory.available=0s", "="),
			}, "memory.available<2, allocatableMemory.available<2",
		},
	}
	for _, tt := range tests {
		all, err := tt.s.Thresholds()
		if got := written(all); err != nil || got != tt.want {
			t.Errorf("%s: %s, %v; want %s", tt.why, got, err, tt.want)
		}
	}
	if got := written(DefaultPressureConfig().Thresholds); got != tests[0].want {
		t.Errorf("the default configuration has %s, want %s", got, tests[0].want)
	}
}

func TestSettingsErrors(t *testing.T) {
	memory := []Statement{{"memory.available", "1Gi"}}
	tests := []struct {
		s    PressureSettings
		want string
	}{
		{PressureSettings{Hard: []Statement{{"memory.available", "x"}}}, `evictionHard: threshold of memory.available: "x" doesn't begin`},
		{PressureSettings{Soft: memory}, "evictionSoftGracePeriod: the soft threshold memory.available<1073741824 needs a grace period"},
		{PressureSettings{Soft: []Statement{{"x", "1"}}}, `evictionSoft: "x" is no eviction signal`},
		{PressureSettings{Soft: memory, SoftGrace: []Statement{{"memory.available", "90"}}}, `grace period of memory.available: time: missing unit in duration "90"`},
		{PressureSettings{Soft: memory, SoftGrace: []Statement{{"memory.available", "-1s"}}}, "grace period of memory.available is -1s; it must not be negative"},
		{PressureSettings{Soft: memory, SoftGrace: []Statement{{"memory.available", "-1ns"}}}, "grace period of memory.available is -1ns; it must not be negative"},
		{PressureSettings{SoftGrace: []Statement{{"x", "1s"}}}, `evictionSoftGracePeriod: "x" is no eviction signal`},
		{PressureSettings{MinReclaim: []Statement{{"x", "1"}}}, `evictionMinimumReclaim: "x" is no eviction signal`},
		{PressureSettings{MinReclaim: []Statement{{"memory.available", "-1"}}}, "minimum reclaim of memory.available is -1; it must not be negative"},
		{PressureSettings{MinReclaim: []Statement{{"memory.available", "0%"}}}, "minimum reclaim of memory.available is 0%; a percentage must be more than 0"},
		{PressureSettings{MinReclaim: []Statement{{"memory.available", "1e"}}}, `minimum reclaim of memory.available: "1e"`},
		{PressureSettings{Hard: append(memory, memory...)}, "memory.available is given twice: 1Gi and 1Gi"},
	}
	for _, tt := range tests {
		if _, err := tt.s.Thresholds(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: error %v, want %s", tt.s, err, tt.want)
		}
	}
	for text, want := range map[string]string{
		"memory.available":                `"memory.available" has no < between signal and value`,
		"pid.available<1,pid.available<2": "pid.available is given twice: 1 and 2",
	} {
		if _, err := ParseStatements(text, "<"); err == nil || err.Error() != want {
			t.Errorf("%s: error %v, want %s", text, err, want)
		}
	}
}

// FuzzParseThreshold holds what is read to what it is written as.
func FuzzParseThreshold(f *testing.F) {
	for _, text := range []string{"memory.available<100Mi", "nodefs.available<10%", "pid.available<1e3", "imagefs.inodesFree<-5.5n", "x<0x1p-2%"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		th, ok, err := ParseThreshold(text)
		if err != nil || !ok {
			if th != (Threshold{}) || ok && err != nil {
				t.Fatalf("%q is %v, ok %v, %v", text, &th, ok, err)
			}
			return
		}
		again, ok, err := ParseThreshold(th.String())
		if th.Relative && (th.Percentage == 0 || th.Percentage == 1) {
			return // written as 0% or 100%, which is no threshold
		}
		const capacity = 1 << 40
		if err != nil || !ok || again.Signal != th.Signal || math.Abs(float64(again.Of(capacity)-th.Of(capacity))) > capacity/1e6 || !th.Relative && again != th {
			t.Fatalf("%q is %v and then %v, ok %v, %v", text, &th, &again, ok, err)
		}
		if !th.Relative && th.Quantity <= 0 || th.Of(capacity) < 0 {
			t.Fatalf("%q is %v", text, &th)
		}
	})
}

func TestSignals(t *testing.T) {
	var names []string
	for s := MemoryAvailable; s < signals; s++ {
		if again, err := ParseSignal(s.String()); err != nil || again != s {
			t.Errorf("%v is read as %v, %v", s, again, err)
		}
		names = append(names, s.Resource()+" "+s.Condition().String())
	}
	want := []string{
		"memory [MemoryPressure]", "memory [MemoryPressure]", "ephemeral-storage [DiskPressure]", "inodes [DiskPressure]",
		"ephemeral-storage [DiskPressure]", "inodes [DiskPressure]", "ephemeral-storage [DiskPressure]", "inodes [DiskPressure]", "pids [PIDPressure]",
	}
	if !slices.Equal(names, want) {
		t.Errorf("signals are of %v, want %v", names, want)
	}
	if got := (MemoryPressure | PIDPressure).String(); got != "[MemoryPressure PIDPressure]" {
		t.Errorf("conditions are written %s", got)
	}
	if got := signals.String(); got != "Signal(9)" {
		t.Errorf("a signal that isn't one is written %s", got)
	}
}
