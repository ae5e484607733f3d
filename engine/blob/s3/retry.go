package s3

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// How a failed request is made again. The pause before the n-th attempt is between a half and all of
// firstPause × 2^n, so that many that were refused at once do not come back at once.
const (
	tries       = 6 // where the server or the way to it failed
	firstPause  = 50 * time.Millisecond
	longestWait = 10 * time.Second // between two attempts
	patience    = 5 * time.Minute  // with a server that asks to slow down
)

// An attempt is given up when it has made no progress for attemptTime, for a connection that died silently must
// not hold an epoch for ever. What is sent shows no progress: it may take a second more for each slowest bytes.
const (
	attemptTime = 30 * time.Second
	slowest     = 256 << 10
)

// A failure is what a request's error means for making it again.
type failure uint8

const (
	final     failure = iota // the same again would fail the same
	transient                // it may pass; the request may have been carried out
	throttled                // the server has too much to do; the request was not carried out
)

// kindOf sorts an error of the SDK.
func kindOf(err error) failure {
	var response *smithyhttp.ResponseError
	var api smithy.APIError
	var end *settled
	var again *undecided
	switch {
	case errors.As(err, &end), errNoCredentials(err) != nil, isUntrusted(err):
		return final
	case errors.As(err, &again):
		return transient
	case errors.As(err, &api) && isThrottle(api.ErrorCode()):
		return throttled
	case errors.As(err, &response) && response.HTTPStatusCode() == http.StatusTooManyRequests:
		return throttled
	case errors.As(err, &response) && response.HTTPStatusCode() == http.StatusServiceUnavailable:
		return throttled // S3 has no other reason to say so
	case errors.As(err, &response) && response.HTTPStatusCode() >= 500:
		return transient
	case errors.As(err, &api):
		if api.ErrorCode() == "RequestTimeout" || api.ErrorCode() == "InternalError" {
			return transient
		}
		return final
	case errors.As(err, &response) && response.HTTPStatusCode() >= 400:
		return final
	}
	return transient // no answer, or one that was cut short
}

func isThrottle(code string) bool {
	_, ok := retry.DefaultThrottleErrorCodes[code]
	return ok || code == "SlowDown" || code == "SlowDownRead" || code == "SlowDownWrite"
}

// again makes a request until it succeeds, fails for good, or has failed too often. sends is the bytes of its
// body.
func (s *Store) again(ctx context.Context, op string, sends int64, request func(ctx context.Context) error) error {
	return s.watched(ctx, op, sends, func(ctx context.Context, _ func()) error { return request(ctx) })
}

// watched is again for a request that says when it has made progress.
func (s *Store) watched(ctx context.Context, op string, sends int64, request func(ctx context.Context, progress func()) error) error {
	began := time.Now()
	for n, failed := 0, 0; ; n++ {
		err := s.once(ctx, op, attemptTime+time.Duration(sends/slowest)*time.Second, request)
		if err == nil {
			return nil
		}
		switch kind := kindOf(err); {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case kind == final:
			return explain(err)
		case kind == throttled:
			if time.Since(began) > patience {
				return fmt.Errorf("the server asked to slow down for %v: use fewer lanes or a longer commit.every, or ask for a higher request rate: %w", patience, err)
			}
		default:
			if failed++; failed == tries {
				return fmt.Errorf("%d attempts failed: %w", tries, explain(err))
			}
		}
		if err := s.sleep(ctx, pause(n)); err != nil {
			return err
		}
	}
}

// once makes one attempt, which may stand still for a time.
func (s *Store) once(ctx context.Context, op string, still time.Duration, request func(ctx context.Context, progress func()) error) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	s.requests.add(op)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watch := time.AfterFunc(still, cancel)
	defer watch.Stop()
	return request(ctx, func() { watch.Reset(attemptTime) })
}

func pause(n int) time.Duration {
	d := min(firstPause<<min(n, 16), longestWait)
	return d - rand.N(d/2)
}

// sleep waits for d or until ctx is done.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
