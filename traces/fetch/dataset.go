package fetch

// A Dataset is a public trace.
type Dataset struct {
	Name    string `json:"name"` // as in BERTH_TRACES, and on the command line
	What    string `json:"what"`
	Licence string `json:"licence"`           // SPDX's word where there is one
	Cite    string `json:"cite"`              // what a publication is to name
	Format  string `json:"format,omitempty"`  // the format of a TRACE that reads it; "" if none does
	Files   []File `json:"files,omitempty"`   // that can be downloaded
	ByHand  string `json:"by_hand,omitempty"` // where there is what can't; "" if that is nothing
}

// A File is a file of a Dataset.
type File struct {
	Name   string `json:"name"` // in the dataset's folder
	URL    string `json:"url"`
	SHA256 string `json:"sha256"` // of its content, in hex
	Bytes  int64  `json:"bytes"`
}

// Bytes returns the size of all files that can be downloaded.
func (d *Dataset) Bytes() int64 {
	sum := int64(0)
	for _, f := range d.Files {
		sum += f.Bytes
	}
	return sum
}

// Find returns the dataset of a name among some, nil if there is none.
func Find(among []Dataset, name string) *Dataset {
	for i := range among {
		if among[i].Name == name {
			return &among[i]
		}
	}
	return nil
}
