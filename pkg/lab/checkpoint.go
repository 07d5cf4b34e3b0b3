package lab

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/gophersnake/gophersnake/pkg/optim"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// A checkpoint file is
//
//	8 bytes   magic "gskckpt1"
//	8 bytes   length of the header, little-endian
//	header    JSON: experiment, step, optimiser steps, what early stopping
//	          has seen, names and shapes
//	payload   for each parameter: values, first moments, second moments, as
//	          little-endian float32 (cpu) or float64 (reference)
//	32 bytes  SHA-256 of everything before
const checkpointMagic = "gskckpt1"

// checkpointHeader describes a checkpoint's payload.
type checkpointHeader struct {
	Experiment    json.RawMessage `json:"experiment"`
	Step          int             `json:"step"`
	OptimiserStep int             `json:"optimiser_step"`
	// OptimiserSteps is of each parameter, absent where all had OptimiserStep.
	OptimiserSteps []int             `json:"optimiser_steps,omitempty"`
	FirstLoss      float64           `json:"first_loss"`
	HighSteps      int               `json:"high_steps"`
	Stop           stopState         `json:"stop,omitzero"`
	Bits           int               `json:"bits"`
	Params         []checkpointParam `json:"params"`
}

type checkpointParam struct {
	Name  string `json:"name"`
	Len   int    `json:"len"`
	Shape []int  `json:"shape,omitempty"` // missing in files written before it was noted
}

// fits reports whether the numbers are those of a parameter.
func (c checkpointParam) fits(p *tensor.Param) bool {
	return c.Len == p.Len() && (c.Shape == nil || slices.Equal(c.Shape, p.Shape()))
}

// size is "[16 8]", or "128 elements" where the shape is not known.
func (c checkpointParam) size() string {
	if c.Shape == nil {
		return fmt.Sprintf("%d elements", c.Len)
	}
	return fmt.Sprint(c.Shape)
}

// Checkpoint is everything that a run needs to go on from a step.
type Checkpoint struct {
	Experiment Experiment
	Step       int // steps done
	params     []checkpointParam
	values     [][]float64
	optimiser  optim.AdamWState
	watch      divergence
	stop       stopState
}

// encodeCheckpoint writes the state of a run as a file.
func (t *trainer) encodeCheckpoint() []byte {
	state := t.opt.Export()
	h := checkpointHeader{Experiment: t.e.JSON(), Step: t.step, OptimiserStep: state.Step, OptimiserSteps: state.Steps, FirstLoss: t.watch.First,
		HighSteps: t.watch.High, Stop: t.stop, Bits: checkpointBits(t.e.Device)}
	for _, p := range t.params {
		h.Params = append(h.Params, checkpointParam{p.Name, p.Len(), p.Shape()})
	}
	header, err := json.Marshal(h)
	if err != nil {
		panic("lab: checkpoint: " + err.Error())
	}
	var b bytes.Buffer
	b.WriteString(checkpointMagic)
	binary.Write(&b, binary.LittleEndian, uint64(len(header)))
	b.Write(header)
	for i, p := range t.params {
		for _, xs := range [][]float64{p.Data(), state.M[i], state.V[i]} {
			writeFloats(&b, xs, h.Bits)
		}
	}
	sum := sha256.Sum256(b.Bytes())
	b.Write(sum[:])
	return b.Bytes()
}

func writeFloats(b *bytes.Buffer, xs []float64, bits int) {
	var w [8]byte
	for _, x := range xs {
		if bits == 32 {
			binary.LittleEndian.PutUint32(w[:], math.Float32bits(float32(x)))
			b.Write(w[:4])
		} else {
			binary.LittleEndian.PutUint64(w[:], math.Float64bits(x))
			b.Write(w[:])
		}
	}
}

// errCheckpoint says that a checkpoint is damaged.
func errCheckpoint(format string, args ...any) error {
	return fmt.Errorf("lab: checkpoint is damaged: "+format+"; start the run anew", args...)
}

// DecodeCheckpoint reads a checkpoint file. Damage anywhere in it is an error.
func DecodeCheckpoint(data []byte) (*Checkpoint, error) {
	if len(data) == 0 {
		return nil, errors.New("lab: there is no checkpoint: no bytes")
	}
	const lead = len(checkpointMagic) + 8
	if len(data) < lead+sha256.Size || string(data[:len(checkpointMagic)]) != checkpointMagic {
		return nil, errors.New("lab: not a checkpoint: it does not begin with " + checkpointMagic)
	}
	body := data[:len(data)-sha256.Size]
	if sum := sha256.Sum256(body); !bytes.Equal(sum[:], data[len(body):]) {
		return nil, errCheckpoint("its SHA-256 does not match")
	}
	n := binary.LittleEndian.Uint64(body[len(checkpointMagic):])
	if n > uint64(len(body)-lead) {
		return nil, errCheckpoint("header of %d bytes in a file of %d", n, len(data))
	}
	var h checkpointHeader
	if err := json.Unmarshal(body[lead:lead+int(n)], &h); err != nil {
		return nil, errCheckpoint("header: %v", err)
	}
	e, err := ParseExperiment(h.Experiment)
	if err != nil {
		return nil, fmt.Errorf("lab: checkpoint: %w", err)
	}
	if err := h.validate(e); err != nil {
		return nil, err
	}
	c := &Checkpoint{Experiment: e, Step: h.Step, params: h.Params,
		optimiser: optim.AdamWState{Step: h.OptimiserStep, Steps: h.OptimiserSteps}, watch: divergence{First: h.FirstLoss, High: h.HighSteps}, stop: h.Stop}
	if err := c.readPayload(body[lead+int(n):], h.Bits); err != nil {
		return nil, err
	}
	return c, nil
}

// validate holds the header against its experiment.
func (h checkpointHeader) validate(e Experiment) error {
	if h.Step < 0 || h.Step > e.Steps || h.OptimiserStep < 0 || h.HighSteps < 0 || h.Stop.Poor < 0 {
		return errCheckpoint("step %d of %d, %d steps of the optimiser, %d of high loss", h.Step, e.Steps, h.OptimiserStep, h.HighSteps)
	}
	if want := checkpointBits(e.Device); h.Bits != want {
		return errCheckpoint("%d bits a number, want %d on device %s", h.Bits, want, e.Device)
	}
	return nil
}

// checkpointBits is the size of a number on a device.
func checkpointBits(device string) int {
	if device == "reference" {
		return 64
	}
	return 32
}

func (c *Checkpoint) readPayload(payload []byte, bits int) error {
	total := 0
	for _, p := range c.params {
		if p.Len < 0 || p.Len > len(payload) {
			return errCheckpoint("parameter %s has %d elements", p.Name, p.Len)
		}
		total += 3 * p.Len * bits / 8
	}
	if total != len(payload) {
		return errCheckpoint("%d bytes of numbers, want %d", len(payload), total)
	}
	next := func(n int) []float64 {
		xs := make([]float64, n)
		for i := range xs {
			if bits == 32 {
				xs[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(payload[4*i:])))
			} else {
				xs[i] = math.Float64frombits(binary.LittleEndian.Uint64(payload[8*i:]))
			}
		}
		payload = payload[n*bits/8:]
		return xs
	}
	for _, p := range c.params {
		c.values = append(c.values, next(p.Len))
		c.optimiser.M = append(c.optimiser.M, next(p.Len))
		c.optimiser.V = append(c.optimiser.V, next(p.Len))
	}
	return nil
}

// restore overwrites a model's parameters. Names and sizes must match.
func (c *Checkpoint) restore(params []*tensor.Param) error {
	if len(params) != len(c.params) {
		return fmt.Errorf("lab: checkpoint holds %d parameters, the model has %d", len(c.params), len(params))
	}
	for i, p := range params {
		if p.Name != c.params[i].Name || !c.params[i].fits(p) {
			return fmt.Errorf("lab: checkpoint's parameter %d is %s, %s, the model's %s, %v",
				i, c.params[i].Name, c.params[i].size(), p.Name, p.Shape())
		}
	}
	for i, p := range params {
		p.SetData(c.values[i])
	}
	return nil
}
