package parquet

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go/format"

	"github.com/millrace-io/millrace/engine/column"
)

// encode writes batches of one column.
func encode(t *testing.T, f column.Field, opt Options, cols ...column.Column) []byte {
	t.Helper()
	var b bytes.Buffer
	e, err := NewEncoder(&b, column.Schema{f}, opt)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cols {
		if err := e.Write([]column.Column{c}, nil, c.Len()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := e.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// textColumn has n texts of those that come around after distinct ones.
func textColumn(n, distinct, length int) column.Column {
	c := column.New(column.Of(column.String)).(*column.Texts)
	r := random(1)
	base := r.next()
	for i := range n {
		v := random(base + uint64(i%distinct))
		c.AppendString(strings.Repeat(fmt.Sprintf("%016x", v.next()), length/16+1)[:length])
	}
	return c
}

// TestEncodingFollowsValues looks at which pages a column gets: D has indexes into a dictionary, P is plain.
func TestEncodingFollowsValues(t *testing.T) {
	tests := []struct {
		name   string
		opt    Options
		column column.Column
		want   string // of each row group
	}{
		{"few values", Options{PageRows: 1000}, textColumn(3000, 10, 20), "DDD"},
		{"new values", Options{PageRows: 1000}, textColumn(3000, 3000, 20), "PPP"},
		{"no dictionaries", Options{PageRows: 1000, Dictionary: -1}, textColumn(3000, 10, 20), "PPP"},
		{"few rows, new", Options{}, textColumn(20, 20, 20), "P"},
		{"few rows, not new", Options{}, textColumn(20, 2, 20), "D"},
		{"dictionary too large, page small enough", Options{Dictionary: 2000, Page: 100_000}, textColumn(3000, 500, 20), "P"},
		{"dictionary too large, in a late page", Options{Dictionary: 6000, Page: 3000, PageRows: 100}, append500(), "DDDDDDDPPP"},
		{"only nulls", Options{PageRows: 10}, nulls(30), "PPP"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.opt.Compression = None
			f := open(t, encode(t, field("c", column.String), test.opt, test.column), nil)
			got := ""
			for i := range f.RowGroups() {
				got += pageLetters(&f.meta.RowGroups[i].Columns[0].MetaData)
			}
			if got != test.want {
				t.Errorf("pages are %s, want %s", got, test.want)
			}
		})
	}
}

// TestGivenUpIsRemembered: only the first of many row groups tries a dictionary on new values.
func TestGivenUpIsRemembered(t *testing.T) {
	f := open(t, encode(t, field("c", column.String), Options{RowGroup: 1, Page: 10_000}, textColumn(5*strip, 5*strip, 20)), nil)
	for i := range f.RowGroups() {
		if got := pageLetters(&f.meta.RowGroups[i].Columns[0].MetaData); strings.Contains(got, "D") != (i == 0) {
			t.Errorf("pages of row group %d are %s", i, got)
		}
	}
}

// append500 has 500 rows of three values and then 500 that are new.
func append500() column.Column {
	c := textColumn(500, 3, 20)
	c.AppendRows(textColumn(500, 500, 20), nil, 500)
	return c
}

func nulls(n int) column.Column {
	c := column.New(column.Of(column.String))
	for range n {
		c.AppendNull()
	}
	return c
}

func pageLetters(m *format.ColumnMetaData) string {
	s := ""
	for _, e := range m.EncodingStats {
		if e.PageType != format.DictionaryPage {
			s += strings.Repeat(map[format.Encoding]string{format.Plain: "P", format.RLEDictionary: "D"}[e.Encoding], int(e.Count))
		}
	}
	return s
}

// TestUncompressible: texts that do not become smaller are left as they are, in all row groups of a file.
func TestUncompressible(t *testing.T) {
	uuids, words := column.New(column.Of(column.String)).(*column.Texts), column.New(column.Of(column.String)).(*column.Texts)
	r := random(1)
	for i := range 20_000 {
		uuids.AppendString(fmt.Sprintf("%08x-%04x-%016x", uint32(r.next()), uint16(r.next()), r.next()))
		words.AppendString(fmt.Sprint("the same words over and over ", i))
	}
	for _, test := range []struct {
		c    column.Column
		want format.CompressionCodec
	}{{uuids, format.Uncompressed}, {words, format.Snappy}} {
		f := open(t, encode(t, field("c", column.String), Options{RowGroup: 30_000, Page: 10_000, Dictionary: -1}, test.c), nil)
		if f.RowGroups() < 3 {
			t.Errorf("%d row groups", f.RowGroups())
		}
		for i := range f.RowGroups() {
			if got := f.meta.RowGroups[i].Columns[0].MetaData.Codec; got != test.want {
				t.Errorf("row group %d is %v, want %v", i, got, test.want)
			}
		}
	}
}

// TestRowGroupsAreBounded: what an encoder of pins holds stays within what the package promises.
func TestRowGroupsAreBounded(t *testing.T) {
	var size counter
	e, err := NewEncoder(&size, pinSchema(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	batches := pinBatches(20, 1000, 20_000)
	most := int64(0)
	for i := range 80 {
		if err := e.Write(batches[i%len(batches)], nil, 1000); err != nil {
			t.Fatal(err)
		}
		most = max(most, e.held())
	}
	if e.rowGroups() == 0 || most > 24<<20 {
		t.Errorf("%d row groups, at most %d bytes held", e.rowGroups(), most)
	}
}

// TestNoAllocations: what a batch costs does not depend on its rows.
func TestNoAllocations(t *testing.T) {
	for _, opt := range []Options{{}, {Compression: Zstd}, {Compression: None}, {Dictionary: -1}} {
		var size counter
		e, err := NewEncoder(&size, pinSchema(), opt)
		if err != nil {
			t.Fatal(err)
		}
		batches := pinBatches(10, 1000, 500)
		sel := column.Selection{1, 2, 3, 500, 501, 999}
		i := 0
		write := func() {
			for _, sel := range []column.Selection{nil, sel} {
				if err := e.Write(batches[i%10], sel, 1000); err != nil {
					t.Fatal(err)
				}
			}
			i++
		}
		for range 50 {
			write()
		}
		if n := testing.AllocsPerRun(200, write); n > 20 {
			t.Errorf("%+v: %v allocations for 1,006 rows of 11 columns", opt, n)
		}
	}
}

func TestBigValues(t *testing.T) {
	c := column.New(column.Of(column.Binary)).(*column.Texts)
	for _, n := range []int{0, 1, 5 << 20, 0, 3 << 20, 70 << 10} {
		c.Append(bytes.Repeat([]byte{byte(n >> 10)}, n))
	}
	c.AppendNull()
	for _, opt := range []Options{{}, {Compression: Zstd, Dictionary: -1}, {Compression: None, PageRows: 2}} {
		f := open(t, encode(t, field("c", column.Binary), opt, c), nil)
		wantRows(t, readAll(t, f), jsons(f.Schema(), []column.Column{c}, nil, 7))
	}
}

func TestEncoderRefuses(t *testing.T) {
	var b bytes.Buffer
	if _, err := NewEncoder(&b, nil, Options{}); err == nil {
		t.Error("a file without columns")
	}
	schema := column.Schema{{Name: "n", Type: column.Of(column.Long), Required: true}}
	withNull := column.New(column.Of(column.Long)).(*column.Longs)
	withNull.Append(1)
	withNull.AppendNull()
	tests := map[string][]column.Column{
		"column n is required and row 1 has no value":       {withNull},
		"column n is of type int, in the file of type long": {column.New(column.Of(column.Int))},
		"2 columns for a file of 1":                         {withNull, withNull},
	}
	for want, cols := range tests {
		e, err := NewEncoder(&b, schema, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Write(cols, nil, 2); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
		if _, err := e.Close(); err == nil {
			t.Error("a file that failed was closed")
		}
	}
	e, _ := NewEncoder(&b, schema, Options{})
	if err := e.Write([]column.Column{withNull}, column.Selection{0}, 2); err != nil {
		t.Errorf("the null is not selected: %v", err)
	}
	if _, err := e.Close(); err != nil {
		t.Error(err)
	}
	if err := e.Write([]column.Column{withNull}, column.Selection{0}, 2); err == nil {
		t.Error("a closed file was written to")
	}
}

// full is an io.Writer that fails after some bytes.
type full int

var errFull = errors.New("no space left")

func (f *full) Write(b []byte) (int, error) {
	if *f -= full(len(b)); *f < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestWriteErrors(t *testing.T) {
	cols := pinBatches(1, 100, 50)[0]
	for room := 0; ; room += 997 {
		w := full(room)
		e, err := NewEncoder(&w, pinSchema(), Options{RowGroup: 1000})
		if err != nil {
			t.Fatal(err)
		}
		err = e.Write(cols, nil, 100)
		_, closing := e.Close()
		if w >= 0 {
			if err != nil || closing != nil {
				t.Errorf("with room for all: %v, %v", err, closing)
			}
			return
		}
		if !errors.Is(closing, errFull) {
			t.Errorf("with room for %d bytes: %v, then %v", room, err, closing)
		}
	}
}

func TestOptions(t *testing.T) {
	if err := (Options{}).Validate(); err != nil {
		t.Error(err)
	}
	for _, c := range []Compression{Snappy, Zstd, None} {
		if err := Defaults(c).Validate(); err != nil {
			t.Error(err)
		}
		if got, err := ParseCompression(c.String()); err != nil || got != c {
			t.Errorf("ParseCompression(%q) = %v, %v", c, got, err)
		}
		if diff := cmp.Diff(Defaults(c), Options{Compression: c}.filled()); diff != "" {
			t.Error(diff)
		}
	}
	if _, err := ParseCompression("brotli"); err == nil {
		t.Error("brotli is a compression")
	}
	o := Options{Compression: 9, TargetFile: -1, RowGroup: -1, Page: 1 << 30, PageRows: -1, Dictionary: 1 << 30, OpenFiles: -1, Memory: -1}
	if err := o.Validate(); err == nil || strings.Count(err.Error(), "\n") != 7 {
		t.Errorf("got %v, want eight errors", err)
	}
}
