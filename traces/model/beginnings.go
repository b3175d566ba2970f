package model

import (
	"math"
	"strconv"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/internal/chance"
)

// beginnings yields when bursts begin: in each hour as many as its share of all
// says, by systematic sampling, and within it at independent times, in order.
type beginnings struct {
	levels levels
	hours  int
	days   float64

	total, so  float64 // mass of all hours, and of those that were
	bursts     int64
	given      int64   // to hours that were
	offset     float64 // in [0, 1)
	left       int64   // of this hour, which is that before levels.hour
	within, at float64 // where in the hour the last began; in seconds
	number     int64   // of the burst
	seed       int64
}

// beginnings returns when so many bursts begin over some days: at is the first.
func (w *Workload) beginnings(seed, bursts int64, days float64) beginnings {
	b := beginnings{hours: int(math.Ceil(float64(days * 24))), days: days, bursts: bursts, seed: seed, number: -1}
	b.offset = cluster.NewDraw(seed, "model hours", "").Float()
	b.levels = levels{a: &w.m.Arrivals, seed: seed}
	for range b.hours {
		b.total += b.mass()
	}
	b.levels = levels{a: &w.m.Arrivals, seed: seed, even: b.total <= 0}
	if b.total <= 0 { // no hour of these has any
		b.total = float64(days * 24)
	}
	b.next()
	return b
}

// length is how much of the hour that comes next belongs to the days.
func (b *beginnings) length() float64 { return min(float64(b.days*24)-float64(b.levels.hour), 1) }

// mass is the share of bursts that the next hour has, and goes on to the one behind.
func (b *beginnings) mass() float64 {
	length := b.length()
	return float64(length * b.levels.next())
}

// next moves on to the next beginning.
func (b *beginnings) next() {
	for b.left == 0 && b.levels.hour < b.hours {
		b.so += b.mass()
		upTo := int64(math.Floor(float64(float64(b.bursts)*(b.so/b.total)) + b.offset))
		if b.levels.hour == b.hours {
			upTo = b.bursts
		}
		upTo = min(max(upTo, b.given), b.bursts)
		b.left, b.given, b.within = upTo-b.given, upTo, 0
	}
	b.number++
	if b.left == 0 {
		return
	}
	// The least of as many independent times as are left.
	u := cluster.NewDraw(b.seed, "model begin", strconv.FormatInt(b.number, 10)).Float()
	b.within += float64((1 - b.within) * (1 - chance.Exp(chance.Ln(1-u)/float64(b.left))))
	b.left--
	start := b.levels.hour - 1
	length := min(float64(b.days*24)-float64(start), 1)
	b.at = float64((float64(start) + float64(b.within*length)) * 3600)
}

// levels yields the rates of hours, one after another.
type levels struct {
	a    *Arrivals
	seed int64
	hour int
	even bool
	z    [maxMemories]float64
}

// maxMemories is as many parts as the memory of levels may have.
const maxMemories = 4

// next returns the rate of the next hour: the week's, times a level whose normal
// score is a sum of autoregressive parts.
func (l *levels) next() float64 {
	h := l.hour
	l.hour++
	if l.even {
		return 1
	}
	d := cluster.NewDraw(l.seed, "model level", strconv.Itoa(h))
	sum := 0.0
	for i, part := range l.a.Memory {
		n := chance.Normal(d.At(i))
		keep := chance.Exp(max(-1/part.Hours, -600))
		if h == 0 {
			keep = 0
		}
		l.z[i] = float64(keep*l.z[i]) + float64(math.Sqrt(1-float64(keep*keep))*n)
		sum += float64(math.Sqrt(part.Share) * l.z[i])
	}
	return float64(l.a.Week[h%HoursOfWeek] * l.a.Level.Quantile(chance.Below(sum)))
}
