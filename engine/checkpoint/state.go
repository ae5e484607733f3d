package checkpoint

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
)

// A state object of version 2, integers little endian. Who reads it begins at the end, and then reads just the
// sections it wants:
//
//	     0  "MRST"
//	     4  u8   version, 2
//	     5  3 bytes 0
//	     8  the data of the sections, one after the other (the operators' own formats)
//	     …  directory: for each section in the same order
//	          u16  length of the operator's id, the id
//	          u16  slot
//	          u8   1: whole, 0: what changed
//	          u64  length of the data
//	          u32  CRC-32C of the data
//	end-20  u64  length of the directory
//	end-12  u32  CRC-32C of the directory and its length
//	 end-8  "MRSTATE2"
//
// Version 1, which is still read, has each section's data beside its head: see decodeState1.
const (
	stateMagic   = "MRST"
	stateEnd     = "MRSTATE2"
	stateVersion = 2
	stateHead    = 8
	stateFoot    = 20
	entryBytes   = 2 + 2 + 1 + 8 + 4 // of a section in the directory, but for the operator's id
)

var errDamaged = errors.New("the state object is damaged")

// What a person can do about a state object that can't be read, and about a section of one, before the operator's id.
const (
	cure        = "bring it back from a copy of the lake, or give up what all operators remember, with --drop-state for each"
	sectionCure = "bring the object back from a copy of the lake, or give up what the operator remembers with --drop-state"
)

func castagnoli(data []byte) uint32 { return crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli)) }

// encodeState gives the parts of a state object. The sections' data is among them, not copied.
func encodeState(sections []engine.Section) ([][]byte, error) {
	head := append(make([]byte, 0, stateHead), stateMagic...)
	parts := [][]byte{append(head, stateVersion, 0, 0, 0)}
	var dir []byte
	for _, s := range sections {
		if len(s.Operator) > math.MaxUint16 || s.Slot < 0 || s.Slot >= column.Slots {
			return nil, fmt.Errorf("operator %.100s, slot %d: the id is longer than 65,535 bytes or there is no such slot", s.Operator, s.Slot)
		}
		dir = binary.LittleEndian.AppendUint16(dir, uint16(len(s.Operator)))
		dir = append(dir, s.Operator...)
		dir = binary.LittleEndian.AppendUint16(dir, uint16(s.Slot))
		whole := byte(0)
		if s.Whole {
			whole = 1
		}
		dir = append(dir, whole)
		dir = binary.LittleEndian.AppendUint64(dir, uint64(len(s.Data)))
		dir = binary.LittleEndian.AppendUint32(dir, castagnoli(s.Data))
		parts = append(parts, s.Data)
	}
	dir = binary.LittleEndian.AppendUint64(dir, uint64(len(dir)))
	dir = binary.LittleEndian.AppendUint32(dir, castagnoli(dir))
	return append(parts, append(dir, stateEnd...)), nil
}

// A place is where a section's data lies in its object.
type place struct {
	offset int64
	sum    uint32 // CRC-32C
}

// directoryBytes is the length of the directory of an object that ends with foot.
func directoryBytes(foot []byte, size int64) (int64, error) {
	n := binary.LittleEndian.Uint64(foot)
	if n > uint64(size-stateHead-stateFoot) {
		return 0, fmt.Errorf("%w: it says that its directory has %d bytes", errDamaged, n)
	}
	return int64(n), nil
}

// decodeDirectory reads the directory and the foot behind it of an object of the given size.
func decodeDirectory(b []byte, size int64) (sections []engine.Section, places []place, err error) {
	dir, foot := b[:len(b)-stateFoot], b[len(b)-stateFoot:]
	if castagnoli(b[:len(b)-stateFoot+8]) != binary.LittleEndian.Uint32(foot[8:]) {
		return nil, nil, fmt.Errorf("%w: the checksum of its directory does not fit", errDamaged)
	}
	at, end := int64(stateHead), size-int64(len(b))
	for len(dir) > 0 {
		s, p, rest, ok := cutEntry(dir)
		if !ok || s.Size < 0 || s.Size > end-at {
			return nil, nil, fmt.Errorf("%w: its directory is cut short or has a section that can't be", errDamaged)
		}
		p.offset = at
		at += s.Size
		sections, places, dir = append(sections, s), append(places, p), rest
	}
	if at != end {
		return nil, nil, fmt.Errorf("%w: its sections end at byte %d, its directory begins at byte %d", errDamaged, at, end)
	}
	return sections, places, nil
}

func cutEntry(b []byte) (s engine.Section, p place, rest []byte, ok bool) {
	if len(b) < 2 {
		return s, p, nil, false
	}
	n := int(binary.LittleEndian.Uint16(b))
	if len(b) < n+entryBytes {
		return s, p, nil, false
	}
	s.Operator = string(b[2 : 2+n])
	b = b[2+n:]
	s.Slot = int(binary.LittleEndian.Uint16(b))
	s.Whole = b[2] == 1
	s.Size = int64(binary.LittleEndian.Uint64(b[3:]))
	p.sum = binary.LittleEndian.Uint32(b[11:])
	return s, p, b[15:], s.Slot < column.Slots && b[2] <= 1
}
