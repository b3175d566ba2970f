package manifest

import (
	"bytes"
	"errors"

	"github.com/berthsim/berth/scheduler"
)

// ReadPluginArgs reads a file, YAML or JSON, with the arguments of one plugin and nothing
// else, as a KubeSchedulerConfiguration would have them under pluginConfig. What the plugin
// can't make sense of is an *Error.
func ReadPluginArgs(file string, content []byte, pl *scheduler.Plugin) (scheduler.Args, error) {
	src, err := configSource(file, bytes.TrimPrefix(content, []byte("\xef\xbb\xbf")))
	if err != nil {
		return nil, err
	}
	p := &profileReader{configReader: &configReader{src: src}}
	o, err := p.options(pl.Name, 0)
	if err == nil && len(o.marks) == 0 {
		err = wrong("the file gives no arguments", "write those of "+pl.Name)
	}
	if err == nil {
		_, err = pl.New(o.decode)
	}
	var field *FieldError
	switch {
	case err == nil:
		return o.decode, nil
	case !errors.As(err, &field):
		problem, remedy := problemAndRemedy(err)
		err = failure(locate(src.data, optionPath(problem)), problem, remedy)
	}
	return nil, p.fail(err)
}
