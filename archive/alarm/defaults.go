package alarm

// The defaults balance safety against completion. An alarm is about one thing; where leaving out that one thing is all that
// going on costs, the run goes on, and its exit status and the alarms it leaves behind say that it was not perfect. The
// run ends where going on could harm what is stored already, or store something that can't be trusted later.
// Rules given by the user come behind these and win: `*/*=continue` tries hard to go on whatever happens.

// ReadingRules are for operations that only read an archive: list, mount, restore, verify. Nothing they do can harm it, and
// of a damaged archive the most is to be had, so every alarm continues, but for those that say that another archive may have been put
// in the place of the one that this machine knows: what that gives is anybody's.
func ReadingRules() []Rule {
	return []Rule{
		{Action: Continue},
		{Area: Archive, Condition: Mismatch, Filename: "keys/archive.pub.asc", Action: Abort},
		{Area: Archive, Condition: Mismatch, Filename: "DURA-ARCHIVE", Action: Abort},
	}
}

// DefaultRules are for operations that add to an archive, and wherever nothing else is said. They end the run on
//
//   - archive/*: the archive as a whole is not what it should be. Its head is missing (a disk that isn't mounted), damaged
//     or of a newer format, so its settings, encryption among them, aren't known; or its key is not the one that this
//     machine remembers, and what is sealed for a stranger's key is lost and disclosed; or the storage fails.
//   - block/exists: a name that only this run makes up is taken, again and again: the storage doesn't keep creation exclusive.
//
// All else continues. Where another writer works in the same band, which is band/exists, the run begins a band of its own. A source file that is missing, denied, unreadable or changing is left out or stored as it was read.
// A band or block that can't be read costs this run the sharing with it: the files are stored again from the source.
func DefaultRules() []Rule {
	return []Rule{
		{Action: Continue},
		{Area: Archive, Action: Abort},
		{Area: Block, Condition: Exists, Action: Abort},
	}
}

// DeletingRules are for operations that delete by what the archive says: gc, prune, delete, and restore with --delete, which
// removes local files. They end the run on everything off in the archive as well: what an index that can't be read
// refers to would look as if nothing referred to it, and in a damaged archive the object to be deleted may be the last
// good copy. Repair first.
func DeletingRules() []Rule {
	return append(DefaultRules(),
		Rule{Area: Band, Action: Abort},
		Rule{Area: Block, Action: Abort},
	)
}
