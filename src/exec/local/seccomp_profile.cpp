// SPDX-License-Identifier: Apache-2.0
/// The system calls that a job may make. A list of what is allowed, by purpose; whatever is not here answers ENOSYS, as
/// an older kernel would, so programs fall back. Left out on purpose: mounting and namespaces, kernel modules and
/// kexec, BPF and perf, io_uring, keyrings, userfaultfd, fanotify, quotas, swap, clocks, file handles, raw I/O, NUMA
/// moves, syslog. UML needs ptrace, memfd, personality (it turns address randomisation off) and seccomp itself, for its
/// own processes only.
#include "exec/local/oci_config.h"

#include "base/strings.h"

namespace bowsprit::exec {
namespace {

constexpr const char* kAllowed[] = {
    // files
    "access chdir chmod chown chown32 close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2 "
    "fadvise64 "
    "fadvise64_64 fallocate fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat fcntl fcntl64 fdatasync "
    "fgetxattr flistxattr flock "
    "fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futimesat getcwd "
    "getdents "
    "getdents64 getxattr inotify_add_watch inotify_init inotify_init1 inotify_rm_watch ioctl lchown lchown32 lgetxattr "
    "link linkat "
    "listxattr llistxattr lremovexattr lseek _llseek lsetxattr lstat lstat64 mkdir mkdirat mknod mknodat newfstatat "
    "open openat openat2 "
    "pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv removexattr rename "
    "renameat renameat2 "
    "rmdir sendfile sendfile64 setxattr splice stat stat64 statfs statfs64 statx symlink symlinkat sync "
    "sync_file_range syncfs tee "
    "truncate truncate64 umask unlink unlinkat utime utimensat utimensat_time64 utimes vmsplice write writev",
    // memory
    "brk get_mempolicy madvise membarrier memfd_create mincore mlock mlock2 mlockall mmap mmap2 mprotect mremap mseal "
    "msync munlock "
    "munlockall munmap pkey_alloc pkey_free pkey_mprotect process_madvise remap_file_pages set_mempolicy "
    "map_shadow_stack",
    // processes and threads
    "arch_prctl capget capset execve execveat exit exit_group fork futex futex_time64 futex_waitv futex_wait "
    "futex_wake futex_requeue "
    "get_robust_list get_thread_area getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getpgid "
    "getpgrp getpid "
    "getppid getpriority getresgid getresgid32 getresuid getresuid32 getrlimit getrusage getsid gettid getuid getuid32 "
    "ioprio_get "
    "ioprio_set kcmp landlock_add_rule landlock_create_ruleset landlock_restrict_self modify_ldt nanosleep pause "
    "pidfd_open "
    "pidfd_send_signal prctl prlimit64 process_mrelease process_vm_readv process_vm_writev ptrace restart_syscall rseq "
    "sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler "
    "sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity sched_setattr sched_setparam "
    "sched_setscheduler sched_yield "
    "seccomp set_robust_list set_thread_area set_tid_address setfsgid setfsuid setgid setgid32 setgroups setgroups32 "
    "setpgid "
    "setpriority setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setrlimit setsid "
    "setuid setuid32 "
    "ugetrlimit vfork wait4 waitid waitpid",
    // signals
    "alarm kill rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait "
    "rt_sigtimedwait_time64 rt_tgsigqueueinfo sigaltstack signalfd signalfd4 sigaction sigprocmask sigreturn tgkill "
    "tkill",
    // time
    "clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep clock_nanosleep_time64 getitimer "
    "gettimeofday "
    "setitimer time timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime "
    "timer_settime64 "
    "timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64 times",
    // waiting and talking to each other
    "_newselect accept accept4 bind connect epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait "
    "epoll_pwait2 epoll_wait "
    "epoll_wait_old eventfd eventfd2 getpeername getsockname getsockopt io_cancel io_destroy io_getevents "
    "io_pgetevents io_setup "
    "io_submit ipc listen mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend "
    "mq_timedsend_time64 "
    "mq_unlink msgctl msgget msgrcv msgsnd pipe pipe2 poll ppoll ppoll_time64 pselect6 pselect6_time64 recv recvfrom "
    "recvmmsg "
    "recvmmsg_time64 recvmsg select semctl semget semop semtimedop semtimedop_time64 send sendmmsg sendmsg sendto "
    "setsockopt shmat "
    "shmctl shmdt shmget shutdown socketpair",
    // the machine
    "getcpu getrandom sysinfo uname",
};

Json allow(std::vector<std::string> names, Json args = Json::array()) {
  Json rule{{"names", std::move(names)}, {"action", "SCMP_ACT_ALLOW"}};
  if (!args.empty()) rule["args"] = std::move(args);
  return rule;
}
Json argument(int index, std::uint64_t value, const char* op = "SCMP_CMP_EQ") {
  return {{"index", index}, {"value", value}, {"op", op}};
}

}  // namespace

Json seccomp_profile() {
  std::vector<std::string> names;
  for (const char* line : kAllowed)
    for (auto& name : split(line, ' ')) names.push_back(std::move(name));
  Json rules = Json::array({allow(std::move(names))});
  // clone without any CLONE_NEW*; clone3 hides its flags in memory, so it is refused and the C library uses clone.
  constexpr std::uint64_t kNewNamespaces = 0x7E020000;  // NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
  Json no_namespace = argument(0, kNewNamespaces, "SCMP_CMP_MASKED_EQ");
  no_namespace["valueTwo"] = 0;
  rules.push_back(allow({"clone"}, Json::array({std::move(no_namespace)})));
  // personality: the default, READ_IMPLIES_EXEC off, ADDR_NO_RANDOMIZE, and the question what it is.
  for (const std::uint64_t persona : {0x0ULL, 0x0008ULL, 0x20000ULL, 0x20008ULL, 0x40000ULL, 0xffffffffULL})
    rules.push_back(allow({"personality"}, Json::array({argument(0, persona)})));
  // Local and internet sockets (there is no device to go out by); no netlink, packet, vsock or crypto sockets.
  for (const std::uint64_t family : {1ULL, 2ULL, 10ULL})
    rules.push_back(allow({"socket"}, Json::array({argument(0, family)})));
#if defined(__x86_64__)
  const Json architectures{"SCMP_ARCH_X86_64", "SCMP_ARCH_X86"};
#elif defined(__aarch64__)
  const Json architectures{"SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"};
#else
#error "name this processor's libseccomp architecture here"
#endif
  return {{"defaultAction", "SCMP_ACT_ERRNO"},
          {"defaultErrnoRet", 38},
          {"architectures", architectures},
          {"syscalls", std::move(rules)}};
}

}  // namespace bowsprit::exec
