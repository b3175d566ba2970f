package disruption

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/kubernetes/pkg/controller/disruption"

	"github.com/berthsim/berth/cluster"
)

// A run is a story that both sides live through.
type run struct {
	up   *upstream
	us   *berth
	seen *features

	pods        map[string]*v1.Pod
	budgets     map[string]*policyv1.PodDisruptionBudget // as clients made them, with generations
	workloads   map[string]*Workload
	last        map[string]status // of budgets, when they were compared
	touches     int
	comparisons int
}

// live lets both sides live through a story, within a bubble. It returns where they part, "" if they don't.
func live(s Story, seen *features) (difference string, comparisons int, err error) {
	up, err := newUpstream()
	if err != nil {
		return "", 0, err
	}
	defer up.stop()
	r := &run{
		up: up, us: newBerth(epoch), seen: seen,
		pods: map[string]*v1.Pod{}, budgets: map[string]*policyv1.PodDisruptionBudget{}, workloads: map[string]*Workload{},
		last: map[string]status{},
	}
	for i, h := range s {
		difference, err := r.happen(h)
		if difference == "" && err == nil {
			difference, err = r.compare()
		}
		if difference != "" || err != nil {
			return fmt.Sprintf("after %d (%s): %s", i+1, h, difference), r.comparisons, err
		}
	}
	return "", r.comparisons, nil
}

// happen lets one thing happen to both sides. The difference is that of an eviction.
func (r *run) happen(h Happening) (difference string, err error) {
	wait := h.Wait
	if h.Expiry != nil {
		wait = r.toExpiry() + *h.Expiry
	}
	if wait > 0 {
		time.Sleep(wait)
		r.up.settle()
		r.us.passes(cluster.Time(time.Since(epoch)))
	}
	between := r.between() && h.acts()
	if difference, err = r.act(h); difference != "" || err != nil || !between {
		return difference, err
	}
	return "", r.lookAll()
}

// between reports whether a pod counts again, and upstream's controller has yet to wake for it. Then it
// matters who looks why.
func (r *run) between() bool {
	for name := range r.budgets {
		if b, err := r.up.budgets.get(name); err == nil && b != nil {
			for _, at := range b.Status.DisruptedPods {
				if late := time.Since(at.Add(disruption.DeletionTimeout)); late >= 0 && late < 5*time.Millisecond {
					return true
				}
			}
		}
	}
	return false
}

// lookAll has both sides look at all budgets.
func (r *run) lookAll() error {
	if err := r.heard(true); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(r.budgets)) {
		same := *r.us.state.Budgets.Get(namespace, name)
		r.us.happens(cluster.Event{Kind: cluster.ObjectSet, Object: &same})
	}
	return nil
}

// act does what happens after a wait.
func (r *run) act(h Happening) (difference string, err error) {
	switch {
	case h.Pod != nil:
		return "", r.setPod(h.Pod.DeepCopy())
	case h.Delete != "" || h.RemovePod != "":
		return "", r.endPod(h)
	case h.Budget != nil && h.Evict != "":
		events, err := r.setBudget(h.Budget.DeepCopy())
		if err != nil {
			return "", err
		}
		r.us.observe(events...)
		return r.evict(h.Evict, events)
	case h.Budget != nil:
		events, err := r.setBudget(h.Budget.DeepCopy())
		if err != nil {
			return "", err
		}
		r.up.settle()
		r.us.happens(events...)
	case h.RemoveBudget != "" && r.budgets[h.RemoveBudget] != nil:
		return "", r.removeBudget(h.RemoveBudget)
	case h.Workload != nil || h.RemoveWorkload != "":
		return "", r.setWorkload(h)
	case h.Evict != "":
		return r.evict(h.Evict, nil)
	}
	return "", nil
}

// toExpiry returns how long it is until a pod that was evicted, and is still there, is to count again: 0
// if there is none.
func (r *run) toExpiry() (wait time.Duration) {
	for name := range r.budgets {
		b, err := r.up.budgets.get(name)
		if err != nil || b == nil {
			continue
		}
		for _, at := range b.Status.DisruptedPods {
			if left := time.Until(at.Add(disruption.DeletionTimeout)); left > 0 && (wait == 0 || left < wait) {
				wait = left
			}
		}
	}
	return wait
}

// over returns the budgets over a pod.
func (r *run) over(p *v1.Pod) (names []string) {
	for name, b := range r.budgets {
		if sel, err := metav1.LabelSelectorAsSelector(b.Spec.Selector); err == nil && sel.Matches(labels.Set(p.Labels)) {
			names = append(names, name)
		}
	}
	return names
}

// heard lets upstream's controller look at all budgets if it doesn't by itself, and Berth's at what has
// happened, since it does.
func (r *run) heard(deaf bool) error {
	r.up.settle()
	if !deaf {
		return nil
	}
	r.seen.count("upstream was told to look")
	for _, name := range slices.Sorted(maps.Keys(r.budgets)) {
		was, err := r.up.budgets.get(name)
		if err != nil {
			return err
		}
		is := was.DeepCopy()
		r.touches++
		is.Annotations = map[string]string{"touched": fmt.Sprint(r.touches)}
		if err := r.up.budgets.change(was, is); err != nil {
			return err
		}
	}
	r.up.settle()
	return nil
}

func (r *run) setPod(p *v1.Pod) error {
	was := r.pods[p.Name]
	deaf := len(r.over(p)) > 1
	if was != nil {
		deaf = deaf || !maps.Equal(was.Labels, p.Labels)
		p.DeletionTimestamp, p.DeletionGracePeriodSeconds, p.Status.StartTime = was.DeletionTimestamp, was.DeletionGracePeriodSeconds, was.Status.StartTime
		if was.Spec.NodeName != "" && p.Spec.NodeName == "" || was.Status.Phase == v1.PodRunning {
			p.Spec.NodeName, p.Status.Phase = was.Spec.NodeName, v1.PodRunning
			if len(p.Status.Conditions) == 0 {
				p.Status.Conditions = was.Status.Conditions
			}
		}
	}
	if now := metav1.Now(); p.Spec.NodeName != "" && p.Status.StartTime == nil {
		p.Status.StartTime = &now
	}
	r.pods[p.Name] = p
	if err := r.up.setPod(p, was == nil); err != nil {
		return err
	}
	if err := r.heard(deaf); err != nil {
		return err
	}
	return r.us.setPod(p)
}

// endPod tells a pod to end, or has it gone.
func (r *run) endPod(h Happening) error {
	name := h.Delete + h.RemovePod
	p := r.pods[name]
	if p == nil || h.Delete != "" && (p.DeletionTimestamp != nil || p.Spec.NodeName == "") {
		return nil
	}
	if h.RemovePod != "" {
		delete(r.pods, name)
		if err := r.up.removePod(name); err != nil {
			return err
		}
		r.us.removePod(name)
		return r.heard(len(r.over(p)) > 1)
	}
	now, grace := metav1.Now(), int64(30)
	p.DeletionTimestamp, p.DeletionGracePeriodSeconds = &now, &grace
	if err := r.up.setPod(p, false); err != nil {
		return err
	}
	r.us.deletePod(name)
	return r.heard(len(r.over(p)) > 1)
}

// setBudget makes or changes a budget. Nobody has heard of it yet.
func (r *run) setBudget(b *policyv1.PodDisruptionBudget) ([]cluster.Event, error) {
	was, err := r.up.budgets.get(b.Name)
	if err != nil {
		return nil, err
	}
	if was == nil {
		err = r.up.budgets.create(b)
	} else {
		err = r.up.budgets.change(was, b)
	}
	if err != nil {
		return nil, err
	}
	is, err := r.up.budgets.get(b.Name)
	if err != nil {
		return nil, err
	}
	b.Generation = is.Generation
	r.budgets[b.Name] = b
	r.seen.budget(b)
	to, err := r.us.converted(b)
	return []cluster.Event{{Kind: cluster.ObjectSet, Object: to}}, err
}

func (r *run) removeBudget(name string) error {
	was, err := r.up.budgets.get(name)
	if err != nil {
		return err
	}
	delete(r.budgets, name)
	if err := r.up.budgets.remove(was); err != nil {
		return err
	}
	r.us.happens(cluster.Event{Kind: cluster.ObjectRemoved, Object: r.us.state.Budgets.Get(namespace, name)})
	return r.heard(false)
}

// setWorkload makes, scales or removes a workload.
func (r *run) setWorkload(h Happening) error {
	w, kind := h.Workload, cluster.ObjectSet
	if w == nil {
		if w = r.workloads[h.RemoveWorkload]; w == nil {
			return nil
		}
		kind = cluster.ObjectRemoved
		delete(r.workloads, w.key())
		if err := r.up.removeWorkload(w); err != nil {
			return err
		}
	} else {
		r.workloads[w.key()] = w
		if err := r.up.setWorkload(w); err != nil {
			return err
		}
	}
	o, err := r.us.workload(w)
	if err != nil {
		return err
	}
	r.us.happens(cluster.Event{Kind: kind, Object: o})
	return r.heard(true)
}

// evict asks both sides for a pod's eviction: before is what Berth's controller has yet to see.
func (r *run) evict(name string, before []cluster.Event) (difference string, err error) {
	p := r.pods[name]
	if p == nil {
		r.us.step(before)
		return "", r.heard(false)
	}
	over := r.over(p)
	unheard := r.statuses()
	theirs, after, err := r.up.evict(name)
	if err != nil {
		return "", err
	}
	ours, events := r.us.evict(name)
	r.comparisons++
	r.seen.answered(r, p, over, theirs, unheard)
	if theirs != ours {
		return fmt.Sprintf("upstream answers %+v, Berth %+v", theirs, ours), nil
	}
	if difference, err := r.compare(); difference != "" || err != nil {
		return "at once " + difference, err
	}
	if err := r.up.mirror(name, after); err != nil {
		return "", err
	}
	if after == nil {
		delete(r.pods, name)
	} else {
		r.pods[name] = after
	}
	r.us.step(append(before, events...))
	return "", r.heard(len(over) > 1 || len(before) > 0) // the pod may be under a budget as it was before, too
}

// statuses returns upstream's status of all budgets.
func (r *run) statuses() map[string]status {
	all := map[string]status{}
	for name := range r.budgets {
		all[name], _ = r.up.status(name, epoch)
	}
	return all
}

// compare returns how the status of budgets differs, "" if it doesn't.
func (r *run) compare() (difference string, err error) {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(r.budgets)) {
		theirs, err := r.up.status(name, epoch)
		if err != nil {
			return "", err
		}
		ours := r.us.status(name)
		r.comparisons++
		r.seen.status(r, name, theirs)
		r.last[name] = theirs
		if theirs.String() != ours.String() {
			fmt.Fprintf(&b, "\n  %s upstream %s\n  %s berth    %s", name, theirs, name, ours)
		}
	}
	return b.String(), nil
}
