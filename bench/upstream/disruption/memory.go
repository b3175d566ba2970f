package disruption

import (
	"context"
	"strconv"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/storage"
	api "k8s.io/kubernetes/pkg/apis/core"
)

// memory is a storage of pods, in place of etcd. What upstream's storage of pods doesn't call when it
// evicts is left to panic.
type memory struct {
	storage.Interface // nil
	pods              map[string]*api.Pod
	version           int
}

// put stores a pod as it is.
func (m *memory) put(key string, pod *api.Pod) {
	m.version++
	pod.ResourceVersion = strconv.Itoa(m.version)
	m.pods[key] = pod
}

func (m *memory) Versioner() storage.Versioner { return storage.APIObjectVersioner{} }

func (m *memory) Get(_ context.Context, key string, opts storage.GetOptions, into runtime.Object) error {
	pod, ok := m.pods[key]
	if !ok {
		return storage.NewKeyNotFoundError(key, int64(m.version))
	}
	*into.(*api.Pod) = *pod.DeepCopy()
	return nil
}

func (m *memory) Delete(ctx context.Context, key string, out runtime.Object, pre *storage.Preconditions, valid storage.ValidateObjectFunc, _ runtime.Object, _ storage.DeleteOptions) error {
	if err := m.Get(ctx, key, storage.GetOptions{}, out); err != nil {
		return err
	}
	if err := pre.Check(key, out); err != nil {
		return err
	}
	if err := valid(ctx, out); err != nil {
		return err
	}
	delete(m.pods, key)
	return nil
}

func (m *memory) GuaranteedUpdate(ctx context.Context, key string, into runtime.Object, _ bool, pre *storage.Preconditions, update storage.UpdateFunc, _ runtime.Object) error {
	was := &api.Pod{}
	if err := m.Get(ctx, key, storage.GetOptions{}, was); err != nil {
		return err
	}
	if err := pre.Check(key, was); err != nil {
		return err
	}
	is, _, err := update(was.DeepCopy(), storage.ResponseMeta{ResourceVersion: uint64(m.version)})
	if err != nil {
		return err
	}
	pod := is.(*api.Pod).DeepCopy()
	pod.ResourceVersion = was.ResourceVersion
	if !equality.Semantic.DeepEqual(was, pod) {
		m.put(key, pod)
	}
	*into.(*api.Pod) = *pod.DeepCopy()
	return nil
}
