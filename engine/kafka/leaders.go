package kafka

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/IBM/sarama"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// leaders knows which broker leads each partition of the topic, and which topic it is.
type leaders struct {
	cfg  *Config
	turn chan struct{} // of capacity 1: who has put something in may use what follows

	asked  time.Time        // when what follows was asked for
	leader map[int32]string // address of each partition's leader
	known  []string         // addresses of all brokers
	topic  topicID          // zero: no broker has told yet
}

func newLeaders(cfg *Config) *leaders {
	return &leaders{cfg: cfg, turn: make(chan struct{}, 1)}
}

// of gives the address of a partition's leader, as it was known after a moment at which something went
// wrong with it. Callers that wait at once ask the brokers once.
func (l *leaders) of(ctx context.Context, partition int32, after time.Time) (string, error) {
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	if !l.asked.After(after) {
		if err := l.refresh(ctx); err != nil {
			return "", err
		}
	}
	address, ok := l.leader[partition]
	if !ok {
		return "", sarama.ErrLeaderNotAvailable
	}
	return address, nil
}

// refresh asks one broker after the other until one answers.
func (l *leaders) refresh(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	var errs []error
	seen := map[string]bool{}
	for _, address := range slices.Concat(l.cfg.addresses(), l.known) {
		if seen[address] || ctx.Err() != nil {
			continue
		}
		seen[address] = true
		err := l.ask(ctx, address)
		if err == nil || errors.As(err, new(fatal)) {
			return err
		}
		errs = append(errs, fmt.Errorf("ask %s who leads: %w", address, err))
	}
	return errors.Join(errs...)
}

func (l *leaders) ask(ctx context.Context, address string) error {
	k, err := l.cfg.dial(ctx, address)
	if err != nil {
		return err
	}
	defer k.Close()
	now := time.Now()
	resp, err := k.metadata(l.cfg.Topic)
	if err != nil {
		return err
	}
	if len(resp.Topics) != 1 {
		return sarama.ErrIncompleteResponse
	}
	if err := trouble(resp.Topics[0].ErrorCode); err != nil {
		return err
	}
	if err := l.recognize(resp.Topics[0].TopicID); err != nil {
		return err
	}
	l.learn(resp)
	l.asked = now
	return nil
}

// A topicID tells a topic from one of its name that was made anew. Zero: the broker does not tell.
type topicID [16]byte

// String writes the id as Kafka's own tools do.
func (t topicID) String() string { return base64.RawURLEncoding.EncodeToString(t[:]) }

// recognize says whether the topic is the one that it was when it was first asked for.
func (l *leaders) recognize(id topicID) error {
	if id == (topicID{}) {
		return nil
	}
	if l.topic != (topicID{}) && l.topic != id {
		return fatal{fmt.Errorf("the topic was deleted and made anew while it was read (its id is %v and was %v), so the positions mean nothing in the new one: "+
			"to read that from its beginning give the source another name in the definition, and start once with --drop-source and the old name", id, l.topic)}
	}
	l.topic = id
	return nil
}

// learn keeps who leads what.
func (l *leaders) learn(resp *kmsg.MetadataResponse) {
	address := map[int32]string{}
	l.known = l.known[:0]
	for _, b := range resp.Brokers {
		address[b.NodeID] = net.JoinHostPort(b.Host, strconv.Itoa(int(b.Port)))
		l.known = append(l.known, address[b.NodeID])
	}
	l.leader = map[int32]string{}
	for _, p := range resp.Topics[0].Partitions {
		if a, ok := address[p.Leader]; ok {
			l.leader[p.Partition] = a
		}
	}
}
