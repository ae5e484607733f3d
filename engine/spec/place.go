package spec

import "unicode/utf8"

// maskOffset turns an offset in a scalar's text into one in its masked text. An offset inside a variable's
// value becomes that of its ${.
func (t *tree) maskOffset(text int) int {
	text = min(max(text, 0), len(t.text))
	shift := 0
	for _, s := range t.spans {
		switch {
		case text < s.text:
			return text + shift
		case text < s.textEnd:
			return s.mask
		}
		shift = s.maskEnd - s.textEnd
	}
	return min(text+shift, len(t.masked))
}

// placeOf finds the line and column of an offset in a scalar's masked text by reading the file and the text
// side by side: the text lacks quotes, indentation and folded line ends, and has escapes resolved.
func (t *tree) placeOf(offset int) (line, col int) {
	s := scanner{lines: t.doc.masked, line: t.line - 1, col: t.col - 1}
	switch t.style {
	case block:
		s.line, s.col = s.line+1, 0
	case singleQuoted, doubleQuoted:
		s.col++
	}
	text := t.masked
	for at := 0; at < len(text) && at < offset && !s.end(); {
		r, size := utf8.DecodeRuneInString(text[at:])
		if s.match(r, t.style) {
			at += size
		}
	}
	if r, _ := utf8.DecodeRuneInString(text[min(offset, len(text)):]); !blank(r) && offset < len(text) {
		for blank(s.rune()) && !s.end() {
			s.next(1)
		}
	}
	if s.end() {
		return t.line, t.col
	}
	return s.line + 1, s.col + 1
}

// A scanner walks over lines, character by character.
type scanner struct {
	lines     []string
	line, col int // from 0
	row       []rune
	rowOf     int // the line that row holds, plus 1
}

func (s *scanner) end() bool { return s.line >= len(s.lines) }

// rune is the character at the place; '\n' at the end of a line.
func (s *scanner) rune() rune { return s.peek(0) }

func (s *scanner) peek(ahead int) rune {
	if s.end() {
		return '\n'
	}
	if s.rowOf != s.line+1 {
		s.row, s.rowOf = []rune(s.lines[s.line]), s.line+1
	}
	if s.col+ahead >= len(s.row) {
		return '\n'
	}
	return s.row[s.col+ahead]
}

func (s *scanner) next(n int) {
	for ; n > 0 && !s.end(); n-- {
		s.peek(0)
		if s.col >= len(s.row) {
			s.line, s.col = s.line+1, 0
			continue
		}
		s.col++
	}
}

// match moves on by what stands for r, the next character of the text. It says whether r is used up.
func (s *scanner) match(r rune, style style) bool {
	c := s.rune()
	switch {
	case style == doubleQuoted && c == '\\':
		return s.escape()
	case style == singleQuoted && c == '\'':
		s.next(2)
		return true
	case c == r, blank(c) && blank(r):
		s.next(1)
		return true
	case blank(c):
		s.next(1)
		return false
	default: // the parser sees what we do not: stay on the safe side
		s.next(1)
		return true
	}
}

// escape passes a backslash and what it escapes; a line end escaped stands for nothing.
func (s *scanner) escape() bool {
	switch s.peek(1) {
	case '\n':
		s.next(2)
		return false
	case 'x':
		s.next(4)
	case 'u':
		s.next(6)
	case 'U':
		s.next(10)
	default:
		s.next(2)
	}
	return true
}

func blank(r rune) bool { return r == ' ' || r == '\t' || r == '\n' }
