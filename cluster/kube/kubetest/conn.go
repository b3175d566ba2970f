package kubetest

import (
	"context"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// A pipeListener accepts connections that never leave the process. Whoever waits on one
// waits on a channel, which a synctest bubble counts as idle, as it doesn't a socket.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
}

// Accept implements net.Listener.
func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr implements net.Listener.
func (l *pipeListener) Addr() net.Addr { return pipeAddr{} }

// dial connects a client.
func (l *pipeListener) dial(ctx context.Context) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-l.closed:
		return nil, refused()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// refused is what a client sees where nobody listens.
func refused() error {
	return &net.OpError{Op: "dial", Net: "tcp", Addr: pipeAddr{}, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
}

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "kubetest" }

// conns are the connections that are open, each with what ends its requests, so that a
// restart can break them.
type conns struct {
	mu   sync.Mutex
	open map[net.Conn]context.CancelFunc
}

// add returns the context of a new connection's requests.
func (c *conns) add(ctx context.Context, conn net.Conn) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open == nil {
		c.open = map[net.Conn]context.CancelFunc{}
	}
	c.open[conn] = cancel
	return context.WithValue(ctx, connKey{}, ctx)
}

// connKey finds the context of a request's connection, which doesn't end when the
// client goes.
type connKey struct{}

func (c *conns) drop(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open[conn]()
	delete(c.open, conn)
}

// closeAll breaks all connections.
func (c *conns) closeAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn, cancel := range c.open {
		cancel()
		_ = conn.Close() // whatever state it was in, it is broken now
	}
}

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
