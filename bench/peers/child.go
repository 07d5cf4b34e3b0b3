package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/gophersnake/gophersnake/pkg/nn"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// child is our side of a measurement, in a process of its own: it builds the
// job's work, runs the warm steps, reports, and then runs steps for as many
// seconds as each line of in asks, at least one.
func child(text string, in io.Reader, out io.Writer) error {
	var j Job
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		return err
	}
	switch j.Kind {
	case kindWeights:
		if err := writeWeights(j); err != nil {
			return err
		}
		return json.NewEncoder(out).Encode(Ready{})
	case kindCeilings:
		return json.NewEncoder(out).Encode(Ready{Ceilings: measureCeilings()})
	}
	runtime.GOMAXPROCS(j.Threads)
	dev := tensor.CPU(j.Threads)
	var ops *timed
	if j.Profile {
		ops = timeOperations(j.Threads)
		dev = tensor.NewDevice(ops)
	}
	base := status("VmHWM")
	w, err := newWork(j, dev)
	if err != nil {
		return err
	}
	start := time.Now()
	found := w.warm(j.Warm)
	reply := json.NewEncoder(out)
	r := Ready{Params: nn.CountParams(w.params()), Found: found, Base: base, Version: runtime.Version(),
		CPU: dev.Kernels(), Variant: j.Format, Warmed: time.Since(start).Seconds()}
	if err := reply.Encode(r); err != nil {
		return err
	}
	for lines := bufio.NewScanner(in); lines.Scan(); {
		seconds, err := strconv.ParseFloat(lines.Text(), 64)
		if err != nil {
			return err
		}
		ops.reset()
		t := Turn{Seconds: measure(w, seconds)}
		t.Peak, t.Ops = status("VmHWM"), ops.times(len(t.Seconds))
		if err := reply.Encode(t); err != nil {
			return err
		}
	}
	return nil
}

// measure runs steps for the given time, at least one, and returns the seconds
// that each took.
func measure(w work, seconds float64) []float64 {
	var out []float64
	for end := time.Now().Add(time.Duration(seconds * 1e9)); len(out) == 0 || time.Now().Before(end); {
		start := time.Now()
		w.step()
		out = append(out, time.Since(start).Seconds())
	}
	return out
}

// status returns a size of this process in bytes from where Linux tells it, 0
// elsewhere. The greatest size that wait returns to a parent would count the
// parent's own at the time of the fork.
func status(key string) int64 {
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(data)) {
		if value, ok := strings.CutPrefix(line, key+":"); ok {
			kB, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 10, 64)
			if err == nil {
				return kB * 1024
			}
		}
	}
	return 0
}

// writeWeights writes the starting weights of the job's work for both sides to
// start from. Ours makes the same from the seed again.
func writeWeights(j Job) (err error) {
	j.Kind = j.Variant // what the weights are for
	w, err := newWork(j, tensor.CPU(1))
	if err != nil {
		return err
	}
	file, err := os.Create(j.Weights)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	buffered := bufio.NewWriterSize(file, 1<<20)
	var index []entry
	for _, p := range w.params() {
		index = append(index, entry{p.Name, p.Shape(), string(p.Group)})
		row := make([]byte, 0, 4*p.Len())
		for _, v := range p.Data() {
			if row, err = binary.Append(row, binary.LittleEndian, float32(v)); err != nil {
				return err
			}
		}
		if _, err := buffered.Write(row); err != nil {
			return err
		}
	}
	text, err := json.Marshal(index)
	if err != nil {
		return err
	}
	return errors.Join(buffered.Flush(), os.WriteFile(j.Weights+".json", text, 0o644))
}

// fail prints an error and ends the process.
func fail(err error) {
	fmt.Fprintln(os.Stderr, "bench:", err)
	os.Exit(1)
}
