package bench

import (
	"slices"
	"strings"
	"testing"
)

func TestParseSeeds(t *testing.T) {
	tests := []struct {
		text  string
		want  Seeds
		again string // as String writes it
	}{
		{"42", Seeds{42}, "42"},
		{"0", Seeds{0}, "0"},
		{"42-51", Seeds{42, 43, 44, 45, 46, 47, 48, 49, 50, 51}, "42-51"},
		{"1,5,42-44", Seeds{1, 5, 42, 43, 44}, "1,5,42-44"},
		{" 7 , 3-4", Seeds{7, 3, 4}, "7,3-4"},
		{"1,2,3", Seeds{1, 2, 3}, "1-3"},
		{"3,2,1", Seeds{3, 2, 1}, "3,2,1"},
		{"5-5", Seeds{5}, "5"},
		{"9223372036854775806", Seeds{1<<63 - 2}, "9223372036854775806"},
	}
	for _, tt := range tests {
		got, err := ParseSeeds(tt.text)
		if err != nil || !slices.Equal(got, tt.want) || got.String() != tt.again {
			t.Errorf("%q: got %v, written %q, %v; want %v, written %q", tt.text, got, got, err, tt.want, tt.again)
		}
	}
	if many, err := ParseSeeds("1-1000000"); err != nil || len(many) != maxSeeds || many.String() != "1-1000000" {
		t.Errorf("got %d seeds, %v", len(many), err)
	}
}

func TestParseSeedsErrors(t *testing.T) {
	const write = " is not a seed; write whole numbers from 0 and ranges, for example 1,5,42-51"
	tests := []struct{ text, want string }{
		{"", `""` + write},
		{"1,", `""` + write},
		{"-1", `""` + write},
		{"1-", `""` + write},
		{"1-2-3", `"2-3"` + write},
		{"x", `"x"` + write},
		{"1.5", `"1.5"` + write},
		{"1_000", `"1_000"` + write},
		{"9223372036854775807", `"9223372036854775807"` + write},
		{"99999999999999999999", `"99999999999999999999"` + write},
		{"9-3", "the range 9-3 ends before it begins; write 3-9"},
		{"1,1", "seed 1 comes twice; name each once"},
		{"1-4,7,2", "seed 2 comes twice; name each once"},
		{"1-1000001", "these are more than 1000000; ask for fewer"},
		{"0-9223372036854775806", "these are more than 1000000; ask for fewer"},
		{"1,2-1000001", "these are more than 1000000; ask for fewer"},
	}
	for _, tt := range tests {
		got, err := ParseSeeds(tt.text)
		if want := `seeds "` + tt.text + `": ` + tt.want; err == nil || err.Error() != want {
			t.Errorf("%q: got %v, %v, want the error %s", tt.text, got, err, want)
		}
	}
}

func FuzzParseSeeds(f *testing.F) {
	for _, seed := range []string{"42", "1,5,42-51", "9-3", "1-1", "007", "+3", "0-99", " 1 - 2", "1\n-2"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		seeds, err := ParseSeeds(text)
		if err != nil {
			if strings.TrimSpace(err.Error()) == "" || seeds != nil {
				t.Errorf("%q: got %v, %q", text, seeds, err)
			}
			return
		}
		again, err := ParseSeeds(seeds.String())
		if err != nil || !slices.Equal(again, seeds) || again.String() != seeds.String() {
			t.Errorf("%q: %v is written %q, which is read as %v, %v", text, seeds, seeds, again, err)
		}
	})
}
