// Package sysmon logs what the machine does while a run takes place: processor, memory, disk and graphics cards, under
// keys that begin with "system/" and end in their unit.
//
//	monitor, err := sysmon.Start(run, sysmon.Options{Every: 5 * time.Second})
//	…
//	err = monitor.Stop()
//
//	system/cpu_percent               all cores together, 0 to 100
//	system/process_cpu_percent       this process; 100 is one core
//	system/process_memory_bytes      resident memory of this process
//	system/process_threads           threads of the operating system
//	system/go_heap_bytes             heap in use
//	system/go_goroutines
//	system/memory_used_bytes         of the machine
//	system/memory_percent
//	system/disk_free_bytes           on the file system of the database
//	system/gpu0_percent              of the time in which some kernel ran
//	system/gpu0_memory_bytes
//	system/gpu0_memory_busy_percent
//	system/gpu0_power_watts
//	system/gpu0_temperature_celsius
//
// The step of a sample is the number of whole seconds since the run was created. Keys under "system/" have no part in what
// the run computed: tracker leaves them out of the run's last step, and Run.TruncateAfter keeps them.
//
// A machine without an NVIDIA driver has no gpu curves; the run's environment says why (gpu.problem).
package sysmon
