package kafka

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-io/millrace/engine"
)

// A made batch is one that a test makes by hand.
type made struct {
	first      int64
	last       int32 // relative; below the last record's: that
	attributes int16
	base, max  int64 // timestamps
	producer   int64
	records    []kmsg.Record
	codec      kgo.CompressionCodec
	packed     []byte // the records as they are stored, instead of made from the above
}

func (m made) bytes(t testing.TB) []byte {
	t.Helper()
	var body []byte
	for _, r := range m.records {
		r.Length = 0
		r.Length = int32(len(r.AppendTo(nil)) - 1)
		body = r.AppendTo(body)
		m.last = max(m.last, r.OffsetDelta)
	}
	attributes := m.attributes
	if c, err := kgo.DefaultCompressor(m.codec); err != nil {
		t.Fatal(err)
	} else if c != nil && m.packed == nil {
		packed, codec := c.Compress(&bytes.Buffer{}, body)
		body = bytes.Clone(packed)
		attributes |= int16(codec)
	}
	if m.packed != nil {
		body = m.packed
	}
	b := kmsg.RecordBatch{
		FirstOffset: m.first, Length: int32(batchHead - batchPrefix + len(body)), Magic: 2, Attributes: attributes, LastOffsetDelta: m.last,
		FirstTimestamp: m.base, MaxTimestamp: m.max, ProducerID: m.producer, NumRecords: int32(len(m.records)), Records: body,
	}
	return sign(b.AppendTo(nil))
}

// sign makes the checksum right.
func sign(b []byte) []byte {
	binary.BigEndian.PutUint32(b[17:], crc32.Checksum(b[21:], crc32.MakeTable(crc32.Castagnoli)))
	return b
}

// values are records with the values given, at offsets that follow each other.
func values(v ...string) []kmsg.Record {
	var all []kmsg.Record
	for i, v := range v {
		all = append(all, kmsg.Record{OffsetDelta: int32(i), Value: []byte(v)})
	}
	return all
}

func marker(at, producer int64, commit byte) made {
	key := []byte{0, 0, 0, commit}
	return made{first: at, attributes: transactional | control, producer: producer, records: []kmsg.Record{{Key: key, Value: make([]byte, 6)}}}
}

type aborted = kmsg.FetchResponseTopicPartitionAbortedTransaction

// cutAll cuts one chunk, from an offset on, and gives every record as text and the position after it.
func cutAll(t testing.TB, data []byte, from int64, gone ...aborted) ([]string, int64, error) {
	t.Helper()
	batches, next, err := whole(data, from)
	c := &cutter{next: from, unpack: newUnpacker()}
	c.load(chunk{batches: batches, aborted: gone})
	var all []string
	for !c.empty() {
		var frame engine.Frame
		var bad error
		frame, bad = c.cut(nil)
		for r, rest, ok := frame.Next(); ok; r, rest, ok = rest.Next() {
			all = append(all, show(r))
		}
		if bad != nil {
			return all, c.next, bad
		}
	}
	if err == nil && len(batches) > 0 && c.next != next {
		t.Errorf("cut up to offset %d, where the batches end at %d", c.next, next)
	}
	return all, c.next, err
}

// show is a record as text: offset@milliseconds key{headers}=value, null as "-".
func show(r engine.Record) string {
	var headers strings.Builder
	engine.EachHeader(r.Headers, func(name, value []byte) { fmt.Fprintf(&headers, "{%s:%s}", name, orNull(value)) })
	return fmt.Sprintf("%d@%d %s%s=%s", r.Offset, r.At/1000, orNull(r.Key), headers.String(), orNull(r.Value))
}

func orNull(b []byte) string {
	if b == nil {
		return "-"
	}
	return fmt.Sprintf("%q", b)
}

func TestCut(t *testing.T) {
	join := func(all ...made) []byte {
		var b []byte
		for _, m := range all {
			b = append(b, m.bytes(t)...)
		}
		return b
	}
	abc := made{first: 10, base: 1000, max: 1007, records: values("a", "b", "c")}
	for name, c := range map[string]struct {
		data []byte
		from int64
		gone []aborted
		want string
		next int64
	}{
		"plain":             {data: join(abc), from: 10, want: `10@1000 -="a" 11@1000 -="b" 12@1000 -="c"`, next: 13},
		"from the middle":   {data: join(abc), from: 11, want: `11@1000 -="b" 12@1000 -="c"`, next: 13},
		"nothing":           {from: 7, next: 7},
		"a batch too early": {data: join(made{first: 5, records: values("z")}, abc), from: 12, want: `12@1000 -="c"`, next: 13},
		"keys, nulls, headers": {data: join(made{base: 5, records: []kmsg.Record{
			{Key: []byte("k"), Value: []byte("v"), TimestampDelta64: -7, Headers: []kmsg.Header{{Key: "h", Value: []byte("1")}, {Key: "", Value: nil}}},
			{OffsetDelta: 1, Key: []byte{}, Value: nil, TimestampDelta64: 1 << 40},
			{OffsetDelta: 2, Value: []byte{}, Headers: []kmsg.Header{{Key: "e", Value: []byte{}}}},
		}}), want: `0@-2 "k"{h:"1"}{:-}="v" 1@1099511627781 ""=- 2@5 -{e:""}=""`, next: 3},
		"the log's time":         {data: join(made{attributes: logAppendTime, base: 1, max: 99, records: []kmsg.Record{{TimestampDelta64: 7}}}), want: `0@99 -=-`, next: 1},
		"gaps":                   {data: join(made{last: 9, records: []kmsg.Record{{OffsetDelta: 3}, {OffsetDelta: 7}}}), want: `3@0 -=- 7@0 -=-`, next: 10},
		"compacted to nothing":   {data: join(made{last: 9}, made{first: 10, last: 4}), next: 15},
		"the last one cut off":   {data: append(join(abc), join(made{first: 13, records: values("d")})[:65]...), from: 10, want: `10@1000 -="a" 11@1000 -="b" 12@1000 -="c"`, next: 13},
		"cut off within a head":  {data: append(join(abc), 0, 0, 0), from: 10, want: `10@1000 -="a" 11@1000 -="b" 12@1000 -="c"`, next: 13},
		"only markers":           {data: join(marker(0, 1, 1), marker(1, 2, 0)), next: 2},
		"committed, interleaved": {data: join(made{producer: 1, attributes: transactional, records: values("a")}, made{first: 1, producer: 2, attributes: transactional, records: values("x")}, made{first: 2, records: values("n")}, marker(3, 2, 0), made{first: 4, producer: 1, attributes: transactional, records: values("b")}, marker(5, 1, 1)), gone: []aborted{{ProducerID: 2, FirstOffset: 1}}, want: `0@0 -="a" 2@0 -="n" 4@0 -="b"`, next: 6},
		"aborted, then not": {data: join(made{producer: 1, attributes: transactional, records: values("x")}, marker(1, 1, 0), made{first: 2, producer: 1, attributes: transactional, records: values("a")}, marker(3, 1, 1), made{first: 4, producer: 1, attributes: transactional, records: values("y")}),
			gone: []aborted{{ProducerID: 1, FirstOffset: 4}, {ProducerID: 1, FirstOffset: 0}}, want: `2@0 -="a"`, next: 5},
		"aborted, not transactional": {data: join(made{producer: 1, records: values("a")}), gone: []aborted{{ProducerID: 1}}, want: `0@0 -="a"`, next: 1},
	} {
		t.Run(name, func(t *testing.T) {
			got, next, err := cutAll(t, c.data, c.from, c.gone...)
			if err != nil {
				t.Fatal(err)
			}
			if s := strings.Join(got, " "); s != c.want || next != c.next {
				t.Errorf("got  %s, next %d\nwant %s, next %d", s, next, c.want, c.next)
			}
			if s := strings.Join(oracle(t, c.data, c.from, c.gone...), " "); s != c.want {
				t.Errorf("franz-go has %s", s)
			}
		})
	}
}

// What every codec gives is what franz-go's own decoder makes of the same bytes.
func TestCutCompressed(t *testing.T) {
	var long []kmsg.Record
	for i := range 3000 {
		long = append(long, kmsg.Record{OffsetDelta: int32(2 * i), TimestampDelta64: int64(i), Key: fmt.Appendf(nil, "%d", i), Value: bytes.Repeat([]byte{byte(i), byte(i >> 3)}, i%400)})
	}
	for name, codec := range map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	} {
		t.Run(name, func(t *testing.T) {
			data := made{first: 5, records: long, codec: codec}.bytes(t)
			data = append(data, made{first: 6005, records: values("a", "b"), codec: codec}.bytes(t)...)
			got, _, err := cutAll(t, data, 100)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(oracle(t, data, 100), got); diff != "" {
				t.Errorf("franz-go (-) and the cutter (+) differ:\n%s", diff)
			}
		})
	}
}

// oracle is what franz-go reads.
func oracle(t testing.TB, data []byte, from int64, gone ...aborted) []string {
	t.Helper()
	all, err := franz(data, from, gone...)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func franz(data []byte, from int64, gone ...aborted) ([]string, error) {
	opts := kgo.ProcessFetchPartitionOpts{Offset: from, IsolationLevel: kgo.ReadCommitted()}
	p, _ := kgo.ProcessFetchPartition(opts, &kmsg.FetchResponseTopicPartition{RecordBatches: data, AbortedTransactions: gone}, kgo.DefaultDecompressor(), nil)
	var all []string
	for _, r := range p.Records {
		var headers []byte
		for _, h := range r.Headers {
			headers = engine.AppendHeader(headers, []byte(h.Key), h.Value)
		}
		all = append(all, show(engine.Record{Offset: engine.Offset(r.Offset), At: timeOf(r.Timestamp.UnixMilli()), Key: r.Key, Headers: headers, Value: r.Value}))
	}
	return all, p.Err
}

// Snappy comes in two framings; that of Java clients is xerial's: a magic of 8 bytes, two versions, then
// blocks, each with its length in front.
func TestCutXerialSnappy(t *testing.T) {
	plain := made{records: values("a", "bb")}.bytes(t)[batchHead:]
	block := append([]byte{byte(len(plain)), byte(len(plain)-1) << 2}, plain...) // one literal
	packed := append([]byte{130, 'S', 'N', 'A', 'P', 'P', 'Y', 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, byte(len(block))}, block...)
	got, _, err := cutAll(t, made{attributes: 2, packed: packed, records: values("a", "bb")}.bytes(t), 0)
	if s := strings.Join(got, " "); err != nil || s != `0@0 -="a" 1@0 -="bb"` {
		t.Errorf("got %s, %v", s, err)
	}
}

func TestCutDamaged(t *testing.T) {
	good := made{first: 3, records: values("a", "b")}
	change := func(signed bool, f func(b []byte)) []byte {
		b := good.bytes(t)
		f(b)
		if signed {
			sign(b)
		}
		return b
	}
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"a byte changed":        {change(false, func(b []byte) { b[70] ^= 1 }), "its checksum is"},
		"a count below 0":       {change(true, func(b []byte) { b[57] = 0xff }), "it has -"},
		"more than there are":   {change(true, func(b []byte) { b[60] = 9 }), "offset 5 is damaged: 7 of its 9 records are missing"},
		"a record too long":     {change(true, func(b []byte) { b[61] = 0x7e }), "2 of its 2 records are missing"},
		"a value too long":      {change(true, func(b []byte) { b[66] = 0x7e }), "the record at offset 3 ends too early"},
		"a length of nothing":   {change(false, func(b []byte) { b[11] = 3 }), "its length is 3"},
		"another format":        {change(false, func(b []byte) { b[16] = 7 }), "magic 7"},
		"no such codec":         {change(true, func(b []byte) { b[22] = 6 }), "decompress it"},
		"not what it was":       {change(true, func(b []byte) { b[22] = 1 }), "decompress it"},
		"offsets before":        {made{records: values("a")}.bytes(t), "what came instead lies before it"},
		"its end before itself": {change(true, func(b []byte) { copy(b, []byte{0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}) }), "what came instead lies before it"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := cutAll(t, c.data, 3)
			var bad *corrupt
			if !errors.As(err, &bad) || !strings.HasPrefix(err.Error(), "the batch at offset ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

// Records that clients from before Kafka 0.11 wrote: messages of magic 0 and 1, alone and compressed.
func TestCutOldMessages(t *testing.T) {
	old := func(offset int64, magic, attributes int8, value []byte) []byte {
		var b []byte
		if magic == 0 {
			b = (&kmsg.MessageV0{Offset: offset, Magic: 0, Attributes: attributes, Key: []byte("k"), Value: value}).AppendTo(nil)
		} else {
			b = (&kmsg.MessageV1{Offset: offset, Magic: 1, Attributes: attributes, Timestamp: 77, Value: value}).AppendTo(nil)
		}
		binary.BigEndian.PutUint32(b[8:], uint32(len(b)-12))
		binary.BigEndian.PutUint32(b[12:], crc32.ChecksumIEEE(b[16:]))
		return b
	}
	c, err := kgo.DefaultCompressor(kgo.GzipCompression())
	if err != nil {
		t.Fatal(err)
	}
	inner, _ := c.Compress(&bytes.Buffer{}, append(old(0, 1, 0, []byte("c")), old(1, 1, 0, []byte("d"))...))
	var data []byte
	for _, m := range [][]byte{old(5, 0, 0, []byte("a")), old(6, 1, 0, []byte("b")), old(8, 1, 1, inner)} {
		data = append(data, m...)
	}
	data = append(data, made{first: 9, records: values("e")}.bytes(t)...)
	got, next, err := cutAll(t, data, 6)
	if s := strings.Join(got, " "); err != nil || next != 10 || s != `6@77 -="b" 7@77 -="c" 8@77 -="d" 9@0 -="e"` {
		t.Errorf("got %s, next %d, %v", s, next, err)
	}
	data[20] ^= 0xff
	if _, _, err := cutAll(t, data, 5); err == nil || !strings.Contains(err.Error(), "offset 5") {
		t.Errorf("got %v, want an error that names offset 5", err)
	}
}

// A frame ends where it is full, and goes on in the next.
func TestCutManyFrames(t *testing.T) {
	var all []kmsg.Record
	for i := range 2000 {
		all = append(all, kmsg.Record{OffsetDelta: int32(i), Value: make([]byte, 1000)})
	}
	c := &cutter{unpack: newUnpacker()}
	c.load(chunk{batches: made{records: all, codec: kgo.ZstdCompression()}.bytes(t)})
	want := engine.Offset(0)
	for frames := 1; !c.empty(); frames++ {
		frame, err := c.cut(nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(frame) < frameSize && !c.empty() {
			t.Errorf("frame %d has %d bytes", frames, len(frame))
		}
		for r, rest, ok := frame.Next(); ok; r, rest, ok = rest.Next() {
			if r.Offset != want {
				t.Fatalf("offset %d, want %d", r.Offset, want)
			}
			want++
		}
	}
	if want != 2000 {
		t.Errorf("%d records came", want)
	}
}

// FuzzCut: whatever bytes a broker sends, cutting neither panics nor gives a record below the offset asked
// for; and what both can read, franz-go reads the same.
func FuzzCut(f *testing.F) {
	for _, codec := range []kgo.CompressionCodec{kgo.NoCompression(), kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression()} {
		m := made{first: 3, base: 9, records: append(values("a", "bb"), kmsg.Record{OffsetDelta: 5, Key: []byte("k"), Headers: []kmsg.Header{{Key: "h", Value: []byte("v")}}}), codec: codec}
		f.Add(m.bytes(f), int64(3))
	}
	f.Add(append(made{producer: 1, attributes: transactional, records: values("x")}.bytes(f), marker(1, 1, 0).bytes(f)...), int64(0))
	time := regexp.MustCompile(`@-?[0-9]+`)
	f.Fuzz(func(t *testing.T, data []byte, from int64) {
		if from < 0 || from > 1<<40 {
			return
		}
		for rest := data; ; { // so that more than the checksum is tried
			b, after, err := nextBatch(rest)
			if b == nil || err != nil {
				break
			}
			if b.magic() == 2 {
				sign(b)
				if codec := b.attributes() & compression; codec != 0 && len(b) > 4<<10 {
					return // may claim gigabytes
				}
			}
			rest = after
		}
		gone := aborted{ProducerID: 1}
		got, next, err := cutAll(t, data, from, gone)
		if next < from {
			t.Errorf("cutting from %d ends at %d", from, next)
		}
		want, wantErr := franz(data, from, gone)
		// franz-go counts nanoseconds in 64 bits and so has other times after the year 2262.
		untimed := func(all []string) string { return time.ReplaceAllString(strings.Join(all, " "), "@") }
		if err == nil && wantErr == nil && untimed(got) != untimed(want) {
			t.Errorf("got %v, franz-go has %v", got, want)
		}
	})
}

// BenchmarkCut: what a record of 732 bytes costs between the socket and the frame.
func BenchmarkCut(b *testing.B) {
	const records = 1000
	var all []kmsg.Record
	for i := range records {
		all = append(all, kmsg.Record{OffsetDelta: int32(i), TimestampDelta64: int64(i), Value: bytes.Repeat([]byte("v"), 732)})
	}
	data := made{records: all}.bytes(b)
	c := &cutter{unpack: newUnpacker()}
	frame := make(engine.Frame, 0, 2*frameSize)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		c.next = 0
		c.load(chunk{batches: data})
		for !c.empty() {
			var err error
			if frame, err = c.cut(frame[:0]); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/records, "ns/record")
}
