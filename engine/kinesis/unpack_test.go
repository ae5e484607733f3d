package kinesis

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
)

func gzipped(t *testing.T, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(data); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zlibbed(t *testing.T, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	if _, err := w.Write(data); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestUnpack: what is packed as the config says is unpacked, and all else, damaged or not, is given as it is.
func TestUnpack(t *testing.T) {
	row := []byte(`{"title":"` + strings.Repeat("a pin ", 100) + `"}`)
	gz, zl := gzipped(t, row), zlibbed(t, row)
	huge := gzipped(t, make([]byte, mostPlain+1))
	spoilt := bytes.Clone(gz)
	spoilt[len(spoilt)/2] ^= 0xff
	encoded := func(b []byte) []byte { return []byte(base64.StdEncoding.EncodeToString(b)) }
	for _, c := range []struct {
		name, compression string
		base64            bool
		data, want        []byte
	}{
		{"nothing said", "none", false, gz, gz},
		{"gzip", "gzip", false, gz, row},
		{"gzip in two parts", "gzip", false, append(bytes.Clone(gz), gz...), append(bytes.Clone(row), row...)},
		{"zlib", "zlib", false, zl, row},
		{"auto of gzip", "auto", false, gz, row},
		{"auto of zlib", "auto", false, zl, row},
		{"auto of neither", "auto", false, row, row},
		{"zlib expected", "zlib", false, gz, gz},
		{"gzip expected", "gzip", false, row, row},
		{"spoilt", "gzip", false, spoilt, spoilt},
		{"cut short", "gzip", false, gz[:len(gz)-9], gz[:len(gz)-9]},
		{"zlib cut short", "zlib", false, zl[:len(zl)-2], zl[:len(zl)-2]},
		{"only a beginning", "auto", false, gz[:3], gz[:3]},
		{"too large", "gzip", false, huge, huge},
		{"empty", "auto", true, []byte{}, []byte{}},
		{"base64", "none", true, encoded(row), row},
		{"base64 with an end of line", "none", true, append(encoded(row), '\n'), row},
		{"base64 of gzip", "gzip", true, encoded(gz), row},
		{"base64 of what is spoilt", "gzip", true, encoded(spoilt), encoded(spoilt)},
		{"JSON where base64 is expected", "none", true, row, row},
		{"neither", "none", true, []byte("a-b"), []byte("a-b")},
	} {
		u := newUnpacker(&Config{Compression: c.compression, Base64: c.base64})
		for range 2 { // memory is used again, after damage too
			in := bytes.Clone(c.data)
			if got := u.open(in); !bytes.Equal(got, c.want) || got == nil {
				t.Errorf("%s: %.50q, want %.50q", c.name, got, c.want)
			}
			if !bytes.Equal(in, c.data) {
				t.Errorf("%s: the data was changed", c.name)
			}
			if c.compression == "gzip" && !c.base64 {
				if got := u.open(gz); !bytes.Equal(got, row) {
					t.Errorf("%s: the next record is %.50q", c.name, got)
				}
			}
		}
	}
}

// TestPace: five reads a second, one by one; and two mebibytes a second, whatever an answer has.
func TestPace(t *testing.T) {
	var p pace
	begin := time.Unix(1000, 0)
	now := begin
	read := func(bytes int) time.Duration {
		now = now.Add(p.wait(now))
		p.began(now)
		p.got(now, bytes)
		return now.Sub(begin)
	}
	var got []time.Duration
	for range 8 {
		got = append(got, read(0))
	}
	for i, at := range got {
		if at != time.Duration(i)*readPause {
			t.Fatalf("reads at %v", got)
		}
	}
	if readPause < time.Second/5 {
		t.Errorf("a read each %v", readPause)
	}
	now = now.Add(time.Minute)
	from := read(10 << 20)
	if next := read(1<<20) - from; next != 5*time.Second {
		t.Errorf("after 10 MiB the next read came after %v", next)
	}
	if next := read(0) - from; next != 5500*time.Millisecond {
		t.Errorf("after 1 MiB more the next read came after %v", next)
	}
	p.off = true
	if d := p.wait(begin); d != 0 {
		t.Errorf("off, it waits for %v", d)
	}
}
