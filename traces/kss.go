package traces

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/berthsim/berth/cluster"
)

// kss is what kube-scheduler-simulator's recorder writes
// (https://github.com/kubernetes-sigs/kube-scheduler-simulator): a watch event a line,
// with the time at which it was received and the whole object; of what was deleted, the
// name.
var kss = &kubeFormat{
	name: "kss", version: "kss/1", dated: true,
	doc:  "recordings of kube-scheduler-simulator: watch events of a Kubernetes cluster",
	path: "a file of JSON lines",
	recognise: func(start string) bool {
		return strings.HasPrefix(start, `{"time":"`) && strings.Contains(start, `"resource":{`)
	},
	read: readKSS,
}

// A kssRecord is a line.
type kssRecord struct {
	Time     time.Time       `json:"time"`
	Event    string          `json:"event"`
	Resource json.RawMessage `json:"resource"`
}

func readKSS(k *kubeRecording, in *stream) error {
	return k.readJSONLines(k.file, in, func(line int, text []byte) (reason string, err error) {
		k.line = line
		var r kssRecord
		if err := json.Unmarshal(text, &r); err != nil {
			return "", k.wrong("no record: "+jsonProblem(err), "give lines with time, event and resource")
		}
		at, err := k.moment(r.Time)
		if err != nil {
			return "", err
		}
		o, err := k.parseObject(r.Resource)
		if err != nil {
			return "", err
		}
		switch r.Event {
		case "Add", "Update":
			return k.set(at, o)
		case "Delete":
			return k.remove(at, o), nil
		}
		return "", k.wrong("event is "+quoted(r.Event), "give Add, Update or Delete")
	})
}

// moment converts a time of day.
func (k *kubeRecording) moment(t time.Time) (cluster.Time, error) {
	if t.Year() < 1970 || t.Year() > 2200 {
		return 0, k.wrong("there is no time from 1970 to 2200", "give one such as 2026-01-02T15:04:05.999Z")
	}
	return cluster.Time(t.UnixNano()), nil
}
