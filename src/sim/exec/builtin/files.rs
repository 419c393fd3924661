//! The files of the made-up container: a few that every image has, and what is written into them while a session lasts.

use std::collections::BTreeMap;

/// What may be written in one session.
const MOST: usize = 1 << 20;

/// A tree by full paths; folders are what paths lie in.
#[derive(Debug)]
pub(super) struct Files {
    files: BTreeMap<String, Vec<u8>>,
    folders: Vec<String>,
}

impl Files {
    pub(super) fn new(host: &str) -> Self {
        let text = |path: &str, text: &str| (path.to_owned(), text.as_bytes().to_vec());
        let files = BTreeMap::from([
            text("/app/config.yaml", "log:\n  level: info\nserver:\n  port: 8080\n  shutdown: 20s\n"),
            text("/app/README", "What runs here was made up. Nothing in this container is real.\n"),
            text("/app/VERSION", "1.0.0\n"),
            text("/bin/sh", ""),
            text("/etc/hostname", &format!("{host}\n")),
            text("/etc/hosts", &format!("127.0.0.1\tlocalhost\n127.0.0.1\t{host}\n")),
            text("/etc/os-release", "NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID=3.22.1\nPRETTY_NAME=\"Alpine Linux v3.22\"\n"),
            text("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n"),
            text("/etc/resolv.conf", "nameserver 169.254.169.253\n"),
            text("/proc/1/comm", "app\n"),
            text("/proc/loadavg", "0.12 0.08 0.05 1/62 41\n"),
        ]);
        let folders = ["/", "/dev", "/root", "/tmp", "/var", "/var/log"].map(str::to_owned).to_vec();
        Self { files, folders }
    }

    pub(super) fn read(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path).map(Vec::as_slice)
    }

    pub(super) fn is_folder(&self, path: &str) -> bool {
        let inside = if path == "/" { "/".to_owned() } else { format!("{path}/") };
        self.folders.iter().any(|folder| folder == path) || self.files.keys().any(|file| file.starts_with(&inside))
    }

    /// Writes or appends.
    ///
    /// # Errors
    /// Why not, in a few words.
    pub(super) fn write(&mut self, path: &str, bytes: &[u8], append: bool) -> Result<(), &'static str> {
        if path == "/dev/null" {
            return Ok(());
        }
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        if self.is_folder(path) {
            return Err("Is a directory");
        }
        if !self.is_folder(if folder.is_empty() { "/" } else { folder }) {
            return Err("nonexistent directory");
        }
        let used: usize = self.files.values().map(Vec::len).sum();
        if used + bytes.len() > MOST {
            return Err("No space left on device");
        }
        let file = self.files.entry(path.to_owned()).or_default();
        if !append {
            file.clear();
        }
        file.extend_from_slice(bytes);
        Ok(())
    }

    pub(super) fn make_folder(&mut self, path: &str) {
        if !self.is_folder(path) {
            self.folders.push(path.to_owned());
        }
    }

    pub(super) fn remove(&mut self, path: &str) -> bool {
        self.files.remove(path).is_some()
    }

    /// Names in a folder with their size; folders have none.
    pub(super) fn list(&self, path: &str) -> Vec<(String, Option<usize>)> {
        let inside = if path == "/" { "/".to_owned() } else { format!("{path}/") };
        let mut found: BTreeMap<String, Option<usize>> = BTreeMap::new();
        let all = self.files.iter().map(|(path, bytes)| (path, Some(bytes.len()))).chain(self.folders.iter().map(|path| (path, None)));
        for (path, size) in all {
            let Some(rest) = path.strip_prefix(&inside).filter(|rest| !rest.is_empty()) else { continue };
            match rest.split_once('/') {
                Some((folder, _)) => found.insert(folder.to_owned(), None),
                None => found.insert(rest.to_owned(), size),
            };
        }
        found.into_iter().collect()
    }
}

/// A path from the root, without `.` and `..`.
pub(super) fn absolute(from: &str, path: &str) -> String {
    let mut parts: Vec<&str> = if path.starts_with('/') { Vec::new() } else { from.split('/').filter(|part| !part.is_empty()).collect() };
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}
