package manifest

import (
	"encoding/json"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	configv1 "k8s.io/kube-scheduler/config/v1"
)

// A schedulerFile is a KubeSchedulerConfiguration as it is written. Parts whose
// types the decoder knows are Kubernetes' own; a test holds the others against them.
type schedulerFile struct {
	metav1.TypeMeta           `json:",inline"`
	Parallelism               *int32                          `json:"parallelism"`
	LeaderElection            electionFile                    `json:"leaderElection"`
	ClientConnection          connectionFile                  `json:"clientConnection"`
	EnableProfiling           *bool                           `json:"enableProfiling"`
	EnableContentionProfiling *bool                           `json:"enableContentionProfiling"`
	PercentageOfNodesToScore  *int32                          `json:"percentageOfNodesToScore"`
	PodInitialBackoffSeconds  *int64                          `json:"podInitialBackoffSeconds"`
	PodMaxBackoffSeconds      *int64                          `json:"podMaxBackoffSeconds"`
	Profiles                  []configv1.KubeSchedulerProfile `json:"profiles"`
	Extenders                 []extenderFile                  `json:"extenders"`
	DelayCacheUntilActive     bool                            `json:"delayCacheUntilActive"`
}

// electionFile is a LeaderElectionConfiguration.
type electionFile struct {
	LeaderElect       *bool           `json:"leaderElect"`
	LeaseDuration     metav1.Duration `json:"leaseDuration"`
	RenewDeadline     metav1.Duration `json:"renewDeadline"`
	RetryPeriod       metav1.Duration `json:"retryPeriod"`
	ResourceLock      string          `json:"resourceLock"`
	ResourceName      string          `json:"resourceName"`
	ResourceNamespace string          `json:"resourceNamespace"`
}

// connectionFile is a ClientConnectionConfiguration.
type connectionFile struct {
	Kubeconfig         string `json:"kubeconfig"`
	AcceptContentTypes string `json:"acceptContentTypes"`
	ContentType        string `json:"contentType"`
	QPS                number `json:"qps"`
	Burst              int32  `json:"burst"`
}

// extenderFile is an Extender.
type extenderFile struct {
	URLPrefix        string                             `json:"urlPrefix"`
	FilterVerb       string                             `json:"filterVerb"`
	PreemptVerb      string                             `json:"preemptVerb"`
	PrioritizeVerb   string                             `json:"prioritizeVerb"`
	Weight           int64                              `json:"weight"`
	BindVerb         string                             `json:"bindVerb"`
	EnableHTTPS      bool                               `json:"enableHTTPS"`
	TLSConfig        *tlsFile                           `json:"tlsConfig"`
	HTTPTimeout      metav1.Duration                    `json:"httpTimeout"`
	NodeCacheCapable bool                               `json:"nodeCacheCapable"`
	ManagedResources []configv1.ExtenderManagedResource `json:"managedResources"`
	Ignorable        bool                               `json:"ignorable"`
}

// tlsFile is an ExtenderTLSConfig.
type tlsFile struct {
	Insecure   bool   `json:"insecure"`
	ServerName string `json:"serverName"`
	CertFile   string `json:"certFile"`
	KeyFile    string `json:"keyFile"`
	CAFile     string `json:"caFile"`
	CertData   base64 `json:"certData"`
	KeyData    base64 `json:"keyData"`
	CAData     base64 `json:"caData"`
}

// A number is a floating-point number, which objects of the API never have.
type number float32

// UnmarshalJSON implements json.Unmarshaler.
func (n *number) UnmarshalJSON(text []byte) error { return json.Unmarshal(text, (*float32)(n)) }

// base64 is what a text in that coding says.
type base64 []byte

// UnmarshalJSON implements json.Unmarshaler.
func (b *base64) UnmarshalJSON(text []byte) error { return json.Unmarshal(text, (*[]byte)(b)) }
