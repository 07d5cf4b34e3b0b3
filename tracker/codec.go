package tracker

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math"
	"strings"
	"unicode/utf8"
)

// The journal's format, little endian:
//
//	file   := header frame*
//	header := "GSNKJRN" version(1 byte = 2) run(8 bytes: RowID, for the reader's eye; 0 if not yet known)
//	          accepted(8) crc(4)
//
// accepted is the number of the last record that was accepted when the header was written; each write into one file of
// the pair is followed by a write of accepted into the header of the other, so that a cut at the end of a file shows. Its
// crc is over accepted alone. Version 1 (schema version 1) had neither; it is read, and no longer written.
//
//	frame  := marker(4) length(4) seq(8) kind(1) payload(length bytes) crc(4)
//
// crc is CRC-32C over everything from length to the end of the payload. seq counts the run's records from 1; a frame of
// n records holds seq … seq+n-1, and is valid as a whole or not at all. Payloads:
//
//	points  := count(uvarint) { step(varint) ts_ms(varint) bits(8) key(string) context(string) }*
//	object  := step(varint) ts_ms(varint) key(string) context(string) kind(string) data(string)
//	string  := length(uvarint) bytes
//
// A change of this format comes with a new schema version, so that no program meets a journal it cannot read.
//
// Key and context stand in every record, so that each frame can be read alone: after damage the reader looks for the
// next marker whose CRC fits.
const (
	journalMagic   = "GSNKJRN\x02"
	magicV1        = "GSNKJRN\x01"
	headerSizeV1   = len(magicV1) + 8
	acceptedAt     = len(journalMagic) + 8
	headerSize     = acceptedAt + 8 + 4
	frameMarker    = "\xf5GSF" // 0xf5 never occurs in UTF-8, so no key or text contains it
	frameHead      = 4 + 4 + 8 + 1
	frameOverhead  = frameHead + 4
	maxFrameLength = 64 << 20 // a length beyond it is damage; see maxFramePoints and maxObjectBytes
	maxFramePoints = 10_000   // LogBatch splits larger batches into frames of this many points

	kindPoints byte = 1
	kindObject byte = 2
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// record is one journaled point or object, in the form in which it travels to the flusher.
type record struct {
	series *series
	step   int64
	ts     int64 // Unix ms
	value  float64
	object *objectData // nil for a point
}

type objectData struct {
	kind string
	data []byte
}

// frame is a decoded journal frame.
type frame struct {
	seq     uint64
	records []frameRecord
}

// last is the number of the frame's last record.
func (f frame) last() uint64 { return f.seq + uint64(len(f.records)) - 1 }

type frameRecord struct {
	key, context string
	step, ts     int64
	value        float64
	object       *objectData
}

// appendHeader adds a file header.
func appendHeader(b []byte, run int64, accepted uint64) []byte {
	b = append(b, journalMagic...)
	b = binary.LittleEndian.AppendUint64(b, uint64(run))
	return appendAccepted(b, accepted)
}

// appendAccepted adds the end of a header, which lies at acceptedAt.
func appendAccepted(b []byte, accepted uint64) []byte {
	b = binary.LittleEndian.AppendUint64(b, accepted)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[len(b)-8:], castagnoli))
}

// beginFrame adds a frame's head with an empty length; endFrame fills it in and adds the CRC. start is len(b) before.
func beginFrame(b []byte, seq uint64, kind byte) []byte {
	b = append(b, frameMarker...)
	b = append(b, 0, 0, 0, 0)
	b = binary.LittleEndian.AppendUint64(b, seq)
	return append(b, kind)
}

func endFrame(b []byte, start int) []byte {
	binary.LittleEndian.PutUint32(b[start+4:], uint32(len(b)-start-frameHead))
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[start+4:], castagnoli))
}

func appendPoint(b []byte, r *record) []byte {
	b = binary.AppendVarint(b, r.step)
	b = binary.AppendVarint(b, r.ts)
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(r.value))
	b = appendString(b, r.series.key)
	return appendString(b, r.series.context)
}

// appendFrames adds the frames of a batch of points; seq is the number of the first.
func appendFrames(b []byte, seq uint64, points []record) []byte {
	for len(points) > 0 {
		n := min(len(points), maxFramePoints)
		start := len(b)
		b = beginFrame(b, seq, kindPoints)
		b = binary.AppendUvarint(b, uint64(n))
		for i := range points[:n] {
			b = appendPoint(b, &points[i])
		}
		b = endFrame(b, start)
		points, seq = points[n:], seq+uint64(n)
	}
	return b
}

// appendObject adds the frame of one object.
func appendObject(b []byte, seq uint64, r *record) []byte {
	start := len(b)
	b = beginFrame(b, seq, kindObject)
	b = binary.AppendVarint(b, r.step)
	b = binary.AppendVarint(b, r.ts)
	b = appendString(b, r.series.key)
	b = appendString(b, r.series.context)
	b = appendString(b, r.object.kind)
	b = appendString(b, string(r.object.data))
	return endFrame(b, start)
}

func appendString(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// journalContent is what a journal file holds.
type journalContent struct {
	frames   []frame
	accepted uint64 // of the header
	size     int    // of the file
	missing  bool   // there is no file
	short    bool   // the file is shorter than a header: just made, or cut
	damaged  int    // bytes that belong to no valid frame
	firstAt  int    // offset of the first damaged byte, -1 if there is none
}

// decodeJournal reads a whole journal file. It accepts any bytes: a torn or garbled stretch is counted and skipped, and
// reading goes on at the next frame whose checksum fits. An empty file is a valid, empty journal.
func decodeJournal(data []byte) journalContent {
	c := journalContent{size: len(data), firstAt: -1}
	bad := func(from, to int) {
		if to > from && c.firstAt < 0 {
			c.firstAt = from
		}
		c.damaged += to - from
	}
	at := c.readHeader(data, bad)
	for at < len(data) {
		if f, size, ok := decodeFrame(data[at:]); ok {
			c.frames = append(c.frames, f)
			at += size
			continue
		}
		next := len(data)
		if i := bytes.Index(data[at+1:], []byte(frameMarker)); i >= 0 {
			next = at + 1 + i
		}
		bad(at, next)
		at = next
	}
	return c
}

// readHeader returns where the frames begin. Without a readable header every byte may begin one.
func (c *journalContent) readHeader(data []byte, bad func(from, to int)) int {
	switch {
	case len(data) >= headerSizeV1 && string(data[:len(magicV1)]) == magicV1:
		return headerSizeV1
	case len(data) < headerSize:
		c.short = true
		if strings.HasPrefix(journalMagic, string(data[:min(len(data), len(journalMagic))])) {
			return len(data) // empty, or made an instant before the process died
		}
	case string(data[:len(journalMagic)]) == journalMagic:
		accepted := data[acceptedAt : acceptedAt+8]
		if crc32.Checksum(accepted, castagnoli) == binary.LittleEndian.Uint32(data[acceptedAt+8:]) {
			c.accepted = binary.LittleEndian.Uint64(accepted)
		} else {
			bad(acceptedAt, headerSize)
		}
		return headerSize
	}
	return 0
}

// decodeFrame reads the frame at the start of data and returns its size.
func decodeFrame(data []byte) (f frame, size int, ok bool) {
	if len(data) < frameOverhead || string(data[:4]) != frameMarker {
		return frame{}, 0, false
	}
	length := binary.LittleEndian.Uint32(data[4:])
	if uint64(length) > maxFrameLength || int(length) > len(data)-frameOverhead {
		return frame{}, 0, false
	}
	size = frameOverhead + int(length)
	if crc32.Checksum(data[4:size-4], castagnoli) != binary.LittleEndian.Uint32(data[size-4:]) {
		return frame{}, 0, false
	}
	f.seq = binary.LittleEndian.Uint64(data[8:])
	f.records, ok = decodePayload(data[16], data[frameHead:size-4])
	return f, size, ok && f.seq > 0 && f.seq <= math.MaxInt64-maxFrameLength
}

// decodePayload reads a payload; it must be used up exactly.
func decodePayload(kind byte, payload []byte) (records []frameRecord, ok bool) {
	r := reader{data: payload, ok: true}
	switch kind {
	case kindPoints:
		n := r.uvarint()
		if n == 0 || n > uint64(len(payload)) { // a point takes 12 bytes or more
			return nil, false
		}
		records = make([]frameRecord, 0, min(n, maxFramePoints))
		for i := uint64(0); i < n && r.ok; i++ {
			p := frameRecord{step: r.varint(), ts: r.varint(), value: r.float()}
			p.key, p.context = r.string(), r.string()
			r.ok = r.ok && checkKey(p.key) == "" && checkContext(p.context) == ""
			records = append(records, p)
		}
	case kindObject:
		p := frameRecord{step: r.varint(), ts: r.varint()}
		p.key, p.context = r.string(), r.string()
		p.object = &objectData{kind: r.string(), data: []byte(r.string())}
		r.ok = r.ok && checkKey(p.key) == "" && checkContext(p.context) == "" && p.object.kind != "" &&
			utf8.ValidString(p.object.kind)
		records = []frameRecord{p}
	default:
		return nil, false
	}
	return records, r.ok && len(r.data) == 0
}

// reader takes values off a byte slice; ok turns false, for good, when something does not fit.
type reader struct {
	data []byte
	ok   bool
}

func (r *reader) advance(n int) {
	if n <= 0 || n > len(r.data) {
		r.ok, r.data = false, nil
		return
	}
	r.data = r.data[n:]
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.data)
	r.advance(n)
	return v
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.data)
	r.advance(n)
	return v
}

func (r *reader) float() float64 {
	if len(r.data) < 8 {
		r.ok, r.data = false, nil
		return 0
	}
	v := math.Float64frombits(binary.LittleEndian.Uint64(r.data))
	r.data = r.data[8:]
	return v
}

func (r *reader) string() string {
	n := r.uvarint()
	if n > uint64(len(r.data)) {
		r.ok, r.data = false, nil
		return ""
	}
	s := string(r.data[:n])
	r.data = r.data[n:]
	return s
}
