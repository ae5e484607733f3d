package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The thrift decoder believes what lengths it reads. skim walks over a struct in thrift's compact protocol
// before it is decoded and refuses one that says to be larger than the bytes there are.

// maxNesting is more than metadata of Parquet nests.
const maxNesting = 32

var errCut = errors.New("the bytes end in the middle")

// skim gives the length of the struct that b begins with.
func skim(b []byte) (int, error) {
	s := skimmer{rest: b}
	if err := s.structure(maxNesting); err != nil {
		return 0, fmt.Errorf("metadata at byte %d: %w", len(b)-len(s.rest), err)
	}
	return len(b) - len(s.rest), nil
}

type skimmer struct{ rest []byte }

// The types of the compact protocol.
const (
	thriftStop, thriftTrue, thriftFalse, thriftByte, thriftI16, thriftI32, thriftI64    = 0, 1, 2, 3, 4, 5, 6
	thriftDouble, thriftBinary, thriftList, thriftSet, thriftMap, thriftStruct, thriftU = 7, 8, 9, 10, 11, 12, 13
)

// structure skips fields up to the stop: each a byte with the type in its lower half, and an id if the upper
// half, the distance to the last id, is 0.
func (s *skimmer) structure(depth int) error {
	for {
		h, err := s.take(1)
		if err != nil {
			return err
		}
		if h[0] == thriftStop {
			return nil
		}
		if h[0]>>4 == 0 {
			if _, err := s.number(); err != nil {
				return err
			}
		}
		if t := h[0] & 15; t != thriftTrue && t != thriftFalse { // a bool is its type
			if err := s.value(t, depth-1); err != nil {
				return err
			}
		}
	}
}

func (s *skimmer) value(t byte, depth int) error {
	if depth <= 0 {
		return errors.New("too deeply nested")
	}
	var err error
	switch t {
	case thriftTrue, thriftFalse, thriftByte: // in a list a bool is a byte
		_, err = s.take(1)
	case thriftI16, thriftI32, thriftI64:
		_, err = s.number()
	case thriftDouble:
		_, err = s.take(8)
	case thriftU:
		_, err = s.take(16)
	case thriftBinary:
		var n uint64
		if n, err = s.number(); err == nil {
			_, err = s.take(n)
		}
	case thriftList, thriftSet:
		err = s.list(depth)
	case thriftStruct:
		err = s.structure(depth)
	default:
		err = fmt.Errorf("there is no type %d in metadata of Parquet", t)
	}
	return err
}

// list skips a list: a byte with the elements' type in its lower half and their number in the upper, or 15
// there and the number behind.
func (s *skimmer) list(depth int) error {
	h, err := s.take(1)
	if err != nil {
		return err
	}
	n := uint64(h[0] >> 4)
	if n == 15 {
		if n, err = s.number(); err != nil {
			return err
		}
	}
	if n > uint64(len(s.rest)) { // none is shorter than a byte
		return errCut
	}
	for range n {
		if err := s.value(h[0]&15, depth-1); err != nil {
			return err
		}
	}
	return nil
}

func (s *skimmer) number() (uint64, error) {
	v, n := binary.Uvarint(s.rest)
	if n <= 0 {
		return 0, errCut
	}
	s.rest = s.rest[n:]
	return v, nil
}

func (s *skimmer) take(n uint64) ([]byte, error) {
	if n > uint64(len(s.rest)) {
		return nil, errCut
	}
	b := s.rest[:n]
	s.rest = s.rest[n:]
	return b, nil
}
