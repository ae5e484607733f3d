package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/millrace-io/millrace/engine/maintenance"
)

func newTableVerify() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "verify URL",
		Short: "Prove a table from itself",
		Long: `verify reads all of a table and compares it with what it says of itself: the log has no gap; each file is there
with the size, rows and statistics that the log says; each epoch follows the one it was made to follow; there are
as many rows as the ledgers of the pipelines say, or the other writer is named that changed rows; and no two rows
are duplicates by the table's property millrace.dedupe, which a pipeline sets whose last step with a key is dedupe.
The first difference ends it, with exit code 1. What a table does not hold enough for is said.`,
		Example: "  millrace table verify ./lake/pin_table",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			t, err := toMaintain(args[0])
			if err != nil {
				return err
			}
			v, err := maintenance.Verify(cmd.Context(), t)
			if err != nil {
				return wrongPlace(err)
			}
			if asJSON {
				return printJSONLine(cmd.OutOrStdout(), v)
			}
			printVerified(cmd.OutOrStdout(), v)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

func printVerified(w io.Writer, v maintenance.Verified) {
	fmt.Fprintf(w, "log         versions %d to %d, none missing\n", v.First, v.Version)
	fmt.Fprintf(w, "files       %s, each there with its size, rows and statistics\n", count(int64(v.Files)))
	fmt.Fprintf(w, "epochs      %s, each behind the one it was made to follow\n", count(v.Epochs))
	rows := ""
	if v.Ledger != nil {
		rows = ", as the ledger says"
	}
	fmt.Fprintf(w, "rows        %s%s\n", count(v.Rows), rows)
	if len(v.DedupeBy) > 0 {
		fmt.Fprintf(w, "duplicates  none by %s\n", strings.Join(v.DedupeBy, ", "))
	}
	for _, o := range v.Others {
		fmt.Fprintf(w, "others      %s\n", o)
	}
	for _, u := range v.Unprovable {
		fmt.Fprintf(w, "not proved  %s\n", u)
	}
}
