package freshness

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/blob/mem"
	"github.com/millrace-io/millrace/engine/delta"
	"github.com/millrace-io/millrace/engine/enginetest/optest"
	"github.com/millrace-io/millrace/engine/parquet"
)

// TestTemplates: a record is JSON with the time and number that it was given, and as long as a pin.
func TestTemplates(t *testing.T) {
	all, err := templates()
	if err != nil {
		t.Fatal(err)
	}
	var sum int
	for i, template := range all {
		var r struct{ Sent, Index int64 }
		value := template.with(123, int64(i))
		if err := json.Unmarshal(value, &r); err != nil || r.Sent != 123 || r.Index != int64(i) {
			t.Fatalf("%s: %v", value, err)
		}
		sum += len(value)
	}
	if mean := sum / len(all); mean < 600 || mean > 850 {
		t.Errorf("records of %d bytes", mean)
	}
}

// TestWatch: rows are counted when their version comes, each once, and those of the warm-up only as seen.
func TestWatch(t *testing.T) {
	store := mem.New()
	schema := optest.Schema("sent: long!")
	table, err := delta.NewTable(delta.Config{
		Name: "fresh", Pipeline: "p", Store: store, Schema: schema,
		NewWriter: func(int, delta.Indexing) engine.TableWriter {
			w, err := parquet.NewWriter(store, schema, nil, parquet.Options{}, time.Now)
			if err != nil {
				t.Error(err)
			}
			return w
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	h := NewHistogram()
	from := time.Now()
	w := &watch{store: store, from: from.UnixMicro(), h: h, seen: map[string]bool{}}
	look := func() {
		t.Helper()
		if err := w.look(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	look() // there is no table
	state, err := table.Open(t.Context(), "line")
	if err != nil {
		t.Fatal(err)
	}
	for epoch := range engine.Epoch(3) {
		out := table.Writer(0)
		rows := []string{fmt.Sprintf(`{"sent":%d}`, from.Add(-time.Second).UnixMicro()), fmt.Sprintf(`{"sent":%d}`, time.Now().UnixMicro())}
		if err := out.Write(t.Context(), optest.Batch(schema, rows...)); err != nil {
			t.Fatal(err)
		}
		files, err := out.Cut().Seal(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		look()
		look()
		if _, err := table.Commit(t.Context(), engine.Prepared{ID: state.ID, Prev: epoch - 1, Epoch: epoch, Files: files}, engine.CommitInfo{}); err != nil {
			t.Fatal(err)
		}
	}
	look()
	look()
	if h.Rows != 6 || h.TotalCount() != 3 || h.Max() < 1 || h.Max() > time.Minute.Microseconds() {
		t.Errorf("%d rows seen, %d counted, the longest %d µs", h.Rows, h.TotalCount(), h.Max())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Watch(ctx, store, from, h); err != nil {
		t.Errorf("at the end: %v", err)
	}
}

// TestPictures: what is drawn is well-formed, and the text has the percentiles.
func TestPictures(t *testing.T) {
	h := NewHistogram()
	for i := range int64(1000) {
		if err := h.RecordValue(1000 * (i + 1)); err != nil {
			t.Fatal(err)
		}
	}
	var svg, text bytes.Buffer
	if err := errors.Join(h.WriteSVG(&svg, "a title"), h.WriteText(&text)); err != nil {
		t.Fatal(err)
	}
	d := xml.NewDecoder(&svg)
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{" 50.00 %      500.2 ms", " 99.00 %      990.2 ms", "100.00 %     1000.4 ms"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
}
