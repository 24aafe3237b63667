package bounded

import "sync/atomic"

// Counts are what was asked for since the storage was made. JSON has them in status.json of a mount.
type Counts struct {
	Reads     int64 `json:"reads"`
	ReadBytes int64 `json:"read_bytes"`
	Lists     int64 `json:"lists"`
	Stats     int64 `json:"stats"`
	Creates   int64 `json:"creates"`
	Deletes   int64 `json:"deletes"`
	Failed    int64 `json:"failed"` // after all attempts, those for what isn't there among them
	Retries   int64 `json:"retries"`
	TimedOut  int64 `json:"timed_out"`
	Stuck     int64 `json:"stuck"` // let go, and not returned yet
}

type counter struct {
	reads, readBytes, lists, stats, creates, deletes, failures, retries, timedOut atomic.Int64
}

// failed counts err, if it is one.
func (c *counter) failed(err error) error {
	if err != nil {
		c.failures.Add(1)
	}
	return err
}

// Counts says what was asked for so far.
func (s *Storage) Counts() Counts {
	c := &s.counter
	return Counts{
		Reads: c.reads.Load(), ReadBytes: c.readBytes.Load(), Lists: c.lists.Load(), Stats: c.stats.Load(), Creates: c.creates.Load(),
		Deletes: c.deletes.Load(), Failed: c.failures.Load(), Retries: c.retries.Load(), TimedOut: c.timedOut.Load(), Stuck: s.stuck.Load(),
	}
}
