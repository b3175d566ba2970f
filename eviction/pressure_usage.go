package eviction

import (
	"math"
	"sort"

	"github.com/berthsim/berth/cluster"
)

// A Consumption is what a pod uses at some time.
type Consumption struct {
	Memory    int64 // bytes of its working set
	Disk      int64 // bytes of local storage
	Inodes    int64
	Processes int64
}

// A Subject is the pod whose use is asked for.
type Subject struct {
	Name    string      // namespace/name
	Request Consumption // what it asks for; Inodes and Processes can't be asked for, so 0
	Limit   Consumption // what it can't exceed; 0 stands for no limit
}

// Usage tells what pods use over time, beside what they ask for: the gap between the two is what
// overcommitting lives on and dies of. Work that is done once for a pod belongs before the function
// that is returned, which is called with the time since the pod started. It must be a function of its
// arguments, whatever it was asked before.
type Usage interface {
	Usage(s Subject) func(age cluster.Time) Consumption
}

// A Ceiling is a Usage that knows the most that a pod will ever use: where pods can't use up a
// node together, nobody needs to look. MaxInt64 stands for "there is no telling".
type Ceiling interface {
	Most(s Subject) Consumption
}

// A Drift generates use: a part of the request to begin with, which grows, and noise that lasts.
// Shares are thousandths of the request. Each pod has a level of its own, drawn for the seed and its
// name, so that what one pod uses doesn't depend on which others there are.
type Drift struct {
	Seed   int64
	Base   int64 // share of the request that an average pod uses at its start
	Spread int64 // pods' starts differ by up to this share, up and down
	Growth int64 // share by which use grows in an hour; pods with a leak have more
	Leaky  int64 // how many pods of a thousand have a leak
	Leak   int64 // share by which the use of a pod with a leak grows in an hour, beside Growth
	Noise  int64 // share of up to which use differs from its trend, up and down
	// Period is how long noise lasts: at multiples of it a new value is drawn, between them use
	// moves in a line. 0 stands for a minute.
	Period cluster.Time
	// Idle is used by pods that ask for nothing, of what they don't ask for; shares are of it then.
	Idle Consumption
}

// Usage implements Usage. Use is not negative, and not beyond the pod's limit.
func (d Drift) Usage(s Subject) func(age cluster.Time) Consumption {
	period := d.Period
	if period <= 0 {
		period = cluster.Minute
	}
	level := d.Base + swing(cluster.NewDraw(d.Seed, "usage: level", s.Name), d.Spread)
	growth := d.Growth
	if cluster.NewDraw(d.Seed, "usage: leak", s.Name).Below(1000) < int(d.Leaky) {
		growth += d.Leak
	}
	noise := cluster.NewDraw(d.Seed, "usage: noise", s.Name)
	return func(age cluster.Time) Consumption {
		age = max(age, 0)
		share := level + scale(growth, age, cluster.Hour)
		if d.Noise > 0 {
			k, into := int(age/period), age%period
			from, to := swing(noise.At(k), d.Noise), swing(noise.At(k+1), d.Noise)
			share += from + scale(to-from, into, period)
		}
		share = max(share, 0)
		return Consumption{
			Memory:    portion(share, s.Request.Memory, d.Idle.Memory, s.Limit.Memory),
			Disk:      portion(share, s.Request.Disk, d.Idle.Disk, s.Limit.Disk),
			Inodes:    portion(share, s.Request.Inodes, d.Idle.Inodes, s.Limit.Inodes),
			Processes: portion(share, s.Request.Processes, d.Idle.Processes, s.Limit.Processes),
		}
	}
}

// Most implements Ceiling. What grows has no ceiling but the pod's limit.
func (d Drift) Most(s Subject) Consumption {
	share := max(d.Base+d.Spread+d.Noise, 0)
	if d.Growth > 0 || d.Leaky > 0 && d.Growth+d.Leak > 0 {
		share = math.MaxInt64
	}
	return Consumption{
		Memory:    most(share, s.Request.Memory, d.Idle.Memory, s.Limit.Memory),
		Disk:      most(share, s.Request.Disk, d.Idle.Disk, s.Limit.Disk),
		Inodes:    most(share, s.Request.Inodes, d.Idle.Inodes, s.Limit.Inodes),
		Processes: most(share, s.Request.Processes, d.Idle.Processes, s.Limit.Processes),
	}
}

// most returns portion's value for a share that may be without end.
func most(share, request, idle, limit int64) int64 {
	switch {
	case share < math.MaxInt64:
		return portion(share, request, idle, limit)
	case request == 0 && idle == 0:
		return 0
	case limit > 0:
		return limit
	}
	return math.MaxInt64
}

// swing brings a draw to -by … by.
func swing(d cluster.Draw, by int64) int64 { return int64(d.Below(int(2*by+1))) - by }

// scale returns n·of/whole, rounded towards 0, for of that are many times whole as well.
func scale(n int64, of, whole cluster.Time) int64 {
	return n*int64(of/whole) + int64(float64(n)*(float64(of%whole)/float64(whole)))
}

// portion returns so many thousandths of what was asked for.
func portion(share, request, idle, limit int64) int64 {
	if request == 0 {
		request = idle
	}
	used := request/1000*share + request%1000*share/1000
	if limit > 0 {
		used = min(used, limit)
	}
	return used
}

// A Sample is what a pod was seen to use at an age.
type Sample struct {
	Age cluster.Time
	Consumption
}

// Recorded is Usage from a recording: the samples of each pod by its name, in order of age. A sample
// holds until the next, the first also before itself and the last ever after.
type Recorded map[string][]Sample

// Usage implements Usage. A pod that wasn't recorded uses what it asks for.
func (r Recorded) Usage(s Subject) func(age cluster.Time) Consumption {
	samples := r[s.Name]
	if len(samples) == 0 {
		return func(cluster.Time) Consumption { return s.Request }
	}
	return func(age cluster.Time) Consumption {
		next := sort.Search(len(samples), func(i int) bool { return samples[i].Age > age })
		return samples[max(next-1, 0)].Consumption
	}
}

// Most implements Ceiling.
func (r Recorded) Most(s Subject) Consumption {
	samples := r[s.Name]
	if len(samples) == 0 {
		return s.Request
	}
	var top Consumption
	for _, at := range samples {
		top.Memory, top.Disk = max(top.Memory, at.Memory), max(top.Disk, at.Disk)
		top.Inodes, top.Processes = max(top.Inodes, at.Inodes), max(top.Processes, at.Processes)
	}
	return top
}
