package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/event"
	"dura/cmd/dura/config"
)

// setAlarms makes the alarm set of this run, of default rules, those of the configuration, those of --alarm, and last ones.
func (a *app) setAlarms(defaults []alarm.Rule, last ...alarm.Rule) error {
	rules, err := a.userRules()
	if err != nil {
		return err
	}
	o := alarm.Options{Defaults: defaults, Rules: append(rules, last...), Notify: a.tellAlarm, Now: a.host.now}
	if isTerminal(a.host.stdin) && isTerminal(a.host.stderr) && !a.onlyEvents {
		answers := bufio.NewReader(a.host.stdin)
		o.Asker = func(one alarm.Alarm) alarm.Action { return a.askAbout(one, answers) }
	}
	a.alarms, err = alarm.NewSet(o)
	return err
}

// userRules are the rules of the configuration, and behind them those of the command line.
func (a *app) userRules() (rules []alarm.Rule, err error) {
	settings, err := config.Load(a.host.getenv)
	if err != nil {
		return nil, &usageError{msg: err.Error()}
	}
	for i, text := range append(settings.Alarms, a.rules...) {
		rule, err := alarm.ParseRule(text)
		switch {
		case err != nil && i < len(settings.Alarms):
			return nil, usage(msgConfigRule, shown(config.Name(a.host.getenv)), err)
		case err != nil:
			return nil, &usageError{msg: err.Error()}
		}
		rules = append(rules, rule)
	}
	return rules, nil
}

// raise makes an alarm of damage that an iteration can go on behind. What it returns ends the run.
func (a *app) raise(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return err
	}
	return a.alarms.Raise(archive.AlarmOf(err))
}

// tellAlarm prints an alarm. An alarm that ends the run is told of with the error that does.
func (a *app) tellAlarm(one alarm.Alarm, action alarm.Action) {
	if a.json && a.out != nil && action != alarm.Suppress {
		a.out.noteAlarm(one)
	}
	a.log.alarm(one, action)
	if action != alarm.Suppress {
		a.events.send(event.Raised{Alarm: one, Action: action})
	}
	if a.quiet || action == alarm.Abort || action == alarm.Suppress && !a.verbose {
		return
	}
	line := alarmText(one)
	if action == alarm.Suppress {
		line = sprintf(msgSuppressed, line)
	}
	switch n := a.shown.count(one); {
	case a.verbose || n <= maxShownAlarms:
		a.console.say(msgPrefix + line)
	case n == maxShownAlarms+1:
		a.console.say(msgPrefix + sprintf(msgMoreAlarms, one.Area, one.Condition))
	}
}

// maxShownAlarms is how many alarms of one kind are shown one by one: a user who restores what was root's gets one for each file.
const maxShownAlarms = 100

// shownAlarms counts the alarms of each kind. The zero value is ready.
type shownAlarms struct {
	mu     sync.Mutex
	counts map[[2]string]int
}

func (s *shownAlarms) count(one alarm.Alarm) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.counts == nil {
		s.counts = map[[2]string]int{}
	}
	kind := [2]string{string(one.Area), string(one.Condition)}
	s.counts[kind]++
	return s.counts[kind]
}

// alarmText is an alarm on one line: source/denied: /etc/shadow: permission denied.
func alarmText(one alarm.Alarm) string {
	line := fmt.Sprintf("%s/%s: %s", one.Area, one.Condition, shown(rooted(one.Filename)))
	if reason := alarmReason(one); reason != "" {
		line += ": " + shown(reason)
	}
	return line
}

// alarmReason is what an alarm's kind and file name don't say.
func alarmReason(one alarm.Alarm) string {
	var e *archive.Error
	if one.Message != "" {
		if errors.As(one.Err, &e) && e.Object == one.Message { // which of them is at fault; how comes behind
			return one.Message + ": " + bareReason(one.Err)
		}
		return one.Message
	}
	if one.Err == nil {
		return ""
	}
	reason := bareReason(one.Err)
	if errors.As(one.Err, &e) && e.Path != "" && string(e.Path) != one.Filename {
		reason += sprintf(msgFor, e.Path)
	}
	return reason
}

// askAbout asks at the terminal what to do about an alarm. No answer ends the run.
func (a *app) askAbout(one alarm.Alarm, answers *bufio.Reader) (action alarm.Action) {
	a.console.converse(func(w io.Writer) {
		for {
			fmt.Fprintf(w, msgAsk, alarmText(one))
			answer, err := answers.ReadString('\n')
			switch strings.ToLower(strings.TrimSpace(answer)) {
			case "c", "continue":
				action = alarm.Continue
				return
			case "s", "suppress":
				action = alarm.Suppress
				return
			case "a", "abort":
				action = alarm.Abort
				return
			}
			if err != nil {
				fmt.Fprintln(w)
				action = alarm.Abort
				return
			}
		}
	})
	return action
}

// countAlarms tells with -q how many alarms there were, which is all that is told of them then.
func (a *app) countAlarms() {
	if !a.quiet || a.alarms == nil || a.alarms.Raised() == 0 {
		return
	}
	a.console.say(msgPrefix + a.alarmSummary())
}

// alarmSummary is how many alarms there were, and of which kinds.
func (a *app) alarmSummary() string {
	var kinds []string
	for _, c := range a.alarms.Counts() {
		if c.Raised > 0 {
			kinds = append(kinds, fmt.Sprintf("%s/%s %s", c.Area, c.Condition, countText(c.Raised)))
		}
	}
	return countOf(a.alarms.Raised(), "alarm", "alarms") + ": " + strings.Join(kinds, ", ")
}
