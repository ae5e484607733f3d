package blob

import (
	"fmt"
	"strings"
)

// CheckName says what is wrong with a name that [Store] does not allow. Implementations call it first, so
// that a name out of a log or a request never leaves the place that the Store stands for.
func CheckName(name string) error {
	if strings.IndexByte(name, 0) >= 0 {
		return fmt.Errorf("name %q: holds a NUL byte", name)
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part == "." || part == ".." {
			return fmt.Errorf("name %q: a part between slashes is %q", name, part)
		}
	}
	return nil
}

// Span is the bytes from ≤ i < to that Range(offset, n) means in an object of the given size.
func Span(size, offset, n int64) (from, to int64) {
	if offset < 0 {
		offset = max(size+offset, 0)
	}
	from = min(offset, size)
	return from, from + min(max(n, 0), size-from)
}
