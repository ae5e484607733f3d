package freshness

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"
)

// Percentiles are those that are shown, with what the scale of a picture calls them.
var Percentiles = [...]float64{50, 90, 95, 99, 99.9, 99.99, 100}

// At is the delay that a percentage of the rows did not exceed.
func (h *Histogram) At(percent float64) time.Duration {
	return time.Duration(h.ValueAtQuantile(percent)) * time.Microsecond
}

// The picture: its size, and the margins about the plot, in pixels.
const (
	width, height            = 760, 380
	left, right, top, bottom = 70, 20, 40, 50
)

// WriteSVG draws the delays by percentile, the percentiles on a scale on which each nine takes the same room.
func (h *Histogram) WriteSVG(w io.Writer, title string) error {
	most := niceCeiling(h.At(100))
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="12">`+"\n", width, height)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="white"/><text x="%d" y="24" font-size="14">%s</text>`+"\n", left, title)
	for i := range 6 {
		d := most * time.Duration(i) / 5
		y := yOf(d, most)
		fmt.Fprintf(&b, `<line x1="%d" x2="%d" y1="%.1f" y2="%.1f" stroke="#ddd"/><text x="%d" y="%.1f" text-anchor="end">%v</text>`+"\n", left, width-right, y, y, left-8, y+4, d.Round(time.Millisecond))
	}
	for _, p := range Percentiles[:len(Percentiles)-1] {
		x := xOf(p)
		fmt.Fprintf(&b, `<line x1="%.1f" x2="%.1f" y1="%d" y2="%d" stroke="#eee"/><text x="%.1f" y="%d" text-anchor="middle">%v %%</text>`+"\n", x, x, top, height-bottom, x, height-bottom+20, p)
	}
	b.WriteString(`<polyline fill="none" stroke="#1f5fa8" stroke-width="2" points="`)
	for i := range 400 {
		nines := lastNine * float64(i) / 399
		p := 100 * (1 - math.Pow(10, -nines))
		fmt.Fprintf(&b, "%.1f,%.1f ", xOf(p), yOf(h.At(p), most))
	}
	b.WriteString(`"/>` + "\n" + `<text x="50%" y="` + fmt.Sprint(height-8) + `" text-anchor="middle">rows that were readable by then</text>` + "\n</svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// lastNine is how many nines the scale shows.
const lastNine = 4.2

func xOf(percent float64) float64 {
	nines := -math.Log10(1 - min(percent, 99.9999)/100)
	return left + (width-left-right)*nines/lastNine
}

func yOf(d, most time.Duration) float64 {
	return float64(height-bottom) - float64(height-bottom-top)*float64(d)/float64(most)
}

// niceCeiling is d rounded up to one or a half of a power of ten.
func niceCeiling(d time.Duration) time.Duration {
	step := time.Millisecond
	for ; step < d; step *= 10 {
		for _, times := range []time.Duration{1, 2, 5} {
			if step*times >= d {
				return step * times
			}
		}
	}
	return step
}

// WriteText shows the percentiles, and the delays in bars of a tenth of the longest each.
func (h *Histogram) WriteText(w io.Writer) error {
	var b strings.Builder
	for _, p := range Percentiles {
		fmt.Fprintf(&b, "  %6.2f %%  %9.1f ms\n", p, float64(h.At(p).Microseconds())/1e3)
	}
	const bars, longest = 20, 50
	step := max(h.Max()/bars, 1)
	counts, most := make([]int64, bars+1), int64(1)
	for _, x := range h.Distribution() {
		i := min(x.From/step, bars)
		counts[i] += x.Count
		most = max(most, counts[i])
	}
	b.WriteString("\n")
	for i, n := range counts {
		if n > 0 {
			fmt.Fprintf(&b, "  to %7.1f ms  %10d  %s\n", float64((int64(i)+1)*step)/1e3, n, strings.Repeat("█", int(n*longest/most)))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
