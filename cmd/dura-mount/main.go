// Command dura-mount shows the bands of an archive as directories, read-only. It is where flags, standard streams, signals, the
// environment, the clock and text for people are; what is shown and served is package fs's.
package main

import "os"

func main() {
	tune(os.Getenv)
	os.Exit(run(realHost(), os.Args[1:]))
}
