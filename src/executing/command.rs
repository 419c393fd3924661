//! The command line that goes to the agent, and how the exit code of what it runs comes back: the protocol has none, so a line of the
//! output says it, which nobody sees.
//!
//! Texts in, texts and bytes out.

/// The shell that is opened without a command: bash where there is one. `exec` of what is missing would end some shells, so it is asked first.
pub const SHELL: &str = "sh -c 'command -v bash >/dev/null && exec bash; exec sh'";

/// Quotes a word for a shell, and for the agent, which splits its command as a shell would.
pub fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./=:@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

/// What a shell runs for the words of a command line: one word is a line of shell, several are a program and its arguments.
pub fn script(words: &[String]) -> String {
    match words {
        [line] => line.clone(),
        words => words.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" "),
    }
}

/// A mark that no program prints by chance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark(String);

impl Mark {
    /// A mark made of random digits.
    pub fn new(random: &str) -> Mark {
        Mark(random.chars().filter(char::is_ascii_alphanumeric).collect())
    }

    /// The arguments of `printf` that print it. In two parts, so that a list of processes does not hold it.
    fn printed(&self) -> String {
        let (first, second) = self.0.split_at(self.0.len() / 2);
        format!("{first} {second}")
    }
}

/// What feeds the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feeds {
    /// A terminal, as it is.
    Terminal,
    /// Bytes of any kind, up to an end: they go through the terminal in letters.
    Bytes,
    /// Nothing: the terminal's end of a file.
    Nothing,
}

/// The command for the agent. It prints the mark and `go` when it listens, and the mark and the exit code at its end.
pub fn wrapped(script: &str, mark: &Mark, feeds: Feeds, plain_lines: bool) -> String {
    let mark = mark.printed();
    // Without this the terminal would send back what it is fed, and end lines with two characters.
    let stty = match (feeds, plain_lines) {
        (Feeds::Terminal, false) => "",
        (Feeds::Terminal, true) => "stty -onlcr 2>/dev/null; ",
        (_, false) => "stty -echo 2>/dev/null; ",
        (_, true) => "stty -echo -onlcr 2>/dev/null; ",
    };
    let inner = format!("sh -c {}", quote(script));
    let fed = if feeds == Feeds::Bytes { format!("base64 -d | {inner}") } else { inner };
    let whole = format!("{stty}printf '%s%s:go\\n' {mark}; {fed}; printf '\\n%s%s:%d\\n' {mark} $?");
    format!("sh -c {}", quote(&whole))
}

/// What the output says.
#[derive(Debug, PartialEq, Eq)]
pub enum Told {
    /// Bytes of the command's own.
    Bytes(Vec<u8>),
    /// It listens.
    Go,
    /// It has ended with this code.
    Code(u8),
}

/// Takes the marks out of the output.
#[derive(Debug)]
pub struct Filter {
    mark: Vec<u8>,
    /// What may be the beginning of a mark.
    held: Vec<u8>,
    going: bool,
    over: bool,
}

impl Filter {
    pub fn new(mark: &Mark) -> Filter {
        Filter { mark: format!("{}:", mark.0).into_bytes(), held: Vec::new(), going: false, over: false }
    }

    /// Takes the next bytes.
    pub fn take(&mut self, bytes: &[u8]) -> Vec<Told> {
        self.held.extend_from_slice(bytes);
        let mut told = Vec::new();
        while !self.over {
            let Some(at) = memchr::memmem::find(&self.held, &self.mark) else {
                self.let_go(&mut told);
                break;
            };
            let rest = &self.held[at + self.mark.len()..];
            let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
                // Its line is not whole yet; a code or a word is short.
                if rest.len() < 16 {
                    break;
                }
                self.pass(at + self.mark.len(), &mut told);
                continue;
            };
            let word = rest[..end].trim_ascii().to_vec();
            let next = at + self.mark.len() + end + 1;
            if word == b"go" && !self.going {
                self.going = true;
                // What came before is of no command: a greeting of the agent's, or an echo.
                self.held.drain(..next);
                told.push(Told::Go);
            } else if let Some(code) = std::str::from_utf8(&word).ok().and_then(|word| word.parse::<u8>().ok()) {
                // The line break before the mark is ours.
                let own = self.held[..at].strip_suffix(b"\n").map_or(at, |rest| rest.strip_suffix(b"\r").unwrap_or(rest).len());
                self.pass(own, &mut told);
                told.push(Told::Code(code));
                self.over = true;
            } else {
                self.pass(next, &mut told);
            }
        }
        told
    }

    /// What was held back and turned out to be no mark.
    pub fn rest(&mut self) -> Vec<u8> {
        if self.over { Vec::new() } else { std::mem::take(&mut self.held) }
    }

    fn pass(&mut self, count: usize, told: &mut Vec<Told>) {
        let bytes: Vec<u8> = self.held.drain(..count).collect();
        if self.going && !bytes.is_empty() {
            told.push(Told::Bytes(bytes));
        }
    }

    /// Lets everything go that cannot be the beginning of a mark with its line break.
    fn let_go(&mut self, told: &mut Vec<Told>) {
        if !self.going {
            // A closing text of the agent's may come instead of the mark; until then it is kept.
            return;
        }
        let line = |breaks: &[u8]| [breaks, &self.mark].concat();
        let longest = |whole: &[u8]| (1..=whole.len().min(self.held.len())).rev().find(|&n| self.held.ends_with(&whole[..n])).unwrap_or(0);
        let keep = [line(b"\r\n"), line(b"\n")].iter().map(|whole| longest(whole)).max().unwrap_or(0);
        self.pass(self.held.len() - keep, told);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn mark() -> Mark {
        Mark::new("0123456789abcdef")
    }

    fn told(chunks: &[&[u8]]) -> (Vec<u8>, Option<u8>, bool) {
        let mut filter = Filter::new(&mark());
        let all: Vec<Told> = chunks.iter().flat_map(|chunk| filter.take(chunk)).collect();
        let bytes = all.iter().filter_map(|told| if let Told::Bytes(bytes) = told { Some(bytes.clone()) } else { None }).flatten();
        let code = all.iter().find_map(|told| if let Told::Code(code) = told { Some(*code) } else { None });
        (bytes.collect(), code, all.contains(&Told::Go))
    }

    #[test]
    fn words_are_quoted_so_that_a_shell_gives_them_back() {
        let words = ["ls", "-l", "a b", "it's", "", "$HOME", "grün"];
        let line = words.map(quote).join(" ");
        assert_eq!(line, r"ls -l 'a b' 'it'\''s' '' '$HOME' 'grün'");
        let printed = std::process::Command::new("sh").args(["-c", &format!("printf '%s|' {line}")]).output().unwrap();
        assert_eq!(String::from_utf8(printed.stdout).unwrap(), "ls|-l|a b|it's||$HOME|grün|");
    }

    #[test]
    fn one_word_is_a_line_of_shell_and_several_are_a_program() {
        assert_eq!(script(&["ls | wc -l".into()]), "ls | wc -l");
        assert_eq!(script(&["echo".into(), "a  b".into(), "$x".into()]), "echo 'a  b' '$x'");
    }

    /// Runs what the agent would run, with a pipe where it has a terminal.
    fn run(script: &str, feeds: Feeds, input: &str) -> (Vec<u8>, Option<u8>) {
        use std::io::Write as _;
        let whole = wrapped(script, &mark(), feeds, true);
        let mut shell = std::process::Command::new("sh");
        let shell = shell.args(["-c", &whole]).stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
        let mut child = shell.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let (bytes, code, going) = told(&[&output.stdout]);
        assert!(going);
        (bytes, code)
    }

    #[test]
    fn the_exit_code_of_the_command_comes_back_and_its_output_is_its_own() {
        assert_eq!(run("printf 'a\\nb'", Feeds::Nothing, ""), (b"a\nb".to_vec(), Some(0)));
        assert_eq!(run("echo it\\'s; exit 7", Feeds::Nothing, ""), (b"it's\n".to_vec(), Some(7)));
        assert_eq!(run("no-such-program 2>/dev/null", Feeds::Nothing, ""), (Vec::new(), Some(127)));
        assert_eq!(run("kill -9 $$", Feeds::Nothing, "").1, Some(137));
        assert_eq!(run("cat # a comment", Feeds::Bytes, "AP8KAw==\n"), (vec![0, 255, 10, 3], Some(0)));
        assert_eq!(run("cat", Feeds::Terminal, "typed\n"), (b"typed\n".to_vec(), Some(0)));
    }

    #[test]
    fn a_list_of_processes_does_not_hold_the_mark() {
        assert!(!wrapped("ps", &mark(), Feeds::Nothing, true).contains("0123456789abcdef"));
    }

    #[test]
    fn a_terminals_line_breaks_and_what_came_before_are_taken_out() {
        let output = b"motd\r\n0123456789abcdef:go\r\nhello\r\n\r\n0123456789abcdef:3\r\n";
        assert_eq!(told(&[output]), (b"hello\r\n".to_vec(), Some(3), true));
    }

    #[test]
    fn what_only_looks_like_a_mark_passes() {
        let output = b"0123456789abcdef:go\n0123456789abcdef:%d 01234567\n0123456789abcdef:go\nx\n0123456789abcdef:0\n";
        let (bytes, code, _) = told(&[output]);
        assert_eq!(String::from_utf8(bytes).unwrap(), "0123456789abcdef:%d 01234567\n0123456789abcdef:go\nx");
        assert_eq!(code, Some(0));
    }

    #[test]
    fn output_that_ends_without_a_mark_is_kept_to_be_shown() {
        let mut filter = Filter::new(&mark());
        assert_eq!(filter.take(b"Unable to start command: sh not found\n"), []);
        assert_eq!(filter.rest(), b"Unable to start command: sh not found\n");
    }

    proptest! {
        #[test]
        fn however_the_output_is_cut_the_same_comes_out(body in "[a-f0-9:\n\r]{0,60}", cuts in proptest::collection::vec(0_usize..140, 0..6)) {
            let output = format!("0123456789abcdef:go\r\n{body}\r\n0123456789abcdef:42\r\n").into_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(output.len())).collect();
            cuts.sort_unstable();
            let mut chunks = Vec::new();
            let mut from = 0;
            for cut in cuts {
                chunks.push(&output[from..cut]);
                from = cut;
            }
            chunks.push(&output[from..]);
            let (bytes, code, _) = told(&chunks);
            prop_assert_eq!(String::from_utf8(bytes).unwrap(), body);
            prop_assert_eq!(code, Some(42));
        }
    }
}
