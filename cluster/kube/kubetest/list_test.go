package kubetest_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"

	"github.com/berthsim/berth/cluster/kube/kubetest"
)

func names(l *corev1.PodList) string {
	var ns []string
	for _, p := range l.Items {
		ns = append(ns, p.Name)
	}
	return strings.Join(ns, " ")
}

// tenPods stores p0 to p9: the even ones on node a, the odd ones with the label odd.
func tenPods(t *testing.T, s *kubetest.Server) {
	for i := range 10 {
		p := pod(fmt.Sprintf("p%d", i))
		if i%2 == 0 {
			p.Spec.NodeName = "a"
		} else {
			p.Labels = map[string]string{"odd": "yes"}
		}
		if err := s.Add(p); err != nil {
			t.Fatal(err)
		}
	}
}

func TestListSelects(t *testing.T) {
	inServer(t, kubetest.Options{}, func(t *testing.T, s *kubetest.Server, c *kubernetes.Clientset) {
		tenPods(t, s)
		tests := []struct{ fields, labels, want string }{
			{"", "", "p0 p1 p2 p3 p4 p5 p6 p7 p8 p9"},
			{"spec.nodeName=a", "", "p0 p2 p4 p6 p8"},
			{"spec.nodeName=", "", "p1 p3 p5 p7 p9"},
			{"metadata.name=p3", "", "p3"},
			{"spec.schedulerName=default-scheduler,status.phase!=Pending", "", ""},
			{"", "odd", "p1 p3 p5 p7 p9"},
			{"metadata.name!=p1", "odd=yes", "p3 p5 p7 p9"},
		}
		for _, tt := range tests {
			l := must[*corev1.PodList](t)(c.CoreV1().Pods("").List(t.Context(), metav1.ListOptions{FieldSelector: tt.fields, LabelSelector: tt.labels}))
			if got := names(l); got != tt.want {
				t.Errorf("fields %q, labels %q: %s, want %s", tt.fields, tt.labels, got, tt.want)
			}
		}
		_, err := c.CoreV1().Pods("").List(t.Context(), metav1.ListOptions{FieldSelector: "spec.hostname=x"})
		wantCode(t, "a field that can't be selected", err, http.StatusBadRequest)
		if l := must[*corev1.PodList](t)(c.CoreV1().Pods("kube-system").List(t.Context(), metav1.ListOptions{})); len(l.Items) != 0 {
			t.Errorf("pods of another namespace: %s", names(l))
		}
	})
}

func TestListInPieces(t *testing.T) {
	inServer(t, kubetest.Options{}, func(t *testing.T, s *kubetest.Server, c *kubernetes.Clientset) {
		tenPods(t, s)
		pods := c.CoreV1().Pods("default")
		first := must[*corev1.PodList](t)(pods.List(t.Context(), metav1.ListOptions{Limit: 4}))
		if names(first) != "p0 p1 p2 p3" || *first.RemainingItemCount != 6 {
			t.Errorf("first piece: %s, and %d more", names(first), *first.RemainingItemCount)
		}
		// What happens meanwhile isn't seen: the next pieces are of the same instant.
		wantCode(t, "deleting", pods.Delete(t.Context(), "p5", metav1.DeleteOptions{}), 0)
		if err := s.Add(pod("p55")); err != nil {
			t.Fatal(err)
		}
		second := must[*corev1.PodList](t)(pods.List(t.Context(), metav1.ListOptions{Limit: 4, Continue: first.Continue}))
		if names(second) != "p4 p5 p6 p7" || second.ResourceVersion != first.ResourceVersion {
			t.Errorf("second piece: %s of %s, want it of %s", names(second), second.ResourceVersion, first.ResourceVersion)
		}
		now := must[*corev1.PodList](t)(pods.List(t.Context(), metav1.ListOptions{}))
		if names(now) != "p0 p1 p2 p3 p4 p55 p6 p7 p8 p9" {
			t.Errorf("now: %s", names(now))
		}
		then := must[*corev1.PodList](t)(pods.List(t.Context(), metav1.ListOptions{ResourceVersion: first.ResourceVersion, ResourceVersionMatch: metav1.ResourceVersionMatchExact}))
		if names(then) != "p0 p1 p2 p3 p4 p5 p6 p7 p8 p9" {
			t.Errorf("then: %s", names(then))
		}
		s.LagLists(time.Minute)
		wantCode(t, "deleting", pods.Delete(t.Context(), "p9", metav1.DeleteOptions{}), 0)
		if l := must[*corev1.PodList](t)(pods.List(t.Context(), metav1.ListOptions{ResourceVersion: "0"})); names(l) != names(now) {
			t.Errorf("any state while lists lag: %s, want %s", names(l), names(now))
		}
		if l := must[*corev1.PodList](t)(pods.List(t.Context(), metav1.ListOptions{})); len(l.Items) != 9 {
			t.Errorf("the newest state while lists lag: %s", names(l))
		}
		s.Compact()
		_, err := pods.List(t.Context(), metav1.ListOptions{Continue: second.Continue})
		wantCode(t, "going on after a compaction", err, http.StatusGone)
		_, err = pods.List(t.Context(), metav1.ListOptions{ResourceVersion: "1000000"})
		if !apierrors.IsTimeout(err) || !apierrors.HasStatusCause(err, metav1.CauseTypeResourceVersionTooLarge) {
			t.Errorf("a list of the future: %v", err)
		}
	})
}

// drain reads what a watch has to say until it is idle.
func drain(w watch.Interface) (seen []string) {
	for {
		select {
		case e, ok := <-w.ResultChan():
			if !ok {
				return append(seen, "end")
			}
			switch o := e.Object.(type) {
			case *metav1.Status:
				seen = append(seen, fmt.Sprintf("%s %d", e.Type, o.Code))
			case metav1.Object:
				if e.Type == watch.Bookmark && o.GetAnnotations()[metav1.InitialEventsAnnotationKey] == "true" {
					seen = append(seen, "initial events end")
					continue
				}
				seen = append(seen, strings.TrimSpace(string(e.Type)+" "+o.GetName()))
			}
		case <-time.After(time.Second):
			return seen
		}
	}
}

func TestWatch(t *testing.T) {
	inServer(t, kubetest.Options{BookmarkPeriod: time.Hour}, func(t *testing.T, s *kubetest.Server, c *kubernetes.Clientset) {
		pods := c.CoreV1().Pods("default")
		for _, name := range []string{"p", "q"} {
			if err := s.Add(pod(name)); err != nil {
				t.Fatal(err)
			}
		}
		l := must[*corev1.PodList](t)(pods.List(t.Context(), metav1.ListOptions{}))
		yes, seconds := true, int64(100)
		watches := []struct {
			what    string
			options metav1.ListOptions
			want    []string
		}{
			{"from a list", metav1.ListOptions{ResourceVersion: l.ResourceVersion}, []string{"MODIFIED p", "DELETED q"}},
			{"from anywhere", metav1.ListOptions{}, []string{"ADDED p", "ADDED q", "MODIFIED p", "DELETED q"}},
			{
				"with initial events",
				metav1.ListOptions{SendInitialEvents: &yes, AllowWatchBookmarks: true, ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan},
				[]string{"ADDED p", "ADDED q", "initial events end", "MODIFIED p", "DELETED q"},
			},
			{"what leaves the selection", metav1.ListOptions{ResourceVersion: l.ResourceVersion, FieldSelector: "spec.nodeName="}, []string{"DELETED p", "DELETED q"}},
			{"what comes into it", metav1.ListOptions{ResourceVersion: l.ResourceVersion, FieldSelector: "spec.nodeName=a"}, []string{"ADDED p"}},
			{"for a time", metav1.ListOptions{ResourceVersion: l.ResourceVersion, TimeoutSeconds: &seconds}, []string{"MODIFIED p", "DELETED q", "end"}},
		}
		var open []watch.Interface
		for _, w := range watches {
			open = append(open, must[watch.Interface](t)(pods.Watch(t.Context(), w.options)))
		}
		// Each watch holds what it gets until the test reads it, as a slow client does.
		wantCode(t, "binding", bind(c, "p", "a"), 0)
		wantCode(t, "deleting", pods.Delete(t.Context(), "q", metav1.DeleteOptions{}), 0)
		time.Sleep(125 * time.Second)
		for i, w := range watches {
			if got := drain(open[i]); !slices.Equal(got, w.want) {
				t.Errorf("%s: %q, want %q", w.what, got, w.want)
			}
			open[i].Stop()
		}
		s.Compact()
		w := must[watch.Interface](t)(pods.Watch(t.Context(), metav1.ListOptions{ResourceVersion: l.ResourceVersion}))
		if got := drain(w); !slices.Equal(got, []string{"ERROR 410", "end"}) {
			t.Errorf("a watch from before a compaction: %q", got)
		}
		_, err := pods.Watch(t.Context(), metav1.ListOptions{SendInitialEvents: &yes})
		wantCode(t, "initial events without resourceVersionMatch", err, http.StatusUnprocessableEntity)
	})
}

// TestBookmarks expects that a watch which asked for it learns how far others are.
func TestBookmarks(t *testing.T) {
	inServer(t, kubetest.Options{}, func(t *testing.T, s *kubetest.Server, c *kubernetes.Clientset) {
		w := must[watch.Interface](t)(c.CoreV1().Pods("").Watch(t.Context(), metav1.ListOptions{AllowWatchBookmarks: true, ResourceVersion: "1"}))
		silent := must[watch.Interface](t)(c.CoreV1().Pods("").Watch(t.Context(), metav1.ListOptions{ResourceVersion: "1"}))
		if err := s.Add(&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n"}}); err != nil {
			t.Fatal(err)
		}
		e := <-w.ResultChan()
		n := must[*corev1.Node](t)(kubetest.Get[*corev1.Node](s, "", "n"))
		if p, ok := e.Object.(*corev1.Pod); !ok || e.Type != watch.Bookmark || p.ResourceVersion != n.ResourceVersion {
			t.Errorf("watched %v, want a bookmark of %s", e, n.ResourceVersion)
		}
		if got := drain(silent); len(got) != 0 {
			t.Errorf("a watch that asked for no bookmarks got %q", got)
		}
		w.Stop()
		silent.Stop()
	})
}

// TestEvents writes an event in one of its two forms and reads it in the other.
func TestEvents(t *testing.T) {
	inServer(t, kubetest.Options{}, func(t *testing.T, s *kubetest.Server, c *kubernetes.Clientset) {
		e := &eventsv1.Event{
			ObjectMeta: metav1.ObjectMeta{Name: "e", Namespace: "default"}, Regarding: corev1.ObjectReference{Kind: "Pod", Name: "p"},
			Reason: "Scheduled", Note: "assigned", Type: "Normal", ReportingController: "test", Series: &eventsv1.EventSeries{Count: 2},
		}
		must[*eventsv1.Event](t)(c.EventsV1().Events("default").Create(t.Context(), e, metav1.CreateOptions{}))
		l := must[*corev1.EventList](t)(c.CoreV1().Events("default").List(t.Context(), metav1.ListOptions{FieldSelector: "involvedObject.name=p,reason=Scheduled"}))
		if len(l.Items) != 1 || l.Items[0].Message != "assigned" || l.Items[0].Series.Count != 2 {
			t.Errorf("as core events: %+v", l.Items)
		}
		back := must[*eventsv1.Event](t)(c.EventsV1().Events("default").Get(t.Context(), "e", metav1.GetOptions{}))
		if back.Note != "assigned" || back.Regarding.Name != "p" || back.Series.Count != 2 {
			t.Errorf("as it was written: %+v", back)
		}
	})
}
