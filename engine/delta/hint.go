package delta

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/millrace-io/millrace/engine/blob"
)

// hintName is the object that names the newest checkpoint, so that a reader need not list the whole log. It
// is a hint: it may be missing, behind, or broken (PROTOCOL.md, Last Checkpoint File).
const hintName = logPrefix + "_last_checkpoint"

// A hint is what hintName holds. Version and Size come first: some readers look at the first bytes only.
type hint struct {
	Version  int64 `json:"version"`
	Size     int64 `json:"size"`            // actions
	Parts    int64 `json:"parts,omitempty"` // of a multi-part checkpoint
	Bytes    int64 `json:"sizeInBytes,omitempty"`
	AddFiles int64 `json:"numOfAddFiles,omitempty"`
}

// readHint gives the version of the checkpoint that the hint names, or -1 where there is none or its
// checksum does not fit.
func readHint(ctx context.Context, store blob.Store) (version int64, err error) {
	data, err := store.Get(ctx, hintName)
	if errors.Is(err, blob.ErrNotFound) {
		return -1, nil
	}
	if err != nil {
		return -1, fmt.Errorf("read %s of %s: %w", hintName, store.URL(), err)
	}
	return parseHint(data), nil
}

func parseHint(data []byte) (version int64) {
	var h struct {
		Version  *int64  `json:"version"`
		Checksum *string `json:"checksum"`
	}
	if json.Unmarshal(data, &h) != nil || h.Version == nil || *h.Version < 0 {
		return -1
	}
	if h.Checksum != nil {
		if sum, err := checksum(data); err != nil || sum != *h.Checksum {
			return -1
		}
	}
	return *h.Version
}

// encode writes the hint with its checksum.
func (h hint) encode() []byte {
	plain := jsonOf(h)
	sum, err := checksum(plain)
	if err != nil { // it was made two lines above
		panic(fmt.Sprintf("delta: checksum of %s: %v", plain, err))
	}
	return append(bytes.TrimSuffix(plain, []byte("}")), `,"checksum":"`+sum+`"}`...)
}

// checksum is the MD5 of a JSON object's canonical form (PROTOCOL.md, JSON checksum): its leaves as
// path=value, sorted by path, with commas between them. Of a path the parts are joined by "+"; keys and
// strings are quoted and percent-encoded. The field checksum of the object itself is left out.
func checksum(data []byte) (string, error) {
	var object map[string]any
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&object); err != nil {
		return "", err
	}
	delete(object, "checksum")
	var leaves []string
	canonicalJSON("", object, &leaves)
	slices.Sort(leaves)
	sum := md5.Sum([]byte(strings.Join(leaves, ",")))
	return hex.EncodeToString(sum[:]), nil
}

// canonicalJSON appends the leaves of a value.
func canonicalJSON(path string, v any, leaves *[]string) {
	below := func(part string) string {
		if path == "" {
			return part
		}
		return path + "+" + part
	}
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			canonicalJSON(below(quoteCanonical(k)), e, leaves)
		}
	case []any:
		for i, e := range v {
			canonicalJSON(below(strconv.Itoa(i)), e, leaves)
		}
	case string:
		*leaves = append(*leaves, path+"="+quoteCanonical(v))
	case nil:
		*leaves = append(*leaves, path+"=null")
	default: // a bool or a json.Number
		*leaves = append(*leaves, fmt.Sprintf("%s=%v", path, v))
	}
}

// quoteCanonical quotes a string and percent-encodes all of its bytes but letters, digits and -._~ (RFC 3986).
func quoteCanonical(s string) string {
	b := []byte{'"'}
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
			b = append(b, c)
		} else {
			b = fmt.Appendf(b, "%%%02X", c)
		}
	}
	return string(append(b, '"'))
}
