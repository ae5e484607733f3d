package expr

import "strconv"

// Microseconds in the units of a clock.
const (
	microsPerSecond = 1_000_000
	microsPerDay    = 86_400 * microsPerSecond
)

// A civil is a date of the Gregorian calendar, which is taken to hold for all time (ISO 8601). Year 0 is
// 1 BC.
type civil struct{ year, month, day int64 }

// days counts from 1970-01-01. The year begins in March, so that the leap day is its last one.
func (c civil) days() int64 {
	y, m := c.year, c.month-3
	if m < 0 {
		y, m = y-1, m+12
	}
	era := floorDiv(y, 400)
	yearOfEra := y - era*400
	dayOfYear := (153*m+2)/5 + c.day - 1
	return era*146097 + yearOfEra*365 + yearOfEra/4 - yearOfEra/100 + dayOfYear - 719468
}

// civilOf is the inverse of days.
func civilOf(days int64) civil {
	days += 719468
	era := floorDiv(days, 146097)
	dayOfEra := days - era*146097
	yearOfEra := (dayOfEra - dayOfEra/1460 + dayOfEra/36524 - dayOfEra/146096) / 365
	dayOfYear := dayOfEra - (365*yearOfEra + yearOfEra/4 - yearOfEra/100)
	m := (5*dayOfYear + 2) / 153
	c := civil{yearOfEra + era*400, m + 3, dayOfYear - (153*m+2)/5 + 1}
	if c.month > 12 {
		c.year, c.month = c.year+1, c.month-12
	}
	return c
}

// real says whether there is such a day.
func (c civil) real() bool {
	if c.month < 1 || c.month > 12 || c.day < 1 || c.day > 31 {
		return false
	}
	return c.day <= 28 || civilOf(c.days()) == c
}

// floorDiv is x/y cut down, for positive y.
func floorDiv(x, y int64) int64 {
	q := x / y
	if x%y < 0 {
		q--
	}
	return q
}

// dayOf is the day that an instant lies in, counted from 1970-01-01.
func dayOf(micros int64) int64 { return floorDiv(micros, microsPerDay) }

// timeOfDay is how far into its day an instant lies, in microseconds.
func timeOfDay(micros int64) int64 { return micros - dayOf(micros)*microsPerDay }

// appendDate writes yyyy-MM-dd. Years before 0 have a minus sign, those after 9999 more digits.
func appendDate(dst []byte, days int64) []byte {
	c := civilOf(days)
	if c.year < 0 {
		dst = append(dst, '-')
		c.year = -c.year
	}
	dst = appendPadded(dst, c.year, 4)
	dst = appendPadded(append(dst, '-'), c.month, 2)
	return appendPadded(append(dst, '-'), c.day, 2)
}

// appendTimestamp writes yyyy-MM-dd HH:mm:ss and, where it is not 0, the fraction without zeros at its end.
func appendTimestamp(dst []byte, micros int64) []byte {
	dst = appendDate(dst, dayOf(micros))
	t := timeOfDay(micros)
	dst = appendPadded(append(dst, ' '), t/(3600*microsPerSecond), 2)
	dst = appendPadded(append(dst, ':'), t/(60*microsPerSecond)%60, 2)
	dst = appendPadded(append(dst, ':'), t/microsPerSecond%60, 2)
	if f := t % microsPerSecond; f != 0 {
		dst = appendPadded(append(dst, '.'), f, 6)
		for dst[len(dst)-1] == '0' {
			dst = dst[:len(dst)-1]
		}
	}
	return dst
}

// appendPadded writes v with zeros before it up to width digits.
func appendPadded(dst []byte, v int64, width int) []byte {
	for limit, w := int64(10), 1; w < width; w++ {
		if v < limit {
			for range width - w {
				dst = append(dst, '0')
			}
			break
		}
		limit *= 10
	}
	return strconv.AppendInt(dst, v, 10)
}
