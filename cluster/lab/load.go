//go:build linux

package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/berthsim/berth/cluster/lab/build"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/restmapper"
)

// Pods says what pods LoadPods makes.
type Pods struct {
	Count     int
	Name      string   // prefix; "pod" if ""
	Namespace string   // "default" if ""
	Scheduler string   // schedulerName; kube-scheduler's if ""
	Node      string   // bound to it from the beginning, if not ""
	Args      []string // of the program work, which runs until it is deleted if there are none
	Requests  core.ResourceList
	Limits    core.ResourceList
	Grace     int64 // seconds of terminationGracePeriodSeconds
}

// LoadPods creates pods that run the program work, and returns their names.
func (l *Lab) LoadPods(ctx context.Context, p Pods) ([]string, error) {
	client, err := l.Client()
	if err != nil {
		return nil, err
	}
	if p.Name == "" {
		p.Name = "pod"
	}
	if p.Namespace == "" {
		p.Namespace = metav1.NamespaceDefault
	}
	var names []string
	for i := range p.Count {
		pod := p.pod(i + 1)
		if _, err := client.CoreV1().Pods(p.Namespace).Create(ctx, pod, metav1.CreateOptions{}); err != nil {
			return names, fmt.Errorf("creating pod %s: %w", pod.Name, err)
		}
		names = append(names, pod.Name)
	}
	return names, nil
}

// pod is the i-th of the pods.
func (p Pods) pod(i int) *core.Pod {
	mount := false
	return &core.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("%s%d", p.Name, i), Labels: map[string]string{"app": strings.TrimRight(p.Name, "-.")}},
		Spec: core.PodSpec{
			SchedulerName: p.Scheduler, NodeName: p.Node, TerminationGracePeriodSeconds: &p.Grace,
			AutomountServiceAccountToken: &mount, DNSPolicy: core.DNSDefault, // there is no name server
			Containers: []core.Container{{
				Name: "work", Image: build.WorkImage, ImagePullPolicy: core.PullIfNotPresent, Args: p.Args,
				Resources: core.ResourceRequirements{Requests: p.Requests, Limits: p.Limits},
			}},
		},
	}
}

// ParseResources reads amounts by resource, as in {"cpu": "100m"}.
func ParseResources(amounts map[string]string) (core.ResourceList, error) {
	list := core.ResourceList{}
	for name, text := range amounts {
		amount, err := resource.ParseQuantity(text)
		if err != nil {
			return nil, fmt.Errorf("%s=%s: %w; write an amount as 100m or 64Mi", name, text, err)
		}
		list[core.ResourceName(name)] = amount
	}
	return list, nil
}

// Load creates the objects in a file of manifests, or in all files of a folder and those in it
// that end in .yaml, .yml or .json, in order; it returns how many.
func (l *Lab) Load(ctx context.Context, path string) (int, error) {
	files, err := manifests(path)
	if err != nil {
		return 0, err
	}
	config, err := l.config()
	if err != nil {
		return 0, err
	}
	objects, err := dynamic.NewForConfig(config)
	if err != nil {
		return 0, fmt.Errorf("speaking to the lab's API server: %w", err)
	}
	kinds, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return 0, fmt.Errorf("speaking to the lab's API server: %w", err)
	}
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(kinds))
	total := 0
	for _, file := range files {
		n, err := loadFile(ctx, objects, mapper, file)
		total += n
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// manifests lists the files at a path.
func manifests(path string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(path, func(file string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && (file == path || slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(file))) {
			files = append(files, file)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("looking for manifests: %w", err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s holds no manifest; name a file, or a folder of .yaml, .yml or .json files", path)
	}
	return files, nil
}

// loadFile creates the objects of one file.
func loadFile(ctx context.Context, objects dynamic.Interface, mapper meta.RESTMapper, file string) (int, error) {
	f, err := os.Open(file)
	if err != nil {
		return 0, fmt.Errorf("reading manifests: %w", err)
	}
	defer f.Close()
	decoder := yaml.NewYAMLOrJSONDecoder(f, 4096)
	for n := 0; ; {
		var o unstructured.Unstructured
		err := decoder.Decode(&o)
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, fmt.Errorf("%s, object %d: %w; mend the manifest", file, n+1, err)
		}
		if len(o.Object) == 0 { // nothing between two lines of dashes
			continue
		}
		list := []unstructured.Unstructured{o}
		if o.IsList() {
			items, err := o.ToList()
			if err != nil {
				return n, fmt.Errorf("%s, object %d: %w; mend the manifest", file, n+1, err)
			}
			list = items.Items
		}
		for _, item := range list {
			if err := create(ctx, objects, mapper, &item); err != nil {
				return n, fmt.Errorf("%s, object %d: %w", file, n+1, err)
			}
			n++
		}
	}
}

// create creates one object.
func create(ctx context.Context, objects dynamic.Interface, mapper meta.RESTMapper, o *unstructured.Unstructured) error {
	kind := o.GroupVersionKind()
	mapping, err := mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		return fmt.Errorf("finding kind %s: %w", kind, err)
	}
	var to dynamic.ResourceInterface = objects.Resource(mapping.Resource)
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		namespace := o.GetNamespace()
		if namespace == "" {
			namespace = metav1.NamespaceDefault
		}
		to = objects.Resource(mapping.Resource).Namespace(namespace)
	}
	if _, err := to.Create(ctx, o, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("creating %s %s: %w", kind.Kind, o.GetName(), err)
	}
	return nil
}
