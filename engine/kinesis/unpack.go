package kinesis

import (
	"bytes"
	"encoding/base64"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
)

// An unpacker turns a record's data into what was put there, as the config says. Its memory is used again.
type unpacker struct {
	base64     bool
	gzip, zlib bool

	in    bytes.Reader
	gz    *gzip.Reader
	zl    io.ReadCloser
	text  []byte
	plain []byte
}

func newUnpacker(c *Config) *unpacker {
	return &unpacker{
		base64: c.Base64,
		gzip:   c.Compression == "gzip" || c.Compression == "auto",
		zlib:   c.Compression == "zlib" || c.Compression == "auto",
	}
}

// mostPlain bounds a record after decompression. A larger one counts as damaged.
const mostPlain = 32 << 20

// open gives the value of data, valid until the next call. What is not packed as expected, is damaged, or is larger than
// mostPlain is given as it is: the decoder judges it, and it goes to quarantine with the bytes that came.
func (u *unpacker) open(data []byte) []byte {
	value := data
	if u.base64 {
		value = u.decode(value)
	}
	var plain []byte
	switch {
	case u.gzip && len(value) > 2 && value[0] == 0x1f && value[1] == 0x8b:
		plain = u.gunzip(value)
	case u.zlib && len(value) > 2 && value[0]&0x0f == 8 && (uint(value[0])<<8|uint(value[1]))%31 == 0:
		plain = u.inflate(value)
	default:
		return value
	}
	if plain == nil {
		return data
	}
	return plain
}

func (u *unpacker) decode(data []byte) []byte {
	text := bytes.TrimSpace(data)
	if len(text) == 0 || text[0] == '{' || text[0] == '[' { // JSON as it is
		return data
	}
	u.text = append(u.text[:0], text...)
	n, err := base64.StdEncoding.Decode(u.text, text)
	if err != nil {
		return data
	}
	return u.text[:n]
}

func (u *unpacker) gunzip(data []byte) []byte {
	u.in.Reset(data)
	var err error
	if u.gz == nil {
		u.gz, err = gzip.NewReader(&u.in)
	} else {
		err = u.gz.Reset(&u.in)
	}
	if err != nil {
		u.gz = nil
		return nil
	}
	return u.read(u.gz)
}

func (u *unpacker) inflate(data []byte) []byte {
	u.in.Reset(data)
	var err error
	if u.zl == nil {
		u.zl, err = zlib.NewReader(&u.in)
	} else {
		err = u.zl.(zlib.Resetter).Reset(&u.in, nil)
	}
	if err != nil {
		u.zl = nil
		return nil
	}
	return u.read(u.zl)
}

// read gives all that r has, or nil if it is damaged or too much.
func (u *unpacker) read(r io.Reader) []byte {
	buf := bytes.NewBuffer(u.plain[:0])
	n, err := buf.ReadFrom(io.LimitReader(r, mostPlain+1))
	if u.plain = buf.Bytes(); cap(u.plain) > keepPlain {
		defer func() { u.plain = nil }()
	}
	if err != nil || n > mostPlain {
		return nil
	}
	return u.plain
}

// keepPlain bounds the memory that is kept for the next record.
const keepPlain = 4 << 20
