package pki

import (
	"fmt"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// Kubeconfig says how a user reaches the cluster's API server. Its text holds all it needs, and
// names no other file.
type Kubeconfig struct {
	Name      string // of cluster, user and context
	Server    string // URL
	Authority []byte // its certificate, in PEM
	User      Pair
}

// Text returns the file's text.
func (k Kubeconfig) Text() ([]byte, error) {
	c := api.NewConfig()
	c.Clusters[k.Name] = &api.Cluster{Server: k.Server, CertificateAuthorityData: k.Authority}
	c.AuthInfos[k.Name] = &api.AuthInfo{ClientCertificateData: k.User.Cert, ClientKeyData: k.User.Key}
	c.Contexts[k.Name] = &api.Context{Cluster: k.Name, AuthInfo: k.Name}
	c.CurrentContext = k.Name
	text, err := clientcmd.Write(*c)
	if err != nil {
		return nil, fmt.Errorf("writing a kubeconfig: %w", err)
	}
	return text, nil
}
