package kubetest_test

import (
	"io"
	"net/http"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/berthsim/berth/cluster/kube/kubetest"
)

// TestMediaTypes speaks JSON alone and protobuf alone, for reads, writes, watches and errors.
func TestMediaTypes(t *testing.T) {
	for _, media := range []string{kruntime.ContentTypeJSON, kruntime.ContentTypeProtobuf} {
		inServer(t, kubetest.Options{}, func(t *testing.T, s *kubetest.Server, _ *kubernetes.Clientset) {
			config := s.Config()
			config.ContentType, config.AcceptContentTypes = media, media
			pods := must[*kubernetes.Clientset](t)(kubernetes.NewForConfig(config)).CoreV1().Pods("default")
			w, err := pods.Watch(t.Context(), metav1.ListOptions{})
			if err != nil {
				t.Fatal(err)
			}
			p := must[*corev1.Pod](t)(pods.Create(t.Context(), pod("p"), metav1.CreateOptions{}))
			if e := <-w.ResultChan(); e.Object.(*corev1.Pod).UID != p.UID {
				t.Errorf("%s: watched %v", media, e)
			}
			w.Stop()
			if l := must[*corev1.PodList](t)(pods.List(t.Context(), metav1.ListOptions{})); len(l.Items) != 1 || l.Items[0].UID != p.UID {
				t.Errorf("%s: listed %v", media, l.Items)
			}
			_, err = pods.Get(t.Context(), "none", metav1.GetOptions{})
			wantCode(t, media, err, http.StatusNotFound)
		})
	}
}

func TestDiscovery(t *testing.T) {
	inServer(t, kubetest.Options{}, func(t *testing.T, s *kubetest.Server, c *kubernetes.Clientset) {
		if v, err := c.Discovery().ServerVersion(); err != nil || v.Minor != "36" {
			t.Errorf("version: %v, %v", v, err)
		}
		groups, lists, err := c.Discovery().ServerGroupsAndResources()
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]bool{}
		for _, l := range lists {
			for _, r := range l.APIResources {
				found[l.GroupVersion+" "+r.Name] = true
			}
		}
		for _, want := range []string{"v1 pods", "v1 pods/binding", "v1 pods/eviction", "v1 nodes/status", "coordination.k8s.io/v1 leases", "policy/v1 poddisruptionbudgets", "events.k8s.io/v1 events"} {
			if !found[want] {
				t.Errorf("discovery doesn't list %s, but %v in %d groups", want, found, len(groups))
			}
		}
		if b, err := c.Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(t.Context()); err != nil || string(b) != "ok" {
			t.Errorf("readyz: %q, %v", b, err)
		}
		_, err = c.Discovery().RESTClient().Get().AbsPath("/apis/nothing/v1/things").DoRaw(t.Context())
		wantCode(t, "a resource that isn't served", err, http.StatusNotFound)
	})
}

// TestAudit expects that the log says who read what.
func TestAudit(t *testing.T) {
	inServer(t, kubetest.Options{}, func(t *testing.T, s *kubetest.Server, _ *kubernetes.Clientset) {
		if err := s.Add(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "key", Namespace: "elsewhere"}, StringData: map[string]string{"a": "b"}}); err != nil {
			t.Fatal(err)
		}
		config := s.Config()
		config.UserAgent = "nosy"
		c := must[*kubernetes.Clientset](t)(kubernetes.NewForConfig(config))
		must[*corev1.Secret](t)(c.CoreV1().Secrets("elsewhere").Get(t.Context(), "key", metav1.GetOptions{}))
		rs := s.Requests()
		want := kubetest.Request{Number: 1, Time: time.Now(), UserAgent: "nosy", Verb: "get", Resource: "secrets", Namespace: "elsewhere", Name: "key", Code: 200}
		if len(rs) != 1 || rs[0] != want {
			t.Errorf("requests: %+v, want %+v", rs, want)
		}
		ws := s.Writes()
		if last := ws[len(ws)-1]; last.UserAgent != "kubetest" || !strings.Contains(last.String(), "ADDED secrets elsewhere/key by kubetest") {
			t.Errorf("last write: %v", last)
		}
	})
}

// TestListen speaks to the server as a program does: by a socket and a kubeconfig.
func TestListen(t *testing.T) {
	s := kubetest.New(kubetest.Options{})
	defer s.Close()
	url, err := s.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err := kubetest.WriteKubeconfig(file, url); err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.BuildConfigFromFlags("", file)
	if err != nil {
		t.Fatal(err)
	}
	c := must[*kubernetes.Clientset](t)(kubernetes.NewForConfig(config))
	must[*corev1.Pod](t)(c.CoreV1().Pods("default").Create(t.Context(), pod("p"), metav1.CreateOptions{}))
	w, err := c.CoreV1().Pods("default").Watch(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if e := <-w.ResultChan(); e.Object.(*corev1.Pod).Name != "p" {
		t.Errorf("watched %v", e)
	}
	s.Restart(time.Hour)
	if _, ok := <-w.ResultChan(); ok {
		t.Error("a watch outlived the server")
	}
	if _, err := http.Get(url + "/version"); err == nil {
		t.Error("a server that is down answered")
	}
	s.Restart(0)
	r, err := http.Get(url + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if b, err := io.ReadAll(r.Body); err != nil || string(b) != "ok" {
		t.Errorf("readyz after the restart: %q, %v", b, err)
	}
}

// TestCloseEndsAll closes a server in the middle of everything. In other tests the
// bubble fails if a goroutine is left; this one counts them outside.
func TestCloseEndsAll(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 5 {
		s := kubetest.New(kubetest.Options{})
		s.Kubelet("n", kubetest.KubeletOptions{})
		c := client(t, s)
		w, err := c.CoreV1().Pods("").Watch(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		s.Silence(time.Hour)
		waiting := make(chan error, 1)
		go func() {
			_, err := c.CoreV1().Pods("default").Create(t.Context(), pod("p"), metav1.CreateOptions{})
			waiting <- err
		}()
		for requestsOf(s, "create") == 0 {
			time.Sleep(time.Millisecond)
		}
		s.Close()
		if err := <-waiting; err == nil {
			t.Error("a request was answered by a closed server")
		}
		for range w.ResultChan() {
			t.Error("a watch of a closed server says something")
		}
	}
	for range 10_000 { // the last steps of goroutines that have been told
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(time.Millisecond)
	}
	b := make([]byte, 1<<20)
	t.Errorf("%d goroutines before, %d after:\n%s", before, runtime.NumGoroutine(), b[:runtime.Stack(b, true)])
}
