package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/gophersnake/gophersnake/internal/kernelspec"
)

// where are the flags that choose one of Jupyter's data directories.
type where struct {
	user, venv bool
	prefix     string
}

func (w *where) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&w.user, "user", false, "for this user, in any Jupyter (the default)")
	f.BoolVar(&w.venv, "venv", false, "in the active virtual environment, or .venv here")
	f.StringVar(&w.prefix, "prefix", "", "under `DIR`/share/jupyter")
}

// data returns the data directory that the flags choose.
func (w *where) data(cmd *cobra.Command, s kernelspec.System) (string, error) {
	chosen := 0
	for _, set := range []bool{w.user, w.venv, w.prefix != ""} {
		if set {
			chosen++
		}
	}
	switch {
	case chosen > 1:
		return "", usage(cmd, errors.New("--user, --venv and --prefix exclude each other"))
	case w.prefix != "":
		return kernelspec.PrefixData(w.prefix), nil
	case w.venv:
		venv, err := s.Venv()
		return kernelspec.PrefixData(venv), hinted(err, "'make lab' makes .venv, or activate yours")
	}
	return s.UserData(), nil
}

func (a *App) kernelCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "kernel",
		Short: "tell Jupyter where the notebook kernel is",
		Args:  func(cmd *cobra.Command, args []string) error { return unknownCommand(cmd, args) },
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.kernelInstallCommand(), a.kernelUninstallCommand(), a.kernelDoctorCommand())
	return cmd
}

func (a *App) kernelInstallCommand() *cobra.Command {
	var w where
	var kernel string
	cmd := &cobra.Command{
		Use:   "install",
		Short: "write the kernelspec, so that Jupyter offers " + kernelspec.DisplayName,
		Args:  takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := system()
			if err != nil {
				return err
			}
			if kernel == "" {
				if kernel, err = s.Kernel(); err != nil {
					return hinted(err, "make kernel, or name it with --kernel")
				}
			}
			data, err := w.data(cmd, s)
			if err != nil {
				return err
			}
			dir, err := kernelspec.Install(data, kernel)
			if err != nil {
				return hinted(err, "make kernel builds it; --user, --venv and --prefix say where to install")
			}
			fmt.Fprintf(a.Out, "installed %s\n", dir)
			return nil
		},
	}
	w.flags(cmd)
	cmd.Flags().StringVar(&kernel, "kernel", "", "the kernel's `FILE` (default: gophernotes beside this program, in bin, or on the PATH)")
	return cmd
}

func (a *App) kernelUninstallCommand() *cobra.Command {
	var w where
	cmd := &cobra.Command{
		Use:   "uninstall",
		Short: "remove the kernelspec",
		Args:  takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := system()
			if err != nil {
				return err
			}
			data, err := w.data(cmd, s)
			if err != nil {
				return err
			}
			dir, err := kernelspec.Uninstall(data)
			if errors.Is(err, fs.ErrNotExist) {
				return hinted(err, "gophersnake kernel doctor shows where there is one")
			}
			if err != nil {
				return err
			}
			fmt.Fprintf(a.Out, "removed %s\n", dir)
			return nil
		},
	}
	w.flags(cmd)
	return cmd
}

func (a *App) kernelDoctorCommand() *cobra.Command {
	var prefix string
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "say what notebooks lack and what to do",
		Args:  takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := system()
			if err != nil {
				return err
			}
			s.Prefix = prefix
			ill := 0
			for _, f := range s.Examine(cmd.Context()) {
				mark := "ok"
				if !f.Well() {
					mark = "--"
					ill++
				}
				fmt.Fprintf(a.Out, "%s  %-10s  %s\n", mark, f.What, f.Detail)
				if !f.Well() {
					fmt.Fprintf(a.Out, "    %-10s  %s\n", "", f.Hint)
				}
			}
			if ill > 0 {
				return fmt.Errorf("notebooks will not work: %d to mend", ill)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&prefix, "prefix", "", "look under `DIR` first, where kernel install --prefix DIR has written")
	return cmd
}

// system describes this machine to package kernelspec.
func system() (kernelspec.System, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return kernelspec.System{}, err
	}
	dir, err := os.Getwd()
	if err != nil {
		return kernelspec.System{}, err
	}
	program, err := os.Executable()
	if err != nil {
		program = "" // then only the other places are looked at
	}
	return kernelspec.System{GOOS: runtime.GOOS, Home: home, WorkDir: dir, Program: program, Getenv: os.Getenv}, nil
}
