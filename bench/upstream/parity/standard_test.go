package parity

import "testing"

// TestStandard holds the profile that Berth ships against upstream's.
func TestStandard(t *testing.T) {
	st, err := NewStandard()
	if err != nil {
		t.Fatal(err)
	}
	if mismatch := st.Compare(); mismatch != "" {
		t.Error(mismatch)
	}
}
