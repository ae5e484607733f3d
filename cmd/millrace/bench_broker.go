package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-io/millrace/bench/pins"
)

// broker gives the address of a broker that holds the workload.
func (o *benchOptions) broker(ctx context.Context) (brokers string, done func(), err error) {
	if o.brokers != "" {
		return o.brokers, func() {}, o.fill(ctx, o.brokers)
	}
	self, err := os.Executable()
	if err != nil {
		return "", nil, err
	}
	args := []string{"bench", "broker", "--records", strconv.FormatInt(o.workload.Records, 10)}
	if o.workload.Fresh {
		args = append(args, "--fresh")
	}
	if o.texts != "" {
		args = append(args, "--texts", o.texts)
	}
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Stderr = os.Stderr
	stdin, err1 := cmd.StdinPipe() // the broker ends when this is closed, however this process ends
	stdout, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2, cmd.Start()); err != nil {
		return "", nil, fmt.Errorf("start the broker's process: %w", err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return "", nil, errors.Join(fmt.Errorf("the broker's process ended: %w", err), cmd.Wait())
	}
	return strings.TrimSpace(line), func() { stdin.Close(); cmd.Wait() }, nil //nolint:errcheck // it is done with
}

// newBenchBroker is the process that bench starts for its broker.
func newBenchBroker() *cobra.Command {
	var o benchOptions
	cmd := &cobra.Command{
		Use:    "broker",
		Short:  "Serve the workload until stdin is closed",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.runs = 1; o.prepare() != nil {
				return usageError{o.prepare()}
			}
			b, err := startBroker("", nil)
			if err != nil {
				return err
			}
			defer b.close()
			if err := o.fill(cmd.Context(), b.address); err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), b.address)
			_, err = io.Copy(io.Discard, cmd.InOrStdin())
			return err
		},
	}
	f := cmd.Flags()
	f.Int64Var(&o.workload.Records, "records", pins.Records, "records of the workload")
	f.BoolVar(&o.workload.Fresh, "fresh", false, "texts that do not repeat")
	f.StringVar(&o.texts, "texts", "", "file of pins as JSON lines")
	return cmd
}

// fill makes the topics and produces the workload, unless the broker has it already.
func (o *benchOptions) fill(ctx context.Context, brokers string) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(brokers, ",")...), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.MaxBufferedRecords(20_000))
	if err != nil {
		return err
	}
	defer client.Close()
	topic := o.userID() + ".pin"
	made, err := makeTopic(ctx, client, topic, pins.Partitions)
	if err != nil || !made {
		return err
	}
	for _, other := range []string{".geo", ".user"} {
		if _, err := makeTopic(ctx, client, o.userID()+other, 1); err != nil {
			return err
		}
	}
	var failed error
	_, err = pins.Generate(o.workload, func(partition int, key, value []byte) error {
		client.Produce(ctx, &kgo.Record{Topic: topic, Partition: int32(partition), Key: key, Value: value}, func(_ *kgo.Record, err error) {
			if err != nil && failed == nil {
				failed = err
			}
		})
		return ctx.Err()
	})
	return errors.Join(err, client.Flush(ctx), failed)
}

// makeTopic makes a topic; made is false if it was there.
func makeTopic(ctx context.Context, client *kgo.Client, topic string, partitions int) (made bool, err error) {
	req := kmsg.NewPtrCreateTopicsRequest()
	t := kmsg.NewCreateTopicsRequestTopic()
	t.Topic, t.NumPartitions, t.ReplicationFactor = topic, int32(partitions), 1
	req.Topics = append(req.Topics, t)
	req.TimeoutMillis = 30_000
	resp, err := req.RequestWith(ctx, client)
	if err != nil {
		return false, fmt.Errorf("make topic %s: %w", topic, err)
	}
	err = kerr.ErrorForCode(resp.Topics[0].ErrorCode)
	if errors.Is(err, kerr.TopicAlreadyExists) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("make topic %s: %w", topic, err)
	}
	return true, nil
}
