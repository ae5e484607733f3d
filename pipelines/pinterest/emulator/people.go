package emulator

var firstNames = []string{
	"Aaron", "Abigail", "Adam", "Adrian", "Alan", "Albert", "Alexander", "Alexandria", "Alexis", "Alicia", "Allison", "Alyssa",
	"Amanda", "Amber", "Amy", "Andrea", "Andrew", "Angela", "Anita", "Ann", "Anthony", "April", "Ashley", "Austin", "Barbara",
	"Becky", "Benjamin", "Beth", "Bradley", "Brandon", "Brenda", "Brian", "Brittany", "Bruce", "Caleb", "Carla", "Carlos",
	"Caroline", "Cassandra", "Catherine", "Chad", "Charlene", "Christina", "Christopher", "Cindy", "Claire", "Corey",
	"Courtney", "Craig", "Crystal", "Curtis", "Cynthia", "Daniel", "David", "Deborah", "Denise", "Derek", "Diana", "Donald",
	"Dylan", "Eddie", "Elizabeth", "Emily", "Eric", "Erin", "Evan", "Frances", "Gabriel", "Gary", "George", "Grace", "Gregory",
	"Hannah", "Heather", "Holly", "Ian", "Isaac", "Jacob", "Jacqueline", "James", "Jasmine", "Jason", "Jennifer", "Jeremy",
	"Jessica", "Joel", "Jonathan", "Joshua", "Julia", "Justin", "Karen", "Kathryn", "Kayla", "Kevin", "Kimberly", "Kristen",
	"Laura", "Lauren", "Leah", "Linda", "Lisa", "Logan", "Madison", "Marcus", "Maria", "Mark", "Matthew", "Megan", "Melissa",
	"Michael", "Michelle", "Miguel", "Monica", "Natalie", "Nathan", "Nicole", "Olivia", "Pamela", "Patrick", "Rachel", "Rebecca",
	"Richard", "Robert", "Ryan", "Samantha", "Sarah", "Scott", "Sean", "Shannon", "Stephanie", "Steven", "Tara", "Thomas",
	"Tiffany", "Tyler", "Vanessa", "Victoria", "Wayne", "Wesley", "William", "Zachary",
}

var lastNames = []string{
	"Abbott", "Acevedo", "Adams", "Aguilar", "Alexander", "Ali", "Allen", "Alvarado", "Alvarez", "Anderson", "Andrews",
	"Armstrong", "Arnold", "Atkins", "Austin", "Bailey", "Baker", "Barnes", "Bell", "Bennett", "Bentley", "Berry", "Bishop",
	"Black", "Boyd", "Bradshaw", "Brooks", "Brown", "Bryant", "Burke", "Butler", "Campbell", "Carpenter", "Carter", "Castillo",
	"Cervantes", "Chan", "Chapman", "Chavez", "Clark", "Cole", "Collins", "Cook", "Cooper", "Cox", "Crawford", "Cruz",
	"Cunningham", "Davenport", "Davis", "Dawson", "Delgado", "Diaz", "Dixon", "Dunn", "Edwards", "Elliott", "Ellis", "Estrada",
	"Evans", "Ferguson", "Fields", "Fisher", "Fletcher", "Flores", "Ford", "Foster", "Fox", "Franklin", "Freeman", "Garcia",
	"Gibson", "Gomez", "Gonzalez", "Graham", "Grant", "Gray", "Green", "Griffin", "Hall", "Hamilton", "Hansen", "Harris",
	"Hawkins", "Hayes", "Henderson", "Hernandez", "Hicks", "Hill", "Holmes", "Howard", "Hudson", "Hughes", "Hunter", "Jackson",
	"James", "Jenkins", "Johnson", "Jones", "Jordan", "Kelley", "Kennedy", "Kim", "King", "Knight", "Lam", "Lane", "Lawson",
	"Lee", "Lewis", "Little", "Long", "Lopez", "Marshall", "Martin", "Mason", "McCoy", "McDonald", "Mendoza", "Meyer",
	"Miller", "Mitchell", "Moore", "Morgan", "Morris", "Murphy", "Myers", "Nelson", "Nguyen", "Nichols", "O'Brien", "Ortiz",
	"Owens", "Palmer", "Parker", "Patel", "Perez", "Perry", "Peterson", "Phillips", "Porter", "Powell", "Price", "Ramirez",
	"Reed", "Reyes", "Reynolds", "Rice", "Richardson", "Rivera", "Roberts", "Robinson", "Rodriguez", "Rogers", "Ross",
	"Russell", "Sanchez", "Sanders", "Schmidt", "Scott", "Shaw", "Simmons", "Simpson", "Smith", "Stevens", "Stewart",
	"Sullivan", "Taylor", "Thomas", "Thompson", "Torres", "Tran", "Turner", "Vargas", "Vasquez", "Walker", "Wallace", "Ward",
	"Warren", "Watson", "Weaver", "Webb", "Wells", "West", "White", "Williams", "Wilson", "Wong", "Wood", "Wright", "Young",
}
