package traces

import (
	"database/sql"
	"fmt"
	"math"

	"github.com/berthsim/berth/cluster"
)

// azureDay is the unit of the recording's times.
const azureDay = 24 * cluster.Hour

// vm takes a row of vm in: a pod that runs from when it was started. Priority 0 is high
// there and 1 low, the other way round than in Kubernetes.
func (r *azurePackingReader) vm(row *sql.Rows, line int) (reason string, err error) {
	var id, tenant, vmType sql.NullString
	var priority sql.NullInt64
	var start, end sql.NullFloat64
	if err := row.Scan(&id, &tenant, &vmType, &priority, &start, &end); err != nil {
		return "", r.wrong("vm", line, jsonProblem(err))
	}
	if !id.Valid || !isName(id.String) || id.String == "" || !tenant.Valid || !isName(tenant.String) || tenant.String == "" {
		return "", r.wrong("vm", line, "vmId and tenantId are no names")
	}
	for _, x := range []sql.NullFloat64{start, end} {
		if x.Valid && !(math.Abs(x.Float64) <= maxDays) {
			return "", r.wrong("vm", line, fmt.Sprintf("a time is %v, and not in days", x.Float64))
		}
	}
	shares, runs := r.types[vmType.String]
	switch {
	case !start.Valid:
		return "has no starttime", nil
	case end.Valid && end.Float64 < start.Float64:
		return "it ends before it starts", nil
	case end.Valid && end.Float64 <= 0 && start.Float64 < 0:
		return "it ended before the recording began", nil
	case priority.Int64 < 0 || priority.Int64 > math.MaxInt32:
		return "", r.wrong("vm", line, fmt.Sprintf("priority is %d", priority.Int64))
	}
	b := batch{at: max(0, days(start.Float64))} // a time below 0 is of what was there
	r.last = max(r.last, b.at)
	if end.Valid {
		b.run = days(end.Float64) - b.at
		r.last = max(r.last, b.at+b.run)
	}
	if !runs {
		return "is of a type that doesn't run on the nodes", nil
	}
	b.class = r.class(azureClass{vmType.String, tenant.String, -int32(priority.Int64)}, shares)
	if !end.Valid {
		r.open = append(r.open, r.batches.count)
	}
	b.name = r.names.put("vm-" + id.String)
	r.batches.add(b)
	return "", nil
}

// maxDays keeps sums of times in range: 27 years.
const maxDays = 10_000

// days converts a time in days.
func days(x float64) cluster.Time { return cluster.Time(math.Round(float64(x * float64(azureDay)))) }

// class returns the number of the class of virtual machines of one type and tenant.
func (r *azurePackingReader) class(of azureClass, x azureShares) int32 {
	if number, ok := r.numbers[of]; ok {
		return number
	}
	c := &cluster.Class{Namespace: "tenant-" + of.tenant, Priority: of.priority, Requests: make(cluster.Amounts, cluster.Memory+1)}
	c.Requests[cluster.CPU] = portion(x.core, r.node.Capacity.Get(cluster.CPU))
	c.Requests[cluster.Memory] = portion(x.memory, r.node.Capacity.Get(cluster.Memory)/mib) * mib
	if c.Requests[cluster.CPU] == 0 {
		c.BestEffortCPU = 1
	}
	if c.Requests[cluster.Memory] == 0 {
		c.BestEffortMemory = 1
	}
	for _, e := range []cluster.NamedAmount{{Name: azureHDD, Amount: portion(x.hdd, wholeMachine)}, {Name: azureNIC, Amount: portion(x.nic, wholeMachine)}, {Name: azureSSD, Amount: portion(x.ssd, wholeMachine)}} {
		if e.Amount > 0 {
			c.Extended = append(c.Extended, e)
		}
	}
	number := int32(len(r.classes))
	r.classes, r.numbers[of] = append(r.classes, c), number
	return number
}

// portion returns a share of a whole, rounded down, so that as many fit as there are shares
// in 1: three thirds do.
func portion(share float64, whole int64) int64 { return int64(float64(share * float64(whole))) }
