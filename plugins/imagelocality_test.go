package plugins_test

import (
	"fmt"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/plugins"
)

func TestImageLocality(t *testing.T) {
	const mebi = 1 << 20
	has := func(name string, bytes int64) []cluster.Image {
		return []cluster.Image{{Names: []string{name}, Bytes: bytes}}
	}
	class := func(images ...string) cluster.Class { return cluster.Class{Images: images} }
	tests := []struct {
		name string
		a, b []cluster.Image // of two nodes
		pod  cluster.Class
		want string
	}{
		{"no image anywhere", nil, nil, class("x:1"), "a:0 b:0"},
		{"of one node: half its bytes", has("x:1", 1000*mebi), nil, class("x:1"), "a:48 b:0"},             // (500-23)*100/977 = 48.8
		{"of both: all its bytes", has("x:1", 523*mebi), has("x:1", 523*mebi), class("x:1"), "a:51 b:51"}, // 500*100/977 = 51.1
		{"too few bytes", has("x:1", 46*mebi), nil, class("x:1"), "a:0 b:0"},
		// 23 MiB + 9.77 MiB = 34,361,835.52 bytes score 1, in halves: 68,723,672/2 = 34,361,836, less by 1 not.
		{"just enough for 1", has("x:1", 68723672), nil, class("x:1"), "a:1 b:0"},
		{"just too few for 1", has("x:1", 68723671), nil, class("x:1"), "a:0 b:0"},
		{"as many as count", has("x:1", 2000*mebi), nil, class("x:1"), "a:100 b:0"},
		{"just fewer", has("x:1", 2000*mebi-2), nil, class("x:1"), "a:99 b:0"},
		{"more than count", has("x:1", 9000*mebi), nil, class("x:1"), "a:100 b:0"},
		{"of another tag", has("x:2", 2000*mebi), nil, class("x:1"), "a:0 b:0"},
		// Two containers: up to 2000 MiB. (1000-23)*100/1977 = 49.4; the same image twice counts twice.
		{"one of two images", has("x:1", 2000*mebi), nil, class("x:1", "y:1"), "a:49 b:0"},
		{"one each", has("x:1", 2000*mebi), has("y:1", 1000*mebi), class("x:1", "y:1"), "a:49 b:24"}, // (500-23)*100/1977 = 24.1
		{"one twice", has("x:1", 2000*mebi), nil, class("x:1", "x:1"), "a:100 b:0"},
		// A volume's bytes count, but its container doesn't: (500+100-23)*100/977 = 59.05.
		{"a volume", append(has("x:1", 1000*mebi), has("v:1", 200*mebi)...), nil, cluster.Class{Images: []string{"x:1"}, ImageVolumes: []string{"v:1"}}, "a:59 b:0"},
		{"only a volume", has("v:1", 1000*mebi), nil, cluster.Class{Images: []string{"x:1"}, ImageVolumes: []string{"v:1"}}, "a:48 b:0"},
		{"no images", has("x:1", 1000*mebi), nil, cluster.Class{}, "a:0 b:0"},
		{"by its second name", []cluster.Image{{Names: []string{"x@sha256:0", "x:1"}, Bytes: 1000 * mebi}}, nil, class("x:1"), "a:48 b:0"},
		// All nodes' bytes are what the first to have the image says.
		{"of two sizes", has("x:1", 523*mebi), has("x:1", 999*mebi), class("x:1"), "a:51 b:51"},
		{"named twice on one node", append(has("x:1", 1000*mebi), has("x:1", 1)...), nil, class("x:1"), "a:48 b:0"},
	}
	for _, tt := range tests {
		w := newWorld()
		w.join(cluster.NodeSpec{Name: "a", Images: tt.a})
		w.join(cluster.NodeSpec{Name: "b", Images: tt.b})
		if got := w.score(t, plugins.ImageLocality, "", tt.pod); got != tt.want {
			t.Errorf("%s: %s; want %s", tt.name, got, tt.want)
		}
	}
}

// TestImageLocalityRoundsAsUpstream checks an image that 7 of 10 nodes have. Its
// 1,366,249,590 bytes times 7/10 are 956,374,713, just enough for 91; but 0.7 is
// a little less than that as a float, and the product is cut off.
func TestImageLocalityRoundsAsUpstream(t *testing.T) {
	w := newWorld()
	for i := range 10 {
		spec := cluster.NodeSpec{Name: fmt.Sprint(i)}
		if i < 7 {
			spec.Images = []cluster.Image{{Names: []string{"x:1"}, Bytes: 1366249590}}
		}
		w.join(spec)
	}
	const want = "0:90 1:90 2:90 3:90 4:90 5:90 6:90 7:0 8:0 9:0"
	if got := w.score(t, plugins.ImageLocality, "", cluster.Class{Images: []string{"x:1"}}); got != want {
		t.Errorf("%s; want %s", got, want)
	}
}
