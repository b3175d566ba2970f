// Package build makes the programs of a lab from their sources: Kubernetes and etcd in one file,
// KWOK, and the lab's own agent and images. What was built is kept in the user's cache under a
// hash of what it was built from, so that only the first lab waits for it.
package build

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/berthsim/berth/cluster/lab/image"
)

// Kubernetes is the version of Kubernetes that the components module is of; the linker writes it
// into the programs, which say it to whoever asks.
const Kubernetes = "v1.36.3"

// The images of a lab, by the names that pods use.
const (
	PauseImage = "registry.local/pause:1"
	WorkImage  = "registry.local/work:1"
)

// Components are the names that the one file of Kubernetes and etcd answers to.
var Components = []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl", "kubelet", "kubemark"}

// A Builder builds from the source tree in Source.
type Builder struct {
	Source string       // the project's root
	Cache  string       // folder, which may not be there yet
	Say    func(string) // is told what takes long
	Go     string       // the go command; "" is the one in PATH
	Output io.Writer    // of the go command, when it fails; nil discards it
	Proc   string       // where the kernel shows processes; "" is /proc
}

// A part is a folder of programs that are built and kept together.
type part struct {
	name    string
	sources []string // folders and files below the source tree that it is made of
	slow    string   // what to say before it is built
	make    func(b *Builder, ctx context.Context, dir string) error
}

var parts = map[string]part{
	"components": {"components", []string{"cluster/lab/components/go.mod", "cluster/lab/components/go.sum", "cluster/lab/components/main.go"},
		"building Kubernetes " + Kubernetes + " and etcd: 5 to 15 minutes the first time", (*Builder).components},
	"kwok": {"kwok", []string{"cluster/lab/components/kwok"}, "building KWOK: some minutes the first time", (*Builder).kwok},
	"agent": {"agent", []string{"go.mod", "cluster/lab/agent", "cluster/lab/cgroup", "cluster/lab/image"},
		"building the lab's agent and images", (*Builder).agent},
}

// FindSource looks for the project's source tree in dir and the folders above it.
func FindSource(dir string) (string, error) {
	for at := dir; ; at = filepath.Dir(at) {
		text, err := os.ReadFile(filepath.Join(at, "go.mod"))
		if err == nil && strings.HasPrefix(string(text), "module github.com/berthsim/berth\n") {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("%s lies in no source tree of Berth, from which the lab's programs could be built", dir)
		}
	}
}

// Build returns the folder with the programs of a part ("components", "kwok", "agent"), which it
// builds if the cache doesn't have them.
func (b *Builder) Build(ctx context.Context, name string) (string, error) {
	p, ok := parts[name]
	if !ok {
		panic("build: there is no part " + name)
	}
	key, err := b.hash(p.sources)
	if err != nil {
		return "", fmt.Errorf("building %s: %w", p.name, err)
	}
	dir := filepath.Join(b.Cache, p.name+"-"+key)
	if _, err := os.Stat(dir); err == nil {
		used(dir)
		return dir, nil
	}
	if err := os.MkdirAll(b.Cache, 0o755); err != nil {
		return "", fmt.Errorf("building %s: %w", p.name, err)
	}
	aside, err := os.MkdirTemp(b.Cache, ".building-")
	if err != nil {
		return "", fmt.Errorf("building %s: %w", p.name, err)
	}
	defer os.RemoveAll(aside)
	if err := os.Chmod(aside, 0o755); err != nil {
		return "", fmt.Errorf("building %s: %w", p.name, err)
	}
	b.Say(p.slow)
	if err := p.make(b, ctx, aside); err != nil {
		return "", fmt.Errorf("building %s: %w", p.name, err)
	}
	if err := os.Rename(aside, dir); err != nil {
		if _, there := os.Stat(dir); there != nil { // or another lab was as fast
			return "", fmt.Errorf("building %s: %w", p.name, err)
		}
	}
	used(dir)
	return dir, b.prune(p.name)
}

// hash is a hash over the sources and what they are built with.
func (b *Builder) hash(sources []string) (string, error) {
	h := sha256.New()
	fmt.Fprintln(h, runtime.Version(), runtime.GOARCH, Kubernetes)
	for _, s := range sources {
		root := filepath.Join(b.Source, s)
		err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.HasSuffix(file, "_test.go") {
				return err
			}
			text, err := os.ReadFile(file)
			fmt.Fprintln(h, strings.TrimPrefix(file, b.Source), len(text))
			h.Write(text)
			return err
		})
		if err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil))[:16], nil
}

// components builds Kubernetes and etcd, and gives the file all the names it answers to.
func (b *Builder) components(ctx context.Context, dir string) error {
	major, minor, _ := strings.Cut(strings.TrimPrefix(Kubernetes, "v"), ".")
	minor, _, _ = strings.Cut(minor, ".")
	var flags []string
	for _, pkg := range []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"} {
		flags = append(flags, "-X "+pkg+".gitVersion="+Kubernetes, "-X "+pkg+".gitMajor="+major, "-X "+pkg+".gitMinor="+minor, "-X "+pkg+".gitTreeState=clean")
	}
	if err := b.goBuild(ctx, "cluster/lab/components", filepath.Join(dir, "components"), strings.Join(flags, " "), "."); err != nil {
		return err
	}
	for _, name := range Components {
		if err := os.Symlink("components", filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}

func (b *Builder) kwok(ctx context.Context, dir string) error {
	const module = "cluster/lab/components/kwok"
	if err := b.goBuild(ctx, module, filepath.Join(dir, "kwok"), "", "sigs.k8s.io/kwok/cmd/kwok"); err != nil {
		return err
	}
	printer := filepath.Join(dir, "stages")
	if err := b.goBuild(ctx, module, printer, "", "."); err != nil {
		return err
	}
	text, err := exec.CommandContext(ctx, printer).Output()
	if err != nil {
		return err
	}
	return errors.Join(os.WriteFile(filepath.Join(dir, "stages.yaml"), text, 0o644), os.Remove(printer))
}

// agent builds the lab's own programs, and packs images of those that pods run.
func (b *Builder) agent(ctx context.Context, dir string) error {
	if err := b.goBuild(ctx, ".", filepath.Join(dir, "agent"), "", "./cluster/lab/agent/program"); err != nil {
		return err
	}
	for name, ref := range map[string]string{"pause": PauseImage, "work": WorkImage} {
		program := filepath.Join(dir, name)
		if err := b.goBuild(ctx, ".", program, "", "./cluster/lab/image/"+name); err != nil {
			return err
		}
		text, err := os.ReadFile(program)
		if err != nil {
			return err
		}
		f, err := os.Create(program + ".tar")
		if err != nil {
			return err
		}
		if err := errors.Join(image.Write(f, ref, name, text), f.Close()); err != nil {
			return err
		}
	}
	return nil
}

// goBuild builds a static program, without what only debuggers read.
func (b *Builder) goBuild(ctx context.Context, module, out, ldflags, pkg string) error {
	program := b.Go
	if program == "" {
		program = "go"
	}
	cmd := exec.CommandContext(ctx, program, "build", "-trimpath", "-buildvcs=false", "-ldflags", strings.TrimSpace("-s -w "+ldflags), "-o", out, pkg)
	cmd.Dir = filepath.Join(b.Source, module)
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "GOFLAGS=") }), "CGO_ENABLED=0", "GOOS=linux", "GOWORK=off")
	text, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		if b.Output != nil {
			_, _ = b.Output.Write(text)
		}
		return fmt.Errorf("go build %s in %s: %w: %s", pkg, cmd.Dir, err, lastLine(string(text)))
	}
	return nil
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}
