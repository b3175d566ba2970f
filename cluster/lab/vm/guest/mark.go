package guest

import (
	"bufio"
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A Mark is a line on the console that says how far PID 1 has come.
type Mark struct {
	Uptime time.Duration // since the kernel started, in hundredths of a second
	What   string
}

// What marks say, in the order of a boot.
const (
	Started         = "init"
	Checked         = "check passed"
	ModulesLoaded   = "modules loaded"
	RootMounted     = "root mounted"
	ControlOpen     = "control open"
	NetworkUp       = "network up"
	ContainerdReady = "containerd ready"
	ImagesImported  = "images imported"
	KubeletStarted  = "kubelet started"
	Failed          = "failed: " // and why; the machine then powers off
)

// markPattern allows for whatever the kernel wrote before a mark on the same line.
var markPattern = regexp.MustCompile(`@@berth (\d+)\.(\d\d) (.*?)\r?$`)

// String returns the line, without its end.
func (m Mark) String() string {
	hundredths := m.Uptime.Milliseconds() / 10
	what := strings.ReplaceAll(m.What, "\n", "; ")
	return fmt.Sprintf("@@berth %d.%02d %s", hundredths/100, hundredths%100, what)
}

// Marks finds the marks of the last boot that a console shows.
func Marks(console []byte) []Mark {
	marks, _ := readMarks(console)
	return marks
}

// Boots returns how many boots a console shows.
func Boots(console []byte) int {
	_, boots := readMarks(console)
	return boots
}

// readMarks finds the last boot's marks, and counts boots. A line without its end is no
// mark yet.
func readMarks(console []byte) (marks []Mark, boots int) {
	whole := console[:bytes.LastIndexByte(console, '\n')+1]
	lines := bufio.NewScanner(bytes.NewReader(whole))
	lines.Buffer(nil, len(whole)+1)
	for lines.Scan() {
		m := markPattern.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		seconds, err := strconv.ParseInt(m[1], 10, 32)
		if err != nil {
			continue // more than 68 years: not a mark of ours
		}
		hundredths, _ := strconv.Atoi(m[2]) // two digits, says the pattern
		if m[3] == Started {
			marks = nil
			boots++
		}
		uptime := time.Duration(seconds)*time.Second + time.Duration(hundredths)*10*time.Millisecond
		marks = append(marks, Mark{uptime, m[3]})
	}
	return marks, boots
}
