package fetch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// content is what is fetched: more than a buffer's worth.
var content = bytes.Repeat([]byte("0123456789abcdef"), 20_000)

func sumOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// A server answers with content, in ways that go wrong.
type server struct {
	content   []byte
	breakAt   []int // how much of a body is sent before the connection breaks, for each answer in turn
	noRanges  bool  // always sends all
	wrongPart bool
	stalls    bool
	status    int // instead of content
	asked     []string
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.asked = append(s.asked, r.Header.Get("Range"))
	if s.status != 0 {
		w.WriteHeader(s.status)
		return
	}
	from := 0
	if wanted := r.Header.Get("Range"); wanted != "" && !s.noRanges {
		if _, err := fmt.Sscanf(wanted, "bytes=%d-", &from); err != nil {
			panic(err)
		}
		if s.wrongPart {
			from--
		}
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(s.content)-1, len(s.content)))
	}
	w.Header().Set("Content-Length", fmt.Sprint(len(s.content)-from))
	if w.Header().Get("Content-Range") != "" {
		w.WriteHeader(http.StatusPartialContent)
	}
	body := s.content[from:]
	if len(s.breakAt) > 0 {
		body = body[:s.breakAt[0]]
		s.breakAt = s.breakAt[1:]
		_, _ = w.Write(body) // the other end may be gone
		w.(http.Flusher).Flush()
		if s.stalls {
			<-r.Context().Done()
		}
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(body) // likewise
}

// get has one file fetched from s, and returns its path.
func get(t *testing.T, s *server, dir string, g Getter) (string, error) {
	t.Helper()
	web := httptest.NewServer(s)
	defer web.Close()
	d := Dataset{Files: []File{{"part/file.csv", web.URL + "/file", sumOf(content), int64(len(content))}}}
	return filepath.Join(dir, "part", "file.csv"), g.Get(t.Context(), &d, dir)
}

// holds checks what a file has; nil if there is to be none.
func holds(t *testing.T, path string, want []byte) {
	t.Helper()
	data, err := os.ReadFile(path)
	if want == nil && errors.Is(err, os.ErrNotExist) {
		return
	}
	if want == nil || err != nil || !bytes.Equal(data, want) {
		t.Errorf("%s: %v, %d bytes, want %d", filepath.Base(path), err, len(data), len(want))
	}
}

func TestGet(t *testing.T) {
	s := &server{content: content}
	var last int64
	dir := t.TempDir()
	path, err := get(t, s, dir, Getter{Progress: func(file string, done, total int64) {
		if file != "part/file.csv" || done < last || total != int64(len(content)) {
			t.Errorf("%d of %d bytes of %s after %d", done, total, file, last)
		}
		last = done
	}})
	if err != nil || last != int64(len(content)) {
		t.Errorf("%v, %d bytes", err, last)
	}
	holds(t, path, content)
	holds(t, path+partial, nil)
	// What is there isn't asked for again.
	if _, err := get(t, s, dir, Getter{}); err != nil || len(s.asked) != 1 {
		t.Errorf("%v, asked for %q", err, s.asked)
	}
}

// What breaks goes on where it was, as long as there is more each time.
func TestGetGoesOn(t *testing.T) {
	s := &server{content: content, breakAt: []int{1000, 5000}}
	path, err := get(t, s, t.TempDir(), Getter{})
	if err != nil {
		t.Fatal(err)
	}
	holds(t, path, content)
	if got := strings.Join(s.asked, ","); got != ",bytes=1000-,bytes=6000-" {
		t.Errorf("asked for %s", got)
	}
}

// What was interrupted goes on the next time.
func TestGetResumes(t *testing.T) {
	dir := t.TempDir()
	s := &server{content: content, breakAt: []int{1000, 0, 0}}
	path, err := get(t, s, dir, Getter{})
	if err == nil || !strings.Contains(err.Error(), "fetching part/file.csv: the connection broke; 1000 of 320000 bytes are there: run it again") {
		t.Errorf("got %v", err)
	}
	holds(t, path, nil)
	holds(t, path+partial, content[:1000])
	s = &server{content: content}
	if _, err := get(t, s, dir, Getter{}); err != nil {
		t.Error(err)
	}
	holds(t, path, content)
	if got := strings.Join(s.asked, ","); got != "bytes=1000-" {
		t.Errorf("asked for %s", got)
	}
}

// A server that knows no ranges sends all of it, which is then all there is.
func TestGetWithoutRanges(t *testing.T) {
	s := &server{content: content, noRanges: true, breakAt: []int{1000}}
	path, err := get(t, s, t.TempDir(), Getter{})
	if err != nil || len(s.asked) != 2 {
		t.Errorf("%v, asked for %q", err, s.asked)
	}
	holds(t, path, content)
}

// What was there before may be of something else: then it is fetched from the beginning,
// once.
func TestGetAfterAnother(t *testing.T) {
	for _, was := range [][]byte{bytes.Repeat([]byte("x"), 500), bytes.Repeat([]byte("x"), len(content)), bytes.Repeat([]byte("x"), len(content)+1)} {
		dir := t.TempDir()
		path := filepath.Join(dir, "part", "file.csv")
		if err := errors.Join(os.Mkdir(filepath.Dir(path), 0o777), os.WriteFile(path+partial, was, 0o666)); err != nil {
			t.Fatal(err)
		}
		s := &server{content: content}
		if _, err := get(t, s, dir, Getter{}); err != nil {
			t.Errorf("%d bytes before: %v, asked for %q", len(was), err, s.asked)
		}
		holds(t, path, content)
	}
}

func TestGetErrors(t *testing.T) {
	other := bytes.Clone(content)
	other[77] ^= 1
	for _, tt := range []struct {
		server  *server
		want    string
		partial []byte
	}{
		{&server{content: other}, "so it was thrown away", nil},
		{&server{content: content[:1000]}, "with another", nil},
		{&server{content: append(bytes.Clone(content), 1)}, "answers with more than the 320000 bytes", []byte{}},
		{&server{status: 404}, "answers 404 Not Found", []byte{}},
		{&server{status: 503}, "answers 503 Service Unavailable", []byte{}},
		{&server{content: content, wrongPart: true, breakAt: []int{1000}}, "answers with another part than was asked for", content[:1000]},
		{&server{content: content, stalls: true, breakAt: []int{1000, 0}}, "nothing has come for too long", content[:1000]},
	} {
		if tt.want == "with another" { // it is shorter than it must be
			tt.want, tt.partial = "the connection broke; 1000 of 320000 bytes are there", content[:1000]
			tt.server.breakAt = []int{1000, 0}
		}
		path, err := get(t, tt.server, t.TempDir(), Getter{Stall: 200 * time.Millisecond})
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "; ") {
			t.Errorf("got %v, want %s", err, tt.want)
		}
		holds(t, path, nil)
		holds(t, path+partial, tt.partial)
	}
}

// A file that is there and is another is left alone.
func TestGetExists(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "part", "file.csv")
	if err := errors.Join(os.Mkdir(filepath.Dir(path), 0o777), os.WriteFile(path, []byte("mine"), 0o666)); err != nil {
		t.Fatal(err)
	}
	s := &server{content: content}
	_, err := get(t, s, dir, Getter{})
	if there := (*ExistsError)(nil); !errors.As(err, &there) || there.File != path || len(s.asked) != 0 {
		t.Errorf("got %v, asked for %q", err, s.asked)
	}
	holds(t, path, []byte("mine"))
}

func TestGetStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := &server{content: content, stalls: true, breakAt: []int{1000}}
	web := httptest.NewServer(s)
	defer web.Close()
	g := Getter{Progress: func(string, int64, int64) { cancel() }}
	d := Dataset{Files: []File{{"f", web.URL, sumOf(content), int64(len(content))}}}
	if err := g.Get(ctx, &d, t.TempDir()); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	web.CloseClientConnections()
}

func TestGetWithoutServer(t *testing.T) {
	web := httptest.NewServer(&server{})
	web.Close()
	d := Dataset{Files: []File{{"f", web.URL, sumOf(content), int64(len(content))}}}
	err := (&Getter{}).Get(t.Context(), &d, t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "fetching f: dial tcp") {
		t.Errorf("got %v", err)
	}
}

// Every dataset says what a table needs, and files can't get out of its folder.
func TestDatasets(t *testing.T) {
	names := map[string]bool{}
	for _, d := range Datasets {
		if d.Name == "" || d.What == "" || d.Licence == "" || d.Cite == "" || names[d.Name] || len(d.Files) == 0 && d.ByHand == "" {
			t.Errorf("%+v", d)
		}
		names[d.Name] = true
		files := map[string]bool{}
		for _, f := range d.Files {
			hash, err := hex.DecodeString(f.SHA256)
			if err != nil || len(hash) != sha256.Size || f.Bytes <= 0 || !filepath.IsLocal(f.Name) || files[f.Name] || !strings.HasPrefix(f.URL, "https://") {
				t.Errorf("%s: %+v", d.Name, f)
			}
			files[f.Name] = true
		}
		if Find(Datasets, d.Name).Name != d.Name {
			t.Errorf("%s isn't found", d.Name)
		}
	}
	if Find(Datasets, "none") != nil {
		t.Error("something is called none")
	}
}
