package emulator

import "time"

// A Geo is a row of the geolocation table, with its columns in the source's order.
type Geo struct {
	Ind       int64
	Timestamp time.Time // when the pin was posted, in seconds
	Latitude  float64   // degrees, -90 to 90
	Longitude float64   // degrees, -180 to 180
	Country   string    // has nothing to do with the coordinates
}

// Pins were posted in these five years; users joined in the two years before.
var (
	firstPost = time.Date(2017, 10, 20, 0, 0, 0, 0, time.UTC)
	lastPost  = time.Date(2022, 10, 17, 0, 0, 0, 0, time.UTC)
)

// placeCount is how many coordinates there are: they come again.
const placeCount = 8192

// GeoAt gives the geolocation of an index. The same seed and index give the same.
func GeoAt(seed, ind int64) Geo {
	d := throw(seed, forGeo, ind)
	g := Geo{Ind: ind, Timestamp: instant(&d, firstPost, lastPost), Country: countries[early(&d, len(countries))]}
	place := throw(seed, forPlace, int64(d.below(placeCount)))
	g.Latitude, g.Longitude = 180*place.unit()-90, 360*place.unit()-180
	return g
}

// instant gives a whole second at or after from and before to.
func instant(d *dice, from, to time.Time) time.Time {
	return from.Add(time.Duration(d.below(int(to.Sub(from)/time.Second))) * time.Second)
}

// early gives a number from 0 to n-1, a small one more often.
func early(d *dice, n int) int {
	u := d.unit()
	return int(u * u * float64(n))
}

func (g *Geo) appendJSON(dst []byte, layout string) []byte {
	o := compact(dst)
	o.whole("ind", g.Ind)
	o.instant("timestamp", g.Timestamp, layout)
	o.degrees("latitude", g.Latitude)
	o.degrees("longitude", g.Longitude)
	o.text("country", g.Country)
	return o.end()
}
