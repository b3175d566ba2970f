package kubetest

import (
	"bytes"
	"errors"
	"mime"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
)

// An answer is what the server says: a code and an object.
type answer struct {
	code   int
	object runtime.Object
}

// statusOf is the answer that an error makes: its Status.
func statusOf(err error) answer {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		status = apierrors.NewInternalError(err)
	}
	s := status.Status()
	return answer{int(s.Code), &s}
}

// negotiate chooses the first media type of an Accept header that the server speaks;
// JSON if the header is empty. ok is false if there is none.
func negotiate(accept string) (info runtime.SerializerInfo, ok bool) {
	known := scheme.Codecs.SupportedMediaTypes()
	if accept == "" {
		return runtime.SerializerInfoForMediaType(known, runtime.ContentTypeJSON)
	}
	for one := range strings.SplitSeq(accept, ",") {
		media, params, err := mime.ParseMediaType(one)
		if err != nil || params["as"] != "" { // Table and the like are not served
			continue
		}
		if media == "*/*" || media == "application/*" {
			media = runtime.ContentTypeJSON
		}
		if info, ok := runtime.SerializerInfoForMediaType(known, media); ok {
			return info, true
		}
	}
	return runtime.SerializerInfo{}, false
}

// kinded is o with its kind and version filled in, as each answer says them. Stored
// objects and the items of lists don't, and aren't written to: many read them.
func kinded(o runtime.Object, gv schema.GroupVersion) runtime.Object {
	if !o.GetObjectKind().GroupVersionKind().Empty() {
		return o
	}
	kinds, _, err := scheme.Scheme.ObjectKinds(o)
	if err != nil {
		return o
	}
	gvk := kinds[0]
	if _, ok := o.(*metav1.Status); ok {
		gvk = metav1.SchemeGroupVersion.WithKind("Status")
		gvk.Group, gvk.Version = "", "v1"
	}
	for _, k := range kinds {
		if k.GroupVersion() == gv && gvk.Kind != "Status" {
			gvk = k
		}
	}
	v := reflect.New(reflect.TypeOf(o).Elem())
	v.Elem().Set(reflect.ValueOf(o).Elem())
	o = v.Interface().(runtime.Object)
	o.GetObjectKind().SetGroupVersionKind(gvk)
	return o
}

// write sends an answer in the media type that the client accepts.
func (a answer) write(w http.ResponseWriter, r *http.Request, gv schema.GroupVersion) {
	info, ok := negotiate(r.Header.Get("Accept"))
	if !ok {
		http.Error(w, "only "+runtime.ContentTypeJSON+", "+runtime.ContentTypeYAML+" and "+runtime.ContentTypeProtobuf+" are served", http.StatusNotAcceptable)
		return
	}
	var b bytes.Buffer
	if err := info.Serializer.Encode(kinded(a.object, gv), &b); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", info.MediaType)
	if s, ok := a.object.(*metav1.Status); ok && s.Details != nil && s.Details.RetryAfterSeconds > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(s.Details.RetryAfterSeconds)))
	}
	w.WriteHeader(a.code)
	if r.Method != http.MethodHead {
		_, _ = w.Write(b.Bytes()) // whoever is gone needs no answer
	}
}
