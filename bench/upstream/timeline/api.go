package timeline

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/client-go/kubernetes/fake"
	corev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	clienttesting "k8s.io/client-go/testing"
)

var (
	podsResource  = v1.SchemeGroupVersion.WithResource("pods")
	nodesResource = v1.SchemeGroupVersion.WithResource("nodes")
)

// apply lets upstream's informers see a change.
func (u *upstream) apply(c *change) {
	t := u.client.Tracker()
	var err error
	switch {
	case c.node != nil && c.oldNode == nil:
		err = t.Create(nodesResource, c.node, "")
	case c.node != nil:
		err = t.Update(nodesResource, c.node, "")
	case c.oldNode != nil:
		err = t.Delete(nodesResource, "", c.oldNode.Name)
	case c.pod != nil && c.oldPod == nil:
		err = t.Create(podsResource, c.pod, c.pod.Namespace)
	case c.pod != nil:
		err = t.Update(podsResource, c.pod, c.pod.Namespace)
	default:
		err = t.Delete(podsResource, c.oldPod.Namespace, c.oldPod.Name)
	}
	if err != nil {
		panic(err) // the world and the tracker have the same objects
	}
}

// strand has the pods end whose node is gone.
func (u *upstream) strand(c *change) {
	if c.node != nil || c.oldNode == nil {
		return
	}
	for _, name := range u.world.stranded(c.oldNode.Name) {
		u.later(now()+lag, name, func() *change { return u.world.removePod(name) })
	}
}

func (u *upstream) later(due time.Duration, name string, do func() *change) {
	u.set(func() { u.effects = append(u.effects, effect{due, name, do}) })
}

// react answers upstream's calls.
func (u *upstream) react() {
	u.client.PrependReactor("delete", "pods", u.remove)
	u.client.PrependReactor("patch", "pods", u.patch)
}

// call has something done that upstream asks for: at the end of the try that it is part of, unless the
// pod is gone by then.
func (u *upstream) call(after time.Duration, name string, do func() *change) {
	u.mu.Lock()
	try := u.trying
	u.mu.Unlock()
	if !try.deciding {
		u.later(now()+after, name, do)
		return
	}
	u.later(try.began+u.story.Service+after, name, func() *change {
		if p := u.world.pods[try.pod]; p == nil || p.UID != try.uid || p.Spec.NodeName != "" {
			return nil
		}
		return do()
	})
}

// A client is the fake one, but for binding pods: while a reactor sleeps, nobody else is served.
type client struct {
	*fake.Clientset
	u *upstream
}

// CoreV1 implements kubernetes.Interface.
func (c client) CoreV1() corev1.CoreV1Interface { return core{c.Clientset.CoreV1(), c.u} }

type core struct {
	corev1.CoreV1Interface
	u *upstream
}

// Pods implements corev1.CoreV1Interface.
func (c core) Pods(namespace string) corev1.PodInterface {
	return pods{c.CoreV1Interface.Pods(namespace), c.u}
}

type pods struct {
	corev1.PodInterface
	u *upstream
}

// Bind implements corev1.PodInterface.
func (c pods) Bind(_ context.Context, b *v1.Binding, _ metav1.CreateOptions) error {
	u, node, name, uid := c.u, b.Target.Name, b.Name, b.UID
	if u.world.nodes[node] == nil {
		return fmt.Errorf("there is no node %s", node)
	}
	u.set(func() { u.passed(uid, node, nil) })
	if p := u.world.pods[name]; p == nil || p.UID != uid {
		return apierrors.NewNotFound(podsResource.GroupResource(), name)
	}
	if u.world.refuse[name] > 0 {
		u.world.refuse[name]--
		u.seen.count("binding refused")
		u.later(now()+lag, name, func() *change { return nil })
		time.Sleep(lag)
		return fmt.Errorf("refused")
	}
	u.later(now()+lag, name, func() *change { return u.world.bind(uid, name, node, now()) })
	return nil
}

func (u *upstream) remove(a clienttesting.Action) (bool, runtime.Object, error) {
	name := a.(clienttesting.DeleteAction).GetName()
	p := u.world.pods[name]
	if p == nil {
		return true, nil, apierrors.NewNotFound(podsResource.GroupResource(), name)
	}
	u.seen.count("victim")
	// Berth spares a victim whose binding failed meanwhile, which upstream would end.
	there := func() bool {
		is := u.world.pods[name]
		return is != nil && is.UID == p.UID && is.Spec.NodeName != ""
	}
	u.call(0, name, func() *change {
		if !there() {
			return nil
		}
		u.later(now()+lag, name, func() *change {
			if !there() {
				return nil
			}
			return u.world.removePod(name)
		})
		return u.world.terminate(name, now())
	})
	return true, nil, nil
}

// patch changes the status of a pending pod. The conditions of others are nobody's business here.
func (u *upstream) patch(a clienttesting.Action) (bool, runtime.Object, error) {
	patch := a.(clienttesting.PatchAction)
	name, data := patch.GetName(), patch.GetPatch()
	p := u.world.pods[name]
	if p == nil {
		return true, nil, apierrors.NewNotFound(podsResource.GroupResource(), name)
	}
	u.call(0, name, func() *change { return u.patched(name, p.UID, data) })
	return true, p, nil
}

func (u *upstream) patched(name string, uid types.UID, data []byte) *change {
	old := u.world.pods[name]
	if old == nil || old.UID != uid || old.Spec.NodeName != "" {
		return nil
	}
	p, err := patchPod(old, data)
	if err != nil {
		panic(err)
	}
	if kept := p.Status.NominatedNodeName; kept != old.Status.NominatedNodeName && u.world.nodes[kept] == nil {
		p.Status.NominatedNodeName = "" // Berth keeps no node that went while the pod was tried
	}
	u.seen.patched(old, p)
	u.world.stamp(&p.ObjectMeta)
	u.world.pods[name] = p
	return &change{pod: p, oldPod: old}
}

func patchPod(p *v1.Pod, data []byte) (*v1.Pod, error) {
	was, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	is, err := strategicpatch.StrategicMergePatch(was, data, &v1.Pod{})
	if err != nil {
		return nil, err
	}
	out := &v1.Pod{}
	return out, json.Unmarshal(is, out)
}
