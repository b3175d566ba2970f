package kubetest_test

import (
	"context"
	"fmt"
	"log"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/berthsim/berth/cluster/kube/kubetest"
)

// A scheduler whose answer is lost tries again, and learns from the conflict that its
// first attempt took effect.
func Example() {
	s := kubetest.New(kubetest.Options{Seed: 1})
	defer s.Close()
	if err := s.Add(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "web-0", Namespace: "shop"}}); err != nil {
		log.Fatal(err)
	}
	client, err := kubernetes.NewForConfig(s.Config())
	if err != nil {
		log.Fatal(err)
	}
	s.Inject(kubetest.Fault{Subresource: "binding", Reset: kubetest.ResetAfter, Times: 1})
	for range 2 {
		err := client.CoreV1().Pods("shop").Bind(context.Background(), &corev1.Binding{
			ObjectMeta: metav1.ObjectMeta{Name: "web-0"},
			Target:     corev1.ObjectReference{Kind: "Node", Name: "node-1"},
		}, metav1.CreateOptions{})
		fmt.Println("conflict:", apierrors.IsConflict(err), "failed:", err != nil)
	}
	for _, b := range s.Bindings() {
		fmt.Printf("%s → %s\n", b.Name, b.NewNode)
	}
	// Output:
	// conflict: false failed: true
	// conflict: true failed: true
	// web-0 → node-1
}
