package engine

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// fingerprint tells one operator's meaning from another's: saved state may only be loaded by an operator
// of the same fingerprint. It is a hash of the config's type and fields as JSON and of the rows' schema.
func fingerprint(c Config, in Schema) (string, error) {
	fields, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("fingerprint of %T: %w", c, err)
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%T\n%s\n%s", c, fields, in))
	return hex.EncodeToString(sum[:8]), nil
}

// newID makes a random UUID (RFC 9562, version 4).
func newID() string {
	var b [16]byte
	rand.Read(b[:]) //nolint:errcheck // never fails
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func newSeed() uint64 {
	var b [8]byte
	rand.Read(b[:]) //nolint:errcheck // never fails
	return binary.LittleEndian.Uint64(b[:])
}
