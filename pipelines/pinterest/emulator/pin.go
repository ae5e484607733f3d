package emulator

import "strconv"

// A Pin is a row of the pin table, with its columns in the source's order.
type Pin struct {
	Index          int64  `json:"index"`
	UniqueID       string `json:"unique_id"` // a UUID
	Title          string `json:"title"`
	Description    string `json:"description"` // at most 180 characters; a longer one ends in "…" and a no-break space
	PosterName     string `json:"poster_name"`
	FollowerCount  string `json:"follower_count"` // "437", "136k" or "8M"
	TagList        string `json:"tag_list"`       // joined by commas, mostly 9
	IsImageOrVideo string `json:"is_image_or_video"`
	ImageSrc       string `json:"image_src"`
	Downloaded     int64  `json:"downloaded"` // 0 exactly where ImageSrc is missing
	SaveLocation   string `json:"save_location"`
	Category       string `json:"category"`
}

// The texts that the source has where it has nothing.
const (
	noTitle       = "No Title Data Available"
	noDescription = "No description available"
	noStory       = "No description available Story format"
	noUser        = "User Info Error" // as poster name and as follower count
	noTags        = "N,o, ,T,a,g,s, ,A,v,a,i,l,a,b,l,e"
	noImage       = "Image src error." // with the full stop
)

// The kinds of posts.
const (
	image = "image"
	video = "video"
	story = "multi-video(story page format)"
)

// A gap is what a pin lacks. Placeholders do not come alone as they please: these are the combinations
// there are, with their share of 877 real pins.
type gap struct {
	weight                           int
	kind                             string // of the post; "": image or video
	description                      string // the placeholder, or ""
	image, titleAndUserAndTags, tags bool
}

var gaps = []gap{
	{weight: 792},
	{weight: 42, kind: story, description: noStory},
	{weight: 13, kind: story, description: noStory, image: true},
	{weight: 10, kind: story, description: noStory, image: true, titleAndUserAndTags: true},
	{weight: 16, description: noDescription},
	{weight: 4, tags: true},
}

func pickGap(d *dice) gap {
	n := d.below(877)
	for _, g := range gaps {
		if n -= g.weight; n < 0 {
			return g
		}
	}
	panic("emulator: the weights of gaps are not 877")
}

// PinAt gives the pin of an index. The same seed and index give the same pin.
func PinAt(seed, index int64) Pin {
	d := throw(seed, forPin, index)
	topic := &topics[d.below(len(topics))]
	missing := pickGap(&d)
	p := Pin{Index: index, Downloaded: 1, Category: topic.name, IsImageOrVideo: missing.kind}
	if p.IsImageOrVideo == "" {
		p.IsImageOrVideo = image
		if d.chance(32) {
			p.IsImageOrVideo = video
		}
	}
	c := composer{dice: &d, topic: topic, buf: make([]byte, 0, 1024)}
	c.uuid()
	c.field((*composer).title)
	c.field((*composer).description)
	c.field((*composer).poster)
	c.field((*composer).followers)
	c.field((*composer).tags)
	c.field(func(c *composer) { c.image(p.IsImageOrVideo) })
	c.field(func(c *composer) { c.add("Local save in /data/", topic.name) })
	c.fill(&p.UniqueID, &p.Title, &p.Description, &p.PosterName, &p.FollowerCount, &p.TagList, &p.ImageSrc, &p.SaveLocation)
	p.leaveOut(missing)
	return p
}

func (p *Pin) leaveOut(g gap) {
	if g.description != "" {
		p.Description = g.description
	}
	if g.image {
		p.ImageSrc, p.Downloaded = noImage, 0
	}
	if g.titleAndUserAndTags {
		p.Title, p.PosterName, p.FollowerCount = noTitle, noUser, noUser
	}
	if g.tags || g.titleAndUserAndTags {
		p.TagList = noTags
	}
}

// AppendJSON appends the pin as a Kafka REST proxy passes it on: one line without spaces.
func (p *Pin) AppendJSON(dst []byte) []byte { return p.write(compact(dst)) }

// AppendSpaced appends the pin as Python's json.dumps writes it, with a space after each comma and colon.
func (p *Pin) AppendSpaced(dst []byte) []byte { return p.write(spaced(dst)) }

func (p *Pin) write(o *object) []byte {
	o.whole("index", p.Index)
	o.text("unique_id", p.UniqueID)
	o.text("title", p.Title)
	o.text("description", p.Description)
	o.text("poster_name", p.PosterName)
	o.text("follower_count", p.FollowerCount)
	o.text("tag_list", p.TagList)
	o.text("is_image_or_video", p.IsImageOrVideo)
	o.text("image_src", p.ImageSrc)
	o.whole("downloaded", p.Downloaded)
	o.text("save_location", p.SaveLocation)
	o.text("category", p.Category)
	return o.end()
}

// followers: of 867 real counts 632 are in thousands, 173 plain and 62 in millions; small ones are more
// frequent than large ones.
func (c *composer) followers() {
	switch c.dice.weighted([]int{632, 173, 62}) {
	case 0:
		c.number(skewed(c.dice, 1, 999))
		c.add("k")
	case 1:
		c.number(skewed(c.dice, 0, 999))
	default:
		c.number(skewed(c.dice, 1, 15))
		c.add("M")
	}
}

func skewed(d *dice, low, high int) int {
	u := d.unit()
	return low + int(u*u*float64(high-low+1))
}

func (c *composer) number(n int) { c.buf = strconv.AppendInt(c.buf, int64(n), 10) }

// image composes an address: the first bytes of the file's name are its folders.
func (c *composer) image(kind string) {
	const hex = "0123456789abcdef"
	var name [32]byte
	for i := 0; i < len(name); i += 16 {
		bits := c.dice.next()
		for j := range 16 {
			name[i+j], bits = hex[bits&15], bits>>4
		}
	}
	folder, ending := "https://i.pinimg.com/originals/", imageEndings[c.dice.weighted([]int{714, 134, 5, 1})]
	if kind != image {
		folder, ending = "https://i.pinimg.com/videos/thumbnails/originals/", ".0000001.jpg"
	}
	c.add(folder, string(name[:2]), "/", string(name[2:4]), "/", string(name[4:6]), "/", string(name[:]), ending)
}

var imageEndings = []string{".jpg", ".png", ".webp", ".gif"}

// uuid composes a random UUID (RFC 9562, version 4).
func (c *composer) uuid() {
	c.field(func(c *composer) { c.buf = AppendUUID(c.buf, c.dice.next(), c.dice.next()) })
}

// AppendUUID appends a UUID of version 4 (RFC 9562) made of 122 of the given bits.
func AppendUUID(dst []byte, high, low uint64) []byte {
	high = high&^0xf000 | 0x4000
	low = low&^(3<<62) | 1<<63
	const hex = "0123456789abcdef"
	for i := range 32 {
		if i == 8 || i == 12 || i == 16 || i == 20 {
			dst = append(dst, '-')
		}
		dst = append(dst, hex[high>>60])
		high, low = high<<4|low>>60, low<<4
	}
	return dst
}
