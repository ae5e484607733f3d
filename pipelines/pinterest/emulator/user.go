package emulator

import "time"

// A User is a row of the user table, with its columns in the source's order. Ind is that of the pin: one
// person comes under many.
type User struct {
	Ind       int64
	FirstName string
	LastName  string
	Age       int       // 20 to 60
	Joined    time.Time // in seconds
}

// personCount is how many people there are. Some share a name.
const personCount = 8192

// UserAt gives the user of an index. The same seed and index give the same.
func UserAt(seed, ind int64) User {
	d := throw(seed, forUser, ind)
	return person(seed, ind, early(&d, personCount))
}

func person(seed, ind int64, n int) User {
	d := throw(seed, forPerson, int64(n))
	return User{
		Ind: ind, FirstName: d.pick(firstNames), LastName: d.pick(lastNames), Age: age(&d), Joined: joined(&d),
	}
}

// age has the shape of the real ones: of 100 people 22 are 20, 13 are 21, and few are over 50.
func age(d *dice) int {
	switch n := d.below(100); {
	case n < 22:
		return 20
	case n < 35:
		return 21
	case n < 53:
		return 22 + d.below(3)
	default:
		return 25 + early(d, 36)
	}
}

// joined is mostly in 2016 and in the last ten weeks of 2015.
func joined(d *dice) time.Time {
	day := func(year int, month time.Month, day int) time.Time {
		return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	}
	switch d.weighted([]int{349, 388, 140}) {
	case 0:
		return instant(d, day(2015, 10, 21), day(2016, 1, 1))
	case 1:
		return instant(d, day(2016, 1, 1), day(2017, 1, 1))
	default:
		return instant(d, day(2017, 1, 1), day(2017, 10, 19))
	}
}

func (u *User) appendJSON(dst []byte, layout string) []byte {
	o := compact(dst)
	o.whole("ind", u.Ind)
	o.text("first_name", u.FirstName)
	o.text("last_name", u.LastName)
	o.whole("age", int64(u.Age))
	o.instant("date_joined", u.Joined, layout)
	return o.end()
}
