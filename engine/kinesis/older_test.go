package kinesis

import (
	"testing"

	"github.com/millrace-io/millrace/engine/kinesis/kinesistest"
)

// TestCBORCutShort: a server whose long answers in CBOR are cut short each time, as kinesalite's are after 16 KiB, is
// asked in JSON.
func TestCBORCutShort(t *testing.T) {
	v := serve(t, 1)
	v.Put(stream, shard0, "k", values(0, 900)...)
	v.Order(kinesistest.Fault{Op: "GetRecords", Times: -1, Mangle: func(b []byte) []byte {
		if len(b) > 0 && b[0] != '{' {
			return b[:len(b)/2]
		}
		return b
	}})
	s := open(t, v)
	g := gather(t, s, all(t, s)...)
	g.has(shard0, values(0, 900)...)
	if !s.protocol.plain.Load() {
		t.Error("the server is not asked in JSON")
	}
}

// TestMillisCBOR: a time is milliseconds, as Amazon and kinesis-local have it, or seconds, as kinesalite has it.
func TestMillisCBOR(t *testing.T) {
	for want, b := range map[int64][]byte{
		1_700_000_000_123:  appendCBOR(nil, cborUint, 1_700_000_000_123),
		1_700_000_000_124:  appendCBOR(appendCBOR(nil, cborTag, 1), cborUint, 1_700_000_000_124),
		1_700_000_000_000:  appendCBOR(nil, cborUint, 1_700_000_000),
		1_795_725_499_603:  {0xfb, 0x41, 0xda, 0xc2, 0x26, 0x2e, 0xe6, 0x97, 0x8d},
		-1_000:             appendCBOR(nil, cborNegInt, 0),
		-1_700_000_000_124: appendCBOR(nil, cborNegInt, 1_700_000_000_123),
	} {
		c := cborReader{b: b}
		if got := c.millis(); got != want || c.bad || c.p != len(b) {
			t.Errorf("%x is %d ms, want %d", b, got, want)
		}
	}
}
