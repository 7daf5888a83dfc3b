//go:build linux

package floor

import (
	"fmt"
	"os"
	"os/exec"
)

// execTrue starts the program true and waits for its end, so many times.
func execTrue(times int) error {
	path, err := exec.LookPath("true")
	if err != nil {
		return err
	}
	attr := &os.ProcAttr{Files: []*os.File{os.Stdin, os.Stdout, os.Stderr}}
	for range times {
		p, err := os.StartProcess(path, []string{"true"}, attr)
		if err != nil {
			return err
		}
		state, err := p.Wait()
		if err != nil {
			return err
		}
		if !state.Success() {
			return fmt.Errorf("%s: %s", path, state)
		}
	}
	return nil
}
