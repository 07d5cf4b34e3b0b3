package tracker

import (
	"bytes"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// processStart identifies a process beyond its id, which the kernel reuses: "<boot id>/<pid namespace>/<start tick>".
// It is "" if there is no such process, or /proc is not there.
func processStart(pid int) string {
	proc := "/proc/" + strconv.Itoa(pid)
	stat, err := os.ReadFile(proc + "/stat")
	if err != nil {
		return ""
	}
	// The command name, in parentheses, may hold spaces and parentheses: fields are counted from its end. Start time is
	// field 22, the 20th after the name (proc_pid_stat(5)).
	end := bytes.LastIndexByte(stat, ')')
	fields := strings.Fields(string(stat[end+1:]))
	if end < 0 || len(fields) < 20 {
		return ""
	}
	if fields[0] == "Z" || fields[0] == "X" {
		return "" // a zombie logs nothing any more
	}
	boot, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	ns, _ := os.Readlink("/proc/self/ns/pid")
	return strings.TrimSpace(string(boot)) + "/" + ns + "/" + fields[19]
}

// networkFS names the file system that holds dir, and reports whether SQLite's locks and shared memory are unreliable
// there. Magic numbers: statfs(2) and linux/magic.h.
func networkFS(dir string) (kind string, bad bool) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return "", false
	}
	switch uint32(st.Type) {
	case 0x6969:
		return "nfs", true
	case 0xFF534D42, 0xFE534D42, 0x517B:
		return "smb", true
	case 0x00C36400:
		return "ceph", true
	case 0x0BD00BD0:
		return "lustre", true
	case 0x47504653:
		return "gpfs", true
	case 0x5346414F, 0x6B414653:
		return "afs", true
	case 0x73757245:
		return "coda", true
	case 0x01021997:
		return "9p", true
	case 0x564C:
		return "ncp", true
	case 0x65735546:
		return fuseKind(dir)
	}
	return "", false
}

// fuseKind looks the mount up: FUSE carries local file systems (ntfs-3g, overlay, virtiofs) as well as remote ones.
func fuseKind(dir string) (kind string, bad bool) {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return "fuse", false
	}
	kind = mountKind(string(mounts), dir)
	switch strings.TrimPrefix(kind, "fuse.") {
	case "sshfs", "rclone", "s3fs", "gcsfuse", "goofys", "mount-s3", "juicefs", "glusterfs", "ceph-fuse", "davfs", "davfs2",
		"curlftpfs", "smbnetfs", "blobfuse", "blobfuse2", "seaweedfs", "moosefs", "lizardfs", "beegfs":
		return kind, true
	}
	return kind, false
}

// mountKind returns the type of the mount that holds dir: the longest mount point that is a prefix of it
// (proc_pid_mountinfo(5): mount point is field 5, type follows " - ").
func mountKind(mountinfo, dir string) string {
	best, kind := -1, ""
	for line := range strings.Lines(mountinfo) {
		left, right, ok := strings.Cut(line, " - ")
		fields := strings.Fields(left)
		types := strings.Fields(right)
		if !ok || len(fields) < 5 || len(types) < 1 {
			continue
		}
		point := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(fields[4])
		inside := dir == point || strings.HasPrefix(dir, strings.TrimSuffix(point, "/")+"/")
		if inside && len(point) >= best {
			best, kind = len(point), types[0]
		}
	}
	return kind
}
