package archive

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
)

// An event file of TensorBoard is a sequence of records, little endian:
//
//	record := length(8) crc(4, of length) data(length bytes) crc(4, of data)
//
// crc is CRC-32C, rotated right by 15 bits, plus 0xa282ead8. data is a protocol buffer of type Event; the fields read
// here are
//
//	Event   := wall_time(1: double) step(2: int64) summary(5: Summary)
//	Summary := value(1: Value)*
//	Value   := tag(1: string) simple_value(2: float) tensor(8: Tensor) …
//	Tensor  := dtype(1) shape(2) content(4: bytes) float_val(5: float)* double_val(6: double)* int_val(7)* int64_val(10)*

// maxRecord bounds a record, in bytes: a length beyond it is damage.
const maxRecord = 1 << 30

var errDamaged = errors.New("the event file is damaged here")

// errCut: the file ends within a record, as it does while, or after, its writer was killed.
var errCut = errors.New("the event file ends within a record")

// tfReader reads the records of an event file.
type tfReader struct {
	r      *bufio.Reader
	offset int64 // where the next record begins
	buf    []byte
}

// next returns the data of the next record, valid until the next call; io.EOF at the end, errCut after half a record.
func (t *tfReader) next() ([]byte, error) {
	var head [12]byte
	if n, err := io.ReadFull(t.r, head[:]); err != nil {
		if n == 0 && err == io.EOF {
			return nil, io.EOF
		}
		return nil, cutOr(err)
	}
	length := binary.LittleEndian.Uint64(head[:])
	if maskedCRC(head[:8]) != binary.LittleEndian.Uint32(head[8:]) || length > maxRecord {
		return nil, errDamaged
	}
	// The buffer grows with what is read: a false length does not make it large.
	t.buf = t.buf[:0]
	for want := int(length) + 4; len(t.buf) < want; {
		n := min(want-len(t.buf), 1<<20)
		t.buf = append(t.buf, make([]byte, n)...)
		if _, err := io.ReadFull(t.r, t.buf[len(t.buf)-n:]); err != nil {
			return nil, cutOr(err)
		}
	}
	data := t.buf[:length]
	if maskedCRC(data) != binary.LittleEndian.Uint32(t.buf[length:]) {
		return nil, errDamaged
	}
	t.offset += int64(length) + 16
	return data, nil
}

func cutOr(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return errCut
	}
	return err
}

func maskedCRC(b []byte) uint32 {
	crc := crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli))
	return (crc>>15 | crc<<17) + 0xa282ead8
}

// tfEvent is what is read of an Event.
type tfEvent struct {
	wall   float64 // Unix seconds
	step   int64
	values []tfValue
	other  int // values that are no scalars
}

type tfValue struct {
	tag   string
	value float64
}

// field is one field of a protocol buffer.
type field struct {
	number int
	wire   int
	bits   uint64 // wire types 0, 1 and 5
	data   []byte // wire type 2
}

// eachField calls visit for every field of a message.
func eachField(b []byte, visit func(field) error) error {
	for len(b) > 0 {
		key, n := binary.Uvarint(b)
		if n <= 0 {
			return errDamaged
		}
		b = b[n:]
		f := field{number: int(key >> 3), wire: int(key & 7)}
		switch f.wire {
		case 0:
			if f.bits, n = binary.Uvarint(b); n <= 0 {
				return errDamaged
			}
			b = b[n:]
		case 1:
			if len(b) < 8 {
				return errDamaged
			}
			f.bits, b = binary.LittleEndian.Uint64(b), b[8:]
		case 5:
			if len(b) < 4 {
				return errDamaged
			}
			f.bits, b = uint64(binary.LittleEndian.Uint32(b)), b[4:]
		case 2:
			length, n := binary.Uvarint(b)
			if n <= 0 || length > uint64(len(b)-n) {
				return errDamaged
			}
			f.data, b = b[n:n+int(length)], b[n+int(length):]
		default:
			return fmt.Errorf("%w: wire type %d", errDamaged, f.wire)
		}
		if err := visit(f); err != nil {
			return err
		}
	}
	return nil
}

// parseEvent decodes an Event.
func parseEvent(b []byte) (tfEvent, error) {
	var e tfEvent
	err := eachField(b, func(f field) error {
		switch {
		case f.number == 1 && f.wire == 1:
			e.wall = math.Float64frombits(f.bits)
		case f.number == 2 && f.wire == 0:
			e.step = int64(f.bits)
		case f.number == 5 && f.wire == 2:
			return eachField(f.data, func(v field) error {
				if v.number != 1 || v.wire != 2 {
					return nil
				}
				return e.addValue(v.data)
			})
		}
		return nil
	})
	return e, err
}

// addValue decodes a Value: a scalar, in the old form (simple_value) or the new one (a tensor of one element).
func (e *tfEvent) addValue(b []byte) error {
	v, scalar := tfValue{}, false
	err := eachField(b, func(f field) error {
		switch {
		case f.number == 1 && f.wire == 2:
			v.tag = string(f.data)
		case f.number == 2 && f.wire == 5:
			v.value, scalar = float64(math.Float32frombits(uint32(f.bits))), true
		case f.number == 8 && f.wire == 2:
			var err error
			v.value, scalar, err = parseTensor(f.data)
			return err
		}
		return nil
	})
	if scalar {
		e.values = append(e.values, v)
	} else {
		e.other++
	}
	return err
}

// The types of a tensor's elements.
const (
	tfFloat  = 1
	tfDouble = 2
	tfInt32  = 3
	tfInt64  = 9
)

// parseTensor returns the only element of a tensor; ok is false if it has another number of elements, or another type.
func parseTensor(b []byte) (value float64, ok bool, err error) {
	var kind uint64
	var content []byte
	var list []float64
	err = eachField(b, func(f field) error {
		switch {
		case f.number == 1 && f.wire == 0:
			kind = f.bits
		case f.number == 4 && f.wire == 2:
			content = f.data
		case f.number == 5, f.number == 6, f.number == 7, f.number == 10:
			list = append(list, f.elements()...)
		}
		return nil
	})
	if err != nil || (kind != tfFloat && kind != tfDouble && kind != tfInt32 && kind != tfInt64) {
		return 0, false, err
	}
	switch {
	case len(list) == 1 && len(content) == 0:
		return list[0], true, nil
	case len(list) > 0:
		return 0, false, nil
	case kind == tfFloat && len(content) == 4:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(content))), true, nil
	case kind == tfDouble && len(content) == 8:
		return math.Float64frombits(binary.LittleEndian.Uint64(content)), true, nil
	case kind == tfInt32 && len(content) == 4:
		return float64(int32(binary.LittleEndian.Uint32(content))), true, nil
	case kind == tfInt64 && len(content) == 8:
		return float64(int64(binary.LittleEndian.Uint64(content))), true, nil
	}
	return 0, false, nil
}

// elements are the numbers of a repeated field of a Tensor, packed or not; at most two, since only one is wanted.
func (f field) elements() (list []float64) {
	one := func(bits uint64) {
		switch f.number {
		case 5:
			list = append(list, float64(math.Float32frombits(uint32(bits))))
		case 6:
			list = append(list, math.Float64frombits(bits))
		default:
			list = append(list, float64(int64(bits)))
		}
	}
	if f.wire != 2 {
		one(f.bits)
		return list
	}
	for b := f.data; len(b) > 0 && len(list) < 2; {
		switch {
		case f.number == 5 && len(b) >= 4:
			one(uint64(binary.LittleEndian.Uint32(b)))
			b = b[4:]
		case f.number == 6 && len(b) >= 8:
			one(binary.LittleEndian.Uint64(b))
			b = b[8:]
		default:
			v, n := binary.Uvarint(b)
			if n <= 0 || f.number < 7 {
				return list
			}
			one(v)
			b = b[n:]
		}
	}
	return list
}
