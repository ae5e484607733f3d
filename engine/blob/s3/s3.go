// Package s3 is a blob.Store in a bucket of Amazon S3 or of a server that speaks its protocol
// (https://docs.aws.amazon.com/AmazonS3/latest/API/).
//
// What the engine asks of the server beyond the plain: a read sees every write that was answered before it,
// lists included, and a put with If-None-Match: * succeeds for one writer only. Amazon S3 has both;
// [Store.Probe] finds out whether a server has the second.
//
// Requests that fail for a reason that passes are made again: a few times where the server or the way to it
// failed, for minutes where it asks to slow down. A request whose answer was lost may have been carried out.
// That matters for PutIfAbsent alone, which then looks at what is there (see put.go).
//
// Types of the AWS SDK stay in this package.
package s3

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/millrace-io/millrace/engine/amazon"
	"github.com/millrace-io/millrace/engine/blob"
)

// A Config says which bucket, and how to reach it. What is empty comes from where the AWS command line takes
// it: AWS_REGION, AWS_PROFILE, AWS_ENDPOINT_URL_S3 and the other variables, ~/.aws, the machine's role. A
// Config holds no credentials.
type Config struct {
	Bucket    string
	Prefix    string // of all names, without a slash at its ends; "": the bucket's root
	Region    string // such as eu-central-1
	Profile   string // of ~/.aws/config
	Role      string // ARN of a role to take on
	Endpoint  string // URL of another server than Amazon's
	PathStyle bool   // the bucket is part of the path, not of the host's name; most other servers want it
	CA        string // file of certificates, PEM, that the server's is checked against
}

// Validate reports everything that is wrong with the config. It looks at nothing outside.
func (c *Config) Validate() error {
	var errs []error
	if c.Bucket == "" {
		errs = append(errs, errors.New("no bucket: expected s3://bucket or s3://bucket/prefix"))
	}
	if strings.ContainsAny(c.Bucket, "/?# ") {
		errs = append(errs, fmt.Errorf("bucket %q: no bucket has such a name", c.Bucket))
	}
	if c.Prefix != "" {
		if err := blob.CheckName(c.Prefix); err != nil {
			errs = append(errs, fmt.Errorf("prefix: %w", err))
		}
	}
	if c.Endpoint != "" && !strings.HasPrefix(c.Endpoint, "http://") && !strings.HasPrefix(c.Endpoint, "https://") {
		errs = append(errs, fmt.Errorf("endpoint %q: expected http://host:port or https://host:port", c.Endpoint))
	}
	if c.Role != "" && !strings.HasPrefix(c.Role, "arn:") {
		errs = append(errs, fmt.Errorf("role %q: expected the ARN of a role, such as arn:aws:iam::123456789012:role/writer", c.Role))
	}
	return errors.Join(errs...)
}

// A Store is a blob.Store in a bucket. Make one with New.
type Store struct {
	config   Config
	client   *s3.Client
	prefix   string // "" or ends in a slash
	requests requests
	parts    *partPool

	sleep func(ctx context.Context, d time.Duration) error // waits between attempts
}

var (
	_ blob.Store   = (*Store)(nil)
	_ blob.Sweeper = (*Store)(nil)
)

// New makes the store of a valid config. It reads files of configuration, and asks nothing of the network:
// whether the bucket is there shows with the first request, or with Probe.
func New(ctx context.Context, c Config) (*Store, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("s3: %w", err)
	}
	shared, err := amazon.Load(ctx, amazon.Access{
		Service: "S3", Of: "the lake's definition", Region: c.Region, Profile: c.Profile, Role: c.Role, Endpoint: c.Endpoint, CA: c.CA,
	}, config.WithHTTPClient(awshttp.NewBuildableClient()))
	if err != nil {
		return nil, fmt.Errorf("s3://%s: %w", c.Bucket, err)
	}
	s := &Store{config: c, parts: newPartPool(), sleep: sleep}
	if c.Prefix != "" {
		s.prefix = c.Prefix + "/"
	}
	s.client = s3.NewFromConfig(shared, func(o *s3.Options) {
		o.UsePathStyle = c.PathStyle
		if c.Endpoint != "" {
			o.BaseEndpoint = aws.String(c.Endpoint)
		}
		o.Retryer = aws.NopRetryer{} // see retry.go
		o.DisableLogOutputChecksumValidationSkipped = true
	})
	return s, nil
}

// URL is "s3://bucket/prefix".
func (s *Store) URL() string { return "s3://" + strings.TrimSuffix(s.config.Bucket+"/"+s.prefix, "/") }

// key is the object's key in the bucket.
func (s *Store) key(name string) *string { return aws.String(s.prefix + name) }

func (s *Store) bucket() *string { return aws.String(s.config.Bucket) }
