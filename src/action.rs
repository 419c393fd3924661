//! Every verb of the operator, in one table: its name in the configuration, its words in the help, what it risks and where it works.
//!
//! Knows neither keys (see [`crate::keys`]) nor what a pane does with a verb.

/// A verb. What it acts on is whatever the pane that hears it has under the cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the row of `ACTIONS` says what each verb does, in the words that the operator reads")]
pub enum Action {
    Palette,
    Help,
    Back,
    Quit,
    Cancel,
    NextPane,
    PreviousPane,
    /// One to nine.
    Pane(u8),
    Zoom,
    HistoryBack,
    HistoryForward,
    LastView,
    Bookmarks,
    Bookmark,
    Refresh,
    Redraw,
    Suspend,
    Messages,
    Journal,
    Up,
    Down,
    Top,
    Bottom,
    HalfPageUp,
    HalfPageDown,
    PageUp,
    PageDown,
    Left,
    Right,
    HalfLeft,
    HalfRight,
    Filter,
    SortPrevious,
    SortNext,
    Order,
    Reverse,
    Columns,
    Mark,
    MarkRange,
    Unmark,
    Open,
    Logs,
    Events,
    Targets,
    Tasks,
    Triage,
    Deployments,
    Watch,
    Timeline,
    Instances,
    Images,
    Scaling,
    Alarms,
    Metrics,
    Forwards,
    Describe,
    Json,
    Copy,
    ProblemsOnly,
    Search,
    SearchNext,
    SearchPrevious,
    FilterLines,
    Context,
    Follow,
    /// Zero (follow from now) to six (the last hour).
    Range(u8),
    Time,
    Timestamps,
    Level,
    NextError,
    PreviousError,
    JsonMode,
    Wrap,
    MarkLine,
    Save,
    LiveTail,
    ActionMenu,
    Redeploy,
    Scale,
    RollBack,
    StopTasks,
    Exec,
    DeployImage,
    EnableExec,
    Drain,
    Activate,
    RunTask,
    ScalingRange,
    Continue,
    Abandon,
    Protect,
    Unprotect,
    Undo,
    Redo,
}

/// What an action can do to the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Risk {
    /// Looks, or changes only the screen.
    Read,
    /// Changes something at AWS that can be changed back.
    Write,
    /// Ends something that runs, or cannot be taken back.
    Destroy,
}

/// Which of the two keymaps a view answers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Rows with a cursor.
    Table,
    /// Lines that scroll.
    Text,
}

/// Where an action works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everywhere, with the same keys.
    Global,
    /// In tables only.
    Table,
    /// In text only.
    Text,
    /// In tables and in text, each with its own keys.
    Both,
    /// From the menu of actions and the palette; in tables by a key only where the user gives it one.
    Menu,
}

impl Scope {
    /// Whether an action of this scope works in a view of that kind.
    #[must_use]
    pub fn covers(self, kind: Kind) -> bool {
        match self {
            Scope::Global | Scope::Both => true,
            Scope::Table => kind == Kind::Table,
            Scope::Text => kind == Kind::Text,
            Scope::Menu => false,
        }
    }
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActionRow {
    /// The verb.
    pub action: Action,
    /// Its name in the configuration and in the palette.
    pub name: &'static str,
    /// What it does, for the help and the palette; a clause that starts with a verb.
    pub help: &'static str,
    /// One word for the line of hints.
    pub hint: &'static str,
    /// What it can do to the world.
    pub risk: Risk,
    /// Where it works.
    pub scope: Scope,
}

impl Action {
    /// The action's row.
    ///
    /// # Panics
    /// Never for a pane of 1 to 9 and a range of 0 to 6, which are all that the keymap hands out.
    #[must_use]
    pub fn row(self) -> &'static ActionRow {
        ACTIONS.iter().find(|row| row.action == self).expect("the table has a row for every action; a test walks it")
    }

    /// The action of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Action> {
        ACTIONS.iter().find(|row| row.name == name).map(|row| row.action)
    }
}

const fn read(action: Action, scope: Scope, name: &'static str, hint: &'static str, help: &'static str) -> ActionRow {
    ActionRow { action, name, help, hint, risk: Risk::Read, scope }
}

const fn write(action: Action, scope: Scope, name: &'static str, hint: &'static str, help: &'static str) -> ActionRow {
    ActionRow { action, name, help, hint, risk: Risk::Write, scope }
}

const fn destroy(action: Action, scope: Scope, name: &'static str, hint: &'static str, help: &'static str) -> ActionRow {
    ActionRow { action, name, help, hint, risk: Risk::Destroy, scope }
}

use Action as A;
use Scope::{Both, Global, Menu, Table, Text};

/// Every action. The order is that of the help.
pub const ACTIONS: &[ActionRow] = &[
    read(A::Palette, Global, "palette", "cmd", "Go anywhere by name, or do anything"),
    read(A::Help, Global, "help", "help", "Show the keys that work here"),
    read(A::Back, Global, "back", "back", "Peel one layer; never quits"),
    read(A::Quit, Global, "quit", "quit", "Leave this view; at the first one, quit"),
    read(A::Cancel, Global, "cancel", "cancel", "Close the prompt; twice at once, quit"),
    read(A::Refresh, Global, "refresh", "refresh", "Ask AWS again now"),
    read(A::Messages, Global, "messages", "messages", "Show past messages and errors"),
    read(A::Journal, Global, "journal", "journal", "Show past changes and what came of them"),
    read(A::NextPane, Global, "next-pane", "pane", "Go to the next pane"),
    read(A::PreviousPane, Global, "previous-pane", "pane", "Go to the previous pane"),
    read(A::Pane(1), Global, "pane-1", "pane", "Go to pane 1"),
    read(A::Pane(2), Global, "pane-2", "pane", "Go to pane 2"),
    read(A::Pane(3), Global, "pane-3", "pane", "Go to pane 3"),
    read(A::Pane(4), Global, "pane-4", "pane", "Go to pane 4"),
    read(A::Pane(5), Global, "pane-5", "pane", "Go to pane 5"),
    read(A::Pane(6), Global, "pane-6", "pane", "Go to pane 6"),
    read(A::Pane(7), Global, "pane-7", "pane", "Go to pane 7"),
    read(A::Pane(8), Global, "pane-8", "pane", "Go to pane 8"),
    read(A::Pane(9), Global, "pane-9", "pane", "Go to pane 9"),
    read(A::Zoom, Global, "zoom", "zoom", "Give this pane the whole screen, and back"),
    read(A::HistoryBack, Global, "history-back", "back", "Go to the view before, as it was left"),
    read(A::HistoryForward, Global, "history-forward", "forward", "Go forward again in the history"),
    read(A::LastView, Global, "last-view", "last", "Change between the two last views"),
    read(A::Bookmarks, Global, "bookmarks", "bookmarks", "Go to a bookmark of this session"),
    read(A::Redraw, Global, "redraw", "redraw", "Draw the whole screen anew"),
    read(A::Suspend, Global, "suspend", "suspend", "Go back to the shell; `fg` returns"),
    read(A::Up, Both, "up", "up", "Move up"),
    read(A::Down, Both, "down", "down", "Move down"),
    read(A::Top, Both, "top", "top", "Go to the top"),
    read(A::Bottom, Both, "bottom", "bottom", "Go to the bottom"),
    read(A::HalfPageUp, Both, "half-page-up", "up", "Move up by half a page"),
    read(A::HalfPageDown, Both, "half-page-down", "down", "Move down by half a page"),
    read(A::PageUp, Both, "page-up", "up", "Move up by a page"),
    read(A::PageDown, Both, "page-down", "down", "Move down by a page"),
    read(A::Left, Both, "left", "left", "Scroll to the left"),
    read(A::Right, Both, "right", "right", "Scroll to the right"),
    read(A::HalfLeft, Both, "half-left", "left", "Scroll left by half a screen"),
    read(A::HalfRight, Both, "half-right", "right", "Scroll right by half a screen"),
    read(A::Open, Both, "open", "open", "Open what is under the cursor"),
    read(A::Filter, Table, "filter", "filter", "Keep the rows that match"),
    read(A::ProblemsOnly, Table, "problems-only", "problems", "Keep the rows with a problem, and back"),
    read(A::Tasks, Table, "tasks", "tasks", "Open the tasks"),
    read(A::Triage, Table, "triage", "triage", "See all about the service on one screen"),
    read(A::Logs, Both, "logs", "logs", "Open the logs"),
    read(A::Events, Table, "events", "events", "Open the service's events"),
    read(A::Targets, Table, "targets", "health", "Open the health of the targets"),
    read(A::Deployments, Table, "deployments", "deploys", "Open past and present deployments"),
    read(A::Watch, Table, "watch", "watch", "Watch the newest deployment land"),
    read(A::Timeline, Table, "timeline", "timeline", "Open all that happened, by time"),
    read(A::Instances, Table, "instances", "instances", "Open the container instances"),
    read(A::Images, Table, "images", "images", "Open the images; tags that moved"),
    read(A::Scaling, Table, "scaling", "scaling", "Open what scales the services"),
    read(A::Alarms, Table, "alarms", "alarms", "Open the CloudWatch alarms"),
    read(A::Metrics, Table, "metrics", "metrics", "Show CPU and memory; AWS bills for it"),
    read(A::Forwards, Table, "forwards", "forwards", "Forward ports into tasks; the list of them"),
    read(A::Describe, Both, "describe", "describe", "Describe it, readable"),
    read(A::Json, Both, "json", "json", "Show it as AWS sent it"),
    read(A::Copy, Both, "copy", "copy", "Copy: a menu; in text, the lines"),
    read(A::SortPrevious, Table, "sort-previous", "sort", "Sort by the column to the left"),
    read(A::SortNext, Table, "sort-next", "sort", "Sort by the column to the right"),
    read(A::Order, Table, "order", "order", "Sort by a column: its letter comes next"),
    read(A::Reverse, Table, "reverse", "reverse", "Turn the order around"),
    read(A::Columns, Table, "columns", "columns", "Choose the columns"),
    read(A::Mark, Table, "mark", "mark", "Mark the row, or unmark it"),
    read(A::MarkRange, Both, "mark-range", "range", "Mark from here to where the cursor goes"),
    read(A::Unmark, Both, "unmark", "unmark", "Clear all marks"),
    read(A::Bookmark, Table, "bookmark", "bookmark", "Bookmark the row: its letter comes next"),
    read(A::ActionMenu, Table, "action-menu", "actions", "Choose a change of what the cursor is on"),
    write(A::Redeploy, Table, "redeploy", "redeploy", "Start the service's tasks anew"),
    write(A::Scale, Table, "scale", "scale", "Run more or fewer tasks"),
    write(A::RollBack, Table, "roll-back", "rollback", "Go back to an earlier revision"),
    destroy(A::StopTasks, Table, "stop-tasks", "stop", "Stop the task, or the marked ones"),
    write(A::Exec, Both, "exec", "exec", "Open a shell in a container"),
    write(A::DeployImage, Menu, "deploy-image", "deploy", "Deploy another image of the service"),
    write(A::EnableExec, Menu, "enable-exec", "exec", "Let new tasks have ECS Exec"),
    write(A::Drain, Menu, "drain", "drain", "Take service tasks off the instance"),
    write(A::Activate, Menu, "activate", "activate", "Let the instance take tasks again"),
    write(A::RunTask, Menu, "run-task", "run", "Run a one-off task of the revision"),
    write(A::ScalingRange, Menu, "scaling-range", "range", "Change the range it scales within"),
    write(A::Continue, Menu, "continue", "continue", "Let a paused deployment go on"),
    destroy(A::Abandon, Menu, "abandon", "abandon", "Roll a paused deployment back"),
    write(A::Protect, Menu, "protect", "protect", "Protect the tasks from being scaled in"),
    write(A::Unprotect, Menu, "unprotect", "unprotect", "Let the tasks be stopped again"),
    write(A::Undo, Menu, "undo", "undo", "Take the last change back, in its dialog"),
    write(A::Redo, Menu, "redo", "redo", "Do again what was taken back last"),
    read(A::Search, Text, "search", "search", "Find text; nothing is hidden"),
    read(A::SearchNext, Text, "search-next", "next", "Go to the next match"),
    read(A::SearchPrevious, Text, "search-previous", "previous", "Go to the match before"),
    read(A::FilterLines, Text, "filter-lines", "filter", "Keep the lines that match; ! keeps others"),
    read(A::Context, Text, "context", "context", "Show five lines around each, and back"),
    read(A::Follow, Text, "follow", "follow", "Follow the newest line"),
    read(A::Range(0), Text, "range-0", "range", "Read from now on"),
    read(A::Range(1), Text, "range-1", "range", "Read from the beginning"),
    read(A::Range(2), Text, "range-2", "range", "Read the last minute"),
    read(A::Range(3), Text, "range-3", "range", "Read the last 5 minutes"),
    read(A::Range(4), Text, "range-4", "range", "Read the last 15 minutes"),
    read(A::Range(5), Text, "range-5", "range", "Read the last 30 minutes"),
    read(A::Range(6), Text, "range-6", "range", "Read the last hour"),
    read(A::Time, Text, "time", "time", "Go to a time: 13:10, or 2d1h ago"),
    read(A::Timestamps, Text, "timestamps", "stamps", "Times: local, UTC, age, none"),
    read(A::Level, Text, "level", "level", "Raise the lowest level shown"),
    read(A::NextError, Text, "next-error", "error", "Go to the next error"),
    read(A::PreviousError, Text, "previous-error", "error", "Go to the error before"),
    read(A::JsonMode, Text, "json-mode", "json", "JSON lines as fields, pretty, or raw"),
    read(A::Wrap, Text, "wrap", "wrap", "Wrap long lines, or cut them"),
    read(A::MarkLine, Text, "mark-line", "mark", "Mark the line, or unmark it"),
    read(A::Save, Text, "save", "save", "Save the lines to a file"),
    read(A::LiveTail, Text, "live-tail", "live", "Live Tail: quicker, billed by the minute"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_action_has_words_of_its_own() {
        let (mut names, mut actions) = (HashSet::new(), HashSet::new());
        for row in ACTIONS {
            assert!(actions.insert(row.action), "{:?} has two rows", row.action);
            assert!(names.insert(row.name), "{} names two actions", row.name);
            assert!(row.name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'), "{}", row.name);
            assert!(row.help.len() > 6 && row.help.starts_with(char::is_uppercase) && !row.help.ends_with('.'), "{}", row.help);
            // Two lists of keys stand side by side in 120 columns.
            assert!(row.help.chars().count() <= 42, "{}", row.help);
            assert!(!row.hint.is_empty() && !row.hint.contains(' '), "{}", row.name);
            assert_eq!(row.action.row(), row);
            assert_eq!(Action::named(row.name), Some(row.action));
        }
    }

    #[test]
    fn a_name_tells_the_variant() {
        for row in ACTIONS {
            let variant: String = format!("{:?}", row.action).chars().filter(char::is_ascii_alphanumeric).collect();
            assert_eq!(row.name.replace('-', ""), variant.to_lowercase());
        }
    }
}
