//! Files through a real shell in a pseudo-terminal, also where the image lacks the usual programs.

use super::*;
use crate::exec::{Ask, End, Said};
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::mpsc;

const NONCE: &str = "5f3a9c0e77d1b2aa";

/// A directory of this test alone, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let path = std::env::temp_dir().join(format!("midwatch-copy-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn file(&self, name: &str, bytes: &[u8], mode: u32) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    /// An image that has these programs and no others.
    fn image(&self, programs: &[&str]) -> PathBuf {
        let path = self.0.join("bin");
        fs::create_dir_all(&path).unwrap();
        for program in programs {
            let at = ["/usr/bin", "/bin"].iter().map(|folder| Path::new(folder).join(program)).find(|at| at.exists()).unwrap();
            symlink(at, path.join(program)).unwrap();
        }
        path
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.retain(|name| name != "bin");
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Runs a command as the agent would: split into words as by a shell, without one, in a terminal; its bytes go over a wire.
fn session(command: &str, path: Option<&Path>) -> Session {
    let shown = format!("printf '%s\\0' {command}");
    let words = std::process::Command::new("sh").args(["-c", &shown]).output().unwrap().stdout;
    let words: Vec<String> = String::from_utf8(words).unwrap().split_terminator('\0').map(str::to_owned).collect();
    // The shell itself is found before its search path is narrowed.
    let mut builder = CommandBuilder::new("/bin/sh");
    builder.args(&words[1..]);
    if let Some(path) = path {
        builder.env("PATH", path);
    }
    let pair = native_pty_system().openpty(PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 }).unwrap();
    let mut child = pair.slave.spawn_command(builder).unwrap();
    drop(pair.slave);
    let (mut reader, mut writer) = (pair.master.try_clone_reader().unwrap(), pair.master.take_writer().unwrap());
    let (asks, mut asked) = mpsc::channel(64);
    let (say, said) = mpsc::channel(256);
    std::thread::spawn(move || {
        let mut buffer = [0; 1024];
        while let Ok(n @ 1..) = reader.read(&mut buffer) {
            if say.blocking_send(Said::Output(buffer[..n].to_vec())).is_err() {
                break;
            }
        }
        let _ = child.kill();
        let _ = child.wait();
        let _ = say.blocking_send(Said::Ended(End::Closed(None)));
        drop(pair.master);
    });
    std::thread::spawn(move || {
        while let Some(ask) = asked.blocking_recv() {
            let Ask::Input(bytes) = ask else { continue };
            for piece in bytes.chunks(1024) {
                if writer.write_all(piece).is_err() {
                    return;
                }
            }
        }
    });
    Session { asks, said }
}

fn bytes(length: usize) -> Vec<u8> {
    let mut state = 7u64;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        state.to_be_bytes()[2]
    };
    std::iter::repeat_with(next).take(length).collect()
}

async fn fetch(from: &Path, to: &Path, path: Option<&Path>) -> Result<Copied, String> {
    let from = from.to_str().unwrap();
    let name = from.rsplit('/').next().unwrap();
    download(&mut session(&get(NONCE, from), path), NONCE, to, name, &mut |_, _| {}).await
}

async fn send(from: &Path, to: &str, path: Option<&Path>) -> Result<Copied, String> {
    let source = measure(from)?;
    let name = from.file_name().unwrap().to_str().unwrap();
    let mut session = session(&put(NONCE, to, &source, name), path);
    upload(&mut session, NONCE, source, &mut |_, _| {}).await
}

/// Programs of a small image that has all that copies like to have.
const ALL: &[&str] = &["stty", "sha256sum", "base64", "head", "wc", "ls", "rm", "mv", "chmod", "cat"];

#[test]
fn a_place_is_told_from_a_path() {
    let there = |task: &str, path: &str| Place::There(task.to_owned(), path.to_owned());
    let arn = "arn:aws:ecs:eu-west-1:123456789012:task/main/0123";
    for (text, place) in [
        ("0123:/etc/hosts", there("0123", "/etc/hosts")),
        ("0123:notes", there("0123", "notes")),
        (&*format!("{arn}:/tmp/x:y"), there(arn, "/tmp/x:y")),
        ("./a:b", Place::Here("./a:b".into())),
        ("/tmp/a:b", Place::Here("/tmp/a:b".into())),
        ("plain", Place::Here("plain".into())),
        (r"C:\x", Place::Here(r"C:\x".into())),
    ] {
        assert_eq!(Place::parse(text), place, "{text}");
    }
}

#[tokio::test]
async fn a_file_comes_out_whole_with_its_permissions() {
    let (there, here) = (Folder::new(), Folder::new());
    let content = bytes(1_000_003);
    let from = there.file("it's \"the\" $file", &content, 0o750);
    let copied = fetch(&from, &here.0, Some(&there.image(ALL))).await.unwrap();
    assert_eq!((copied.bytes, copied.proven), (1_000_003, Some("SHA-256")));
    let to = here.0.join("it's \"the\" $file");
    assert!(fs::read(&to).unwrap() == content, "the bytes differ");
    assert_eq!(fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o750);
    assert_eq!(here.names().len(), 1);
}

#[tokio::test]
async fn a_file_goes_in_whole_with_its_permissions() {
    let (there, here) = (Folder::new(), Folder::new());
    let content = bytes(1_000_003);
    let from = here.file("it's \"the\" $file", &content, 0o700);
    let copied = send(&from, there.0.to_str().unwrap(), Some(&there.image(ALL))).await.unwrap();
    let to = there.0.join("it's \"the\" $file");
    assert_eq!((copied.bytes, copied.proven, &*copied.to), (1_000_003, Some("SHA-256"), to.to_str().unwrap()));
    assert!(fs::read(&to).unwrap() == content, "the bytes differ");
    assert_eq!(fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(there.names().len(), 1, "{:?}", there.names());
}

#[tokio::test]
async fn a_terminal_that_cannot_be_made_raw_and_an_image_without_base64_still_copy() {
    let content = bytes(60_000);
    for programs in [&["base64", "head", "cksum", "wc", "rm", "mv", "chmod"][..], &["od", "wc", "rm", "mv", "chmod"][..]] {
        let (there, here) = (Folder::new(), Folder::new());
        let image = there.image(programs);
        let proven = programs.contains(&"cksum").then_some("CRC");
        let from = here.file("data", &content, 0o600);
        let to = there.0.join("data");
        let copied = send(&from, to.to_str().unwrap(), Some(&image)).await.unwrap();
        assert_eq!((copied.bytes, copied.proven), (60_000, proven), "{programs:?}");
        assert!(fs::read(&to).unwrap() == content, "the bytes that went in differ: {programs:?}");
        let back = here.0.join("back");
        let copied = fetch(&to, &back, Some(&image)).await.unwrap();
        assert_eq!((copied.bytes, copied.proven), (60_000, proven), "{programs:?}");
        assert!(fs::read(&back).unwrap() == content, "the bytes that came back differ: {programs:?}");
    }
}

#[tokio::test]
async fn an_empty_file_is_a_file() {
    let (there, here) = (Folder::new(), Folder::new());
    let from = here.file("empty", b"", 0o644);
    let to = there.0.join("empty");
    assert_eq!(send(&from, to.to_str().unwrap(), None).await.unwrap().bytes, 0);
    assert_eq!(fetch(&to, &here.0.join("again"), None).await.unwrap().bytes, 0);
    assert_eq!(fs::read(here.0.join("again")).unwrap(), b"");
}

#[tokio::test]
async fn what_cannot_be_copied_is_said_and_leaves_nothing() {
    let (there, here) = (Folder::new(), Folder::new());
    let nothing = there.0.join("nothing");
    let said = |result: Result<Copied, String>| result.unwrap_err();
    assert!(said(fetch(&nothing, &here.0, None).await).contains("has no file"));
    let bare = said(fetch(&there.0, &here.0, Some(&there.image(&["base64", "wc"]))).await);
    assert!(bare.contains("is a directory, and the image has no tar"), "{bare}");
    let data = there.file("data", b"data", 0o644);
    assert!(said(fetch(&data, &here.0, Some(&Folder::new().image(&["wc"]))).await).contains("neither base64 nor od"));
    let from = here.file("own", b"own", 0o644);
    assert!(said(send(&from, "/nowhere/at/all", None).await).contains("no directory /nowhere/at"));
    let bare = said(send(&here.0, "/tmp", Some(&there.0.join("bin"))).await);
    assert!(bare.contains("has no tar"), "{bare}");
    assert_eq!((there.names(), here.names()), (vec!["data".to_owned()], vec!["own".to_owned()]));
}

/// A directory as it may be found: long names, empty files, links, bits.
fn tree(folder: &Folder) -> PathBuf {
    let root = folder.0.join("tree");
    let deep = root.join(format!("a/{}/{}", "long".repeat(30), "name".repeat(30)));
    fs::create_dir_all(&deep).unwrap();
    fs::create_dir(root.join("empty")).unwrap();
    for (name, length, mode) in [("large", 300_007, 0o640), ("none", 0, 0o600), ("block", 512, 0o755)] {
        fs::write(root.join(name), bytes(length)).unwrap();
        fs::set_permissions(root.join(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    fs::write(deep.join("it's \"the\" $file\\n"), b"deep").unwrap();
    symlink("../large", root.join("a/link")).unwrap();
    fs::set_permissions(root.join("a"), fs::Permissions::from_mode(0o750)).unwrap();
    fs::set_permissions(root.join("empty"), fs::Permissions::from_mode(0o711)).unwrap();
    root
}

/// Everything below a directory: its name, its bits, and what is in it.
fn listed(root: &Path) -> Vec<(String, u32, Vec<u8>)> {
    let (mut found, mut todo) = (Vec::new(), vec![root.to_owned()]);
    while let Some(at) = todo.pop() {
        let meta = fs::symlink_metadata(&at).unwrap();
        let name = at.strip_prefix(root).unwrap().display().to_string();
        let content = if meta.is_dir() {
            todo.extend(fs::read_dir(&at).unwrap().map(|entry| entry.unwrap().path()));
            Vec::new()
        } else if meta.is_symlink() {
            fs::read_link(&at).unwrap().display().to_string().into_bytes()
        } else {
            fs::read(&at).unwrap()
        };
        found.push((name, meta.permissions().mode() & 0o777, content));
    }
    found.sort();
    found
}

/// What an image has for directories.
const TARRED: &[&str] = &["stty", "sha256sum", "base64", "head", "rm", "mv", "cp", "mkdir", "tar", "tee", "cat"];

#[tokio::test]
async fn a_directory_goes_in_and_comes_out_with_all_that_is_in_it() {
    for (programs, proven) in [(TARRED, Some("SHA-256")), (&["od", "rm", "mv", "mkdir", "tar"][..], None)] {
        let (there, here) = (Folder::new(), Folder::new());
        let (image, own) = (there.image(programs), tree(&here));
        // Under its own name where there is a directory, and under the one that is asked for where there is none.
        for (to, at) in [(there.0.clone(), there.0.join("tree")), (there.0.join("new"), there.0.join("new"))] {
            let copied = send(&own, to.to_str().unwrap(), Some(&image)).await.unwrap();
            assert_eq!((copied.bytes, copied.files, copied.proven), (300_523, Some(4), proven));
            assert_eq!((&*copied.to, copied.left), (at.to_str().unwrap(), Vec::new()));
            assert!(listed(&at) == listed(&own), "what went in differs: {programs:?}");
        }
        let back = here.0.join("back");
        let copied = fetch(&there.0.join("new"), &back, Some(&image)).await.unwrap();
        assert_eq!((copied.bytes, copied.files, copied.proven, copied.left), (300_523, Some(4), proven, Vec::new()));
        assert!(listed(&back) == listed(&own), "what came back differs: {programs:?}");
        assert_eq!((there.names(), here.names()), (vec!["new".to_owned(), "tree".to_owned()], vec!["back".to_owned(), "tree".to_owned()]));
    }
}

#[tokio::test]
async fn a_directory_that_is_there_keeps_what_else_it_has() {
    let (there, here) = (Folder::new(), Folder::new());
    let (image, own) = (there.image(TARRED), tree(&here));
    let wanted = listed(&own);
    for to in [&there.0, &there.0] {
        send(&own, to.to_str().unwrap(), Some(&image)).await.unwrap();
        fs::write(there.0.join("tree/a/other"), b"kept").unwrap();
        fs::write(there.0.join("tree/large"), b"old").unwrap();
    }
    send(&own, there.0.to_str().unwrap(), Some(&image)).await.unwrap();
    let mut got = listed(&there.0.join("tree"));
    got.retain(|(name, ..)| name != "a/other");
    assert!(got == wanted, "what went in differs");
    assert_eq!(fs::read(there.0.join("tree/a/other")).unwrap(), b"kept");
    fs::write(own.join("a/mine"), b"mine").unwrap();
    fs::write(own.join("large"), b"old").unwrap();
    fetch(&there.0.join("tree"), &here.0, Some(&image)).await.unwrap();
    assert_eq!(fs::read(own.join("a/mine")).unwrap(), b"mine");
    assert!(fs::read(own.join("large")).unwrap() == bytes(300_007));
    assert_eq!((there.names(), here.names()), (vec!["tree".to_owned()], vec!["tree".to_owned()]));
}

#[tokio::test]
async fn what_stays_behind_of_a_directory_is_said() {
    let (there, here) = (Folder::new(), Folder::new());
    let own = tree(&there);
    symlink("/etc/passwd", own.join("out")).unwrap();
    let socket = std::os::unix::net::UnixListener::bind(own.join("socket")).unwrap();
    let copied = fetch(&own, &here.0, None).await.unwrap();
    assert_eq!(copied.files, Some(4));
    let left = copied.left.join("; ");
    assert!(left.contains("out is a link that leads out, to /etc/passwd"), "{left}");
    assert!(!here.0.join("tree/out").exists() && fs::symlink_metadata(here.0.join("tree/out")).is_err());
    let copied = send(&own, here.0.join("again").to_str().unwrap(), None).await.unwrap();
    assert!(copied.left.join("; ").contains("socket is no file"), "{:?}", copied.left);
    drop(socket);
}

/// A wire whose other end says this.
fn scripted(words: &[&str], end: End) -> (Session, mpsc::Receiver<Ask>) {
    let (asks, asked) = mpsc::channel(64);
    let (say, said) = mpsc::channel(256);
    for word in words {
        say.try_send(Said::Output(word.as_bytes().to_vec())).unwrap();
    }
    say.try_send(Said::Ended(end)).unwrap();
    (Session { asks, said }, asked)
}

#[tokio::test]
async fn a_copy_that_is_cut_or_garbled_gets_no_name() {
    let head = format!("\r\n@{NONCE} H b 3 -rw-r--r--\r\n");
    let tail = format!("\r\n@{NONCE} E none\r\n");
    let wrong = format!("\r\n@{NONCE} E sha256 00\r\n");
    for (words, told) in [
        (vec![&*head, "YWI="], "before the copy was whole"),
        (vec![&*head, "YW\u{1b}[31mI=\r\n", &*tail], "neither the file nor an answer"),
        (vec![&*head, "YWI=\r\n", &*tail], "2 of 3 bytes"),
        (vec![&*head, "YWJj\r\n", &*wrong], "differs"),
    ] {
        let here = Folder::new();
        let (mut wire, _asked) = scripted(&words, End::Closed(None));
        let error = download(&mut wire, NONCE, &here.0.join("x"), "x", &mut |_, _| {}).await.unwrap_err();
        assert!(error.contains(told), "{error}");
        assert_eq!(here.names(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_container_without_a_shell_says_so() {
    let why = "\n----------ERROR-------\nUnable to start command: exec: \"sh\": executable file not found in $PATH";
    let (mut wire, _asked) = scripted(&[], End::Closed(Some(why.into())));
    let here = Folder::new();
    let error = download(&mut wire, NONCE, &here.0, "x", &mut |_, _| {}).await.unwrap_err();
    assert!(error.contains("does not have the command"), "{error}");
}

#[test]
fn permission_bits_are_read_from_what_ls_says() {
    assert_eq!(permissions("-rwxr-x---"), Some(0o750));
    assert_eq!(permissions("-rw-r--r--+"), Some(0o644));
    assert_eq!(permissions("-"), None);
}
