// Package image packs a program into a container image in the form of the Open Container
// Initiative, as a tar archive that containerd imports. No registry and no engine takes part.
package image

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
)

// Write writes an image whose only file, and entry point, is a static program. ref is the name
// that pods call it by, as "registry.local/work:1". The same input gives the same bytes.
func Write(w io.Writer, ref, name string, program []byte) error {
	layer, err := archive([]file{{name, program, 0o755}})
	if err != nil {
		return fmt.Errorf("packing image %s: %w", ref, err)
	}
	config, err := json.Marshal(configuration{
		Architecture: runtime.GOARCH, OS: "linux",
		Config: entry{Entrypoint: []string{"/" + name}},
		RootFS: rootFS{"layers", []string{digest(layer)}},
	})
	if err != nil {
		return fmt.Errorf("packing image %s: %w", ref, err)
	}
	manifest, err := json.Marshal(manifest{
		SchemaVersion: 2, MediaType: mediaManifest,
		Config: describe(mediaConfig, config),
		Layers: []descriptor{describe(mediaLayer, layer)},
	})
	if err != nil {
		return fmt.Errorf("packing image %s: %w", ref, err)
	}
	named := describe(mediaManifest, manifest)
	named.Annotations = map[string]string{"io.containerd.image.name": ref, "org.opencontainers.image.ref.name": ref}
	index, err := json.Marshal(index{SchemaVersion: 2, Manifests: []descriptor{named}})
	if err != nil {
		return fmt.Errorf("packing image %s: %w", ref, err)
	}
	all, err := archive([]file{
		{"oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`), 0o644},
		{"index.json", index, 0o644},
		{blob(layer), layer, 0o644}, {blob(config), config, 0o644}, {blob(manifest), manifest, 0o644},
	})
	if err != nil {
		return fmt.Errorf("packing image %s: %w", ref, err)
	}
	if _, err := w.Write(all); err != nil {
		return fmt.Errorf("writing image %s: %w", ref, err)
	}
	return nil
}

// The media types of an image's parts.
const (
	mediaManifest = "application/vnd.oci.image.manifest.v1+json"
	mediaConfig   = "application/vnd.oci.image.config.v1+json"
	mediaLayer    = "application/vnd.oci.image.layer.v1.tar"
)

// The parts of an image, as far as this package writes them.
type (
	descriptor struct {
		MediaType   string            `json:"mediaType"`
		Digest      string            `json:"digest"`
		Size        int               `json:"size"` // bytes
		Annotations map[string]string `json:"annotations,omitempty"`
	}
	manifest struct {
		SchemaVersion int          `json:"schemaVersion"`
		MediaType     string       `json:"mediaType"`
		Config        descriptor   `json:"config"`
		Layers        []descriptor `json:"layers"`
	}
	index struct {
		SchemaVersion int          `json:"schemaVersion"`
		Manifests     []descriptor `json:"manifests"`
	}
	configuration struct {
		Architecture string `json:"architecture"`
		OS           string `json:"os"`
		Config       entry  `json:"config"`
		RootFS       rootFS `json:"rootfs"`
	}
	entry struct {
		Entrypoint []string
	}
	rootFS struct {
		Type    string   `json:"type"`
		DiffIDs []string `json:"diff_ids"`
	}
)

func describe(media string, b []byte) descriptor {
	return descriptor{MediaType: media, Digest: digest(b), Size: len(b)}
}

func digest(b []byte) string { return "sha256:" + sum(b) }

func blob(b []byte) string { return "blobs/sha256/" + sum(b) }

func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// A file goes into an archive.
type file struct {
	name string
	text []byte
	mode int64
}

// archive is a tar of files, without times or owners, which would make each a different one.
func archive(files []file) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		if err := w.WriteHeader(&tar.Header{Name: f.name, Mode: f.mode, Size: int64(len(f.text)), Typeflag: tar.TypeReg}); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.text); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return b.Bytes(), err
}
