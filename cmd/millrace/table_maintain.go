package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/millrace-io/millrace/engine/maintenance"
	"github.com/millrace-io/millrace/engine/spec"
)

// toMaintain is the table that a URL names.
func toMaintain(url string) (maintenance.Table, error) {
	store, err := openTable(url)
	return maintenance.Table{Name: url, Store: store}, err
}

func newTableOptimize() *cobra.Command {
	target := spec.Bytes(128 << 20)
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "optimize URL",
		Short: "Put small data files together",
		Long: `optimize makes few data files of many small ones, in each partition. Rows and readers see no change; pipelines
may go on writing meanwhile. Each file that it makes is a commit, so it can be stopped at any time and
run again. The old files stay, for readers of older versions, until vacuum deletes them.`,
		Example: `  millrace table optimize ./lake/pin_table
  millrace table optimize 's3://events/lake/pin_table' --target-file 256MiB --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			t, err := toMaintain(args[0])
			if err != nil {
				return err
			}
			o := optimizer(int64(target))
			stderr := cmd.ErrOrStderr()
			began := time.Now()
			o.Progress = func(d maintenance.Optimized) {
				if isTerminal(stderr) {
					fmt.Fprintf(stderr, "\r%s put together as %s, %s\x1b[K", plural(int(d.FilesRemoved), "file"), plural(int(d.FilesAdded), "file"), size(d.BytesAdded))
				}
			}
			done, err := o.Run(cmd.Context(), t)
			if isTerminal(stderr) && done.Commits > 0 {
				fmt.Fprintln(stderr)
			}
			if err != nil {
				return wrongPlace(err)
			}
			if asJSON {
				return printJSONLine(cmd.OutOrStdout(), done)
			}
			printOptimized(cmd.OutOrStdout(), done, time.Since(began))
			return nil
		},
	}
	cmd.Flags().Var(&bytesFlag{&target}, "target-file", "`size` of a file that is large enough")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

func printOptimized(w io.Writer, d maintenance.Optimized, took time.Duration) {
	if d.Commits == 0 && d.Conflicts == 0 {
		fmt.Fprintf(w, "version %d: nothing to put together\n", d.Version)
		return
	}
	fmt.Fprintf(w, "version %d: %s of %s put together as %s of %s, %s rows, %.1f s\n", d.Version, plural(int(d.FilesRemoved), "file"), size(d.BytesRemoved),
		plural(int(d.FilesAdded), "file"), size(d.BytesAdded), count(d.Rows), took.Seconds())
	if d.Conflicts > 0 {
		fmt.Fprintf(w, "%s left, for another writer was at the same files: run it again\n", plural(int(d.Conflicts), "group"))
	}
}

// bytesFlag is a flag of a size with its unit.
type bytesFlag struct{ to *spec.Bytes }

// String implements pflag.Value.
func (f *bytesFlag) String() string { return f.to.String() }

// Type implements pflag.Value.
func (f *bytesFlag) Type() string { return "size" }

// Set implements pflag.Value.
func (f *bytesFlag) Set(text string) error {
	n, err := spec.ParseBytes(text)
	if err == nil && n == 0 {
		err = fmt.Errorf("a file of 0 bytes holds no rows")
	}
	*f.to = n
	return err
}

func newTableVacuum() *cobra.Command {
	var v maintenance.Vacuum
	var retention string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "vacuum URL",
		Short: "Delete files that the table needs no more",
		Long: `vacuum deletes the files below a table that its newest version does not have, and none had for the time of the
retention: what optimize has put together, what writers that died have left. Versions older than the
retention can't be read afterwards. Files that a pipeline is about to commit stay: the table says where the
checkpoints are that name them. What is younger than the retention stays in any case.`,
		Example: `  millrace table vacuum ./lake/pin_table --dry-run
  millrace table vacuum ./lake/pin_table
  millrace table vacuum ./lake/pin_table --retention 240h --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if retention != "" {
				d, err := spec.ParseDuration(retention)
				if err != nil {
					return usagef("--retention %s: %w", retention, err)
				}
				v.Retention = max(d, 1) // 0 is what the table says
			}
			return tableVacuum(cmd.Context(), args[0], v, asJSON, cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringVar(&retention, "retention", "", "keep what was removed less than this `time` ago, such as 168h (default: what the table says, a week unless told otherwise)")
	f.BoolVar(&v.DryRun, "dry-run", false, "delete nothing, list what would be deleted")
	f.BoolVar(&v.Unsafe, "unsafe", false, "allow less than 168h, and pipelines whose checkpoints can't be read: no other writer may work on the table")
	f.BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

func tableVacuum(ctx context.Context, url string, v maintenance.Vacuum, asJSON bool, stdout io.Writer) error {
	t, err := toMaintain(url)
	if err != nil {
		return err
	}
	v.Open = beside(url)
	done, err := v.Run(ctx, t)
	if err != nil {
		return wrongPlace(err)
	}
	if asJSON {
		return printJSONLine(stdout, done)
	}
	what := "deleted"
	if v.DryRun {
		what = "would be deleted"
		for _, name := range done.Files {
			fmt.Fprintln(stdout, name)
		}
	}
	fmt.Fprintf(stdout, "version %d: %s of %s %s, %d more kept for now", done.Version, plural(len(done.Files), "file"), size(done.Bytes), what, done.Kept)
	if done.Swept > 0 {
		fmt.Fprintf(stdout, ", and %s of files whose writers died", plural(done.Swept, "beginning"))
	}
	fmt.Fprintln(stdout)
	return nil
}

func newTableCheckpoint() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "checkpoint URL",
		Short: "Write a checkpoint of the table's log, and clean the log up",
		Long: `checkpoint writes what lets readers begin at the newest version instead of reading the whole log. Then it deletes
entries of the log that are older than the table's delta.logRetentionDuration, unless the table forbids that;
versions before the oldest checkpoint that is left can't be read afterwards. A running pipeline does both by itself.`,
		Example: "  millrace table checkpoint ./lake/pin_table",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			t, err := toMaintain(args[0])
			if err != nil {
				return err
			}
			done, err := maintenance.Checkpoint(cmd.Context(), t)
			if err != nil {
				return wrongPlace(err)
			}
			if asJSON {
				return printJSONLine(cmd.OutOrStdout(), done)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "version %d has a checkpoint of %s; %s of the log deleted\n", done.Version, plural(done.Files, "file"), plural(done.Cleaned, "object"))
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}
