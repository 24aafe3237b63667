package file

import (
	"context"

	"dura/archive/storage"
)

// Settle implements storage.Settler. The bytes of an object are on the disk before it has its name, so its folder is what is left to
// flush.
func (s *Storage) Settle(ctx context.Context, prefix string) error {
	era := s.folders.era()
	var folders []string
	for info, err := range s.List(ctx, prefix, storage.Deep) {
		if err != nil {
			return err
		}
		if folder, _ := split(info.Name); len(folders) == 0 || folders[len(folders)-1] != folder {
			folders = append(folders, folder)
		}
	}
	for _, folder := range folders {
		if err := s.settle(ctx, folder, era); err != nil {
			return failure(storage.OpSettle, prefix, err)
		}
	}
	return nil
}

var _ storage.Settler = (*Storage)(nil)
