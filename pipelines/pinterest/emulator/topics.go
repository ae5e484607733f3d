package emulator

// A topic is a category of pins with its words.
type topic struct {
	name   string
	things []string // what the pins show
	looks  []string // what goes before a thing
}

var topics = [...]topic{
	{"art", []string{
		"acrylic painting", "art journal", "brush strokes", "charcoal sketch", "collage", "color palette", "digital art",
		"drawing lesson", "gouache", "ink drawing", "landscape painting", "murals", "oil painting", "paint pouring",
		"perspective drawing", "pop art", "portraits", "sculptures", "sketchbook pages", "still life", "watercolor",
	}, []string{"abstract", "aesthetic", "contemporary", "expressive", "modern", "monochrome", "realistic", "surreal", "vintage"}},
	{"beauty", []string{
		"braids", "brow lamination", "contouring", "curly hair", "eyeliner", "eyeshadow", "face mask", "foundation", "hair care",
		"highlights", "lash extensions", "lip gloss", "lipstick", "makeup look", "manicure", "mascara", "nail art", "perfume",
		"serum", "skin care routine", "updos",
	}, []string{"dewy", "glam", "glossy", "matte", "natural", "overnight", "shimmering", "smoky", "vegan"}},
	{"christmas", []string{
		"Advent calendar", "angels", "candy canes", "Christmas cards", "Christmas crafts", "Christmas tree", "cookies",
		"elf on the shelf", "fireplace mantel", "garland", "gift baskets", "gingerbread house", "mistletoe", "nativity scene",
		"ornaments", "reindeer", "Santa hat", "snow globe", "stockings", "table setting", "wreath",
	}, []string{"farmhouse", "festive", "frosted", "merry", "nordic", "rustic", "snowy", "traditional", "twinkling"}},
	{"diy-and-crafts", []string{
		"bird feeder", "bookmarks", "candle holders", "coasters", "crochet blanket", "embroidery", "flower pots", "friendship bracelets",
		"jewelry box", "keychains", "mason jars", "origami", "paper flowers", "picture frames", "pillow covers", "pom poms",
		"resin tray", "slime", "tie dye shirts", "tote bag", "wall hanging",
	}, []string{"dollar store", "homemade", "no-sew", "painted", "recycled", "simple", "sparkling", "upcycled", "woven"}},
	{"education", []string{
		"alphabet cards", "anchor charts", "bulletin boards", "classroom rules", "counting games", "essay writing", "flash cards",
		"grammar worksheets", "homeschool schedule", "lesson plans", "math centers", "morning meeting", "multiplication tables",
		"phonics", "reading corner", "reward charts", "science experiments", "sight words", "spelling tests", "study notes",
		"world map",
	}, []string{"engaging", "first grade", "free printable", "hands-on", "interactive", "kindergarten", "Montessori", "sensory", "weekly"}},
	{"event-planning", []string{
		"baby shower", "backdrop", "balloon arch", "birthday cake", "bridal bouquet", "budget planner", "catering menu", "centerpieces",
		"dessert table", "engagement party", "guest book", "guest list", "invitations", "party favors", "photo booth",
		"seating chart", "table numbers", "tent lighting", "toasts", "venue checklist", "wedding timeline",
	}, []string{"boho", "classy", "coastal", "garden party", "glamorous", "intimate", "last minute", "outdoor", "whimsical"}},
	{"finance", []string{
		"bank account", "bill tracker", "budget binder", "cash envelopes", "coupon organizer", "credit score", "debt snowball",
		"emergency fund", "expenses", "first home", "grocery list", "income streams", "investing", "money challenge", "mortgage",
		"net worth", "retirement plan", "savings goals", "side hustles", "student loans", "taxes",
	}, []string{"52 week", "beginner", "debt free", "frugal", "low income", "monthly", "passive", "realistic", "zero based"}},
	{"home-decor", []string{
		"accent wall", "bathroom vanity", "bookshelf", "ceiling beams", "coffee table", "curtains", "entry table", "fireplace",
		"floating shelves", "gallery wall", "headboard", "kitchen cabinets", "lighting", "mirror", "open shelving", "pendant lamp",
		"rug", "sofa", "storage bench", "throw pillows", "wallpaper",
	}, []string{"cottage", "farmhouse", "industrial", "midcentury", "minimalist", "rustic", "Scandinavian", "shabby chic", "Swedish"}},
	{"mens-fashion", []string{
		"ankle boots", "beard styles", "blazer", "bomber jacket", "bow tie", "briefcase", "cardigan", "chinos", "cuff links",
		"denim jacket", "dress shoes", "haircuts", "hoodie", "linen shirt", "overcoat", "polo shirt", "sneakers", "suit", "sunglasses",
		"turtleneck", "wristwatch",
	}, []string{"business casual", "classic", "Italian", "layered", "preppy", "retro", "slim fit", "streetwear", "tailored"}},
	{"quotes", []string{
		"affirmations", "book quotes", "daily reminders", "friendship quotes", "funny sayings", "good morning wishes", "graduation quotes",
		"letter board quotes", "life lessons", "love quotes", "mindset", "motherhood quotes", "motivation", "movie lines", "poems",
		"proverbs", "self love", "song lyrics", "Sunday thoughts", "truths", "wisdom",
	}, []string{"deep", "encouraging", "heartfelt", "honest", "hilarious", "positive", "powerful", "short", "uplifting"}},
	{"tattoos", []string{
		"ankle tattoo", "arm sleeve", "back piece", "butterfly tattoo", "compass", "cover up", "dragon", "finger tattoo", "flash sheet",
		"flower tattoo", "forearm tattoo", "hand poke", "koi", "lettering", "lion", "mandala", "matching tattoos", "moon phases",
		"phoenix", "rose tattoo", "wrist tattoo",
	}, []string{"blackwork", "delicate", "dotwork", "fine line", "geometric", "minimalist", "neo traditional", "tribal", "watercolor"}},
	{"travel", []string{
		"bucket list", "camping gear", "carry-on bag", "city break", "cruise tips", "day trips", "desert roads", "hidden beaches",
		"hiking trails", "honeymoon", "island hopping", "itinerary", "national parks", "packing list", "photo spots", "road trip",
		"street food", "train journeys", "travel journal", "vacation outfits", "waterfalls",
	}, []string{"adventurous", "budget", "exotic", "family", "off-season", "road-tested", "scenic", "solo", "tropical"}},
	{"vehicles", []string{
		"camper van", "car interior", "classic cars", "concept car", "convertible", "dashboard", "electric car", "engine swap",
		"hot rod", "lowrider", "motorcycles", "muscle car", "off-road tires", "old trucks", "pickup truck", "race car", "roadster",
		"scooters", "sports car", "vans", "wheels",
	}, []string{"aerodynamic", "custom", "diesel", "German", "lifted", "limited edition", "old school", "restored", "turbo"}},
}
