package manifest

import (
	"fmt"
	"reflect"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// A filler fills in values as bytes say, so that a fuzzer can make any object.
type filler struct {
	data  []byte
	all   bool // every field, rather than some
	depth int
}

// next returns the next byte, 0 at the end.
func (f *filler) next() byte {
	if len(f.data) == 0 {
		return 0
	}
	b := f.data[0]
	f.data = f.data[1:]
	return b
}

// words are strings that mean something somewhere.
var words = []string{
	"", "a", "b", "app", "x", "In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt", "5", "metadata.name", "Equal",
	"NoSchedule", "PreferNoSchedule", "NoExecute", "Always", "Never", "PreemptLowerPriority", "Honor", "Ignore",
	"DoNotSchedule", "ScheduleAnyway", "TCP", "kubernetes.io/hostname", "nginx", "r.io/nginx:1", "RestartAllContainers",
	"PodResizePending", "Infeasible", "DisruptionTarget", "True", "PreemptionByScheduler", "Running", "ReplicaSet",
	"apps/v1", "v1", "default-scheduler", "é\n\"\\\u2028", "cpu", "memory", "hugepages-2Mi", "example.com/x",
}

var quantities = []string{"0", "1", "100m", "0.5m", "1Gi", "1e3", "9223372036854775807", "-1", "1500M", "7Ei", "0.1"}

func (f *filler) fill(v reflect.Value) {
	f.depth++
	defer func() { f.depth-- }()
	switch v.Interface().(type) {
	case resource.Quantity:
		v.Set(reflect.ValueOf(resource.MustParse(quantities[int(f.next())%len(quantities)])))
		return
	case metav1.Time:
		v.Set(reflect.ValueOf(metav1.NewTime(time.Unix(1700000000+int64(f.next()), 0))))
		return
	case metav1.MicroTime:
		v.Set(reflect.ValueOf(metav1.NewMicroTime(time.Unix(1700000000+int64(f.next()), 0))))
		return
	case runtime.RawExtension:
		v.Set(reflect.ValueOf(runtime.RawExtension{Raw: []byte(`{"a":1}`)}))
		return
	case metav1.FieldsV1:
		v.Set(reflect.ValueOf(*metav1.NewFieldsV1(`{"f:a":{}}`)))
		return
	case intstr.IntOrString:
		v.Set(reflect.ValueOf(intstr.FromInt32(int32(f.next()))))
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			// The type is said by the reader's caller, and is ignored.
			if name := v.Type().Field(i).Name; name != "TypeMeta" && (f.all || len(f.data) > 0 && f.next()%3 > 0) {
				f.fill(v.Field(i))
			}
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.SetBytes([]byte("bytes"))
			return
		}
		n := 1 + int(f.next()%2)
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			f.fill(v.Index(i))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range 1 + f.next()%2 {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			f.fill(key)
			f.fill(value)
			v.SetMapIndex(key, value)
		}
	case reflect.String:
		v.SetString(words[int(f.next())%len(words)])
	case reflect.Bool:
		v.SetBool(f.all || f.next()%2 == 1)
	case reflect.Int32, reflect.Int64:
		v.SetInt([]int64{1, 0, -1, 2147483647, 80, 2, 3}[int(f.next())%7])
	default:
		panic(fmt.Sprintf("no way to fill a %v", v.Type()))
	}
}
