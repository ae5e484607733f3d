package delta

import (
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"
)

// hiveNull stands in a folder's name for a null. Readers take values from the log, never from a path.
const hiveNull = "__HIVE_DEFAULT_PARTITION__"

// folderLength bounds a partition folder's name, in bytes: file systems take 255. A longer value is cut in
// the name, where it is for people only; files of two values that look alike lie in one folder then.
const folderLength = 200

// PartitionPath is the folder of a partition's files relative to the table, such as "day=2024-05-01/city=x":
// the values of the columns cols, in that order, as PartitionText writes them, with what folders and URLs
// give a meaning to escaped as Hive does. It is "" for a table without partitions.
func PartitionPath(cols []string, values []*string) string {
	var b strings.Builder
	for i, c := range cols {
		if i > 0 {
			b.WriteByte('/')
		}
		b.WriteString(folder(c, values[i]))
	}
	return b.String()
}

func folder(col string, value *string) string {
	name := escapeHive(col) + "="
	if value == nil || *value == "" {
		return name + hiveNull
	}
	name += escapeHive(*value)
	if len(name) <= folderLength {
		return name
	}
	cut := folderLength
	for !utf8.RuneStart(name[cut]) {
		cut--
	}
	return name[:cut]
}

// InPartition says whether a folder is one of a partition by the column.
func InPartition(folder, column string) bool {
	return strings.HasPrefix(folder, escapeHive(column)+"=")
}

// escapeHive writes the characters that Hive does not allow in a folder's name as %XX, and with them bytes
// that are not UTF-8.
func escapeHive(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if r < 0x20 || r == 0x7f || size == 1 && (r == utf8.RuneError || strings.IndexByte("\"#%'*/:=?\\{[]^", s[i]) >= 0) {
			fmt.Fprintf(&b, "%%%02X", s[i])
		} else {
			b.WriteString(s[i : i+size])
		}
		i += size
	}
	return b.String()
}

// encodePath makes of an object's name relative to the table the URI (RFC 2396) that stands in the log. A
// "%3A" that Hive's escapes put into a folder's name becomes "%253A".
func encodePath(name string) string {
	const hex = "0123456789ABCDEF"
	b := make([]byte, 0, len(name)+16)
	for i := range len(name) {
		c := name[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte("\\{^}%`]\">[<#|*?", c) >= 0 {
			b = append(b, '%', hex[c>>4], hex[c&15])
		} else {
			b = append(b, c)
		}
	}
	// A first part with a colon would read as a scheme: "a:b" is a place of the scheme a.
	if first, _, _ := strings.Cut(string(b), "/"); strings.Contains(first, ":") {
		return strings.Replace(string(b), ":", "%3A", strings.Count(first, ":"))
	}
	return string(b)
}

// decodePath is the object's name of a path in the log, relative to the table. It decodes once. A path that
// leaves the table is an error.
func decodePath(path string) (string, error) {
	if strings.HasPrefix(path, "/") || hasScheme(path) {
		return "", fmt.Errorf("file %s: the path is absolute, only files below the table's own folder can be read", path)
	}
	name, err := url.PathUnescape(path)
	if err != nil {
		return "", fmt.Errorf("file %s: the path is no percent-encoded URI: %w", path, err)
	}
	return name, nil
}

// hasScheme says whether path begins as "s3:" does (RFC 2396, section 3.1).
func hasScheme(path string) bool {
	for i := range len(path) {
		switch c := path[i] | 0x20; {
		case 'a' <= c && c <= 'z':
		case i > 0 && path[i] == ':':
			return true
		case i > 0 && ('0' <= path[i] && path[i] <= '9' || strings.IndexByte("+-.", path[i]) >= 0):
		default:
			return false
		}
	}
	return false
}
