package source

import "bytes"

// merge gives the names of several sorted runs in order.
type merge struct {
	cursors []*cursor // a heap by the current name
}

// cursor goes through one sorted run, which is in memory, or comes there piece by piece.
type cursor struct {
	list       *names
	at         int
	spill      *spill // nil: list is all
	left       run
	chunkBytes int64
}

func (c *cursor) name() []byte { return c.list.at(c.at) }

// settle reads on where the names in memory are used up, and reports whether there is a current name.
func (c *cursor) settle() (bool, error) {
	if c.at < len(c.list.refs) {
		return true, nil
	}
	if c.left.offset == c.left.end {
		return false, nil
	}
	c.at = 0
	c.list.truncate(0, 0)
	return true, c.spill.read(c.list, &c.left, c.chunkBytes)
}

// newMerge merges rest, which is sorted, with the runs that s holds. It reads about bufferBytes of them at a time.
func newMerge(rest *names, s *spill, runs []run, bufferBytes int64) (*merge, error) {
	m := &merge{}
	cursors := []*cursor{{list: rest}}
	for _, r := range runs {
		cursors = append(cursors, &cursor{
			list: &names{}, spill: s, left: r, chunkBytes: bufferBytes / int64(len(runs)),
		})
	}
	for _, c := range cursors {
		some, err := c.settle()
		if err != nil {
			return nil, err
		}
		if some {
			m.cursors = append(m.cursors, c)
		}
	}
	for i := len(m.cursors)/2 - 1; i >= 0; i-- {
		m.down(i)
	}
	return m, nil
}

// next appends the next name to buf; there is none where more is false.
func (m *merge) next(buf []byte) (name []byte, typ uint8, more bool, err error) {
	if len(m.cursors) == 0 {
		return buf, 0, false, nil
	}
	c := m.cursors[0]
	buf, typ = append(buf, c.name()...), c.list.refs[c.at].typ
	c.at++
	some, err := c.settle()
	if err != nil {
		return buf, 0, false, err
	}
	if !some {
		last := len(m.cursors) - 1
		m.cursors[0] = m.cursors[last]
		m.cursors = m.cursors[:last]
	}
	m.down(0)
	return buf, typ, true, nil
}

// down moves the cursor at i to where it belongs among those below it.
func (m *merge) down(i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(m.cursors); child++ {
			if bytes.Compare(m.cursors[child].name(), m.cursors[least].name()) < 0 {
				least = child
			}
		}
		if least == i {
			return
		}
		m.cursors[i], m.cursors[least] = m.cursors[least], m.cursors[i]
		i = least
	}
}
