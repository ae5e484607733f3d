package checkpoint

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
)

// A state object, integers little endian:
//
//	 0  "MRST"
//	 4  u8   version, 1
//	 5  sections:
//	      u16  length of the operator's id, the id
//	      u16  slot
//	      u8   1: whole, 0: what changed
//	      u32  length of the data, the data (the operator's own format)
//	end  u32  CRC-32C of all before
const (
	stateMagic   = "MRST"
	stateVersion = 1
	stateHead    = 5
)

var errDamaged = errors.New("the state object is damaged")

func castagnoli(data []byte) uint32 { return crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli)) }

func encodeState(sections []engine.Section) []byte {
	size := stateHead + 4
	for _, s := range sections {
		size += 9 + len(s.Operator) + len(s.Data)
	}
	b := make([]byte, 0, size)
	b = append(b, stateMagic...)
	b = append(b, stateVersion)
	for _, s := range sections {
		b = binary.LittleEndian.AppendUint16(b, uint16(len(s.Operator)))
		b = append(b, s.Operator...)
		b = binary.LittleEndian.AppendUint16(b, uint16(s.Slot))
		if s.Whole {
			b = append(b, 1)
		} else {
			b = append(b, 0)
		}
		b = binary.LittleEndian.AppendUint32(b, uint32(len(s.Data)))
		b = append(b, s.Data...)
	}
	return binary.LittleEndian.AppendUint32(b, castagnoli(b))
}

func decodeState(b []byte) ([]engine.Section, error) {
	if len(b) < stateHead+4 || string(b[:4]) != stateMagic {
		return nil, fmt.Errorf("%w: it does not begin as one", errDamaged)
	}
	if b[4] != stateVersion {
		return nil, fmt.Errorf("state of version %d, this program reads %d", b[4], stateVersion)
	}
	end := len(b) - 4
	if castagnoli(b[:end]) != binary.LittleEndian.Uint32(b[end:]) {
		return nil, fmt.Errorf("%w: its checksum does not fit", errDamaged)
	}
	var sections []engine.Section
	for b = b[stateHead:end]; len(b) > 0; {
		s, rest, ok := cutSection(b)
		if !ok {
			return nil, fmt.Errorf("%w: a section is cut short", errDamaged)
		}
		sections = append(sections, s)
		b = rest
	}
	return sections, nil
}

func cutSection(b []byte) (s engine.Section, rest []byte, ok bool) {
	if len(b) < 2 {
		return s, nil, false
	}
	n := int(binary.LittleEndian.Uint16(b))
	if b = b[2:]; len(b) < n+7 {
		return s, nil, false
	}
	s.Operator = string(b[:n])
	b = b[n:]
	s.Slot = int(binary.LittleEndian.Uint16(b))
	s.Whole = b[2] == 1
	size := uint64(binary.LittleEndian.Uint32(b[3:]))
	if b = b[7:]; uint64(len(b)) < size || s.Slot >= column.Slots {
		return s, nil, false
	}
	s.Data = b[:size:size]
	return s, b[size:], true
}
