// Package amazon finds out how to reach a service of Amazon's, or a server that speaks like it: region, credentials, role and
// certificates. What an Access does not say comes from where the AWS command line takes it: AWS_REGION, AWS_PROFILE and the
// other variables, ~/.aws, the machine's role.
package amazon

import (
	"context"
	"fmt"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// An Access says how to reach a service. It holds no credentials.
type Access struct {
	Service  string // as it stands in AWS_ENDPOINT_URL_…: "S3"
	Of       string // what says the rest, for messages: "the lake's definition"
	Region   string // such as eu-central-1
	Profile  string // of ~/.aws/config
	Role     string // ARN of a role to take on
	Endpoint string // URL of another server than Amazon's
	CA       string // file of certificates, PEM, that the server's is checked against
}

// Load reads what is configured outside, and puts what the access says before it. opts come before both. It asks nothing of
// the network.
func Load(ctx context.Context, a Access, opts ...func(*config.LoadOptions) error) (aws.Config, error) {
	if a.Region != "" {
		opts = append(opts, config.WithRegion(a.Region))
	}
	if a.Profile != "" {
		opts = append(opts, config.WithSharedConfigProfile(a.Profile))
	}
	if a.CA != "" {
		f, err := os.Open(a.CA)
		if err != nil {
			return aws.Config{}, fmt.Errorf("ca: %w", err)
		}
		defer f.Close() //nolint:errcheck // it was read, or the load has failed
		opts = append(opts, config.WithCustomCABundle(f))
	}
	shared, err := config.LoadDefaultConfig(ctx, opts...)
	if err != nil {
		return shared, err
	}
	if shared.Region == "" {
		if a.Endpoint == "" && shared.BaseEndpoint == nil && os.Getenv("AWS_ENDPOINT_URL_"+a.Service) == "" && os.Getenv("AWS_ENDPOINT_URL") == "" {
			return shared, fmt.Errorf("no region is set: say region in %s, or set AWS_REGION", a.Of)
		}
		shared.Region = "us-east-1" // other servers take any
	}
	if a.Role != "" {
		role := stscreds.NewAssumeRoleProvider(sts.NewFromConfig(shared), a.Role, func(o *stscreds.AssumeRoleOptions) { o.RoleSessionName = "millrace" })
		shared.Credentials = aws.NewCredentialsCache(role)
	}
	return shared, nil
}
