package checkpoint

import (
	"encoding/binary"
	"fmt"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
)

// decodeState1 reads a state object of version 1 whole:
//
//	 0  "MRST"
//	 4  u8   version, 1
//	 5  sections:
//	      u16  length of the operator's id, the id
//	      u16  slot
//	      u8   1: whole, 0: what changed
//	      u32  length of the data, the data
//	end  u32  CRC-32C of all before
func decodeState1(b []byte) (*stateObject, error) {
	const head, foot = 5, 4
	if len(b) < head+foot || string(b[:4]) != stateMagic {
		return nil, fmt.Errorf("%w: it neither begins nor ends as one", errDamaged)
	}
	if b[4] == stateVersion {
		return nil, fmt.Errorf("%w: it does not end as one", errDamaged)
	}
	if b[4] != 1 {
		return nil, fmt.Errorf("the state object is of version %d, this program reads 1 and %d", b[4], stateVersion)
	}
	end := len(b) - foot
	if castagnoli(b[:end]) != binary.LittleEndian.Uint32(b[end:]) {
		return nil, fmt.Errorf("%w: its checksum does not fit", errDamaged)
	}
	o := &stateObject{data: b}
	for at := head; at < end; {
		s, from, ok := cutSection1(b[:end], at)
		if !ok {
			return nil, fmt.Errorf("%w: a section is cut short", errDamaged)
		}
		at = from + int(s.Size)
		o.sections = append(o.sections, s)
		o.places = append(o.places, place{int64(from), castagnoli(b[from:at])})
	}
	return o, nil
}

// cutSection1 reads the head of a section at a place; its data begins at from.
func cutSection1(b []byte, at int) (s engine.Section, from int, ok bool) {
	b = b[at:]
	if len(b) < 2 {
		return s, 0, false
	}
	n := int(binary.LittleEndian.Uint16(b))
	if b = b[2:]; len(b) < n+7 {
		return s, 0, false
	}
	s.Operator = string(b[:n])
	b = b[n:]
	s.Slot = int(binary.LittleEndian.Uint16(b))
	s.Whole = b[2] == 1
	s.Size = int64(binary.LittleEndian.Uint32(b[3:]))
	return s, at + 2 + n + 7, int64(len(b)-7) >= s.Size && s.Slot < column.Slots
}
