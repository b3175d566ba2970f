package image

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"testing"
)

// unpack reads a tar archive.
func unpack(t *testing.T, b []byte) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for r := tar.NewReader(bytes.NewReader(b)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if files[h.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWrite(t *testing.T) {
	var b, again bytes.Buffer
	program := []byte("the program")
	for _, w := range []*bytes.Buffer{&b, &again} {
		if err := Write(w, "registry.local/work:1", "work", program); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(b.Bytes(), again.Bytes()) {
		t.Error("the same program gives another image")
	}
	files := unpack(t, b.Bytes())
	// follow descends from the index as a runtime does, checking digests and sizes.
	follow := func(d descriptor) []byte {
		text, ok := files["blobs/sha256/"+d.Digest[len("sha256:"):]]
		if !ok || digest(text) != d.Digest || len(text) != d.Size {
			t.Fatalf("%+v isn't there or isn't what it says", d)
		}
		return text
	}
	var in index
	if err := json.Unmarshal(files["index.json"], &in); err != nil {
		t.Fatal(err)
	}
	if got := in.Manifests[0].Annotations["io.containerd.image.name"]; got != "registry.local/work:1" {
		t.Errorf("name %q", got)
	}
	var m manifest
	if err := json.Unmarshal(follow(in.Manifests[0]), &m); err != nil {
		t.Fatal(err)
	}
	var c configuration
	if err := json.Unmarshal(follow(m.Config), &c); err != nil {
		t.Fatal(err)
	}
	layer := follow(m.Layers[0])
	if c.Config.Entrypoint[0] != "/work" || c.RootFS.DiffIDs[0] != digest(layer) {
		t.Errorf("configuration %+v", c)
	}
	if got := unpack(t, layer)["work"]; !bytes.Equal(got, program) {
		t.Errorf("the layer holds %q", got)
	}
}
