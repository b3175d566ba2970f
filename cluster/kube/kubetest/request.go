package kubetest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/scheme"
)

// A request is what a client asks of a resource.
type request struct {
	number      uint64 // counted by the server
	verb        string // as in RBAC: get, list, watch, create, update, patch, delete, deletecollection
	resource    *resource
	subresource string
	namespace   string
	name        string
	query       url.Values
	http        *http.Request
	body        []byte
	came        time.Time
}

// parseRequest reads what a path of /api or /apis asks for; false if it asks for none
// of the resources.
func parseRequest(r *http.Request) (*request, bool) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	q := &request{http: r, query: r.URL.Query(), came: time.Now()}
	var gv schema.GroupVersion
	switch {
	case len(parts) > 2 && parts[0] == "api":
		gv, parts = schema.GroupVersion{Version: parts[1]}, parts[2:]
	case len(parts) > 3 && parts[0] == "apis":
		gv, parts = schema.GroupVersion{Group: parts[1], Version: parts[2]}, parts[3:]
	default:
		return nil, false
	}
	if len(parts) > 2 && parts[0] == "namespaces" && !slices.Contains([]string{"status", "finalize"}, parts[2]) {
		q.namespace, parts = parts[1], parts[2:]
	}
	i := slices.IndexFunc(resources, func(r *resource) bool { return r.GroupVersion() == gv && r.Resource == parts[0] })
	if i < 0 || len(parts) > 3 {
		return nil, false
	}
	q.resource = resources[i]
	if len(parts) > 1 {
		q.name = parts[1]
	}
	if len(parts) > 2 {
		q.subresource = parts[2]
		known := q.subresource == "status" && q.resource.status || slices.Contains(q.resource.subresources, q.subresource)
		if !known {
			return nil, false
		}
	}
	q.verb = verbOf(r.Method, q)
	return q, q.verb != ""
}

func verbOf(method string, q *request) string {
	switch method {
	case http.MethodGet, http.MethodHead:
		switch watch := q.query.Get("watch"); {
		case watch == "true" || watch == "1":
			return "watch"
		case q.name == "":
			return "list"
		}
		return "get"
	case http.MethodPost:
		return "create"
	case http.MethodPut:
		return "update"
	case http.MethodPatch:
		return "patch"
	case http.MethodDelete:
		if q.name == "" {
			return "deletecollection"
		}
		return "delete"
	}
	return ""
}

// key is the object that the request names.
func (q *request) key() types.NamespacedName {
	return types.NamespacedName{Namespace: q.namespace, Name: q.name}
}

// listOptions reads the query of list, watch and deletecollection. A name in the path
// of a watch is a field selector.
func (q *request) listOptions() (o metav1.ListOptions, err error) {
	if err := metav1.Convert_url_Values_To_v1_ListOptions(&q.query, &o, nil); err != nil {
		return o, apierrors.NewBadRequest(err.Error())
	}
	if q.name != "" {
		o.FieldSelector = "metadata.name=" + q.name
	}
	return o, nil
}

// dryRun reports whether nothing is to be stored.
func (q *request) dryRun() bool { return q.query.Get("dryRun") == metav1.DryRunAll }

// decode reads the body as an object like into, in any of the API's media types.
func (q *request) decode(into runtime.Object) error {
	kinds, _, err := scheme.Scheme.ObjectKinds(into)
	if err != nil {
		return err
	}
	got, gvk, err := scheme.Codecs.UniversalDeserializer().Decode(q.body, &kinds[0], into)
	if err != nil {
		return apierrors.NewBadRequest(err.Error())
	}
	if got != into {
		return apierrors.NewBadRequest("the body is a " + gvk.String() + ", want a " + kinds[0].String())
	}
	into.GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{})
	return nil
}

// deleteOptions reads the options of a deletion, from the body or else the query.
func (q *request) deleteOptions() (*metav1.DeleteOptions, error) {
	o := &metav1.DeleteOptions{}
	if err := metav1.Convert_url_Values_To_v1_DeleteOptions(&q.query, o, nil); err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	if len(q.body) == 0 {
		return o, nil
	}
	gvk := schema.GroupVersionKind{Version: "v1", Kind: "DeleteOptions"}
	if _, _, err := scheme.Codecs.UniversalDeserializer().Decode(q.body, &gvk, o); err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	return o, nil
}
