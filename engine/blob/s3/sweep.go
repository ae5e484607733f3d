package s3

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Sweep implements blob.Sweeper: it gives up multipart uploads that were begun before a time.
func (s *Store) Sweep(ctx context.Context, prefix string, before time.Time) (swept int, err error) {
	in := &s3.ListMultipartUploadsInput{Bucket: s.bucket(), Prefix: s.key(prefix)}
	for {
		var out *s3.ListMultipartUploadsOutput
		err := s.again(ctx, "ListMultipartUploads", 0, func(ctx context.Context) (err error) {
			out, err = s.client.ListMultipartUploads(ctx, in)
			return err
		})
		if err != nil {
			return swept, s.failed("list uploads", prefix, err)
		}
		for _, u := range out.Uploads {
			if !aws.ToTime(u.Initiated).Before(before) {
				continue
			}
			if err := s.abort(ctx, aws.ToString(u.Key), u.UploadId); err != nil {
				return swept, s.failed("sweep", prefix, err)
			}
			swept++
		}
		if !aws.ToBool(out.IsTruncated) {
			return swept, nil
		}
		in.KeyMarker, in.UploadIdMarker = out.NextKeyMarker, out.NextUploadIdMarker
	}
}
