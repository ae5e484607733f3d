package expr

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A tokenKind is what a token is.
type tokenKind uint8

const (
	endToken    tokenKind = iota // of the source
	wordToken                    // a name or keyword without quotes and dots
	nameToken                    // a name that can't be a keyword: quoted or dotted
	numberToken                  // 12, 1.5, 2e3
	textToken                    // 'it''s'
	signToken                    // an operator, bracket or comma
)

// A token is the smallest part of an expression.
type token struct {
	kind tokenKind
	at   int    // offset in bytes
	text string // of names and texts: without quotes; of words: as written
}

// is says whether the token is the keyword, which is given in upper case.
func (t token) is(keyword string) bool { return t.kind == wordToken && upper(t.text) == keyword }

// upper and lower turn ASCII letters only: by Unicode's rules "ıs" would be the keyword IS.
func upper(word string) string { return strings.Map(upperLetter, word) }
func lower(word string) string { return strings.Map(lowerLetter, word) }

func upperLetter(r rune) rune {
	if r >= 'a' && r <= 'z' {
		return r - 'a' + 'A'
	}
	return r
}

func lowerLetter(r rune) rune {
	if r >= 'A' && r <= 'Z' {
		return r - 'A' + 'a'
	}
	return r
}

// sign says whether the token is the sign s.
func (t token) sign(s string) bool { return t.kind == signToken && t.text == s }

// String is the token as messages show it.
func (t token) String() string {
	switch t.kind {
	case endToken:
		return "the end"
	case textToken:
		return "the text " + quoted(t.text)
	default:
		return t.text
	}
}

// reserved are the keywords that can't be a column's name without quotes.
func reserved() []string {
	return []string{"AND", "OR", "NOT", "NULL", "TRUE", "FALSE", "IS", "IN", "BETWEEN", "LIKE", "CASE", "WHEN", "THEN",
		"ELSE", "END", "DISTINCT", "FROM", "AS", "ESCAPE"}
}

func isReserved(word string) bool { return slices.Contains(reserved(), upper(word)) }

// scan cuts src into tokens; the last one is the end. The error is an *Error.
func scan(src string) ([]token, error) {
	if at := invalidUTF8(src); at >= 0 {
		return nil, &Error{Offset: at, Message: "a byte that is not UTF-8"}
	}
	s := scanner{src: src}
	for {
		t, err := s.next()
		if err != nil {
			return nil, err
		}
		s.tokens = append(s.tokens, t)
		if t.kind == endToken {
			return s.tokens, nil
		}
	}
}

// invalidUTF8 is the offset of the first byte of s that is not UTF-8, or -1.
func invalidUTF8(s string) int {
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size <= 1 {
			return i
		}
		i += size
	}
	return -1
}

// A scanner cuts one source into tokens.
type scanner struct {
	src    string
	at     int
	tokens []token
}

// next cuts off the next token.
func (s *scanner) next() (token, error) {
	if err := s.space(); err != nil {
		return token{}, err
	}
	if s.at == len(s.src) {
		return token{endToken, s.at, ""}, nil
	}
	c := s.src[s.at]
	switch {
	case c == '\'':
		start := s.at
		text, err := s.quoted('\'', "text")
		return token{textToken, start, text}, err
	case digit(c) || c == '.' && s.at+1 < len(s.src) && digit(s.src[s.at+1]):
		return s.number()
	case c == '"' || c == '`' || s.letter():
		return s.name()
	}
	return s.operator()
}

// space skips white space and comments: -- to the end of the line, and what stands between /* and */.
func (s *scanner) space() error {
	for s.at < len(s.src) {
		rest := s.src[s.at:]
		switch {
		case strings.IndexByte(" \t\r\n", rest[0]) >= 0:
			s.at++
		case strings.HasPrefix(rest, "--"):
			line, _, _ := strings.Cut(rest, "\n")
			s.at += len(line)
		case strings.HasPrefix(rest, "/*"):
			if err := s.comment(); err != nil {
				return err
			}
		default:
			return nil
		}
	}
	return nil
}

// comment skips a comment, in which others may stand.
func (s *scanner) comment() error {
	start, open := s.at, 0
	for s.at < len(s.src) {
		switch rest := s.src[s.at:]; {
		case strings.HasPrefix(rest, "/*"):
			open++
			s.at += 2
		case strings.HasPrefix(rest, "*/"):
			open--
			s.at += 2
			if open == 0 {
				return nil
			}
		default:
			s.at++
		}
	}
	return &Error{Offset: start, Message: "the comment that begins here has no closing */"}
}

// quoted reads what stands between two of quote; a doubled quote stands for one.
func (s *scanner) quoted(quote byte, what string) (string, error) {
	start := s.at
	var b strings.Builder
	for s.at++; s.at < len(s.src); s.at++ {
		if s.src[s.at] != quote {
			b.WriteByte(s.src[s.at])
			continue
		}
		if s.at+1 == len(s.src) || s.src[s.at+1] != quote {
			s.at++
			return b.String(), nil
		}
		s.at++
		b.WriteByte(quote)
	}
	return "", &Error{Offset: start, Message: fmt.Sprintf("the %s that begins here has no closing %c", what, quote)}
}

// number reads digits, a fraction and an exponent.
func (s *scanner) number() (token, error) {
	start := s.at
	s.digits()
	if s.at < len(s.src) && s.src[s.at] == '.' {
		s.at++
		s.digits()
	}
	if s.at < len(s.src) && (s.src[s.at] == 'e' || s.src[s.at] == 'E') {
		before := s.at
		s.at++
		if s.at < len(s.src) && (s.src[s.at] == '+' || s.src[s.at] == '-') {
			s.at++
		}
		if !s.digits() {
			s.at = before
		}
	}
	if s.letter() {
		return token{}, &Error{Offset: start, Message: fmt.Sprintf("%s… is neither a number nor a name: a name begins with a letter", s.src[start:s.at])}
	}
	return token{numberToken, start, s.src[start:s.at]}, nil
}

// digits skips digits and says whether there were any.
func (s *scanner) digits() bool {
	start := s.at
	for s.at < len(s.src) && digit(s.src[s.at]) {
		s.at++
	}
	return s.at > start
}

// name reads a word, or names joined by dots; parts may be quoted.
func (s *scanner) name() (token, error) {
	start, kind := s.at, wordToken
	var parts []string
	for {
		if c := s.src[s.at]; c == '"' || c == '`' {
			at := s.at
			part, err := s.quoted(c, "name")
			if err != nil {
				return token{}, err
			}
			if part == "" {
				return token{}, &Error{Offset: at, Message: "an empty name"}
			}
			kind, parts = nameToken, append(parts, part)
		} else {
			parts = append(parts, s.word())
		}
		if s.at+1 >= len(s.src) || s.src[s.at] != '.' {
			break
		}
		s.at++
		if c := s.src[s.at]; c != '"' && c != '`' && !s.letter() {
			return token{}, &Error{Offset: s.at, Message: "expected a name behind the dot"}
		}
		kind = nameToken
	}
	return token{kind, start, strings.Join(parts, ".")}, nil
}

// word reads letters, digits, _ and $.
func (s *scanner) word() string {
	start := s.at
	for s.at < len(s.src) {
		if c := s.src[s.at]; digit(c) || c == '$' {
			s.at++
			continue
		}
		if !s.letter() {
			break
		}
		_, size := utf8.DecodeRuneInString(s.src[s.at:])
		s.at += size
	}
	return s.src[start:s.at]
}

// letter says whether a letter or _ comes next.
func (s *scanner) letter() bool {
	if s.at == len(s.src) {
		return false
	}
	r, _ := utf8.DecodeRuneInString(s.src[s.at:])
	return r == '_' || unicode.IsLetter(r)
}

// operator reads the longest sign that fits.
func (s *scanner) operator() (token, error) {
	for _, sign := range []string{"<=", ">=", "<>", "!=", "==", "||", "//", "+", "-", "*", "/", "%", "=", "<", ">", "(", ")", ",", ".", "[", "]"} {
		if strings.HasPrefix(s.src[s.at:], sign) {
			t := token{signToken, s.at, sign}
			s.at += len(sign)
			return t, nil
		}
	}
	r, _ := utf8.DecodeRuneInString(s.src[s.at:])
	return token{}, &Error{Offset: s.at, Message: fmt.Sprintf("%q has no meaning here", r)}
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// quoted is text as a literal: in quotes, those in it doubled.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
