package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// A statusError is an answer that asking again doesn't change.
type statusError struct{ status, url string }

func (e *statusError) Error() string { return e.url + " answers " + e.status }

// patient is the client that is used unless there is another: it waits for a server to
// answer, but not for ever.
var patient = &http.Client{Transport: &http.Transport{
	Proxy:                 http.ProxyFromEnvironment,
	DialContext:           (&net.Dialer{Timeout: 30 * time.Second}).DialContext,
	TLSHandshakeTimeout:   30 * time.Second,
	ResponseHeaderTimeout: time.Minute,
	DisableCompression:    true, // what is stored compressed is to stay so
}}

// more asks for what is missing of f, and writes what comes. Where a server sends all
// of it, though a part was asked for, it begins anew.
func (g *Getter) more(ctx context.Context, f *File, d *download) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, f.URL, nil)
	if err != nil {
		return fmt.Errorf("asking for %s: %w", f.URL, err)
	}
	if d.done > 0 {
		request.Header.Set("Range", fmt.Sprintf("bytes=%d-", d.done))
	}
	client := g.Client
	if client == nil {
		client = patient
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	switch {
	case response.StatusCode == http.StatusOK:
		if err := d.restart(); err != nil {
			return err
		}
	case response.StatusCode == http.StatusPartialContent && d.done > 0:
		if !strings.HasPrefix(response.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", d.done)) {
			return &statusError{"with another part than was asked for", f.URL}
		}
	default:
		return &statusError{response.Status, f.URL}
	}
	return g.write(f, d, response.Body, cancel)
}

// errStalled is why a download is given up in which nothing comes any more.
var errStalled = errors.New("nothing has come for too long")

// write writes what comes, up to the size that the file has to have.
func (g *Getter) write(f *File, d *download, body io.Reader, cancel context.CancelCauseFunc) error {
	stall := g.Stall
	if stall == 0 {
		stall = time.Minute
	}
	stalled := false
	watch := time.AfterFunc(stall, func() { cancel(errStalled) })
	defer watch.Stop()
	buffer := make([]byte, 1<<16)
	for {
		n, err := body.Read(buffer)
		if !watch.Reset(stall) {
			stalled = true
		}
		if d.done+int64(n) > f.Bytes {
			if restarting := d.restart(); restarting != nil {
				return restarting
			}
			return &statusError{fmt.Sprintf("with more than the %d bytes that the file has", f.Bytes), f.URL}
		}
		if _, writing := d.file.Write(buffer[:n]); writing != nil {
			return fmt.Errorf("writing it: %w", writing)
		}
		d.hash.Write(buffer[:n])
		d.done += int64(n)
		g.tell(f, d.done)
		switch {
		case errors.Is(err, io.EOF) && d.done < f.Bytes:
			return io.ErrUnexpectedEOF
		case errors.Is(err, io.EOF):
			return nil
		case err != nil && stalled:
			return errStalled
		case err != nil:
			return err
		}
	}
}
