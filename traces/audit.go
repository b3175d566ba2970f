package traces

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/berthsim/berth/cluster"
)

// audit is Kubernetes' audit log, audit.k8s.io/v1: a request to the API server a line.
// At level RequestResponse it has the objects; at level Metadata only who asked for
// what, which is enough for bindings, evictions and deletions.
var audit = &kubeFormat{
	name: "audit", version: "audit/1", dated: true,
	doc:       "Kubernetes' audit logs: requests to the API server, with the objects that they created",
	path:      "a file of JSON lines, or a folder of *.log, *.json and *.jsonl, in order of their names",
	suffixes:  []string{".log", ".json", ".jsonl"},
	recognise: func(start string) bool { return strings.Contains(start, `"apiVersion":"audit.k8s.io/`) },
	read:      readAudit,
}

// An auditEvent is a line.
type auditEvent struct {
	APIVersion string `json:"apiVersion"`
	Stage      string `json:"stage"`
	Verb       string `json:"verb"`
	User       struct {
		Username string `json:"username"`
	} `json:"user"`
	Object struct {
		Resource    string `json:"resource"`
		Namespace   string `json:"namespace"`
		Name        string `json:"name"`
		Group       string `json:"apiGroup"`
		Version     string `json:"apiVersion"`
		Subresource string `json:"subresource"`
	} `json:"objectRef"`
	Status struct {
		Code int `json:"code"`
	} `json:"responseStatus"`
	Request  json.RawMessage `json:"requestObject"`
	Response json.RawMessage `json:"responseObject"`
	Received time.Time       `json:"requestReceivedTimestamp"`
}

// Reasons for which requests are no part of a workload.
const (
	earlyStage  = "is of a stage before the response"
	onlyReads   = "only reads"
	refusedCall = "was refused"
	noObject    = "has no object: it was recorded at a level that leaves it out"
	evictsPod   = "evicts a pod"
	evictionNo  = "is an eviction that a budget refused (429)"
	bindsPod    = "binds a pod: read for its run time only"
)

func readAudit(k *kubeRecording, in *stream) error {
	a := &auditReader{kube: k}
	return k.readJSONLines(k.file, in, func(line int, text []byte) (reason string, err error) {
		k.line = line
		var e auditEvent
		if err := json.Unmarshal(text, &e); err != nil {
			return "", k.wrong("no audit event: "+jsonProblem(err), "correct or remove the line")
		}
		if !strings.HasPrefix(e.APIVersion, "audit.k8s.io/") {
			return "", k.wrong("apiVersion is "+quoted(e.APIVersion), "give events of audit.k8s.io")
		}
		return a.event(&e)
	})
}

// An auditReader takes requests in.
type auditReader struct{ kube *kubeRecording }

// event takes in a request. Objects change when it is received.
func (a *auditReader) event(e *auditEvent) (reason string, err error) {
	at, err := a.kube.moment(e.Received)
	if err != nil {
		return "", err
	}
	a.kube.at(at)
	switch e.Verb {
	case "get", "list", "watch":
		return onlyReads, nil
	}
	evicts := e.Object.Resource == "pods" && e.Object.Subresource == "eviction"
	kind, played := kwokKinds[e.Object.Group+"/"+e.Object.Resource]
	switch {
	case e.Stage != "ResponseComplete":
		return earlyStage, nil
	case evicts && e.Status.Code == 429:
		return a.by(evictionNo, e), nil
	case e.Status.Code >= 300:
		return refusedCall, nil
	case !played:
		return notRead, nil
	case evicts:
		a.tell(at, e.ref(kind).key(), false)
		return a.by(evictsPod, e), nil
	case e.Object.Subresource == "binding":
		if i, ok := a.kube.live[e.ref(kind).key()]; ok {
			a.kube.bind(i, at)
		}
		return bindsPod, nil
	case e.Object.Subresource != "" && e.Object.Subresource != "status" && e.Object.Subresource != "resize":
		return notRead, nil
	case e.Verb == "delete":
		return a.remove(at, e, e.ref(kind)), nil
	case e.Verb == "deletecollection":
		return a.removeAll(at, e)
	}
	return a.set(at, e, kind)
}

// ref returns what a request is about, as an object without content.
func (e *auditEvent) ref(kind string) *kubeObject {
	o := &kubeObject{APIVersion: strings.TrimPrefix(e.Object.Group+"/"+e.Object.Version, "/"), Kind: kind}
	o.Metadata.Name, o.Metadata.Namespace = e.Object.Name, e.Object.Namespace
	return o
}

// mostAskers bounds the users that reasons name.
const mostAskers = 16

// by adds to a reason who asked, as long as there are few of them.
func (a *auditReader) by(reason string, e *auditEvent) string {
	asker := quoted(e.User.Username)
	if !a.kube.askers[asker] {
		if len(a.kube.askers) == mostAskers {
			return reason + ", asked by others"
		}
		a.kube.askers[asker] = true
	}
	return reason + ", asked by " + asker
}

// set takes in an object that was created or changed.
func (a *auditReader) set(at cluster.Time, e *auditEvent, kind string) (reason string, err error) {
	k := a.kube
	o, err := a.object(e, kind)
	switch {
	case err != nil:
		return "", err
	case o == nil:
		return noObject, nil
	}
	before := len(k.pods) + len(k.nodes)
	if reason, err = k.set(at, o); err != nil || e.Verb == "create" || len(k.pods)+len(k.nodes) == before {
		return reason, err
	}
	// It is changed without having been created: it was there when the recording began.
	if o.is("Node") {
		k.nodes[len(k.nodes)-1].came = k.start
		return reason, nil
	}
	p := &k.pods[len(k.pods)-1]
	p.came = k.start
	if p.bound >= 0 {
		p.bound = k.start
	}
	return reason, nil
}

// object returns the object of a request: as the response has it, completed from the
// request. It is nil if neither has all of it, as at level Metadata, or at level Request
// for a patch. Of a create, the request is enough.
func (a *auditReader) object(e *auditEvent, kind string) (*kubeObject, error) {
	var request, response map[string]any
	for _, part := range []struct {
		text json.RawMessage
		into *map[string]any
	}{{e.Request, &request}, {e.Response, &response}} {
		if len(part.text) == 0 || part.text[0] != '{' { // a JSON patch is a list
			continue
		}
		if err := json.Unmarshal(part.text, part.into); err != nil {
			return nil, a.kube.wrong("no object: "+jsonProblem(err), "correct or remove the line")
		}
	}
	whole := request
	switch {
	case response != nil && response["kind"] == kind:
		if whole == nil || e.Verb == "patch" {
			whole = map[string]any{}
		}
		merge(whole, response)
	case request == nil || e.Verb != "create" || request["kind"] != kind:
		return nil, nil
	}
	meta, ok := whole["metadata"].(map[string]any)
	if !ok {
		return nil, nil
	}
	for _, from := range [][2]string{{"name", e.Object.Name}, {"namespace", e.Object.Namespace}} {
		if old, _ := meta[from[0]].(string); old == "" && from[1] != "" {
			meta[from[0]] = from[1]
		}
	}
	if name, _ := meta["name"].(string); name == "" { // made by the server, and not recorded
		return nil, nil
	}
	text, err := json.Marshal(whole)
	if err != nil {
		return nil, a.kube.wrong("no object: "+jsonProblem(err), "correct or remove the line")
	}
	return a.kube.parseObject(text)
}

// remove takes in that an object was deleted. A pod on a node is gone when its kubelet
// deletes it, at last.
func (a *auditReader) remove(at cluster.Time, e *auditEvent, o *kubeObject) (reason string) {
	i, ok := a.kube.live[o.key()]
	if !o.is("Pod") || !ok || a.kube.pods[i].bound < 0 && a.kube.binds > 0 {
		return a.kube.remove(at, o)
	}
	return a.tell(at, o.key(), strings.HasPrefix(e.User.Username, "system:node:"))
}

// tell takes in that a pod was told to end, or by its kubelet that it has: only the last
// of it counts.
func (a *auditReader) tell(at cluster.Time, key string, gone bool) (reason string) {
	k := a.kube
	i, ok := k.live[key]
	if !ok {
		return notThere
	}
	p := &k.pods[i]
	if p.ended < 0 || p.told && at > p.ended {
		p.ended, p.told, p.deleted = at, true, true
	}
	if gone {
		delete(k.live, key)
	}
	return becameOfPod
}

// removeAll takes in that a collection was deleted, whose objects the response lists.
func (a *auditReader) removeAll(at cluster.Time, e *auditEvent) (reason string, err error) {
	var list struct {
		Kind  string            `json:"kind"`
		Items []json.RawMessage `json:"items"`
	}
	if len(e.Response) > 0 {
		if err := json.Unmarshal(e.Response, &list); err != nil {
			return "", a.kube.wrong("no list: "+jsonProblem(err), "correct or remove the line")
		}
	}
	if !strings.HasSuffix(list.Kind, "List") {
		return noObject, nil
	}
	for _, item := range list.Items {
		o := e.ref(strings.TrimSuffix(list.Kind, "List"))
		if err := json.Unmarshal(item, o); err != nil {
			return "", a.kube.wrong("no object in a list: "+jsonProblem(err), "correct or remove the line")
		}
		reason = a.remove(at, e, o)
	}
	return reason, nil
}
