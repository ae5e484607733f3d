package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/spec"
	"github.com/millrace-io/millrace/pipelines"
)

// demoOptions are the flags of demo.
type demoOptions struct {
	dir    string
	lake   string
	events int64
	keep   bool
	rate   int // events a second with keep
	http   string
}

// demoUser is the user id in the demo's topic and table names.
const demoUser = "0e8c5a5fa275"

func newDemo() *cobra.Command {
	var o demoOptions
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "A broker, an emulator and the Pinterest pipeline in one process; nothing to install",
		Long: `demo starts a Kafka broker in this process, posts made-up Pinterest events to its three topics (with the
dirt such events have) and runs the pipeline that ships with millrace into Delta tables. Everything lies in one
folder: kafka/, lake/ and the emulator's place. Run it again and it goes on where it was, with as many events
again; kill it with -9 and run it again: the same (at most a thousand events are then never posted).`,
		Example: `  millrace demo
  millrace demo --events 100000 --dir /tmp/demo
  millrace demo --keep --rate 500      # go on until stopped; try tail meanwhile`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.events < 0 || o.rate < 1 {
				return usagef("--events and --rate must not be negative, nor --rate 0")
			}
			return demo(cmd.Context(), o, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.dir, "dir", "millrace-demo", "folder of the demo")
	f.StringVar(&o.lake, "lake", "", "folder of the tables (default: lake below --dir)")
	f.Int64Var(&o.events, "events", 20_000, "events to post; each is a record in each of three topics")
	f.BoolVar(&o.keep, "keep", false, "then go on at --rate until stopped")
	f.IntVar(&o.rate, "rate", 100, "events a second with --keep")
	f.StringVar(&o.http, "http", defaultHTTP, `where to serve /metrics, /status and tail; "" for not at all`)
	return cmd
}

func demo(ctx context.Context, o demoOptions, stdout, stderr io.Writer) error {
	if err := os.MkdirAll(o.dir, 0o755); err != nil {
		return fmt.Errorf("make the demo's folder: %w", err)
	}
	unlock, err := lockFolder(o.dir)
	if err != nil {
		return err
	}
	defer unlock()
	broker, err := startBroker(filepath.Join(o.dir, "kafka"), demoTopics())
	if err != nil {
		return err
	}
	defer broker.close()
	if o.lake == "" {
		o.lake = filepath.Join(o.dir, "lake")
	}
	def, err := demoDefinition(broker.address, o.lake)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	fleet, err := newFleet([]*spec.Definition{def}, engine.Options{}, log)
	if err != nil {
		return err
	}
	if o.http != "" {
		done, err := fleet.serve(ctx, o.http, log)
		if err != nil {
			return err
		}
		defer done()
	}
	fmt.Fprintf(stderr, "posting %s events to the broker at %s; the tables are in %s\n", count(o.events), broker.address, o.lake)
	if err := runDemo(ctx, o, fleet, broker, stderr); err != nil {
		return err
	}
	return showDemo(context.WithoutCancel(ctx), o, fleet.pipelines[0], stdout)
}

func demoDefinition(brokers, lake string) (*spec.Definition, error) {
	p := pipelines.Pinterest()
	return spec.Load(p.File, p.YAML, kinds(), spec.Options{ReadFile: pipelines.Read, Set: map[string]string{
		"BROKERS": brokers, "USER_ID": demoUser, "LAKE": lake, "COMMIT": "1s",
	}})
}

// runDemo runs the pipeline beside the emulator, until everything that was posted is in the tables.
func runDemo(ctx context.Context, o demoOptions, f *fleet, b *broker, stderr io.Writer) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	posting, stopPosting := context.WithCancel(ctx)
	defer stopPosting()
	defer onSignals(func() { stopPosting(); f.stop() }, func() { cancel(errInterrupted) })()
	stopProgress := showProgress(stderr, f)
	posted := make(chan error, 1)
	go func() {
		err := post(posting, o, b)
		if err == nil {
			err = f.caughtUp(posting, b)
		}
		if errors.Is(err, context.Canceled) {
			err = nil // stopped: what was posted and not read yet comes with the next run
		}
		f.stop()
		posted <- err
	}()
	err := f.run(ctx)
	stopPosting()
	err = errors.Join(err, <-posted)
	stopProgress()
	return err
}

// caughtUpLook is how often the demo looks whether the pipeline has all records.
const caughtUpLook = 20 * time.Millisecond

// caughtUp waits until the pipeline has taken in everything the broker holds.
func (f *fleet) caughtUp(ctx context.Context, b *broker) error {
	ends, err := b.ends(ctx)
	if err != nil {
		return err
	}
	topics := map[string]string{"pins": demoTopic("pin"), "geo": demoTopic("geo"), "users": demoTopic("user")}
	look := time.NewTicker(caughtUpLook)
	defer look.Stop()
	for {
		next := map[string]int64{}
		for _, p := range f.pipelines[0].task.Status().Partitions {
			next[topics[p.Source]+"/"+p.Partition] = int64(p.Next)
		}
		behind := false
		for partition, end := range ends {
			behind = behind || next[partition] < end
		}
		if !behind {
			return nil
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func demoTopic(table string) string { return demoUser + "." + table }

func demoTopics() []string { return []string{demoTopic("pin"), demoTopic("geo"), demoTopic("user")} }

// program is how the user started this program, for the commands that demo suggests.
func program() string {
	if exe, err := os.Executable(); err == nil && strings.Contains(exe, "go-build") {
		return "go run ./cmd/millrace"
	}
	return os.Args[0]
}
