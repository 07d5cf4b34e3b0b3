package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/mattn/go-sqlite3"
	"github.com/spf13/cobra"

	"github.com/gophersnake/gophersnake/pkg/tensor"
	"github.com/gophersnake/gophersnake/tracker"
)

func (a *App) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "say what this program was built from and which kernels it uses",
		Args:  takes(),
		RunE: func(*cobra.Command, []string) error {
			version, commit := built()
			sqlite, _, _ := sqlite3.Version()
			fmt.Fprintf(a.Out, "gophersnake  %s\n", version)
			if commit != "" {
				fmt.Fprintf(a.Out, "commit       %s\n", commit)
			}
			fmt.Fprintf(a.Out, "go           %s %s/%s\n", runtime.Version(), runtime.GOOS, runtime.GOARCH)
			for _, name := range tensor.DeviceNames() {
				fmt.Fprintf(a.Out, "device       %s, kernels %s\n", name, kernels(name))
			}
			fmt.Fprintf(a.Out, "sqlite       %s\n", sqlite)
			fmt.Fprintf(a.Out, "schema       %d\n", tracker.SchemaVersion())
			return nil
		},
	}
}

// built returns version and commit as the Go tool recorded them.
func built() (version, commit string) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown", ""
	}
	changed := ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = ", with changes"
		}
	}
	if commit != "" {
		commit += changed
	}
	return info.Main.Version, commit
}

// kernels names the code path of a device on this machine.
func kernels(device string) string {
	d, err := tensor.OpenDevice(device, 1)
	if err != nil {
		return "none"
	}
	return d.Kernels()
}
