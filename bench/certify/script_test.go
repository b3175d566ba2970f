package certify

import (
	"strings"
	"testing"
	"time"
)

const good = `version: berth/v1
pods:
  - {file: web.yaml, count: 24}
  - {file: batch.yaml, count: 36}
every: 200ms
faults: |
  # a kubelet dies
  at 60s hang node2 for 90s
eviction: kube:grace=20s
for: 4m
`

func TestReadScript(t *testing.T) {
	s, err := ReadScript("s.yaml", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Pods) != 2 || s.Pods[1] != (Group{"batch.yaml", 36}) || s.Every != 200*time.Millisecond || s.For != 4*time.Minute || s.Policy != "kube" || len(s.Struck.Entries) != 1 {
		t.Errorf("%+v", s)
	}
}

func TestWrongScripts(t *testing.T) {
	for _, tt := range []struct{ old, new, want string }{
		{good, "", "s.yaml: the file is empty; "},
		{"every: 200ms", "evry: 200ms", "s.yaml:5: field evry not found in type certify.Script; "},
		{"count: 24", "count: many", "s.yaml:3: cannot unmarshal"},
		{"count: 24", "count: 0", `s.yaml: a group has the file "web.yaml" and the count 0; give`},
		{"count: 24", "count: 9999", "s.yaml: there are 10035 pods; give 1 to 10000"},
		{"berth/v1", "v2", `s.yaml: version is "v2"; begin with`},
		{"for: 4m", "for: -4m", "s.yaml: for is -4m0s"},
		{"for: 4m", "for: 4m\nruns: 0", "s.yaml: runs is 0; "},
		{"hang node2", "hang nobody at all", "faults:2: "},
		{"hang node2 for 90s", "outage zone-a for 90s", "is of a rack or a zone; name nodes"},
		{"hang node2 for 90s", "late node2 for 90s by=10s", "can't be made on a lab; give"},
		{"for: 4m", "for: 4m\n---\nx: 1", "s.yaml: the file holds more than one document; "},
		{"version: berth/v1", "\tversion: [", "s.yaml: found character"},
	} {
		_, err := ReadScript("s.yaml", []byte(strings.Replace(good, tt.old, tt.new, 1)))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: %v, want %s", tt.new, err, tt.want)
		}
	}
}

func FuzzReadScript(f *testing.F) {
	f.Add([]byte(good))
	f.Fuzz(func(t *testing.T, content []byte) {
		if s, err := ReadScript("s.yaml", content); err != nil && strings.ContainsAny(err.Error(), "\n\r") || err == nil && s.Struck == nil {
			t.Errorf("%q", err)
		}
	})
}
