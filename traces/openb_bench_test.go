package traces

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"
)

// BenchmarkOpenbRead reads a list of nodes and one of pods, as large as openb's.
func BenchmarkOpenbRead(b *testing.B) {
	nodes, pods := largeOpenb(1200, 8000)
	b.SetBytes(int64(len(nodes) + len(pods)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := readOpenbNodes("f", nodes); err != nil {
			b.Fatal(err)
		}
		if _, err := readOpenbPods("f", pods, true); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOpenbEvents plays a filling, an event an operation.
func BenchmarkOpenbEvents(b *testing.B) {
	nodes, pods := largeOpenb(1200, 8000)
	tr := open(b, "openb:"+writeOpenb(b, string(nodes), string(pods)))
	b.ReportAllocs()
	s := tr.Events(1)
	for b.Loop() {
		_, err := s.Next()
		if errors.Is(err, io.EOF) {
			s = tr.Events(1)
		} else if err != nil {
			b.Fatal(err)
		}
	}
}

// largeOpenb makes lists with rows like the recording's.
func largeOpenb(nodes, pods int) (nodeList, podList []byte) {
	var n, p bytes.Buffer
	n.WriteString(nodeHead)
	for i := range nodes {
		fmt.Fprintf(&n, "openb-node-%04d,96000,393216,8,G2\n", i)
	}
	p.WriteString("name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time\n")
	for i := range pods {
		fmt.Fprintf(&p, "openb-pod-%04d,%d,30517,1,%d,,LS,Running,%d,%d,%d\n", i, 1000*(i%12), 1+i%1000, 1000*i, 1000*i+540, 1000*i+2)
	}
	return n.Bytes(), p.Bytes()
}
