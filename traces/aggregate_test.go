package traces

import (
	"os"
	"path/filepath"
	"testing"
)

const isAggregate = ": it says how busy a whole data centre was, and not what pods there were; give a recording of pods; this one only shows what shape their load has over time"

// TestAggregate has a series of a data centre, by its file and by its folder.
func TestAggregate(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "b.csv")
	writeFile(t, filepath.Join(folder, "README.md"), []byte("a series\n"))
	writeFile(t, file, []byte("timestamp,cpu_usage,assigned_mem\r\n0,6135515.8,2002296.0\n"))
	checkError(t, folder, file+isAggregate)
	checkError(t, file, file+isAggregate)
}

func TestVerifyAggregate(t *testing.T) {
	const folder = "datacenter-aggregates"
	needRecording(t, folder)
	root := filepath.Join(os.Getenv("BERTH_TRACES"), folder)
	files, err := filepath.Glob(filepath.Join(root, "*.csv.gz"))
	if err != nil || len(files) != 3 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		checkError(t, file, file+isAggregate)
	}
	checkError(t, root, files[0]+isAggregate)
}
