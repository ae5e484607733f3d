package kinesis

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// advice says what to do about an error of the server's, by its code. These errors end a start or a reading: the same
// again would fail the same.
var advice = map[string]string{
	"AccessDeniedException":        "access is denied: the credentials need the rights that docs/kinesis.md lists",
	"AccessDenied":                 "access is denied: the credentials need the rights that docs/kinesis.md lists",
	"UnrecognizedClientException":  "the server does not know the access key: look at AWS_ACCESS_KEY_ID and the profile",
	"InvalidClientTokenId":         "the server does not know the access key: look at AWS_ACCESS_KEY_ID and the profile",
	"InvalidSignatureException":    "the signature is wrong: look at AWS_SECRET_ACCESS_KEY, at the region and at this machine's clock",
	"IncompleteSignatureException": "the signature is wrong: look at AWS_SECRET_ACCESS_KEY, at the region and at this machine's clock",
	"MissingAuthenticationToken":   "the request was not signed: look at the credentials",
	"ExpiredTokenException":        "the credentials have expired: get new ones and start again",
	"ExpiredToken":                 "the credentials have expired: get new ones and start again",
	"OptInRequired":                "the account may not use Kinesis",
	"KMSAccessDeniedException":     "the stream is encrypted, and its key may not be used: the credentials need kms:Decrypt for it",
	"KMSDisabledException":         "the stream is encrypted, and its key is disabled: enable it in KMS",
	"KMSInvalidStateException":     "the stream is encrypted, and its key is in no state to be used: look at it in KMS",
	"KMSNotFoundException":         "the stream is encrypted, and its key is not to be found: its records can't be read any more, or the key's policy hides it",
	"KMSOptInRequired":             "the stream is encrypted, and the account may not use KMS",
	"ResourceNotFoundException":    "the stream is gone, or a shard or a consumer of it: it was deleted, and maybe made anew, since reading began",
	"InvalidArgumentException":     "the server does not take the request",
	"ValidationException":          "the server does not take the request",
	"UnknownOperationException":    "the server does not know the request",
}

const (
	codeThroughput  = "ProvisionedThroughputExceededException"
	codeLimit       = "LimitExceededException"
	codeExpired     = "ExpiredIteratorException"
	codeNotFound    = "ResourceNotFoundException"
	codeInUse       = "ResourceInUseException"
	codeArgument    = "InvalidArgumentException"
	codeSerial      = "SerializationException"
	codeUnknownOp   = "UnknownOperationException"
	codeKMSThrottle = "KMSThrottlingException"
)

// code is what the server says in one word, or "".
func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// status is the HTTP status of the answer, or 0 where none came.
func status(err error) int {
	var response *smithyhttp.ResponseError
	if errors.As(err, &response) {
		return response.HTTPStatusCode()
	}
	return 0
}

// isThrottle says whether the server has too much to do, or we asked too much of it.
func isThrottle(err error) bool {
	c := code(err)
	return c == codeThroughput || c == codeLimit || c == codeKMSThrottle || strings.HasPrefix(c, "Throttling") || c == "RequestLimitExceeded" ||
		c == "SlowDown" || status(err) == http.StatusTooManyRequests
}

// noCBOR says whether the server did not understand a request in CBOR.
func noCBOR(err error) bool {
	c, s := code(err), status(err)
	return c == codeSerial || c == codeUnknownOp || s == http.StatusUnsupportedMediaType || s == http.StatusNotFound && c != codeNotFound
}

// final is an error that ends a reading, whatever it wraps.
type final struct{ error }

// Unwrap lets errors.Is see the reason.
func (f final) Unwrap() error { return f.error }

// mayPass says whether trying again may help.
func mayPass(err error) bool {
	var untrusted *tls.CertificateVerificationError
	_, known := advice[code(err)]
	return !known && !errors.As(err, new(final)) && !errors.As(err, &untrusted) && !errors.Is(err, http.ErrSchemeMismatch) && status(err) != http.StatusForbidden && !noCredentials(err)
}

// noCredentials says whether the SDK found nothing to sign a request with, which it says in words only.
func noCredentials(err error) bool { return strings.Contains(err.Error(), "get credentials: ") }

// explain puts what to do before an error.
func explain(err error) error {
	var untrusted *tls.CertificateVerificationError
	text, known := advice[code(err)]
	switch {
	case errors.As(err, new(final)):
		return err
	case noCredentials(err) && strings.Contains(err.Error(), "AssumeRole"):
		return fmt.Errorf("the role could not be taken on: look at its trust policy, and at the keys that were found for taking it on: %w", err)
	case noCredentials(err):
		return fmt.Errorf("no credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or give the machine a role: %w", err)
	case errors.As(err, &untrusted):
		return fmt.Errorf("the server's certificate is not to be trusted: if it is your own, say ca in the source's definition, or set AWS_CA_BUNDLE: %w", err)
	case errors.Is(err, http.ErrSchemeMismatch):
		return fmt.Errorf("the server does not speak TLS: its endpoint begins with http://: %w", err)
	case known:
		return fmt.Errorf("%s: %w", text, err)
	case status(err) == http.StatusForbidden:
		return fmt.Errorf("%s: %w", advice["AccessDenied"], err)
	}
	return err
}
