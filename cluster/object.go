package cluster

import "fmt"

// An Object is something beside nodes and pods that decisions depend on:
// *Namespace, *Service, *Workload, *DisruptionBudget or *ResourceQuota. Once it was given to a
// State it must not be changed; a change is an event with another object.
type Object interface {
	// key returns the namespace and name, as Key joins them.
	key() string
}

// A Namespace is known by its labels, which pod terms may select.
type Namespace struct {
	Name   string
	Labels Labels
}

// A Service selects pods of its namespace; by default, pods that it selects are
// spread.
type Service struct {
	Namespace, Name string
	Selector        Labels // all of which a pod must have; a Service without any selects nothing
}

// A Workload is a controller that makes pods: a ReplicationController, ReplicaSet,
// StatefulSet or Deployment, or whatever else is known by its scale.
type Workload struct {
	Kind, Namespace, Name string
	Selector              *Selector
	Replicas              int32    // its scale: how many pods it is to have
	Owner                 OwnerRef // the controller that made it: a ReplicaSet's Deployment
}

// A DisruptionBudget is a PodDisruptionBudget and its status.
type DisruptionBudget struct {
	Namespace, Name string
	Selector        *Selector

	// Of the pods that Selector matches, MinAvailable are to be healthy, or no more than
	// MaxUnavailable not. At most one of the two is set; without either, no disruption is
	// allowed.
	MinAvailable, MaxUnavailable *IntOrPercent
	// AlwaysAllow says that pods that aren't ready may be evicted whatever the status
	// says: unhealthyPodEvictionPolicy AlwaysAllow. It is IfHealthyBudget otherwise.
	AlwaysAllow bool
	Generation  int64 // of what is above

	Allowed     int32    // disruptions that are allowed now
	Disrupted   []string // names of pods whose disruption is under way and counted, sorted
	DisruptedAt []Time   // when that was allowed, for each of Disrupted

	// What the disruption controller has counted: pods that are healthy, that have to be,
	// and that there should be.
	CurrentHealthy, DesiredHealthy, ExpectedPods int32
	ObservedGeneration                           int64 // for which it counted
}

// An IntOrPercent is a number, or a percentage of a number that is known later.
type IntOrPercent struct {
	Value   int32
	Percent bool
}

// Of returns the number, or the percentage of total, rounded up.
func (x IntOrPercent) Of(total int32) int32 {
	if !x.Percent {
		return x.Value
	}
	product := int64(x.Value) * int64(total)
	up := product / 100
	if product%100 > 0 {
		up++
	}
	return int32(up)
}

func (o *Namespace) key() string        { return Key("", o.Name) }
func (o *Service) key() string          { return Key(o.Namespace, o.Name) }
func (o *Workload) key() string         { return Key(o.Namespace, o.Kind+"/"+o.Name) }
func (o *DisruptionBudget) key() string { return Key(o.Namespace, o.Name) }

// Workload returns the controller of that kind and name, nil if there is none.
func (s *State) Workload(namespace string, owner OwnerRef) *Workload {
	return s.Workloads.Get(namespace, owner.Kind+"/"+owner.Name)
}

// setObject puts o into its table, and minds the labels that it mentions.
func (s *State) setObject(o Object) {
	s.version++
	switch o := o.(type) {
	case *Namespace:
		s.Namespaces.set(o.key(), o)
	case *Service:
		for _, l := range o.Selector {
			s.mention(l.Key)
		}
		s.Services.set(o.key(), o)
	case *Workload:
		s.mentionSelector(o.Selector)
		s.Workloads.set(o.key(), o)
	case *DisruptionBudget:
		s.mentionSelector(o.Selector)
		s.Budgets.set(o.key(), o)
	case *ResourceQuota:
		s.Quotas.set(o.key(), o)
	default:
		panic(fmt.Sprintf("cluster: no table for a %T", o))
	}
}

// object returns what is in the place of o, nil if there is nothing.
func (s *State) object(o Object) Object {
	var found Object
	switch o := o.(type) {
	case *Namespace:
		if was := s.Namespaces.find(o.key()); was != nil {
			found = was
		}
	case *Service:
		if was := s.Services.find(o.key()); was != nil {
			found = was
		}
	case *Workload:
		if was := s.Workloads.find(o.key()); was != nil {
			found = was
		}
	case *DisruptionBudget:
		if was := s.Budgets.find(o.key()); was != nil {
			found = was
		}
	case *ResourceQuota:
		if was := s.Quotas.find(o.key()); was != nil {
			found = was
		}
	default:
		panic(fmt.Sprintf("cluster: no table for a %T", o))
	}
	return found
}

func (s *State) removeObject(o Object) {
	s.version++
	switch o := o.(type) {
	case *Namespace:
		s.Namespaces.remove(o.key())
	case *Service:
		s.Services.remove(o.key())
	case *Workload:
		s.Workloads.remove(o.key())
	case *DisruptionBudget:
		s.Budgets.remove(o.key())
	case *ResourceQuota:
		s.Quotas.remove(o.key())
	default:
		panic(fmt.Sprintf("cluster: no table for a %T", o))
	}
}
