package restore

// pending are subdirectories that were made and not yet finished, by their ordinals, ascending. Those that follow one
// another take up no more memory than one: a directory of a million directories costs a few bytes. What they are is read
// from the band again when their turn comes, most often from the hunk that was read last.
type pending struct{ runs []ordinals }

// ordinals are count entries of a band in a row.
type ordinals struct {
	first, count int64
	made         bool // by this run; otherwise they were there
}

func (p *pending) add(ordinal int64, made bool) {
	if n := len(p.runs); n > 0 {
		last := &p.runs[n-1]
		if last.made == made && last.first+last.count == ordinal {
			last.count++
			return
		}
	}
	p.runs = append(p.runs, ordinals{ordinal, 1, made})
}

// first is the one to be finished next.
func (p *pending) first() (ordinal int64, made, ok bool) {
	if len(p.runs) == 0 {
		return 0, false, false
	}
	return p.runs[0].first, p.runs[0].made, true
}

// drop takes the first one away.
func (p *pending) drop() {
	run := &p.runs[0]
	run.first, run.count = run.first+1, run.count-1
	if run.count == 0 {
		p.runs = p.runs[1:]
	}
}
