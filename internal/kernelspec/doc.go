// Package kernelspec tells Jupyter where the kernel is, and finds out why a
// notebook does not start.
//
// A kernelspec is a directory <data>/kernels/gophersnake with kernel.json and
// logos. Jupyter looks for it under several data directories:
//
//	where    directory
//	user     $JUPYTER_DATA_DIR, or ~/.local/share/jupyter, or ~/Library/Jupyter
//	prefix   PREFIX/share/jupyter
//	venv     the prefix that is a virtual environment
//
// Reference: https://jupyter-client.readthedocs.io/en/stable/kernels.html
package kernelspec
