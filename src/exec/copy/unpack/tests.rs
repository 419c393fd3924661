//! Archives as no honest `tar` makes them, and those of other programs than the one at hand.

use super::*;
use proptest::prelude::*;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::sync::atomic::{AtomicU32, Ordering};

/// A directory of this test alone, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let path = std::env::temp_dir().join(format!("midwatch-unpack-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    /// Names of all that is in it, at any depth.
    fn names(&self) -> Vec<String> {
        let (mut names, mut todo) = (Vec::new(), vec![self.0.clone()]);
        while let Some(at) = todo.pop() {
            for entry in fs::read_dir(&at).unwrap() {
                let entry = entry.unwrap();
                names.push(entry.path().strip_prefix(&self.0).unwrap().display().to_string());
                if entry.file_type().unwrap().is_dir() {
                    todo.push(entry.path());
                }
            }
        }
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn entry(name: &[u8], kind: u8, link: &[u8], body: &[u8]) -> Vec<u8> {
    let mut block = vec![0; BLOCK];
    block[..name.len()].copy_from_slice(name);
    block[100..107].copy_from_slice(b"0004751");
    block[124..135].copy_from_slice(format!("{:011o}", body.len()).as_bytes());
    block[156] = kind;
    block[157..157 + link.len()].copy_from_slice(link);
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    block.extend_from_slice(body);
    block.resize(block.len().next_multiple_of(BLOCK), 0);
    block
}

fn archive(entries: &[Vec<u8>]) -> Vec<u8> {
    [entries.concat(), vec![0; 2 * BLOCK]].concat()
}

/// Unpacks in pieces as they might come.
fn unpack(archive: &[u8], to: &Path) -> Result<Vec<String>, String> {
    let mut all = Unpack::begin(to, "n0")?;
    for piece in archive.chunks(700) {
        all.take(piece)?;
    }
    assert!(all.is_whole());
    all.finish()
}

#[test]
fn a_name_that_leads_out_ends_the_copy_and_leaves_nothing() {
    for name in [&b"../x"[..], b"/tmp/midwatch-x", b"a/../../x", b"a/../x", b".."] {
        for kind in *b"0125" {
            let folder = Folder::new();
            let told = unpack(&archive(&[entry(b"good", b'0', b"", b"1"), entry(name, kind, b"good", b"")]), &folder.0.join("to"));
            assert!(told.unwrap_err().contains("leads out"), "{}", String::from_utf8_lossy(name));
            assert_eq!(folder.names(), Vec::<String>::new());
        }
    }
    assert!(!Path::new("/tmp/midwatch-x").exists());
}

#[test]
fn nothing_is_written_through_a_link_and_links_that_lead_out_are_left_out() {
    let folder = Folder::new();
    let outside = folder.0.join("outside");
    fs::create_dir(&outside).unwrap();
    let links: [(&[u8], &[u8]); 6] = [
        (b"a", outside.as_os_str().as_encoded_bytes()),
        (b"b", b"../outside"),
        (b"d/c", b"../../outside"),
        (b"e", b"d/../../outside"),
        (b"f", b""),
        (b"d/g", b"../h/i/.."),
    ];
    let mut entries: Vec<Vec<u8>> = links.iter().map(|(name, to)| entry(name, b'2', to, b"")).collect();
    entries.push(entry(b"good", b'2', b"d/in", b""));
    entries.push(entry(b"d/up", b'2', b"../good", b""));
    entries.push(entry(b"hard", b'1', b"../outside/secret", b""));
    entries.push(entry(b"pipe", b'6', b"", b""));
    let to = folder.0.join("to");
    let left = unpack(&archive(&entries), &to).unwrap();
    assert_eq!(left.len(), NOTES_AND_MORE, "{left:?}");
    assert!(left.iter().any(|note| note.contains("b is a link that leads out, to ../outside")), "{left:?}");
    assert_eq!(folder.names(), ["outside", "to", "to/d", "to/d/up", "to/good"]);
    assert_eq!(fs::read_link(to.join("d/up")).unwrap(), Path::new("../good"));
    // An entry below what is a link: the name is a directory by then, and the link has no place.
    let folder = Folder::new();
    let below = unpack(&archive(&[entry(b"l", b'2', b"d", b""), entry(b"l/x", b'0', b"", b"1")]), &folder.0.join("to"));
    assert!(below.unwrap_err().contains("cannot write"));
    assert_eq!(folder.names(), Vec::<String>::new());
}

const NOTES_AND_MORE: usize = super::super::NOTES + 1;

#[test]
fn a_directory_that_is_there_is_not_left_through_a_link_in_it() {
    let folder = Folder::new();
    let (to, outside) = (folder.0.join("to"), folder.0.join("outside"));
    fs::create_dir_all(&to).unwrap();
    fs::create_dir(&outside).unwrap();
    symlink(&outside, to.join("d")).unwrap();
    let told = unpack(&archive(&[entry(b"d/x", b'0', b"", b"1")]), &to).unwrap_err();
    assert!(told.contains("is a link"), "{told}");
    symlink(&outside, folder.0.join("link")).unwrap();
    assert!(unpack(&archive(&[]), &folder.0.join("link")).unwrap_err().contains("name what it leads to"));
    // A file that is a link gives way itself.
    fs::write(outside.join("own"), b"own").unwrap();
    symlink(outside.join("own"), to.join("f")).unwrap();
    unpack(&archive(&[entry(b"f", b'0', b"", b"new")]), &to).unwrap();
    assert_eq!((fs::read(to.join("f")).unwrap(), fs::read(outside.join("own")).unwrap()), (b"new".to_vec(), b"own".to_vec()));
    assert!(unpack(&archive(&[entry(b"f/x", b'0', b"", b"")]), &to).unwrap_err().contains("is no directory"));
    assert_eq!(folder.names(), ["link", "outside", "outside/own", "to", "to/d", "to/f"]);
}

#[test]
fn long_names_of_gnu_and_of_posix_are_read_and_bits_beyond_permissions_are_not() {
    let long = [b"d/".as_slice(), &b"n".repeat(150)].concat();
    let pax = |key: &str, value: &[u8]| {
        let rest = [b" ", key.as_bytes(), b"=", value, b"\n"].concat();
        let length = (rest.len()..rest.len() + 9).find(|length| length.to_string().len() + rest.len() == *length).unwrap();
        [length.to_string().as_bytes(), &rest].concat()
    };
    let gnu = [entry(b"././@LongLink", b'L', b"", &[&long[..], b"\0"].concat()), entry(b"short", b'0', b"", b"1")].concat();
    let posix = [entry(b"pax", b'x', b"", &[pax("mtime", b"1.5"), pax("path", &long)].concat()), entry(b"short", b'0', b"", b"2")].concat();
    for (from, wanted) in [(gnu, b"1"), (posix, b"2")] {
        let folder = Folder::new();
        let to = folder.0.join("to");
        assert_eq!(unpack(&archive(&[from, entry(b"next", b'0', b"", b"3"), entry(b"same", b'1', b"next", b"")]), &to), Ok(Vec::new()));
        let at = to.join(std::str::from_utf8(&long).unwrap());
        assert_eq!(fs::read(&at).unwrap(), wanted);
        assert_eq!(fs::metadata(&at).unwrap().permissions().mode() & 0o7777, 0o751);
        assert_eq!((fs::read(to.join("next")).unwrap(), fs::read(to.join("same")).unwrap()), (b"3".to_vec(), b"3".to_vec()));
    }
}

#[test]
fn an_archive_that_is_garbled_or_cut_keeps_nothing() {
    let folder = Folder::new();
    let mut garbled = archive(&[entry(b"x", b'0', b"", b"1")]);
    garbled[3] = b'y';
    assert!(unpack(&garbled, &folder.0.join("to")).unwrap_err().contains("cannot be read"));
    let mut cut = Unpack::begin(&folder.0.join("to"), "n0").unwrap();
    cut.take(&entry(b"x", b'0', b"", &[7; 600])[..900]).unwrap();
    assert!(!cut.is_whole());
    drop(cut);
    assert_eq!(folder.names(), Vec::<String>::new());
}

proptest! {
    #[test]
    fn no_header_makes_it_panic_or_leave_its_directory(mut block in proptest::collection::vec(any::<u8>(), BLOCK), kind in any::<u8>(), name in "[./a-c]{0,20}") {
        let folder = Folder::new();
        block[..100].fill(0);
        block[..name.len()].copy_from_slice(name.as_bytes());
        block[100..108].copy_from_slice(b"0000644\0");
        block[124..136].copy_from_slice(b"00000000003\0");
        block[156] = kind;
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        let mut all = Unpack::begin(&folder.0.join("to"), "n0").unwrap();
        let _ = all.take(&block).and_then(|()| all.take(&[0; 1536])).and_then(|()| all.finish().map(drop));
        let names = folder.names();
        prop_assert!(names.iter().all(|name| name == "to" || name.starts_with("to/")), "{names:?}");
    }
}
