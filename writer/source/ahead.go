package source

import "context"

// step is what a walk yields.
type step struct {
	node Node
	err  error
}

// A batch is sent when it is full, or has some nodes and nobody has anything else to take.
const (
	maxAheadBatch = 64
	minAheadBatch = 8
)

// readAhead runs serial in a goroutine of its own, which is up to maxNodes ahead of yield.
func readAhead(
	ctx context.Context, maxNodes int, serial func(context.Context, func(Node, error) bool), yield func(Node, error) bool,
) {
	batchNodes := max(1, min(maxAheadBatch, maxNodes/4))
	// Beyond those that wait, one batch is being filled and one is being taken.
	batches := make(chan []step, max(1, maxNodes/batchNodes-2))
	taken := make(chan []step, cap(batches)) // to be used again
	enough := make(chan struct{})
	go func() {
		defer close(batches)
		a := &aheadBatches{nodes: batchNodes, batches: batches, taken: taken, enough: enough}
		serial(ctx, a.add)
		a.send()
	}()
	defer func() {
		close(enough)
		for batch := range batches {
			closeSteps(batch)
		}
	}()
	for batch := range batches {
		for i, s := range batch {
			if !yield(s.node, s.err) {
				closeSteps(batch[i+1:])
				return
			}
		}
		select {
		case taken <- batch:
		default:
		}
	}
}

// aheadBatches gathers what a walk yields into batches.
type aheadBatches struct {
	nodes   int // in a full batch
	batch   []step
	batches chan<- []step
	taken   <-chan []step
	enough  <-chan struct{}
}

func (a *aheadBatches) add(n Node, err error) bool {
	a.batch = append(a.batch, step{n, err})
	if len(a.batch) < a.nodes && (len(a.batch) < minAheadBatch || len(a.batches) > 0) {
		return true
	}
	return a.send()
}

// send reports whether more is wanted.
func (a *aheadBatches) send() bool {
	batch := a.batch
	a.batch = nil
	select {
	case a.batches <- batch:
	case <-a.enough:
		closeSteps(batch)
		return false
	}
	select {
	case used := <-a.taken:
		clear(used)
		a.batch = used[:0]
	default:
		a.batch = make([]step, 0, a.nodes)
	}
	return true
}

func closeSteps(steps []step) {
	for _, s := range steps {
		if s.node.Handle != nil {
			s.node.Handle.Close()
		}
	}
}
