package kinesis

import (
	"encoding/binary"
	"math"
	"time"
)

// Major types of CBOR (RFC 8949, section 3.1), and what else of it Kinesis uses.
const (
	cborUint   = 0
	cborNegInt = 1
	cborBytes  = 2
	cborText   = 3
	cborArray  = 4
	cborMap    = 5
	cborTag    = 6
	cborOther  = 7

	cborBreak      = 0xff
	cborNull       = 0xf6
	cborIndefinite = 31 // as additional information: the length is not said, a break ends it
)

// A cborReader reads an answer in CBOR, where data needs no base64. It makes no objects: texts are slices of the body.
type cborReader struct {
	b   []byte
	p   int
	bad bool
}

// readCBOR reads the body of an answer to GetRecords: the map of readJSON, with data as bytes and times as milliseconds.
func (a *answer) readCBOR() error {
	c := cborReader{b: a.body}
	for i, _ := c.items(cborMap); c.more(&i); {
		switch string(c.text()) {
		case "Records":
			var records cborItems
			for records, a.hasRecords = c.items(cborArray); c.more(&records); {
				a.records = append(a.records, record{})
				c.record(&a.records[len(a.records)-1])
			}
		case "NextShardIterator":
			a.next = string(c.text())
		case "ChildShards":
			for shards, _ := c.items(cborArray); c.more(&shards); a.children = true {
				c.skip(0)
			}
		case "MillisBehindLatest":
			a.behind, a.told = time.Duration(c.integer())*time.Millisecond, true
		default:
			c.skip(0)
		}
	}
	if c.bad || c.p != len(c.b) {
		return damaged{"it is no CBOR, or cut short"}
	}
	return a.check()
}

func (c *cborReader) record(r *record) {
	for i, _ := c.items(cborMap); c.more(&i); {
		switch string(c.text()) {
		case "SequenceNumber":
			if !r.setNumber(c.text()) {
				c.bad = true
			}
		case "Data":
			r.base64 = c.p < len(c.b) && c.b[c.p]>>5 == cborText // as kinesis-local has it
			r.data = c.text()
		case "PartitionKey":
			r.key = c.text()
		case "ApproximateArrivalTimestamp":
			r.at = c.millis()
		default:
			c.skip(0)
		}
	}
}

// readCBORError reads what an error says: its code and its message.
func readCBORError(body []byte) (code, message string) {
	c := cborReader{b: body}
	for i, _ := c.items(cborMap); c.more(&i); {
		switch string(c.text()) {
		case "__type":
			code = string(c.text())
		case "message", "Message":
			message = string(c.text())
		default:
			c.skip(0)
		}
	}
	return code, message
}

// head reads what a value begins with: its major type, its additional information and its argument.
func (c *cborReader) head() (major, info byte, arg uint64) {
	if c.p >= len(c.b) {
		c.bad = true
		return cborOther, 0, 0
	}
	major, info = c.b[c.p]>>5, c.b[c.p]&31
	c.p++
	n := 0
	switch {
	case info < 24:
		return major, info, uint64(info)
	case info < 28:
		n = 1 << (info - 24)
	case info == cborIndefinite:
		return major, info, 0
	default:
		c.bad = true
		return major, info, 0
	}
	if len(c.b)-c.p < n {
		c.bad = true
		return major, info, 0
	}
	switch n {
	case 1:
		arg = uint64(c.b[c.p])
	case 2:
		arg = uint64(binary.BigEndian.Uint16(c.b[c.p:]))
	case 4:
		arg = uint64(binary.BigEndian.Uint32(c.b[c.p:]))
	case 8:
		arg = binary.BigEndian.Uint64(c.b[c.p:])
	}
	c.p += n
	return major, info, arg
}

// null passes a null, or an undefined, if it is the next.
func (c *cborReader) null() bool {
	if c.p < len(c.b) && (c.b[c.p] == cborNull || c.b[c.p] == cborNull+1) {
		c.p++
		return true
	}
	return false
}

// cborItems is what is to come of an array, or the pairs of a map.
type cborItems struct {
	left       uint64
	indefinite bool // left is not said
}

// items begins an array or a map. ok is false if there is none but a null, which has no items.
func (c *cborReader) items(want byte) (i cborItems, ok bool) {
	if c.null() {
		return i, false
	}
	major, info, n := c.head()
	if major != want {
		c.bad = true
	}
	return cborItems{left: n, indefinite: info == cborIndefinite}, true
}

// more says whether an item, or a pair, is to be read now.
func (c *cborReader) more(i *cborItems) bool {
	if c.bad {
		return false
	}
	if i.indefinite {
		if c.p < len(c.b) && c.b[c.p] == cborBreak {
			c.p++
			return false
		}
		return true
	}
	i.left--
	return i.left != math.MaxUint64
}

// text reads a text or bytes, and a null as nil.
func (c *cborReader) text() []byte {
	if c.null() {
		return nil
	}
	major, info, n := c.head()
	if major != cborText && major != cborBytes {
		c.bad = true
		return nil
	}
	if info == cborIndefinite {
		return c.chunks()
	}
	if n > uint64(len(c.b)-c.p) {
		c.bad = true
		return nil
	}
	from := c.p
	c.p += int(n)
	return c.b[from:c.p:c.p]
}

// chunks reads the pieces of a text whose length was not said.
func (c *cborReader) chunks() []byte {
	all := []byte{}
	for !c.bad {
		if c.p < len(c.b) && c.b[c.p] == cborBreak {
			c.p++
			break
		}
		if c.p < len(c.b) && c.b[c.p]&31 == cborIndefinite {
			c.bad = true // a piece is of one piece
			break
		}
		all = append(all, c.text()...)
	}
	return all
}

// integer reads a whole number, and a null as 0.
func (c *cborReader) integer() int64 {
	if c.null() {
		return 0
	}
	switch major, _, n := c.head(); {
	case n > math.MaxInt64:
	case major == cborUint:
		return int64(n)
	case major == cborNegInt:
		return -1 - int64(n)
	}
	c.bad = true
	return 0
}

// leastMillis is the whole number from which on a time is taken for milliseconds: they are after 1973, and seconds before
// the year 5138.
const leastMillis = 100_000_000_000

// millis reads a time, tagged or not: milliseconds as a whole number, or seconds as one with a fraction. Servers that give
// seconds leave out a fraction of zero.
func (c *cborReader) millis() int64 {
	if c.p < len(c.b) && c.b[c.p]>>5 == cborTag {
		c.head()
	}
	if c.p >= len(c.b) || c.b[c.p]>>5 != cborOther || c.null() {
		n := c.integer()
		if n < leastMillis && n > -leastMillis {
			n *= 1000
		}
		return n
	}
	_, info, bits := c.head()
	switch info {
	case 26:
		return int64(math.Round(float64(math.Float32frombits(uint32(bits))) * 1000))
	case 27:
		return int64(math.Round(math.Float64frombits(bits) * 1000))
	}
	c.bad = true
	return 0
}

// skip passes a value of any kind.
func (c *cborReader) skip(depth int) {
	if c.p >= len(c.b) || depth > deepest {
		c.bad = true
		return
	}
	switch c.b[c.p] >> 5 {
	case cborBytes, cborText:
		c.text()
	case cborArray:
		for i, _ := c.items(cborArray); c.more(&i); {
			c.skip(depth + 1)
		}
	case cborMap:
		for i, _ := c.items(cborMap); c.more(&i); {
			c.skip(depth + 1)
			c.skip(depth + 1)
		}
	case cborTag:
		c.head()
		c.skip(depth + 1)
	default:
		c.head()
	}
}

// appendCBOR begins a value.
func appendCBOR(b []byte, major byte, arg uint64) []byte {
	switch {
	case arg < 24:
		return append(b, major<<5|byte(arg))
	case arg < 1<<8:
		return append(b, major<<5|24, byte(arg))
	case arg < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, major<<5|25), uint16(arg))
	case arg < 1<<32:
		return binary.BigEndian.AppendUint32(append(b, major<<5|26), uint32(arg))
	}
	return binary.BigEndian.AppendUint64(append(b, major<<5|27), arg)
}

func appendCBORText(b []byte, text string) []byte {
	return append(appendCBOR(b, cborText, uint64(len(text))), text...)
}
