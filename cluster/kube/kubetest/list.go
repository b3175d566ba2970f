package kubetest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
)

// A selection is what a list or a watch asks to see.
type selection struct {
	namespace string
	fields    fields.Selector
	labels    labels.Selector
}

// selectionOf reads the selectors. A field that can't be selected is a 400.
func selectionOf(r *resource, namespace string, o *metav1.ListOptions) (sel selection, err error) {
	sel.namespace = namespace
	if sel.labels, err = labels.Parse(o.LabelSelector); err != nil {
		return sel, apierrors.NewBadRequest(err.Error())
	}
	if sel.fields, err = fields.ParseSelector(o.FieldSelector); err != nil {
		return sel, apierrors.NewBadRequest(err.Error())
	}
	known := selectable(stored(r.empty()))
	for _, q := range sel.fields.Requirements() {
		if _, ok := known[q.Field]; !ok {
			return sel, apierrors.NewBadRequest(fmt.Sprintf("field label not supported: %s", q.Field))
		}
	}
	return sel, nil
}

// shows reports whether o is among what was asked for.
func (sel *selection) shows(o Object) bool {
	return o != nil && (sel.namespace == "" || sel.namespace == o.GetNamespace()) &&
		sel.labels.Matches(labels.Set(o.GetLabels())) && (sel.fields.Empty() || sel.fields.Matches(selectable(o)))
}

// A position is where a list that came in pieces goes on: at the same revision, after
// a key. As JSON in base64 it is the token continue.
type position struct {
	Revision int64                `json:"rv"`
	After    types.NamespacedName `json:"after"`
}

func (p position) String() string {
	b, err := json.Marshal(p)
	if err != nil {
		panic(err) // numbers and strings
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

func parsePosition(token string) (p position, err error) {
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err == nil {
		err = json.Unmarshal(b, &p)
	}
	if err != nil {
		return p, apierrors.NewBadRequest("continue key is not valid: " + err.Error())
	}
	return p, nil
}

// revisionOf reads a resourceVersion; "" is 0.
func revisionOf(version string) (int64, error) {
	if version == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(version, 10, 64)
	if err != nil || n < 0 {
		return 0, apierrors.NewBadRequest(fmt.Sprintf("resourceVersion: Invalid value: %q", version))
	}
	return n, nil
}

// list answers a list. lag is the revision of which a list that allows any state is
// shown, or 0: see Server.LagLists.
func (st *store) list(t *table, r *resource, sel selection, o metav1.ListOptions, lag int64) (runtime.Object, error) {
	asked, err := revisionOf(o.ResourceVersion)
	if err != nil {
		return nil, err
	}
	if asked > st.revision {
		return nil, tooLarge(asked, st.revision)
	}
	from := position{Revision: st.revision}
	switch {
	case o.Continue != "":
		if from, err = parsePosition(o.Continue); err != nil {
			return nil, err
		}
	case o.ResourceVersionMatch == metav1.ResourceVersionMatchExact:
		from.Revision = asked
	case o.ResourceVersion != "" && lag > 0:
		from.Revision = max(asked, lag)
	}
	objects, err := t.at(from.Revision)
	if err != nil {
		return nil, err
	}
	objects = slices.DeleteFunc(objects, func(o Object) bool {
		return !sel.shows(o) || from.After.Name != "" && compareKeys(keyOf(o), from.After) <= 0
	})
	list := r.emptyList()
	m, err := meta.ListAccessor(list)
	if err != nil {
		return nil, err
	}
	m.SetResourceVersion(strconv.FormatInt(from.Revision, 10))
	if o.Limit > 0 && int64(len(objects)) > o.Limit {
		rest := int64(len(objects)) - o.Limit
		objects = objects[:o.Limit]
		from.After = keyOf(objects[len(objects)-1])
		m.SetContinue(from.String())
		if sel.labels.Empty() && sel.fields.Empty() {
			m.SetRemainingItemCount(&rest)
		}
	}
	items := make([]runtime.Object, len(objects))
	for i, o := range objects {
		items[i] = served(o, r)
	}
	return list, meta.SetList(list, items)
}

// tooLarge is the answer to whoever asks for what is yet to come: a client that knows
// it waits and tries again.
func tooLarge(asked, is int64) error {
	err := apierrors.NewTimeoutError(fmt.Sprintf("Too large resource version: %d, current: %d", asked, is), 1)
	err.ErrStatus.Details.Causes = []metav1.StatusCause{{Type: metav1.CauseTypeResourceVersionTooLarge, Message: "Too large resource version"}}
	return err
}
