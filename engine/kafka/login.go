package kafka

import (
	"errors"
	"fmt"
	"time"

	"github.com/IBM/sarama"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// login proves who we are, if the config says how: a handshake that names the mechanism, then what the
// mechanism exchanges, each a SaslAuthenticate.
func (c *Config) login(k *conn) error {
	if c.SASL.Mechanism == "" {
		return nil
	}
	shake := &kmsg.SASLHandshakeRequest{Version: 1, Mechanism: c.SASL.Mechanism}
	var shaken kmsg.SASLHandshakeResponse
	if err := k.ask(shake, &shaken, askTimeout, alloc); err != nil {
		return fmt.Errorf("log in: %w", err)
	}
	if shaken.ErrorCode != 0 {
		return fatal{fmt.Errorf("log in with %s: %w; the broker has %v", c.SASL.Mechanism, sarama.KError(shaken.ErrorCode), shaken.SupportedMechanisms)}
	}
	if c.SASL.Mechanism == "PLAIN" {
		_, err := k.prove("\x00" + c.SASL.User + "\x00" + c.SASL.Password)
		return err
	}
	return c.scram(k)
}

// scram logs in as RFC 5802 says.
func (c *Config) scram(k *conn) error {
	s := &scramClient{mechanism: c.SASL.Mechanism}
	if err := s.Begin(c.SASL.User, c.SASL.Password, ""); err != nil {
		return fatal{err}
	}
	said, err := s.Step("")
	for err == nil && !s.Done() {
		var challenge string
		if challenge, err = k.prove(said); err != nil {
			return err
		}
		said, err = s.Step(challenge)
	}
	if err != nil {
		return fatal{fmt.Errorf("log in with %s: %w", c.SASL.Mechanism, err)}
	}
	return nil
}

// prove sends one step of a mechanism and gives what the broker answers.
func (k *conn) prove(said string) (string, error) {
	var resp kmsg.SASLAuthenticateResponse
	if err := k.ask(&kmsg.SASLAuthenticateRequest{Version: 1, SASLAuthBytes: []byte(said)}, &resp, askTimeout, alloc); err != nil {
		return "", fmt.Errorf("log in: %w", err)
	}
	if resp.ErrorCode != 0 {
		err := error(sarama.KError(resp.ErrorCode))
		if resp.ErrorMessage != nil {
			err = fmt.Errorf("%w: %s", err, *resp.ErrorMessage)
		}
		return "", fatal{fmt.Errorf("log in: %w", err)}
	}
	if ms := resp.SessionLifetimeMillis; ms > 0 {
		k.renewed = time.Now().Add(time.Duration(ms) * time.Millisecond * 3 / 4)
	}
	return string(resp.SASLAuthBytes), nil
}

// fatal is an error that trying again does not cure.
type fatal struct{ error }

// Unwrap gives the cause.
func (f fatal) Unwrap() error { return f.error }

// trouble is what a broker's error code says, nil for none.
func trouble(code int16) error {
	switch err := sarama.KError(code); {
	case code == 0:
		return nil
	case errors.Is(err, sarama.ErrTopicAuthorizationFailed), errors.Is(err, sarama.ErrClusterAuthorizationFailed),
		errors.Is(err, sarama.ErrSASLAuthenticationFailed), errors.Is(err, sarama.ErrUnsupportedVersion), errors.Is(err, sarama.ErrInvalidTopic):
		return fatal{err}
	default:
		return err
	}
}
