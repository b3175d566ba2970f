package bench

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// LoadResults reads the results that Save left in the folder dir, all but the
// curves. It wants the very version of the format that it writes, and no
// fields it doesn't know; its errors name file, line and remedy.
func LoadResults(dir string) (*Results, error) {
	path := filepath.Join(dir, resultsFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is missing: %s is not a folder that results were saved to: %w", path, dir, fs.ErrNotExist)
	}
	if err != nil {
		return nil, fmt.Errorf("reading results: %w", err)
	}
	var head struct {
		Version   string `json:"version"`
		Reproduce struct {
			Berth string `json:"berth"`
		} `json:"reproduce"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, resultsError(path, data, err)
	}
	if head.Version != Version {
		return nil, fmt.Errorf("%s:%d: version is %q, but this program reads %q: read it with the program that wrote it (%s) or run the experiment again",
			path, lineOfKey(data, "version"), head.Version, Version, orUnknown(head.Reproduce.Berth))
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	var r Results
	if err := d.Decode(&r); err != nil {
		return nil, resultsError(path, data, err)
	}
	return &r, nil
}

var unknownField = regexp.MustCompile(`unknown field "(.*)"`)

// resultsError says where in the file a decoding error is, and what to do.
func resultsError(path string, data []byte, err error) error {
	const remedy = "the file was changed or cut short since it was saved: restore it or run the experiment again"
	text := strings.TrimPrefix(err.Error(), "json: ")
	line := 0
	var syntax *json.SyntaxError
	var wrongType *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		line = lineAt(data, syntax.Offset)
	case errors.As(err, &wrongType):
		line = lineAt(data, wrongType.Offset)
		text = fmt.Sprintf("%s is a %s", wrongType.Field, wrongType.Value)
	default:
		if m := unknownField.FindStringSubmatch(text); m != nil {
			line = lineOfKey(data, m[1])
		}
	}
	if line == 0 {
		return fmt.Errorf("%s: %s; %s", path, text, remedy)
	}
	return fmt.Errorf("%s:%d: %s; %s", path, line, text, remedy)
}

// lineAt is the line, from 1, of the last of the first offset bytes.
func lineAt(data []byte, offset int64) int {
	before := data[:min(max(offset-1, 0), int64(len(data)))]
	return 1 + bytes.Count(before, []byte("\n"))
}

// lineOfKey is the line on which an object's key first stands, as
// encoding/json doesn't tell; 1 if it is nowhere.
func lineOfKey(data []byte, key string) int {
	at := regexp.MustCompile(`"` + regexp.QuoteMeta(key) + `"\s*:`).FindIndex(data)
	if at == nil {
		return 1
	}
	return lineAt(data, int64(at[0]+1))
}

func orUnknown(version string) string {
	if version == "" {
		return "of unknown version"
	}
	return version
}
