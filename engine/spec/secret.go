package spec

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// secretWords are the parts of a key's name that say its value is secret.
func secretWords() []string {
	return []string{"password", "passwd", "secret", "token", "credential", "private_key", "access_key", "api_key", "apikey"}
}

// holdsSecret says whether values under the key are never shown.
func holdsSecret(key string) bool {
	key = strings.ReplaceAll(strings.ToLower(key), "-", "_")
	return slices.ContainsFunc(secretWords(), func(w string) bool { return strings.Contains(key, w) })
}

// secret says whether a scalar is never shown: by its key, where keys are names of settings. Elsewhere they
// are names of columns, and the value of "token" may be "string".
func (t *tree) secret() bool {
	var keys []string
	for ; t.parent != nil; t = t.parent {
		keys = append(keys, t.key)
	}
	slices.Reverse(keys)
	switch {
	case len(keys) == 2 && keys[0] == "vars":
		return holdsSecret(keys[1])
	case len(keys) > 3 && keys[0] == "sources" && keys[2] != "schema" && keys[2] != "format":
		return slices.ContainsFunc(keys[3:], holdsSecret)
	}
	return false
}

// secretLine matches a line that may hold a secret, for when the parser could not read the file.
var secretLine = regexp.MustCompile(`(?i)(password|passwd|secret|token|credential|private_?key|access_?key|api_?key)[a-z_-]*["']?\s*[:=]\s*[^\s$]`)

// showable is a line of the file as errors may show it: "" where it holds a secret.
func (d *document) showable(line string) string {
	if d.redact(line) != line {
		return ""
	}
	return line
}

// redact blanks out all secrets in a message.
func (d *document) redact(message string) string {
	for _, s := range d.secrets {
		message = hide(message, s, "***")
	}
	return message
}

// hide puts the names of variables in the place of values that came from outside, wherever in the node.
func (t *tree) hide(message string) string {
	if t == nil {
		return message
	}
	for _, s := range t.spans {
		if s.value.shown != s.value.text {
			message = hide(message, s.value.text, s.value.shown)
		}
	}
	for _, p := range t.pairs {
		message = p.Value.t.hide(p.Key.t.hide(message))
	}
	for _, i := range t.items {
		message = i.t.hide(message)
	}
	return message
}

// hide replaces value, also as %q writes it. A short value is replaced only as a word of its own: without
// that a value "a" would change every message.
func hide(message, value, shown string) string {
	if value == "" || !strings.Contains(message, value) && !strings.Contains(message, quoted(value)) {
		return message
	}
	if q := quoted(value); q != value {
		message = strings.ReplaceAll(message, q, shown)
	}
	if len(value) >= 4 {
		return strings.ReplaceAll(message, value, shown)
	}
	return hideWord(message, value, shown)
}

func quoted(value string) string {
	q := strconv.Quote(value)
	return q[1 : len(q)-1]
}

func hideWord(message, value, shown string) string {
	var b strings.Builder
	rest := message
	for {
		i := strings.Index(rest, value)
		if i < 0 {
			return b.String() + rest
		}
		before, _ := utf8.DecodeLastRuneInString(message[:len(message)-len(rest)+i])
		after, _ := utf8.DecodeRuneInString(rest[i+len(value):])
		b.WriteString(rest[:i])
		if wordRune(before) || wordRune(after) {
			b.WriteString(value)
		} else {
			b.WriteString(shown)
		}
		rest = rest[i+len(value):]
	}
}

func wordRune(r rune) bool {
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_')
}
