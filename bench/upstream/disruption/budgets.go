package disruption

import (
	"encoding/json"
	"strconv"

	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
)

// budgetAPI is what an API server does with budgets and a fake clientset doesn't: versions and conflicts,
// generations, times in whole seconds, and no word of an update that changes nothing. Watchers hear of
// changes when they are flushed, so that a story can have something happen before.
type budgetAPI struct {
	client  *fake.Clientset
	watcher *watch.FakeWatcher
	unheard []watch.Event
	version int
}

var budgetResource = policyv1.SchemeGroupVersion.WithResource("poddisruptionbudgets")

func newBudgetAPI(client *fake.Clientset) *budgetAPI {
	b := &budgetAPI{client: client, watcher: watch.NewFakeWithChanSize(1000, false)}
	client.PrependReactor("update", budgetResource.Resource, b.update)
	client.PrependWatchReactor(budgetResource.Resource, func(clienttesting.Action) (bool, watch.Interface, error) { return true, b.watcher, nil })
	return b
}

// flush lets watchers hear of all that has changed.
func (b *budgetAPI) flush() {
	for _, e := range b.unheard {
		b.watcher.Action(e.Type, e.Object)
	}
	b.unheard = nil
}

// create makes a budget, with the status that it has.
func (b *budgetAPI) create(budget *policyv1.PodDisruptionBudget) error {
	budget = wholeSeconds(budget)
	b.stamp(budget)
	b.unheard = append(b.unheard, watch.Event{Type: watch.Added, Object: budget})
	return b.client.Tracker().Create(budgetResource, budget, namespace)
}

func (b *budgetAPI) remove(budget *policyv1.PodDisruptionBudget) error {
	b.unheard = append(b.unheard, watch.Event{Type: watch.Deleted, Object: budget})
	return b.client.Tracker().Delete(budgetResource, namespace, budget.Name)
}

// get returns a budget, nil if there is none.
func (b *budgetAPI) get(name string) (*policyv1.PodDisruptionBudget, error) {
	o, err := b.client.Tracker().Get(budgetResource, namespace, name)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return o.(*policyv1.PodDisruptionBudget).DeepCopy(), nil
}

// change gives a budget another spec, or, if it is the same, other annotations.
func (b *budgetAPI) change(was, is *policyv1.PodDisruptionBudget) error {
	next := was.DeepCopy()
	next.Spec, next.Annotations = is.Spec, is.Annotations
	if !equality.Semantic.DeepEqual(next.Spec, was.Spec) {
		next.Generation++
	}
	return b.write(was, next)
}

// update is the reactor for clients that store a status.
func (b *budgetAPI) update(action clienttesting.Action) (handled bool, ret runtime.Object, err error) {
	given := action.(clienttesting.UpdateAction).GetObject().(*policyv1.PodDisruptionBudget)
	was, err := b.get(given.Name)
	if err != nil {
		return true, nil, err
	}
	if was == nil {
		return true, nil, apierrors.NewNotFound(budgetResource.GroupResource(), given.Name)
	}
	if given.ResourceVersion != was.ResourceVersion {
		return true, nil, apierrors.NewConflict(budgetResource.GroupResource(), given.Name, nil)
	}
	next := was.DeepCopy()
	next.Status = wholeSeconds(given).Status
	if err := b.write(was, next); err != nil {
		return true, nil, err
	}
	return true, next, nil
}

// write stores next in the place of was, unless they are the same.
func (b *budgetAPI) write(was, next *policyv1.PodDisruptionBudget) error {
	if equality.Semantic.DeepEqual(was, next) {
		return nil
	}
	b.stamp(next)
	b.unheard = append(b.unheard, watch.Event{Type: watch.Modified, Object: next.DeepCopy()})
	return b.client.Tracker().Update(budgetResource, next, namespace)
}

func (b *budgetAPI) stamp(budget *policyv1.PodDisruptionBudget) {
	b.version++
	budget.ResourceVersion = strconv.Itoa(b.version)
}

// wholeSeconds returns the budget as it is once it was written as JSON.
func wholeSeconds(budget *policyv1.PodDisruptionBudget) *policyv1.PodDisruptionBudget {
	text, err := json.Marshal(budget)
	if err != nil {
		panic(err) // it is made of plain values
	}
	out := &policyv1.PodDisruptionBudget{}
	if err := json.Unmarshal(text, out); err != nil {
		panic(err)
	}
	for name, at := range out.Status.DisruptedPods {
		out.Status.DisruptedPods[name] = metav1.NewTime(at.UTC())
	}
	return out
}
