package corpus

import (
	"archive/tar"
	"errors"
	"io"
	"path"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/millrace-io/millrace/engine/blob/mem"
)

// Golden unpacks one of the tables that Spark wrote for delta-kernel-rs: delta/ is the table, expected/ its rows, where
// they are there.
func Golden(t testing.TB, name string) *mem.Store {
	t.Helper()
	store, err := unpack(t, Open(t, "delta-golden", name+".tar.zst"))
	if err != nil {
		t.Fatalf("golden table %s: %v", name, err)
	}
	return store
}

func unpack(t testing.TB, archive io.Reader) (*mem.Store, error) {
	z, err := zstd.NewReader(archive)
	if err != nil {
		return nil, err
	}
	defer z.Close()
	store := mem.New()
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return store, nil
		}
		if err != nil {
			return nil, err
		}
		_, name, ok := strings.Cut(path.Clean(h.Name), "/")
		if h.Typeflag != tar.TypeReg || !ok {
			continue
		}
		data, err := io.ReadAll(r)
		if err == nil {
			err = store.Put(t.Context(), name, data)
		}
		if err != nil {
			return nil, err
		}
	}
}
