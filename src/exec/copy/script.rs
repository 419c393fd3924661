//! The container's end of a copy: three scripts for any POSIX shell, each in one command without line breaks.
//!
//! The agent splits a command into words as a shell would and runs it without one; hence `sh -c`, and what is variable comes as words of
//! its own, never as part of the script. A line of the script begins with `@` and the nonce, which no line of a file in base64 or in
//! numbers can. Every program beyond `sh` has a fallback or is named when it is missing.

use super::Source;

/// Raw, so that the terminal neither echoes nor changes a byte; without `stty` lines are short enough, and echoes are passed over.
const BEGIN: &str = r#"n=$1; f=$2; stty raw -echo 2>/dev/null; say() { printf "\n@%s %s\n" "$n" "$*"; }; has() { command -v "$1" >/dev/null 2>&1; }; sum() { if has sha256sum; then set -- $(sha256sum); echo "sha256 $1"; elif has cksum; then set -- $(cksum); echo "cksum $1"; else echo none; fi; }; "#;

/// Whether a stream can be summed up as it goes by. What is to be said of it goes to descriptor 5.
const BESIDE: &str = r#"q=; if has tee && [ -e /dev/fd/0 ] && [ "$(sum < /dev/null)" != none ]; then q=y; fi; "#;

/// A directory goes as an archive: nobody knows its length before. The last line has what `tar` complained of, its exit code, the checksum.
const GET: &str = r#"enc() { case $k in b) base64;; o) od -An -v -tx1;; esac; }; if [ ! -e "$f" ]; then say "X the container has no file $f"; exit; fi; if [ ! -r "$f" ]; then say "X the container may not read $f"; exit; fi; if has base64; then k=b; elif has od; then k=o; else say "X the image has neither base64 nor od: its files cannot be read over a terminal"; exit; fi; if [ -d "$f" ]; then if ! has tar; then say "X $f is a directory, and the image has no tar to send it with"; exit; fi; BESIDEpack() { e=$(tar -cf - -C "$f" . 2>&1 >&6); r=$?; printf "%.300s\nt%s\n" "$e" $r >&5; }; say "D $k"; exec 3>&1; if [ $q ]; then s=$({ { pack; } 6>&1 | { tee /dev/fd/4 | enc >&3; } 4>&1 | sum; } 5>&1); else s=$({ { pack; } 6>&1 | enc >&3; echo none; } 5>&1); fi; set -f; say E $s; exit; fi; if ! has wc; then say "X the image has no wc"; exit; fi; m=-; if has ls; then set -- $(ls -ldL "$f"); m=$1; fi; set -- $(wc -c < "$f"); say "H $k $1 $m"; enc < "$f"; say "E $(sum < "$f")""#;

/// What both ways in have: how bytes are read from the terminal.
const TAKE: &str = r#"m=$3; c=$4; if [ -d "$f" ]; then f=${f%/}/$5; fi; case $f in */*) d=${f%/*};; *) d=.;; esac; d=${d:-/}; if [ ! -d "$d" ]; then say "X the container has no directory $d"; exit; fi; t=$d/.$n; trap "exit 1" 1 2 15; if has base64 && has head; then k=b; else k=p; fi; take() { case $k in b) head -c "$c" | base64 -d;; p) while IFS= read -r l; do if [ "$l" = . ]; then break; fi; printf "$l"; done;; esac; }; "#;

const PUT: &str = r#"if [ -d "$f" ]; then say "X $f is a directory"; exit; fi; umask 077; if ! (: > "$t") 2>/dev/null; then say "X the container may not write to $d"; exit; fi; wipe() { rm -f "$t"; }; trap wipe 0; say "R $k"; e=$({ take > "$t"; } 2>&1); if [ -n "$e" ]; then say "X $e"; exit; fi; say "E $(sum < "$t")"; read -r a; case $a in y*) chmod "$m" "$t" 2>/dev/null; if mv -f "$t" "$f"; then say "K $f"; else say "X the container could not give it its name"; fi;; esac"#;

const PUT_ALL: &str = r#"if ! has tar; then say "X the image has no tar to unpack a directory with"; exit; fi; if [ -d "$f" ]; then if ! has cp; then say "X $f is there already, and the image has no cp to put the rest into it"; exit; fi; elif [ -e "$f" ]; then say "X $f is no directory"; exit; fi; if ! mkdir -m 700 "$t" 2>/dev/null; then say "X the container may not write to $d"; exit; fi; wipe() { rm -rf "$t"; }; trap wipe 0; BESIDEopen() { e=$(umask 0; tar -xf - -C "$t" 2>&1); r=$?; printf "%.300s\nt%s\n" "$e" $r >&5; }; say "R $k"; if [ $q ]; then s=$({ take 2>/dev/null | { tee /dev/fd/4 | open; } 4>&1 | sum; } 5>&1); else s=$({ take 2>/dev/null | open; echo none; } 5>&1); fi; set -f; say E $s; read -r a; case $a in y*) if [ -d "$f" ]; then e=$(cp -Rp "$t/." "$f/" 2>&1); else e=$(mv "$t" "$f" 2>&1); fi; if [ $? = 0 ]; then wipe; say "K $f"; else say "X $e"; fi;; esac"#;

/// The command that sends a file or a directory of the container.
#[must_use]
pub fn get(nonce: &str, path: &str) -> String {
    command(&[&format!("{BEGIN}{}", GET.replace("BESIDE", BESIDE)), "sh", nonce, path])
}

/// The command that takes in what is to be sent; `name` is what it is called in a directory.
#[must_use]
pub fn put(nonce: &str, path: &str, source: &Source, name: &str) -> String {
    let end = if source.is_directory() { PUT_ALL.replace("BESIDE", BESIDE) } else { PUT.to_owned() };
    let mode = format!("{:03o}", source.mode & 0o777);
    command(&[&format!("{BEGIN}{TAKE}{end}"), "sh", nonce, path, &mode, &super::lines::coded_length(source.wire).to_string(), name])
}

fn command(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    format!("sh -c {}", words.join(" "))
}

/// A word as a shell would read it back.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r#"'"'"'"#))
}

#[cfg(test)]
mod tests {
    use super::super::pack::Pack;
    use super::*;
    use std::path::PathBuf;

    #[test]
    fn a_command_is_one_line_and_its_words_come_back_whatever_is_in_them() {
        let path = "/tmp/it's \"$HOME\" \\ x";
        let command = get("n0", path);
        assert!(!command.contains('\n'));
        // Any shell reads them back: the script's own words are shown instead of run.
        let shown = command.replacen("sh -c ", "printf '%s\\n' ", 1);
        let out = std::process::Command::new("sh").args(["-c", &shown]).output().unwrap();
        let out = String::from_utf8(out.stdout).unwrap();
        let words: Vec<&str> = out.lines().collect();
        assert_eq!(words[1..], ["sh", "n0", path]);
        assert_eq!(words[0], format!("{BEGIN}{}", GET.replace("BESIDE", BESIDE)));
    }

    #[test]
    fn a_command_stays_below_what_a_request_takes() {
        // SSM takes no parameter of a document above 2,500 characters or so; the rest is left for the path.
        let source = |pack| Source { at: PathBuf::new(), wire: 1 << 60, bytes: 0, mode: 0o644, pack, left: Vec::new() };
        for source in [source(None), source(Some(Pack::default()))] {
            let length = put("0123456789abcdef", "", &source, "").len();
            assert!(length < 2000, "{length}");
        }
        let length = get("0123456789abcdef", "").len();
        assert!(length < 2000, "{length}");
    }
}
