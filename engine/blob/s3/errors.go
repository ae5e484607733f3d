package s3

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/millrace-io/millrace/engine/blob"
)

// advice says what to do about an error of the server's, by its code.
var advice = map[string]string{
	"NoSuchBucket":                       "there is no such bucket: make it, or mend the lake's URL",
	"AccessDenied":                       "access is denied: the credentials need the rights that docs/s3.md lists",
	"InvalidAccessKeyId":                 "the server does not know the access key: look at AWS_ACCESS_KEY_ID and the profile",
	"SignatureDoesNotMatch":              "the signature is wrong: look at AWS_SECRET_ACCESS_KEY, and at the region",
	"ExpiredToken":                       "the credentials have expired: get new ones and start again",
	"ExpiredTokenException":              "the credentials have expired: get new ones and start again",
	"InvalidToken":                       "the session token is wrong: get new credentials",
	"RequestTimeTooSkewed":               "this machine's clock is wrong by more than the server bears: set it",
	"PermanentRedirect":                  "the bucket is in another region: set region in the lake's definition, or AWS_REGION",
	"AuthorizationHeaderMalformed":       "the bucket is in another region: set region in the lake's definition, or AWS_REGION",
	"IllegalLocationConstraintException": "the bucket is in another region: set region in the lake's definition, or AWS_REGION",
	"NotImplemented":                     "the server does not know this request: millrace needs conditional puts, multipart uploads and ListObjectsV2",
	"XMinioStorageFull":                  "the server's disk is full",
	"InvalidObjectState":                 "the object is archived: restore it, and keep lifecycle rules off the lake",
}

// explain puts what to do before an error.
func explain(err error) error {
	if errNoCredentials(err) != nil && strings.Contains(err.Error(), "AssumeRole") {
		return fmt.Errorf("the role could not be taken on: look at its trust policy, and at the keys that were found for taking it on: %w", err)
	}
	if isUntrusted(err) {
		return fmt.Errorf("the server's certificate is not to be trusted: if it is your own, say ca in the lake's definition, or set AWS_CA_BUNDLE: %w", err)
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		if text, ok := advice[api.ErrorCode()]; ok {
			return fmt.Errorf("%s: %w", text, err)
		}
	}
	if status(err) == http.StatusMovedPermanently {
		return fmt.Errorf("%s: %w", advice["PermanentRedirect"], err)
	}
	if status(err) == http.StatusForbidden {
		return fmt.Errorf("%s: %w", advice["AccessDenied"], err)
	}
	if credentials := errNoCredentials(err); credentials != nil {
		return fmt.Errorf("no credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or give the machine a role: %w", err)
	}
	return err
}

// errNoCredentials is err if the SDK found nothing to sign a request with, which it says in words only.
func errNoCredentials(err error) error {
	if err != nil && strings.Contains(err.Error(), "get credentials: ") {
		return err
	}
	return nil
}

// isUntrusted says whether the server's certificate was refused.
func isUntrusted(err error) bool {
	var refused *tls.CertificateVerificationError
	return errors.As(err, &refused)
}

// status is the HTTP status of the answer, or 0 where none came.
func status(err error) int {
	var response *smithyhttp.ResponseError
	if errors.As(err, &response) {
		return response.HTTPStatusCode()
	}
	return 0
}

// isNotFound says whether there is no such object. That there is no such bucket is another matter.
func isNotFound(err error) bool {
	var api smithy.APIError
	if errors.As(err, &api) && api.ErrorCode() == "NoSuchBucket" {
		return false
	}
	return status(err) == http.StatusNotFound
}

// failed names what was to be done with what.
func (s *Store) failed(op, name string, err error) error {
	if isNotFound(err) {
		err = blob.ErrNotFound
	}
	return fmt.Errorf("%s %s/%s: %w", op, s.URL(), name, err)
}
