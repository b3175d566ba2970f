package guest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestBootThereAndBack(t *testing.T) {
	want := &Boot{
		Task: Node, Name: "vm1", Address: netip.MustParsePrefix("10.1.0.2/24"), Gateway: netip.MustParseAddr("10.1.0.1"),
		Routes:  []Route{{netip.MustParsePrefix("10.2.3.0/24"), netip.MustParseAddr("10.1.0.3")}},
		Kubelet: []string{"--v=2"},
	}
	for _, b := range []*Boot{want, {Task: Check}} {
		text, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ReadBoot(text)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(b, got, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); d != "" {
			t.Error(d)
		}
	}
	for _, text := range []string{"", "{}", `{"task":"dance"}`, `{"task":"node","address":"x"}`} {
		if _, err := ReadBoot([]byte(text)); err == nil || !strings.Contains(err.Error(), BootFile) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestMarksOfTheLastBoot(t *testing.T) {
	at := func(ms int, what string) Mark { return Mark{time.Duration(ms) * time.Millisecond, what} }
	old := at(1230, Started).String() + "\n" + at(9990, ContainerdReady).String() + "\n"
	console := "SeaBIOS\r\n" + old +
		"[ 0.5] noise " + at(1600, Started).String() + "\r\n" +
		"@@berth x.12 no mark\n@@berth 1.1 none either\n@@berth 99999999999999999999.00 too long\n" +
		at(3050, ContainerdReady).String() + "\r\n" + at(4000, KubeletStarted).String()
	want := []Mark{at(1600, Started), at(3050, ContainerdReady)} // the last line has no end yet
	if d := cmp.Diff(want, Marks([]byte(console))); d != "" {
		t.Error(d)
	}
	if got := Boots([]byte(console)); got != 2 {
		t.Errorf("%d boots", got)
	}
	if got := Marks(nil); len(got) != 0 {
		t.Errorf("an empty console shows %v", got)
	}
	if got := at(10, "two\nlines").String(); got != "@@berth 0.01 two; lines" {
		t.Errorf("got %q", got)
	}
}

func TestControlPassesOverWhatIsNotMeant(t *testing.T) {
	var line bytes.Buffer
	line.WriteString(`{"id":"2","outp`) // its writer has gone
	for _, a := range []Answer{{ID: "1", Output: "another's"}, {ID: "2", Output: "two\nlines", Error: "e"}} {
		if err := Send(&line, a); err != nil {
			t.Fatal(err)
		}
	}
	lines := Lines(&line)
	mine := func(a *Answer) bool { return a.ID == "2" }
	got, err := Receive(lines, mine)
	if err != nil {
		t.Fatal(err)
	}
	if got.Output != "two\nlines" || got.Err() == nil || got.Err().Error() != "e" {
		t.Errorf("got %+v", got)
	}
	if _, err := Receive(lines, mine); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v", err)
	}
	if (&Answer{}).Err() != nil {
		t.Error("an answer without an error is one")
	}
}

func TestLongestAnswerFitsALine(t *testing.T) {
	var line bytes.Buffer
	if err := Send(&line, Answer{ID: "1", Output: strings.Repeat("\x01", MaxOutput)}); err != nil {
		t.Fatal(err)
	}
	if _, err := Receive(Lines(&line), func(a *Answer) bool { return len(a.Output) == MaxOutput }); err != nil {
		t.Error(err)
	}
	if err := Send(io.Discard, Answer{Output: strings.Repeat("x", MaxLine)}); err == nil {
		t.Error("a line that is too long was sent")
	}
}
