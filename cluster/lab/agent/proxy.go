//go:build linux

package agent

import (
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

// Proxy carries connections from a socket that the lab opened outside to an address that can be
// reached where the proxy runs. It looks into nothing: TLS is between the two ends.
func Proxy(args []string) error {
	to, err := one(args)
	if err != nil {
		return err
	}
	l, err := net.FileListener(os.NewFile(ListenerFD, "listener"))
	if err != nil {
		return fmt.Errorf("taking over the listener: %w", err)
	}
	for {
		c, err := l.Accept()
		if err != nil {
			return fmt.Errorf("accepting connections: %w", err)
		}
		go carry(c, to)
	}
}

// carry joins a connection with a new one, until either ends.
func carry(c net.Conn, to string) {
	defer c.Close()
	other, err := net.DialTimeout("tcp", to, 10*time.Second)
	if err != nil {
		return // who asked sees the connection end, as when the API server is gone
	}
	defer other.Close()
	ended := make(chan struct{}, 2)
	for _, p := range [][2]net.Conn{{c, other}, {other, c}} {
		go func() {
			_, _ = io.Copy(p[0], p[1]) // either end may break off, at any time
			ended <- struct{}{}
		}()
	}
	<-ended
}
