package json

// parseDate reads "yyyy-MM-dd", years 0001 to 9999, as days since 1970-01-01.
func parseDate(s []byte) (day int64, ok bool) {
	if len(s) != 10 || s[4] != '-' || s[7] != '-' {
		return 0, false
	}
	year, month, dom := pair(s)*100+pair(s[2:]), pair(s[5:]), pair(s[8:])
	if pair(s) < 0 || pair(s[2:]) < 0 || year < 1 || month < 1 || month > 12 || dom < 1 || dom > daysIn(year, month) {
		return 0, false
	}
	return days(year, month, dom), true
}

// parseTimestamp reads "yyyy-MM-ddTHH:mm:ss", a space or a T between, with fraction and zone if it has
// them, as microseconds since 1970 UTC.
func parseTimestamp(s []byte) (at int64, ok bool) {
	at, s, ok = cutClock(s)
	if !ok {
		return 0, false
	}
	zone, ok := parseZone(s)
	return at - zone*1e6, ok
}

// parseClock reads "yyyy-MM-ddTHH:mm:ss", a space or a T between, with fraction if it has one and never with a
// zone, as microseconds since 1970 of a clock that knows none.
func parseClock(s []byte) (at int64, ok bool) {
	at, s, ok = cutClock(s)
	return at, ok && len(s) == 0
}

// cutClock reads a day and a time with its fraction, and gives what is behind.
func cutClock(s []byte) (at int64, rest []byte, ok bool) {
	if len(s) < 19 || s[10] != 'T' && s[10] != ' ' || s[13] != ':' || s[16] != ':' {
		return 0, nil, false
	}
	day, ok := parseDate(s[:10])
	hour, minute, second := pair(s[11:]), pair(s[14:]), pair(s[17:])
	if !ok || uint64(hour) > 23 || uint64(minute) > 59 || uint64(second) > 59 {
		return 0, nil, false
	}
	micros, s, ok := fraction(s[19:])
	if !ok {
		return 0, nil, false
	}
	return (day*86400+hour*3600+minute*60+second)*1e6 + micros, s, true
}

// fraction reads ".digits" if it is there, cut to microseconds.
func fraction(s []byte) (micros int64, rest []byte, ok bool) {
	if len(s) == 0 || s[0] != '.' {
		return 0, s, true
	}
	n := 1
	unit := int64(1e5)
	for ; n < len(s) && s[n]-'0' <= 9; n++ {
		micros += int64(s[n]-'0') * unit
		unit /= 10
	}
	return micros, s[n:], n > 1
}

// parseZone reads "Z", "±hh:mm" or nothing as seconds east of UTC.
func parseZone(s []byte) (seconds int64, ok bool) {
	if len(s) == 0 || len(s) == 1 && s[0] == 'Z' {
		return 0, true
	}
	if len(s) != 6 || s[0] != '+' && s[0] != '-' || s[3] != ':' {
		return 0, false
	}
	hour, minute := pair(s[1:]), pair(s[4:])
	if uint64(hour) > 23 || uint64(minute) > 59 {
		return 0, false
	}
	seconds = hour*3600 + minute*60
	if s[0] == '-' {
		seconds = -seconds
	}
	return seconds, true
}

// pair is the number that two digits make, or negative.
func pair(s []byte) int64 {
	if s[0]-'0' > 9 || s[1]-'0' > 9 {
		return -1
	}
	return int64(s[0]-'0')*10 + int64(s[1]-'0')
}

func daysIn(year, month int64) int64 {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// days is the day's number since 1970-01-01. Years begin in March here, so that the leap day is the last:
// the months before one of a year then have (153m+2)/5 days.
func days(year, month, dom int64) int64 {
	if month <= 2 {
		year--
		month += 12
	}
	return year*365 + year/4 - year/100 + year/400 + (153*(month-3)+2)/5 + dom - 719469
}
