// Package optim holds what moves the parameters: AdamW with parameter groups,
// SGD, gradient clipping by the global norm, and learning-rate schedules.
package optim
