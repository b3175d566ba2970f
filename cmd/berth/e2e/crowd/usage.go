//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"golang.org/x/sys/unix"
)

// A usage is processor time, of user and system, since whatever beginning.
type usage struct {
	Scheduler time.Duration `json:"scheduler"`
	APIServer time.Duration `json:"kube-apiserver"`
	Etcd      time.Duration `json:"etcd"`
	KWOK      time.Duration `json:"kwok"`
	Proxy     time.Duration `json:"proxy"` // carries connections into the lab
	Own       time.Duration `json:"crowd"` // this program, which looks on
}

// minus returns what was used since an earlier moment.
func (u usage) minus(v usage) usage {
	return usage{u.Scheduler - v.Scheduler, u.APIServer - v.APIServer, u.Etcd - v.Etcd, u.KWOK - v.KWOK, u.Proxy - v.Proxy, u.Own - v.Own}
}

func (u usage) plus(v usage) usage {
	return usage{u.Scheduler + v.Scheduler, u.APIServer + v.APIServer, u.Etcd + v.Etcd, u.KWOK + v.KWOK, u.Proxy + v.Proxy, u.Own + v.Own}
}

func (u usage) sum() time.Duration {
	return u.Scheduler + u.APIServer + u.Etcd + u.KWOK + u.Proxy + u.Own
}

// used measures; the scheduler's process is pid, 0 for none.
func (g *ground) used(pid int) (usage, error) {
	var u usage
	for _, c := range g.lab.Components() {
		switch c.Name {
		case "kube-apiserver":
			u.APIServer = c.CPU
		case "etcd":
			u.Etcd = c.CPU
		case "kwok":
			u.KWOK = c.CPU
		case "proxy":
			u.Proxy = c.CPU
		}
	}
	if u.APIServer == 0 || u.Etcd == 0 {
		return usage{}, errors.New("no control group says how long kube-apiserver and etcd have run; mount the controller cpuacct, or cgroup2")
	}
	var own unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &own); err != nil {
		return usage{}, fmt.Errorf("measuring this program: %w", err)
	}
	u.Own = time.Duration(own.Utime.Nano() + own.Stime.Nano())
	if pid == 0 {
		return u, nil
	}
	var err error
	u.Scheduler, err = usedBy(pid)
	return u, err
}

// tick is the unit in which the kernel tells processor time: a hundredth of a second on every
// machine that Linux' ABI is the same on.
const tick = 10 * time.Millisecond

// usedBy returns the processor time of a process, from /proc.
func usedBy(pid int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, fmt.Errorf("measuring the scheduler: %w; its log says why it ended", err)
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:])) // the third of proc(5) and so on
	var sum time.Duration
	for _, i := range []int{14, 15} {
		ticks, err := strconv.ParseInt(fields[i-3], 10, 64)
		if err != nil {
			return 0, fmt.Errorf("measuring the scheduler: %w", err)
		}
		sum += time.Duration(ticks) * tick
	}
	return sum, nil
}

// requests counts what the API server was asked, and did.
type requests struct {
	Bindings int `json:"bindings"`
	Events   int `json:"events"`
	Statuses int `json:"podStatuses"` // written, by KWOK mostly
	Others   int `json:"others"`      // leases and lists among them
}

func (r requests) minus(s requests) requests {
	return requests{r.Bindings - s.Bindings, r.Events - s.Events, r.Statuses - s.Statuses, r.Others - s.Others}
}

// asked reads the API server's own count of requests that went well.
func (g *ground) asked(ctx context.Context) (requests, error) {
	var r requests
	text, err := g.client.Discovery().RESTClient().Get().AbsPath("/metrics").DoRaw(ctx)
	if err != nil {
		return r, fmt.Errorf("reading the API server's metrics: %w", err)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		return r, fmt.Errorf("reading the API server's metrics: %w", err)
	}
	for _, m := range families["apiserver_request_total"].GetMetric() {
		labels := map[string]string{}
		for _, l := range m.GetLabel() {
			labels[l.GetName()] = l.GetValue()
		}
		n := int(m.GetCounter().GetValue())
		switch resource, sub := labels["resource"], labels["subresource"]; {
		case !strings.HasPrefix(labels["code"], "2"):
		case resource == "pods" && sub == "binding":
			r.Bindings += n
		case resource == "events" && labels["verb"] == "POST":
			r.Events += n
		case resource == "pods" && sub == "status":
			r.Statuses += n
		default:
			r.Others += n
		}
	}
	return r, nil
}
