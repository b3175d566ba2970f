package app

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berthsim/berth/cluster/kube/kubetest"
	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"
)

// deployed reads a verb's manifests in deploy/, strictly.
func deployed(t *testing.T, verb string) (objects []runtime.Object) {
	t.Helper()
	decoder := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	for _, name := range []string{verb + "/rbac.yaml", verb + "/deployment.yaml", "namespace/namespace.yaml"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "..", "deploy", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, document := range bytes.Split(text, []byte("\n---\n")) {
			o, _, err := decoder.Decode(document, nil, nil)
			if err != nil {
				t.Fatalf("deploy/%s: %v\n%s", name, err, document)
			}
			objects = append(objects, o)
		}
	}
	return objects
}

// permits lists what roles allow, each as it is asked for: in a namespace or in all, and of a
// name or of any.
func permits(objects []runtime.Object) map[string]bool {
	set := map[string]bool{}
	add := func(namespace string, rules []rbacv1.PolicyRule) {
		for _, r := range rules {
			for _, group := range r.APIGroups {
				for _, resource := range r.Resources {
					for _, verb := range r.Verbs {
						set[permit(verb, group, resource, namespace, strings.Join(r.ResourceNames, ","))] = true
					}
				}
			}
		}
	}
	for _, o := range objects {
		switch o := o.(type) {
		case *rbacv1.ClusterRole:
			add("", o.Rules)
		case *rbacv1.Role:
			add(o.Namespace, o.Rules)
		}
	}
	return set
}

func permit(verb, group, resource, namespace, name string) string {
	return strings.TrimSpace(fmt.Sprintf("%s %s %s %s %s", verb, group, resource, namespace, name))
}

// asked lists what a program asked for.
func asked(server *kubetest.Server, agent string) map[string]bool {
	set := map[string]bool{}
	for _, r := range server.Requests() {
		if !strings.HasPrefix(r.UserAgent, agent) {
			continue
		}
		resource, namespace, name := r.Resource, "", ""
		if r.Subresource != "" {
			resource += "/" + r.Subresource
		}
		if r.Resource == "leases" { // the only roles for single namespaces
			namespace = r.Namespace
			if r.Verb == "get" || r.Verb == "update" {
				name = r.Name
			}
		}
		set[permit(r.Verb, r.Group, resource, namespace, name)] = true
	}
	return set
}

// TestPermissions has each verb do all that it can, and wants it to ask for just what its roles
// in deploy/ allow.
func TestPermissions(t *testing.T) {

	verbs := map[string]func(*testing.T, *kubetest.Server){
		"schedule": func(t *testing.T, server *kubetest.Server) {
			v := start(t, server, "schedule", "--for", "2m")
			server.Inject(kubetest.Fault{Verb: "create", Resource: "pods", Subresource: "binding", Reset: kubetest.ResetAfter, Times: 1})
			add(t, server, pods(ownScheduler, 2, "3")...)
			time.Sleep(20 * time.Second)
			important := pods(ownScheduler, 1, "7")[0].(*v1.Pod)
			priority := int32(1000)
			important.Spec.Priority = &priority
			add(t, server, important)
			v.ends(0)
		},
		"lifecycle": func(t *testing.T, server *kubetest.Server) {
			intolerant := pods("x", 1, "1")[0].(*v1.Pod)
			intolerant.Spec.NodeName = "b"
			add(t, server, intolerant)
			v := start(t, server, "lifecycle", "--for", "10m")
			server.Inject(kubetest.Fault{Verb: "delete", Resource: "pods", Code: http.StatusConflict, Times: 1})
			server.Inject(kubetest.Fault{Verb: "patch", Resource: "nodes", Code: http.StatusConflict, Times: 1})
			v.ends(0)
		},
		"record": func(t *testing.T, server *kubetest.Server) {
			v := start(t, server, "record", "--for", "1m", "-f", filepath.Join(t.TempDir(), "r.berth"))
			v.ends(0)
		},
	}
	for verb, act := range verbs {
		requests := map[string]bool{}
		for _, o := range []kubetest.Options{{}, {NoWatchList: true}} {
			synctest.Test(t, func(t *testing.T) {
				server := serve(t, o)
				server.Kubelet("a", kubetest.KubeletOptions{})
				b := server.Kubelet("b", kubetest.KubeletOptions{Allocatable: v1.ResourceList{v1.ResourceCPU: resourceOf("1")}})
				time.AfterFunc(20*time.Second, b.Stop)
				act(t, server)
				maps.Copy(requests, asked(server, "berth-"+verb))
			})
		}
		want := slices.Sorted(maps.Keys(permits(deployed(t, verb))))
		if diff := cmp.Diff(want, slices.Sorted(maps.Keys(requests))); diff != "" {
			t.Errorf("%s: what deploy/ allows (-) and what it asks for (+):\n%s", verb, diff)
		}
	}
}

// TestDeploy wants Deployments to be hardened, their arguments to be understood, and nothing to
// be about another account or namespace.
func TestDeploy(t *testing.T) {
	for _, verb := range []string{"schedule", "lifecycle", "record"} {
		dir := filepath.Join("..", "..", "..", "deploy", verb)
		text, err := os.ReadFile(filepath.Join(dir, "kustomization.yaml"))
		if err != nil || !strings.HasSuffix(string(text), "\nresources: [../namespace, rbac.yaml, deployment.yaml]\n") {
			t.Errorf("%s: the kustomization is %q, %v", verb, text, err)
		}
		found := 0
		for _, o := range deployed(t, verb) {
			switch o := o.(type) {
			case *rbacv1.ClusterRoleBinding:
				found++
				wantSubject(t, verb, o.RoleRef, o.Subjects)
			case *rbacv1.RoleBinding:
				wantSubject(t, verb, o.RoleRef, o.Subjects)
			case *appsv1.Deployment:
				found++
				wantHardened(t, verb, o)
			}
		}
		if found != 2 {
			t.Errorf("%s: there are %d of a Deployment and a ClusterRoleBinding", verb, found)
		}
	}
}

func wantSubject(t *testing.T, verb string, ref rbacv1.RoleRef, subjects []rbacv1.Subject) {
	t.Helper()
	want := []rbacv1.Subject{{Kind: "ServiceAccount", Name: "berth-" + verb, Namespace: "berth-system"}}
	if ref.Name != "berth-"+verb || !slices.Equal(subjects, want) {
		t.Errorf("%s: %+v binds %+v", verb, ref, subjects)
	}
}

func wantHardened(t *testing.T, verb string, d *appsv1.Deployment) {
	t.Helper()
	spec := &d.Spec.Template.Spec
	c := &spec.Containers[0]
	sc := c.SecurityContext
	if spec.ServiceAccountName != "berth-"+verb || d.Namespace != "berth-system" || !*spec.SecurityContext.RunAsNonRoot ||
		spec.SecurityContext.SeccompProfile.Type != v1.SeccompProfileTypeRuntimeDefault ||
		!*sc.ReadOnlyRootFilesystem || *sc.AllowPrivilegeEscalation || !slices.Equal(sc.Capabilities.Drop, []v1.Capability{"ALL"}) {
		t.Errorf("%s: the Deployment isn't hardened", verb)
	}
	if c.LivenessProbe.HTTPGet.Path != "/healthz" || c.ReadinessProbe.HTTPGet.Path != "/readyz" || !strings.HasSuffix(c.Args[1], fmt.Sprint(":", c.Ports[0].ContainerPort)) {
		t.Errorf("%s: the probes ask elsewhere", verb)
	}
	cmd, rest, err := (&app{}).root().Find(c.Args)
	if err == nil {
		err = cmd.ParseFlags(rest)
	}
	if err != nil || cmd.Name() != verb {
		t.Errorf("%s: arguments %q: %v", verb, c.Args, err)
	}
}
