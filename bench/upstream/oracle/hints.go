package oracle

import (
	"fmt"
	"reflect"
	"unsafe"

	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/backend/queue"
)

// Hint is a plugin's interest in an event, and its opinion on which pods that it rejected may be placed
// now.
type Hint struct {
	Event fwk.ClusterEvent
	Ask   fwk.QueueingHintFn
}

// Hints gives, by plugin, what a profile's plugins registered as upstream's queue has it: each event of
// EventsToRegister with its function, or one that always queues, and what upstream adds by itself.
func (o *Oracle) Hints(profile string) (map[string][]Hint, error) {
	q, ok := o.scheduler.SchedulingQueue.(*queue.PriorityQueue)
	if !ok {
		return nil, fmt.Errorf("upstream's queue is a %T", o.scheduler.SchedulingQueue)
	}
	// The function that makes the table isn't exported, and neither is the field.
	field := reflect.ValueOf(q).Elem().FieldByName("queueingHintMap")
	if !field.IsValid() || field.Type() != reflect.TypeFor[queue.QueueingHintMapPerProfile]() {
		return nil, fmt.Errorf("upstream's queue has no table of hints")
	}
	table, ok := (*(*queue.QueueingHintMapPerProfile)(unsafe.Pointer(field.UnsafeAddr())))[profile]
	if !ok {
		return nil, fmt.Errorf("no profile %q", profile)
	}
	hints := map[string][]Hint{}
	for event, functions := range table {
		for _, f := range functions {
			hints[f.PluginName] = append(hints[f.PluginName], Hint{event, f.QueueingHintFn})
		}
	}
	return hints, nil
}
