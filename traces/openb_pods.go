package traces

import (
	"math"
	"slices"
	"strings"

	"github.com/berthsim/berth/cluster"
)

// openbNamespace is where all pods are: the trace names none.
const openbNamespace = "default"

// openbMaxSeconds is the latest time that can be counted in nanoseconds.
const openbMaxSeconds = math.MaxInt64 / int64(cluster.Second)

// An openbPod is a row of a list of pods.
type openbPod struct {
	spec cluster.PodSpec // Run is Never if it was not recorded

	// Only if the list was read with its times:
	created int64 // seconds since the recording began
	waited  int64 // seconds from then to scheduling
	ran     int64 // seconds from scheduling to deletion; -1 if it was never scheduled
}

// The columns that every list of pods has, and those of lists with times.
var (
	openbPodColumns  = []string{"name", "cpu_milli", "memory_mib", "num_gpu", "gpu_milli"}
	openbTimeColumns = []string{"creation_time", "deletion_time", "scheduled_time"}
)

// readOpenbPods reads a list of pods: name, cpu_milli, memory_mib, num_gpu,
// gpu_milli (of each GPU), gpu_spec (models, with | between), qos and pod_phase (labels;
// these three may be missing) and, if timed, the times at which each was created, scheduled and
// deleted, in seconds. Pods that ask for the same share a class.
func readOpenbPods(file string, content []byte, timed bool) ([]openbPod, error) {
	t, err := newTable(file, content, openbPodColumns)
	if err != nil {
		return nil, err
	}
	if timed {
		if err := needTimes(t); err != nil {
			return nil, err
		}
	}
	var pods []openbPod
	names, classes, labels := names{}, openbClasses{}, openbLabels{}
	err = t.each(func() (err error) {
		var p openbPod
		p.spec.Run = cluster.Never
		if p.spec.Name, err = names.add(t, "name"); err != nil {
			return err
		}
		if p.spec.Class, err = classes.read(t); err != nil {
			return err
		}
		p.spec.Labels = labels.read(t)
		if timed {
			if err := p.readTimes(t); err != nil {
				return err
			}
		}
		pods = append(pods, p)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(pods) == 0 {
		return nil, &Error{File: file, Problem: "no pods", Remedy: "give a list with at least one"}
	}
	return pods, nil
}

// needTimes reports as an error that a list has no times, as multigpu's have not.
func needTimes(t *table) error {
	for _, column := range openbTimeColumns {
		if !t.has(column) {
			return t.wrong(0, "no column "+column, "mode=time needs it: give mode=fill, or a list of pods with times")
		}
	}
	return nil
}

// readTimes sets when the pod came and how long it ran.
func (p *openbPod) readTimes(t *table) (err error) {
	if p.created, err = t.amount(t.at("creation_time"), openbMaxSeconds); err != nil {
		return err
	}
	if t.text(t.at("scheduled_time")) == "" { // it waited until it was deleted
		p.ran = -1
		return nil
	}
	scheduled, err := t.amount(t.at("scheduled_time"), openbMaxSeconds)
	if err != nil {
		return err
	}
	deleted, err := t.amount(t.at("deletion_time"), openbMaxSeconds)
	if err != nil {
		return err
	}
	if deleted < scheduled {
		return t.wrongField(t.at("deletion_time"), "give a time at or after scheduled_time, "+quoted(t.text(t.at("scheduled_time"))))
	}
	p.waited, p.ran = scheduled-p.created, deleted-scheduled
	p.spec.Run = cluster.Time(p.ran) * cluster.Second
	return nil
}

// openbLabels holds the labels of a list's pods by what the columns of openbLabelled say.
type openbLabels map[[len(openbLabelled)]string]cluster.Labels

// openbLabelled are the columns that become labels of the same names.
var openbLabelled = [...]string{"pod_phase", "qos"}

// read returns the labels of the pod in the current row.
func (ls openbLabels) read(t *table) cluster.Labels {
	var values [len(openbLabelled)]string
	for i, column := range openbLabelled {
		values[i] = t.text(t.at(column))
	}
	labels, ok := ls[values]
	if ok {
		return labels
	}
	for i, column := range openbLabelled {
		values[i] = strings.Clone(values[i]) // a row's fields share the whole row's memory
		if values[i] != "" {
			labels = append(labels, cluster.Label{Key: column, Value: values[i]})
		}
	}
	ls[values] = labels
	return labels
}

// An openbRequest is all that tells classes apart.
type openbRequest struct {
	cpu, memory int64 // milli-CPUs, MiB
	gpus        int64
	shares      int64 // of each
	models      string
}

// openbClasses holds the classes of a list by what they ask for.
type openbClasses map[openbRequest]*cluster.Class

// read returns the class of the pod in the current row.
func (cs openbClasses) read(t *table) (*cluster.Class, error) {
	var q openbRequest
	var err error
	if q.cpu, err = t.amount(t.at("cpu_milli"), math.MaxInt64); err != nil {
		return nil, err
	}
	if q.memory, err = t.amount(t.at("memory_mib"), maxMiB); err != nil {
		return nil, err
	}
	if q.gpus, err = t.amount(t.at("num_gpu"), cluster.MaxGPUs); err != nil {
		return nil, err
	}
	if q.shares, err = t.amount(t.at("gpu_milli"), cluster.WholeGPU); err != nil {
		return nil, err
	}
	switch {
	case q.gpus == 0 && q.shares > 0:
		return nil, t.wrongField(t.at("gpu_milli"), "give 0, as num_gpu is 0")
	case q.gpus > 0 && q.shares == 0:
		return nil, t.wrongField(t.at("gpu_milli"), "give 1 to 1000, as num_gpu is above 0")
	case q.gpus > 1 && q.shares < cluster.WholeGPU:
		return nil, t.wrongField(t.at("gpu_milli"), "give 1000, as num_gpu is above 1: only a single GPU can be shared")
	}
	models, err := openbModels(t, q.gpus)
	if err != nil {
		return nil, err
	}
	q.models = strings.Join(models, "|")
	c, ok := cs[q]
	if !ok {
		c = newOpenbClass(q, models)
		cs[q] = c
	}
	return c, nil
}

// openbModels returns the models that a pod may use, sorted. No node need have
// them: such a pod waits for ever, as it would in a cluster.
func openbModels(t *table, gpus int64) ([]string, error) {
	spec := t.text(t.at("gpu_spec"))
	if spec == "" {
		return nil, nil
	}
	if gpus == 0 {
		return nil, t.wrongField(t.at("gpu_spec"), "leave it empty, as num_gpu is 0")
	}
	models := strings.Split(strings.Clone(spec), "|")
	if slices.Contains(models, "") {
		return nil, t.wrongField(t.at("gpu_spec"), "give models with | between")
	}
	slices.Sort(models)
	return slices.Compact(models), nil
}

// newOpenbClass makes the class of pods that ask for q.
func newOpenbClass(q openbRequest, models []string) *cluster.Class {
	requests := make(cluster.Amounts, cluster.Memory+1)
	requests[cluster.CPU], requests[cluster.Memory] = q.cpu, q.memory*mib
	return &cluster.Class{
		Namespace: openbNamespace,
		Requests:  requests,
		GPUs:      cluster.GPURequest{Count: int32(q.gpus), Shares: int32(q.shares), Models: models},
	}
}
