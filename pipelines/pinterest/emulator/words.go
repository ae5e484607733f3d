package emulator

// The word lists. In a template %n is a thing of the category and %l a look of it, %a an adjective, %v a
// verb, %w whom it is for, %p a place, %s a season, %c a colour, %m a material, %e an emoji, %x a phrase
// that is not English, %f and %g a first and last name, %d and %k a small and a large number, %y a year.

var titles = []string{
	"%d %a %n to %v this %s", "%d %l %n ideas for %w", "%a %l %n for %w", "how to %v %l %n in %d minutes",
	"%l %n with %m and %m", "the %a guide to %n and %n", "%f %g - %l %n", "%c %l %n | %a %p",
	"%n", "%d %a %n for your %p this %s", "DIY %m %n: %d easy ways to %v it", "best %l %n of %y",
	"why %w love %l %n so much", "%s %n - %a %n for %w - %f & %f", "%d things about %n I wish I knew sooner",
	"my %a %p: %l %n, %c %n and more", "%l %n tutorial (with free %n)", "%c and %c %l %n - the %g house",
	"%d %l %n that will make your %p look %a", "%f's %a %n", "from %n to %n: %v like a pro",
}

var unicodeTitles = []string{
	"%f %g on Instagram: “%a %n today! %e%e%e we are so happy with these %c %n. did you %v yours yet?…”",
	"%l %n %e", "%x • %l %n", "%e %d %a %n for %w %e", "%n – %l & %a", "%x ◾ %x ◾ %n", "%f’s %l %n… and %n", "★ %a %n ★ %l",
}

var sentences = []string{
	"%d %a ideas for %l %n that %w will love.", "Learn how to %v %l %n with %m and a bit of %m.",
	"This %a %n is perfect for %w and for every %p.", "Nothing says %s like %l %n in %c and %c.",
	"Click through to see all %d %n and %v your own!", "Description %n in a fun %c %m, about %d x %d cm.",
	"A %a way to %v your %p without spending more than $%d.", "We tried %k %n, and these %l ones are the most %a by far.",
	"Looking for %l %n?", "Here are our favorite %n for %w this %s.", "Save this for later.",
	"Features: Material: %m Color: %c Size: %dx%dcm Quantity: %d pcs.", "Find and save %l %n on your board.",
	"%f %g shares her tips on %n, %n and how to %v them.", "It takes only %d minutes and looks so %a.",
	"You can %v it with %m, %m or whatever you have in the %p.", "Free printable included, made by %f.",
	"Great for %w, for a %s evening or for the whole family.", "%k Likes, %d Comments - %f %g on Instagram.",
	"The %c %m makes every %p feel %a.", "\"I never thought %n could be that %a\", says %f %g.",
	"Read more about %l %n, what to look for and what to leave.", "Art by %f %g, %y.", "So %a.",
	"Step by step: cut the %m, paint it %c, wait %d minutes, done.", "Our best selling %n are back in %c!",
}

var unicodeSentences = []string{
	"%e %l %n for %w %e", "%x.", "“%a %n” – %f %g, %y.", "Prêt à porter: %l %n à la %f.", "%d×%d cm, %d € each %e",
	"✔ %l ✔ %a ✔ %c", "It’s all about the %n… and the %m %e%e",
}

var posters = []string{
	"%f %g", "%f %g", "%f %g", "%a %n", "%f & %f | lifestyle blog", "the %a %p", "%g Studio", "%m and %c",
	"%f %g | %l %n", "%l %n ideas", "%f's %a %p", "House of %g", "%g", "The %g Family {%n & more}", "%n Magazine",
	"%f %g Photography", "Live %a with %f", "%a %m shop - %n for %w",
}

var unicodePosters = []string{"%f %e", "%x", "%e %l %n", "Café %g", "%f – %x"}

var tagTemplates = []string{
	"%l %n", "%a %n", "%n ideas", "%n", "%c %n", "%n %y", "%n for %w", "%s %n", "%l %m", "DIY %n", "%a %p", "%l ideas",
	"%c %p", "%n",
}

var adjectives = []string{
	"amazing", "beautiful", "bold", "brilliant", "charming", "cheerful", "chic", "clever", "cozy", "creative", "cute",
	"delightful", "dreamy", "easy", "elegant", "fabulous", "fresh", "fun", "gorgeous", "handmade", "happy", "inspiring",
	"lovely", "lush", "magical", "minimal", "natural", "organized", "original", "perfect", "playful", "practical", "pretty",
	"quick", "relaxing", "romantic", "simple", "smart", "special", "stunning", "stylish", "super fun", "sweet", "thrifty",
	"timeless", "tiny", "unforgettable", "unique", "unusual", "wonderful",
}

var verbs = []string{
	"arrange", "bake", "build", "buy", "carve", "collect", "decorate", "design", "draw", "fold", "frame", "hang", "knit",
	"learn", "make", "mix", "organize", "paint", "plan", "print", "recycle", "restore", "save", "sew", "share", "sketch",
	"style", "try", "upgrade", "wrap",
}

var whoFor = []string{
	"beginners", "busy moms", "kids", "couples", "dads", "friends", "girls", "grandparents", "guests", "men", "neighbors",
	"new homeowners", "preschoolers", "students", "teachers", "teens", "toddlers", "travelers", "women", "your sister",
	"small spaces", "tight budgets", "rainy days", "large families",
}

var places = []string{
	"attic", "backyard", "balcony", "bathroom", "bedroom", "cabin", "classroom", "cottage", "dining room", "dorm", "entryway",
	"garage", "garden", "hallway", "kitchen", "living room", "loft", "nursery", "office", "patio", "porch", "shelf",
	"studio", "workshop",
}

var seasons = []string{
	"spring", "summer", "fall", "winter", "holiday", "weekend", "birthday", "wedding", "Easter", "Halloween",
	"Thanksgiving", "back-to-school",
}

var colours = []string{
	"amber", "aqua", "beige", "black", "blue", "bronze", "burgundy", "charcoal", "copper", "coral", "cream", "emerald",
	"gold", "gray", "green", "ivory", "lavender", "mint", "navy", "olive", "orange", "peach", "pink", "plum", "red", "rust",
	"sage", "silver", "teal", "turquoise", "white", "yellow",
}

var materials = []string{
	"bamboo", "beads", "burlap", "canvas", "cardboard", "ceramic", "clay", "concrete", "cork", "cotton", "denim", "felt",
	"foam", "glass", "glitter", "hemp", "lace", "leather", "linen", "macrame", "marble", "oak", "paper", "pine", "ribbon",
	"satin", "silk", "steel", "twine", "velvet", "wicker", "wool",
}

var emoji = []string{
	"😍", "🎄", "✨", "🌿", "❤️", "🎨", "🏡", "📚", "💄", "🚗", "✈️", "🖤", "🎃", "💡", "🧵", "👗", "🌸", "👨‍👩‍👧", "🔥", "☕",
}

var foreign = []string{
	"Ideas para el hogar", "décoration d’intérieur", "Уютный дом", "Ручная работа", "手作り", "インテリア", "家居灵感",
	"Weihnachtsgrüße", "Möbel für draußen", "citações de amor", "regalos fáciles", "çok güzel", "prosty pomysł na święta",
	"τέχνη", "فن", "아이디어", "Mujer de hoy", "très élégant", "Größe wählbar", "idées déco",
}
