package mounting

import (
	"log/syslog"
	"sync"
)

const syslogName = "dura-mount"

// systemLog tells the system's log, which is looked for when there is something to say, and again while it isn't there.
func systemLog() func(string) {
	var mu sync.Mutex
	var w *syslog.Writer
	return func(line string) {
		mu.Lock()
		defer mu.Unlock()
		if w == nil {
			opened, err := syslog.New(syslog.LOG_DAEMON|syslog.LOG_WARNING, syslogName)
			if err != nil {
				return // status.json has it
			}
			w = opened
		}
		_ = w.Warning(line) // it connects again by itself
	}
}
