package mounting

import (
	"fmt"
	"net"
	"os"
	"strings"
)

// notifySystemd tells systemd of a change, if it started this and asked for it.
func notifySystemd(h Host, state string) {
	name := h.Getenv("NOTIFY_SOCKET")
	if name == "" {
		return
	}
	if strings.HasPrefix(name, "@") {
		name = "\x00" + name[1:]
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		return
	}
	defer c.Close()
	fmt.Fprintf(c, "%s\nMAINPID=%d\n", state, os.Getpid())
}
