package perf

import (
	"fmt"
	"maps"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func (b *builder) createNodes(f *fields) {
	const field = "nodeTemplatePath"
	m := b.mould(f, field, f.text(field), plainNode)
	label := b.labels(f)
	count := b.params.count(f)
	if f.done() != nil {
		return
	}
	for i := range count {
		b.create(f, field, m, "", i, count, func(node metav1.Object) {
			labels := node.GetLabels()
			if labels == nil {
				labels = map[string]string{}
			}
			maps.Copy(labels, label(i))
			node.SetLabels(labels)
		})
	}
}

// labels returns which labels the i-th node gets.
func (b *builder) labels(f *fields) func(i int) map[string]string {
	if n := f.get("labelNodePrepareStrategy"); n != nil {
		sub := newFields(f.file, n)
		key, values := sub.text("labelKey"), []string{}
		sub.into("labelValues", &values)
		if err := sub.done(); err != nil || len(values) == 0 {
			f.fail(n.Line, "labelNodePrepareStrategy wants labelKey and labelValues")
			values = []string{""}
		}
		return func(i int) map[string]string { return map[string]string{key: values[i%len(values)]} }
	}
	if n := f.get("uniqueNodeLabelStrategy"); n != nil {
		sub := newFields(f.file, n)
		key := sub.text("labelKey")
		if sub.done() != nil {
			f.fail(n.Line, "uniqueNodeLabelStrategy wants labelKey")
		}
		return func(i int) map[string]string { return map[string]string{key: fmt.Sprintf("unique-%d", i)} }
	}
	return func(int) map[string]string { return nil }
}

func (b *builder) createNamespaces(f *fields) {
	const field = "namespaceTemplatePath"
	prefix := f.text("prefix")
	m := b.mould(f, field, f.text(field), "apiVersion: v1\nkind: Namespace\n")
	count := b.params.count(f)
	if f.done() != nil {
		return
	}
	for i := range count {
		obj, err := m.make(i, count)
		if err != nil {
			f.fail(f.at(field), "%v", err)
			return
		}
		b.namespace(fmt.Sprintf("%s-%d", prefix, i), obj.(*v1.Namespace).Labels)
	}
}

// createPods creates pods in a namespace, or in the one that the operation names.
func (b *builder) createPods(f *fields, namespace string) {
	const field = "podTemplatePath"
	if name := f.text("namespace"); name != "" {
		namespace = name
	}
	path := f.text(field)
	if path == "" {
		path = b.w.Case.pod
	}
	m := b.mould(f, field, path, plainPod)
	count := b.params.count(f)
	measured := f.flag("collectMetrics")
	// All pods are tried at once, and none is waited for.
	f.ignore("skipWaitToCompletion")
	if f.done() != nil {
		return
	}
	limit := count
	if measured && b.limit > 0 {
		limit = min(count, b.limit)
	}
	b.namespace(namespace, nil)
	b.timed = measured
	for i := range limit {
		b.pass(f, Pace)
		if s := b.create(f, field, m, namespace, i, count, nil); s != nil && measured {
			s.counted = true
			b.script.Measured++
		}
	}
	b.timed = false
}

func (b *builder) createPodSets(f *fields) {
	prefix, count := f.text("namespacePrefix"), b.params.count(f)
	op := f.get("createPodsOp")
	if op == nil {
		f.fail(f.line, "createPodSets wants createPodsOp")
	}
	if f.done() != nil {
		return
	}
	for i := range count {
		pods := newFields(f.file, op)
		pods.ignore("opcode")
		b.createPods(pods, fmt.Sprintf("%s-%d", prefix, i))
		if err := pods.done(); err != nil {
			f.err = err
			return
		}
	}
}

func (b *builder) createAny(f *fields) {
	const field = "templatePath"
	namespace, count := f.text("namespace"), 1
	if f.value["count"] != nil || f.value["countParam"] != nil {
		count = b.params.count(f)
	}
	m := b.mould(f, field, f.text(field), "")
	if f.done() != nil {
		return
	}
	if namespace != "" {
		b.namespace(namespace, nil)
	}
	for i := range count {
		b.create(f, field, m, namespace, i, count, nil)
	}
}

func (b *builder) deletePods(f *fields) {
	namespace, rate := f.text("namespace"), f.number("deletePodsPerSecond")
	var labels map[string]string
	f.into("labelSelector", &labels)
	meanwhile := f.flag("skipWaitToCompletion")
	pods := b.chosen(f, namespace, labels)
	if f.done() != nil {
		return
	}
	d := &background{of: f, due: b.now, tick: func() bool {
		if len(pods) > 0 {
			b.remove(step{object: b.script.pods[pods[0]], pod: pods[0]})
			pods = pods[1:]
		}
		return len(pods) > 0
	}}
	if rate > 0 {
		d.every = time.Second / time.Duration(rate)
		d.due += d.every
	}
	b.background = append(b.background, d)
	switch {
	case rate == 0:
		b.pass(f, 0)
	case !meanwhile:
		b.pass(f, time.Duration(len(pods))*d.every)
	}
}

// chosen returns the numbers of the pods of a namespace that have the labels.
func (b *builder) chosen(f *fields, namespace string, labels map[string]string) (pods []int) {
	for _, n := range b.namespaces[namespace] {
		p, match := b.script.pods[n], true
		for key, value := range labels {
			match = match && p.Labels[key] == value
		}
		if !match {
			continue
		}
		if len(p.Finalizers) > 0 {
			f.fail(f.line, "pods with finalizers would not end when they are deleted")
		}
		if s := p.Spec.TerminationGracePeriodSeconds; s == nil || *s != 0 {
			f.fail(f.line, "without a kubelet, pods with a grace period would not end when they are deleted")
		}
		pods = append(pods, n)
	}
	return pods
}

func (b *builder) barrier(f *fields) {
	f.ignore("namespaces", "labelSelector")
	if f.text("stageRequirement") != "Attempted" {
		f.fail(f.line, "the barrier is for pods that wait until something helps them, and upstream's queue isn't played")
	}
}

func (b *builder) sleep(f *fields) {
	text := f.text("duration")
	if name := f.text("durationParam"); name != "" {
		if n := b.params.param(f, "durationParam", name); n != nil {
			text = n.Value
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		f.fail(f.at("duration"), "%q is no duration", text)
	}
	b.pass(f, d)
}
