package traces

import (
	"os"
	"path/filepath"
	"slices"
)

// aggregates are how files begin with the use of a whole data centre over time, as
// https://github.com/alejandrofdez-us/DataCenter-Traces-Datasets has them of Alibaba's,
// Azure's and Google's recordings. They are no traces: to make pods of them would be to
// make pods up.
var aggregates = []string{
	"cpu_util_percent,mem_util_percent,net_in,net_out,disk_io_percent",
	"timestamp,cpu_usage,assigned_mem",
	"avg_cpu,avg_mem,avg_assigned_mem,avg_cycles_per_instruction",
}

// aggregate returns the file at path, or the first in the folder, that is such a series.
func aggregate(path string) (file string, is bool) {
	files := []string{path}
	if isFolder(path) {
		entries, err := os.ReadDir(path) // sorted
		if err != nil {
			return "", false
		}
		files = files[:0]
		for _, entry := range entries {
			if entry.Type().IsRegular() {
				files = append(files, filepath.Join(path, entry.Name()))
			}
		}
	}
	i := slices.IndexFunc(files, func(file string) bool { return slices.Contains(aggregates, firstLine(file)) })
	if i < 0 {
		return "", false
	}
	return files[i], true
}
