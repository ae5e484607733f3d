package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/uuid"
)

// ErrNoCondition: the server took a second put of an object under the condition that there is none.
var ErrNoCondition = errors.New("the server ignores If-None-Match: * on a put, so two processes could both believe that their commit won: " +
	"use Amazon S3 or another server that has conditional writes")

// Probe finds out whether the place can be written to as the engine needs it: it puts a small object below
// _millrace/ twice, of which the second must be refused, lists and deletes it. An error says what to do.
func (s *Store) Probe(ctx context.Context) (err error) {
	name := "_millrace/probe-" + uuid.NewString()
	defer func() {
		if err != nil {
			err = fmt.Errorf("%s can't be used as a lake: %w", s.URL(), err)
		}
	}()
	if err := s.put(ctx, name, []byte("first")); err != nil {
		return fmt.Errorf("write an object: %w", err)
	}
	err = s.again(ctx, "PutObject", 0, func(ctx context.Context) error {
		in := &s3.PutObjectInput{Bucket: s.bucket(), Key: s.key(name), Body: bytes.NewReader([]byte("second")), IfNoneMatch: aws.String("*")}
		_, err := s.client.PutObject(ctx, in)
		switch {
		case err == nil:
			return &settled{ErrNoCondition}
		case status(err) == http.StatusPreconditionFailed:
			return nil
		}
		return err
	})
	return errors.Join(err, s.seen(ctx, name), s.Delete(ctx, name))
}

// seen says why a list does not show the object.
func (s *Store) seen(ctx context.Context, name string) error {
	for info, err := range s.List(ctx, name, "") {
		if err != nil {
			return err
		}
		if info.Name == name {
			return nil
		}
	}
	return errors.New("a list does not show what was just written: the server is not consistent, and no lake can be kept on it")
}
