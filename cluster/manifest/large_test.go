package manifest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// writeKubectlJSON writes what kubectl get nodes,pods -A -o json prints of a
// cluster of some nodes and some pods of 300 Deployments.
func writeKubectlJSON(b io.Writer, nodes, pods int) {
	var templates [][]byte
	for i := range 300 {
		templates = append(templates, indented(examplePod(i)))
	}
	node := indented(exampleNode())
	io.WriteString(b, "{\n    \"apiVersion\": \"v1\",\n    \"items\": [\n        ")
	comma := ""
	item := func(template []byte, tokens ...string) {
		io.WriteString(b, comma)
		comma = ",\n        "
		strings.NewReplacer(tokens...).WriteString(b, string(template))
	}
	for i := range nodes {
		item(node, "@NODE@", fmt.Sprintf("node-%05d", i), "@ZONE@", string(rune('a'+i%3)), "@UID@", fmt.Sprintf("%032x", i))
	}
	for i := range pods {
		item(templates[i%len(templates)], "@NAME@", fmt.Sprintf("%05x", i), "@NODE@", fmt.Sprintf("node-%05d", i%max(nodes, 1)),
			"@UID@", fmt.Sprintf("%032x", i), "@IP@", fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255))
	}
	io.WriteString(b, "\n    ],\n    \"kind\": \"List\",\n    \"metadata\": {\n        \"resourceVersion\": \"\"\n    }\n}\n")
}

func kubectlJSON(nodes, pods int) []byte {
	var b bytes.Buffer
	writeKubectlJSON(&b, nodes, pods)
	return b.Bytes()
}

func indented(o any) []byte {
	text, err := json.MarshalIndent(o, "        ", "    ")
	if err != nil {
		panic(err)
	}
	return text
}

func exampleNode() *v1.Node {
	created := metav1.NewTime(time.Unix(1700000000, 0).UTC())
	n := &v1.Node{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Node"},
		ObjectMeta: metav1.ObjectMeta{Name: "@NODE@", UID: "@UID@", CreationTimestamp: created, Labels: map[string]string{
			v1.LabelHostname: "@NODE@", v1.LabelTopologyZone: "@ZONE@", v1.LabelTopologyRegion: "r", v1.LabelArchStable: "amd64",
			v1.LabelOSStable: "linux", v1.LabelInstanceTypeStable: "m7.4xlarge",
		}},
	}
	list := v1.ResourceList{
		v1.ResourceCPU: resource.MustParse("63770m"), v1.ResourceMemory: resource.MustParse("257123456Ki"), v1.ResourcePods: resource.MustParse("110"),
		v1.ResourceEphemeralStorage: resource.MustParse("95551679124"), "hugepages-1Gi": resource.MustParse("0"), "example.com/nic": resource.MustParse("8"),
	}
	n.Status.Capacity, n.Status.Allocatable = list, list
	for i := range 50 {
		n.Status.Images = append(n.Status.Images, v1.ContainerImage{SizeBytes: int64(1e7 * i), Names: []string{
			fmt.Sprintf("registry.example.com/team/image-%02d@sha256:%064x", i, i), fmt.Sprintf("registry.example.com/team/image-%02d:v1.%d", i, i),
		}})
	}
	for _, c := range []v1.NodeConditionType{v1.NodeReady, v1.NodeMemoryPressure, v1.NodeDiskPressure, v1.NodePIDPressure} {
		n.Status.Conditions = append(n.Status.Conditions, v1.NodeCondition{Type: c, Status: v1.ConditionFalse,
			LastHeartbeatTime: created, LastTransitionTime: created, Reason: "KubeletHasNoPressure", Message: "kubelet has none of it"})
	}
	return n
}

// examplePod is a pod of the i-th Deployment, as the API server has completed it.
func examplePod(i int) *v1.Pod {
	created := metav1.NewTime(time.Unix(1700000000, 0).UTC())
	yes, priority, grace, mode, seconds := true, int32(0), int64(30), int32(420), int64(300)
	hash := fmt.Sprintf("%010x", i)
	app := fmt.Sprintf("app-%03d", i)
	requests := v1.ResourceList{v1.ResourceCPU: resource.MustParse(fmt.Sprintf("%dm", 100+i)), v1.ResourceMemory: resource.MustParse("256Mi")}
	probe := &v1.Probe{ProbeHandler: v1.ProbeHandler{HTTPGet: &v1.HTTPGetAction{Path: "/healthz", Port: intstr.FromString("http"), Scheme: "HTTP"}}, TimeoutSeconds: 1, PeriodSeconds: 10, SuccessThreshold: 1, FailureThreshold: 3}
	mounts := []v1.VolumeMount{{Name: "kube-api-access-x", MountPath: "/var/run/secrets/kubernetes.io/serviceaccount", ReadOnly: true}, {Name: "config", MountPath: "/etc/app"}}
	p := &v1.Pod{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{Name: app + "-" + hash + "-@NAME@", GenerateName: app + "-" + hash + "-", Namespace: fmt.Sprintf("team-%02d", i%20), UID: "@UID@", ResourceVersion: "123456789", CreationTimestamp: created,
			Labels:          map[string]string{"app.kubernetes.io/name": app, "pod-template-hash": hash, "team": "x"},
			Annotations:     map[string]string{"prometheus.io/scrape": "true", "prometheus.io/port": "9090", "kubectl.kubernetes.io/restartedAt": "2024-01-01T00:00:00Z"},
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: app + "-" + hash, UID: "0123", Controller: &yes, BlockOwnerDeletion: &yes}}},
		Spec: v1.PodSpec{NodeName: "@NODE@", Priority: &priority, RestartPolicy: v1.RestartPolicyAlways, TerminationGracePeriodSeconds: &grace, DNSPolicy: v1.DNSClusterFirst,
			ServiceAccountName: "default", DeprecatedServiceAccount: "default", SchedulerName: "default-scheduler", EnableServiceLinks: &yes, SecurityContext: &v1.PodSecurityContext{},
			Tolerations:               []v1.Toleration{{Key: v1.TaintNodeNotReady, Operator: v1.TolerationOpExists, Effect: v1.TaintEffectNoExecute, TolerationSeconds: &seconds}, {Key: v1.TaintNodeUnreachable, Operator: v1.TolerationOpExists, Effect: v1.TaintEffectNoExecute, TolerationSeconds: &seconds}},
			TopologySpreadConstraints: []v1.TopologySpreadConstraint{{MaxSkew: 1, TopologyKey: v1.LabelTopologyZone, WhenUnsatisfiable: v1.ScheduleAnyway, LabelSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"app.kubernetes.io/name": app}}}},
			Volumes: []v1.Volume{
				{Name: "config", VolumeSource: v1.VolumeSource{ConfigMap: &v1.ConfigMapVolumeSource{LocalObjectReference: v1.LocalObjectReference{Name: app}, DefaultMode: &mode}}},
				{Name: "kube-api-access-x", VolumeSource: v1.VolumeSource{Projected: &v1.ProjectedVolumeSource{DefaultMode: &mode, Sources: []v1.VolumeProjection{{ServiceAccountToken: &v1.ServiceAccountTokenProjection{ExpirationSeconds: &seconds, Path: "token"}}, {ConfigMap: &v1.ConfigMapProjection{LocalObjectReference: v1.LocalObjectReference{Name: "kube-root-ca.crt"}, Items: []v1.KeyToPath{{Key: "ca.crt", Path: "ca.crt"}}}}}}}},
			}},
		Status: v1.PodStatus{Phase: v1.PodRunning, HostIP: "10.0.0.1", PodIP: "@IP@", PodIPs: []v1.PodIP{{IP: "@IP@"}}, StartTime: &created, QOSClass: v1.PodQOSBurstable},
	}
	for _, c := range []v1.PodConditionType{v1.PodReadyToStartContainers, v1.PodInitialized, v1.PodReady, v1.ContainersReady, v1.PodScheduled} {
		p.Status.Conditions = append(p.Status.Conditions, v1.PodCondition{Type: c, Status: v1.ConditionTrue, LastTransitionTime: created})
	}
	for _, name := range []string{"app", "proxy"}[:1+i%3/2] { // two of three have no sidecar
		c := v1.Container{Name: name, Image: "registry.example.com/team/" + name + ":v1.2.3", Command: []string{"/bin/" + name}, Args: []string{"--listen=:8080", "--config=/etc/app/config.yaml"},
			Ports: []v1.ContainerPort{{Name: "http", ContainerPort: 8080, Protocol: v1.ProtocolTCP}}, Resources: v1.ResourceRequirements{Requests: requests, Limits: requests},
			VolumeMounts: mounts, LivenessProbe: probe, ReadinessProbe: probe, TerminationMessagePath: "/dev/termination-log", TerminationMessagePolicy: v1.TerminationMessageReadFile, ImagePullPolicy: v1.PullIfNotPresent}
		for j := range 6 {
			c.Env = append(c.Env, v1.EnvVar{Name: fmt.Sprintf("SETTING_%d", j), Value: "a value of some length"})
		}
		p.Spec.Containers = append(p.Spec.Containers, c)
		p.Status.ContainerStatuses = append(p.Status.ContainerStatuses, v1.ContainerStatus{Name: name, State: v1.ContainerState{Running: &v1.ContainerStateRunning{StartedAt: created}}, Ready: true, Started: &yes,
			Image: c.Image, ImageID: c.Image + "@sha256:" + strings.Repeat("0", 64), ContainerID: "containerd://" + strings.Repeat("a", 64), AllocatedResources: requests, Resources: &v1.ResourceRequirements{Requests: requests, Limits: requests}})
	}
	return p
}

func TestPodsOfATemplateShareAClass(t *testing.T) {
	c, err := Read("-", kubectlJSON(5, 1500))
	if err != nil {
		t.Fatal(err)
	}
	classes := map[any]int{}
	for _, p := range c.Pods {
		classes[p.Class]++
	}
	if len(c.Nodes) != 5 || len(c.Pods) != 1500 || len(classes) != 300 || len(c.Warnings) != 0 {
		t.Errorf("%d nodes, %d pods, %d classes, warnings %v", len(c.Nodes), len(c.Pods), len(classes), c.Warnings)
	}
}

func BenchmarkRead(b *testing.B) {
	for _, size := range []struct{ nodes, pods int }{{200, 6000}} {
		content := kubectlJSON(size.nodes, size.pods)
		b.Run(fmt.Sprintf("nodes=%d/pods=%d", size.nodes, size.pods), func(b *testing.B) {
			b.SetBytes(int64(len(content)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Read("-", content); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
