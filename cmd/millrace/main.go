// Command millrace runs pipelines: definitions that name sources, typed operators and Delta tables.
//
//	millrace demo                 a broker, an emulator and a pipeline in one process; nothing to install
//	millrace run FILE…            run definitions, continuously and exactly once
//	millrace check FILE…          the typed plan, or every error at once
//	millrace tail NAME            rows as they pass, from a running process
//	millrace table show URL       look at a Delta table
//	millrace bench                how fast it is, on this machine
//
// Progress goes to stderr, results to stdout. Exit codes: 0 done, 1 failed while running, 2 wrong
// definition or usage, 3 fenced by another process.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/spec"
)

// version is what this build calls itself.
const version = "0.1.0"

// The exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
	exitFenced = 3
)

func main() { os.Exit(execute(context.Background(), os.Args[1:], os.Stdout, os.Stderr)) }

// execute runs a command line and gives its exit code.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err != nil && !errors.Is(err, errShown) {
		for _, e := range leaves(err) {
			fmt.Fprintf(stderr, "millrace: %v\n", e)
		}
	}
	return exitCode(err)
}

// errShown is the error of a command that has told of what is wrong already; it counts as a wrong
// definition.
var errShown = usageError{errors.New("see above")}

// A usageError is a mistake in the command line or a definition: nothing was run.
type usageError struct{ error }

// Unwrap gives the error inside.
func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

func exitCode(err error) int {
	var usage usageError
	var wrong spec.Errors
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &usage), errors.As(err, &wrong):
		return exitUsage
	case errors.Is(err, engine.ErrFenced):
		return exitFenced
	default:
		return exitFailed
	}
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "millrace",
		Short:         "A streaming dataflow engine in one binary",
		Long:          "millrace takes events from Kafka or Kinesis through typed operators into Delta tables, continuously and exactly once.",
		Version:       version,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          commandsOnly,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%w\nsee %s --help", err, cmd.CommandPath())
	})
	root.AddCommand(newDemo(), newRun(), newCheck(), newTail(), newTable(), newBench())
	usageArgs(root)
	return root
}

// commandsOnly is the Args of a command that only holds others.
func commandsOnly(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, c := range cmd.Commands() {
		names = append(names, c.Name())
	}
	wanted := strings.TrimPrefix(cmd.CommandPath()+" "+args[0], cmd.Root().Name()+" ")
	return fmt.Errorf("there is no command %s%s", wanted, meant(args[0], names))
}

// usageArgs makes a wrong number of arguments a mistake in usage, of c and those below it.
func usageArgs(c *cobra.Command) {
	if check := c.Args; check != nil {
		c.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return usagef("%w\nusage: %s\nsee %s --help", err, cmd.UseLine(), cmd.CommandPath())
			}
			return nil
		}
	}
	for _, sub := range c.Commands() {
		usageArgs(sub)
	}
}
