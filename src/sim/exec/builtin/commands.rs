//! The commands of the small shell.

use super::Lasting;
use super::files::absolute;
use super::script::{Next, Outcome, Shell, has};
use std::fmt::Write as _;
use std::time::Duration;

/// Everything that there is.
#[rustfmt::skip] // A list reads by its groups.
pub(super) const NAMES: &[&str] = &[
    "sh", "exec", "exit", "command", "which", "type", "test", "[", "true", "false", ":", "help",
    "cd", "pwd", "ls", "cat", "head", "mkdir", "rm", "touch", "echo", "printf",
    "env", "export", "ps", "id", "whoami", "hostname", "uname", "date", "uptime", "stty", "tty", "clear", "sleep", "yes", "flood",
];

fn say(text: impl Into<String>) -> Outcome {
    Outcome { out: text.into().into_bytes(), ..Outcome::default() }
}

fn fail(text: impl Into<String>, status: i32) -> Outcome {
    Outcome { error: text.into(), status, ..Outcome::default() }
}

fn status(status: i32) -> Outcome {
    Outcome { status, ..Outcome::default() }
}

fn next(next: Next) -> Outcome {
    Outcome { next: Some(next), ..Outcome::default() }
}

/// Runs one command.
pub(super) fn run(shell: &mut Shell, name: &str, arguments: &[String]) -> Outcome {
    if let Some((variable, value)) = name.split_once('=').filter(|(variable, _)| !variable.is_empty() && arguments.is_empty()) {
        set(shell, variable, value);
        return Outcome::default();
    }
    let base = if name.starts_with('/') { name.rsplit('/').next().unwrap_or(name) } else { name };
    let first = arguments.first().map(String::as_str);
    match base {
        "true" | ":" => Outcome::default(),
        "false" => status(1),
        "exit" => {
            let code = first.and_then(|code| code.parse().ok()).unwrap_or(shell.status);
            Outcome { status: code, next: Some(Next::Exit), ..Outcome::default() }
        }
        "sh" => sh(shell, arguments),
        "exec" => match first {
            None => Outcome::default(),
            Some(program) if has(program.rsplit('/').next().unwrap_or(program)) => run(shell, program, &arguments[1..]),
            Some(program) => {
                Outcome { error: format!("sh: exec: {program}: not found\n"), status: 127, next: Some(Next::Exit), ..Outcome::default() }
            }
        },
        "command" if first == Some("-v") => look_up(&arguments[1..]),
        "command" => first.map_or_else(Outcome::default, |program| run(shell, program, &arguments[1..])),
        "which" | "type" => look_up(arguments),
        "test" => status(i32::from(!test(shell, arguments))),
        "[" => status(i32::from(!test(shell, arguments.strip_suffix(&["]".to_owned()]).unwrap_or(arguments)))),
        "help" => say(format!(
            "A small shell built into the simulator; nothing here is real.\n{}\nCommands are joined by ; && and ||, and > writes into a file.\n",
            NAMES.join(" ")
        )),
        "cd" | "pwd" | "ls" | "cat" | "head" | "mkdir" | "rm" | "touch" => of_files(shell, base, arguments),
        "echo" => echo(arguments),
        "printf" => say(printf(arguments)),
        "env" => say(shell.environment.iter().fold(String::new(), |text, (name, value)| text + name + "=" + value + "\n")),
        "export" => {
            for (variable, value) in arguments.iter().filter_map(|word| word.split_once('=')) {
                set(shell, variable, value);
            }
            Outcome::default()
        }
        "sleep" => {
            let time = first.and_then(|time| time.parse().ok()).filter(|time: &f64| (0.0..1e9).contains(time));
            time.map_or_else(
                || fail("sleep: invalid time interval\n", 1),
                |time| next(Next::Lasting(Lasting::Sleep(Duration::from_secs_f64(time)))),
            )
        }
        "yes" => next(Next::Lasting(Lasting::Flood(format!("{}\r\n", first.unwrap_or("y")).into_bytes(), None))),
        "flood" => {
            let bytes = first.and_then(|bytes| bytes.parse().ok());
            let line = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ\r\n".to_vec();
            bytes.map_or_else(|| fail("flood: so many bytes?\n", 1), |bytes| next(Next::Lasting(Lasting::Flood(line, Some(bytes)))))
        }
        "stty" => stty(shell, arguments),
        name if has(name) => about(shell, name),
        _ => fail(format!("sh: {name}: not found\n"), 127),
    }
}

fn set(shell: &mut Shell, name: &str, value: &str) {
    shell.environment.retain(|(known, _)| known != name);
    shell.environment.push((name.to_owned(), value.to_owned()));
}

fn sh(shell: &mut Shell, arguments: &[String]) -> Outcome {
    match arguments {
        [flag, script, ..] if flag == "-c" => {
            shell.queue(script);
            Outcome::default()
        }
        _ => next(Next::Interactive),
    }
}

fn look_up(names: &[String]) -> Outcome {
    let found = names.iter().filter(|name| has(name));
    let out = found.fold(String::new(), |text, name| text + "/bin/" + name + "\n");
    let missing = out.is_empty();
    Outcome { status: i32::from(missing), ..say(out) }
}

fn test(shell: &Shell, words: &[String]) -> bool {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let path = |word: &str| absolute(&shell.folder, word);
    match words[..] {
        ["!", ref rest @ ..] => !test(shell, &rest.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()),
        ["-d", word] => shell.files.is_folder(&path(word)),
        ["-f" | "-e" | "-r" | "-s", word] => shell.files.read(&path(word)).is_some(),
        ["-x", word] => path(word).strip_prefix("/bin/").is_some_and(has),
        ["-n", word] | [word] => !word.is_empty(),
        ["-z", word] => word.is_empty(),
        [a, "=" | "==", b] => a == b,
        [a, "!=", b] => a != b,
        [a, "-eq", b] => a.parse::<i64>().is_ok_and(|a| b.parse() == Ok(a)),
        _ => false,
    }
}

fn of_files(shell: &mut Shell, name: &str, arguments: &[String]) -> Outcome {
    let flags: String = arguments.iter().filter_map(|word| word.strip_prefix('-')).collect();
    let words: Vec<&String> = arguments.iter().filter(|word| !word.starts_with('-')).collect();
    let paths: Vec<(String, String)> = words.iter().map(|word| ((*word).clone(), absolute(&shell.folder, word))).collect();
    match name {
        "pwd" => say(format!("{}\n", shell.folder)),
        "cd" => {
            let (word, path) = paths.first().cloned().unwrap_or(("/root".to_owned(), "/root".to_owned()));
            if !shell.files.is_folder(&path) {
                return fail(format!("sh: cd: can't cd to {word}: No such file or directory\n"), 2);
            }
            set(shell, "PWD", &path);
            shell.folder = path;
            Outcome::default()
        }
        "cat" if paths.is_empty() => next(Next::Lasting(Lasting::Echo)),
        "head" => {
            let count: usize = words.iter().find_map(|word| word.parse().ok()).unwrap_or(10);
            let bytes = paths.last().and_then(|(_, path)| shell.files.read(path)).unwrap_or_default();
            let taken = if flags.contains('c') { &bytes[..bytes.len().min(count)] } else { lines(bytes, count) };
            Outcome { out: taken.to_vec(), ..Outcome::default() }
        }
        "ls" => ls(shell, &flags, &paths),
        "mkdir" => {
            for (_, path) in &paths {
                shell.files.make_folder(path);
            }
            Outcome::default()
        }
        _ => {
            let mut outcome = Outcome::default();
            for (word, path) in &paths {
                let done = match name {
                    "cat" => shell.files.read(path).map(|bytes| outcome.out.extend_from_slice(bytes)).is_some(),
                    "rm" => shell.files.remove(path) || flags.contains('f'),
                    _ => shell.files.write(path, b"", true).is_ok(),
                };
                if !done {
                    let what = if name == "cat" { "can't open" } else { "can't remove" };
                    writeln!(outcome.error, "{name}: {what} '{word}': No such file or directory").expect("a String takes every write");
                    outcome.status = 1;
                }
            }
            outcome
        }
    }
}

fn lines(bytes: &[u8], count: usize) -> &[u8] {
    let end =
        bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(count.saturating_sub(1)).map_or(bytes.len(), |(at, _)| at + 1);
    &bytes[..end]
}

fn ls(shell: &Shell, flags: &str, paths: &[(String, String)]) -> Outcome {
    let here = [(shell.folder.clone(), shell.folder.clone())];
    let mut outcome = Outcome::default();
    let mut text = String::new();
    for (word, path) in if paths.is_empty() { &here[..] } else { paths } {
        let found = match shell.files.read(path) {
            Some(bytes) => vec![(word.clone(), Some(bytes.len()))],
            None if shell.files.is_folder(path) => shell.files.list(path),
            None => {
                writeln!(outcome.error, "ls: {word}: No such file or directory").expect("a String takes every write");
                outcome.status = 1;
                continue;
            }
        };
        for (name, size) in found.into_iter().filter(|(name, _)| !name.starts_with('.') || flags.contains('a')) {
            let line = match (flags.contains('l'), size) {
                (false, _) => writeln!(text, "{name}"),
                (true, Some(size)) => writeln!(text, "-rw-r--r--    1 root     root     {size:>9} {name}"),
                (true, None) => writeln!(text, "drwxr-xr-x    2 root     root          4096 {name}"),
            };
            line.expect("a String takes every write");
        }
    }
    outcome.out = text.into_bytes();
    outcome
}

fn echo(arguments: &[String]) -> Outcome {
    match arguments {
        [flag, rest @ ..] if flag == "-n" => say(rest.join(" ")),
        all => say(all.join(" ") + "\n"),
    }
}

/// `%s`, `%d`, `%%` and the usual escapes; the format is used again while arguments are left.
fn printf(arguments: &[String]) -> String {
    let Some((format, mut rest)) = arguments.split_first() else { return String::new() };
    let mut out = String::new();
    loop {
        let before = rest.len();
        let mut chars = format.chars();
        while let Some(c) = chars.next() {
            match (c, c == '%' || c == '\\') {
                (_, false) => out.push(c),
                ('%', _) => match chars.next() {
                    Some('%') | None => out.push('%'),
                    Some(kind) => {
                        let (word, left) = rest.split_first().map_or(("", rest), |(word, left)| (word.as_str(), left));
                        rest = left;
                        out.push_str(if kind == 'd' && word.is_empty() { "0" } else { word });
                    }
                },
                _ => match chars.next() {
                    Some('n') => out.push('\n'),
                    Some('r') => out.push('\r'),
                    Some('t') => out.push('\t'),
                    Some('e') => out.push('\x1b'),
                    Some(c) => out.push(c),
                    None => out.push('\\'),
                },
            }
        }
        if rest.is_empty() || rest.len() == before {
            return out;
        }
    }
}

fn stty(shell: &mut Shell, arguments: &[String]) -> Outcome {
    for word in arguments {
        match word.as_str() {
            "raw" => shell.raw = true,
            "-raw" | "cooked" => shell.raw = false,
            "sane" => (shell.raw, shell.echo) = (false, true),
            "echo" => shell.echo = true,
            "-echo" => shell.echo = false,
            "size" => return say(format!("{} {}\n", shell.size.1, shell.size.0)),
            _ => {}
        }
    }
    Outcome::default()
}

/// What the container says about itself.
fn about(shell: &Shell, name: &str) -> Outcome {
    let now = jiff::Timestamp::now();
    say(match name {
        "ps" => {
            "PID   USER     TIME  COMMAND\n    1 root      0:00 /app/server\n   41 root      0:00 sh\n   42 root      0:00 ps\n".to_owned()
        }
        "id" => "uid=0(root) gid=0(root) groups=0(root)\n".to_owned(),
        "whoami" => "root\n".to_owned(),
        "hostname" => format!("{}\n", shell.host),
        "uname" => "Linux\n".to_owned(),
        "date" => now.strftime("%a %b %e %H:%M:%S UTC %Y\n").to_string(),
        "uptime" => now.strftime(" %H:%M:%S up 3 days,  load average: 0.12, 0.08, 0.05\n").to_string(),
        "tty" => "/dev/pts/0\n".to_owned(),
        "clear" => "\x1b[H\x1b[2J".to_owned(),
        _ => String::new(),
    })
}
