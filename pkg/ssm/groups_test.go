package ssm

import (
	"strings"
	"testing"

	"github.com/gophersnake/gophersnake/pkg/nn"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// paramGroups is the group of every parameter of this package's layers: that of
// the official optimisers (LRU, App.; s4d.py; mamba_simple.py), as the layers'
// comments say.
var paramGroups = map[string]map[tensor.Group]string{
	"diagonal": {tensor.Recurrent: "nu_log theta_log nu theta lambda_re lambda_im gamma_log B_re B_im", tensor.Decay: "C_re C_im D"},
	"siso":     {tensor.Recurrent: "nu_log theta_log gamma_log B B_re B_im", tensor.NoDecay: "D", tensor.Decay: "C C_re C_im"},
	"s4d":      {tensor.Recurrent: "log_dt log_A_real A_imag", tensor.Decay: "C C_re C_im D"},
	"s6":       {tensor.NoDecay: "dt_proj.bias A_log A_imag D B B_re B_im", tensor.Decay: "x_proj.weight dt_proj.weight C C_re C_im"},
	"mamba":    {tensor.NoDecay: "conv1d.bias", tensor.Decay: "in_proj.weight conv1d.weight out_proj.weight"},
}

// groupOf looks a parameter up, and one of Mamba's core in s6.
func groupOf(layer, param string) (tensor.Group, bool) {
	for group, names := range paramGroups[layer] {
		for _, name := range strings.Fields(names) {
			if name == param {
				return group, true
			}
		}
	}
	if layer == "mamba" {
		return groupOf("s6", param)
	}
	return "", false
}

// TestParamGroups: every parameter of every layer in the table is in its group,
// and the list above names no other.
func TestParamGroups(t *testing.T) {
	met := map[string]bool{}
	for _, l := range layers() {
		b := nn.NewBuilder(tensor.Reference(), 1)
		if _, err := l.Make(b); err != nil {
			t.Fatal(err)
		}
		kind, _, _ := strings.Cut(strings.TrimPrefix(l.Name, "default/"), "/")
		for _, p := range b.Params() {
			met[kind+" "+p.Name] = true
			if want, ok := groupOf(kind, p.Name); !ok || p.Group != want {
				t.Errorf("%s: %s is in group %s, want %q", l.Name, p.Name, p.Group, want)
			}
		}
	}
	for kind, groups := range paramGroups {
		for _, names := range groups {
			for _, name := range strings.Fields(names) {
				if !met[kind+" "+name] {
					t.Errorf("%s has no parameter %s", kind, name)
				}
			}
		}
	}
}
