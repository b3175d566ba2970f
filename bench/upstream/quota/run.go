package quota

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
)

// A run is a story that both sides live through.
type run struct {
	up    *upstream
	us    *ours
	state *inState
	seen  *features

	log                   strings.Builder
	said                  map[string]string // the status of quotas that was last written to log
	requests, comparisons int
}

// A Result is how a story went.
type Result struct {
	Difference            string // where the sides part, "" if they don't
	Upstream              string // what upstream did, line by line
	Requests, Comparisons int
}

// live lets both sides live through a story, within a bubble.
func live(s Story, wrong mistake, seen *features) (Result, error) {
	up, err := newUpstream()
	if err != nil {
		return Result{}, err
	}
	defer up.stop()
	r := &run{up: up, us: newOurs(wrong), seen: seen, said: map[string]string{}}
	r.state = newInState(r.us)
	r.state.off = slices.ContainsFunc(s, func(step Step) bool { return step.Unheard })
	for i := range s {
		difference := r.step(&s[i])
		if difference != "" {
			difference = fmt.Sprintf("after step %d, %s:%s", i+1, &s[i], difference)
			return Result{difference, r.log.String(), r.requests, r.comparisons}, nil
		}
	}
	return Result{"", r.log.String(), r.requests, r.comparisons}, nil
}

// step lets one thing happen to both sides, and compares them. It returns how they differ.
func (r *run) step(s *Step) (difference string) {
	if s.Wait.Duration > 0 {
		r.wait(s.Wait.Duration)
		if difference = r.compare("when time has passed", true); difference != "" {
			return difference
		}
	}
	switch s.Verb {
	case set, remove, end:
		r.notAsked(s)
	case burst:
		difference = r.together(s)
	default:
		if q := r.up.prepare(s); q != nil {
			difference = r.answered(q, r.up.ask(q))
		}
	}
	if difference != "" {
		return difference
	}
	if difference = r.compare("at once", false); difference != "" || s.Unheard {
		return difference
	}
	r.settle()
	return r.compare("once the quota controller has heard of it", true)
}

// wait lets time pass, and everybody hear of everything.
func (r *run) wait(d time.Duration) {
	until := time.Now().Add(d)
	for next := r.us.resyncAt(); !next.After(until); next = r.us.resyncAt() {
		time.Sleep(time.Until(next))
		r.up.idle()
		r.us.resync()
		r.state.pass()
	}
	time.Sleep(time.Until(until))
	r.settle()
}

// settle lets everybody hear of everything.
func (r *run) settle() {
	r.up.settle()
	r.us.look()
	r.state.settle()
}

// notAsked does what no admission is asked about.
func (r *run) notAsked(s *Step) {
	resource := s.resource()
	namespace, name := s.key()
	was := r.up.named(resource).get(namespace, name)
	switch {
	case s.Verb == set:
		o := s.object()
		legacyscheme.Scheme.Default(o.(runtime.Object))
		r.up.put(resource, o)
		r.us.set(o)
	case s.Verb == remove && was != nil:
		r.seen.removed(resource)
		r.up.drop(resource, was)
		r.us.unset(resource, namespace, name)
		r.us.gone(resource, was)
		r.state.gone(resource, was)
	case s.Verb == end && was != nil && isZero(was.(*v1.Pod).Spec.TerminationGracePeriodSeconds): // it is gone at once
		r.notAsked(&Step{Verb: remove, Resource: resource, Namespace: namespace, Name: name})
	case s.Verb == end && was != nil:
		if is := r.up.tellToEnd(namespace, name); is != nil {
			r.seen.count("delete: pods")
			r.us.put("pods", was, is)
			r.state.tell(is)
		}
	}
}

// together sends several requests that arrive one right after the other.
func (r *run) together(s *Step) (difference string) {
	var list []*request
	names := map[string]bool{}
	for i := range s.Burst {
		q := r.up.prepare(&s.Burst[i])
		if q == nil || names[q.new.GetName()] {
			continue
		}
		names[q.new.GetName()] = true
		list = append(list, q)
	}
	if len(list) > 0 {
		r.seen.count("burst")
	}
	writes := r.up.writes
	answers := r.up.askTogether(list, s.Conflicts)
	if s.Conflicts > r.up.conflicts && r.up.writes > writes {
		r.seen.count("burst: a conflict")
	}
	for i, q := range list {
		if difference := r.answered(q, answers[i]); difference != "" {
			return difference
		}
	}
	return ""
}

// answered asks Berth for what upstream has answered, and compares.
func (r *run) answered(q *request, theirs answer) (difference string) {
	r.requests++
	before := r.us.used()
	namespace, name := q.names()
	fmt.Fprintf(&r.log, "%s %s/%s: %d %s\n", strings.TrimSuffix(q.resource+"/"+q.subresource, "/"), namespace, name, theirs.Code, inOrder(theirs.Message))
	answer := r.us.ask(q)
	r.comparisons++
	r.seen.answered(q, theirs)
	if theirs.Code != answer.Code || theirs.Code != http.StatusUnprocessableEntity && normal(theirs.Message) != normal(answer.Message) {
		return fmt.Sprintf("\n  upstream %d %s\n  berth    %d %s", theirs.Code, theirs.Message, answer.Code, answer.Message)
	}
	fast := r.state.ask(q, theirs)
	if fast != "" {
		return fast
	}
	if theirs.Code != http.StatusOK {
		return ""
	}
	is := r.up.named(q.resource).get(namespace, name)
	if p, ok := is.(*v1.Pod); ok && q.old == nil {
		r.comparisons++
		r.seen.pod(q.new.(*v1.Pod), p)
		if theirs, ours := podText(p), ourText(r.us.filled); theirs != ours {
			return fmt.Sprintf("\nupstream makes of it\n%sBerth\n%s", theirs, ours)
		}
	}
	r.us.put(q.resource, q.old, is)
	r.state.put(q, is)
	r.seen.charged(before, r.up.quotas())
	return ""
}

// compare returns how the status of quotas differs. Heard says that the quota controller has heard of
// everything.
func (r *run) compare(when string, heard bool) (difference string) {
	all := r.up.quotas()
	for _, key := range slices.Sorted(maps.Keys(all)) {
		r.comparisons++
		theirs, ours := used(all[key].Status), r.us.status(key)
		r.seen.status(all[key])
		if r.said[key] != theirs {
			r.said[key] = theirs
			fmt.Fprintf(&r.log, "%v, %s: quota %s %s\n", time.Since(epoch), when, key, theirs)
		}
		if theirs != ours {
			difference += fmt.Sprintf("\n%s\n  upstream %s %s\n  berth    %s %s", when, key, theirs, key, ours)
		}
		if quick, ok := r.state.status(key); ok && heard {
			r.comparisons++
			r.seen.count("controller: compared")
			if theirs != quick {
				difference += fmt.Sprintf("\n%s\n  upstream           %s %s\n  berth's controller %s %s", when, key, theirs, key, quick)
			}
		}
	}
	if len(all) != len(r.us.quotas) {
		difference += fmt.Sprintf("\nupstream has %d quotas, Berth %d", len(all), len(r.us.quotas))
	}
	return difference
}

func isZero(n *int64) bool { return n != nil && *n == 0 }
