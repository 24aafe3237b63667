package memory_test

import (
	"testing"

	"dura/archive/storage"
	"dura/archive/storage/memory"
	"dura/archive/storage/storagetest"
)

func TestMemoryKeepsThePromisesOfStorage(t *testing.T) {
	storagetest.Run(t, func(*testing.T) storage.Storage { return memory.New() })
}
