package traces

import (
	"reflect"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/google/go-cmp/cmp"
)

func TestDiff(t *testing.T) {
	recorded := func() []cluster.Event {
		return []cluster.Event{nodeAdded(0, 0, "n"), podAdded(1*sec, 0, "p", sec), podAdded(2*sec, 1, "q", sec), about1(3*sec, cluster.PodEnded, 1)}
	}
	for _, tt := range []struct {
		why    string
		change func([]cluster.Event) []cluster.Event
		want   *FirstDifference
	}{
		{"nothing", func(es []cluster.Event) []cluster.Event { return es }, nil},
		{"numbers of what comes", func(es []cluster.Event) []cluster.Event {
			es[0].Node, es[1].Pod = cluster.None, cluster.None
			return es
		}, nil},
		{"lists without elements", func(es []cluster.Event) []cluster.Event {
			es[1].PodSpec.Labels, es[1].PodSpec.Class.Gates = cluster.Labels{}, []string{}
			return es
		}, nil},
		{"a time", func(es []cluster.Event) []cluster.Event { es[2].PodSpec.Run = 4 * sec; return es },
			&FirstDifference{2, [2]string{"at 2 s PodAdded ns/q for 1 s", "at 2 s PodAdded ns/q for 4 s"}, "PodSpec.Run: 1000000000 and 4000000000"}},
		{"a part of a class", func(es []cluster.Event) []cluster.Event { es[1].PodSpec.Class.Requests[1] = 5; return es },
			&FirstDifference{1, [2]string{"at 1 s PodAdded ns/p for 1 s", "at 1 s PodAdded ns/p for 1 s"}, "PodSpec.Class.Requests[1]: 1073741824 and 5"}},
		{"more of a list", func(es []cluster.Event) []cluster.Event { es[1].PodSpec.Class.Gates = []string{"g"}; return es },
			&FirstDifference{1, [2]string{"at 1 s PodAdded ns/p for 1 s", "at 1 s PodAdded ns/p for 1 s"}, "PodSpec.Class.Gates: 0 and 1 of them"}},
		{"what only one has", func(es []cluster.Event) []cluster.Event { es[1].PodSpec.Account = &cluster.Account{}; return es },
			&FirstDifference{1, [2]string{"at 1 s PodAdded ns/p for 1 s", "at 1 s PodAdded ns/p for 1 s"}, "PodSpec.Account: only one has it"}},
		{"another event", func(es []cluster.Event) []cluster.Event { return append(es[:1], es[2:]...) },
			&FirstDifference{1, [2]string{"at 1 s PodAdded ns/p for 1 s", "at 2 s PodAdded ns/q for 1 s"}, ""}},
		{"the number of what ends", func(es []cluster.Event) []cluster.Event { es[3].Pod = 0; return es },
			&FirstDifference{3, [2]string{"at 3 s PodEnded pod 2", "at 3 s PodEnded pod 0"}, ""}},
		{"fewer", func(es []cluster.Event) []cluster.Event { return es[:2] },
			&FirstDifference{2, [2]string{"at 2 s PodAdded ns/q for 1 s", ""}, ""}},
	} {
		t.Run(tt.why, func(t *testing.T) {
			changed := tt.change(recorded())
			d, err := Diff(again(recorded()...)(), again(changed...)())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, d.First); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if d.Events != [2]int64{4, int64(len(changed))} {
				t.Errorf("%d events", d.Events)
			}
		})
	}
}

// What is compared without reflection is all that there is.
func TestSameSpec(t *testing.T) {
	spec := reflect.TypeFor[cluster.PodSpec]()
	for i := range spec.NumField() {
		var a, b cluster.PodSpec
		if spec.Field(i).Name == "Class" {
			continue
		}
		if !sameSpec(&a, &b) {
			t.Fatal("pods without anything differ")
		}
		field := reflect.ValueOf(&b).Elem().Field(i)
		if fillIn(field, "x"); field.Kind() == reflect.Bool {
			field.SetBool(true)
		}
		if sameSpec(&a, &b) {
			t.Errorf("%s isn't looked at", spec.Field(i).Name)
		}
	}
}

func TestDiffCounts(t *testing.T) {
	d, err := Diff(again(podAdded(0, 0, "p", sec), nodeAdded(0, 0, "n"))(), again(podAdded(0, 0, "p", sec), podAdded(0, 1, "q", sec))())
	if err != nil {
		t.Fatal(err)
	}
	want := []KindDifference{{cluster.NodeAdded, [2]int64{1, 0}}, {cluster.PodAdded, [2]int64{1, 2}}}
	if diff := cmp.Diff(want, d.Kinds); diff != "" {
		t.Error(diff)
	}
	if _, err := Diff(failed{&Error{Problem: "damaged"}}, again()()); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("got %v", err)
	}
}
