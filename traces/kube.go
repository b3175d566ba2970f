package traces

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strconv"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/manifest"
)

// A kubeRecording takes in what a recording of a Kubernetes cluster says of it, object
// by object, and keeps what a replay needs: nodes and objects as they came, pods with
// how long they ran. On which node a pod was, and who evicted it, is how the recording
// came out, and none of it is kept.
type kubeRecording struct {
	tally
	observer manifest.Observer
	file     string
	line     int // of the record that is being taken in

	pods    []kubePod
	live    map[string]int                    // pods that are there, by namespace and name
	names   map[string]int                    // how many pods were called so, by namespace and name
	ungated map[*cluster.Class]*cluster.Class // of pods with gates, by their own
	nodes   []kubeNode
	nodeAt  map[string]int
	patched bool                      // whether nodes are changed by patches
	objects []cluster.Event           // ObjectSet and ObjectRemoved
	objAt   map[string]cluster.Object // as last set, by objectName

	started    bool
	start, end cluster.Time    // of the first and the last record
	binds      int             // pods that are known to have been bound
	askers     map[string]bool // users that reasons name
}

// A kubePod is a pod of a recording. Times that aren't known are -1.
type kubePod struct {
	spec               *cluster.PodSpec
	uid                string
	came, bound, ended cluster.Time
	told               bool // ended is when it was told to end, as long as nothing later is known
	deleted            bool // whether somebody deleted it before it had ended by itself
	line               int
}

// A kubeNode is a node of a recording.
type kubeNode struct {
	first, last *cluster.NodeSpec
	came        cluster.Time
	outages     []outage
	text        []byte // as last set, where patches come
}

// Reasons for which records are no part of a workload.
const (
	becameOfPod   = "says what became of a pod: read for its run time only"
	changesNode   = "changes a node: of its capacity and labels the last are played"
	changesObject = "changes nothing of an object that is played"
	notRead       = "is about a kind of objects that isn't played"
	overAlready   = "is about a pod that had ended when the recording began"
	notThere      = "removes what wasn't there"
	neverBound    = "is about a pod that was deleted before it was bound"
)

func newKubeRecording(file string) *kubeRecording {
	return &kubeRecording{
		file: file, live: map[string]int{}, names: map[string]int{},
		ungated: map[*cluster.Class]*cluster.Class{}, askers: map[string]bool{},
		nodeAt: map[string]int{}, objAt: map[string]cluster.Object{},
	}
}

// A kubeObject is what is read of every version of an object.
type kubeObject struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name      string `json:"name"`
		Namespace string `json:"namespace"`
		UID       string `json:"uid"`
	} `json:"metadata"`
	Spec   json.RawMessage `json:"spec"`
	Status json.RawMessage `json:"status"`
	text   []byte          // all of it
}

// parseObject reads an object of the Kubernetes API.
func (k *kubeRecording) parseObject(text []byte) (*kubeObject, error) {
	o := &kubeObject{text: text}
	if err := json.Unmarshal(text, o); err != nil {
		return nil, k.wrong("an object is no object of Kubernetes: "+jsonProblem(err), "correct or remove the record")
	}
	if o.Kind == "" || o.APIVersion == "" || o.Metadata.Name == "" {
		return nil, k.wrong("an object has no apiVersion, kind or metadata.name", "give all three, or remove the record")
	}
	return o, nil
}

// key names an object among all of its kind.
func (o *kubeObject) key() string {
	namespace := o.Metadata.Namespace
	if namespace == "" {
		namespace = "default"
	}
	return cluster.Key(namespace, o.Metadata.Name)
}

// is reports whether an object is of one of the kinds without a group.
func (o *kubeObject) is(kind string) bool { return o.APIVersion == "v1" && o.Kind == kind }

// at notes the time of a record.
func (k *kubeRecording) at(t cluster.Time) {
	if !k.started {
		k.started, k.start, k.end = true, t, t
	}
	k.start, k.end = min(k.start, t), max(k.end, t)
}

// set takes in an object as it is from some time. It returns a reason if the record
// as such is no part of the workload.
func (k *kubeRecording) set(t cluster.Time, o *kubeObject) (reason string, err error) {
	k.at(t)
	switch {
	case o.is("Pod"):
		return k.setPod(t, o)
	case o.is("Node"):
		return k.setNode(t, o)
	}
	to, err := k.observer.Object(o.text)
	switch {
	case err != nil:
		return "", k.here(err)
	case to == nil:
		return notRead, nil
	}
	if !k.put(t, to) {
		return changesObject, nil
	}
	return "", nil
}

// put has an object be as it is from some time, if it wasn't before.
func (k *kubeRecording) put(t cluster.Time, o cluster.Object) (changed bool) {
	name := objectName(o)
	if was, ok := k.objAt[name]; ok && reflect.DeepEqual(was, o) {
		return false
	}
	k.objAt[name] = o
	k.objects = append(k.objects, objectEvent(t, cluster.ObjectSet, o))
	return true
}

func objectEvent(t cluster.Time, kind cluster.Kind, o cluster.Object) cluster.Event {
	return cluster.Event{Time: t, Kind: kind, Pod: cluster.None, Node: cluster.None, Object: o}
}

// A podState is what is read of a pod each time.
type podState struct {
	NodeName        string            `json:"nodeName"`
	SchedulingGates []json.RawMessage `json:"schedulingGates"`
	Phase           string            `json:"phase"`
}

func (k *kubeRecording) setPod(t cluster.Time, o *kubeObject) (reason string, err error) {
	var s podState
	for _, part := range []json.RawMessage{o.Spec, o.Status} {
		if len(part) == 0 {
			continue
		}
		if err := json.Unmarshal(part, &s); err != nil {
			return "", k.wrong("a pod is no pod of Kubernetes: "+jsonProblem(err), "correct or remove the record")
		}
	}
	over := s.Phase == "Succeeded" || s.Phase == "Failed"
	i, ok := k.live[o.key()]
	if ok && o.Metadata.UID != "" && k.pods[i].uid != "" && o.Metadata.UID != k.pods[i].uid {
		k.finish(i, t) // its deletion was missed
		ok = false
	}
	if !ok {
		if over {
			return overAlready, nil
		}
		spec, err := k.observer.Pod(o.text)
		if err != nil {
			return "", k.here(err)
		}
		i = k.add(t, spec, o.Metadata.UID)
		k.live[o.key()] = i
	} else {
		reason = becameOfPod
		if len(s.SchedulingGates) == 0 {
			k.open(i, t)
		}
	}
	if s.NodeName != "" {
		k.bind(i, t)
	}
	if over {
		k.finish(i, t)
	}
	return reason, nil
}

// open takes the scheduling gates of a pod away: only now does it come.
func (k *kubeRecording) open(i int, t cluster.Time) {
	p := &k.pods[i]
	gated := p.spec.Class
	if len(gated.Gates) == 0 {
		return
	}
	class := k.ungated[gated]
	if class == nil {
		without := *gated
		without.Gates = nil
		class = &without
		k.ungated[gated] = class
	}
	p.spec.Class, p.came = class, t
}

// add adds a pod that comes at a time. One that is called as another was before it gets
// a name of its own, since here the other may be there still.
func (k *kubeRecording) add(t cluster.Time, spec *cluster.PodSpec, uid string) (i int) {
	key := cluster.Key(spec.Class.Namespace, spec.Name)
	name := spec.Name
	for n := k.names[key]; n > 0; n++ {
		spec.Name = name + "-again-" + strconv.Itoa(n)
		other := cluster.Key(spec.Class.Namespace, spec.Name)
		if k.names[other] == 0 {
			k.names[key], k.names[other] = n, k.names[other]+1
			break
		}
	}
	k.names[key]++
	k.pods = append(k.pods, kubePod{spec: spec, uid: uid, came: t, bound: -1, ended: -1, line: k.line})
	return len(k.pods) - 1
}

// bind notes that a pod got a node.
func (k *kubeRecording) bind(i int, t cluster.Time) {
	if k.pods[i].bound < 0 {
		k.open(i, t)
		k.pods[i].bound = t
		k.binds++
	}
}

// finish notes that a pod has ended.
func (k *kubeRecording) finish(i int, t cluster.Time) {
	if p := &k.pods[i]; p.ended < 0 || p.told && t > p.ended {
		p.ended, p.told = t, false
	}
}

func (k *kubeRecording) setNode(t cluster.Time, o *kubeObject) (reason string, err error) {
	spec, err := k.observer.Node(o.text)
	if err != nil {
		return "", k.here(err)
	}
	i, ok := k.nodeAt[spec.Name]
	if !ok {
		k.nodeAt[spec.Name] = len(k.nodes)
		k.nodes = append(k.nodes, kubeNode{first: spec, last: spec, came: t})
		k.keep(len(k.nodes)-1, o)
		return "", nil
	}
	n := &k.nodes[i]
	n.last = spec
	k.keep(i, o)
	if last := len(n.outages) - 1; last >= 0 && n.outages[last].until == cluster.Never {
		n.outages[last].until = max(t, n.outages[last].at)
		return "", nil
	}
	return changesNode, nil
}

// keep keeps what a node's object says, for the next patch.
func (k *kubeRecording) keep(i int, o *kubeObject) {
	if k.patched {
		k.nodes[i].text = bytes.Clone(o.text)
	}
}

// remove takes in that an object is gone. It returns a reason if the record as such is
// no part of the workload.
func (k *kubeRecording) remove(t cluster.Time, o *kubeObject) (reason string) {
	k.at(t)
	switch {
	case o.is("Pod"):
		i, ok := k.live[o.key()]
		if !ok {
			return notThere
		}
		delete(k.live, o.key())
		k.pods[i].deleted = k.pods[i].deleted || k.pods[i].ended < 0
		k.finish(i, t)
		return becameOfPod
	case o.is("Node"):
		i, ok := k.nodeAt[o.Metadata.Name]
		if !ok {
			return notThere
		}
		n := &k.nodes[i]
		from := t
		if last := len(n.outages) - 1; last >= 0 {
			if n.outages[last].until == cluster.Never {
				return notThere
			}
			from = max(from, n.outages[last].until)
		}
		n.outages = append(n.outages, outage{from, cluster.Never})
		return ""
	}
	name := o.Kind + " " + o.key()
	if o.is("Namespace") {
		name = o.Kind + " " + o.Metadata.Name
	}
	if !k.drop(t, name) {
		return notThere
	}
	return ""
}

// drop has an object be gone, by what objectName calls it, if it was there.
func (k *kubeRecording) drop(t cluster.Time, name string) (was bool) {
	o, ok := k.objAt[name]
	if ok {
		delete(k.objAt, name)
		k.objects = append(k.objects, objectEvent(t, cluster.ObjectRemoved, o))
	}
	return ok
}

// wrong returns an error about the record that is being taken in.
func (k *kubeRecording) wrong(problem, remedy string) *Error {
	return &Error{File: k.file, Line: k.line, Problem: problem, Remedy: remedy}
}

// here says of an error of package manifest where it is.
func (k *kubeRecording) here(err error) error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return k.wrong(e.Problem, e.Remedy)
	}
	return err
}

// jsonProblem says on one short line what encoding/json found.
func jsonProblem(err error) string {
	text := strconv.Quote(err.Error())
	text = text[1 : len(text)-1]
	return text[:min(len(text), 200)]
}
