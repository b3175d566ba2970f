package kubetest

import (
	"fmt"
	"net"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// A gatedListener refuses connections while the server is down: who connected all the
// same finds the connection closed at once.
type gatedListener struct {
	net.Listener
	server *Server
}

// Accept implements net.Listener.
func (l gatedListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil || !l.server.faults.down() {
			return c, err
		}
		_ = c.Close()
	}
}

// Listen serves on a socket, too, for programs: address is like 127.0.0.1:0. It returns
// the URL. It can't be used in a synctest bubble. While the server is down, connections
// break at once, since a port that was given up may be gone.
func (s *Server) Listen(address string) (string, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return "", fmt.Errorf("kubetest: %w", err)
	}
	s.serving.Go(func() { _ = s.server.Serve(gatedListener{l, s}) }) // it ends when Close closes the listener
	return "http://" + l.Addr().String(), nil
}

// WriteKubeconfig writes a file with which programs reach the server at a URL that
// Listen returned.
func WriteKubeconfig(file, url string) error {
	c := clientcmdapi.NewConfig()
	c.Clusters["kubetest"] = &clientcmdapi.Cluster{Server: url}
	c.AuthInfos["kubetest"] = clientcmdapi.NewAuthInfo()
	c.Contexts["kubetest"] = &clientcmdapi.Context{Cluster: "kubetest", AuthInfo: "kubetest"}
	c.CurrentContext = "kubetest"
	return clientcmd.WriteToFile(*c, file)
}
