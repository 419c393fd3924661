//! Midwatch: the map of the house.
//!
//! Feeds fill a store, panes read the store, keys become actions, actions become effects, and one function performs effects.
//!
//! ```text
//! poll ─ Update ─┐                                              ┌─ Effect ─ run::perform ─ terminal, files, polls
//!                ├─ run: drain what is queued ─ App::update ─ App ─ draw ─ terminal::Screen
//! key ── Action ─┘                                              └─ wanted feeds ─ Watcher::reconcile ─ polls
//! ```
//!
//! # The map
//!
//! | Modules | |
//! |---|---|
//! | [`run`], [`app`] | The only loop, and the whole program as a pure function of events: palette, prompts, history, header |
//! | [`terminal`], [`keys`], [`action`] | The screen and its input, the keymap, every verb of the operator in one table |
//! | [`panes`], [`view`], [`ui`], [`filter`] | One file for each pane, what an open pane is, the widgets that they share, what `/` takes |
//! | [`feed`], [`store`], [`watch`] | What can be watched, what is known of it, the polls that run |
//! | [`change`] | What an operator changes, as data: plans, the gate, the journal, and how a confirmed plan is carried out |
//! | [`aws`], [`budget`], [`retry`] | The only door to AWS: SDK to model, pages, credentials, errors in words; how often it may be asked |
//! | [`model`], [`verdict`], [`text`] | Plain values in AWS's words, the one judge of health and of causes, the gate for all text from outside |
//! | [`landing`] | A release on its way: two sides, pace, stages, one timeline, and how it ended; [`watching`] follows one without a screen |
//! | [`kept`] | Stopped tasks that AWS has forgotten: a day of evidence, which [`run`] also writes to a file |
//! | [`logs`] | The tail engine: where lines are, how they arrive, which are kept and shown |
//! | [`exec`] | Sessions inside containers: the SSM data channel and what is built on it; [`executing`] opens one without a screen |
//! | [`finding`], [`doctor`], [`copying`], [`forwarding`] | A task by what is typed at a shell; its session's doctor, files and ports, without a screen |
//! | [`explain`] | `midwatch explain`: the same judgement of saved texts and documents, without an account |
//! | [`cli`], [`config`], [`settings`], [`theme`], [`duration`], [`nearest`] | What the user says, and the nearest right name when it is wrong |
//! | [`sim`] | The embedded AWS: a loopback server over a world that moves |
//!
//! # What never changes
//!
//! `tests/walls.rs` reads the sources and holds the walls between modules; its tables say who may name whom.
//!
//! 1. **The screen never waits.** No `.await`, lock, clock or file in what updates and draws. Each poll is a task of its own, each
//!    attempt ends after ten seconds, and the loop serves the terminal before any answer, so that a hung endpoint delays no key.
//! 2. **One owner of state.** Polls send updates over one bounded channel; the loop takes in what is queued and draws once.
//! 3. **Nothing on screen lies.** A failed poll leaves the old value with its age and the error beside it. Polling never gives up. What a cap
//!    leaves out is counted in words.
//! 4. **Identity, not row.** Cursor, marks and scroll anchors are ARNs or ids of lines. What vanished under the cursor stays as a ghost.
//! 5. **One gate for writes.** Every change is a [`change::Plan`] that was shown and confirmed; [`change::apply`] reads again what it rests on,
//!    writes the intent into the journal and sends it through `aws::Api::send`, the only door, which asks [`change::gate`] first. No key
//!    gets round it: `tests/changes_send` tries every call in every way of being read-only. What was begun is never aborted.
//! 6. **Cancellation is structural.** The feeds that the visible view wants are the polls that run; dropping one ends it wherever it stands. No
//!    pane cancels anything by hand.
//! 7. **A good citizen.** At most a quarter of each published rate; a throttle halves a bucket, which recovers slowly. Retries of the SDK are
//!    off: they would spend what the budget does not see.
//! 8. **Text from outside is data.** It is cleaned once, where it comes in, and may then be drawn as it is. Log lines too.
//! 9. **The simulator shares no type with the client.** A mistake that both made would cancel itself out. botocore, moto and
//!    AWS's session-manager-plugin, which know neither, are the judges (`tests/contract*.rs`).
//! 10. **Few know the outside.** Only [`aws`] names the SDK; only [`terminal`], [`keys`] and [`run`] name crossterm; only what polls or
//!     loops names tokio.
//!
//! # Adding a pane
//!
//! A file in `src/panes` with a `pub const PANE`, and its name in the list of [`panes`]. The list makes the module and puts the pane into the
//! palette; an action in `PANE` gives it a key. A pane of rows is a constant `TableSpec`: columns, the feeds it wants, rows from the store, an
//! identity for each row. [`ui::table`] gives it filter, order, marks, ghosts, copy and scrolling. A pane of text is a `TextSpec` in the
//! same way. Only what is more than one of these implements [`view::View`] itself: the fleet, which is two tables, triage, which is four and a log,
//! the services, which can be told to show metrics, and the logs.
//!
//! # Adding a rule
//!
//! What a service can be is one table, [`verdict::RULES`]; a rule asks the facts that the store holds, and one that needs what is not known stays
//! silent. What a text of AWS means is the table in `src/verdict/cause/rules`, a file for each topic; `tests/causes` holds it against texts as AWS prints them, each with
//! its source. The judge asks for nothing: panes want the feeds that a verdict needs (`src/panes/fleet/evidence.rs`).
//!
//! # Where the plan was changed, and why
//!
//! - **A canvas of our own instead of ratatui's `Terminal`.** That one moves or hides the cursor and flushes in every frame. An unchanged frame here
//!   costs no byte, and any other is one write in a synchronized update. Widgets, buffers and styles are ratatui's.
//! - **Time comes from AWS.** Ages are told by the clock of its replies, for a laptop's may be minutes off. Hence the time enters the
//!   state with each event, and nothing below [`run`] reads a clock.
//! - **Several contexts are one fleet, and nothing switches.** A feed starts with its context, so a late answer finds its own slot. The watcher
//!   can still mark a new epoch, but the loop has no use for it.
//! - **A budget for each context, not for the whole program:** AWS counts by account and region. Two profiles of one account therefore have two
//!   quarters. The counter in the header is one.
//! - **[`budget`] is arithmetic and `aws::queue` is the waiting,** so that the first is tested without a runtime. Each bucket has a queue for what
//!   the operator looks at and one for sweeps, which leave a reserve.
//! - **Dropped polls are parked.** Whoever comes back to a pane sees at once what it showed, dated as it was.
//! - **ring instead of aws-lc:** the same TLS without a minute of C in every cold build. The certificates are read when the first `https`
//!   request comes, off the threads that answer keys.
//! - **IAM, EC2, Systems Manager, KMS and Secrets Manager are asked without their SDKs,** by a small client (`aws::direct`): fourteen calls
//!   that only sessions, their checks and plans of changes make. Their crates are most of all the SDK's code and would double the cold build.
//!   Budget, words and counts are those of every other call, and what replies hold of keys and parameters is wiped.
//! - **Credentials are kept by [`aws`], not by each SDK client,** so that a `credential_process` runs once for all services of a context.
//! - **Frames that no key asked for come 30 a second at most,** keys at once: updates come in bundles.
//! - **A watch beside the loop** looks whether the terminal still stands, because crossterm 0.29 never returns from reading one that is gone.
//! - **A macro for the list of panes,** the only one: a module and its row from one word.
//! - **Log sources count as a module of their own** in the walls: they wait, the rest of [`logs`] does not.
//! - **Serde on [`model::Task`] and what it holds,** for the file of [`kept`] alone: a second set of types would be the same fields again.
//!   What is read back is cleaned like any text from outside.
//! - **Service revisions, target groups and metrics are asked for together:** who asks within some milliseconds shares one call
//!   (`aws::batch`), because AWS counts calls and takes twenty names, or 500 figures, in one.
//! - **Thin LTO, and the SDK at `opt-level` 1:** cells are drawn by small functions of other crates, and inlining them is worth a fifth of
//!   a key's answer; the SDK is most of the build and none of the hot path.
//! - **The gate is locked until it is told its rules,** and the screen has a copy of them, so that it says what the gate would without a lock.
//! - **A call without an answer is found out about by reading.** What would be seen if it was done goes into the journal with the intent
//!   ([`change::trace`]), so that the next start can find it out as well.
//! - **A refusal of AWS holds for one action on one target,** because policies name resources, and for ten minutes.

pub mod action;
pub mod app;
pub mod aws;
pub mod budget;
pub mod change;
pub mod cli;
pub mod config;
pub mod copying;
pub mod doctor;
pub mod duration;
pub mod exec;
pub mod executing;
pub mod explain;
pub mod feed;
pub mod filter;
pub mod finding;
pub mod forwarding;
pub mod kept;
pub mod keys;
pub mod landing;
pub mod logs;
pub mod model;
pub mod nearest;
pub mod panes;
pub mod retry;
pub mod run;
pub mod settings;
pub mod sim;
pub mod store;
pub mod terminal;
pub mod text;
pub mod theme;
pub mod ui;
pub mod verdict;
pub mod view;
pub mod watch;
pub mod watching;
