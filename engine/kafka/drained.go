package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/IBM/sarama"

	"github.com/millrace-io/millrace/engine"
)

const (
	probeBytes = 1 << 20 // bytes of one fetch of a probe
	probeWait  = 500     // milliseconds
)

// Drained fetches from the offset on and looks whether a reader of committed records would be given any
// record before end: markers of transactions, records of aborted ones and those that compaction took away
// are given to nobody. Brokers that do not answer are asked again for half a minute.
func (s *Source) Drained(ctx context.Context, partition string, from, end engine.Offset) (drained bool, err error) {
	p, err := number(partition)
	if err != nil {
		return false, err
	}
	err = s.patiently(ctx, func() error {
		drained, err = s.drained(ctx, p, from, end)
		return err
	})
	return drained, err
}

func (s *Source) drained(ctx context.Context, p int32, from, end engine.Offset) (bool, error) {
	client, err := s.connect()
	if err != nil {
		return false, err
	}
	for at := from; at < end; {
		if ctx.Err() != nil {
			return false, context.Cause(ctx)
		}
		block, err := s.fetch(client, p, at)
		if errors.Is(err, sarama.ErrOffsetOutOfRange) { // what is gone comes no more
			if first, oldest := offset(client, s.cfg.Topic, p, sarama.OffsetOldest); oldest == nil && first > at {
				at = first
				continue
			}
		}
		if err != nil {
			return false, err
		}
		visible, next := look(block, from, end)
		if visible {
			return false, nil
		}
		if next <= at {
			return true, nil // nothing is there up to the end
		}
		at = next
	}
	return true, nil
}

// fetch asks the partition's leader once.
func (s *Source) fetch(client sarama.Client, partition int32, at engine.Offset) (*sarama.FetchResponseBlock, error) {
	leader, err := client.Leader(s.cfg.Topic, partition)
	if err != nil {
		return nil, err
	}
	req := &sarama.FetchRequest{Version: 4, MinBytes: 1, MaxBytes: probeBytes, MaxWaitTime: probeWait, Isolation: sarama.ReadCommitted}
	req.AddBlock(s.cfg.Topic, partition, int64(at), probeBytes, -1)
	resp, err := leader.Fetch(req)
	if err != nil { // a broken connection is not used again
		return nil, fmt.Errorf("topic %s, partition %d: %w", s.cfg.Topic, partition, errors.Join(err, leader.Close()))
	}
	block := resp.GetBlock(s.cfg.Topic, partition)
	if block == nil {
		return nil, fmt.Errorf("topic %s, partition %d: %w", s.cfg.Topic, partition, sarama.ErrIncompleteResponse)
	}
	if block.Err != sarama.ErrNoError { // that another is the leader now, for one
		return nil, fmt.Errorf("topic %s, partition %d: %w", s.cfg.Topic, partition, errors.Join(block.Err, client.RefreshMetadata(s.cfg.Topic)))
	}
	return block, nil
}

// look says whether a fetched block shows a reader any record at from ≤ offset < end, and where to go on.
// A batch is of an aborted transaction if its producer's aborted transaction has begun and its marker has
// not come (Kafka protocol, aborted_transactions of Fetch).
func look(block *sarama.FetchResponseBlock, from, end engine.Offset) (visible bool, next engine.Offset) {
	aborted := map[int64]bool{}
	begun := block.AbortedTransactions
	for _, records := range block.RecordsSet {
		b := records.RecordBatch
		if b == nil {
			return true, 0 // a format from before transactions: let the consumer see for itself
		}
		for len(begun) > 0 && begun[0].FirstOffset <= b.LastOffset() {
			aborted[begun[0].ProducerID] = true
			begun = begun[1:]
		}
		next = engine.Offset(b.LastOffset()) + 1
		switch {
		case b.Control:
			delete(aborted, b.ProducerID) // the marker that ends the transaction
		case b.IsTransactional && aborted[b.ProducerID]:
		default:
			for _, r := range b.Records {
				if at := engine.Offset(b.FirstOffset + r.OffsetDelta); at >= from && at < end {
					return true, next
				}
			}
		}
	}
	return false, next
}
