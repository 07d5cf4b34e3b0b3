package tracker

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
)

// walState is what the -wal file holds, read as SQLite would at the next open (https://sqlite.org/walformat.html).
// Reading it is safe while SQLite has it open: no lock lies on this file.
type walState struct {
	present bool // there is a file with at least a header
	valid   bool // the header's checksum fits
	salt    uint64
	frames  uint32 // up to the last commit before the first damaged frame
}

const (
	walHeaderSize  = 32
	walFrameHead   = 24
	walMagic       = 0x377f0682 // with the last bit set: checksums over big-endian words
	walSaltOffset  = 16
	maxWALPageSize = 1 << 16
)

// readWAL walks through the frames of a WAL file. A missing file is no error.
func readWAL(path string) (w walState, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return w, nil
	}
	if err != nil {
		return w, err
	}
	defer f.Close()
	in := bufio.NewReaderSize(f, 1<<18)
	var head [walHeaderSize]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return w, ignoreEnd(err)
	}
	w.present = true
	magic, page := binary.BigEndian.Uint32(head[:]), binary.BigEndian.Uint32(head[8:])
	w.salt = binary.BigEndian.Uint64(head[walSaltOffset:])
	sum := walSum{big: magic&1 == 1}
	sum.add(head[:24])
	if magic&^1 != walMagic || !sum.is(head[24:]) || page < 512 || page > maxWALPageSize || page%8 != 0 {
		return w, nil
	}
	w.valid = true
	frame := make([]byte, walFrameHead+page)
	for n := uint32(1); ; n++ {
		if _, err := io.ReadFull(in, frame); err != nil {
			return w, ignoreEnd(err)
		}
		sum.add(frame[:8])
		sum.add(frame[walFrameHead:])
		if binary.BigEndian.Uint64(frame[8:]) != w.salt || !sum.is(frame[16:]) {
			return w, nil
		}
		if binary.BigEndian.Uint32(frame[4:]) != 0 { // the size of the database after a commit
			w.frames = n
		}
	}
}

func ignoreEnd(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

// walSum is the running checksum of a WAL.
type walSum struct {
	big    bool
	s0, s1 uint32
}

// add takes in bytes, a multiple of 8 of them.
func (s *walSum) add(b []byte) {
	for ; len(b) >= 8; b = b[8:] {
		x0, x1 := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])
		if s.big {
			x0, x1 = binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
		}
		s.s0 += x0 + s.s1
		s.s1 += x1 + s.s0
	}
}

// is compares with a stored checksum.
func (s *walSum) is(b []byte) bool {
	return binary.BigEndian.Uint32(b) == s.s0 && binary.BigEndian.Uint32(b[4:]) == s.s1
}

// readSalt returns the salts of an open WAL file, 0 if it has no header.
func readSalt(f io.ReaderAt) uint64 {
	var b [8]byte
	if _, err := f.ReadAt(b[:], walSaltOffset); err != nil {
		return 0
	}
	return binary.BigEndian.Uint64(b[:])
}
