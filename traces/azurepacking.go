package traces

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/berthsim/berth/cluster"
	_ "modernc.org/sqlite" // the driver
)

// azurePacking reads Microsoft's Azure Trace for Packing 2020: Hadary et al., "Protean: VM
// Allocation Service at Scale", OSDI 2020, https://github.com/Azure/AzurePublicDataset, a
// SQLite database of requests for virtual machines, and of the share of each kind of
// machine that each type of virtual machine takes.
var azurePacking = &Format{
	Name: "azurepacking",
	Doc:  "virtual machines of Azure's Trace for Packing 2020: shares of a machine, priorities, lifetimes",
	Path: "the SQLite database, *.sqlite",
	Options: []Option{
		{"machine", "", "the machineId of the nodes, since types take other shares of other machines; the one on which most virtual machines can run if left out"},
		{"nodes", "1000", "how many nodes: the recording has none"},
		{"cpus", "64", "CPUs of a node: the recording has shares of it only"},
		{"memory", "256", "GiB of memory of a node"},
		fromOption, forOption, loadOption,
	},
	Recognise: func(path string) bool {
		return strings.HasSuffix(path, ".sqlite") && strings.HasPrefix(fileStart(path), "SQLite format 3\x00")
	},
	Open: openAzurePacking,
}

// azurePackingVersion is part of every hash. It changes when the same file and options
// come to give other events.
const azurePackingVersion = "azurepacking/1"

// wholeMachine is what a node has of each resource that is counted in shares of it.
const wholeMachine = 1_000_000

// Extended resources of virtual machines, in millionths of a machine's.
const (
	azureHDD = "azure.com/hdd"
	azureNIC = "azure.com/nic"
	azureSSD = "azure.com/ssd"
)

func openAzurePacking(path string, s Settings) (*Trace, error) {
	part, err := s.span()
	if err != nil {
		return nil, err
	}
	nodes, err := s.alike("nodes", "cpus", "memory")
	if err != nil {
		return nil, err
	}
	for _, n := range nodes {
		n.Extended = []cluster.NamedAmount{{Name: azureHDD, Amount: wholeMachine}, {Name: azureNIC, Amount: wholeMachine}, {Name: azureSSD, Amount: wholeMachine}}
		n.Capacity[cluster.PodSlots] = manySlots
	}
	in, err := openStream(path)
	if err != nil {
		return nil, err
	}
	defer in.close()
	if _, err := io.Copy(io.Discard, in); err != nil {
		return nil, err
	}
	r := &azurePackingReader{file: path, machine: s["machine"], node: nodes[0]}
	if err := r.read(); err != nil {
		return nil, err
	}
	return r.trace(r.replay(nodes), recorded{
		file: path, span: part, settings: s, version: azurePackingVersion, content: in.sum(),
		options: fmt.Sprintf("machine=%s&nodes=%s&cpus=%s&memory=%s", r.machine, s["nodes"], s["cpus"], s["memory"]),
	})
}

// openSQLite opens a database that is only read, and by nobody else.
func openSQLite(path string) (*sql.DB, error) {
	path, err := filepath.Abs(path)
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the trace: %w", err)
	}
	name := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: "mode=ro&immutable=1&_pragma=trusted_schema(0)&_pragma=cell_size_check(1)"}
	db, err := sql.Open("sqlite", name.String())
	if err != nil {
		return nil, fmt.Errorf("reading the trace: %w", err)
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

// An azurePackingReader takes a database in.
type azurePackingReader struct {
	tally
	file    string
	machine string // the machineId that counts; "" until it is known
	node    *cluster.NodeSpec
	types   map[string]azureShares // of that machine, by vmTypeId
	classes []*cluster.Class
	numbers map[azureClass]int32 // in classes
	batches list[batch]
	names   texts
	open    []int // batches of virtual machines of which no end is known
	last    cluster.Time
}

// replay returns what was read, on nodes.
func (r *azurePackingReader) replay(nodes []*cluster.NodeSpec) *replay {
	return &replay{nodes: nodes, batches: r.batches, classes: r.classes, names: &r.names}
}

// azureShares is what a virtual machine of a type takes of a machine, from 0 to 1.
type azureShares struct{ core, memory, hdd, ssd, nic float64 }

// An azureClass is what tells the classes of virtual machines apart.
type azureClass struct {
	vmType, tenant string
	priority       int32
}

// mostAzureRows is ten times as many as the recording has.
const mostAzureRows = 60_000_000

// read takes all in: first what types take, for classes are made of it.
func (r *azurePackingReader) read() error {
	db, err := openSQLite(r.file)
	if err != nil {
		return err
	}
	defer db.Close()
	tables := 0
	err = db.QueryRowContext(context.Background(), "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('vm', 'vmType')").Scan(&tables)
	if err == nil && tables != 2 {
		return &Error{File: r.file, Problem: "no tables vm and vmType", Remedy: "give the database of Azure's Trace for Packing"}
	}
	if err != nil {
		return r.failed(err)
	}
	if r.machine == "" {
		err = db.QueryRowContext(context.Background(), "SELECT CAST(machineId AS TEXT) FROM vmType JOIN vm USING (vmTypeId) GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1").Scan(&r.machine)
		if err != nil {
			return r.failed(err)
		}
	}
	r.types, r.numbers = map[string]azureShares{}, map[azureClass]int32{}
	err = r.each(db, "SELECT CAST(vmTypeId AS TEXT), CAST(machineId AS TEXT), core, memory, hdd, ssd, nic FROM vmType", r.vmType)
	if err != nil {
		return err
	}
	if len(r.types) == 0 {
		return &Error{File: r.file, Problem: "no type of virtual machine runs on machine " + quoted(r.machine), Remedy: "give another machineId with machine, or leave it out"}
	}
	if err := r.each(db, "SELECT CAST(vmId AS TEXT), CAST(tenantId AS TEXT), CAST(vmTypeId AS TEXT), priority, starttime, endtime FROM vm", r.vm); err != nil {
		return err
	}
	for _, i := range r.open { // as long as anything is known
		b := r.batches.at(i)
		b.run = r.last - b.at
	}
	return nil
}

// each gives all rows of a query to take. A row for which take returns a reason is
// rejected.
func (r *azurePackingReader) each(db *sql.DB, query string, take func(row *sql.Rows, line int) (reason string, err error)) error {
	rows, err := db.QueryContext(context.Background(), query)
	if err != nil {
		return r.failed(err)
	}
	defer rows.Close()
	for line := 1; rows.Next(); line++ {
		if line > mostAzureRows {
			return &Error{File: r.file, Problem: fmt.Sprintf("more than %d rows", mostAzureRows), Remedy: "give a part of them"}
		}
		r.rows++
		reason, err := take(rows, line)
		if err != nil {
			return err
		}
		if reason != "" {
			r.reject(reason, r.file, line)
		}
	}
	if err := rows.Err(); err != nil {
		return r.failed(err)
	}
	return nil
}

// failed says that the database isn't as it must be.
func (r *azurePackingReader) failed(err error) error {
	return &Error{File: r.file, Problem: "no such database: " + jsonProblem(err), Remedy: "fetch the file again, and unpack it"}
}

// vmType takes a row of vmType in.
func (r *azurePackingReader) vmType(row *sql.Rows, line int) (reason string, err error) {
	var id, machine string
	var x azureShares
	var core, memory, hdd, ssd, nic sql.NullFloat64
	if err := row.Scan(&id, &machine, &core, &memory, &hdd, &ssd, &nic); err != nil {
		return "", r.wrong("vmType", line, jsonProblem(err))
	}
	if machine != r.machine {
		return "is a type on another kind of machine", nil
	}
	for _, share := range []struct {
		from sql.NullFloat64
		to   *float64
	}{{core, &x.core}, {memory, &x.memory}, {hdd, &x.hdd}, {ssd, &x.ssd}, {nic, &x.nic}} {
		if share.from.Valid && !(share.from.Float64 >= 0 && share.from.Float64 <= 1) {
			return "", r.wrong("vmType", line, fmt.Sprintf("a share is %v", share.from.Float64))
		}
		*share.to = math.Abs(share.from.Float64)
	}
	r.types[id] = x
	return "", nil
}

// wrong returns an error about a row of a table.
func (r *azurePackingReader) wrong(table string, line int, problem string) error {
	return &Error{File: r.file, Line: line, Problem: "in that row of " + table + ", " + problem, Remedy: "correct or delete the row"}
}
