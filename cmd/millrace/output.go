package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"
)

// isTerminal says whether w is a terminal a person looks at.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// columnsOf is the width of the terminal w, or 0 if it is none.
func columnsOf(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return width
}

// newLogger logs to w: text for people, JSON for machines.
func newLogger(w io.Writer) *slog.Logger {
	if isTerminal(w) {
		return slog.New(slog.NewTextHandler(w, nil))
	}
	return slog.New(slog.NewJSONHandler(w, nil))
}

// count writes n with a separator at every three digits: 1,234,567.
func count(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// size writes a number of bytes in a unit that leaves three digits: 1.24 MB.
func size(n int64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	units := []string{"kB", "MB", "GB", "TB", "PB", "EB"}
	f, unit := float64(n)/1000, 0
	for f >= 999.5 {
		f, unit = f/1000, unit+1
	}
	return fmt.Sprintf("%.3g %s", f, units[unit])
}

// grid prints rows below a header with aligned columns. Cells are cut to limit characters (0: not cut),
// columns named in right are aligned to the right.
func grid(w io.Writer, header []string, rows [][]string, limit int, right ...string) {
	widths := make([]int, len(header))
	shown := make([][]string, 0, 1+len(rows))
	for _, cells := range append([][]string{header}, rows...) {
		line := make([]string, len(cells))
		for i, c := range cells {
			line[i] = cut(oneLine(c), limit)
			widths[i] = max(widths[i], utf8.RuneCountInString(line[i]))
		}
		shown = append(shown, line)
	}
	for _, line := range shown {
		fmt.Fprintln(w, gridLine(line, widths, header, right))
	}
}

func gridLine(cells []string, widths []int, header, right []string) string {
	var b strings.Builder
	for i, cell := range cells {
		if i > 0 {
			b.WriteString("  ")
		}
		pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
		if slices.Contains(right, header[i]) {
			b.WriteString(pad + cell)
			continue
		}
		b.WriteString(cell + pad)
	}
	return strings.TrimRight(b.String(), " ")
}

// oneLine shows line breaks and tabs as spaces, and what else would move the cursor or turn the direction of
// writing as a dot: strangers wrote the rows.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\r', r == '\t':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
			return '·'
		}
		return r
	}, s)
}

// cut shortens s to limit characters, with an ellipsis for the last.
func cut(s string, limit int) string {
	if limit <= 0 || utf8.RuneCountInString(s) <= limit {
		return s
	}
	n := 0
	for i := range s {
		if n++; n == limit {
			return s[:i] + "…"
		}
	}
	return s
}
