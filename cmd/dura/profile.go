package main

import (
	"os"
	"runtime"
	"runtime/pprof"
)

// profiled calls f, and writes the profiles that were asked for. The flags are parsed by f, so that the CPU profile is begun
// by startProfile.
func (a *app) profiled(f func() error) error {
	err := f()
	if a.stopProfile != nil {
		a.stopProfile()
	}
	if a.memory == "" {
		return err
	}
	file, createErr := os.Create(a.memory)
	if createErr != nil {
		return createErr
	}
	defer file.Close()
	runtime.GC()
	if writeErr := pprof.WriteHeapProfile(file); err == nil {
		err = writeErr
	}
	return err
}

// startProfile begins the CPU profile, if one was asked for.
func (a *app) startProfile() error {
	if a.cpu == "" {
		return nil
	}
	file, err := os.Create(a.cpu)
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return err
	}
	a.stopProfile = func() {
		pprof.StopCPUProfile()
		file.Close()
	}
	return nil
}
