//! The language of the small shell: commands joined by `;`, `&&` and `||`, quotes, variables, redirections into files. No pipes, no loops.

use super::Lasting;
use super::commands;
use super::files::{Files, absolute};
use std::collections::VecDeque;

/// What comes of a step.
#[derive(Debug, PartialEq)]
pub(super) enum Step {
    /// Something to show; it may be nothing.
    Said(Vec<u8>),
    /// A program that takes its time.
    Lasting(Lasting),
    /// From now on lines are read.
    Interactive,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Join {
    Always,
    And,
    Or,
}

/// A word before variables are put in: texts, and whether variables count in them.
type Word = Vec<(String, bool)>;

#[derive(Debug)]
struct Command {
    join: Join,
    words: Vec<Word>,
    /// Descriptor, file, and whether to append.
    redirects: Vec<(u8, Word, bool)>,
}

/// What a command leaves behind.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Outcome {
    pub(super) out: Vec<u8>,
    pub(super) error: String,
    pub(super) status: i32,
    pub(super) next: Option<Next>,
}

/// What follows a command.
#[derive(Debug, PartialEq)]
pub(super) enum Next {
    Lasting(Lasting),
    Interactive,
    Exit,
}

/// The state of a shell.
pub(super) struct Shell {
    pub(super) environment: Vec<(String, String)>,
    pub(super) files: Files,
    pub(super) folder: String,
    pub(super) host: String,
    pub(super) size: (u16, u16),
    pub(super) status: i32,
    pub(super) echo: bool,
    pub(super) raw: bool,
    queue: VecDeque<Command>,
    over: bool,
}

/// Whether there is a program of this name.
pub(super) fn has(name: &str) -> bool {
    commands::NAMES.contains(&name)
}

impl Shell {
    pub(super) fn new(environment: &[(String, String)], container: &str, size: (u16, u16)) -> Self {
        let host = environment.iter().find(|(name, _)| name == "HOSTNAME").map_or(container, |(_, value)| value).to_owned();
        let mut environment = environment.to_vec();
        for (name, value) in [("HOME", "/root"), ("PATH", "/usr/local/bin:/usr/bin:/bin"), ("PWD", "/app"), ("TERM", "xterm-256color")] {
            environment.retain(|(known, _)| known != name);
            environment.push((name.to_owned(), value.to_owned()));
        }
        Self {
            environment,
            files: Files::new(&host),
            folder: "/app".to_owned(),
            host,
            size,
            status: 0,
            echo: true,
            raw: false,
            queue: VecDeque::new(),
            over: false,
        }
    }

    pub(super) fn prompt(&self) -> String {
        format!("{} # ", self.folder)
    }

    pub(super) fn over(&self) -> bool {
        self.over
    }

    pub(super) fn interrupted(&mut self) {
        self.queue.clear();
        self.status = 130;
    }

    /// Reads a script; its commands come one by one out of [`Shell::step`].
    pub(super) fn queue(&mut self, script: &str) {
        match parse(script) {
            Ok(commands) => self.queue.extend(commands),
            Err(why) => {
                let word = vec![("echo".to_owned(), false)];
                let told = vec![(format!("sh: {why}"), false)];
                self.queue.push_back(Command { join: Join::Always, words: vec![word, told], redirects: Vec::new() });
                self.status = 2;
            }
        }
    }

    /// One command, taken as it is.
    pub(super) fn queue_words(&mut self, words: &[String]) {
        let words = words.iter().map(|word| vec![(word.clone(), false)]).collect();
        self.queue.push_back(Command { join: Join::Always, words, redirects: Vec::new() });
    }

    /// Does the next command; none if there is none.
    pub(super) fn step(&mut self) -> Option<Step> {
        while !self.over {
            let command = self.queue.pop_front()?;
            let runs = match command.join {
                Join::Always => true,
                Join::And => self.status == 0,
                Join::Or => self.status != 0,
            };
            if runs {
                return Some(self.run(&command));
            }
        }
        None
    }

    fn run(&mut self, command: &Command) -> Step {
        let words: Vec<String> = command.words.iter().map(|word| self.expand(word)).collect();
        let mut outcome = match words.split_first() {
            None => Outcome::default(),
            Some((name, arguments)) => commands::run(self, name, arguments),
        };
        self.status = outcome.status;
        for (descriptor, word, append) in &command.redirects {
            let path = self.expand(word);
            let bytes = match descriptor {
                2 => std::mem::take(&mut outcome.error).into_bytes(),
                _ => std::mem::take(&mut outcome.out),
            };
            if let Err(why) = self.files.write(&absolute(&self.folder, &path), &bytes, *append) {
                outcome.error = format!("sh: can't create {path}: {why}\n");
                self.status = 1;
            }
        }
        match outcome.next {
            Some(Next::Lasting(lasting)) => return Step::Lasting(lasting),
            Some(Next::Interactive) => {
                self.queue.clear();
                return Step::Interactive;
            }
            Some(Next::Exit) => self.over = true,
            None => {}
        }
        let mut said = outcome.out;
        said.extend_from_slice(outcome.error.as_bytes());
        Step::Said(said)
    }

    fn expand(&self, word: &Word) -> String {
        word.iter().map(|(text, counts)| if *counts { self.variables(text) } else { text.clone() }).collect()
    }

    fn variables(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            out.push_str(before);
            let braced = after.strip_prefix('{').and_then(|inner| inner.split_once('}'));
            let (name, next) = match (braced, after.chars().next()) {
                (Some((name, next)), _) => (name, next),
                (None, Some('?' | '$')) => after.split_at(1),
                _ => after.split_at(after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len())),
            };
            match name {
                "?" => out.push_str(&self.status.to_string()),
                "$" => out.push_str("41"),
                "" => out.push('$'),
                name => out.push_str(self.environment.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)),
            }
            rest = next;
        }
        out.push_str(rest);
        out
    }
}

/// Cuts a script into commands.
fn parse(script: &str) -> Result<Vec<Command>, String> {
    let mut commands = Vec::new();
    let mut reader = Reader { rest: script.chars().collect::<Vec<_>>().into(), ..Reader::default() };
    while let Some(c) = reader.rest.pop_front() {
        match c {
            ' ' | '\t' | '\r' => reader.end_word(),
            ';' | '\n' => reader.end_command(&mut commands, Join::Always),
            '&' if reader.follows('&') => reader.end_command(&mut commands, Join::And),
            '|' if reader.follows('|') => reader.end_command(&mut commands, Join::Or),
            '|' => return Err("pipes are not part of the built-in shell".to_owned()),
            '&' => return Err("jobs are not part of the built-in shell".to_owned()),
            '(' | ')' | '`' => return Err("subshells are not part of the built-in shell".to_owned()),
            '<' => return Err("reading from a file by < is not part of the built-in shell".to_owned()),
            '#' if !reader.begun => {
                while reader.rest.front().is_some_and(|c| *c != '\n') {
                    reader.rest.pop_front();
                }
            }
            '>' => reader.redirect(),
            '\'' | '"' => reader.quoted(c)?,
            '\\' => {
                let next = reader.rest.pop_front().ok_or("unexpected end of file")?;
                reader.push(next, false);
            }
            c => reader.push(c, true),
        }
    }
    reader.end_command(&mut commands, Join::Always);
    Ok(commands)
}

#[derive(Default)]
struct Reader {
    rest: VecDeque<char>,
    words: Vec<Word>,
    word: Word,
    begun: bool,
    redirects: Vec<(u8, Word, bool)>,
    /// The word that follows is the file of a redirection.
    into: Option<(u8, bool)>,
    join: Option<Join>,
}

impl Reader {
    fn follows(&mut self, wanted: char) -> bool {
        let follows = self.rest.front() == Some(&wanted);
        if follows {
            self.rest.pop_front();
        }
        follows
    }

    fn push(&mut self, c: char, counts: bool) {
        self.begun = true;
        match self.word.last_mut() {
            Some((text, same)) if *same == counts => text.push(c),
            _ => self.word.push((c.to_string(), counts)),
        }
    }

    fn quoted(&mut self, quote: char) -> Result<(), String> {
        self.begun = true;
        loop {
            match self.rest.pop_front().ok_or("unterminated quoted string")? {
                c if c == quote => return Ok(()),
                '\\' if quote == '"' => match self.rest.pop_front().ok_or("unterminated quoted string")? {
                    c @ ('"' | '\\' | '$' | '`') => self.push(c, false),
                    c => {
                        self.push('\\', false);
                        self.push(c, false);
                    }
                },
                c => self.push(c, quote == '"'),
            }
        }
    }

    fn redirect(&mut self) {
        let descriptor = match &self.word[..] {
            [(text, true)] if text == "2" => Some(2),
            [(text, true)] if text == "1" => Some(1),
            _ => None,
        };
        if descriptor.is_some() {
            self.word.clear();
            self.begun = false;
        }
        self.end_word();
        let append = self.follows('>');
        if self.follows('&') {
            // `2>&1`: both are shown together anyway.
            self.rest.pop_front();
            return;
        }
        self.into = Some((descriptor.unwrap_or(1), append));
    }

    fn end_word(&mut self) {
        if !std::mem::take(&mut self.begun) {
            return;
        }
        let word = std::mem::take(&mut self.word);
        match self.into.take() {
            Some((descriptor, append)) => self.redirects.push((descriptor, word, append)),
            None => self.words.push(word),
        }
    }

    fn end_command(&mut self, commands: &mut Vec<Command>, next: Join) {
        self.end_word();
        let (words, redirects) = (std::mem::take(&mut self.words), std::mem::take(&mut self.redirects));
        let join = self.join.replace(next).unwrap_or(Join::Always);
        if !words.is_empty() || !redirects.is_empty() {
            commands.push(Command { join, words, redirects });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(script: &str) -> String {
        let environment = [("GREETING".to_owned(), "good night".to_owned())];
        let mut shell = Shell::new(&environment, "app", (80, 24));
        shell.queue(script);
        let mut all = Vec::new();
        while let Some(step) = shell.step() {
            match step {
                Step::Said(text) => all.extend(text),
                other => all.extend(format!("{other:?}\n").into_bytes()),
            }
        }
        String::from_utf8_lossy(&all).into_owned()
    }

    #[test]
    fn commands_follow_one_another_by_their_status() {
        assert_eq!(said("true && echo yes || echo no"), "yes\n");
        assert_eq!(said("false && echo yes || echo no; echo end"), "no\nend\n");
        assert_eq!(said("nosuch; echo $?"), "sh: nosuch: not found\n127\n");
        assert_eq!(said("echo one; exit 3; echo two"), "one\n");
    }

    #[test]
    fn a_nonce_with_the_status_is_printed_as_by_any_shell() {
        assert_eq!(said("cat /nosuch; printf \"\\n7f3a:%d\\n\" $?"), "cat: can't open '/nosuch': No such file or directory\n\n7f3a:1\n");
    }

    #[test]
    fn a_better_shell_is_looked_for_in_vain_and_this_one_goes_on() {
        for script in ["command -v bash >/dev/null 2>&1 && exec bash; exec sh", "[ -x /bin/bash ] && exec /bin/bash || exec /bin/sh"] {
            assert_eq!(said(script), "Interactive\n", "{script}");
        }
    }

    #[test]
    fn variables_count_outside_single_quotes() {
        assert_eq!(said("echo $GREETING '$GREETING' \"${GREETING}!\" \\$x"), "good night $GREETING good night! $x\n");
    }

    #[test]
    fn what_is_written_can_be_read() {
        assert_eq!(said("cd /tmp; echo one > a; echo two >> a; cat a; ls; rm a; ls"), "one\ntwo\na\n");
        assert_eq!(said("echo x > /nosuch/a"), "sh: can't create /nosuch/a: nonexistent directory\n");
    }

    #[test]
    fn what_it_does_not_know_it_says() {
        assert_eq!(said("ls | wc"), "sh: pipes are not part of the built-in shell\n");
        assert_eq!(said("echo 'oops"), "sh: unterminated quoted string\n");
    }
}
