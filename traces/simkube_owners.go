package traces

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/berthsim/berth/cluster"
)

// A simkubeOwner is an object that has pods made of a template in it.
type simkubeOwner struct {
	key       string // its kind, namespace and name
	object    *kubeObject
	versions  []simkubeTemplate // as they were applied, in order
	pods      []int             // of kubeRecording.pods, that are there, the oldest first
	made      int               // how many there have been
	removedAt cluster.Time      // -1 while it is there
}

// A simkubeTemplate is what pods were made of from some time.
type simkubeTemplate struct {
	from cluster.Time
	text []byte           // the template, as JSON
	pod  *cluster.PodSpec // made of it, nil as long as none is
}

// defaultTemplates says where kinds have the template of their pods, unless the
// recording does.
var defaultTemplates = map[string]string{
	"apps/v1.Deployment": "/spec/template", "apps/v1.ReplicaSet": "/spec/template", "apps/v1.StatefulSet": "/spec/template",
	"apps/v1.DaemonSet": "/spec/template", "batch/v1.Job": "/spec/template", "batch/v1.CronJob": "/spec/jobTemplate/spec/template",
}

// Reasons for which objects are no part of the workload.
const (
	noTemplate = "is of a kind without a template for pods"
	noLifetime = "has pods of which neither how many nor how long they ran was recorded"
)

// apply takes in an object that was created or changed.
func (r *simkubeReader) apply(at cluster.Time, o *kubeObject) (reason string, err error) {
	kind := o.APIVersion + "." + o.Kind
	path, known := r.templates[kind]
	if !known {
		path, known = defaultTemplates[kind]
	}
	key := kind + " " + o.key()
	if o.is("Pod") {
		return r.applyPod(at, o, key)
	}
	reason, err = r.kube.set(at, o) // what decisions depend on beside pods
	if err != nil || !known {
		if reason == notRead {
			reason = noTemplate
		}
		return reason, err
	}
	template, ok := pointedAt(o.text, path)
	if !ok {
		return noTemplate, nil
	}
	owner := r.owners[key]
	if owner == nil {
		owner = &simkubeOwner{key: key}
		r.owners[key] = owner
		r.order = append(r.order, owner)
	}
	owner.object, owner.removedAt = o, -1
	if w, ok := r.kube.objAt["Deployment "+o.key()].(*cluster.Workload); ok && o.Kind == "Deployment" {
		set := *w // its ReplicaSet, which is what default spreading goes by
		set.Kind, set.Owner = "ReplicaSet", cluster.OwnerRef{Kind: "Deployment", Name: o.Metadata.Name}
		r.kube.put(at, &set)
	}
	changed := len(owner.versions) == 0 || !bytes.Equal(owner.versions[len(owner.versions)-1].text, template)
	if changed {
		owner.versions = append(owner.versions, simkubeTemplate{from: at, text: template})
	}
	if len(r.lives[key]) > 0 {
		return "", nil
	}
	return r.scale(at, owner, changed)
}

// scale gives an owner as many pods as it asks for: of a new template all anew, of the
// same the newest go first.
func (r *simkubeReader) scale(at cluster.Time, owner *simkubeOwner, anew bool) (reason string, err error) {
	var spec struct {
		Replicas *int64 `json:"replicas"`
	}
	if err := json.Unmarshal(owner.object.Spec, &spec); err != nil {
		return "", r.kube.wrong("replicas: "+jsonProblem(err), "give a whole number")
	}
	replicas := int64(1)
	switch kind := owner.object.Kind; {
	case spec.Replicas != nil:
		replicas = *spec.Replicas
	case kind != "Deployment" && kind != "ReplicaSet" && kind != "StatefulSet":
		return noLifetime, nil
	}
	if replicas < 0 || replicas > maxReplicas {
		return "", r.kube.wrong("replicas is "+strconv.FormatInt(replicas, 10), "give a whole number from 0 to "+strconv.Itoa(maxReplicas))
	}
	if anew {
		r.end(at, owner, 0)
	}
	r.end(at, owner, int(replicas))
	for len(owner.pods) < int(replicas) {
		i, err := r.makePod(at, owner, &owner.versions[len(owner.versions)-1])
		if err != nil {
			return "", err
		}
		owner.pods = append(owner.pods, i)
	}
	return "", nil
}

// maxReplicas is more than Kubernetes runs in one cluster.
const maxReplicas = 200_000

// end ends pods of an owner until so many are left.
func (r *simkubeReader) end(at cluster.Time, owner *simkubeOwner, left int) {
	for _, i := range owner.pods[min(left, len(owner.pods)):] {
		r.kube.finish(i, at)
	}
	owner.pods = owner.pods[:min(left, len(owner.pods))]
}

// applyPod takes in a pod that nothing owns.
func (r *simkubeReader) applyPod(at cluster.Time, o *kubeObject, key string) (reason string, err error) {
	before := len(r.kube.pods)
	if reason, err = r.kube.set(at, o); err != nil || len(r.kube.pods) == before {
		return reason, err
	}
	if lives := r.lives[key]; len(lives) > 0 && lives[0].from >= 0 {
		r.live(before, lives[0])
	}
	return reason, nil
}

// live notes how long a pod ran.
func (r *simkubeReader) live(i int, life simkubeLife) {
	from := cluster.Time(life.from) * cluster.Second
	r.kube.at(from)
	r.kube.bind(i, from)
	if life.until >= 0 {
		until := cluster.Time(life.until) * cluster.Second
		r.kube.at(until)
		r.kube.finish(i, until)
	}
}

// playLives makes the pods of an owner whose lifetimes were recorded.
func (r *simkubeReader) playLives(owner *simkubeOwner) error {
	for _, life := range r.lives[owner.key] {
		if life.from < 0 {
			continue
		}
		from := cluster.Time(life.from) * cluster.Second
		version := 0
		for version+1 < len(owner.versions) && owner.versions[version+1].from <= from {
			version++
		}
		i, err := r.makePod(from, owner, &owner.versions[version])
		if err != nil {
			return err
		}
		r.live(i, life)
	}
	return nil
}

// remove takes in that an object was deleted.
func (r *simkubeReader) remove(at cluster.Time, o *kubeObject) (reason string) {
	reason = r.kube.remove(at, o)
	if owner := r.owners[o.APIVersion+"."+o.Kind+" "+o.key()]; owner != nil && owner.removedAt < 0 {
		owner.removedAt = at
		r.end(at, owner, 0)
		if o.Kind == "Deployment" {
			r.kube.drop(at, "ReplicaSet "+o.key())
		}
		return ""
	}
	return reason
}

// makePod makes a pod of a template, as the owner's controller does.
func (r *simkubeReader) makePod(at cluster.Time, owner *simkubeOwner, of *simkubeTemplate) (i int, err error) {
	if len(r.kube.pods) == r.most {
		return 0, r.kube.wrong("there are more than "+strconv.Itoa(r.most)+" pods", "give a shorter recording")
	}
	if of.pod == nil {
		if of.pod, err = r.podOf(owner.object, of.text); err != nil {
			return 0, err
		}
	}
	spec := *of.pod
	spec.Name += strconv.Itoa(owner.made)
	owner.made++
	return r.kube.add(at, &spec, ""), nil
}

// podOf makes a pod of an owner's template whose name lacks a number. Pods of a
// Deployment are its ReplicaSet's, which is called like it here.
func (r *simkubeReader) podOf(owner *kubeObject, template []byte) (*cluster.PodSpec, error) {
	bad := "the template for pods of " + quoted(owner.Kind+" "+owner.key()) + " is none"
	var of struct {
		Metadata map[string]json.RawMessage `json:"metadata"`
		Spec     json.RawMessage            `json:"spec"`
	}
	if err := json.Unmarshal(template, &of); err != nil || len(of.Spec) == 0 {
		return nil, r.kube.wrong(bad, "correct the recording")
	}
	kind := owner.Kind
	if kind == "Deployment" {
		kind = "ReplicaSet"
	}
	meta := map[string]any{
		"name": owner.Metadata.Name + "-", "namespace": owner.Metadata.Namespace,
		"ownerReferences": []any{map[string]any{"apiVersion": owner.APIVersion, "kind": kind, "name": owner.Metadata.Name, "uid": "", "controller": true}},
	}
	for _, key := range []string{"labels", "annotations"} {
		if value, ok := of.Metadata[key]; ok {
			meta[key] = value
		}
	}
	text, err := json.Marshal(map[string]any{"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": of.Spec})
	if err != nil {
		return nil, r.kube.wrong(bad+": "+jsonProblem(err), "correct the recording")
	}
	spec, err := r.kube.observer.Pod(text)
	return spec, r.kube.here(err)
}

// pointedAt returns what a JSON pointer (RFC 6901) points to in a text, and whether there is
// something. Of a list, * stands for the first.
func pointedAt(text []byte, pointer string) (json.RawMessage, bool) {
	for part := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		part = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
		if len(text) > 0 && text[0] == '[' {
			var list []json.RawMessage
			i, err := strconv.Atoi(strings.Replace(part, "*", "0", 1))
			if err != nil || json.Unmarshal(text, &list) != nil || i < 0 || i >= len(list) {
				return nil, false
			}
			text = list[i]
			continue
		}
		var members map[string]json.RawMessage
		if json.Unmarshal(text, &members) != nil {
			return nil, false
		}
		text = members[part]
	}
	return slices.Clip(text), len(text) > 0 && text[0] == '{'
}
