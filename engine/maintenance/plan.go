package maintenance

import (
	"slices"

	"github.com/millrace-io/millrace/engine/delta"
)

// A group is files of one partition that are to be one file, or a few if they hold more than the target.
type group []*delta.Add

func (g group) size() (n int64) {
	for _, a := range g {
		n += a.Size
	}
	return n
}

// small says whether a file is worth putting together with others: one of three quarters of the target is
// large enough, since what it is packed with would seldom fit.
func small(a *delta.Add, target int64) bool { return a.Size < target/4*3 }

// pack groups all small files of each partition, in the order in which they were added, up to the target: for
// a table that is to be made of as few files as possible now.
func pack(files []*delta.Add, by []string, target int64) []group {
	var groups []group
	for _, partition := range partitions(files, by, target) {
		var g group
		for _, a := range partition {
			if len(g) > 0 && g.size()+a.Size > target {
				groups = append(groups, g)
				g = nil
			}
			g = append(g, a)
		}
		groups = append(groups, g)
	}
	return slices.DeleteFunc(groups, func(g group) bool { return len(g) < 2 })
}

// tolerated is how many small files a partition may have before tier puts some together.
const tolerated = 8

// tier groups small files of the partitions that have more than tolerated, for a table that grows: the
// smallest first, and a larger one with them only where they hold as much as half of it together. So a byte
// is written again only when the file it is in has grown by half or more, a few times until the file is full,
// however often this runs.
func tier(files []*delta.Add, by []string, target int64) []group {
	var groups []group
	for _, partition := range partitions(files, by, target) {
		if len(partition) <= tolerated {
			continue
		}
		added := slices.Clone(partition)
		slices.SortStableFunc(partition, func(a, b *delta.Add) int { return int(min(max(a.Size-b.Size, -1), 1)) })
		must := len(partition) - tolerated + 1 // so many at least, whatever their sizes
		var g group
		for i, a := range partition {
			if i >= must && a.Size > 2*g.size() || len(g) > 1 && g.size()+a.Size > target {
				break
			}
			g = append(g, a)
		}
		// Rows stay in the order in which they came, as far as the group has them.
		groups = append(groups, slices.DeleteFunc(added, func(a *delta.Add) bool { return !slices.Contains(g, a) }))
	}
	return groups
}

// partitions is the small files by partition, each in the order given.
func partitions(files []*delta.Add, by []string, target int64) [][]*delta.Add {
	at := map[string]int{}
	var all [][]*delta.Add
	for _, a := range files {
		if !small(a, target) {
			continue
		}
		key := partitionOf(by, a.PartitionValues)
		i, ok := at[key]
		if !ok {
			i = len(all)
			at[key] = i
			all = append(all, nil)
		}
		all[i] = append(all[i], a)
	}
	return all
}
