// Package blobtest is the conformance suite of blob.Store: what every implementation must do, as tests.
//
//	func TestStore(t *testing.T) {
//		blobtest.Run(t, func(t *testing.T) blob.Store { return mem.New() })
//	}
package blobtest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/engine/blob"
)

// Run runs the suite. make is called once a test and gives an empty store.
func Run(t *testing.T, make func(t *testing.T) blob.Store) {
	tests := map[string]func(t *testing.T, s blob.Store){
		"PutThenGet": putThenGet, "NotFound": notFound, "Range": ranges, "Open": opens, "WriteObject": writeObject, "PutReplaces": putReplaces,
		"PutIfAbsent": putIfAbsent, "OwnsNoArgument": ownsNoArgument, "Create": create, "Abort": abort,
		"List": list, "ListOrder": listOrder, "ListAfter": listAfter, "ListStops": listStops,
		"Delete": del, "Names": names, "BadNames": badNames, "Sub": sub, "CancelledContext": cancelled,
		"OneWinner": oneWinner, "NoPartialObject": noPartialObject,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, make(t))
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func mustPut(t *testing.T, s blob.Store, names ...string) {
	t.Helper()
	for _, name := range names {
		must(t, s.Put(t.Context(), name, []byte(name)))
	}
}

func wantGet(t *testing.T, s blob.Store, name, want string) {
	t.Helper()
	got, err := s.Get(t.Context(), name)
	must(t, err)
	if string(got) != want {
		t.Errorf("Get(%q) = %q, want %q", name, got, want)
	}
}

func wantList(t *testing.T, s blob.Store, prefix, after string, want ...string) {
	t.Helper()
	got := []string{}
	for info, err := range s.List(t.Context(), prefix, after) {
		must(t, err)
		got = append(got, info.Name)
	}
	if diff := cmp.Diff(append([]string{}, want...), got); diff != "" {
		t.Errorf("List(%q, %q): -want +got\n%s", prefix, after, diff)
	}
}

func putThenGet(t *testing.T, s blob.Store) {
	for name, data := range map[string]string{"a": "", "b/c/d": "hello", "big": strings.Repeat("x", 1<<20)} {
		must(t, s.Put(t.Context(), name, []byte(data)))
		wantGet(t, s, name, data)
		info, err := s.Stat(t.Context(), name)
		must(t, err)
		if info.Name != name || info.Size != int64(len(data)) || info.ModifiedMillis < 1e12 {
			t.Errorf("Stat(%q) = %+v, size %d", name, info, len(data))
		}
	}
}

func notFound(t *testing.T, s blob.Store) {
	mustPut(t, s, "a/b")
	for _, name := range []string{"x", "a", "a/b/c", "a/x"} {
		if _, err := s.Get(t.Context(), name); !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("Get(%q): %v, want not found", name, err)
		}
		if _, err := s.Range(t.Context(), name, 0, 1); !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("Range(%q): %v, want not found", name, err)
		}
		if _, err := s.Stat(t.Context(), name); !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("Stat(%q): %v, want not found", name, err)
		}
	}
}

func ranges(t *testing.T, s blob.Store) {
	must(t, s.Put(t.Context(), "a", []byte("0123456789")))
	for _, c := range []struct {
		offset, n int64
		want      string
	}{
		{0, 3, "012"}, {8, 5, "89"}, {10, 5, ""}, {20, 5, ""}, {3, 0, ""},
		{-4, 4, "6789"}, {-4, 2, "67"}, {-4, 100, "6789"}, {-100, 3, "012"}, {2, 1<<63 - 1, "23456789"},
	} {
		got, err := s.Range(t.Context(), "a", c.offset, c.n)
		must(t, err)
		if string(got) != c.want {
			t.Errorf("Range(%d, %d) = %q, want %q", c.offset, c.n, got, c.want)
		}
	}
}

func opens(t *testing.T, s blob.Store) {
	long := bytes.Repeat([]byte("0123456789"), 1<<20) // more than is asked for at a time
	must(t, s.Put(t.Context(), "d/a", long))
	for _, c := range []struct{ offset, n, from, to int64 }{
		{0, 3, 0, 3}, {0, int64(len(long)), 0, int64(len(long))}, {7, 9 << 20, 7, 7 + 9<<20}, {3, 0, 3, 3}, {3, -1, 3, 3},
		{int64(len(long)) - 2, 1 << 62, int64(len(long)) - 2, int64(len(long))}, {1 << 40, 5, 0, 0},
	} {
		r, err := blob.Open(t.Context(), blob.Sub(s, "d"), "a", c.offset, c.n)
		must(t, err)
		got, err := io.ReadAll(r)
		must(t, err)
		must(t, r.Close())
		if !bytes.Equal(got, long[c.from:c.to]) {
			t.Errorf("Open(%d, %d) gave %d bytes, want those from %d to %d", c.offset, c.n, len(got), c.from, c.to)
		}
	}
	if _, err := blob.Open(t.Context(), s, "d/a", -1, 1); err == nil {
		t.Error("Open took a negative offset")
	}
	for _, name := range []string{"no", "d/no", "d"} {
		r, err := blob.Open(t.Context(), s, name, 0, 1)
		if err == nil {
			_, err = io.ReadAll(r)
			must(t, r.Close())
		}
		if !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("Open(%q): %v, want not found", name, err)
		}
	}
}

func writeObject(t *testing.T, s blob.Store) {
	for _, size := range []int{0, 10, 5 << 20} {
		part := bytes.Repeat([]byte{'x'}, size)
		must(t, blob.WriteObject(t.Context(), s, "d/a", [][]byte{[]byte("head"), part, nil, []byte("tail")}))
		wantGet(t, s, "d/a", "head"+string(part)+"tail")
		wantList(t, s, "", "", "d/a")
	}
}

func putReplaces(t *testing.T, s blob.Store) {
	must(t, s.Put(t.Context(), "a", []byte("a long first version")))
	must(t, s.Put(t.Context(), "a", []byte("second")))
	wantGet(t, s, "a", "second")
	wantList(t, s, "", "", "a")
}

func putIfAbsent(t *testing.T, s blob.Store) {
	must(t, s.PutIfAbsent(t.Context(), "d/a", []byte("first")))
	if err := s.PutIfAbsent(t.Context(), "d/a", []byte("second")); !errors.Is(err, blob.ErrExists) {
		t.Errorf("second PutIfAbsent: %v, want already exists", err)
	}
	wantGet(t, s, "d/a", "first")
	must(t, s.Delete(t.Context(), "d/a"))
	must(t, s.PutIfAbsent(t.Context(), "d/a", []byte("third")))
	wantGet(t, s, "d/a", "third")
	wantList(t, s, "", "", "d/a")
}

func ownsNoArgument(t *testing.T, s blob.Store) {
	data := []byte("data")
	must(t, s.Put(t.Context(), "a", data))
	must(t, s.PutIfAbsent(t.Context(), "b", data))
	w, err := s.Create(t.Context(), "c")
	must(t, err)
	_, err = w.Write(data)
	must(t, err)
	copy(data, "XXXX")
	must(t, w.Close())
	for _, name := range []string{"a", "b", "c"} {
		got, err := s.Get(t.Context(), name)
		must(t, err)
		copy(got, "YYYY")
		wantGet(t, s, name, "data")
	}
}

func create(t *testing.T, s blob.Store) {
	w, err := s.Create(t.Context(), "d/e/a")
	must(t, err)
	want := []byte{}
	for i := range 100 {
		p := bytes.Repeat([]byte{byte(i)}, 1000)
		n, err := w.Write(p)
		must(t, err)
		if n != len(p) {
			t.Fatalf("Write = %d, want %d", n, len(p))
		}
		want = append(want, p...)
	}
	if _, err := s.Get(t.Context(), "d/e/a"); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("Get before Close: %v, want not found", err)
	}
	wantList(t, s, "", "")
	must(t, w.Close())
	wantGet(t, s, "d/e/a", string(want))
	wantList(t, s, "", "", "d/e/a")

	w, err = s.Create(t.Context(), "empty")
	must(t, err)
	must(t, w.Close())
	wantGet(t, s, "empty", "")
}

func abort(t *testing.T, s blob.Store) {
	mustPut(t, s, "kept")
	for _, name := range []string{"a", "kept"} {
		w, err := s.Create(t.Context(), name)
		must(t, err)
		_, err = w.Write([]byte("given up"))
		must(t, err)
		must(t, w.Abort())
	}
	wantList(t, s, "", "", "kept")
	wantGet(t, s, "kept", "kept")
}

func list(t *testing.T, s blob.Store) {
	wantList(t, s, "", "")
	wantList(t, s, "nowhere/", "")
	mustPut(t, s, "a", "b/1", "b/2", "b/c/3", "bb/4")
	wantList(t, s, "", "", "a", "b/1", "b/2", "b/c/3", "bb/4")
	wantList(t, s, "b", "", "b/1", "b/2", "b/c/3", "bb/4")
	wantList(t, s, "b/", "", "b/1", "b/2", "b/c/3")
	wantList(t, s, "b/c", "", "b/c/3")
	wantList(t, s, "b/c/3", "", "b/c/3")
	wantList(t, s, "b/c/3/", "")
	wantList(t, s, "z", "")
	for info, err := range s.List(t.Context(), "b/c/", "") {
		must(t, err)
		if info.Size != 5 || info.ModifiedMillis < 1e12 {
			t.Errorf("List gives %+v, want size 5", info)
		}
	}
}

// listOrder: the order is that of whole names, in which "a-b" < "a.b" < "a/b" < "a0b".
func listOrder(t *testing.T, s blob.Store) {
	want := []string{"A", "a b/1", "a-b", "a.b", "a/b", "a/b.c/d", "a/b0", "a0/b", "a0b", "é/x", "日本"}
	shuffled := slices.Clone(want)
	slices.Reverse(shuffled)
	mustPut(t, s, shuffled...)
	wantList(t, s, "", "", want...)
	for i, after := range want {
		wantList(t, s, "", after, want[i+1:]...)
	}
}

func listAfter(t *testing.T, s blob.Store) {
	mustPut(t, s, "a", "log/1", "log/2", "log/3/x", "log/4", "z")
	wantList(t, s, "log/", "log/2", "log/3/x", "log/4")
	wantList(t, s, "log/", "log/3", "log/3/x", "log/4")
	wantList(t, s, "log/", "log/3/x", "log/4")
	wantList(t, s, "log/", "log/4")
	wantList(t, s, "log/", "a", "log/1", "log/2", "log/3/x", "log/4")
	wantList(t, s, "log/", "x")
	wantList(t, s, "", "log/3/y", "log/4", "z")
}

func listStops(t *testing.T, s blob.Store) {
	mustPut(t, s, "a/1", "a/2", "b/3")
	n := 0
	for _, err := range s.List(t.Context(), "", "") {
		must(t, err)
		n++
		break
	}
	if n != 1 {
		t.Errorf("a list that was left yielded %d objects", n)
	}
}

func del(t *testing.T, s blob.Store) {
	mustPut(t, s, "a/1", "a/2")
	must(t, s.Delete(t.Context(), "a/1"))
	must(t, s.Delete(t.Context(), "a/1"))
	must(t, s.Delete(t.Context(), "x/y"))
	must(t, s.Delete(t.Context(), "a"))
	wantList(t, s, "", "", "a/2")
	if _, err := s.Get(t.Context(), "a/1"); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("Get after Delete: %v, want not found", err)
	}
}

func names(t *testing.T, s blob.Store) {
	for _, name := range []string{
		" ", "a b", "a%20b", "a%2Fb", "k=v/x", `back\slash`, "new\nline", `quo"te'`, "a?b#c&d+e", "é", "e\u0301", "日本/語",
		"...", ".hidden", "_tmp", "~", "-", ":", "*", "<>|", strings.Repeat("n", 200) + "/" + strings.Repeat("m", 200), "tab\t",
	} {
		must(t, s.PutIfAbsent(t.Context(), name, []byte(name)))
		wantGet(t, s, name, name)
		wantList(t, s, name, "", name)
		must(t, s.Delete(t.Context(), name))
		wantList(t, s, "", "")
	}
}

func badNames(t *testing.T, s blob.Store) {
	mustPut(t, s, "a/b")
	for _, name := range []string{"", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/./b", "a\x00b"} {
		if err := s.Put(t.Context(), name, nil); err == nil {
			t.Errorf("Put(%q) took the name", name)
		}
		if err := s.PutIfAbsent(t.Context(), name, nil); err == nil || errors.Is(err, blob.ErrExists) {
			t.Errorf("PutIfAbsent(%q): %v", name, err)
		}
		if w, err := s.Create(t.Context(), name); err == nil {
			t.Errorf("Create(%q) took the name", name)
			must(t, w.Abort())
		}
		if _, err := s.Get(t.Context(), name); err == nil {
			t.Errorf("Get(%q) found something", name)
		}
	}
	wantList(t, s, "../", "")
	wantList(t, s, "a/../", "")
	wantList(t, s, "", "", "a/b")
}

func sub(t *testing.T, s blob.Store) {
	mustPut(t, s, "s", "t0/x", "t/_log/1", "t/_log/2", "t/a")
	in := blob.Sub(s, "t")
	wantList(t, in, "", "", "_log/1", "_log/2", "a")
	wantList(t, in, "_log/", "_log/1", "_log/2")
	must(t, in.Put(t.Context(), "b", []byte("b")))
	wantGet(t, s, "t/b", "b")
	if in.URL() != s.URL()+"/t" {
		t.Errorf("URL of the part is %s, of the whole %s", in.URL(), s.URL())
	}
}

func cancelled(t *testing.T, s blob.Store) {
	mustPut(t, s, "a")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, get := s.Get(ctx, "a")
	_, ranged := s.Range(ctx, "a", 0, 1)
	_, stat := s.Stat(ctx, "a")
	_, created := s.Create(ctx, "b")
	var listed error
	for _, err := range s.List(ctx, "", "") {
		listed = err
	}
	for op, err := range map[string]error{
		"Get": get, "Range": ranged, "Stat": stat, "Put": s.Put(ctx, "a", nil), "PutIfAbsent": s.PutIfAbsent(ctx, "b", nil),
		"Create": created, "Delete": s.Delete(ctx, "a"), "List": listed,
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s with a cancelled context: %v", op, err)
		}
	}
	wantList(t, s, "", "", "a")
}
