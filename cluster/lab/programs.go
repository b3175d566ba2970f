//go:build linux

package lab

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/berthsim/berth/cluster/lab/build"
)

// Programs are the files that a lab runs, and those it gives to nodes.
type Programs struct {
	Agent      string
	Components map[string]string // file by the component's name
	KWOK       string            // "" unless the lab has its nodes
	Stages     string            // how KWOK's nodes and pods live
	Images     []string          // archives
	CNI        string            // folder of the machine's CNI plugins
}

// withArguments are the components that Config.Args may name.
var withArguments = []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kwok", "kubemark"}

// findPrograms takes the programs from the folder that was given, and builds the others.
func (c *Config) findPrograms(ctx context.Context) (Programs, error) {
	b := &build.Builder{Say: c.Say}
	p := Programs{Components: map[string]string{}, CNI: cniDir()}
	components := slices.DeleteFunc(slices.Clone(build.Components), func(name string) bool { return c.inBinDir(name) })
	if len(components) > 0 {
		dir, err := c.build(ctx, b, "components", components)
		if err != nil {
			return Programs{}, err
		}
		for _, name := range components {
			p.Components[name] = filepath.Join(dir, name)
		}
	}
	for _, name := range build.Components {
		if c.inBinDir(name) {
			p.Components[name] = filepath.Join(c.BinDir, name)
		}
		file, err := filepath.EvalSymlinks(p.Components[name])
		if err != nil {
			return Programs{}, fmt.Errorf("finding %s: %w", name, err)
		}
		if p.Components[name], err = filepath.Abs(file); err != nil {
			return Programs{}, fmt.Errorf("finding %s: %w", name, err)
		}
	}
	own, err := c.folder(ctx, b, "agent", "agent", "pause.tar", "work.tar")
	if err != nil {
		return Programs{}, err
	}
	p.Agent = filepath.Join(own, "agent")
	p.Images = append([]string{filepath.Join(own, "pause.tar"), filepath.Join(own, "work.tar")}, c.Images...)
	if c.KWOK > 0 {
		dir, err := c.folder(ctx, b, "kwok", "kwok", "stages.yaml")
		if err != nil {
			return Programs{}, err
		}
		p.KWOK, p.Stages = filepath.Join(dir, "kwok"), filepath.Join(dir, "stages.yaml")
	}
	return p, nil
}

// folder is where all of some files are: the folder that was given, or what is built.
func (c *Config) folder(ctx context.Context, b *build.Builder, part string, files ...string) (string, error) {
	if !slices.ContainsFunc(files, func(f string) bool { return !c.inBinDir(f) }) {
		return filepath.Abs(c.BinDir)
	}
	return c.build(ctx, b, part, files)
}

func (c *Config) inBinDir(name string) bool {
	if c.BinDir == "" {
		return false
	}
	_, err := os.Stat(filepath.Join(c.BinDir, name))
	return err == nil
}

// build builds a part, for want of some files.
func (c *Config) build(ctx context.Context, b *build.Builder, part string, files []string) (string, error) {
	if b.Source == "" {
		source, err := build.FindSource(absolute(c.Source, "."))
		if err != nil {
			return "", fmt.Errorf("there is no %s: %w; run berth lab up in Berth's source tree or name it with --source, or name a folder that has them with --bin-dir", strings.Join(files, ", "), err)
		}
		b.Source = source
		b.Cache = c.Cache
		if b.Cache == "" {
			cache, err := os.UserCacheDir()
			if err != nil {
				return "", fmt.Errorf("finding a folder for what is built: %w; set HOME or XDG_CACHE_HOME", err)
			}
			b.Cache = filepath.Join(cache, "berth-lab")
		}
	}
	return b.Build(ctx, part)
}

// absolute is the absolute form of a path, or of another if that is empty.
func absolute(a, b string) string {
	if a == "" {
		a = b
	}
	if abs, err := filepath.Abs(a); err == nil {
		return abs
	}
	return a
}

// cniDirs are where CNI plugins usually are: Debian's folder, and everyone else's.
var cniDirs = []string{"/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"}

// cniPlugins are those that a node's network needs.
var cniPlugins = []string{"bridge", "host-local", "loopback"}

// cniDir is the folder that has the plugins; "" if none does.
func cniDir() string {
	for _, dir := range cniDirs {
		if !slices.ContainsFunc(cniPlugins, func(p string) bool { _, err := os.Stat(filepath.Join(dir, p)); return err != nil }) {
			return dir
		}
	}
	return ""
}
