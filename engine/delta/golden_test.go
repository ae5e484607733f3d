package delta_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/blob/mem"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/delta"
	"github.com/millrace-io/millrace/engine/enginetest/corpus"
	"github.com/millrace-io/millrace/engine/parquet"
)

// unknown: the archive has the log but not the files it names, so there is nothing to read.
const unknown = -1

// golden is what Spark's tables in MILLRACE_TESTDATA/delta-golden must load as (they are delta-kernel-rs's
// golden tables), or why they are refused. No table is passed over.
var golden = map[string]struct {
	version int64
	files   int
	columns string
	rows    int64
	refused string // part of the error
}{
	"124-decimal-decode-bug":                                         {version: 0, files: 2, columns: "large_decimal: decimal(10,0)", rows: 1},
	"basic-decimal-table-legacy":                                     {version: 0, files: 4, columns: "part: decimal(12,5), col1: decimal(5,2), col2: decimal(10,5), col3: decimal(20,10)", rows: 4},
	"basic-with-inserts-deletes-checkpoint":                          {version: 13, files: 7, columns: "id: long", rows: 41},
	"basic-with-inserts-overwrite-restore":                           {version: 3, files: 4, columns: "id: long", rows: 200},
	"basic-with-vacuum-protocol-check-feature":                       {refused: "reader version 3 (vacuumProtocolCheck)"},
	"canonicalized-paths-normal-b":                                   {version: 1, files: 0, columns: "id: int", rows: 0},
	"canonicalized-paths-special-b":                                  {version: 1, files: 0, columns: "id: int", rows: 0},
	"corrupted-last-checkpoint-kernel":                               {version: 11, files: 2, columns: "id: long", rows: 100},
	"data-reader-array-complex-objects":                              {version: 0, files: 2, columns: "i: int, 3d_int_list: array<array<array<int>>>, 4d_int_list: array<array<array<array<int>>>>, list_of_maps: array<map<string, long>>, list_of_records: array<struct<val: int>>", rows: 10},
	"data-reader-date-types-America":                                 {version: 0, files: 2, columns: "timestamp: timestamp, date: date", rows: 1},
	"data-reader-date-types-Etc":                                     {version: 0, files: 2, columns: "timestamp: timestamp, date: date", rows: 1},
	"data-reader-date-types-Jst":                                     {version: 0, files: 2, columns: "timestamp: timestamp, date: date", rows: 1},
	"data-reader-date-types-utc":                                     {version: 0, files: 2, columns: "timestamp: timestamp, date: date", rows: 1},
	"data-reader-map":                                                {version: 0, files: 2, columns: "i: int, a: map<int, int>, b: map<long, byte>, c: map<short, bool>, d: map<float, double>, e: map<string, decimal(1,0)>, f: map<int, array<struct<val: int>>>", rows: 10},
	"data-reader-nullable-field-invalid-schema-key":                  {version: 0, files: 2, columns: "array_can_contain_null: array<string>", rows: 1},
	"data-reader-primitives":                                         {version: 0, files: 2, columns: "as_int: int, as_long: long, as_byte: byte, as_short: short, as_boolean: bool, as_float: float, as_double: double, as_string: string, as_binary: binary, as_big_decimal: decimal(1,0)", rows: 11},
	"data-reader-timestamp_ntz-name-mode":                            {refused: "reader version 3 (columnMapping)"},
	"data-skipping-basic-stats-all-types-checkpoint":                 {version: 0, files: 1, columns: "as_int: int, as_long: long, as_byte: byte, as_short: short, as_float: float, as_double: double, as_string: string, as_date: date, as_timestamp: timestamp, as_big_decimal: decimal(1,0)", rows: 1},
	"data-skipping-basic-stats-all-types-columnmapping-name":         {refused: "reader version 2 (columnMapping)"},
	"data-skipping-change-stats-collected-across-versions":           {version: 4, files: 3, columns: "col1: int, col2: int", rows: 3},
	"decimal-various-scale-precision":                                {version: 0, files: 1, columns: "decimal_4_0: decimal(4,0), decimal_7_0: decimal(7,0), decimal_7_6: decimal(7,6), decimal_12_0: decimal(12,0), decimal_12_6: decimal(12,6), decimal_15_0: decimal(15,0), decimal_15_6: decimal(15,6), decimal_15_12: decimal(15,12), decimal_18_0: decimal(18,0), decimal_18_6: decimal(18,6), decimal_18_12: decimal(18,12), decimal_25_0: decimal(25,0), decimal_25_6: decimal(25,6), decimal_25_12: decimal(25,12), decimal_25_18: decimal(25,18), decimal_25_24: decimal(25,24), decimal_35_0: decimal(35,0), decimal_35_6: decimal(35,6), decimal_35_12: decimal(35,12), decimal_35_18: decimal(35,18), decimal_35_24: decimal(35,24), decimal_35_30: decimal(35,30), decimal_38_0: decimal(38,0), decimal_38_6: decimal(38,6), decimal_38_12: decimal(38,12), decimal_38_18: decimal(38,18), decimal_38_24: decimal(38,24), decimal_38_30: decimal(38,30), decimal_38_36: decimal(38,36)", rows: 3},
	"deltalog-commit-info":                                           {version: 0, files: 1, columns: "", rows: unknown},
	"deltalog-invalid-protocol-version":                              {refused: "reader version 99"},
	"deltalog-state-reconstruction-from-checkpoint-missing-protocol": {version: 10, files: 11, columns: "", rows: unknown},
	"deltalog-state-reconstruction-without-protocol":                 {refused: "the log up to version 0 has no protocol action"},
	"dv-with-columnmapping":                                          {refused: "reader version 3 (deletionVectors, columnMapping)"},
	"kernel-timestamp-int96":                                         {version: 0, files: 5, columns: "id: int, part: timestamp, time: timestamp", rows: 5},
	"kernel-timestamp-timestamp_micros":                              {version: 0, files: 5, columns: "id: int, part: timestamp, time: timestamp", rows: 5},
	"log-replay-dv-key-cases":                                        {refused: "reader version 3 (deletionVectors)"},
	"log-replay-special-characters":                                  {version: 1, files: 0, columns: "intCol: int", rows: 0},
	"log-replay-special-characters-a":                                {version: 1, files: 0, columns: "intCol: int", rows: 0},
	"no-delta-log-folder":                                            {refused: "not a Delta table: it has no log entries in _delta_log/"},
	"parquet-all-types-legacy-format":                                {version: 0, files: 1, columns: "ByteType: byte, ShortType: short, IntegerType: int, LongType: long, FloatType: float, DoubleType: double, decimal: decimal(10,2), BooleanType: bool, StringType: string, BinaryType: binary, DateType: date, TimestampType: timestamp, TimestampNTZType: timestamp_ntz, nested_struct: struct<aa: string, ac: struct<aca: int>>, array_of_prims: array<int>, array_of_arrays: array<array<int>>, array_of_structs: array<struct<ab: long>>, map_of_prims: map<int, long>, map_of_rows: map<int, struct<ab: long>>, map_of_arrays: map<long, array<int>>", rows: 200},
	"parquet-decimal-dictionaries":                                   {version: 0, files: 1, columns: "id: int, col1: decimal(9,0), col2: decimal(12,0), col3: decimal(25,0)", rows: 1000000},
	"snapshot-data0":                                                 {version: 0, files: 2, columns: "col1: int, col2: string", rows: 10},
	"snapshot-data2-deleted":                                         {version: 4, files: 3, columns: "col1: int, col2: string", rows: 20},
	"snapshot-data3":                                                 {version: 3, files: 4, columns: "col1: int, col2: string", rows: 30},
	"snapshot-vacuumed":                                              {version: 5, files: 2, columns: "col1: int, col2: string", rows: 20},
	"table-with-columnmapping-mode-name":                             {refused: "reader version 2 (columnMapping)"},
	"time-travel-partition-changes-b":                                {version: 1, files: 4, columns: "id: long, part2: long", rows: 10},
	"time-travel-schema-changes-b":                                   {version: 1, files: 4, columns: "id: long, part: long", rows: 20},
	"time-travel-start-start20":                                      {version: 1, files: 4, columns: "id: long", rows: 20},
	"update-deleted-directory":                                       {version: 0, files: 10, columns: "", rows: unknown},
	"v2-checkpoint-parquet":                                          {refused: "reader version 3 (v2Checkpoint)"},
}

// TestGoldenTables: Spark's tables have the version, files and columns that they should, and their rows are those expected,
// as a bag; or they are refused by the name of what they need.
func TestGoldenTables(t *testing.T) {
	dir := corpus.Dir(t)
	for name := range golden {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkGolden(t, name, corpus.Golden(t, name))
		})
	}
	paths, err := filepath.Glob(filepath.Join(dir, "delta-golden", "*.tar.zst"))
	if err != nil || len(paths) != len(golden) {
		t.Errorf("%d golden tables are there, %d are checked: %v", len(paths), len(golden), err)
	}
}

func checkGolden(t *testing.T, name string, root *mem.Store) {
	want := golden[name]
	table := blob.Sub(root, "delta")
	s, err := delta.Load(t.Context(), table, delta.Latest)
	if want.refused != "" {
		if err == nil || !strings.Contains(err.Error(), want.refused) {
			t.Errorf("Load: %v, want %q", err, want.refused)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if s.Version() != want.version || len(s.Files()) != want.files || strings.Join(columnsOf(s), ", ") != want.columns {
		t.Errorf("version %d with %d files of %s, want %+v", s.Version(), len(s.Files()), columnsOf(s), want)
	}
	if want.rows == unknown {
		return
	}
	schema, err := s.Schema().Columns()
	if err != nil {
		t.Fatal(err)
	}
	got, expected := rowsOf(t, table, schema), expectedRows(t, root, schema)
	slices.Sort(got)
	slices.Sort(expected)
	if int64(len(got)) != want.rows || !slices.Equal(got, expected) {
		t.Errorf("%d rows, %d expected, want %d: %s", len(got), len(expected), want.rows, cmp.Diff(sample(expected), sample(got)))
	}
	for _, a := range s.Files() {
		checkFile(t, table, a)
	}
}

// sample is the first rows: a difference of a million can't be read.
func sample(rows []string) []string { return rows[:min(len(rows), 100)] }

// checkFile compares what the log says of a file with the file.
func checkFile(t *testing.T, table blob.Store, a *delta.Add) {
	name, err := a.Name()
	if err != nil {
		t.Fatal(err)
	}
	f, err := parquet.Open(t.Context(), table, name, nil)
	if err != nil {
		t.Fatal(err)
	}
	info, err := table.Stat(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	if said, ok := a.Rows(); ok && said != f.Rows() || a.Size != info.Size {
		t.Errorf("the log says that %s has %d rows and %d bytes, it has %d and %d", name, said, a.Size, f.Rows(), info.Size)
	}
}

func columnsOf(s *delta.Snapshot) []string {
	var columns []string
	for _, f := range s.Schema() {
		columns = append(columns, f.String())
	}
	return columns
}

// expectedRows reads the files that have a table's rows by themselves.
func expectedRows(t *testing.T, root *mem.Store, schema column.Schema) []string {
	t.Helper()
	var rows []string
	for info, err := range root.List(t.Context(), "expected/", "") {
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(info.Name, ".parquet") {
			continue
		}
		f, err := parquet.Open(t.Context(), root, info.Name, schema)
		if err != nil {
			t.Fatal(err)
		}
		for i := range f.RowGroups() {
			cols, err := f.ReadRowGroup(t.Context(), i, nil)
			if err != nil {
				t.Fatal(err)
			}
			for row := range f.RowGroupRows(i) {
				rows = append(rows, string(column.AppendRowJSON(nil, schema, cols, row)))
			}
		}
	}
	return rows
}
