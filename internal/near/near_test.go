package near

import "testing"

func TestName(t *testing.T) {
	names := []string{"mamba", "ring", "rnn"}
	for got, want := range map[string]string{"mambo": "mamba", "mam": "mamba", "rn": "rnn", "zebra": "", "x": ""} {
		if n := Name(got, names); n != want {
			t.Errorf("%s: %q, want %q", got, n, want)
		}
	}
}
