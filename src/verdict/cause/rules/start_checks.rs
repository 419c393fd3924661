//! What to check where a container did not start and the text tells why: its command, its log driver, the instance under it.
//!
//! As in `checks`: rows never change a cause, and the closest come first.

use super::super::Cause as C;
use super::super::rule::Check;
use super::checks::check;

const START: &[C] = &[C::ContainerStartFailed];

/// All rows.
pub(super) const ALL: &[Check] = &[
    // The command, of all the likeliest.
    check(
        START,
        &[&["executable file not found", "exec: \"", "exec \"", "exec: \\\""], &["permission denied"]],
        &[],
        "that[ {command}] is executable (chmod +x before the image is built) by the container's user, and not on a volume mounted noexec",
    ),
    check(
        START,
        &[&["exec: ", "exec \""], &["is a directory"]],
        &[],
        "entryPoint and command: [{command} ]is a folder of the image, not a program",
    ),
    check(
        START,
        &[&["executable file not found", "exec: "]],
        &["operation not permitted", "invalid argument"],
        "that the image holds the command[ {command}]: its path and spelling, no volume over it; entryPoint and command are lists, one word each, and a script's first line names a shell that is there",
    ),
    check(
        START,
        &[&["system cannot find the file", "system cannot find the path"]],
        &["credential spec"],
        "entryPoint and command against what the image holds, with Windows' paths and endings (.exe, .cmd)",
    ),
    check(
        START,
        &[&["unable to find user", "unable to find group", "passwd file"]],
        &[],
        "user of the container[: {user}]: that the image knows the name, or a number in its place",
    ),
    check(
        START,
        &[&["chdir to cwd", "working directory"]],
        &[],
        "workingDirectory of the container: that the image has it and the user may enter it",
    ),
    check(
        START,
        &[&["task memory limit"]],
        &[],
        "memory of the task against that of its containers: none of them may have more than the task",
    ),
    check(START, &[&["memory limit"]], &[], "memory and memoryReservation of the container: more than the runtime needs for itself"),
    check(
        START,
        &[&["resource cannot be initialized"], &["firelens"]],
        &[],
        "firelensConfiguration of the log router and logConfiguration of the containers that use it: the option that the text names, in that router's own words",
    ),
    check(
        START,
        &[&["resource cannot be initialized"], &["gpu"]],
        &[],
        "resourceRequirements: a GPU goes to one container alone, so the task needs as many as its containers ask for; the agent's version and log",
    ),
    check(
        START,
        &[&["containervanished", "cannotinspect", "cannotdescribe"], &["no such container", "no container matching"]],
        &[],
        "who removes containers on the instance (docker prune, a restart of docker or of the instance); the agent's log",
    ),
    // What it needs of other containers.
    check(
        START,
        &[&[
            "non running container",
            "cannot link",
            "link target",
            "container for link",
            "ordering dependency",
            "dependent container",
            "dependency graph",
        ]],
        &[],
        "the container that this one needs (dependsOn, links, network of another): why that one did not start, was not healthy in time or ended",
    ),
    check(
        START,
        &[&["is already in use by container"]],
        &[],
        "a leftover container of that name on the instance: remove it; the agent's log, and its cleanup (ECS_ENGINE_TASK_CLEANUP_WAIT_DURATION)",
    ),
    check(
        START,
        &[&["logger arg", "log driver", "log opt", "logging driver", "awslogs driver"]],
        &["bridge ip", "pause container", "container ip"],
        "logConfiguration of the container: the driver, and the option that the text names; on an instance ECS_AVAILABLE_LOGGING_DRIVERS too",
    ),
    check(
        START,
        &[&["could not transition to", "dockertimeouterror"]],
        &[],
        "docker on the instance, which did not answer in time: its log, the disk (burst balance of the volume), and how many containers start at once",
    ),
    check(
        START,
        &[&["cgroup"], &["no space left"]],
        &[],
        "the instance's kernel, which has no control groups left (df shows space enough): restart or replace it, and what leaves so many",
    ),
    check(
        START,
        &[&["device information", "custom device", "device cgroup"]],
        &[],
        "linuxParameters.devices of the task definition: that this instance has the device",
    ),
    check(
        START,
        &[&["nvidia", "nvidia-container", "nvml", "libcuda"]],
        &[],
        "the GPU: the driver on the instance against the image's CUDA (after an update, restart the instance), and that the device is there (nvidia-smi)",
    ),
    check(
        START,
        &[&["rlimit"]],
        &[],
        "ulimits of the container: none may exceed what docker has on this host (default-ulimits, LimitNOFILE)",
    ),
    check(
        START,
        &[&["kerberos", "credentialspec", "credential spec", "gmsa", "domain-joined"]],
        &[],
        "gMSA: the credential spec and where it lies, the domain that the host has joined (or the domainless user's secret), credentials-fetcher and its log",
    ),
    check(
        START,
        &[&["hostconfigerror", "dockerclientconfigerror", "host config"]],
        &[],
        "the container's settings in the task definition that the text names: docker does not understand one of them",
    ),
    check(
        START,
        &[&["taskdependencyerror", "task dependencies"]],
        &[],
        "dependsOn, links and volumesFrom of the task definition: a container that is not there, or that waits for itself",
    ),
    // The ground under it.
    check(
        START,
        &[&["docker0", "iptables", "external connectivity", "hnscall", "hns "]],
        &["already in use", "already allocated", "already exists", "not available", "failed to bind"],
        "docker's network on the instance: its bridge and its rules, which go when somebody flushes iptables (restart docker to have them made anew); on Windows its host network service",
    ),
    check(
        START,
        &[&["error during connect", "docker.sock", "docker daemon", "rpc error", "containerd.sock"]],
        &[],
        "docker on the instance: that it runs and answers, its log, and what it was doing then",
    ),
    check(
        START,
        &[&["hcs::", "hcsshim", "createcomputesystem", "windows system call"]],
        &[],
        "the Windows instance: its free memory and disk, the build of the image against its own, docker's log; a restart frees what hangs",
    ),
    check(
        START,
        &[&["devicemapper", "devmapper"]],
        &[],
        "docker's storage on the instance: the thin pool (docker info) and its log; replace the instance if it is broken",
    ),
    check(
        START,
        &[&["cgrouperror", "cgroup"]],
        &[],
        "control groups of the instance: its version of them against the agent's and the image's, and the agent's log",
    ),
    check(
        START,
        &[&["seccomp", "apparmor", "selinux", "capabilit", "sysctl", "operation not permitted", "permission denied"]],
        &["device driver"],
        "what the container asks of the kernel (privileged, capabilities, systemControls, security options) against what this platform lets it have",
    ),
];
