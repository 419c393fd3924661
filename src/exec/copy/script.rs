//! The container's end of a copy: two scripts for any POSIX shell, each in one command without line breaks.
//!
//! The agent splits a command into words as a shell would and runs it without one; hence `sh -c`, and what is variable comes as words of
//! its own, never as part of the script. A line of the script begins with `@` and the nonce, which no line of a file in base64 or in
//! numbers can. Every program beyond `sh` has a fallback or is named when it is missing.

/// Raw, so that the terminal neither echoes nor changes a byte; without `stty` lines are short enough, and echoes are passed over.
const BEGIN: &str = r#"n=$1; f=$2; stty raw -echo 2>/dev/null; say() { printf "\n@%s %s\n" "$n" "$*"; }; has() { command -v "$1" >/dev/null 2>&1; }; sum() { if has sha256sum; then set -- $(sha256sum < "$1"); echo "sha256 $1"; elif has cksum; then set -- $(cksum < "$1"); echo "cksum $1"; else echo none; fi; }; "#;

const GET: &str = r#"if [ -d "$f" ]; then say "X $f is a directory: only files are copied; make an archive of it first"; exit; fi; if [ ! -e "$f" ]; then say "X the container has no file $f"; exit; fi; if [ ! -r "$f" ]; then say "X the container may not read $f"; exit; fi; if has base64; then k=b; elif has od; then k=o; else say "X the image has neither base64 nor od: its files cannot be read over a terminal"; exit; fi; if ! has wc; then say "X the image has no wc"; exit; fi; m=-; if has ls; then set -- $(ls -ldL "$f"); m=$1; fi; set -- $(wc -c < "$f"); say "H $k $1 $m"; case $k in b) base64 < "$f";; o) od -An -v -tx1 < "$f";; esac; say "E $(sum "$f")""#;

const PUT: &str = r#"m=$3; c=$4; if [ -d "$f" ]; then f=${f%/}/$5; fi; case $f in */*) d=${f%/*};; *) d=.;; esac; d=${d:-/}; if [ -d "$f" ]; then say "X $f is a directory"; exit; fi; if [ ! -d "$d" ]; then say "X the container has no directory $d"; exit; fi; t=$d/.$n; if ! (: > "$t") 2>/dev/null; then say "X the container may not write to $d"; exit; fi; wipe() { rm -f "$t"; }; trap wipe 0; trap "exit 1" 1 2 15; if has base64 && has head; then k=b; else k=p; fi; say "R $k"; case $k in b) e=$({ head -c "$c" | base64 -d > "$t"; } 2>&1);; p) e=$({ while IFS= read -r l; do if [ "$l" = . ]; then break; fi; printf "$l"; done > "$t"; } 2>&1);; esac; if [ -n "$e" ]; then say "X $e"; exit; fi; say "E $(sum "$t")"; read -r a; case $a in y*) chmod "$m" "$t" 2>/dev/null; if mv -f "$t" "$f"; then say "K $f"; else say "X the container could not give it its name"; fi;; esac"#;

/// The command that sends a file of the container.
#[must_use]
pub fn get(nonce: &str, path: &str) -> String {
    command(&[&format!("{BEGIN}{GET}"), "sh", nonce, path])
}

/// The command that takes a file of so many bytes in; `name` is what it is called in a directory.
#[must_use]
pub fn put(nonce: &str, path: &str, mode: u32, bytes: u64, name: &str) -> String {
    let mode = format!("{:03o}", mode & 0o777);
    command(&[&format!("{BEGIN}{PUT}"), "sh", nonce, path, &mode, &super::lines::coded_length(bytes).to_string(), name])
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
    use super::*;

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
        assert_eq!(words[0], format!("{BEGIN}{GET}"));
    }

    #[test]
    fn a_command_stays_below_what_a_request_takes() {
        // SSM takes no parameter of a document above 2,500 characters or so; half of it is left for the path.
        assert!(put("0123456789abcdef", "", 0o644, 1 << 60, "").len() < 1900);
    }
}
