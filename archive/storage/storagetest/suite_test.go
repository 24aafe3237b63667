package storagetest

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dura/archive/storage"
	"dura/archive/storage/memory"
)

// probe takes what a check has to say.
type probe struct {
	testing.TB
	mu       sync.Mutex
	failures []string
}

func (p *probe) Helper() {}

func (p *probe) Errorf(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failures = append(p.failures, fmt.Sprintf(format, args...))
}

func (p *probe) Error(args ...any) { p.Errorf("%s", fmt.Sprint(args...)) }

func (p *probe) Fatalf(format string, args ...any) {
	p.Errorf(format, args...)
	runtime.Goexit()
}

func (p *probe) Fatal(args ...any) { p.Fatalf("%s", fmt.Sprint(args...)) }

// failing returns the names of the checks that a storage fails.
func failing(open func() storage.Storage) []string {
	var names []string
	for _, c := range checks() {
		p := new(probe)
		var wg sync.WaitGroup
		wg.Go(func() { c.run(p, open()) })
		wg.Wait()
		if len(p.failures) > 0 {
			names = append(names, c.name)
		}
	}
	return names
}

// TestTheSuiteFindsEveryBrokenPromise breaks one promise at a time.
func TestTheSuiteFindsEveryBrokenPromise(t *testing.T) {
	for _, c := range []struct {
		promise string
		broken  func(*broken)
		finds   string // the check that must fail, perhaps beside others
	}{
		{"create joins", func(b *broken) { b.create = firstPartOnly }, "create stores the concatenation of its parts"},
		{"create is exclusive", func(b *broken) { b.create = overwrite }, "a second create fails and leaves the first"},
		{"create is exclusive when others create", func(b *broken) { b.create = checkThenCreate }, "of concurrent creates of one name one wins"},
		{"create is atomic", func(b *broken) { b.create = b.grow }, "an object is never seen in part"},
		{"create leaves its parts alone", func(b *broken) { b.create = spoilParts }, "create keeps none of its parts"},
		{"create takes valid names", func(b *broken) { b.create = dropInvalid }, "names that no object can have are invalid"},
		{"create heeds its context", func(b *broken) { b.create = withoutCancel }, "nothing is done once the context is done"},
		{"read is exact", func(b *broken) { b.read = oneByteLess }, "read returns the range asked for"},
		{"read past the end is no error", func(b *broken) { b.read = errorPastEnd }, "read returns the range asked for"},
		{"read allocates little", func(b *broken) { b.read = allocateMax }, "read allocates what it returns"},
		{"list selects by prefix", func(b *broken) { b.list = wholeFolders }, "list yields what the prefix begins"},
		{"list knows shallow", func(b *broken) { b.list = alwaysDeep }, "list yields what the prefix begins"},
		{"list is in order", func(b *broken) { b.list = inOrderOfWalk }, "list yields names in byte order"},
		{"list yields all", func(b *broken) { b.list = firstPage }, "list yields many objects"},
		{"list yields sizes", func(b *broken) { b.list = withoutSizes }, "list yields sizes"},
		{"stat finds objects only", func(b *broken) { b.stat = findFolders }, "a folder is no object"},
		{"delete of nothing is not found", func(b *broken) { b.delete = deleteNothing }, "delete removes one object"},
		{"delete removes one", func(b *broken) { b.delete = deletePrefix }, "delete removes one object"},
	} {
		t.Run(c.promise, func(t *testing.T) {
			got := failing(func() storage.Storage {
				b := &broken{Storage: memory.New()}
				c.broken(b)
				return b
			})
			if !strings.Contains(strings.Join(got, "\n"), c.finds) {
				t.Errorf("of the checks, %q failed, and not %q", got, c.finds)
			}
		})
	}
}

func TestTheSuiteHasNothingToSayOfAGoodStorage(t *testing.T) {
	if got := failing(func() storage.Storage { return &broken{Storage: memory.New()} }); len(got) != 0 {
		t.Errorf("failed: %q", got)
	}
}

// broken does what its functions do, where they are set, and otherwise what the storage inside does.
type broken struct {
	storage.Storage
	create func(inner storage.Storage, ctx context.Context, name string, parts [][]byte) error
	read   func(inner storage.Storage, ctx context.Context, name string, offset int64, maxBytes int) ([]byte, error)
	list   func(inner storage.Storage, ctx context.Context, prefix string, depth storage.Depth) iter.Seq2[storage.Info, error]
	stat   func(inner storage.Storage, ctx context.Context, name string) (storage.Info, error)
	delete func(inner storage.Storage, ctx context.Context, name string) error
	looks  atomic.Int64 // how often somebody has looked at an object
}

func (b *broken) Create(ctx context.Context, name string, parts ...[]byte) error {
	if b.create != nil {
		return b.create(b.Storage, ctx, name, parts)
	}
	return b.Storage.Create(ctx, name, parts...)
}

func (b *broken) Read(ctx context.Context, name string, offset int64, maxBytes int) ([]byte, error) {
	defer b.looks.Add(1)
	if b.read != nil {
		return b.read(b.Storage, ctx, name, offset, maxBytes)
	}
	return b.Storage.Read(ctx, name, offset, maxBytes)
}

func (b *broken) List(ctx context.Context, prefix string, depth storage.Depth) iter.Seq2[storage.Info, error] {
	if b.list != nil {
		return b.list(b.Storage, ctx, prefix, depth)
	}
	return b.Storage.List(ctx, prefix, depth)
}

func (b *broken) Stat(ctx context.Context, name string) (storage.Info, error) {
	defer b.looks.Add(1)
	if b.stat != nil {
		return b.stat(b.Storage, ctx, name)
	}
	return b.Storage.Stat(ctx, name)
}

func (b *broken) Delete(ctx context.Context, name string) error {
	if b.delete != nil {
		return b.delete(b.Storage, ctx, name)
	}
	return b.Storage.Delete(ctx, name)
}

func firstPartOnly(s storage.Storage, ctx context.Context, name string, parts [][]byte) error {
	return s.Create(ctx, name, parts[:min(len(parts), 1)]...)
}

func overwrite(s storage.Storage, ctx context.Context, name string, parts [][]byte) error {
	_ = s.Delete(ctx, name)
	return s.Create(ctx, name, parts...)
}

func checkThenCreate(s storage.Storage, ctx context.Context, name string, parts [][]byte) error {
	if _, err := s.Stat(ctx, name); err == nil {
		return &storage.Error{Op: storage.OpCreate, Object: name, Kind: storage.KindExists}
	}
	runtime.Gosched()
	err := s.Create(ctx, name, parts...)
	if storage.Is(err, storage.KindExists) {
		return nil
	}
	return err
}

// grow stores the first part under the name before it stores them all.
// grow lets others look at an object of which a part is there, until somebody has.
func (b *broken) grow(s storage.Storage, ctx context.Context, name string, parts [][]byte) error {
	if len(parts) < 2 {
		return s.Create(ctx, name, parts...)
	}
	if err := s.Create(ctx, name, parts[0]); err != nil {
		return err
	}
	seen := b.looks.Load() + 4 // of two who may have begun before, and two who have not
	for began := time.Now(); b.looks.Load() < seen && time.Since(began) < 20*time.Millisecond; {
		runtime.Gosched()
	}
	_ = s.Delete(ctx, name)
	return s.Create(ctx, name, parts...)
}

func spoilParts(s storage.Storage, ctx context.Context, name string, parts [][]byte) error {
	err := s.Create(ctx, name, parts...)
	for _, part := range parts {
		copy(part, "spoilt")
	}
	return err
}

func dropInvalid(s storage.Storage, ctx context.Context, name string, parts [][]byte) error {
	if !storage.ValidName(name) {
		return nil
	}
	return s.Create(ctx, name, parts...)
}

func withoutCancel(s storage.Storage, ctx context.Context, name string, parts [][]byte) error {
	return s.Create(context.WithoutCancel(ctx), name, parts...)
}

func oneByteLess(s storage.Storage, ctx context.Context, name string, offset int64, maxBytes int) ([]byte, error) {
	return s.Read(ctx, name, offset, min(maxBytes, max(maxBytes-1, 1)))
}

func errorPastEnd(s storage.Storage, ctx context.Context, name string, offset int64, maxBytes int) ([]byte, error) {
	if info, err := s.Stat(ctx, name); err == nil && offset > info.SizeBytes {
		return nil, &storage.Error{Op: storage.OpRead, Object: name, Kind: storage.KindInvalid}
	}
	return s.Read(ctx, name, offset, maxBytes)
}

func allocateMax(s storage.Storage, ctx context.Context, name string, offset int64, maxBytes int) ([]byte, error) {
	got, err := s.Read(ctx, name, offset, maxBytes)
	if maxBytes < 1<<30 {
		return got, err
	}
	buf := make([]byte, 64<<20)
	return buf[:copy(buf, got)], err
}

func filtered(inner iter.Seq2[storage.Info, error], keep func(i int, info *storage.Info) bool) iter.Seq2[storage.Info, error] {
	return func(yield func(storage.Info, error) bool) {
		i := 0
		for info, err := range inner {
			if err == nil && !keep(i, &info) {
				continue
			}
			if i++; !yield(info, err) {
				return
			}
		}
	}
}

// wholeFolders takes the last component of a prefix for a whole one.
func wholeFolders(s storage.Storage, ctx context.Context, prefix string, depth storage.Depth) iter.Seq2[storage.Info, error] {
	return filtered(s.List(ctx, prefix, depth), func(_ int, info *storage.Info) bool {
		rest := strings.TrimPrefix(info.Name, prefix)
		return rest == "" || rest[0] == '/' || strings.HasSuffix(prefix, "/") || prefix == ""
	})
}

func alwaysDeep(s storage.Storage, ctx context.Context, prefix string, _ storage.Depth) iter.Seq2[storage.Info, error] {
	return s.List(ctx, prefix, storage.Deep)
}

// inOrderOfWalk puts what a folder "a" holds ahead of a file "a.b".
func inOrderOfWalk(s storage.Storage, ctx context.Context, prefix string, depth storage.Depth) iter.Seq2[storage.Info, error] {
	return func(yield func(storage.Info, error) bool) {
		var late []storage.Info
		for info, err := range s.List(ctx, prefix, depth) {
			if bytes.ContainsAny([]byte(info.Name), "-.") {
				late = append(late, info)
			} else if !yield(info, err) {
				return
			}
		}
		for _, info := range late {
			if !yield(info, nil) {
				return
			}
		}
	}
}

func firstPage(s storage.Storage, ctx context.Context, prefix string, depth storage.Depth) iter.Seq2[storage.Info, error] {
	return filtered(s.List(ctx, prefix, depth), func(i int, _ *storage.Info) bool { return i < 300 })
}

func withoutSizes(s storage.Storage, ctx context.Context, prefix string, depth storage.Depth) iter.Seq2[storage.Info, error] {
	return filtered(s.List(ctx, prefix, depth), func(_ int, info *storage.Info) bool { info.SizeBytes = 0; return true })
}

func findFolders(s storage.Storage, ctx context.Context, name string) (storage.Info, error) {
	for range s.List(ctx, name+"/", storage.Deep) {
		return storage.Info{Name: name}, nil
	}
	return s.Stat(ctx, name)
}

func deleteNothing(s storage.Storage, ctx context.Context, name string) error {
	err := s.Delete(ctx, name)
	if storage.Is(err, storage.KindNotFound) {
		return nil
	}
	return err
}

func deletePrefix(s storage.Storage, ctx context.Context, name string) error {
	err := s.Delete(ctx, name)
	for info := range s.List(ctx, name, storage.Deep) {
		_ = s.Delete(ctx, info.Name)
	}
	return err
}
