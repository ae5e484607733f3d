//go:build real

package realtest_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/millrace-io/millrace/pipelines/pinterest/emulator"
	"github.com/millrace-io/millrace/scripts/realtest"
)

// write.py writes JSON lines as a Delta table of three files by delta-rs, so that the checks can be seen to
// pass and to fail on a table that is none of ours. A timestamp is recognised by its zone; bytes are in
// base64.
const write = `
import base64, datetime, json, sys
import pyarrow as pa
from deltalake import write_deltalake

rows = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
for row in rows:
    for name, value in row.items():
        if isinstance(value, str) and value.endswith("+00:00"):
            row[name] = datetime.datetime.fromisoformat(value)
        if name == "bytes":
            row[name] = base64.b64decode(value)
table = pa.Table.from_pylist(rows)
for i in range(3):
    first = len(rows) * i // 3
    write_deltalake(sys.argv[2], table.slice(first, len(rows) * (i + 1) // 3 - first), mode="append")
`

// raw writes what the emulator sends to one topic, a record a line, and counts. refused is the rows that a
// quarantine table has of it.
func raw(t *testing.T, table string, events int) (file string, c emulator.Count, refused string) {
	t.Helper()
	var lines, quarantine strings.Builder
	var tally emulator.Tally
	e := emulator.New(1, 0)
	for range events {
		event := e.Next()
		tally.Add(event)
		for to, r := range event.Records() {
			if to == table {
				lines.Write(r.Value)
				lines.WriteByte('\n')
				if r.Dirt != emulator.Sound {
					reason := map[emulator.Dirt]string{emulator.NotJSON: "decode", emulator.WrongTopic: "required"}[r.Dirt]
					row := map[string]any{"source": table, "reason": reason, "bytes": r.Value}
					_ = json.NewEncoder(&quarantine).Encode(row)
				}
			}
		}
	}
	file = filepath.Join(t.TempDir(), table+".ndjson")
	if err := os.WriteFile(file, []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return file, map[string]emulator.Count{"pin": tally.Pin, "geo": tally.Geo, "user": tally.User}[table], quarantine.String()
}

func readers(t *testing.T, args ...string) (out string, err error) {
	t.Helper()
	stdout, err := exec.Command(filepath.Join(realtest.Root(t), "scripts", "readers.sh"), args...).Output()
	return string(stdout), err
}

// table writes rows as a Delta table.
func table(t *testing.T, rows string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"write.py": write, "rows": rows} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := readers(t, "python", filepath.Join(dir, "write.py"), filepath.Join(dir, "rows"), filepath.Join(dir, "table")); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return filepath.Join(dir, "table")
}

// The naive cleaning makes of the emulator's events what the emulator says must come out, and the checks
// pass on a table of just these rows.
func TestCleaned(t *testing.T) {
	for _, kind := range []string{"pin", "geo", "user"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			file, want, refused := raw(t, kind, 3000)
			rows, err := readers(t, "clean", "rows", kind, file)
			if got := int64(strings.Count(rows, "\n")); err != nil || got != want.Rows {
				t.Fatalf("%d clean rows, want %d, %v", got, want.Rows, err)
			}
			path := table(t, rows)
			if got := realtest.ReadDelta(t, path, "ind"); got.Rows != want.Rows || got.Distinct != want.Rows || got.Files != 3 || got.Version != 2 {
				t.Errorf("%+v, want %+v", got, want)
			}
			realtest.CheckCleaned(t, realtest.Cleaned{Kind: kind, Path: path, Raw: []string{file}, Quarantine: table(t, refused), Source: kind})
			realtest.CheckPruning(t, path, true)
		})
	}
}

// A check that cannot fail is none: each wrong table is found, and what is wrong with it.
func TestCompareFindsWhatIsWrong(t *testing.T) {
	file, _, refused := raw(t, "user", 3000)
	rows, err := readers(t, "clean", "rows", "user", file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(rows, "\n")
	_, unlike, _ := strings.Cut(refused, "\n")
	for name, c := range map[string]struct{ rows, refused, want string }{
		"lost":            {strings.Join(lines[1:], ""), refused, "1 missing, 0 too many"},
		"twice":           {rows + lines[0], refused, "0 missing, 1 too many"},
		"changed":         {strings.Replace(rows, `"age": 2`, `"age": 4`, 1), refused, "1 missing, 1 too many"},
		"not quarantined": {rows, unlike, "1 missing, 0 too many"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := readers(t, "clean", "compare", "user", table(t, c.rows), file, "--quarantine", table(t, c.refused), "--source", "user")
			if err == nil || strings.Count(out, c.want) != 2 {
				t.Errorf("%v, want %q by both readers:\n%s", err, c.want, out)
			}
		})
	}
}

// Statistics that lie, by a log that was changed by hand, are found by the answers they lead to.
func TestPruneFindsWrongStatistics(t *testing.T) {
	file, _, _ := raw(t, "user", 300)
	rows, err := readers(t, "clean", "rows", "user", file)
	if err != nil {
		t.Fatal(err)
	}
	path := table(t, rows)
	entry := filepath.Join(path, "_delta_log", "00000000000000000001.json")
	text, err := os.ReadFile(entry)
	if err != nil {
		t.Fatal(err)
	}
	lie := regexp.MustCompile(`(maxValues.{5,200}?age\\*":)60`).ReplaceAll(text, []byte("${1}59"))
	if string(lie) == string(text) {
		t.Fatalf("nothing to change in %s", text)
	}
	if err := os.WriteFile(entry, lie, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := readers(t, "clean", "prune", path); err == nil || !strings.Contains(out, "by DuckDB") || !strings.Contains(out, "by delta-rs") {
		t.Errorf("%v:\n%s", err, out)
	}
}
