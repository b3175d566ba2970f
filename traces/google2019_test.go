package traces

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
)

const smallGoogle2019 = "testdata/google2019"

// TestGoogle2019 has an instance that was there before and runs on, one that is evicted
// and submitted again, an alloc instance with a task in it, and one of which only the
// start is recorded.
func TestGoogle2019(t *testing.T) {
	tr := open(t, smallGoogle2019)
	p := read(t, tr.Events(1))
	checkText(t, textOfCPUs(p), `
machine-1 64000 131072
machine-2 32000 65536
0 user-1/job-7-0  60: 16000 32768
2 user-1/job-7-1  7: 16000 32768
4 user-2/job-8-0  55: 32000 65536
10 user-1/job-7-1-again-1  10: 16000 32768
20 default/job-10-3  40: 64 262`)
	if c := p.pods[0].pod.Class; c.Priority != 200 {
		t.Errorf("the priority is %d", c.Priority)
	}
	checkRows(t, tr, 29, strings.Join([]string{
		"removes or changes a machine that isn't there: 1 from machine_events-000000000000.json:5",
		"says of a collection what is known, or isn't read: 1 from collection_events-000000000000.json:2",
		"queues an instance, or says that it may run: 1 from instance_events-000000000000.json:4",
		"of a task in an alloc set, whose instances are the pods: 1 from instance_events-000000000000.json:8",
		"an update of what a task asks for: 1 from instance_events-000000000001.json:4",
		"without a request: 1 from instance_events-000000000001.json:7",
		"of a task that isn't there: 1 from instance_events-000000000001.json:10",
		"after the recording: 1 from instance_events-000000000001.json:12",
		"never scheduled: 1 from instance_events-000000000001.json:8",
	}, "; "))
	if load := (16*60 + 16*7 + 32*55 + 16*10 + 0.064*40) / (96 * 20.0); math.Abs(tr.OfferedLoad-load) > 1e-12 || tr.Format != "google2019" {
		t.Errorf("the load is %v, want %v", tr.OfferedLoad, load)
	}
	for _, a := range read(t, open(t, smallGoogle2019+"?owners=job").Events(1)).pods {
		if owner := a.pod.Class.Owner; owner.Kind != "Job" || !strings.HasPrefix(a.pod.Name, owner.Name+"-") {
			t.Errorf("%s is owned by %+v", a.pod.Name, owner)
		}
	}
}

// TestGoogle2019Faults has a machine that leaves and comes back, and what all machines
// were.
func TestGoogle2019Faults(t *testing.T) {
	for _, spec := range []string{"google2019:" + smallGoogle2019, smallGoogle2019} {
		if got := faultsText(t, spec+"?kind=partition", "machine-1", "machine-2"); got != "50-80 [machine-2] partition; " {
			t.Errorf("%s: %s", spec, got)
		}
	}
	f, err := Opener{}.OpenFaults(smallGoogle2019)
	if err != nil {
		t.Fatal(err)
	}
	if nodes := f.Machines.Nodes(); len(nodes) != 2 || nodes[1].Capacity.Get(cluster.CPU) != 32_000 {
		t.Errorf("the machines are %v", nodes)
	}
}

func TestGoogle2019Files(t *testing.T) {
	checkError(t, "google2019:testdata/openb", "testdata/openb: no machine_events*.json or .json.gz in the folder; give the folder that contains them")
	checkError(t, smallGoogle2019+"?owners=x", smallGoogle2019+`?owners=x: owners is "x"; give one of none, job`)
}

// google2019Row writes a row of instance_events.
func google2019Row(at, kind, index any) string {
	return fmt.Sprintf(`{"time":%v,"type":%v,"collection_id":"7","instance_index":%v,"priority":"9","resource_request":{"cpus":0.5,"memory":0.5}}`+"\n", at, kind, index)
}

var badGoogle2019 = []struct{ content, want string }{
	{google2019Row(1, 0, 0) + "x\n", "f:2: no row: invalid character 'x' looking for beginning of value; give what BigQuery exports as newline delimited JSON"},
	{google2019Row(9, 0, 0) + google2019Row(8, 0, 1), "f:2: time is 8; give microseconds; a row before has 9: sort the rows by time"},
	{google2019Row("null", 0, 0), "f:1: time is 0; give microseconds; a row before has 0: sort the rows by time"},
	{google2019Row(`"1.5"`, 0, 0), `f:1: no row: strconv.ParseInt: parsing \"1.5\": invalid syntax; give what BigQuery exports as newline delimited JSON`},
	{google2019Row(1, 11, 0), "f:1: no instance event; give a collection_id, an instance_index and a type from 0 to 10"},
	{google2019Row(1, 0, "null"), "f:1: no instance event; give a collection_id, an instance_index and a type from 0 to 10"},
	{strings.Replace(google2019Row(1, 0, 0), "0.5", "1.5", 1), "f:1: no instance event; give shares from 0 to 1 and a priority from 0 to 1000"},
}

var badGoogle2019Machines = []struct{ content, want string }{
	{`{"time":"1","type":"4","machine_id":"1"}`, "f:1: no machine event; give a machine_id, a type from 1 to 3 and shares from 0 to 1"},
	{`{"time":"1","type":"1"}`, "f:1: no machine event; give a machine_id, a type from 1 to 3 and shares from 0 to 1"},
	{`{"time":"1","type":"1","machine_id":"1","capacity":{"cpus":-1}}`, "f:1: no machine event; give a machine_id, a type from 1 to 3 and shares from 0 to 1"},
}

// readGoogle2019 reads a file as one of a table.
func readGoogle2019(content []byte, table string) (*google2019Reader, error) {
	r := newGoogle2019Reader(&Machines{zones: 3, cpu: 64_000, memory: 256 << 30}, "none")
	take := map[string]func([]byte) (string, error){instanceEvents: r.instance, machineEvents: r.machine, collectionEvents: r.collection}[table]
	return r, readContent(content, func(file string, in *stream) error { return r.readFile(file, in, take) })
}

func TestGoogle2019Fails(t *testing.T) {
	for _, tt := range badGoogle2019 {
		if _, err := readGoogle2019([]byte(tt.content), instanceEvents); err == nil || err.Error() != tt.want {
			t.Errorf("%q:\ngot  %v\nwant %s", tt.content, err, tt.want)
		}
	}
	for _, tt := range badGoogle2019Machines {
		if _, err := readGoogle2019([]byte(tt.content), machineEvents); err == nil || err.Error() != tt.want {
			t.Errorf("%q:\ngot  %v\nwant %s", tt.content, err, tt.want)
		}
	}
}

// TestGoogle2019NoTime has a machine that leaves and comes back at one moment: it was
// never gone.
func TestGoogle2019NoTime(t *testing.T) {
	rows := ""
	for _, kind := range []int{1, 2, 1} {
		rows += fmt.Sprintf(`{"time":"700000000","type":"%d","machine_id":"1","capacity":{"cpus":1,"memory":1}}`+"\n", kind)
	}
	r, err := readGoogle2019([]byte(rows), machineEvents)
	if err != nil {
		t.Fatal(err)
	}
	if m := r.machines.into; len(m.outages[0]) != 0 || m.repairs != 0 || len(m.Nodes()) != 1 {
		t.Errorf("got %+v", m)
	}
}

func FuzzGoogle2019(f *testing.F) {
	for _, bad := range badGoogle2019 {
		f.Add([]byte(bad.content), byte(0))
	}
	for _, bad := range badGoogle2019Machines {
		f.Add([]byte(bad.content), byte(1))
	}
	f.Add([]byte(google2019Row(0, 3, 0)+google2019Row(5, 0, 1)+google2019Row(6, 3, 1)+google2019Row(9, 6, 1)+"\n"), byte(0))
	f.Add([]byte(`{"collection_id":"7","user":"x"}`), byte(2))
	f.Fuzz(func(t *testing.T, content []byte, table byte) {
		r, err := readGoogle2019(content, []string{instanceEvents, machineEvents, collectionEvents}[table%3])
		if err != nil {
			checkFuzzError(t, err)
			return
		}
		r.finish()
		if table%3 == 0 {
			checkFuzzReplay(t, &r.tally, r.replay(fuzzCPUs()))
		}
		last := cluster.Time(-1)
		for _, of := range r.machines.into.outages {
			for _, o := range of {
				if o.at < 0 || o.until <= o.at {
					t.Errorf("an outage %+v", o)
				}
			}
		}
		for _, e := range r.machines.into.events {
			if e.at < last {
				t.Errorf("an event at %d after one at %d", e.at, last)
			}
			last = e.at
		}
	})
}

func BenchmarkGoogle2019Read(b *testing.B) {
	var rows bytes.Buffer
	for i := range 20_000 {
		rows.WriteString(google2019Row(i, []int{0, 3, 6}[i%3], i/3))
	}
	b.SetBytes(int64(rows.Len()))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := readGoogle2019(rows.Bytes(), instanceEvents); err != nil {
			b.Fatal(err)
		}
	}
}
