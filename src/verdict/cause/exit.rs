//! What a container's exit code says by convention: 128 + a signal's number, the shell's own codes, and Windows' status codes.
//!
//! Codes come as AWS prints them: Windows' 32-bit status codes appear unsigned or, read as signed, negative.

use super::{Cause, Confidence};

/// What a code means when no text says more.
pub(super) struct Meaning {
    pub cause: Cause,
    /// Follows "exited with code N".
    pub says: &'static str,
    pub next: &'static str,
    pub sure: Confidence,
}

const LOGS: &str = "the container's last log lines";
const KILLED: &str = "stopTimeout, whether the program ends on SIGTERM, and the memory metric around that time";

/// Meanings of codes. Sources: bash's manual (EXIT STATUS), Docker's run reference, Windows' ntstatus.h.
const MEANINGS: &[(u32, Meaning)] = &[
    (
        0,
        app("the program ended by itself, without an error", "whether its command is meant to end; a service needs one that keeps running"),
    ),
    (1, app("the program ended with an error", LOGS)),
    (2, app("the program ended with an error, often wrong usage of its command", LOGS)),
    (
        125,
        Meaning {
            cause: Cause::ContainerStartFailed,
            says: "docker itself failed",
            next: "the container's reason and the agent's log",
            sure: Confidence::Medium,
        },
    ),
    (126, app("a command is not executable", "command, entryPoint and the file's mode in the image")),
    (127, app("a command was not found", "command, entryPoint and start script against what the image holds")),
    (130, app("SIGINT ended it", LOGS)),
    (
        132,
        app(
            "SIGILL ended it: an instruction that this processor does not have",
            "the platform that the image was built for; the last log lines",
        ),
    ),
    (133, app("SIGTRAP ended it", LOGS)),
    (134, app("SIGABRT ended it: the program gave up by itself", LOGS)),
    (135, app("SIGBUS ended it", LOGS)),
    (136, app("SIGFPE ended it", LOGS)),
    (137, killed("SIGKILL, without a word of memory: killed after the stop timeout, or by a signal")),
    (139, segfault("SIGSEGV: a segmentation fault")),
    (141, app("SIGPIPE ended it", LOGS)),
    (
        143,
        Meaning {
            cause: Cause::AppExit,
            says: "SIGTERM ended it, and no text says who sent that",
            next: "who stopped the task: the events of the service, CloudTrail StopTask",
            sure: Confidence::Low,
        },
    ),
    (255, app("a general failure: the program's own, or the runtime's", LOGS)),
    (0xC000_0005, segfault("0xC0000005: access violation")),
    (0xC000_00FD, app("0xC00000FD: stack overflow", LOGS)),
    (0xC000_0135, app("0xC0000135: a DLL was not found", "the base image's Windows version and what the program links to")),
    (0xC000_0142, app("0xC0000142: a DLL failed to initialise", "the base image's Windows version, and the desktop heap of the host")),
    (0xC000_0017, memory("0xC0000017: no memory")),
    (0xC000_012D, memory("0xC000012D: the commit limit is reached")),
    (
        0xC000_013A,
        Meaning {
            cause: Cause::SignalKillTimeout,
            says: "0xC000013A: ended by Ctrl+C or a shutdown, Windows' word for a stop signal",
            next: KILLED,
            sure: Confidence::Medium,
        },
    ),
    (
        0x4001_0004,
        Meaning {
            cause: Cause::SignalKillTimeout,
            says: "0x40010004: ended from outside while the container shut down",
            next: KILLED,
            sure: Confidence::Medium,
        },
    ),
    (0xC000_0409, app("0xC0000409: the program ended itself at once (fail fast, or an overrun stack buffer)", LOGS)),
    (0xE043_4352, app("0xE0434352: an unhandled .NET exception", LOGS)),
];

const fn app(says: &'static str, next: &'static str) -> Meaning {
    Meaning { cause: Cause::AppExit, says, next, sure: Confidence::High }
}

const fn killed(says: &'static str) -> Meaning {
    Meaning { cause: Cause::SignalKillTimeout, says, next: KILLED, sure: Confidence::Medium }
}

const fn segfault(says: &'static str) -> Meaning {
    Meaning {
        cause: Cause::Segfault,
        says,
        next: "the last log lines, native libraries of the image, and a core dump",
        sure: Confidence::High,
    }
}

const fn memory(says: &'static str) -> Meaning {
    Meaning { cause: Cause::OutOfMemory, says, next: "the container's memory limit against its memory metric", sure: Confidence::Medium }
}

/// What the code means; any that is not known is the program's own.
pub(super) fn meaning(code: i64) -> &'static Meaning {
    const OWN: Meaning = app("the program ended with a code of its own", LOGS);
    const WINDOWS: Meaning = app("the program ended with a code of its own, one that only Windows reports", LOGS);
    let plain = unsigned(code);
    let own = if (0..=255).contains(&code) { &OWN } else { &WINDOWS };
    MEANINGS.iter().find(|(known, _)| Some(*known) == plain).map_or(own, |(_, meaning)| meaning)
}

/// Whether the code is what a container ends with when it is told to stop, by SIGTERM or by SIGKILL after that.
pub(super) fn of_a_stop(code: i64) -> bool {
    matches!(unsigned(code), Some(0 | 137 | 143 | 0xC000_013A | 0x4001_0004))
}

/// The code that a text gives in words: "exited (exit code: 137)", "Exit status 1".
pub(super) fn in_text(text: &str) -> Option<i64> {
    const BEFORE: &[&str] = &["exit code", "exitcode", "exit status", "exited with code", "exited with status", "exited with"];
    let text = text.to_ascii_lowercase();
    BEFORE.iter().find_map(|words| {
        let rest = text.split_once(words)?.1.trim_start_matches([' ', ':', '=', '(', ')', '"', '\'']);
        let end = rest.char_indices().find(|(at, c)| !c.is_ascii_digit() && (*at > 0 || *c != '-')).map_or(rest.len(), |(at, _)| at);
        rest[..end].parse().ok().filter(|code| unsigned(*code).is_some())
    })
}

fn unsigned(code: i64) -> Option<u32> {
    u32::try_from(code).ok().or_else(|| i32::try_from(code).ok().map(i32::cast_unsigned))
}

/// The short name of a code: the signal's, the shell's or Windows' word for it; empty when there is none.
#[must_use]
pub fn word(code: i64) -> &'static str {
    match unsigned(code) {
        Some(125) => "docker failed",
        Some(126) => "not executable",
        Some(127) => "command not found",
        Some(130) => "SIGINT",
        Some(132) => "SIGILL",
        Some(134) => "SIGABRT",
        Some(135) => "SIGBUS",
        Some(136) => "SIGFPE",
        Some(137) => "SIGKILL",
        Some(139) => "SIGSEGV",
        Some(143) => "SIGTERM",
        Some(0xC000_0005) => "0xC0000005 access violation",
        Some(0xC000_013A) => "0xC000013A Ctrl+C",
        Some(0xC000_00FD) => "0xC00000FD stack overflow",
        Some(0xE043_4352) => "0xE0434352 .NET exception",
        _ => "",
    }
}

/// A code as it is shown: `exit 137 (SIGKILL)`.
pub(super) fn shown(code: i64) -> String {
    match word(code) {
        "" => format!("exit {code}"),
        word => format!("exit {code} ({word})"),
    }
}
