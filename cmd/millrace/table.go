package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/delta"
)

func newTable() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "table",
		Short: "Look at a Delta table, and look after it",
		Long:  "table looks at and after any Delta table of reader version 1 and writer version 2. URL is the table's\nfolder, or s3://bucket/path: docs/s3.md says how its credentials and options are found.",
		Args:  commandsOnly,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newTableShow(), newTableRead(), newTableHistory(), newTableFiles(), newTableOptimize(), newTableVacuum(), newTableCheckpoint(), newTableVerify())
	return cmd
}

// tableFlags are the flags of all that look at one version.
type tableFlags struct {
	version int64
	at      string // a time; "": not given
	json    bool
}

func (f *tableFlags) add(cmd *cobra.Command) {
	cmd.Flags().Int64Var(&f.version, "version", delta.Latest, "version to look at (default: the newest)")
	cmd.Flags().Lookup("version").DefValue = "0" // -1 is nothing to show
	cmd.Flags().StringVar(&f.at, "at", "", "look at the version that was the newest at this time, as 2006-01-02T15:04:05Z or 2006-01-02")
	cmd.Flags().BoolVar(&f.json, "json", false, "print JSON")
}

// snapshot loads the version of a table that the flags name.
func (f *tableFlags) snapshot(ctx context.Context, url string) (*delta.Snapshot, blob.Store, error) {
	store, err := openTable(url)
	if err != nil {
		return nil, nil, err
	}
	version, err := f.chosen(ctx, store)
	if err != nil {
		return nil, nil, wrongPlace(err)
	}
	s, err := delta.Load(ctx, store, version)
	return s, store, wrongPlace(err)
}

// latest loads the newest version of a table.
func latest(ctx context.Context, url string) (*delta.Snapshot, blob.Store, error) {
	return (&tableFlags{version: delta.Latest}).snapshot(ctx, url)
}

func (f *tableFlags) chosen(ctx context.Context, store blob.Store) (int64, error) {
	switch {
	case f.version < delta.Latest:
		return 0, usagef("--version %d: versions begin with 0", f.version)
	case f.at == "":
		return f.version, nil
	case f.version != delta.Latest:
		return 0, usagef("--version and --at: choose one")
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, f.at); err == nil {
			return delta.VersionAt(ctx, store, at)
		}
	}
	return 0, usagef("--at %s: expected a time such as 2006-01-02T15:04:05Z, or a day, which is its first moment in UTC", f.at)
}

// wrongPlace makes it a mistake in usage that a URL names no table.
func wrongPlace(err error) error {
	if errors.Is(err, delta.ErrNotTable) {
		return usageError{err}
	}
	return err
}

func newTableShow() *cobra.Command {
	var f tableFlags
	cmd := &cobra.Command{
		Use:     "show URL",
		Short:   "Schema, version, rows, files and properties",
		Example: "  millrace table show ./lake/pin_table",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, store, err := f.snapshot(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			about := describeTable(s, store)
			if f.json {
				return printJSON(cmd.OutOrStdout(), about)
			}
			about.print(cmd.OutOrStdout())
			return nil
		},
	}
	f.add(cmd)
	return cmd
}

// A tableDescription is what table show prints; its JSON is part of the product.
type tableDescription struct {
	URL         string            `json:"url"`
	Name        string            `json:"name,omitempty"`
	ID          string            `json:"id"`
	Version     int64             `json:"version"`
	Reader      int               `json:"min_reader_version"`
	Writer      int               `json:"min_writer_version"`
	Rows        *int64            `json:"rows"` // null: the log does not say
	Files       int               `json:"files"`
	Bytes       int64             `json:"bytes"`
	PartitionBy []string          `json:"partition_by"`
	Columns     []tableColumn     `json:"columns"`
	Properties  map[string]string `json:"properties"`
	Writers     map[string]int64  `json:"txns"` // last version by application id
}

type tableColumn struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	Required bool   `json:"required"`
}

func describeTable(s *delta.Snapshot, store blob.Store) tableDescription {
	m := s.Metadata()
	d := tableDescription{
		URL: store.URL(), Name: m.Name, ID: m.ID, Version: s.Version(), Reader: s.Protocol().MinReader, Writer: s.Protocol().MinWriter,
		PartitionBy: m.PartitionBy, Properties: m.Configuration, Writers: map[string]int64{},
	}
	rows, known := int64(0), true
	for _, f := range s.Files() {
		n, ok := f.Rows()
		rows, known = rows+n, known && ok
		d.Files++
		d.Bytes += f.Size
	}
	if known {
		d.Rows = &rows
	}
	for _, f := range s.Schema() {
		d.Columns = append(d.Columns, tableColumn{f.Name, f.Type, f.Required})
	}
	for _, t := range s.Txns() {
		d.Writers[t.AppID] = t.Version
	}
	return d
}

func (d tableDescription) print(w io.Writer) {
	rows := "unknown"
	if d.Rows != nil {
		rows = count(*d.Rows)
	}
	fmt.Fprintf(w, "%s\n\nversion     %d\nrows        %s\nfiles       %s, %s\nprotocol    reader %d, writer %d\nid          %s\n",
		d.URL, d.Version, rows, count(int64(d.Files)), size(d.Bytes), d.Reader, d.Writer, d.ID)
	if len(d.PartitionBy) > 0 {
		fmt.Fprintf(w, "partitions  %s\n", strings.Join(d.PartitionBy, ", "))
	}
	for _, k := range slices.Sorted(maps.Keys(d.Properties)) {
		fmt.Fprintf(w, "property    %s = %s\n", k, d.Properties[k])
	}
	for _, k := range slices.Sorted(maps.Keys(d.Writers)) {
		fmt.Fprintf(w, "txn         %s: %d\n", k, d.Writers[k])
	}
	fmt.Fprintln(w)
	var cells [][]string
	for _, c := range d.Columns {
		null := ""
		if c.Required {
			null = "not null"
		}
		cells = append(cells, []string{c.Name, c.Type, null})
	}
	grid(w, []string{"column", "type", ""}, cells, 0)
}

func newTableHistory() *cobra.Command {
	var asJSON bool
	var limit int
	cmd := &cobra.Command{
		Use:     "history URL",
		Short:   "The commits, newest first",
		Example: "  millrace table history ./lake/pin_table --limit 5",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			store, err := openTable(args[0])
			if err != nil {
				return err
			}
			var all []delta.Version
			for v, err := range delta.History(cmd.Context(), store) {
				if err != nil {
					return wrongPlace(err)
				}
				if all = append(all, v); len(all) == limit {
					break
				}
			}
			if asJSON {
				for _, v := range all {
					if err := printJSONLine(cmd.OutOrStdout(), historyLine{v.Number, iso(v.Millis), v.Info}); err != nil {
						return err
					}
				}
				return nil
			}
			printHistory(cmd.OutOrStdout(), all)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a commit")
	cmd.Flags().IntVar(&limit, "limit", 0, "show only so many (0: all)")
	return cmd
}

// A historyLine is a line of table history --json.
type historyLine struct {
	Version int64            `json:"version"`
	At      string           `json:"at"`
	Info    delta.CommitInfo `json:"commit_info"`
}

func iso(millis int64) string { return time.UnixMilli(millis).UTC().Format("2006-01-02T15:04:05.000Z") }

func printHistory(w io.Writer, all []delta.Version) {
	var rows [][]string
	for _, v := range all {
		rows = append(rows, []string{
			strconv.FormatInt(v.Number, 10), iso(v.Millis), v.Info.Operation, delta.Text(v.Info.Parameters["epochId"]),
			delta.Text(v.Info.Metrics["numOutputRows"]), delta.Text(v.Info.Metrics["numAddedFiles"]), v.Info.EngineInfo,
		})
	}
	grid(w, []string{"version", "at", "operation", "epoch", "rows", "files", "engine"}, rows, 0, "version", "epoch", "rows", "files")
}

func newTableFiles() *cobra.Command {
	var f tableFlags
	cmd := &cobra.Command{
		Use:     "files URL",
		Short:   "The data files of a version, with rows and bytes",
		Example: "  millrace table files ./lake/pin_table --json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, _, err := f.snapshot(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return printFiles(cmd.OutOrStdout(), s, f.json)
		},
	}
	f.add(cmd)
	return cmd
}

// A fileLine is a line of table files --json.
type fileLine struct {
	Path        string             `json:"path"`
	Rows        *int64             `json:"rows"`
	Bytes       int64              `json:"bytes"`
	At          string             `json:"at"`
	PartitionBy map[string]*string `json:"partition_values"`
	Stats       json.RawMessage    `json:"stats,omitempty"`
}

func printFiles(w io.Writer, s *delta.Snapshot, asJSON bool) error {
	var rows [][]string
	for _, f := range s.Files() {
		name, err := f.Name()
		if err != nil {
			return err
		}
		line := fileLine{Path: name, Bytes: f.Size, At: iso(f.ModifiedMillis), PartitionBy: f.PartitionValues}
		cell := ""
		if n, ok := f.Rows(); ok {
			line.Rows, cell = &n, count(n)
		}
		if json.Valid([]byte(f.Stats)) {
			line.Stats = json.RawMessage(f.Stats)
		}
		if asJSON {
			if err := printJSONLine(w, line); err != nil {
				return err
			}
			continue
		}
		rows = append(rows, []string{name, cell, size(f.Size), line.At})
	}
	if !asJSON {
		grid(w, []string{"file", "rows", "size", "at"}, rows, 0, "rows", "size")
	}
	return nil
}

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

func printJSONLine(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
