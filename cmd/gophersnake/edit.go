package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gophersnake/gophersnake/tracker"
)

func (a *App) runsTagCommand() *cobra.Command {
	var remove []string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "tag RUN [KEY=VALUE]...",
		Short: "set or remove tags of a run, or list them",
		Example: `  gophersnake runs tag mamba-seed1 stage=final reviewed=yes
  gophersnake runs tag mamba-seed1 --remove reviewed
  gophersnake runs tag mamba-seed1`,
		Args:              atLeast(1, "RUN [KEY=VALUE]..."),
		ValidArgsFunction: a.completeRun,
		RunE: func(cmd *cobra.Command, args []string) error {
			tags, err := keyValues(cmd, args[1:])
			if err != nil {
				return err
			}
			if len(tags)+len(remove) == 0 {
				return a.withStore(func(s *tracker.Store) error { return a.listTags(cmd.Context(), s, args[0], asJSON) })
			}
			return a.withWritable(func(s *tracker.Store) error {
				if err := changeTags(cmd.Context(), s, args[0], tags, remove); err != nil || !asJSON {
					return err
				}
				return a.listTags(cmd.Context(), s, args[0], true)
			})
		},
	}
	cmd.Flags().StringArrayVar(&remove, "remove", nil, "remove the tag with this `KEY` (may be repeated)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "the tags, after the change, as a JSON object")
	cmd.RegisterFlagCompletionFunc("remove", a.completeTagKey)
	return cmd
}

// keyValues reads arguments of the form KEY=VALUE.
func keyValues(cmd *cobra.Command, args []string) (map[string]string, error) {
	out := map[string]string{}
	for _, arg := range args {
		key, value, ok := strings.Cut(arg, "=")
		if !ok {
			return nil, usage(cmd, fmt.Errorf("tag is %q, want KEY=VALUE", arg))
		}
		out[key] = value
	}
	return out, nil
}

func (a *App) listTags(ctx context.Context, s *tracker.Store, ref string, asJSON bool) error {
	tags, err := s.Tags(ctx, ref)
	if err == nil && asJSON {
		return a.printJSON(tags)
	}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		fmt.Fprintf(a.Out, "%s=%s\n", key, tags[key])
	}
	return err
}

func changeTags(ctx context.Context, s *tracker.Store, ref string, set map[string]string, remove []string) error {
	info, err := s.Run(ctx, ref)
	if err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(set)) {
		if err := s.SetTag(ctx, info.ID, key, set[key]); err != nil {
			return err
		}
	}
	for _, key := range remove {
		if err := s.DeleteTag(ctx, info.ID, key); err != nil {
			return err
		}
	}
	return nil
}

func (a *App) runsNoteCommand() *cobra.Command {
	var clear, asJSON bool
	cmd := &cobra.Command{
		Use:   "note RUN [TEXT|-]",
		Short: "write a note on a run, or read it",
		Long:  "Replaces the note of a run by TEXT, or by standard input if TEXT is a dash. Without TEXT it prints the note.",
		Example: `  gophersnake runs note mamba-seed1 "loss spike at step 300: learning rate too high?"
  gophersnake runs note mamba-seed1 - < thoughts.md`,
		Args:              between(1, 2, "RUN [TEXT]"),
		ValidArgsFunction: a.completeRun,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case clear && len(args) > 1:
				return usage(cmd, errors.New("--clear takes no TEXT"))
			case len(args) == 1 && !clear:
				return a.withStore(func(s *tracker.Store) error { return a.showNote(cmd.Context(), s, args[0], asJSON) })
			}
			text, err := a.noteText(args[1:])
			if err != nil {
				return err
			}
			return a.withWritable(func(s *tracker.Store) error {
				if err := s.SetNote(cmd.Context(), args[0], text); err != nil || !asJSON {
					return err
				}
				return a.showNote(cmd.Context(), s, args[0], true)
			})
		},
	}
	cmd.Flags().BoolVar(&clear, "clear", false, "remove the note")
	cmd.Flags().BoolVar(&asJSON, "json", false, "the run's id and note, after the change, as a JSON object")
	return cmd
}

func (a *App) showNote(ctx context.Context, s *tracker.Store, ref string, asJSON bool) error {
	info, err := s.Run(ctx, ref)
	if err == nil && asJSON {
		return a.printJSON(object{"id": info.ID, "note": info.Note})
	}
	if err == nil && info.Note != "" {
		fmt.Fprintln(a.Out, info.Note)
	}
	return err
}

// noteText is the argument, standard input for "-", and nothing without one.
func (a *App) noteText(args []string) (string, error) {
	if len(args) == 0 {
		return "", nil
	}
	if args[0] != "-" {
		return args[0], nil
	}
	text, err := io.ReadAll(a.In)
	return strings.TrimRight(string(text), "\n"), err
}

func (a *App) runsRmCommand() *cobra.Command {
	return a.eachRun("rm RUN...", "hide runs from lists; runs restore brings them back",
		`Marks runs as deleted. They vanish from lists and queries, their data stay:
runs restore brings them back, and runs gc removes them for good.`,
		"deleted", (*tracker.Store).DeleteRun, a.completeRuns)
}

func (a *App) runsRestoreCommand() *cobra.Command {
	return a.eachRun("restore RUN...", "bring deleted runs back",
		`Undoes runs rm. Deleted runs are named by their id; runs list --deleted shows them.`,
		"restored", (*tracker.Store).RestoreRun, a.completeDeleted)
}

// eachRun is a command that does one thing to every run that is named.
func (a *App) eachRun(use, short, long, done string, do func(*tracker.Store, context.Context, string) error,
	complete cobra.CompletionFunc) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: use, Short: short, Long: long,
		Args:              atLeast(1, "RUN..."),
		ValidArgsFunction: complete,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withWritable(func(s *tracker.Store) error {
				infos, err := lookUp(cmd.Context(), s, args)
				if err != nil {
					return err // before anything was changed
				}
				for _, info := range infos {
					if err := do(s, cmd.Context(), info.ID); err != nil {
						return err
					}
					if !asJSON {
						fmt.Fprintf(a.Out, "%s %s %s\n", done, info.ID, info.Name)
					}
				}
				if asJSON {
					return a.printJSON(namesJSON(infos))
				}
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "the runs as a JSON array")
	return cmd
}

// lookUp finds the runs that references name.
func lookUp(ctx context.Context, s *tracker.Store, refs []string) ([]tracker.RunInfo, error) {
	var infos []tracker.RunInfo
	var errs []error
	for _, ref := range refs {
		info, err := s.Run(ctx, ref)
		infos, errs = append(infos, info), append(errs, err)
	}
	return infos, errors.Join(errs...)
}
