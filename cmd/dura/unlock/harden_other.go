//go:build !linux

package unlock

func hardenMore() {}
