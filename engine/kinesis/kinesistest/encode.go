package kinesistest

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
)

func encodeJSON(r record, key string, data []byte) []byte {
	k, _ := json.Marshal(key)
	return fmt.Appendf(nil, `{"SequenceNumber":%q,"ApproximateArrivalTimestamp":%d.%03d,"Data":%q,"PartitionKey":%s}`,
		r.seq, r.at.Unix(), r.at.UnixMilli()%1000, base64.StdEncoding.EncodeToString(data), k)
}

func encodeCBOR(r record, key string, data []byte) []byte {
	b := cborText([]byte{0xa4}, "SequenceNumber", r.seq)
	b = append(cborHead(cborText(b, "ApproximateArrivalTimestamp"), 6, 1), cborHead(nil, 0, uint64(r.at.UnixMilli()))...)
	b = append(cborHead(cborText(b, "Data"), 2, uint64(len(data))), data...)
	return cborText(b, "PartitionKey", key)
}

// cborHead begins a value of a major type.
func cborHead(b []byte, major byte, n uint64) []byte {
	switch {
	case n < 24:
		return append(b, major<<5|byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, major<<5|25), uint16(n))
	}
	return binary.BigEndian.AppendUint64(append(b, major<<5|27), n)
}

func cborText(b []byte, texts ...string) []byte {
	for _, t := range texts {
		b = append(cborHead(b, 3, uint64(len(t))), t...)
	}
	return b
}

// readCBOR reads a map of texts, whole numbers and booleans, which is what requests are.
func readCBOR(b []byte) (map[string]any, error) {
	bad := fmt.Errorf("no request in CBOR: %x", b)
	value := func() (any, bool) {
		if len(b) == 0 {
			return nil, false
		}
		major, n := b[0]>>5, uint64(b[0]&31)
		b = b[1:]
		if n >= 24 {
			size := 1 << (n - 24)
			if n > 27 || len(b) < size {
				return nil, false
			}
			n = 0
			for _, c := range b[:size] {
				n = n<<8 | uint64(c)
			}
			b = b[size:]
		}
		switch {
		case major == 0:
			return n, true
		case major == 3 && n <= uint64(len(b)):
			t := string(b[:n])
			b = b[n:]
			return t, true
		case major == 5:
			return n, true
		}
		return nil, false
	}
	pairs, ok := value()
	n, isNumber := pairs.(uint64)
	if !ok || !isNumber {
		return nil, bad
	}
	all := map[string]any{}
	for range n {
		k, ok1 := value()
		v, ok2 := value()
		name, isText := k.(string)
		if !ok1 || !ok2 || !isText {
			return nil, bad
		}
		all[name] = v
	}
	return all, nil
}

// event is a message of an event stream (docs.aws.amazon.com/transcribe/latest/dg/event-stream.html):
//
//	total length, length of headers, CRC of these, headers, payload, CRC of all
//
// A header is a length and a name, 7 for "text", a length and a value.
func event(payload []byte, headers ...string) []byte {
	var h []byte
	for i := 0; i < len(headers); i += 2 {
		h = append(append(h, byte(len(headers[i]))), headers[i]...)
		h = binary.BigEndian.AppendUint16(append(h, 7), uint16(len(headers[i+1])))
		h = append(h, headers[i+1]...)
	}
	m := binary.BigEndian.AppendUint32(nil, uint32(16+len(h)+len(payload)))
	m = binary.BigEndian.AppendUint32(m, uint32(len(h)))
	m = binary.BigEndian.AppendUint32(m, crc32.ChecksumIEEE(m))
	m = append(append(m, h...), payload...)
	return binary.BigEndian.AppendUint32(m, crc32.ChecksumIEEE(m))
}
