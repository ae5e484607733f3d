package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/millrace-io/millrace/bench/recovery"
	"github.com/millrace-io/millrace/engine"
)

// A recoveryProcess is the pipeline of bench recovery in another process.
type recoveryProcess struct {
	definition, lake string
	args             []string

	cmd    *exec.Cmd
	events <-chan recovery.Event
	rest   *bytes.Buffer // of its log; read when the process is gone
}

// run runs the pipeline to its end.
func (p *recoveryProcess) run(ctx context.Context, more ...string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, self, append(p.args[:len(p.args):len(p.args)], more...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("the engine's process: %w\n%s", err, out)
	}
	return nil
}

// start starts the pipeline.
func (p *recoveryProcess) start(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	p.cmd, p.rest = exec.CommandContext(ctx, self, p.args...), &bytes.Buffer{}
	log, err := p.cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := p.cmd.Start(); err != nil {
		return err
	}
	p.events = recovery.Events(log, p.rest)
	return nil
}

// restart kills the process, starts the next, and says how long that took.
func (p *recoveryProcess) restart(ctx context.Context) (recoveryRun, error) {
	killed := time.Now()
	if err := p.kill(); err != nil {
		return recoveryRun{}, err
	}
	dead := since(killed, time.Now())
	checkpoints, err := p.checkpoints()
	if err != nil {
		return recoveryRun{}, err
	}
	c, err := checkpoints.Newest(ctx)
	if err != nil {
		return recoveryRun{}, err
	}
	if err := p.start(ctx); err != nil {
		return recoveryRun{}, err
	}
	r, err := p.untilCommit(killed, c.Epoch)
	r.Dead = dead
	return r, err
}

// untilCommit waits for the first commit with rows of an epoch after last.
func (p *recoveryProcess) untilCommit(killed time.Time, last engine.Epoch) (r recoveryRun, err error) {
	address := ""
	for e := range p.events {
		switch at := since(killed, e.Time); e.Message {
		case recovery.Listening:
			address = e.HTTP
		case recovery.Opened:
			r.Opened = at
		case recovery.Loaded:
			r.Loaded = at
		case recovery.Committed:
			if e.Epoch <= last || e.Tables == 0 {
				continue
			}
			r.Commit = at
			first, err := firstRecord(address)
			r.First = since(killed, first)
			if err == nil {
				r.MaxRSSMB, r.CPUS, err = used(p.cmd.Process.Pid)
			}
			return r, err
		}
	}
	return r, fmt.Errorf("the engine's process: %w\n%s", p.cmd.Wait(), p.rest.Bytes())
}

func since(from, to time.Time) float64 { return float64(to.Sub(from).Microseconds()) / 1e3 }

// firstRecord asks a running pipeline when it had its first records.
func firstRecord(address string) (time.Time, error) {
	resp, err := http.Get("http://" + address + "/status")
	if err != nil {
		return time.Time{}, err
	}
	defer resp.Body.Close()
	var status []engine.Status
	if err := json.NewDecoder(resp.Body).Decode(&status); err != nil || len(status) != 1 {
		return time.Time{}, fmt.Errorf("/status: %d pipelines: %w", len(status), err)
	}
	return status[0].FirstRecord, nil
}

// used is the most memory that a running process has had, in MB, and the seconds of its CPU time. See proc_pid_stat(5).
func used(pid int) (rss, cpu float64, err error) {
	status, err1 := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	stat, err2 := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err := errors.Join(err1, err2); err != nil {
		return 0, 0, err
	}
	var kib, user, system int64
	_, peak, _ := strings.Cut(string(status), "VmHWM:")
	_, err1 = fmt.Sscan(peak, &kib)
	_, fields, _ := strings.Cut(string(stat), ") ") // behind the program's name
	var skip string
	_, err2 = fmt.Sscan(fields, &skip, &skip, &skip, &skip, &skip, &skip, &skip, &skip, &skip, &skip, &skip, &user, &system)
	return float64(kib) * 1024 / 1e6, float64(user+system) / clockTicks, errors.Join(err1, err2)
}

// clockTicks is how many of them /proc counts a second: 100 on every Linux.
const clockTicks = 100

// kill ends the process with kill -9.
func (p *recoveryProcess) kill() error {
	if err := p.cmd.Process.Kill(); err != nil {
		return err
	}
	p.drain()
	if err := p.cmd.Wait(); p.cmd.ProcessState.Exited() {
		return fmt.Errorf("the engine's process ended before it was killed: %w\n%s", err, p.rest.Bytes())
	}
	return nil
}

// stop ends the process in good order.
func (p *recoveryProcess) stop() error {
	err := p.cmd.Process.Signal(syscall.SIGTERM)
	p.drain()
	if err := errors.Join(err, p.cmd.Wait()); err != nil {
		return fmt.Errorf("the engine's process: %w\n%s", err, p.rest.Bytes())
	}
	return nil
}

// drain reads the log to its end.
func (p *recoveryProcess) drain() {
	for range p.events {
	}
}
