package json_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/codec/json"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/enginetest/corpus"
)

// pinSchema is the schema of the pin topic.
func pinSchema(t testing.TB) column.Schema {
	return schemaOf(t, "index: long!, unique_id: string!, title: string, description: string, poster_name: string, "+
		"follower_count: string, tag_list: string, is_image_or_video: string, image_src: string, downloaded: int, "+
		"save_location: string, category: string")
}

// schemaOf reads a schema as Schema.String writes it.
func schemaOf(t testing.TB, text string) column.Schema {
	t.Helper()
	parsed, err := column.ParseType("struct<" + text + ">")
	if err != nil {
		t.Fatal(err)
	}
	return parsed.Fields()
}

// pins makes n records of the lengths that the real ones have: about 730 bytes, a mark beyond ASCII in two
// of five, an escape in one of forty.
func pins(n int) [][]byte {
	rnd := rand.New(rand.NewPCG(1, 2))
	text := func(lengths ...int) string {
		var b strings.Builder
		for want := lengths[rnd.IntN(len(lengths))]; b.Len() < want; {
			word := make([]byte, min(1+rnd.IntN(9), want-b.Len()))
			for i := range word {
				word[i] = byte('a' + rnd.IntN(26))
			}
			b.Write(word)
			if b.Len() < want {
				b.WriteByte(' ')
			}
		}
		return b.String()
	}
	records := make([][]byte, n)
	for i := range records {
		description := text(37, 63, 106, 133, 146, 156, 178, 178, 178)
		if rnd.IntN(5) < 2 {
			description += "… "
		}
		if rnd.IntN(40) == 0 {
			description = `\"` + description + `\n`
		}
		records[i] = fmt.Appendf(nil, `{"index": %d, "unique_id": "%08x-%04x-4%03x-a%03x-%012x", "title": "%s", "description": "%s", `+
			`"poster_name": "%s", "follower_count": "%dk", "tag_list": "%s", "is_image_or_video": "image", `+
			`"image_src": "https://i.pinimg.com/originals/%x/%x/%x/%s.jpg", "downloaded": 1, "save_location": "Local save in /data/%s", "category": "%s"}`,
			rnd.IntN(11000), rnd.Uint32(), rnd.IntN(1<<16), rnd.IntN(1<<12), rnd.IntN(1<<12), rnd.Int64N(1<<48),
			text(21, 30, 37, 42, 49, 54, 60, 66, 82), description, text(8, 11, 12, 14, 16, 18, 22, 32, 54), rnd.IntN(1000),
			text(120, 131, 138, 144, 151, 158, 165, 174, 188), rnd.IntN(256), rnd.IntN(256), rnd.IntN(256), strings.Repeat("0123456789abcdef", 2),
			"home-decor", "home-decor")
	}
	return records
}

func frameOf(values [][]byte) engine.Frame {
	var f engine.Frame
	for i, v := range values {
		f = f.AppendRecord(engine.Record{Offset: engine.Offset(i), At: engine.Time(i), Value: v})
	}
	return f
}

// realPins reads the records of the real pin topic, or skips.
func realPins(t testing.TB) [][]byte {
	data, err := io.ReadAll(corpus.Open(t, "pinterest", "pin.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Split(bytes.TrimSpace(data), []byte("\n"))
}

func BenchmarkDecode(b *testing.B) {
	b.Run("generated", func(b *testing.B) { benchmarkDecode(b, pins(883)) })
	b.Run("real", func(b *testing.B) { benchmarkDecode(b, realPins(b)) })
}

// benchmarkDecode decodes frames of about 256 KiB; a frame is an operation, and time and allocations are
// given a record.
func benchmarkDecode(b *testing.B, records [][]byte) {
	schema := pinSchema(b)
	d, err := json.New(schema, json.Options{})
	if err != nil {
		b.Fatal(err)
	}
	const perFrame = 350
	var frames []engine.Frame
	for len(records) >= perFrame {
		frames = append(frames, frameOf(records[:perFrame]))
		records = records[perFrame:]
	}
	var pool column.Pool
	rows := engine.Rows{}
	b.SetBytes(int64(len(frames[0])))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		arena := pool.Get()
		rows = engine.Rows{Columns: rows.Columns[:0], Offset: rows.Offset[:0], At: rows.At[:0]}
		for _, f := range schema {
			rows.Columns = append(rows.Columns, arena.Column(f.Type))
		}
		if err := d.Decode(frames[i%len(frames)], &rows); err != nil {
			b.Fatal(err)
		}
		if len(rows.Offset) != perFrame {
			b.Fatalf("%d rows: %v", len(rows.Offset), rows.Rejects[0])
		}
		arena.Release()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/perFrame, "ns/record")
}
