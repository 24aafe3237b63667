// Command dura backs up local trees into an archive, shows what is in it, gives it back and checks it. It is where flags,
// standard streams, signals, the environment, the clock, randomness and text for people are; all else is in the packages
// below, archive and writer above all.
package main

import (
	"io"
	"log"
	"os"
)

func main() {
	log.SetOutput(io.Discard) // what libraries say there, their errors tell as well
	tune(os.Getenv)
	ctx, h := realHost()
	os.Exit(run(ctx, h, os.Args[1:]))
}
