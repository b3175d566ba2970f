package traces

import (
	"database/sql"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
)

const azureSchema = `CREATE TABLE vmType (id INTEGER PRIMARY KEY, vmTypeId INTEGER, machineId INTEGER, core REAL, memory REAL, hdd REAL, ssd REAL, nic REAL);
CREATE TABLE vm (vmId INTEGER, tenantId INTEGER, vmTypeId INTEGER, priority INTEGER, starttime REAL, endtime REAL);`

// smallAzurePacking has two kinds of machines. One virtual machine was there before, one
// has no end, one can't run on machine 5.
const smallAzurePacking = azureSchema + `
INSERT INTO vmType VALUES (1, 10, 5, 0.25, 0.125, NULL, 0.5, 0.333333333), (2, 10, 6, 0.5, 0.5, 0, 0, 0), (3, 11, 5, 0.5, 0.5, 0.1, 0, 0), (4, 12, 6, 1, 1, 0, 0, 0);
INSERT INTO vm VALUES (1, 7, 10, 0, -3.5, 0.25), (2, 7, 11, 1, 0.5, 1.5), (3, 8, 10, 0, 1, NULL), (4, 8, 12, 0, 1, 2), (5, 8, 10, 0, NULL, 2), (6, 8, 10, 0, 2, 1), (7, 8, 10, 0, -2, -1);`

// azureDatabase makes a database.
func azureDatabase(t testing.TB, statements string) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "a b?c#d.sqlite") // nothing that a name of a database may have confuses
	f, err := os.Create(file)
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	plain := filepath.Join(t.TempDir(), "x.sqlite")
	db, err := sql.Open("sqlite", plain)
	if err == nil {
		_, err = db.Exec(statements)
	}
	if err == nil {
		err = db.Close()
	}
	if err == nil {
		err = os.Rename(plain, file)
	}
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func TestAzurePacking(t *testing.T) {
	file := azureDatabase(t, smallAzurePacking)
	r := &azurePackingReader{file: file, node: &cluster.NodeSpec{Capacity: cluster.Amounts{64_000, 256 << 30, 0, 110}}}
	if err := r.read(); err != nil {
		t.Fatal(err)
	}
	if r.machine != "5" {
		t.Errorf("the machine is %s", r.machine)
	}
	got := ""
	play := r.replay(nil)
	for i := range r.batches.count {
		b := r.batches.at(i)
		c := play.class(b)
		got += fmt.Sprintf("%v %s/%s %v: %d %d %d %v\n", b.at.Seconds()/86400, c.Namespace, play.spec(b, 0).Name, b.run.Seconds()/86400, c.Priority, c.Requests.Get(cluster.CPU), c.Requests.Get(cluster.Memory)>>20, c.Extended)
	}
	const want = `0 tenant-7/vm-1 0.25: 0 16000 32768 [{azure.com/nic 333333} {azure.com/ssd 500000}]
0.5 tenant-7/vm-2 1: -1 32000 131072 [{azure.com/hdd 100000}]
1 tenant-8/vm-3 1: 0 16000 32768 [{azure.com/nic 333333} {azure.com/ssd 500000}]
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestAzurePackingTrace has the replay, on each kind of machine.
func TestAzurePackingTrace(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "packing_trace_zone_a_v1.sqlite")
	if err := os.Rename(azureDatabase(t, smallAzurePacking), file); err != nil {
		t.Fatal(err)
	}
	tr := open(t, file+"?nodes=2")
	p := read(t, tr.Events(1))
	if tr.Format != "azurepacking" || len(p.nodes) != 2 || len(p.pods) != 3 || len(p.nodes[0].Extended) != 3 {
		t.Errorf("got %+v", tr)
	}
	const name = "packing_trace_zone_a_v1.sqlite"
	checkRows(t, tr, 11, strings.Join([]string{
		"is a type on another kind of machine: 2 from " + name + ":2", "is of a type that doesn't run on the nodes: 1 from " + name + ":4",
		"has no starttime: 1 from " + name + ":5", "it ends before it starts: 1 from " + name + ":6", "it ended before the recording began: 1 from " + name + ":7",
	}, "; "))
	if load := (16*0.25 + 32*1 + 16*1) / 128.0; math.Abs(tr.OfferedLoad-load) > 1e-12 {
		t.Errorf("the load is %v, want %v", tr.OfferedLoad, load)
	}
	if other := open(t, file+"?machine=6"); other.Pods != 3 || other.Hash == tr.Hash {
		t.Errorf("on machine 6: %+v", other)
	}
	if same := open(t, file+"?machine=5&nodes=2"); same.Hash != tr.Hash {
		t.Error("the machine that is taken if none is given gives another hash")
	}
	checkError(t, file+"?machine=7", file+`: no type of virtual machine runs on machine "7"; give another machineId with machine, or leave it out`)
}

var badAzurePacking = []struct{ statements, want string }{
	{"CREATE TABLE vm (x)", "no tables vm and vmType; give the database of Azure's Trace for Packing"},
	{"CREATE TABLE vm (x); CREATE TABLE vmType (x)", `no such database: SQL logic error: cannot join using column vmTypeId - column not present in both tables (1); fetch the file again, and unpack it`},
	{"CREATE TABLE vm (x); CREATE VIEW vmType AS SELECT 1", "no tables vm and vmType; give the database of Azure's Trace for Packing"},
	{azureSchema, "no such database: sql: no rows in result set; fetch the file again, and unpack it"},
	{azureSchema + "INSERT INTO vmType VALUES (1, 1, 1, 2, 0, 0, 0, 0); INSERT INTO vm VALUES (1, 1, 1, 0, 0, 1)", "in that row of vmType, a share is 2; correct or delete the row"},
	{azureSchema + "INSERT INTO vmType VALUES (1, 1, 1, 1, 0, 0, 0, 0); INSERT INTO vm VALUES (1, NULL, 1, 0, 0, 1)", "in that row of vm, vmId and tenantId are no names; correct or delete the row"},
	{azureSchema + "INSERT INTO vmType VALUES (1, 1, 1, 1, 0, 0, 0, 0); INSERT INTO vm VALUES (1, 1, 1, 0, 0, 1e9)", "in that row of vm, a time is 1e+09, and not in days; correct or delete the row"},
	{azureSchema + "INSERT INTO vmType VALUES (1, 1, 1, 1, 0, 0, 0, 0); INSERT INTO vm VALUES (1, 1, 1, -1, 0, 1)", "in that row of vm, priority is -1; correct or delete the row"},
	{azureSchema + "INSERT INTO vmType VALUES (1, 1, 1, 'x', 0, 0, 0, 0); INSERT INTO vm VALUES (1, 1, 1, 0, 0, 1)", `in that row of vmType, sql: Scan error on column index 2, name \"core\": converting driver.Value type string (\"x\") to a float64: invalid syntax; correct or delete the row`},
}

func TestAzurePackingFails(t *testing.T) {
	for _, tt := range badAzurePacking {
		file := azureDatabase(t, tt.statements)
		r := &azurePackingReader{file: file, node: fuzzCPUs()[0]}
		if err := r.read(); err == nil || !strings.HasSuffix(err.Error(), ": "+tt.want) && !strings.HasSuffix(err.Error(), ":1: "+tt.want) {
			t.Errorf("%q:\ngot  %v\nwant %s", tt.statements, err, tt.want)
		}
	}
	file := filepath.Join(t.TempDir(), "x.sqlite")
	if err := os.WriteFile(file, []byte("SQLite format 3\x00, but no more"), 0o600); err != nil {
		t.Fatal(err)
	}
	checkError(t, file, file+": no such database: file is not a database (26); fetch the file again, and unpack it")
}

// FuzzAzurePacking reads damaged databases.
func FuzzAzurePacking(f *testing.F) {
	content, err := os.ReadFile(azureDatabase(f, smallAzurePacking))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(content)
	f.Fuzz(func(t *testing.T, content []byte) {
		t.Chdir(t.TempDir())
		if err := os.WriteFile("f", content, 0o600); err != nil {
			t.Fatal(err)
		}
		r := &azurePackingReader{file: "f", node: fuzzCPUs()[0]}
		if err := r.read(); err != nil {
			checkFuzzError(t, err)
			return
		}
		for i := range r.batches.count {
			b := r.batches.at(i)
			if b.at < 0 || b.run < 0 {
				t.Errorf("batch %d comes at %d for %d", i, b.at, b.run)
			}
			checkFuzzClass(t, r.classes[b.class])
		}
	})
}

func BenchmarkAzurePackingRead(b *testing.B) {
	var rows strings.Builder
	rows.WriteString(azureSchema + "INSERT INTO vmType VALUES (1, 10, 5, 0.25, 0.125, NULL, 0.5, 0.3); BEGIN;")
	const vms = 20_000
	for i := range vms {
		fmt.Fprintf(&rows, "INSERT INTO vm VALUES (%d, %d, 10, 0, %d.5, %d.75);", i, i%100, i%14, i%90)
	}
	rows.WriteString("COMMIT")
	file := azureDatabase(b, rows.String())
	b.ReportAllocs()
	for b.Loop() {
		r := &azurePackingReader{file: file, node: fuzzCPUs()[0]}
		if err := r.read(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(vms)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
