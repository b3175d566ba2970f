package suite

import (
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/grafana/pyroscope-go/upstream"
	"github.com/grafana/pyroscope-go/upstream/remote"
)

// Application is the name by which Pyroscope knows the profiles.
const Application = "berth.bench"

// patienceWithServer is for how long an answer to a profile is waited for.
const patienceWithServer = 30 * time.Second

// CheckServer returns nil if address may be that of a Pyroscope server.
func CheckServer(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("%q is not the address of a Pyroscope server; write one like http://localhost:4040", address)
	}
	return nil
}

// Push sends both profiles to a Pyroscope server, with the labels that samples have.
func (r *Result) Push(address string) error {
	failures := &failures{}
	up, err := remote.NewRemote(remote.Config{Address: address, Threads: 1, Timeout: patienceWithServer, Logger: failures})
	if err != nil {
		return fmt.Errorf("sending profiles to %s: %w", address, err)
	}
	up.Start()
	for _, data := range [][]byte{r.cpu, r.heap} {
		up.Upload(&upstream.UploadJob{
			Name: Application + "{version=" + r.Berth + "}", StartTime: r.began, EndTime: r.ended,
			SpyName: "gospy", Format: upstream.FormatPprof, Profile: data,
		})
	}
	up.Flush()
	up.Stop()
	if err := failures.err(); err != nil {
		return fmt.Errorf("sending profiles to %s: %w", address, err)
	}
	return nil
}

// failures is a log that keeps errors: the library tells of them there alone.
type failures struct {
	mu   sync.Mutex
	errs []error
}

// Infof implements remote.Logger.
func (f *failures) Infof(string, ...any) {}

// Debugf implements remote.Logger.
func (f *failures) Debugf(string, ...any) {}

// Errorf implements remote.Logger.
func (f *failures) Errorf(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.errs = append(f.errs, fmt.Errorf(format, args...))
}

func (f *failures) err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return errors.Join(f.errs...)
}
