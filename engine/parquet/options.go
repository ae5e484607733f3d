package parquet

import (
	"errors"
	"fmt"

	"github.com/millrace-io/millrace/engine/delta"
)

// Compression says how pages are compressed.
type Compression uint8

// The compressions. The zero Compression is the default.
const (
	Snappy Compression = iota // fast, at the fast level of the encoder
	Zstd                      // at its fastest level: about 0.6 of Snappy's bytes for twice its CPU
	None
)

var compressionNames = [...]string{"snappy", "zstd", "none"}

// String gives the name that definitions use.
func (c Compression) String() string {
	if int(c) < len(compressionNames) {
		return compressionNames[c]
	}
	return fmt.Sprintf("compression %d", uint8(c))
}

// ParseCompression reads what String writes.
func ParseCompression(name string) (Compression, error) {
	for i, n := range compressionNames {
		if n == name {
			return Compression(i), nil
		}
	}
	return 0, fmt.Errorf("no compression %q: there are snappy, zstd and none", name)
}

// Options say how files are written. The zero value of a field stands for its default.
type Options struct {
	Compression Compression

	// TargetFile is the size in bytes at which a Writer ends a file and begins another. A file is larger by
	// at most what was held for a row group. Default 128 MiB.
	TargetFile int64
	// RowGroup is the number of bytes, compressed, at which a row group ends: what an open file holds in
	// memory besides the pages being filled. Default 16 MiB.
	RowGroup int64
	// Page is the size in bytes, before compression, at which a page ends. A value that is larger has a page
	// of its own. Default 256 KiB, which Snappy compresses fastest; with Zstd 1 MiB, which makes it smaller.
	Page int
	// PageRows is the number of rows at which a page ends. Default 20,000.
	PageRows int
	// Dictionary is the number of bytes that the dictionary of a column may take before the column is given
	// up as one that repeats. Default 512 KiB; negative: no dictionaries.
	Dictionary int

	// OpenFiles is how many files a Writer fills at a time, one a partition value; before it opens another
	// it ends the file that was written to longest ago. Default 128.
	OpenFiles int
	// Memory is the number of bytes that all files a Writer fills may hold together; above it the file that
	// holds most ends its row group early. Default 64 MiB.
	Memory int64

	// Indexed says which columns have statistics in the table's log. The zero value means the first 32.
	Indexed delta.Indexing

	// CreatedBy names the writing program, as "name version X (build Y)". Default DefaultCreatedBy.
	CreatedBy string
}

// DefaultCreatedBy names the program where Options.CreatedBy does not.
const DefaultCreatedBy = "millrace version 0.1.0 (build dev)"

// Defaults are the options of a file about which nothing is said but how it is compressed.
func Defaults(c Compression) Options {
	page := 256 << 10
	if c == Zstd {
		page = 1 << 20
	}
	return Options{
		Compression: c, TargetFile: 128 << 20, RowGroup: 16 << 20, Page: page, PageRows: 20_000, Dictionary: 512 << 10,
		OpenFiles: 128, Memory: 64 << 20, CreatedBy: DefaultCreatedBy,
	}
}

// largestPage bounds Options.Page: its format gives a page's size 31 bits.
const largestPage = 64 << 20

// Validate reports everything that is wrong with the options.
func (o Options) Validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	o = o.filled()
	check(int(o.Compression) < len(compressionNames), "compression: %v is unknown", o.Compression)
	check(o.TargetFile > 0, "target_file: %d bytes is not above 0", o.TargetFile)
	check(o.RowGroup > 0, "row_group: %d bytes is not above 0", o.RowGroup)
	check(o.Page > 0 && o.Page <= largestPage, "page: %d bytes is not in 1 to %d", o.Page, largestPage)
	check(o.PageRows > 0 && o.PageRows <= largestPage, "page_rows: %d is not in 1 to %d", o.PageRows, largestPage)
	check(o.Dictionary <= largestPage, "dictionary: %d bytes is above %d", o.Dictionary, largestPage)
	check(o.OpenFiles > 0, "open_files: %d is not above 0", o.OpenFiles)
	check(o.Memory > 0, "memory: %d bytes is not above 0", o.Memory)
	return errors.Join(errs...)
}

// filled gives the options with defaults in place of zeros.
func (o Options) filled() Options {
	d := Defaults(o.Compression)
	fill(&o.TargetFile, d.TargetFile)
	fill(&o.RowGroup, d.RowGroup)
	fill(&o.Page, d.Page)
	fill(&o.PageRows, d.PageRows)
	fill(&o.Dictionary, d.Dictionary)
	fill(&o.OpenFiles, d.OpenFiles)
	fill(&o.Memory, d.Memory)
	fill(&o.CreatedBy, d.CreatedBy)
	return o
}

func fill[T comparable](v *T, standard T) {
	var zero T
	if *v == zero {
		*v = standard
	}
}
