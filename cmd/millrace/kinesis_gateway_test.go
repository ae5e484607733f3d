package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/millrace-io/millrace/pipelines/pinterest/emulator"
)

// A gateway makes streams and puts records on them: the protocol in JSON, with a signature that only
// Amazon would look at.
type gateway struct{ url string }

// ask has the server carry out an operation.
func (g gateway) ask(ctx context.Context, op string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, g.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	now := time.Now().UTC()
	for name, value := range map[string]string{
		"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "Kinesis_20131202." + op, "X-Amz-Date": now.Format("20060102T150405Z"),
		"Authorization": "AWS4-HMAC-SHA256 Credential=test/" + now.Format("20060102") + "/us-east-1/kinesis/aws4_request, SignedHeaders=host;x-amz-date, Signature=0",
	} {
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if body, err = io.ReadAll(resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %d %s", op, resp.StatusCode, body)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(body, out)
}

// create makes a stream, and waits until it is there.
func (g gateway) create(t *testing.T, stream string, shards int) {
	t.Helper()
	g.must(t, stream, "CreateStream", map[string]any{"StreamName": stream, "ShardCount": shards})
}

// drop deletes a stream, and waits until it is gone.
func (g gateway) drop(t *testing.T, stream string) {
	t.Helper()
	if err := g.ask(t.Context(), "DeleteStream", map[string]any{"StreamName": stream}, nil); err != nil {
		t.Fatal(err)
	}
	g.until(t, stream+" is gone", func() bool {
		return g.ask(t.Context(), "DescribeStreamSummary", map[string]any{"StreamName": stream}, nil) != nil
	})
}

// split closes the largest open shard of a stream and opens two in its place.
func (g gateway) split(t *testing.T, stream string) {
	t.Helper()
	open := g.open(t, stream)
	largest := slices.MaxFunc(open, func(a, b openShard) int { return new(big.Int).Sub(a.high, a.low).Cmp(new(big.Int).Sub(b.high, b.low)) })
	middle := new(big.Int).Add(largest.low, largest.high)
	middle.Rsh(middle, 1)
	g.must(t, stream, "SplitShard", map[string]any{"StreamName": stream, "ShardToSplit": largest.id, "NewStartingHashKey": middle.String()})
}

// merge closes the first two open shards of a stream and opens one in their place.
func (g gateway) merge(t *testing.T, stream string) {
	t.Helper()
	open := g.open(t, stream)
	g.must(t, stream, "MergeShards", map[string]any{"StreamName": stream, "ShardToMerge": open[0].id, "AdjacentShardToMerge": open[1].id})
}

// must has an operation carried out that changes a stream, and waits until it has.
func (g gateway) must(t *testing.T, stream, op string, in any) {
	t.Helper()
	if err := g.ask(t.Context(), op, in, nil); err != nil {
		t.Fatal(err)
	}
	g.until(t, op+" of "+stream, func() bool {
		var out struct{ StreamDescriptionSummary struct{ StreamStatus string } }
		err := g.ask(t.Context(), "DescribeStreamSummary", map[string]any{"StreamName": stream}, &out)
		return err == nil && out.StreamDescriptionSummary.StreamStatus == "ACTIVE"
	})
}

// until looks again and again whether something is so.
func (g gateway) until(t *testing.T, what string, is func() bool) {
	t.Helper()
	awaited(t, what, 10*time.Millisecond, is)
}

// awaited looks every so often whether something is so, and fails after a minute.
func awaited(t *testing.T, what string, every time.Duration, is func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	look := time.NewTicker(every)
	defer look.Stop()
	for !is() {
		select {
		case <-look.C:
		case <-deadline:
			t.Fatalf("%s: not after a minute", what)
		}
	}
}

// An openShard takes the records whose partition key's hash lies in its range, both ends inclusive.
type openShard struct {
	id        string
	low, high *big.Int
}

// open is the open shards of a stream, by hash key.
func (g gateway) open(t *testing.T, stream string) (all []openShard) {
	t.Helper()
	var out struct {
		Shards []struct {
			ShardId             string //nolint:revive // the protocol's name
			HashKeyRange        struct{ StartingHashKey, EndingHashKey string }
			SequenceNumberRange struct{ EndingSequenceNumber string }
		}
	}
	if err := g.ask(t.Context(), "ListShards", map[string]any{"StreamName": stream}, &out); err != nil {
		t.Fatal(err)
	}
	for _, s := range out.Shards {
		low, ok := new(big.Int).SetString(s.HashKeyRange.StartingHashKey, 10)
		high, both := new(big.Int).SetString(s.HashKeyRange.EndingHashKey, 10)
		if !ok || !both {
			t.Fatalf("shard %s has the hash keys %+v", s.ShardId, s.HashKeyRange)
		}
		if s.SequenceNumberRange.EndingSequenceNumber == "" {
			all = append(all, openShard{s.ShardId, low, high})
		}
	}
	slices.SortFunc(all, func(a, b openShard) int { return cmp.Or(a.low.Cmp(b.low), cmp.Compare(a.id, b.id)) })
	return all
}

// A posted is a record as a producer has it.
type posted struct {
	Data         []byte
	PartitionKey string
}

// mostPut is how many records a request may have; they are small enough for its 5 MiB.
const mostPut = 500

// put puts records on a stream, those that the server had no room for again until it has.
func (g gateway) put(ctx context.Context, stream string, records ...posted) error {
	for part := range slices.Chunk(records, mostPut) {
		for len(part) > 0 {
			var out struct{ Records []struct{ ErrorCode string } }
			if err := g.ask(ctx, "PutRecords", map[string]any{"StreamName": stream, "Records": part}, &out); err != nil {
				return err
			}
			var again []posted
			for i, r := range out.Records {
				if r.ErrorCode != "" {
					again = append(again, part[i])
				}
			}
			part = again
		}
	}
	return nil
}

// A pinEvent is a record of the emulator with the table that it is meant for.
type pinEvent struct {
	table string
	posted
}

// emulate gives the records of the emulator's first events.
func emulate(events int) (all []pinEvent) {
	gen := emulator.New(demoSeed, 0)
	for range events {
		for table, r := range gen.Next().Records() {
			all = append(all, pinEvent{table, posted{r.Value, string(r.Key)}})
		}
	}
	return all
}

// pinStream is the stream of a table's events in the shipped definition.
func pinStream(table string) string { return "streaming-" + demoUser + "-" + table }

// pinTables are the tables that events are meant for.
func pinTables() []string { return []string{emulator.PinTable, emulator.GeoTable, emulator.UserTable} }

// post puts events on their streams.
func (g gateway) post(t *testing.T, events []pinEvent) {
	t.Helper()
	for _, table := range pinTables() {
		var records []posted
		for _, e := range events {
			if e.table == table {
				records = append(records, e.posted)
			}
		}
		if err := g.put(t.Context(), pinStream(table), records...); err != nil {
			t.Fatal(err)
		}
	}
}
