package traces

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/manifest"
)

// kwok is what KWOK's kwokctl snapshot export --record writes
// (https://github.com/kubernetes-sigs/kwok): the objects that were there when it began,
// then what was created, patched and deleted since, as YAML documents. Times in objects
// are counted from the beginning, too.
var kwok = &kubeFormat{
	name: "kwok", version: "kwok/1",
	doc:       "KWOK's recordings of a cluster: objects, then patches with the time since",
	path:      "a file of YAML documents",
	recognise: func(start string) bool { return strings.Contains(start, "$(time-offset-nanosecond ") },
	read:      readKwok,
}

// kwokOffset is how times are written.
var kwokOffset = regexp.MustCompile(`\$\(time-offset-nanosecond (-?\d+)\)`)

// kwokBegin stands for the beginning, of which the time isn't recorded.
var kwokBegin = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// A kwokPatch is a document of kind ResourcePatch, as versions of KWOK have written it:
// either with method and template, or with create, delete and patch.
type kwokPatch struct {
	APIVersion string       `json:"apiVersion"`
	Kind       string       `json:"kind"`
	Resource   kwokResource `json:"resource"`
	Target     struct {
		Type      kwokResource `json:"type"`
		Name      string       `json:"name"`
		Namespace string       `json:"namespace"`
	} `json:"target"`
	Since    int64           `json:"durationNanosecond"`
	Method   string          `json:"method"`
	Template json.RawMessage `json:"template"`
	Create   bool            `json:"create"`
	Delete   bool            `json:"delete"`
	Patch    json.RawMessage `json:"patch"`
}

// A kwokResource is a kind of objects as paths of the API name it.
type kwokResource struct {
	Group    string `json:"group"`
	Version  string `json:"version"`
	Resource string `json:"resource"`
}

// readKwok reads one document after the other.
func readKwok(k *kubeRecording, in *stream) error {
	k.patched = true
	s := bufio.NewScanner(in)
	s.Buffer(make([]byte, 1<<16), longestRecord)
	var doc []byte
	line, first := 0, 1
	for s.Scan() {
		line++
		if bytes.HasPrefix(s.Bytes(), []byte("---")) {
			if err := k.kwokDocument(doc, first); err != nil {
				return err
			}
			doc, first = doc[:0], line
		}
		doc = append(append(doc, s.Bytes()...), '\n')
		if len(doc) > longestRecord {
			break
		}
	}
	if errors.Is(s.Err(), bufio.ErrTooLong) || len(doc) > longestRecord {
		return &Error{File: k.file, Line: first, Problem: fmt.Sprintf("the document is longer than %d bytes", longestRecord), Remedy: "give a file of YAML documents with --- between them"}
	}
	if s.Err() != nil {
		return s.Err()
	}
	return k.kwokDocument(doc, first)
}

// kwokDocument takes a document in.
func (k *kubeRecording) kwokDocument(doc []byte, line int) error {
	k.line = line
	doc = kwokOffset.ReplaceAllFunc(doc, func(offset []byte) []byte {
		n, err := strconv.ParseInt(string(kwokOffset.FindSubmatch(offset)[1]), 10, 64)
		if err != nil {
			return offset // and no time, as who reads it will say
		}
		return kwokBegin.Add(time.Duration(n)).AppendFormat(nil, time.RFC3339Nano)
	})
	text, err := manifest.JSON(doc, line)
	var wrong *Error
	if errors.As(err, &wrong) {
		wrong.File = k.file
		return wrong
	}
	if text == nil || err != nil {
		return err
	}
	k.rows++
	var p kwokPatch
	if err := json.Unmarshal(text, &p); p.Kind == "ResourcePatch" && err != nil {
		return k.wrong("no ResourcePatch: "+jsonProblem(err), "correct or remove the document")
	}
	reason := ""
	if p.Kind == "ResourcePatch" {
		reason, err = k.kwokPatch(&p)
	} else if o, wrong := k.parseObject(text); wrong != nil {
		return wrong
	} else {
		reason, err = k.set(0, o)
	}
	if reason != "" {
		k.reject(reason, k.file, line)
	}
	return err
}

// kwokKinds are the kinds that are played, by group and resource.
var kwokKinds = map[string]string{
	"/pods": "Pod", "/nodes": "Node", "/namespaces": "Namespace", "/services": "Service",
	"/replicationcontrollers": "ReplicationController", "/resourcequotas": "ResourceQuota",
	"apps/replicasets": "ReplicaSet", "apps/deployments": "Deployment", "apps/statefulsets": "StatefulSet",
	"policy/poddisruptionbudgets": "PodDisruptionBudget",
}

// changesPart is why patches of objects aren't played.
const changesPart = "changes an object, in part: not played"

// kwokPatch takes in what happened after the beginning.
func (k *kubeRecording) kwokPatch(p *kwokPatch) (reason string, err error) {
	if p.Since < 0 || p.Since > int64(maxSeconds)*int64(cluster.Second) {
		return "", k.wrong("durationNanosecond is "+strconv.FormatInt(p.Since, 10), "give nanoseconds since the beginning, less than 31 years")
	}
	at := cluster.Time(p.Since)
	of := p.Resource
	if of == (kwokResource{}) {
		of = p.Target.Type
	}
	content := p.Patch
	if content == nil {
		content = p.Template
	}
	kind, played := kwokKinds[of.Group+"/"+of.Resource]
	o := &kubeObject{APIVersion: strings.TrimPrefix(of.Group+"/"+of.Version, "/"), Kind: kind}
	o.Metadata.Name, o.Metadata.Namespace = p.Target.Name, p.Target.Namespace
	switch {
	case !played:
		k.at(at)
		return notRead, nil
	case p.Create || p.Method == "create":
		if o, err = k.parseObject(content); err != nil {
			return "", err
		}
		return k.set(at, o)
	case p.Delete || p.Method == "delete":
		return k.remove(at, o), nil
	case p.Target.Name == "" || p.Method != "" && p.Method != "patch":
		return "", k.wrong("the ResourcePatch has no target, or no method", "give create, patch or delete and a target's name")
	case kind == "Pod":
		return k.kwokPod(at, o, content)
	case kind == "Node":
		return k.kwokNode(at, o, content)
	}
	k.at(at)
	return changesPart, nil
}

// kwokNode takes in a change of a node. Of the lists in nodes that are read, patches have
// the whole, so that the patch need only be merged as RFC 7386 has it.
func (k *kubeRecording) kwokNode(at cluster.Time, o *kubeObject, content []byte) (reason string, err error) {
	k.at(at)
	i, ok := k.nodeAt[o.Metadata.Name]
	if !ok {
		return "changes a node that wasn't there", nil
	}
	var node, patch map[string]any
	if err := json.Unmarshal(content, &patch); err != nil {
		return "", k.wrong("a patch is none of a node: "+jsonProblem(err), "correct or remove the document")
	}
	if err := json.Unmarshal(k.nodes[i].text, &node); err != nil {
		return "", k.wrong("the node is none: "+jsonProblem(err), "correct or remove its document")
	}
	merge(node, patch)
	text, err := json.Marshal(node)
	if err != nil {
		return "", k.wrong("the node can't be patched: "+jsonProblem(err), "correct or remove the document")
	}
	if o, err = k.parseObject(text); err != nil {
		return "", err
	}
	return k.set(at, o)
}

// merge writes a patch into an object. What begins with $ says how lists are to be
// merged, and is left out.
func merge(into, patch map[string]any) {
	for _, key := range slices.Sorted(maps.Keys(patch)) {
		part, both := patch[key].(map[string]any)
		old, is := into[key].(map[string]any)
		switch {
		case strings.HasPrefix(key, "$"):
		case patch[key] == nil:
			delete(into, key)
		case both && is:
			merge(old, part)
		case both:
			old = map[string]any{}
			merge(old, part)
			into[key] = old
		default:
			into[key] = patch[key]
		}
	}
}

// kwokPod takes in what a patch says of what became of a pod.
func (k *kubeRecording) kwokPod(at cluster.Time, o *kubeObject, content []byte) (reason string, err error) {
	k.at(at)
	var of struct{ Spec, Status podState }
	if err := json.Unmarshal(content, &of); err != nil {
		return "", k.wrong("a patch is none of a pod: "+jsonProblem(err), "correct or remove the document")
	}
	i, ok := k.live[o.key()]
	if !ok {
		return "changes a pod that wasn't there", nil
	}
	if of.Spec.NodeName != "" {
		k.bind(i, at)
	}
	if of.Status.Phase == "Succeeded" || of.Status.Phase == "Failed" {
		k.finish(i, at)
	}
	return becameOfPod, nil
}
