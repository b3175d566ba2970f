package quota

import (
	"encoding/json"
	"fmt"
	"time"

	v1 "k8s.io/api/core/v1"
	nodev1 "k8s.io/api/node/v1"
	resourcev1 "k8s.io/api/resource/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/manifest"
	berth "github.com/berthsim/berth/quota"
)

// must is for conversions of what stories have, which all succeed.
func must[T any](x T, err error) T {
	if err != nil {
		panic(err)
	}
	return x
}

// converted remembers what objects are to Berth. Stored objects don't change, but are replaced.
type converted struct {
	accounts map[*v1.Pod]*cluster.Account
	objects  map[metav1.Object]*berth.Object
	classes  []*resourcev1.DeviceClass // of devices, as the story has them
}

func newConverted() *converted {
	return &converted{accounts: map[*v1.Pod]*cluster.Account{}, objects: map[metav1.Object]*berth.Object{}}
}

// account converts what quotas look at of a pod.
func (c *converted) account(p *v1.Pod) *cluster.Account {
	a := c.accounts[p]
	if a == nil {
		a = must(manifest.Account(p))
		c.accounts[p] = a
	}
	return a
}

// object converts anything that quotas count, as it is now.
func (c *converted) object(resource string, o metav1.Object) *berth.Object {
	if p, ok := o.(*v1.Pod); ok {
		pod := &berth.Pod{Account: c.account(p), Ended: manifest.Ended(p)}
		if at, grace := p.DeletionTimestamp, p.DeletionGracePeriodSeconds; at != nil {
			pod.Overdue = time.Now().After(at.Add(time.Duration(*grace) * time.Second))
		}
		return &berth.Object{Resource: resource, Namespace: p.Namespace, Name: p.Name, Pod: pod}
	}
	is := c.objects[o]
	if is == nil {
		is = c.read(resource, o)
		c.objects[o] = is
	}
	same := *is
	if is.Claim != nil {
		same.Claim = new(*is.Claim)
	}
	if is.Service != nil {
		same.Service = new(*is.Service)
	}
	return &same
}

// read has Berth read an object as if from a file.
func (c *converted) read(resource string, o metav1.Object) *berth.Object {
	if resource == "resourcequotas" {
		return &berth.Object{Resource: resource, Namespace: o.GetNamespace(), Name: o.GetName()}
	}
	file := typed(kinds[resource].GroupVersion().String(), kinds[resource].Kind, o)
	for _, class := range c.classes {
		if resource != berth.ResourceClaims {
			break
		}
		file = fmt.Sprintf("%s\n%s", file, typed(resourcev1.SchemeGroupVersion.String(), "DeviceClass", class))
	}
	all := must(manifest.Read("story", []byte(file)))
	if len(all.Counted) != 1 {
		panic(fmt.Sprintf("in %s\nquotas count %d objects", file, len(all.Counted)))
	}
	is := all.Counted[0]
	return &is
}

// typed writes an object with its kind.
func typed(apiVersion, kind string, o metav1.Object) string {
	var fields map[string]any
	if err := json.Unmarshal(must(json.Marshal(o)), &fields); err != nil {
		panic(err)
	}
	fields["apiVersion"], fields["kind"] = apiVersion, kind
	return string(must(json.Marshal(fields)))
}

// quotaOf converts a quota's spec.
func quotaOf(o *v1.ResourceQuota) *cluster.ResourceQuota {
	q, err := manifest.ResourceQuota(o)
	if err != nil {
		return nil // it has an operator that there isn't
	}
	q.Enforced, q.Used = nil, nil
	return q
}

// set converts what admission goes by.
func (b *ours) set(o metav1.Object) {
	key := o.GetNamespace() + "/" + o.GetName()
	switch o := o.(type) {
	case *v1.LimitRange:
		b.ranges[key] = must(manifest.LimitRange(o)).Completed()
	case *schedulingv1.PriorityClass:
		b.priorities[key] = must(manifest.PriorityClass(o))
	case *nodev1.RuntimeClass:
		b.runtimes[key] = must(manifest.RuntimeClass(o))
	case *resourcev1.DeviceClass:
		b.conv.classes = append(b.conv.classes, o)
	}
}

// newPod converts a pod as a client sends it.
func newPod(raw *v1.Pod) *berth.NewPod {
	p := raw.DeepCopy()
	manifest.Default(p)
	return must(manifest.NewPod(p))
}
