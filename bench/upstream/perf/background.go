package perf

import (
	"math"
	"slices"
	"time"
)

// A background is what goes on happening beside the operations that follow.
type background struct {
	of         *fields // the operation's
	due, every time.Duration
	tick       func() (more bool)
}

// pass lets time pass, and what is to happen in it happen.
func (b *builder) pass(f *fields, d time.Duration) {
	for end := b.now + d; ; {
		var next *background
		for _, g := range b.background {
			if g.due <= end && (next == nil || g.due < next.due) {
				next = g
			}
		}
		if next == nil || f.err != nil {
			b.now = end
			return
		}
		b.now = next.due
		next.due += next.every
		more := next.tick()
		if next.of.err != nil {
			f.err = next.of.err
		}
		if !more {
			b.background = slices.DeleteFunc(b.background, func(g *background) bool { return g == next })
		}
	}
}

// churn creates objects again and again, and in mode recreate removes them in between.
func (b *builder) churn(f *fields, namespace string) {
	if name := f.text("namespace"); name != "" {
		namespace = name
	}
	mode, number, interval := f.text("mode"), f.number("number"), f.number("intervalMilliseconds")
	if interval == 0 {
		interval = 500
	}
	var paths []string
	f.into("templatePaths", &paths)
	if mode != "create" && mode != "recreate" || mode == "recreate" && number == 0 {
		f.fail(f.at("mode"), "churn wants mode create, or recreate with a number")
	}
	var moulds []*mould
	for _, path := range paths {
		moulds = append(moulds, b.mould(f, "templatePaths", path, ""))
	}
	if f.done() != nil {
		return
	}
	b.namespace(namespace, nil)
	every := time.Duration(interval) * time.Millisecond
	g := &background{of: f, due: b.now + every, every: every}
	if mode == "create" {
		g.tick = b.creating(f, moulds, namespace, number)
	} else {
		g.tick = b.recreating(f, moulds, namespace, number)
	}
	b.background = append(b.background, g)
}

// creating creates one of each so many times; 0 is without end.
func (b *builder) creating(f *fields, moulds []*mould, namespace string, times int) func() bool {
	if times == 0 {
		times = math.MaxInt
	}
	return func() bool {
		for _, m := range moulds {
			b.create(f, "templatePaths", m, namespace, 0, 1, nil)
		}
		times--
		return times > 0
	}
}

// recreating creates one of each so many times, then removes them in turn, and so on.
func (b *builder) recreating(f *fields, moulds []*mould, namespace string, times int) func() bool {
	there := make([]*step, len(moulds)*times)
	turn := 0
	return func() bool {
		for i, m := range moulds {
			slot := &there[i*times+turn%times]
			if *slot != nil {
				b.remove(**slot)
				*slot = nil
			} else if s := b.create(f, "templatePaths", m, namespace, 0, 1, nil); s != nil {
				is := *s
				*slot = &is
			}
		}
		turn++
		return true
	}
}
