package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/millrace-io/millrace/engine/spec"
)

func newCheck() *cobra.Command {
	var o loadOptions
	var asJSON, schema, offline bool
	cmd := &cobra.Command{
		Use:   "check FILE…",
		Short: "Show the typed plan of definitions, or every error at once",
		Long: `check reads definitions as run does and prints what would run: each source, stream and table with the
names and types of its columns. If anything is wrong it prints all of it, with file, line and column, and
exits with code 2. Tables that are in the lake already are compared with the rows that are to go into them;
with --offline nothing but the files is opened. A FILE may be the name of a pipeline that ships with millrace:
pinterest, or pinterest-streaming.`,
		Example: `  millrace check my.yaml
  millrace check pinterest --set USER_ID=0e8c5a5fa275
  millrace check --json-schema > millrace.schema.json   # for editors`,
		Args: func(cmd *cobra.Command, args []string) error {
			if schema {
				return cobra.NoArgs(cmd, args)
			}
			return cobra.MinimumNArgs(1)(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if schema {
				_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s\n", spec.JSONSchema(kinds()))
				return err
			}
			return check(cmd.Context(), args, o, checkOptions{asJSON, offline}, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	o.add(f)
	f.BoolVar(&asJSON, "json", false, "print the plan, or the errors, as JSON")
	f.BoolVar(&offline, "offline", false, "do not look at the tables in the lake")
	f.BoolVar(&schema, "json-schema", false, "print the JSON Schema of the format, for editors")
	return cmd
}

// checkOptions are the flags of check.
type checkOptions struct{ json, offline bool }

func check(ctx context.Context, files []string, o loadOptions, c checkOptions, stdout, stderr io.Writer) error {
	defs, err := loadAll(files, o)
	if err == nil && !c.offline {
		err = checkTables(ctx, defs, stderr)
	}
	if err != nil {
		return showErrors(err, c.json, stdout, stderr)
	}
	if c.json {
		plans := make([]spec.Description, 0, len(defs))
		for _, d := range defs {
			plans = append(plans, d.Describe())
		}
		return printJSON(stdout, plans)
	}
	for _, d := range defs {
		if err := d.WritePlan(stdout); err != nil {
			return err
		}
		for _, w := range d.Warnings {
			fmt.Fprintf(stderr, "warning: %s\n", w)
		}
	}
	return nil
}

// checkTables compares the definitions with the tables that are there.
func checkTables(ctx context.Context, defs []*spec.Definition, stderr io.Writer) error {
	var errs []error
	for _, d := range defs {
		r, err := lookAtTables(ctx, d)
		if err != nil {
			return err
		}
		for _, n := range r.notes {
			fmt.Fprintf(stderr, "note: %s\n", n)
		}
		if len(r.errs) > 0 {
			errs = append(errs, r.errs)
		}
	}
	return errors.Join(errs...)
}

// showErrors tells what is wrong in definitions, and gives the error that sets the exit code.
func showErrors(err error, asJSON bool, stdout, stderr io.Writer) error {
	var wrong spec.Errors
	if !errors.As(err, &wrong) {
		return err
	}
	placed := definitionErrors(err)
	if asJSON {
		if err := printJSON(stdout, map[string]any{"errors": placed}); err != nil {
			return err
		}
	} else {
		printErrors(stderr, placed)
	}
	others := otherErrors(err)
	for _, e := range others {
		fmt.Fprintf(stderr, "millrace: %v\n", e)
	}
	if !asJSON {
		fmt.Fprintln(stderr, plural(len(placed)+len(others), "error"))
	}
	return errShown
}

// printErrors shows a line an error, and on a terminal the line of the file that it is about.
func printErrors(w io.Writer, all spec.Errors) {
	for _, e := range all {
		if isTerminal(w) {
			fmt.Fprintln(w, e.String())
		} else {
			fmt.Fprintln(w, e.Error())
		}
	}
}

// definitionErrors is every placed error in err.
func definitionErrors(err error) spec.Errors {
	var all spec.Errors
	for _, e := range leaves(err) {
		var one *spec.Error
		if errors.As(e, &one) {
			all = append(all, one)
		}
	}
	return all
}

// otherErrors is every error in err that has no place in a file.
func otherErrors(err error) []error {
	var all []error
	for _, e := range leaves(err) {
		var one *spec.Error
		if !errors.As(e, &one) {
			all = append(all, e)
		}
	}
	return all
}

// leaves takes joined errors apart. An error that says more than its parts stays whole.
func leaves(err error) []error {
	several, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	if joined := errors.Join(several.Unwrap()...); joined == nil || joined.Error() != err.Error() {
		return []error{err}
	}
	var all []error
	for _, e := range several.Unwrap() {
		all = append(all, leaves(e)...)
	}
	return all
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
