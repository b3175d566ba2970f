package timeline

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"
)

// drawing is a story that is being drawn.
type drawing struct {
	*rand.Rand
	story *Story
	at    time.Duration
	nodes map[string]Fields
	pods  map[string]Fields
	names int
	// What the story is like.
	tight, quirky, slow, restless float64
	apps, zones                   int
}

// Draw draws a story.
func Draw(seed, number uint64) *Story {
	d := &drawing{
		Rand: rand.New(rand.NewPCG(seed, number)), nodes: map[string]Fields{}, pods: map[string]Fields{},
		story: &Story{}, at: 500 * time.Millisecond,
	}
	d.tight, d.quirky, d.slow, d.restless = d.Float64(), d.Float64()*0.6, d.Float64(), d.Float64()
	d.apps, d.zones = 1+d.IntN(2), 1+d.IntN(3)
	d.options()
	for range d.IntN(5) {
		d.addNode()
	}
	for range 3 + d.IntN(6) {
		d.addPod()
	}
	for range 5 + d.IntN(50) {
		d.anything()
	}
	d.story.End = d.at + []time.Duration{3 * time.Second, 40 * time.Second, 6 * time.Minute}[d.IntN(3)] + time.Microsecond*321
	d.turnstile(seed, number)
	return d.story
}

// turnstile has some pods of every second story go through it. They stay as they come: upstream counts one
// that waits as it was when it was popped. One of them may wait, so that no two give way at an instant.
func (d *drawing) turnstile(seed, number uint64) {
	if number%2 == 0 {
		return
	}
	d.lasting()
	rng, labels, there, waits := rand.New(rand.NewPCG(^seed, number)), map[string]string{}, map[string]bool{}, false
	var steps []Step
	for _, s := range d.story.Steps {
		label, known := labels[s.Name]
		if s.Kind == "pod" && !s.Gone && !known {
			label = []string{"", "reject", fmt.Sprint("allow-", 1+rng.IntN(4000)), fmt.Sprint("timeout-", 1+rng.IntN(8000))}[rng.IntN(4)]
			if waits && label != "reject" {
				label = ""
			}
			waits = waits || label != "" && label != "reject"
			labels[s.Name] = label
		}
		changed := s.Kind == "pod" && !s.Gone && there[s.Name]
		there[s.Name] = s.Kind == "pod" && !s.Gone
		if label != "" && changed {
			continue
		}
		if s.Fields.has("on") {
			delete(s.Fields, "port") // two with the same are no matter of the queue
		}
		if label != "" && !s.Gone {
			s.Fields["permit"] = label
		}
		steps = append(steps, s)
	}
	d.story.Steps = steps
}

// lasting has no node come back that was gone: upstream counts pods that wait for the turnstile on a node
// of the same name, Berth on the node that they were to get.
func (d *drawing) lasting() {
	added := map[string]bool{}
	for i, s := range slices.Backward(d.story.Steps) {
		if s.Kind == "node" && s.Gone && added[s.Name] {
			d.story.Steps = slices.Delete(d.story.Steps, i, i+1)
		} else if s.Kind == "node" && !s.Gone {
			added[s.Name] = true
		}
	}
}

// chance is true so often.
func (d *drawing) chance(p float64) bool { return d.Float64() < p }

func (d *drawing) options() {
	s := d.story
	// Odd, so that a try never ends when something else happens.
	s.Service = time.Duration(3+d.IntN(30))*time.Millisecond + 10007*time.Nanosecond
	if d.chance(0.4) {
		s.Service += time.Duration(d.IntN(700)) * time.Millisecond
	}
	if d.chance(0.3) {
		s.Initial = time.Duration(1+d.IntN(4)) * time.Second
		s.Max = s.Initial + time.Duration(d.IntN(20))*time.Second
	}
	if d.chance(0.25) {
		s.Most = time.Duration(20+d.IntN(100)) * time.Second
	}
}

// add takes a step after some time.
func (d *drawing) add(gone bool, kind, name string, f Fields) {
	for {
		d.at += d.pause()
		if d.at%time.Second != 0 && d.at%(samples/2) != 0 {
			break
		}
	}
	d.story.Steps = append(d.story.Steps, Step{At: d.at, Gone: gone, Kind: kind, Name: name, Fields: maps.Clone(f)})
}

func (d *drawing) pause() time.Duration {
	switch x := d.Float64(); {
	case x < 0.5:
		return time.Duration(1+d.IntN(40)) * time.Millisecond
	case x < 0.75:
		return time.Duration(1+d.IntN(1000)) * time.Millisecond
	case x < 0.97 || d.at > 7*time.Minute || d.slow < 0.4:
		return time.Duration(1+d.IntN(12000)) * time.Millisecond
	default:
		return time.Duration(1+d.IntN(330000)) * time.Millisecond
	}
}

func (d *drawing) fresh(prefix string) string {
	d.names++
	return fmt.Sprintf("%s%d", prefix, d.names)
}

func (d *drawing) zone() string { return fmt.Sprintf("z%d", d.IntN(d.zones)) }
func (d *drawing) app() string  { return fmt.Sprintf("a%d", d.IntN(d.apps)) }

func (d *drawing) addNode() {
	f := Fields{"cpu": fmt.Sprint(1000 * (1 + d.IntN(4))), "zone": d.zone()}
	if d.chance(d.quirky / 2) {
		f["taint"] = ""
	}
	if d.chance(d.quirky / 2) {
		f["off"] = ""
	}
	if d.chance(0.1) {
		f["slots"] = fmt.Sprint(1 + d.IntN(3))
	}
	name := d.fresh("n")
	d.nodes[name] = f
	d.add(false, "node", name, f)
}

func (d *drawing) addPod() {
	f := Fields{"cpu": fmt.Sprint(250 * (1 + d.IntN(4+int(d.tight*12)))), "app": d.app()}
	if d.chance(0.6) {
		f["prio"] = fmt.Sprint(d.IntN(4))
	}
	some := func(p float64, name, value string) {
		if d.chance(p) {
			f[name] = value
		}
	}
	some(d.quirky/2, "gate", "")
	some(d.quirky/3, "tol", "")
	some(d.quirky/3, "zone", d.zone())
	some(d.quirky/3, "port", "80")
	some(d.quirky/3, "anti", d.app())
	some(d.quirky/3, "near", d.app())
	some(d.quirky/3, "spread", d.app())
	some(0.04, "other", "")
	some(0.1, "never", "")
	some(0.15, "fail", fmt.Sprint(1+d.IntN(5)))
	name := d.fresh("p")
	if d.chance(0.15) && len(d.pods) > 0 {
		name = d.any(d.pods) // which may be gone
		if _, there := d.pods[name]; there {
			name = d.fresh("p")
		}
	}
	if d.chance(0.05) && len(d.nodes) > 0 {
		f["on"] = d.any(d.nodes)
	}
	d.pods[name] = f
	d.add(false, "pod", name, f)
}

// any picks one of the names there are.
func (d *drawing) any(of map[string]Fields) string {
	names := slices.Sorted(maps.Keys(of))
	return names[d.IntN(len(names))]
}

// anything takes some step.
func (d *drawing) anything() {
	switch x := d.IntN(20); {
	case x < 2:
		if len(d.nodes) < 6 {
			d.addNode()
		}
	case x < 3:
		d.removeNode()
	case x < 8:
		d.changeNode()
	case x < 11:
		if len(d.pods) < 20 {
			d.addPod()
		}
	case x < 14:
		d.removePod()
	default:
		d.changePod()
	}
}

func (d *drawing) removeNode() {
	if len(d.nodes) == 0 {
		return
	}
	name := d.any(d.nodes)
	f := d.nodes[name]
	delete(d.nodes, name)
	d.add(true, "node", name, nil)
	if d.chance(0.3) {
		d.nodes[name] = f
		d.add(false, "node", name, f)
	}
}

// toggle adds a field, or takes it away.
func toggle(f Fields, name string) {
	if f.has(name) {
		delete(f, name)
	} else {
		f[name] = ""
	}
}

func (d *drawing) changeNode() {
	if len(d.nodes) == 0 {
		return
	}
	name := d.any(d.nodes)
	f := maps.Clone(d.nodes[name])
	for range 1 + d.IntN(2) {
		switch d.IntN(5) {
		case 0:
			f["cpu"] = fmt.Sprint(500 * (1 + d.IntN(10)))
		case 1:
			f["zone"] = d.zone()
		case 2:
			toggle(f, "taint")
		case 3:
			toggle(f, "off")
		default:
			f["slots"] = fmt.Sprint(1 + d.IntN(6))
		}
	}
	d.nodes[name] = f
	d.add(false, "node", name, f)
}

func (d *drawing) removePod() {
	if len(d.pods) == 0 {
		return
	}
	name := d.any(d.pods)
	for _, other := range slices.Sorted(maps.Keys(d.pods)) {
		if d.pods[other].has("nominated") && d.chance(0.3) {
			name = other
		}
	}
	f := d.pods[name]
	delete(d.pods, name)
	d.add(true, "pod", name, nil)
	if d.chance(0.2) {
		d.pods[name] = f
		d.add(false, "pod", name, f)
	}
}

// changePod changes a pod as the API lets one.
func (d *drawing) changePod() {
	if len(d.pods) == 0 {
		return
	}
	name := d.any(d.pods)
	f := maps.Clone(d.pods[name])
	delete(f, "nominated")
	switch d.IntN(10) {
	case 0, 1:
		f["app"] = d.app()
	case 2, 3:
		f["tol"] = ""
	case 4, 5:
		if cpu := f.number("cpu"); cpu > 250 {
			f["cpu"] = fmt.Sprint(cpu - 250*(1+d.Int64N(cpu/250)))
		}
	case 6:
		f["cpu"] = fmt.Sprint(f.number("cpu") + 250)
	case 7, 9:
		if len(d.nodes) > 0 {
			f["nominated"] = d.any(d.nodes)
		}
		if d.chance(0.4) {
			f["nominated"] = "-"
		}
	case 8:
		if len(d.nodes) > 0 && d.chance(0.4) {
			f["on"] = d.any(d.nodes)
		}
	}
	if d.chance(0.4) {
		delete(f, "gate")
	}
	d.pods[name] = f
	d.add(false, "pod", name, f)
}
