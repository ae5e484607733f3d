package parquet

import (
	"encoding/binary"
	"fmt"

	"github.com/parquet-go/parquet-go/encoding/thrift"
)

// magic is at the beginning and at the end of every file.
const magic = "PAR1"

// writeMagic begins the file, unless that is done.
func (e *Encoder) writeMagic() error {
	if e.at > 0 {
		return nil
	}
	return e.write([]byte(magic))
}

// writeFooter ends the file: metadata, the length of it as four bytes, magic.
func (e *Encoder) writeFooter() error {
	if err := e.writeMagic(); err != nil {
		return err
	}
	footer, err := thrift.Marshal(new(thrift.CompactProtocol), &e.meta)
	if err != nil {
		return fmt.Errorf("encode the footer: %w", err)
	}
	footer = binary.LittleEndian.AppendUint32(footer, uint32(len(footer)))
	return e.write(append(footer, magic...))
}

func (e *Encoder) write(b []byte) error {
	n, err := e.w.Write(b)
	e.at += int64(n)
	if err != nil {
		return fmt.Errorf("write at %d: %w", e.at, err)
	}
	return nil
}
