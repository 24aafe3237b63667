package mounting

import (
	"os"
	"runtime/pprof"
)

// startProfile begins the CPU profile, if one was asked for.
func (s *settings) startProfile() (stop func(), err error) {
	if s.profileFile == "" {
		return func() {}, nil
	}
	f, err := os.Create(s.profileFile)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, err
	}
	return func() {
		pprof.StopCPUProfile()
		f.Close()
	}, nil
}
