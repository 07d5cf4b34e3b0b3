package nn

import (
	"fmt"
	"math/rand/v2"

	initializer "github.com/gophersnake/gophersnake/pkg/init"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// Builder makes the parameters of a model: it knows the device, draws initial
// values from one stream of random numbers, prefixes names with where it
// stands, and collects every parameter in the order of its making.
type Builder struct {
	Device *tensor.Device
	Rand   *rand.Rand
	prefix string
	params *[]*tensor.Param
}

// NewBuilder returns a builder whose initial values follow from the seed alone.
func NewBuilder(d *tensor.Device, seed uint64) *Builder {
	return &Builder{Device: d, Rand: initializer.NewRand(seed, "parameters"), params: new([]*tensor.Param)}
}

// Sub returns a builder for the part called name: its parameters are named
// name.x and collected here.
func (b *Builder) Sub(name string) *Builder {
	return &Builder{Device: b.Device, Rand: b.Rand, prefix: b.prefix + name + ".", params: b.params}
}

// Param makes a parameter with the given initial values. It panics if the name
// is taken already.
func (b *Builder) Param(name string, g tensor.Group, data []float64, shape ...int) *tensor.Param {
	p := tensor.NewParam(b.Device, b.prefix+name, g, data, shape...)
	for _, q := range *b.params {
		if q.Name == p.Name {
			panic(fmt.Sprintf("nn: Builder.Param: a parameter named %q exists", p.Name))
		}
	}
	*b.params = append(*b.params, p)
	return p
}

// Params returns every parameter made so far by this builder, its parents and
// its parts, in the order of their making.
func (b *Builder) Params() []*tensor.Param { return *b.params }

// CountParams returns the number of trained scalars.
func CountParams(params []*tensor.Param) int {
	n := 0
	for _, p := range params {
		n += p.Len()
	}
	return n
}
