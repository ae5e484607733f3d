package spec

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Bytes is a size, written with its unit: "64KiB", "128MiB", "1GB".
type Bytes int64

// A unit is what a number is counted in.
type unit struct {
	name string
	size float64
}

func timeUnits() []unit {
	return []unit{
		{"ms", float64(time.Millisecond)}, {"s", float64(time.Second)}, {"m", float64(time.Minute)},
		{"h", float64(time.Hour)}, {"d", 24 * float64(time.Hour)},
	}
}

func sizeUnits() []unit {
	return []unit{
		{"B", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
		{"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12},
	}
}

// String writes the size in the largest unit that divides it: "128MiB".
func (b Bytes) String() string {
	best := unit{"B", 1}
	for _, u := range sizeUnits() {
		if b != 0 && u.size > best.size && int64(b)%int64(u.size) == 0 {
			best = u
		}
	}
	return fmt.Sprintf("%d%s", int64(b)/int64(best.size), best.name)
}

// FormatDuration writes d as definitions do: "10s", "1h30m", "7d".
func FormatDuration(d time.Duration) string {
	if d%time.Millisecond != 0 || d < 0 {
		return d.String()
	}
	units, s := timeUnits(), ""
	for i := len(units) - 1; i >= 0; i-- {
		size := time.Duration(units[i].size)
		if n := d / size; n > 0 {
			s += fmt.Sprint(int64(n)) + units[i].name
			d %= size
		}
	}
	if s == "" {
		return "0s"
	}
	return s
}

// ParseDuration reads "30s", "1h30m", "7d": a number and a unit (ms, s, m, h, d), one or more times.
func ParseDuration(text string) (time.Duration, error) {
	sum, err := quantity(text, timeUnits())
	if err != nil {
		return 0, &parseError{message: fmt.Sprintf("expected a duration such as 30s, 5m or 7d, found %q%s", text, err), hint: unitHint(text, "s")}
	}
	return time.Duration(sum), nil
}

// ParseBytes reads "128MiB", "1GB", "512B".
func ParseBytes(text string) (Bytes, error) {
	sum, err := quantity(text, sizeUnits())
	if err != nil {
		return 0, &parseError{message: fmt.Sprintf("expected a size such as 64KiB, 128MiB or 1GB, found %q%s", text, err), hint: unitHint(text, "B")}
	}
	return Bytes(sum), nil
}

// quantity adds up numbers with units. Its errors are the end of a sentence.
func quantity(text string, units []unit) (float64, error) {
	if text == "" {
		return 0, fmt.Errorf("")
	}
	if isNumber(text) {
		return 0, fmt.Errorf(", which lacks a unit: units are %s", unitNames(units))
	}
	sum := 0.0
	for rest := text; rest != ""; {
		number := rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789."))]
		rest = strings.TrimLeft(rest[len(number):], " ")
		name := rest[:len(rest)-len(strings.TrimLeft(rest, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"))]
		rest = strings.TrimLeft(rest[len(name):], " ")
		n, err := strconv.ParseFloat(number, 64)
		size := sizeOf(name, units)
		if err != nil || size == 0 {
			return 0, fmt.Errorf("; units are %s", unitNames(units))
		}
		sum += n * size
	}
	if sum = math.Round(sum); sum >= 1<<63 {
		return 0, fmt.Errorf(", which is too much")
	}
	return sum, nil
}

// unitHint says how a bare number is written.
func unitHint(text, unit string) string {
	if !isNumber(text) || strings.HasPrefix(text, "-") {
		return ""
	}
	return fmt.Sprintf("; write %s%s", text, unit)
}

func isNumber(text string) bool {
	_, err := strconv.ParseFloat(text, 64)
	return err == nil
}

func sizeOf(name string, units []unit) float64 {
	for _, u := range units {
		if u.name == name {
			return u.size
		}
	}
	return 0
}

func unitNames(units []unit) string {
	names := make([]string, len(units))
	for i, u := range units {
		names[i] = u.name
	}
	return strings.Join(names, ", ")
}
