// Package parquet writes batches into Parquet files and reads them back
// (https://github.com/apache/parquet-format).
//
// [Writer] is the engine.TableWriter of a Delta table: it splits rows by partition, rolls files at their
// size, and seals an epoch's files in the background. [Encoder] writes one file to an io.Writer. [Open] reads
// a file of any writer. Of parquet-go this package takes the structs of the metadata and their encoding;
// pages it makes and reads itself, straight from and into the slices of columns, because a value that passes
// through a general type on its way costs more than all the rest (docs/performance.md).
//
// # What a file looks like
//
//	"PAR1"
//	row group 0
//	  column 0   dictionary page (if values repeat), data pages …
//	  column 1   …
//	row group 1 …
//	footer: schema, and of each column where its pages are, sizes, statistics
//	length of the footer, 4 bytes
//	"PAR1"
//
// Pages are of version 1. Values are PLAIN or RLE_DICTIONARY, levels RLE. A column begins with a dictionary,
// drops it when its values turn out to be new, and is plain for a while then, in later files too. A column
// whose first page hardly compresses is not compressed in that file. Timestamps are 64 bits of microseconds
// in UTC, arrays have three levels with optional elements. Names, types and statistics are what Spark, Arrow
// and DuckDB write and read.
//
// # What it costs in memory
//
// Pages are compressed when they are full and wait, compressed, for their row group to end; then they are
// written, and their memory is used again. So an open file holds at most Options.RowGroup and some pages,
// however large it grows: with the defaults and the eleven columns of a pin at most 24 MiB. All buffers come
// from the Writer and go back to it. Memory that holds values grows to what was needed at once and is kept:
// no row costs an allocation.
package parquet
