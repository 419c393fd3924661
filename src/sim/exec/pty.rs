//! A real program in a pseudo-terminal: an empty folder, surroundings like a container's, and an end that leaves nothing behind.
//!
//! It runs with the rights of whoever runs the simulator. Two threads of its own wait on the terminal, because nothing else can.

use super::remote::{Given, Program, Remote, Said};
use bytes::Bytes;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process};
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use tokio::sync::mpsc;
use uuid::Uuid;

/// Where programs are, as in most images.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Reads at once; larger ones would delay what interrupts the program.
const READ: usize = 16 * 1024;
/// Messages that wait for the program.
const WAITING: usize = 64;

/// What a program's folder is called, before the id of the process that made it.
const FOLDER: &str = "midwatch-exec-";

/// Removes the folders of processes that are no more: who was killed has left some.
pub(super) fn sweep() {
    for entry in fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let owner = name.to_str().and_then(|name| name.strip_prefix(FOLDER)?.split_once('-')).and_then(|(id, _)| id.parse().ok());
        let gone = owner.and_then(Pid::from_raw).is_some_and(|id| test_kill_process(id) == Err(Errno::SRCH));
        if gone && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            // Another user's stays.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// A process and its terminal.
pub(super) struct Process {
    master: Box<dyn MasterPty + Send>,
    child: Box<dyn Child + Send + Sync>,
    leader: Option<Pid>,
    gone: bool,
    folder: PathBuf,
}

/// Starts a program.
///
/// # Errors
/// The system's word for why not, as the agent would pass it on.
pub(super) fn start(words: &[String], environment: &[(String, String)], size: (u16, u16)) -> Result<Remote, String> {
    let program = words.first().ok_or("exec: no command")?;
    find(program)?;
    let folder = std::env::temp_dir().join(format!("{FOLDER}{}-{}", std::process::id(), Uuid::new_v4().simple()));
    fs::DirBuilder::new().mode(0o700).create(&folder).map_err(|why| why.to_string())?;
    let started = spawn(words, environment, size, &folder);
    if started.is_err() {
        // Nothing is in it yet.
        let _ = fs::remove_dir(&folder);
    }
    started
}

fn spawn(words: &[String], environment: &[(String, String)], size: (u16, u16), folder: &Path) -> Result<Remote, String> {
    let said = |why: anyhow::Error| why.to_string();
    let pair = native_pty_system().openpty(pty_size(size)).map_err(said)?;
    let mut command = CommandBuilder::from_argv(words.iter().map(Into::into).collect());
    command.env_clear();
    for (name, value) in environment {
        command.env(name, value);
    }
    // Not the owner's home: no file of theirs is read or written without being named.
    for (name, value) in [("PATH", PATH), ("TERM", "xterm-256color"), ("LANG", "C.UTF-8")] {
        command.env(name, value);
    }
    command.env("HOME", folder);
    command.cwd(folder);
    let child = pair.slave.spawn_command(command).map_err(said)?;
    drop(pair.slave);
    let mut reader = pair.master.try_clone_reader().map_err(said)?;
    let mut writer = pair.master.take_writer().map_err(said)?;
    let leader = child.process_id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    let process = Process { master: pair.master, child, leader, gone: false, folder: folder.to_owned() };
    let (input, mut to_program) = mpsc::channel(WAITING);
    let (from_program, output) = mpsc::channel(2);
    let thread = |name: &str| std::thread::Builder::new().name(name.to_owned());
    let reading = move || {
        let mut buffer = vec![0; READ];
        while let Ok(read @ 1..) = reader.read(&mut buffer) {
            if from_program.blocking_send(Said::Bytes(Bytes::copy_from_slice(&buffer[..read]))).is_err() {
                break;
            }
        }
    };
    thread("embedded-aws-out").spawn(reading).map_err(|why| why.to_string())?;
    let writing = move || {
        while let Some(given) = to_program.blocking_recv() {
            if matches!(given, Given::Bytes(bytes) if writer.write_all(&bytes).is_err()) {
                break;
            }
        }
    };
    thread("embedded-aws-in").spawn(writing).map_err(|why| why.to_string())?;
    Ok(Remote { input, output, program: Program::Process(process) })
}

/// Whether a program is there, asked beforehand to say it in the agent's words.
fn find(program: &str) -> Result<(), String> {
    let runs = |path: &Path| fs::metadata(path).is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0);
    if program.contains('/') {
        return match fs::metadata(program) {
            Err(_) => Err(format!("fork/exec {program}: no such file or directory")),
            Ok(_) if !runs(Path::new(program)) => Err(format!("fork/exec {program}: permission denied")),
            Ok(_) => Ok(()),
        };
    }
    let there = PATH.split(':').any(|folder| runs(&Path::new(folder).join(program)));
    if there { Ok(()) } else { Err(format!("exec: \"{program}\": executable file not found in $PATH")) }
}

fn pty_size((columns, rows): (u16, u16)) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}

impl Process {
    pub(super) fn resize(&self, columns: u16, rows: u16) {
        // A terminal that is gone has no size.
        let _ = self.master.resize(pty_size((columns, rows)));
    }

    pub(super) fn is_gone(&mut self) -> bool {
        if !self.gone && !matches!(self.child.try_wait(), Ok(None)) {
            self.gone = true;
            // At once: a little later its number may be somebody else's.
            self.kill();
        }
        self.gone
    }

    /// Everything that belongs to the session of the program, whatever group it is in.
    fn kill(&self) {
        let Some(leader) = self.leader else { return };
        // Whatever is gone already is no trouble.
        let _ = kill_process_group(leader, Signal::KILL);
        // Jobs have groups of their own; only Linux says which there are. Elsewhere the one in front goes, and the rest with the terminal.
        if let Some(front) = self.master.process_group_leader().and_then(Pid::from_raw) {
            let _ = kill_process_group(front, Signal::KILL);
        }
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let pid = entry.file_name().to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw);
            if let Some(pid) = pid.filter(|pid| session_of(*pid) == Some(leader)) {
                let _ = kill_process(pid, Signal::KILL);
            }
        }
    }
}

/// The session of a process, as Linux tells it: the fourth word after the name, which stands in brackets and may hold anything. Not by
/// `getsid`, for which rustix expects a number above 0, and processes of an outer namespace have 0.
fn session_of(pid: Pid) -> Option<Pid> {
    let stat = fs::read(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
    let name_ends = stat.iter().rposition(|byte| *byte == b')')?;
    let words = String::from_utf8_lossy(&stat[name_ends + 1..]).into_owned();
    words.split_whitespace().nth(3)?.parse().ok().and_then(Pid::from_raw)
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.is_gone() {
            self.kill();
            let _ = self.child.wait();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // A test that cannot go on fails.

    use super::*;

    #[test]
    fn folders_of_processes_that_are_gone_are_removed_and_no_others() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let gone = child.id();
        child.wait().unwrap();
        let unique = Uuid::new_v4().simple();
        let folder = |name: String| std::env::temp_dir().join(name);
        let (dead, alive) = (folder(format!("{FOLDER}{gone}-{unique}")), folder(format!("{FOLDER}{}-{unique}", std::process::id())));
        let other = folder(format!("{FOLDER}{unique}"));
        for at in [&dead, &alive, &other] {
            fs::create_dir(at).unwrap();
            fs::write(at.join("file"), "x").unwrap();
        }
        sweep();
        let there = [&dead, &alive, &other].map(|at| at.exists());
        for at in [alive, other] {
            fs::remove_dir_all(at).unwrap();
        }
        assert_eq!(there, [false, true, true]);
    }
}
