package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/millrace-io/millrace/engine/blob"
)

// Put writes an object over one of the same name.
func (s *Store) Put(ctx context.Context, name string, data []byte) error {
	err := blob.CheckName(name)
	if err == nil {
		err = s.put(ctx, name, data)
	}
	if err != nil {
		return s.failed("put", name, err)
	}
	return nil
}

func (s *Store) put(ctx context.Context, name string, data []byte) error {
	return s.again(ctx, "PutObject", int64(len(data)), func(ctx context.Context) error {
		_, err := s.client.PutObject(ctx, &s3.PutObjectInput{Bucket: s.bucket(), Key: s.key(name), Body: bytes.NewReader(data)})
		return err
	})
}

// PutIfAbsent writes an object if there is none of this name, by a put with If-None-Match: * and a body in
// one piece. Its answers mean:
//
//	2xx               written
//	412               there is one: another's, unless an attempt before this one was left open
//	409               another request about the object is under way: nothing was decided, again
//	none, 5xx, cut    left open: what is there is read and compared, byte for byte
//
// The last rule is why callers put something unique into what they write: what is there and equal is theirs.
func (s *Store) PutIfAbsent(ctx context.Context, name string, data []byte) error {
	err := blob.CheckName(name)
	if err == nil {
		err = s.putIfAbsent(ctx, name, data)
	}
	if err != nil {
		return s.failed("put if absent", name, err)
	}
	return nil
}

func (s *Store) putIfAbsent(ctx context.Context, name string, data []byte) error {
	open := false // an attempt may have been carried out
	return s.again(ctx, "PutObject", int64(len(data)), func(attempt context.Context) error {
		in := &s3.PutObjectInput{Bucket: s.bucket(), Key: s.key(name), Body: bytes.NewReader(data), IfNoneMatch: aws.String("*")}
		_, err := s.client.PutObject(attempt, in)
		switch {
		case err == nil:
			return nil
		case status(err) == http.StatusPreconditionFailed && !open:
			return &settled{blob.ErrExists}
		case status(err) == http.StatusConflict:
			return &undecided{err}
		case kindOf(err) == final && status(err) != http.StatusPreconditionFailed:
			return err
		}
		open = true
		return s.compare(ctx, name, data, err)
	})
}

// compare settles an attempt that was left open: nil if what is there is ours, ErrExists if it is another's,
// and the attempt's own error if nothing is there, so that it is made again.
func (s *Store) compare(ctx context.Context, name string, data []byte, attempt error) error {
	there, err := s.get(ctx, name)
	switch {
	case isNotFound(err) && status(attempt) == http.StatusPreconditionFailed:
		return &undecided{attempt} // it was there, and is gone
	case isNotFound(err):
		return attempt
	case err != nil:
		return &settled{errors.Join(attempt, fmt.Errorf("look whether it was written: %w", err))}
	case bytes.Equal(there, data):
		return nil
	}
	return &settled{blob.ErrExists}
}

// settled is an error that ends the attempts, whatever it wraps.
type settled struct{ error }

// Unwrap lets errors.Is see the reason.
func (e *settled) Unwrap() error { return e.error }

// undecided is an answer after which the same is tried again.
type undecided struct{ error }

// Unwrap lets errors.Is see the answer.
func (e *undecided) Unwrap() error { return e.error }
