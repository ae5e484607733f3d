//go:build real

package realtest_test

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/blob/blobtest"
	"github.com/millrace-io/millrace/engine/blob/s3"
	"github.com/millrace-io/millrace/engine/delta"
	"github.com/millrace-io/millrace/engine/enginetest/tabletest"
	"github.com/millrace-io/millrace/scripts/realtest"
)

// bucket gives empty places in the bucket of a server.
func bucket(t *testing.T) func(t *testing.T) *s3.Store {
	server := realtest.StartS3(t)
	for _, e := range server.Env {
		k, v, _ := strings.Cut(e, "=")
		t.Setenv(k, v)
	}
	var n atomic.Int64
	return func(t *testing.T) *s3.Store {
		c, err := s3.ParseURL(server.URL(fmt.Sprintf("place/%d", n.Add(1))))
		if err != nil {
			t.Fatal(err)
		}
		store, err := s3.New(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		return store
	}
}

// largeObject writes an object of several parts and reads it back, whole and from its end.
func largeObject(t *testing.T, store *s3.Store) {
	want := make([]byte, 20<<20+7)
	for i := range want {
		want[i] = byte(i>>12 ^ i)
	}
	w, err := store.Create(t.Context(), "large")
	if err != nil {
		t.Fatal(err)
	}
	for rest := want; len(rest) > 0; {
		n := min(len(rest), 999_999)
		if _, err := w.Write(rest[:n]); err != nil {
			t.Fatal(err)
		}
		rest = rest[n:]
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := store.Get(t.Context(), "large"); err != nil || !bytes.Equal(got, want) {
		t.Errorf("it comes back as %d bytes: %v", len(got), err)
	}
	if got, err := store.Range(t.Context(), "large", -9, 4); err != nil || !bytes.Equal(got, want[len(want)-9:len(want)-5]) {
		t.Errorf("its end comes back as %v: %v", got, err)
	}
	abandoned, err := store.Create(t.Context(), "abandoned")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := abandoned.Write(want); err != nil {
		t.Fatal(err)
	}
	if err := abandoned.Abort(); err != nil {
		t.Error(err)
	}
	if n, err := store.Sweep(t.Context(), "", time.Now().Add(time.Hour)); err != nil || n != 0 {
		t.Errorf("%d uploads are left: %v", n, err)
	}
}

// tidy passes over the temporary names that versitygw lists while it replaces an object. Nothing that the
// engine lists is ever replaced.
type tidy struct{ *s3.Store }

func (s tidy) List(ctx context.Context, prefix, after string) iter.Seq2[blob.Info, error] {
	return func(yield func(blob.Info, error) bool) {
		for info, err := range s.Store.List(ctx, prefix, after) {
			if err == nil && strings.Contains(info.Name, ".sgwtmp.") {
				continue
			}
			if !yield(info, err) {
				return
			}
		}
	}
}

// TestS3Conforms: on a real server with real signatures the store does what every store must.
func TestS3Conforms(t *testing.T) {
	open := bucket(t)
	if err := open(t).Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Run("large object", func(t *testing.T) { largeObject(t, open(t)) })
	t.Run("store", func(t *testing.T) { blobtest.Run(t, func(t *testing.T) blob.Store { return tidy{open(t)} }) })
	t.Run("table", func(t *testing.T) {
		tabletest.Run(t, func(t *testing.T) tabletest.Harness {
			store := open(t)
			return tabletest.Harness{
				Files: store, EmptyIsNull: true,
				Table: func(files blob.Store, c tabletest.Config) engine.Table {
					return newTable(t, files, delta.Config{Name: "t", Pipeline: c.Pipeline, Schema: c.Schema, PartitionBy: c.PartitionBy})
				},
				Rows: func(engine.Schema) []string { return realtest.Rows(t, store) },
			}
		})
	})
}
