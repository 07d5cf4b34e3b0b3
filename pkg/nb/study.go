package nb

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/gophersnake/gophersnake/pkg/lab"
)

// Study carries out a study with a live bar, a live table of the arms and their
// live training losses, on all cores. Its runs go to the store that Open opened
// last; those that are there already are not run again, and the bar says how many
// they were, so a study that was stopped goes on where it was when it is called
// again.
func Study(c lab.StudyConfig) (*lab.StudyResult, error) {
	if err := c.Validate(); err != nil {
		return nil, err // before anything is shown
	}
	s := newStudying(c)
	o := lab.StudyOptions{Progress: s.event}
	where := "not logged: nb.Open opens a store"
	if book := currentBook(); book != nil {
		o.Book, o.Corpora = book, book.corpora
		where = fmt.Sprintf("%q in %s", c.Name, filepath.Base(book.path))
	}
	defer s.close() // also after a panic
	r, err := lab.RunStudy(Context(), c, o)
	switch {
	case err == nil:
		s.finished()
		s.bar.Note(joined("finished", s.reuse(), where))
	case Stopped(err) && o.Book != nil:
		s.bar.Note(joined("stopped, the same call goes on from here", where))
	case Stopped(err):
		s.bar.Note(joined("stopped", where))
	default:
		s.bar.Note("failed")
	}
	return r, err
}

// Ladder carries out the named rungs of the ladder on base, all of them if there
// is no name, with the given seeds and base's learning rate, and shows what came
// out.
func Ladder(base lab.Experiment, seeds []uint64, rungs ...string) (*lab.StudyResult, error) {
	arms, err := lab.Ladder(base, rungs...)
	if err != nil {
		return nil, err
	}
	if len(seeds) == 0 {
		return nil, errors.New("nb: Ladder: no seeds, want one or more")
	}
	r, err := Study(lab.StudyConfig{Name: fmt.Sprintf("ladder/%s", base.Task.Name), Arms: arms, LRs: []float64{base.Schedule.LR}, Seeds: seeds})
	if err != nil {
		return nil, err
	}
	Show(r)
	return r, nil
}
