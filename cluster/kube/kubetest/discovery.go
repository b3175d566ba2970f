package kubetest

import (
	"encoding/json"
	"net/http"
	"runtime"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"
)

// serverVersion is the Kubernetes version whose behaviour is served.
var serverVersion = version.Info{Major: "1", Minor: "36", GitVersion: "v1.36.3", GoVersion: runtime.Version(), Compiler: runtime.Compiler, Platform: runtime.GOOS + "/" + runtime.GOARCH}

// discover answers what isn't about resources: health, the version, and which
// resources there are.
func (s *Server) discover(w http.ResponseWriter, r *http.Request) {
	path := strings.Trim(r.URL.Path, "/")
	a := answer{code: http.StatusOK}
	switch path {
	case "readyz", "livez", "healthz":
		_, _ = w.Write([]byte("ok")) // whoever is gone needs no answer
		return
	case "version":
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(serverVersion)
		return
	case "api":
		a.object = &metav1.APIVersions{Versions: []string{"v1"}, TypeMeta: metav1.TypeMeta{Kind: "APIVersions", APIVersion: "v1"}}
	case "apis":
		a.object = &metav1.APIGroupList{Groups: groups(), TypeMeta: metav1.TypeMeta{Kind: "APIGroupList", APIVersion: "v1"}}
	default:
		list := resourceList(path)
		if len(list.APIResources) == 0 {
			a = statusOf(apierrors.NewGenericServerResponse(http.StatusNotFound, r.Method, schema.GroupResource{}, "", "404 page not found", 0, true))
			break
		}
		a.object = list
	}
	a.write(w, r, metav1.Unversioned)
}

// groups are the API groups that are served, but for the core.
func groups() (gs []metav1.APIGroup) {
	for _, r := range resources {
		known := slices.ContainsFunc(gs, func(g metav1.APIGroup) bool { return g.Name == r.Group })
		if r.Group == "" || known {
			continue
		}
		v := metav1.GroupVersionForDiscovery{GroupVersion: r.GroupVersion().String(), Version: r.Version}
		gs = append(gs, metav1.APIGroup{Name: r.Group, Versions: []metav1.GroupVersionForDiscovery{v}, PreferredVersion: v})
	}
	return gs
}

// resourceList are the resources under a path such as api/v1 or apis/apps/v1.
func resourceList(path string) *metav1.APIResourceList {
	list := &metav1.APIResourceList{TypeMeta: metav1.TypeMeta{Kind: "APIResourceList", APIVersion: "v1"}}
	verbs := metav1.Verbs{"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"}
	for _, r := range resources {
		gv := r.GroupVersion()
		if under := "apis/" + gv.String(); path != under && (r.Group != "" || path != "api/"+gv.String()) {
			continue
		}
		list.GroupVersion = gv.String()
		one := metav1.APIResource{Name: r.Resource, SingularName: strings.ToLower(r.kind), Namespaced: r.namespaced, Kind: r.kind, Verbs: verbs}
		if r.short != "" {
			one.ShortNames = []string{r.short}
		}
		list.APIResources = append(list.APIResources, one)
		sub := metav1.APIResource{Namespaced: r.namespaced, Kind: r.kind}
		if r.status {
			sub.Name, sub.Verbs = r.Resource+"/status", metav1.Verbs{"get", "patch", "update"}
			list.APIResources = append(list.APIResources, sub)
		}
		for _, name := range r.subresources {
			sub.Name, sub.Verbs, sub.Version = r.Resource+"/"+name, metav1.Verbs{"create"}, "v1"
			sub.Kind, sub.Group = "Binding", ""
			if name == "eviction" {
				sub.Kind, sub.Group = "Eviction", "policy"
			}
			list.APIResources = append(list.APIResources, sub)
		}
	}
	return list
}
