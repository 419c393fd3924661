//! `midwatch exec`: a session inside a container without a screen, for terminals and for pipelines.
//!
//! What a session is and how it stays alive is [`crate::exec`]'s; here are the keyboard, the output, and the exit code. On a terminal every
//! key goes to the remote; the way out of one that hangs is Enter `~` `.`, as in ssh.

mod command;
mod escape;
mod letters;
mod streams;

use crate::aws::Clients;
use crate::change::journal::Record;
use crate::exec::link::Trust;
use crate::exec::notes::{Notes, To};
use crate::exec::session::{self, Options, Session};
use crate::exec::{Ask, End, Said};
use crate::finding::{self, CTX, Sought};
use crate::model::{Arn, Str};
use crate::store::Store;
use crate::terminal::raw::{self, Raw};
use command::{Feeds, Filter, Mark, Told, quote, script, wrapped};
use escape::{Escape, Typed};
use letters::Letters;
use std::io::IsTerminal as _;
use std::time::Duration;
use streams::{Modes, Signal};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Exit code without a session, or of one that was lost: as ssh says it, for 1 may be the command's own.
pub const NO_SESSION: u8 = 255;

/// What ending a session at AWS may take before the program ends without it.
const FAREWELL: Duration = Duration::from_secs(3);

/// Time in which a session ends by itself once its command has.
const LAST: Duration = Duration::from_secs(2);

/// The size where there is no terminal.
const SIZE: (u16, u16) = (120, 40);

/// What to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The task.
    pub sought: Sought,
    /// A container's name; needed where the task has several.
    pub container: Option<String>,
    /// What to run; a shell without.
    pub command: Vec<String>,
}

/// What to open, once it is found.
struct Place {
    cluster: Arn,
    task: Arn,
    container: Str,
}

/// Opens the session and stays until it ends; the exit code.
///
/// # Errors
/// One line about what the user must mend before there can be a session.
pub async fn execute(clients: &Clients, asked: &Asked, notes: &Notes, complain: &mut dyn FnMut(&str)) -> Result<u8, String> {
    let found = finding::find(clients, &mut Store::default(), &asked.sought).await?;
    let container = found.running()?.container(asked.container.as_deref())?;
    let place = Place { cluster: found.task.cluster.clone(), task: found.task.arn.clone(), container };
    let keyboard = std::io::stdin().is_terminal();
    let screen = std::io::stdout().is_terminal();
    let mark = Mark::new(&uuid::Uuid::new_v4().simple().to_string());
    let (feeds, line) = match (keyboard, asked.command.is_empty()) {
        // Whoever sits there sees the code, or asks the shell for it.
        (true, true) => (Feeds::Terminal, None),
        (true, false) => (Feeds::Terminal, Some(script(&asked.command))),
        (false, true) => (Feeds::Bytes, Some("sh".to_owned())),
        (false, false) => (if empty_input() { Feeds::Nothing } else { Feeds::Bytes }, Some(script(&asked.command))),
    };
    let command = line.as_ref().map_or_else(|| command::SHELL.to_owned(), |line| wrapped(line, &mark, feeds, !screen));
    let api = clients.api(CTX);
    let granted = Box::pin(api.execute_command(&place.cluster, &place.task, &place.container, &command)).await;
    let grant = match granted {
        Ok(grant) => grant,
        Err(error) => {
            complain(&if error.hint.is_empty() { error.what.to_string() } else { format!("{}. {}", error.what, error.hint) });
            return Ok(NO_SESSION);
        }
    };
    let opened = notes.opened(api, &grant, &to(&place, asked, api.region())).await;
    let opened = opened.unwrap_or_else(|(record, why)| {
        complain(&why);
        record
    });
    let size = raw::size().filter(|_| keyboard || screen).unwrap_or(SIZE);
    let session = session::open(api.clone(), grant, Options { size, trust: Trust::of(api) });
    let mut desk = Desk {
        session,
        filter: line.map(|_| Filter::new(&mark)),
        listens: feeds == Feeds::Terminal,
        letters: (feeds != Feeds::Terminal).then(Letters::default),
        escape: keyboard.then(Escape::default),
        code: None,
        modes: Modes::default(),
    };
    let taken = if keyboard { Some(Raw::enter().map_err(|error| format!("the terminal cannot be used: {error}"))?) } else { None };
    let input = if feeds == Feeds::Nothing { streams::nothing() } else { streams::input() };
    let end = desk.stay(input, complain).await;
    if screen && desk.code.is_none() && end != End::Closed(None) {
        desk.modes.put_back();
    }
    drop(taken);
    note(notes, &opened, clients, &end, complain).await;
    Ok(desk.finish(&end, complain).await)
}

async fn note(notes: &Notes, opened: &Record, clients: &Clients, end: &End, complain: &mut dyn FnMut(&str)) {
    if let Err((_, why)) = notes.ended(opened, clients.api(CTX).now(), end).await {
        complain(&why);
    }
}

/// What the journal says that was opened.
fn to(place: &Place, asked: &Asked, region: &str) -> To {
    let what = if asked.command.is_empty() { "open a shell" } else { "run a command" };
    let cli = format!(
        "aws ecs execute-command --region {region} --cluster {} --task {} --container {} --interactive --command …",
        quote(place.cluster.name()),
        quote(place.task.name()),
        quote(&place.container)
    );
    let what = format!("{what} in {} of {}", place.container, place.task.name());
    To { cluster: place.cluster.clone(), task: place.task.clone(), what: what.as_str().into(), cli: cli.as_str().into() }
}

/// Whether nothing will come from standard input, as under cron: then the image needs no `base64` for it.
fn empty_input() -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
        let Ok(metadata) = std::fs::metadata("/dev/stdin") else { return true };
        let null = std::fs::metadata("/dev/null").is_ok_and(|null| null.rdev() == metadata.rdev());
        metadata.file_type().is_char_device() && null
    }
    #[cfg(not(unix))]
    {
        false
    }
}

struct Desk {
    session: Session,
    /// Where the exit code is to come back.
    filter: Option<Filter>,
    /// Whether the remote takes what is typed or piped.
    listens: bool,
    /// Where input goes in letters.
    letters: Option<Letters>,
    escape: Option<Escape>,
    code: Option<u8>,
    /// What the remote has switched on in the terminal.
    modes: Modes,
}

impl Desk {
    /// Passes bytes on until it ends.
    async fn stay(&mut self, input: mpsc::Receiver<Vec<u8>>, complain: &mut dyn FnMut(&str)) -> End {
        let mut input = Some(input);
        let (output, mut written) = streams::output();
        let mut signals = streams::signals();
        let mut waiting: Option<Ask> = None;
        let end = loop {
            let typed = async {
                match &mut input {
                    Some(input) if self.listens && waiting.is_none() => input.recv().await,
                    _ => std::future::pending().await,
                }
            };
            let asks = self.session.asks.clone();
            let asking = async {
                match &waiting {
                    Some(_) => asks.reserve_owned().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                said = self.session.said.recv() => {
                    let shown = match said {
                        Some(Said::Ended(end)) => break end,
                        None => break End::Lost("the session ended without a word".to_owned()),
                        Some(said) => self.hear(said, complain),
                    };
                    if !shown.is_empty() && output.send(shown).await.is_err() {
                        // Whoever read the output has gone, as `head` does.
                        break End::Left;
                    }
                    if self.code.is_some() {
                        break End::Closed(None);
                    }
                }
                place = asking => {
                    let Ok(place) = place else { waiting = None; continue };
                    if let Some(ask) = waiting.take() {
                        place.send(ask);
                    }
                }
                piece = typed => if let Some(piece) = piece {
                    match self.read(&piece) {
                        Read::Ask(ask) => waiting = ask,
                        Read::Leave(ask) => {
                            if let Some(ask) = ask {
                                // The session ends: what does not go out now goes nowhere.
                                let _ = self.session.asks.try_send(ask);
                            }
                            break End::Left;
                        }
                    }
                } else {
                    input = None;
                    waiting = self.end_of_input();
                },
                signal = signals.recv() => match signal {
                    Some(Signal::Resized) => {
                        if let Some((columns, rows)) = raw::size() {
                            let _ = self.session.asks.try_send(Ask::Size { columns, rows });
                        }
                    }
                    Some(Signal::Stop) | None => break End::Left,
                },
            }
        };
        drop(output);
        // The last bytes go out before the program says anything of its own.
        let _ = timeout(FAREWELL, written.recv()).await;
        end
    }

    /// Takes in what the session says; what is to be shown.
    fn hear(&mut self, said: Said, complain: &mut dyn FnMut(&str)) -> Vec<u8> {
        let bytes = match said {
            Said::Output(bytes) => bytes,
            Said::Ready { message: Some(message), .. } => {
                complain(&line_of(&message));
                return Vec::new();
            }
            Said::Lost { attempt, why } => {
                complain(&format!("the connection is lost, trying again ({attempt}): {}", line_of(&why)));
                return Vec::new();
            }
            Said::Resumed => {
                complain("connected again");
                return Vec::new();
            }
            Said::Ready { .. } | Said::PortRefused | Said::Ended(_) => return Vec::new(),
        };
        let Some(filter) = &mut self.filter else {
            self.modes.follow(&bytes);
            return bytes;
        };
        let mut shown = Vec::new();
        for told in filter.take(&bytes) {
            match told {
                Told::Bytes(bytes) => shown.extend(bytes),
                Told::Go => self.listens = true,
                Told::Code(code) => self.code = Some(code),
            }
        }
        self.modes.follow(&shown);
        shown
    }

    /// What was typed or piped, as the remote is to hear it.
    fn read(&mut self, piece: &[u8]) -> Read {
        if let Some(letters) = &mut self.letters {
            let lines = letters.take(piece);
            return Read::Ask((!lines.is_empty()).then_some(Ask::Input(lines)));
        }
        let Some(escape) = &mut self.escape else { return Read::Ask(Some(Ask::Input(piece.to_vec()))) };
        let (mut out, mut leaves) = (Vec::new(), false);
        for typed in escape.take(piece) {
            match typed {
                Typed::Bytes(bytes) => out.extend(bytes),
                Typed::Leave => leaves = true,
                Typed::Help => streams::help(),
            }
        }
        let ask = (!out.is_empty()).then_some(Ask::Input(out));
        if leaves { Read::Leave(ask) } else { Read::Ask(ask) }
    }

    fn end_of_input(&mut self) -> Option<Ask> {
        self.letters.as_mut().map(|letters| Ask::Input(letters.end()))
    }

    /// Says how it ended, waits a moment for AWS to hear of it, and gives the exit code.
    async fn finish(mut self, end: &End, complain: &mut dyn FnMut(&str)) -> u8 {
        let rest = self.filter.as_mut().map(Filter::rest).unwrap_or_default();
        let Session { asks, mut said } = self.session;
        if self.code.is_some() {
            // The remote closes the channel now. To end the session before would be one call more, and for nothing.
            let ended = async { while said.recv().await.is_some_and(|said| !matches!(said, Said::Ended(_))) {} };
            let _ = timeout(LAST, ended).await;
        }
        drop(asks);
        // The session closes this once everything is tidied up.
        let _ = timeout(FAREWELL, async { while said.recv().await.is_some() {} }).await;
        let rest = String::from_utf8_lossy(&rest).into_owned();
        match end {
            _ if self.code.is_some() => return self.code.unwrap_or(NO_SESSION),
            End::Closed(None) if self.filter.is_none() => return 0,
            End::Closed(None) => complain(&format!("the session ended before the command did{}", quoted(&rest))),
            End::Closed(Some(why)) => complain(&line_of(why)),
            End::Left => {}
            End::Lost(why) | End::Refused(why) => complain(&line_of(why)),
        }
        NO_SESSION
    }
}

enum Read {
    Ask(Option<Ask>),
    Leave(Option<Ask>),
}

fn quoted(rest: &str) -> String {
    let rest = line_of(rest);
    if rest.is_empty() { String::new() } else { format!(": {rest}") }
}

fn line_of(text: &str) -> String {
    crate::text::clean(&text.split_whitespace().collect::<Vec<_>>().join(" ")).to_string()
}
