package delta

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

var errForm = errors.New("not of the expected form")

// parseDay reads "1970-01-31", with as many digits of the year as it has, as days since 1970.
func parseDay(s string) (int32, error) {
	days, rest, err := cutDay(s)
	if err != nil || rest != "" || days != int64(int32(days)) {
		return 0, errForm
	}
	return int32(days), nil
}

// cutDay reads the date that s begins with.
func cutDay(s string) (days int64, rest string, err error) {
	sign, digits := 1, s
	switch {
	case strings.HasPrefix(s, "-"):
		sign, digits = -1, s[1:]
	case strings.HasPrefix(s, "+"):
		digits = s[1:]
	}
	dash := strings.IndexByte(digits, '-')
	if dash < 4 || dash > 7 || len(digits) < dash+6 {
		return 0, "", errForm
	}
	year, err := strconv.ParseUint(digits[:dash], 10, 32)
	if err != nil {
		return 0, "", errForm
	}
	t, err := time.Parse("-01-02", digits[dash:dash+6])
	if err != nil {
		return 0, "", errForm
	}
	d := time.Date(sign*int(year), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	if d.Day() != t.Day() { // the 29th of February of a year without
		return 0, "", errForm
	}
	return d.Unix() / (24 * 60 * 60), digits[dash+6:], nil
}

// parseMicros reads "1970-01-31T12:30:00.123456Z" and "1970-01-31 12:30:00.123456" as microseconds since
// 1970 UTC.
func parseMicros(s string) (int64, error) {
	return parseForms(s, "T15:04:05.999999Z07:00", " 15:04:05.999999")
}

// parseClock reads "1970-01-31 12:30:00.123456", also with a T between, as microseconds since 1970 of a clock
// without a zone.
func parseClock(s string) (int64, error) {
	return parseForms(s, " 15:04:05.999999", "T15:04:05.999999")
}

// parseForms reads a day with a time of one of the forms behind it, or with none.
func parseForms(s string, forms ...string) (int64, error) {
	days, rest, err := cutDay(s)
	if err != nil {
		return 0, err
	}
	if rest == "" {
		rest = " 00:00:00"
	}
	for _, form := range forms {
		if clock, err := time.Parse("2006-01-02"+form, "1970-01-01"+rest); err == nil {
			const secondsADay = 24 * 60 * 60
			t := time.Unix(days*secondsADay+clock.Unix(), int64(clock.Nanosecond()))
			if us := t.UnixMicro(); time.UnixMicro(us).Unix() == t.Unix() { // else it is past what 64 bits hold
				return us, nil
			}
		}
	}
	return 0, errForm
}
