package main

import (
	"context"

	"github.com/spf13/cobra"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/format"
)

type alarmsDocument struct {
	Archive     string      `json:"archive" about:"where it is, as given"`
	Band        string      `json:"band" about:"id of the band"`
	Complete    bool        `json:"complete" about:"whether it is; alarms are kept once a band is complete"`
	BandAlarms  []jsonAlarm `json:"band_alarms" about:"what was raised while it was made"`
	BandNotKept int64       `json:"band_alarms_not_kept" about:"how many more were raised"`
	jsonAlarms
	errorDocument
}

const helpAlarms = `List the alarms that were raised while a band was made: what could not be read, or was not as it should be.

An alarm is AREA/CONDITION: FILENAME, and what it does to a run rules decide, the last one that matches: first the defaults below,
then those of the configuration, then those of --alarm. A rule is

  AREA/CONDITION[:GLOB][:~"MESSAGE"]=ACTION[ until DATE]

  AREA       source, archive, band, block, restore, machine, or * for any
  CONDITION  missing, ioerror, denied, corrupt, mismatch, exists, unsupported, or *
  GLOB       of file names: ** for any number of directories; without a slash, of the last part of the name
  MESSAGE    a glob of what is said behind the name
  ACTION     continue: tell of it, and go on; the exit status will be 3
             abort: end the run
             ask: ask at the terminal; where there is none, continue
             suppress: go on as if nothing were (-v tells of it)
  DATE       2027-01-31, the last day, in UTC, on which the rule counts

  dura backup /backup / --alarm 'source/denied:/proc/**=suppress' --alarm 'source/ioerror=abort'

In ~/.config/dura/config.toml, or $XDG_CONFIG_HOME/dura/config.toml, for every run of dura and dura-mount:

  alarms = [
    "source/denied:/home/*/.gvfs=suppress",
    "source/ioerror:/mnt/old/**=suppress until 2027-01-31",
  ]

Defaults:

  bands, alarms, ls, cat, restore, verify, mount   */*=continue
                           they only read, and of a damaged archive the most is to be had
  init, backup             */*=continue   a file that can't be read costs itself, a damaged band the sharing with it
                           archive/*=abort   the archive as a whole is not what it should be, or its storage fails
                           block/exists=abort   the storage does not keep what is there from being written over
  restore --delete         as backup, and band/*=abort, block/*=abort: what a damaged band does not show must not be removed
  restore --salvage        */*=continue behind all others, those of the configuration and of --alarm too`

func alarmsCommand(a *app) *cobra.Command {
	c := a.command("alarms ARCHIVE", "List the alarms of a backup, and tell of rules for alarms", helpAlarms,
		func(ctx context.Context, args []string) error { return a.bandAlarms(ctx, args[0]) })
	a.bandFlag(c, "list those of this band")
	c.SuggestFor = []string{"errors", "warnings"}
	return c
}

func (a *app) bandAlarms(ctx context.Context, place string) error {
	if err := a.setAlarms(alarm.ReadingRules()); err != nil {
		return err
	}
	_, band, closeArchive, err := a.openBand(ctx, place)
	if err != nil {
		return err
	}
	defer closeArchive()
	stored, dropped, err := band.Alarms(ctx)
	if a.json {
		d := alarmsDocument{
			Archive: place, Band: string(band.ID()), Complete: band.Complete(), BandAlarms: []jsonAlarm{}, BandNotKept: dropped,
			jsonAlarms: a.jsonAlarms(), errorDocument: errorDocument{a.errorOf(err)},
		}
		for _, s := range stored {
			d.BandAlarms = append(d.BandAlarms, jsonAlarmOf(alarmOf(s)))
		}
		return a.printDocument(err, d)
	}
	if err != nil {
		return err
	}
	return a.printAlarms(band, stored, dropped)
}

func (a *app) printAlarms(band *archive.Band, stored []format.StoredAlarm, dropped int64) error {
	for _, s := range stored {
		if _, err := a.stdout.Write([]byte(alarmText(alarmOf(s)) + "\n")); err != nil {
			return err
		}
	}
	switch {
	case a.quiet:
	case !band.Complete():
		a.console.say(msgPrefix + sprintf(msgAlarmsLater, band.ID()))
	case dropped > 0:
		a.console.say(msgPrefix + sprintf(msgAlarmsLeft, countText(dropped)))
	case len(stored) == 0:
		a.console.say(msgPrefix + sprintf(msgNoAlarms, band.ID()))
	}
	return nil
}

// alarmOf is an alarm that a band keeps.
func alarmOf(s format.StoredAlarm) alarm.Alarm {
	return alarm.Alarm{Area: alarm.Area(s.Area), Condition: alarm.Condition(s.Condition), Filename: s.Filename, Message: s.Message}
}
