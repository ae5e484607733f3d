package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/IBM/sarama"

	"github.com/millrace-io/millrace/engine"
)

// A Source is a Kafka topic as an engine.Source.
type Source struct {
	cfg    Config
	budget int64 // bytes of memory for all that is in flight
	log    *slog.Logger
	frames sync.Pool    // of *[]byte
	spent  atomic.Int64 // nanoseconds on receiving and cutting
	unpack *unpacker

	mu      sync.Mutex
	client  sarama.Client     // for metadata, offsets and marks; made when first needed
	framers map[int32]*framer // of the partitions being read
}

var (
	_ engine.Source  = (*Source)(nil)
	_ engine.Lagging = (*Source)(nil)
	_ engine.Metered = (*Source)(nil)
)

// New makes the source of a valid config. It connects to nothing yet. budget is the memory, in bytes, that
// the task has for all that is in flight: it bounds the size of fetches.
func New(cfg Config, budget int64, logger *slog.Logger) (*Source, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if _, err := cfg.sarama(); err != nil {
		return nil, err
	}
	return &Source{cfg: cfg, budget: budget, log: logger.With("topic", cfg.Topic), unpack: newUnpacker(), framers: map[int32]*framer{}}, nil
}

const (
	startPatience = 30 * time.Second // how long brokers that do not answer are asked again
	startPause    = 500 * time.Millisecond
	tellEvery     = 5 * time.Second // how often a wait is logged
)

// Partitions lists the topic's partitions with their first and end offsets, and the topic's id where brokers tell it.
// Brokers that do not answer are asked again for half a minute.
func (s *Source) Partitions(ctx context.Context) (all []engine.Partition, err error) {
	err = s.patiently(ctx, func() error {
		all, err = s.partitions(ctx)
		return err
	})
	return all, err
}

// patiently asks the brokers until they answer, or half a minute is over, or the error is one that asking
// again does not cure.
func (s *Source) patiently(ctx context.Context, ask func() error) error {
	deadline := time.Now().Add(startPatience)
	for tell := time.Now(); ; {
		err := ask()
		if err == nil || !mayPass(err) || time.Now().After(deadline) {
			return err
		}
		if !time.Now().Before(tell) {
			tell = time.Now().Add(tellEvery)
			s.log.Warn("no broker answers; trying again", "brokers", s.cfg.addresses(), "error", err)
		}
		select {
		case <-time.After(startPause):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// mayPass says whether trying again may help.
func mayPass(err error) bool {
	var missing topicMissing
	var denied sarama.ConfigurationError
	var untrusted *tls.CertificateVerificationError
	return !errors.As(err, new(fatal)) && !errors.As(err, &missing) && !errors.As(err, &denied) && !errors.As(err, &untrusted) &&
		!errors.Is(err, sarama.ErrSASLAuthenticationFailed) && !errors.Is(err, sarama.ErrTopicAuthorizationFailed)
}

// topicMissing says that there is no such topic, and which there are.
type topicMissing struct{ message string }

// Error says which topic.
func (t topicMissing) Error() string { return t.message }

func (s *Source) partitions(ctx context.Context) ([]engine.Partition, error) {
	client, err := s.connect()
	if err != nil {
		return nil, err
	}
	numbers, err := s.numbers(client)
	if err != nil {
		return nil, err
	}
	id, err := s.id(ctx, client)
	if err != nil {
		return nil, fmt.Errorf("topic %s: %w", s.cfg.Topic, err)
	}
	all := make([]engine.Partition, len(numbers))
	for i, p := range numbers {
		first, err := offset(client, s.cfg.Topic, p, sarama.OffsetOldest)
		if err != nil {
			return nil, fmt.Errorf("topic %s, partition %d: ask for the first offset: %w", s.cfg.Topic, p, err)
		}
		end, err := offset(client, s.cfg.Topic, p, sarama.OffsetNewest)
		if err != nil {
			return nil, fmt.Errorf("topic %s, partition %d: ask for the end: %w", s.cfg.Topic, p, err)
		}
		all[i] = engine.Partition{Name: name(p), First: first, End: end, ID: id}
	}
	return all, nil
}

// id tells the topic from one of its name that was made anew, and from one of another name; "": the brokers don't. sarama
// asks as the oldest broker would understand, which is too old a way to hear it.
func (s *Source) id(ctx context.Context, client sarama.Client) (string, error) {
	l := newLeaders(&s.cfg)
	for _, b := range client.Brokers() {
		l.known = append(l.known, b.Addr())
	}
	if err := l.refresh(ctx); err != nil || l.topic == (topicID{}) {
		return "", err
	}
	return fmt.Sprintf("topic %s of id %v", s.cfg.Topic, l.topic), nil
}

// numbers is the topic's partitions now, in order.
func (s *Source) numbers(client sarama.Client) ([]int32, error) {
	if err := client.RefreshMetadata(s.cfg.Topic); err != nil {
		if errors.Is(err, sarama.ErrUnknownTopicOrPartition) || errors.Is(err, sarama.ErrInvalidTopic) {
			return nil, s.missing(client)
		}
		return nil, fmt.Errorf("topic %s: %w", s.cfg.Topic, err)
	}
	numbers, err := client.Partitions(s.cfg.Topic)
	if err != nil {
		return nil, fmt.Errorf("topic %s: %w", s.cfg.Topic, err)
	}
	numbers = slices.Clone(numbers)
	slices.Sort(numbers)
	return numbers, nil
}

// connect gives the client for everything but consuming.
func (s *Source) connect() (sarama.Client, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client != nil {
		return s.client, nil
	}
	conf, err := s.cfg.sarama()
	if err != nil {
		return nil, err
	}
	client, err := sarama.NewClient(s.cfg.addresses(), conf)
	if errors.Is(err, io.EOF) {
		err = fmt.Errorf("a broker hung up, as one does that expects TLS or a login, or does not take this one: %w", err)
	}
	if err != nil {
		return nil, fmt.Errorf("connect to %v: %w", s.cfg.addresses(), err)
	}
	s.client = client
	return client, nil
}

// offset asks for the oldest or newest offset that a reader of committed records is given.
func offset(client sarama.Client, topic string, partition int32, at int64) (engine.Offset, error) {
	leader, err := client.Leader(topic, partition)
	if err != nil {
		return 0, err
	}
	req := sarama.NewOffsetRequest(client.Config().Version)
	req.IsolationLevel = sarama.ReadCommitted // the end is then the last stable offset
	req.AddBlock(topic, partition, at, 1)
	resp, err := leader.GetAvailableOffsets(req)
	if err != nil {
		return 0, errors.Join(err, leader.Close()) // a broken connection is not used again
	}
	block := resp.GetBlock(topic, partition)
	switch {
	case block == nil:
		return 0, sarama.ErrIncompleteResponse
	case block.Err == sarama.ErrNotLeaderForPartition || block.Err == sarama.ErrLeaderNotAvailable:
		return 0, errors.Join(block.Err, client.RefreshMetadata(topic))
	case block.Err != sarama.ErrNoError:
		return 0, block.Err
	case len(block.Offsets) > 0:
		return engine.Offset(block.Offsets[0]), nil
	}
	return engine.Offset(block.Offset), nil
}

// Ends implements engine.Lagging: the high watermarks of the last fetches.
func (s *Source) Ends() map[string]engine.Offset {
	s.mu.Lock()
	defer s.mu.Unlock()
	ends := make(map[string]engine.Offset, len(s.framers))
	for p, f := range s.framers {
		ends[name(p)] = f.ended()
	}
	return ends
}

// Fetched implements engine.Metered.
func (s *Source) Fetched() time.Duration { return time.Duration(s.spent.Load()) }

// spend adds the time since start to what Fetched gives.
func (s *Source) spend(start time.Time) { s.spent.Add(int64(time.Since(start))) }

// Committed marks offsets in the consumer group: one request to its coordinator. The group has no members,
// so nobody else writes there.
func (s *Source) Committed(ctx context.Context, next map[string]engine.Offset) error {
	if s.cfg.Group == "" {
		return nil
	}
	done := make(chan error, 1)
	go func() { done <- s.mark(next) }() // sarama's calls can't be cancelled; Close ends what is left of them
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *Source) mark(next map[string]engine.Offset) error {
	client, err := s.connect()
	if err != nil {
		return err
	}
	req := &sarama.OffsetCommitRequest{Version: 2, ConsumerGroup: s.cfg.Group, ConsumerGroupGeneration: sarama.GroupGenerationUndefined, RetentionTime: -1}
	for partition, at := range next {
		n, err := number(partition)
		if err != nil {
			return err
		}
		req.AddBlock(s.cfg.Topic, n, int64(at), 0, "")
	}
	coordinator, err := client.Coordinator(s.cfg.Group)
	if err != nil {
		return fmt.Errorf("group %s: find its coordinator: %w", s.cfg.Group, err)
	}
	resp, err := coordinator.CommitOffset(req)
	if err != nil {
		return errors.Join(fmt.Errorf("group %s: %w", s.cfg.Group, err), client.RefreshCoordinator(s.cfg.Group))
	}
	for partition, code := range resp.Errors[s.cfg.Topic] {
		if code != sarama.ErrNoError {
			return fmt.Errorf("group %s, partition %d: %w", s.cfg.Group, partition, code)
		}
	}
	return nil
}

// Close frees the connections. Nothing is being read any more.
func (s *Source) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client == nil {
		return nil
	}
	err := s.client.Close()
	s.client = nil
	return err
}

func name(partition int32) string { return strconv.Itoa(int(partition)) }

func number(partition string) (int32, error) {
	n, err := strconv.ParseInt(partition, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("partition %q: Kafka numbers its partitions", partition)
	}
	return int32(n), nil
}

// missing says that the topic is not there, and which ones of a like name are.
func (s *Source) missing(client sarama.Client) error {
	message := fmt.Sprintf("there is no topic %s at %v", s.cfg.Topic, s.cfg.addresses())
	topics, err := client.Topics()
	if err == nil && len(topics) > 0 {
		slices.Sort(topics)
		if len(topics) > 10 {
			topics = append(topics[:10], "…")
		}
		message += fmt.Sprintf("; there is %v", topics)
	}
	return topicMissing{message}
}
