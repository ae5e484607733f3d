package parquet

import (
	"bytes"
	"os"
	"testing"

	pq "github.com/parquet-go/parquet-go"
)

func TestTmp(t *testing.T) {
	var b bytes.Buffer
	e, err := NewEncoder(&b, pinSchema(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, cols := range pinBatches(20, 1000, 883) {
		if err := e.Write(cols, nil, 1000); err != nil {
			t.Fatal(err)
		}
	}
	s, err := e.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Log(s, b.Len())
	f, err := pq.OpenFile(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	t.Log(f.Schema(), f.NumRows())
	os.WriteFile("/tmp/pins.parquet", b.Bytes(), 0o644)
}
