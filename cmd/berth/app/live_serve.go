package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/zap"
)

// A front is what a verb that runs for long says of itself over HTTP.
type front struct {
	registry *prometheus.Registry
	server   *http.Server
	done     chan struct{}
	address  string // at which it listens; "" if it doesn't

	tenure atomic.Pointer[tenure]
	synced atomic.Pointer[func() bool]
}

// newFront makes one that doesn't listen yet.
func newFront() *front {
	f := &front{registry: prometheus.NewRegistry(), done: make(chan struct{})}
	f.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return f
}

// listen begins to serve.
func (f *front) listen(address string, log *zap.Logger) error {
	if address == nobody {
		close(f.done)
		return nil
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return exit(exitWorldFailed, fmt.Errorf("--metrics-address %s: %w; give another, such as 127.0.0.1:0, or none", address, err))
	}
	f.address = l.Addr().String()
	f.server = &http.Server{Handler: f.handler(isLoopback(l.Addr())), ReadHeaderTimeout: 10 * time.Second}
	log.Info("listening", zap.String("address", f.address))
	go func() {
		defer close(f.done)
		if err := f.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			log.Error("serving metrics", zap.Error(err))
		}
	}()
	return nil
}

// isLoopback reports whether only this machine reaches an address.
func isLoopback(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// handler returns what is served; profiles only where none but this machine asks, for they
// tell what is in memory.
func (f *front) handler(profiles bool) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(f.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		if t := f.tenure.Load(); t != nil {
			if err := t.healthy(); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
		}
		fmt.Fprintln(w, "ok")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		t, synced := f.tenure.Load(), f.synced.Load()
		switch {
		case t != nil && !t.leads():
			fmt.Fprintln(w, "standing by")
		case synced == nil || !(*synced)():
			http.Error(w, "lists have not all come, or a watch is silent", http.StatusServiceUnavailable)
		default:
			fmt.Fprintln(w, "ok")
		}
	})
	if profiles {
		mux.HandleFunc("/debug/pprof/", pprof.Index)
		mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	}
	return mux
}

// close ends the listener; who is being answered has a second.
func (f *front) close() {
	if f.server != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if f.server.Shutdown(ctx) != nil {
			_ = f.server.Close() // says only that it was closed before
		}
	}
	<-f.done
}
