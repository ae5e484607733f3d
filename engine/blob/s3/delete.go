package s3

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/millrace-io/millrace/engine/blob"
)

// Delete removes an object.
func (s *Store) Delete(ctx context.Context, name string) error {
	err := blob.CheckName(name)
	if err == nil {
		err = s.again(ctx, "DeleteObject", 0, func(ctx context.Context) error {
			_, err := s.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: s.bucket(), Key: s.key(name)})
			return err
		})
	}
	if err != nil && !isNotFound(err) {
		return s.failed("delete", name, err)
	}
	return nil
}

// batch is the most objects that one request deletes.
const batch = 1000

// DeleteAll deletes many objects in few requests (see blob.DeleteAll).
func (s *Store) DeleteAll(ctx context.Context, names []string) error {
	for some := range slices.Chunk(names, batch) {
		if err := s.deleteBatch(ctx, some); err != nil {
			return s.failed("delete", fmt.Sprintf("%s and %d more", some[0], len(some)-1), err)
		}
	}
	return nil
}

func (s *Store) deleteBatch(ctx context.Context, names []string) error {
	keys := make([]types.ObjectIdentifier, len(names))
	for i, name := range names {
		if err := blob.CheckName(name); err != nil {
			return err
		}
		keys[i].Key = s.key(name)
	}
	var out *s3.DeleteObjectsOutput
	err := s.again(ctx, "DeleteObjects", 0, func(ctx context.Context) (err error) {
		out, err = s.client.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: s.bucket(), Delete: &types.Delete{Objects: keys, Quiet: aws.Bool(true)}})
		return err
	})
	if err != nil {
		return err
	}
	for _, e := range out.Errors {
		if aws.ToString(e.Code) != "NoSuchKey" {
			return fmt.Errorf("%s: %s: %s", aws.ToString(e.Key), aws.ToString(e.Code), aws.ToString(e.Message))
		}
	}
	return nil
}
