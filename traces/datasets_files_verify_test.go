//go:build verify

package traces

import (
	"bytes"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"testing"
)

// filesUnread are the files beside them which no TRACE reads, as patterns, and why.
var filesUnread = []struct{ files, reason string }{
	{"*/README.md", "says where a dataset is from"},
	{"*/LICENSE", "says what may be done with it"},
	{"*/schema.*", "says what columns mean"},
	{"alibaba-pai-gpu-v2020/pai_machine_spec.header", "names the columns of `pai_machine_spec.csv`, which its reader knows"},
	{"alibaba-2018/machine_usage_16machines.csv.gz", "what 16 machines used, and not which pods"},
	{"alibaba-genai-v2026/qps.tar.gz", "requests a second of the service: no pods"},
	{"alibaba-genai-v2026/queue_size_raw_anon.tar.gz", "queues of the service: no pods"},
	{"azure-vm-v1-arrivals/batch_size_map.txt", "how its authors group batches: nothing of the batches"},
	{"azure-vm-v1-arrivals/v1.train.txt.gz", "arrivals without run times"},
	{"datacenter-aggregates/*.csv.gz", "how busy all machines were together: no pods ([why](#series-of-whole-data-centres))"},
	{"fgd-atc23-expected-default/*.csv", "results published of a workload, with which `docs/results.md` compares"},
	{"helios-2020/Earth_*_sequence_1min.csv.gz", "counts of jobs and GPUs over time: no single pods"},
	{"helios-2020/Venus_throughput_10min.csv.gz", "counts of jobs over time: no single pods"},
	{"helios-2020/helios_cluster_summary.csv", "totals of four clusters: neither nodes nor pods"},
	{"opendc/failure*", "failures: FAULTS read them ([how](#recorded-failures))"},
	{"philly-2017/philly_node_sequence.csv.gz", "how many nodes there were and were busy: no single nodes"},
}

// filesRead are the files that TRACEs of datasets read, as patterns; TestVerifyOpenb reads all of
// openb's.
var filesRead = []string{
	"alibaba-2017/batch_task.csv.gz", "alibaba-2017/server_event.csv",
	"alibaba-2018/batch_task_slice.csv.gz", "alibaba-2018/machine_meta.csv.gz",
	"alibaba-genai-v2026/pod_*_anon.tar.gz",
	"alibaba-gpu-v2025-dlrm/disaggregated_DLRM_trace.csv.gz",
	"alibaba-openb-gpu-v2023/openb_*_list_*.csv.gz",
	"alibaba-pai-gpu-v2020/pai_machine_spec.csv.gz",
	"alibaba-spot-gpu-v2026/node_info_df.csv*",
	"azure-vm-v1-arrivals/flav_map.txt", "azure-vm-v1-arrivals/v1.interval_map.txt",
	"azure-vm-v1-arrivals/v1.dev.*", "azure-vm-v1-arrivals/v1.test.*",
	"bytedance-microservice-2022/M3.json.gz",
	"google-2011-v2/job_events/*", "google-2011-v2/machine_events/*", "google-2011-v2/task_events/*",
	"helios-2020/Earth_gpu_number.csv", "helios-2020/Venus_vc_config.csv",
	"k8s-pod-memory-2022/pods.json.gz",
	"opendc/*_tasks.parquet", "opendc/*_fragments.parquet", "opendc/surf_topology.json",
	"philly-2017/philly.csv.gz",
	"simkube/*.sktrace", "simkube/trace.json",
	"swf-pwa/*.swf.gz", "swf-pwa/*.swf.machines",
}

// accounted wants each file of the datasets to be read, or named with the reason why not. It
// returns the table of those that aren't.
func accounted(t *testing.T, root string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	deeper, err := filepath.Glob(filepath.Join(root, "*", "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	patterns := slices.Clone(filesRead)
	for _, u := range filesUnread {
		patterns = append(patterns, u.files)
	}
	matched := make([]bool, len(patterns))
	for _, file := range append(files, deeper...) {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		name, err := filepath.Rel(root, file)
		if err != nil {
			t.Fatal(err)
		}
		known := info.IsDir()
		for i, pattern := range patterns {
			matches, err := path.Match(pattern, filepath.ToSlash(name))
			if err != nil {
				t.Fatal(err)
			}
			matched[i], known = matched[i] || matches, known || matches
		}
		if !known {
			t.Errorf("%s is neither among what is read nor among what isn't; add it to filesRead, with its TRACE to datasets, or to filesUnread", name)
		}
	}
	for i, pattern := range patterns {
		if !matched[i] {
			t.Errorf("there is no file %s; take it from the lists", pattern)
		}
	}
	var table bytes.Buffer
	fmt.Fprintf(&table, "\nOf these folders, this is read by no TRACE:\n\n| files | why |\n| :--- | :--- |\n")
	for _, u := range filesUnread {
		fmt.Fprintf(&table, "| `%s` | %s |\n", u.files, u.reason)
	}
	return table.String()
}
