package eviction

import "github.com/berthsim/berth/cluster"

// A bucket holds one token at most, and fills at a rate: golang.org/x/time/rate's
// Limiter with a burst of 1, whose arithmetic it repeats, so that a token is there at the
// same nanosecond. The rate is a float32 that has been widened, as in upstream's
// flowcontrol: 0.01 is a little less, and the token comes a little later than 100 s.
type bucket struct {
	rate   float64 // tokens for a second; 0 for never
	tokens float64 // at last
	last   cluster.Time
}

// newBucket returns a full bucket, or, for a rate of 0 or less, one that never has any.
func newBucket(rate float32, now cluster.Time) bucket {
	if rate <= 0 {
		return bucket{}
	}
	return bucket{rate: float64(rate), tokens: 1, last: now}
}

// at returns what is in the bucket at a time, 1 at most, and how long it takes until
// there is a whole token, in nanoseconds.
func (b *bucket) at(now cluster.Time) (tokens float64, wait cluster.Time) {
	elapsed := max(now-b.last, 0)
	seconds := float64(elapsed/cluster.Second) + float64(elapsed%cluster.Second)/1e9
	tokens = min(b.tokens+float64(seconds*b.rate), 1)
	if tokens >= 1 {
		return tokens, 0
	}
	return tokens, cluster.Time((1 - tokens) / b.rate * float64(cluster.Second))
}

// take takes a token, if there is one.
func (b *bucket) take(now cluster.Time) bool {
	if b.rate == 0 {
		return false
	}
	tokens, wait := b.at(now)
	if wait > 0 {
		return false
	}
	b.tokens, b.last = tokens-1, now
	return true
}

// next returns when there may be a token, now or later: Never if there won't be one.
func (b *bucket) next(now cluster.Time) cluster.Time {
	if b.rate == 0 {
		return cluster.Never
	}
	_, wait := b.at(now)
	return now + wait
}

// swap changes the rate. As upstream's SwapLimiter, it leaves the new bucket full only if
// the old one had a token, which one without a rate never has; and, as there, a bucket
// without a rate says that its rate is 1.
func (b *bucket) swap(rate float32, now cluster.Time) {
	was := float32(b.rate)
	if b.rate == 0 {
		was = 1
	}
	if was == rate {
		return
	}
	had := b.take(now)
	*b = newBucket(rate, now)
	if !had {
		b.take(now)
	}
}
