package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/berthsim/berth/internal/input"
	"github.com/berthsim/berth/scheduler"
	configv1 "k8s.io/kube-scheduler/config/v1"
)

// fitName is the plugin whose arguments extenders add to.
const fitName = "NodeResourcesFit"

// readArgs reads the plugins' arguments.
func (p *profileReader) readArgs() error {
	p.args = map[string]scheduler.Args{}
	seen := map[string]bool{}
	for i, pc := range p.from.PluginConfig {
		err := p.checkName(pc.Name)
		if err == nil && seen[pc.Name] {
			err = wrong("is "+input.Quoted(pc.Name)+" for the second time", "give a plugin's arguments once")
		}
		if err != nil {
			return in(err, "pluginConfig", i, "name")
		}
		seen[pc.Name] = true
		if err := p.readArgsOf(pc.Name, i); err != nil {
			return in(err, "pluginConfig", i, "args")
		}
	}
	if p.ignored == nil || seen[fitName] {
		return nil
	}
	if !slices.Contains(p.needed(), fitName) {
		return wrong("an extender has resources ignored by "+fitName+", and the profile lacks that", "enable it, or give its arguments in pluginConfig")
	}
	return p.setOptions(fitName, -1)
}

// readArgsOf reads the arguments of one plugin: those that kube-scheduler knows as
// strictly as it does.
func (p *profileReader) readArgsOf(name string, index int) error {
	start := locate(p.src.data, append(slices.Clone(p.at), "pluginConfig", index, "args"))
	raw := p.from.PluginConfig[index].Args.Raw
	if len(raw) == 0 {
		return p.setOptions(name, -1)
	}
	k := kubePluginNamed(name)
	if k != nil && k.args != nil {
		args := reflect.New(reflect.TypeOf(k.args).Elem()).Interface()
		if _, err := p.decoder.decode(p.src.data, start, args); err != nil {
			return err
		}
		if err := checkArgs(args); err != nil {
			return err
		}
		if err := checkHead(raw, name); err != nil {
			return err
		}
	}
	if p.plugin(name) == nil {
		return nil
	}
	if raw[0] != '{' {
		return wrong("is no object", "write the plugin's arguments by their names")
	}
	return p.setOptions(name, start)
}

// setOptions makes what the plugin is given of the object at an offset of the
// source; of nothing, if that is negative.
func (p *profileReader) setOptions(name string, start int) error {
	o, err := p.options(name, start)
	if err == nil && len(o.marks) > 0 {
		p.args[name] = o.decode
	}
	return err
}

// checkHead checks what arguments say of their own type, which they need not.
func checkHead(raw []byte, name string) error {
	h, err := readHead(raw, 0)
	switch {
	case err != nil:
		return wrong(oneLine(err), "correct it")
	case h.kind != "" && h.kind != name+"Args":
		return in(wrongValue(h.kind, name+"Args, or leave it out"), "kind")
	case h.apiVersion != "" && h.apiVersion != configVersion:
		return in(wrongValue(h.apiVersion, configVersion+", or leave it out"), "apiVersion")
	}
	return nil
}

// checkArgs checks arguments of plugins that Berth doesn't have as kube-scheduler
// does. Those of others are the plugins' business.
func checkArgs(args any) error {
	switch args := args.(type) {
	case *configv1.VolumeBindingArgs:
		if t := args.BindTimeoutSeconds; t != nil && *t < 0 {
			return in(wrong(fmt.Sprintf("is %d", *t), "write 0 or more"), "bindTimeoutSeconds")
		}
		if args.Shape != nil {
			return in(wrong("is set, and the feature gate StorageCapacityScoring is off", "remove it"), "shape")
		}
	case *configv1.DynamicResourcesArgs:
		if t := args.FilterTimeout; t != nil && t.Duration < 0 {
			return in(wrong("is "+t.Duration.String(), "write a duration of 0 or more"), "filterTimeout")
		}
		if t := args.BindingTimeout; t != nil && t.Duration < time.Second {
			return in(wrong("is "+t.Duration.String(), "write a duration of 1s or more"), "bindingTimeout")
		}
	}
	return nil
}

// An optionSet holds the arguments of one plugin, without what they say of their
// type.
type optionSet struct {
	text  []byte
	marks []optionMark
}

// An optionMark says at which offset of the source what begins at one of the text.
type optionMark struct{ at, from int }

// options takes the members out of the object at an offset of the source, if there
// is one. Resources that are to be ignored for an extender's sake take the place
// of those that NodeResourcesFit is given, as they do in kube-scheduler.
func (p *profileReader) options(name string, start int) (*optionSet, error) {
	o := &optionSet{text: []byte{'{'}}
	s := &scanner{data: []byte("{}")}
	if start >= 0 {
		s = &scanner{data: p.src.data, at: start}
	}
	seen := map[string]bool{}
	ignores := p.ignored != nil && name == fitName
	err := s.object(func(key []byte) error {
		option, from := string(key), s.at
		if seen[option] {
			return in(failure(from, "is given twice", "leave one out"), option)
		}
		seen[option] = true
		if err := s.skip(); err != nil {
			return err
		}
		if option != "apiVersion" && option != "kind" && !(ignores && option == "ignoredResources") {
			o.add(option, s.data[from:s.at], from)
		}
		return nil
	})
	if ignores {
		names, _ := json.Marshal(p.ignored)
		o.add("ignoredResources", names, max(start, 0))
	}
	o.text = append(o.text, '}')
	return o, err
}

func (o *optionSet) add(name string, value []byte, from int) {
	if len(o.marks) > 0 {
		o.text = append(o.text, ',')
	}
	o.text = append(appendJSON(o.text, name), ':')
	o.marks = append(o.marks, optionMark{len(o.text), from})
	o.text = append(o.text, value...)
}

// decode is the plugin's scheduler.Args.
func (o *optionSet) decode(into any) error {
	d := json.NewDecoder(bytes.NewReader(o.text))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	var mismatch *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &mismatch):
		want := wantOf(mismatch.Type)
		at, is := int(mismatch.Offset)-1, strings.Fields(mismatch.Value)[0] // "number 1.5", too
		err := failure(o.offset(at), "is "+written[is]+", where "+want+" should be", "write "+want)
		for _, step := range slices.Backward(strings.Split(mismatch.Field, ".")) {
			err = in(err, step)
		}
		return err
	}
	if quoted, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		if field, err := strconv.Unquote(quoted); err == nil {
			problem := "has no field " + input.Quoted(field)
			return failure(o.offset(keyOffset(o.text, field)), problem, "correct or remove it; the plugin has no such option")
		}
	}
	return err
}

// offset returns the offset in the source of what is at one of the text.
func (o *optionSet) offset(at int) int {
	behind := sort.Search(len(o.marks), func(i int) bool { return o.marks[i].at > at })
	m := o.marks[max(behind-1, 0)]
	return m.from + max(at-m.at, 0)
}

// written are the words for what encoding/json calls a value.
var written = map[string]string{"object": "an object", "array": "a list", "string": "a string", "bool": "true or false", "number": "a number"}

// wantOf says what is to be written for a Go type.
func wantOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a string"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "an object"
	}
	return "a whole number"
}

// keyOffset returns the offset of the first value that has a name, at any depth.
func keyOffset(data []byte, name string) int {
	s, at := &scanner{data: data}, 0
	var visit func() error
	visit = func() error {
		switch s.space() {
		case '{':
			return s.object(func(key []byte) error {
				if at == 0 && string(key) == name {
					at = s.at
				}
				return visit()
			})
		case '[':
			return s.array(func(int) error { return visit() })
		}
		return s.skip()
	}
	visit()
	return at
}

// instantiate makes all plugins that Berth has and that are named, to learn whether
// they take their arguments and what they are.
func (p *profileReader) instantiate() error {
	p.instances = map[string]any{}
	for i, pc := range p.from.PluginConfig {
		if err := p.instance(pc.Name); err != nil {
			return p.argsError(err, i)
		}
	}
	for _, name := range p.needed() {
		if _, ok := p.instances[name]; ok {
			continue
		}
		if k := kubePluginNamed(name); k != nil && !k.absent && p.plugin(name) == nil {
			err := wrong("this program was built without "+name, "disable it at multiPoint, or build the program with it")
			return in(err, "plugins")
		}
		if err := p.instance(name); err != nil {
			problem, remedy := problemAndRemedy(err)
			return in(wrong("plugin "+name+": "+problem, remedy), "plugins")
		}
	}
	return nil
}

func (p *profileReader) instance(name string) error {
	pl := p.plugin(name)
	if pl == nil {
		return nil
	}
	var args scheduler.Args
	asked := true
	if given := p.args[name]; given != nil {
		asked = false
		args = func(into any) error { asked = true; return given(into) }
	}
	inst, err := pl.New(args)
	if err == nil && !asked {
		err = wrong("has options, and "+name+" takes none", "remove them")
	}
	p.instances[name] = inst
	return err
}

// argsError says where in its arguments a plugin finds something wrong.
func (p *profileReader) argsError(err error, index int) error {
	path := []any{"pluginConfig", index, "args"}
	var field *FieldError
	if errors.As(err, &field) {
		return in(field, path...)
	}
	problem, remedy := problemAndRemedy(err)
	to := append(append(slices.Clone(p.at), path...), optionPath(problem)...)
	return in(failure(locate(p.src.data, to), problem, remedy), path...)
}

// problemAndRemedy takes apart what a plugin says: "a is 3; it must be 1 or 2".
func problemAndRemedy(err error) (problem, remedy string) {
	problem, remedy, ok := strings.Cut(oneLine(err), "; ")
	if !ok {
		remedy = "correct the plugin's arguments"
	}
	return problem, remedy
}

var optionStep = regexp.MustCompile(`^([A-Za-z]+)(?:\[(\d+)\])?(: )?`)

// optionPath returns the path that a plugin's error begins with, if it does:
// "defaultConstraints[0]: maxSkew 0".
func optionPath(problem string) (path []any) {
	for {
		m := optionStep.FindStringSubmatch(problem)
		if m == nil {
			return path
		}
		path = append(path, m[1])
		if i, err := strconv.Atoi(m[2]); err == nil {
			path = append(path, i)
		}
		if m[3] == "" {
			return path
		}
		problem = problem[len(m[0]):]
	}
}
