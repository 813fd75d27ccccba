// Package top is larder top: what the fleet does, as a table of text that is painted
// again and again.
//
// [Summarize] makes figures of a telemetry.Fleet, [Summary.WriteText] prints them; both
// are pure. [Screen] owns the terminal.
package top
