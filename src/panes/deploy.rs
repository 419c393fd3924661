//! What a service could run instead: the newest images of its containers' repositories, when each was pushed, what its scan found and who
//! runs it already. Enter opens the dialog; nothing is deployed from here.

mod blind;

use super::Pane;
use crate::action::Action;
use crate::change::plans::{self, Facts};
use crate::change::{Target, Wish};
use crate::feed::{Feed, Wanted};
use crate::model::{Arn, Ctx, Holds, Image, ImageUri, Str, TaskDefinition, foremost, index_of};
use crate::text;
use crate::theme::Role;
use crate::ui::age;
use crate::ui::frame;
use crate::ui::table::{of_table, dim, painted, plain, Cell, Column, Key, Preview, TableSpec, TableView, Width};
use crate::view::{Cx, Place, Prompt, Reaction, Subject, View};
use ratatui::text::Line;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// The pane.
pub const PANE: Pane = Pane {
    name: "deploy",
    help: "Newest images of a service's repositories, to deploy one",
    action: None,
    open: |place, cx| match (place.ctx, &place.cluster, &place.service) {
        (Some(ctx), Some(cluster), Some(service)) => {
            let target = Target { ctx, cluster: cluster.clone(), arn: service.clone() };
            if plans::may_not_be_read(&facts(&target, cx), service).is_some() {
                return Ok(Box::new(blind::Blind::open(target)));
            }
            let place = Place { task: None, container: None, target_group: None, instance: None, ..place.clone() };
            Ok(Box::new(Deploy { table: TableView::open(&SPEC, place.clone()).without_counting(|row| row.reference.is_none()), place, asked: None }))
        }
        _ => Err("Images to deploy need a service: put the cursor on one".to_owned()),
    },
};

/// An image that a container could run, or the line where one is typed.
struct Offer {
    container: Str,
    /// As the running revision writes it.
    current: Str,
    /// What would be written instead; nothing where it is typed.
    reference: Option<Str>,
    tag: Str,
    image: Image,
    /// The platform whose scan stands for an index, which is not scanned itself: its reference, its name, and what ECR says of it.
    scanned: Option<(Str, String, Option<Arc<Image>>)>,
    /// Services that run it now, this one first.
    runs: Vec<String>,
    /// This service does.
    here: bool,
    /// Place among the newest.
    rank: i64,
}

/// The list, with the container for which an image is being typed.
struct Deploy {
    table: TableView<Offer>,
    place: Place,
    asked: Option<(Str, Str)>,
}

const SPEC: TableSpec<Offer> = TableSpec {
    name: "deploy",
    crumb: |place, _| {
        let name = |arn: &Option<Arn>| arn.as_ref().map_or("?".to_owned(), |arn| arn.name().to_owned());
        format!("{} › {} › deploy", name(&place.cluster), name(&place.service))
    },
    title: |place, _| format!("Images to deploy to {} ·", place.service.as_ref().map_or("?", Arn::name)),
    columns: COLUMNS,
    order: 0,
    wanted,
    rows,
    id: |row| format!("{}/{}", row.container, row.reference.as_deref().unwrap_or("…")).into(),
    health: None,
    haystack: |row| format!("{} {} {} {}", row.container, row.tag, row.image.digest, row.runs.join(" ")),
    subject: |place, row, _| Subject {
        place: Place { container: None, ..place.clone() },
        copies: row.reference.as_ref().map_or_else(Vec::new, |reference| {
            vec![('n', "image", reference.to_string()), ('g', "digest", row.image.digest.to_string()), ('t', "tag", row.tag.to_string())]
        }),
        ghost: false,
    },
    enter: "deploy",
    preview: Some(Preview { title: |row| format!("container {}", row.container), lines: |place, row, width, cx| preview(place, row, width, cx) }),
    empty: |_, _| "the running revision is still being read".to_owned(),
    sources: |place, cx| definition(place, cx).map_or_else(Vec::new, |(ctx, definition)| repositories(ctx, definition).collect()),
    hints: &[Action::Open, Action::Filter, Action::Order, Action::Copy],
};

const COLUMNS: &[Column<Offer>] = &[
    Column { key: 'c', title: "CONTAINER", width: Width::Fit(9, 20), right: false, rank: 2, cell: |row, _| plain(&*row.container), sort: |row, _| Key::Number(row.rank) },
    Column { key: 'v', title: "TAG", width: Width::Fit(10, 32), right: false, rank: 0, cell: |row, _| tag(row), sort: |row, _| Key::Text(row.tag.clone()) },
    Column { key: 'p', title: "PUSHED", width: Width::Fixed(7), right: true, rank: 0, cell: |row, cx| dim(age::since(row.image.pushed_at, cx.now)), sort: |row, _| Key::Number(-row.image.pushed_at.map_or(0, jiff::Timestamp::as_second)) },
    Column { key: 's', title: "SIZE", width: Width::Fixed(8), right: true, rank: 4, cell: |row, _| dim(size(row.image.size)), sort: |row, _| Key::Number(row.image.size.and_then(|size| i64::try_from(size).ok()).unwrap_or(0)) },
    Column { key: 'd', title: "DIGEST", width: Width::Fixed(12), right: false, rank: 3, cell: |row, _| dim(short(&row.image.digest)), sort: |row, _| Key::Text(row.image.digest.clone()) },
    Column { key: 'f', title: "SCAN", width: Width::Fit(4, 20), right: false, rank: 1, cell: |row, _| findings(row), sort: |row, _| Key::Text(findings(row).text.into()) },
    Column { key: 'r', title: "RUNS IT", width: Width::Fill(14), right: false, rank: 1, cell: runs, sort: |row, _| Key::Text(row.runs.join(" ").into()) },
];

/// Twelve digits of a digest, as everybody writes it.
fn short(digest: &str) -> &str {
    let hex = digest.strip_prefix("sha256:").unwrap_or(digest);
    hex.get(..12).unwrap_or(hex)
}

fn tag(row: &Offer) -> Cell<'_> {
    if row.reference.is_none() { painted("type another …", Role::Link) } else { plain(&*row.tag).with_its_end() }
}

fn size(bytes: Option<u64>) -> String {
    bytes.map_or(String::new(), |bytes| format!("{} MiB", bytes.div_ceil(1 << 20)))
}

fn findings(row: &Offer) -> Cell<'static> {
    let found = row.found();
    let worst: Vec<String> = found.iter().take(2).map(|(severity, n)| format!("{n} {}", severity.to_lowercase())).collect();
    let bad = found.iter().any(|(severity, _)| matches!(&**severity, "CRITICAL" | "HIGH"));
    if worst.is_empty() { dim("-") } else { painted(worst.join(" "), if bad { Role::Warn } else { Role::Dim }) }
}

impl Offer {
    /// Findings of its scan; of an index those of one platform.
    fn found(&self) -> &[(Str, u32)] {
        self.scanned.as_ref().and_then(|(.., image)| image.as_ref()).map_or(&self.image.findings, |image| &image.findings)
    }
}

fn runs<'a>(row: &'a Offer, _: &Cx<'a>) -> Cell<'a> {
    match (row.here, row.runs.as_slice()) {
        (_, []) => dim(""),
        (true, names) => painted(names.join(" "), Role::Ok),
        (false, names) => plain(names.join(" ")),
    }
}

fn definition<'a>(place: &Place, cx: &Cx<'a>) -> Option<(Ctx, &'a Arc<TaskDefinition>)> {
    let (ctx, cluster, service) = (place.ctx?, place.cluster.as_ref()?, place.service.as_ref()?);
    let service = cx.store.service(ctx, cluster, service)?;
    Some((ctx, cx.store.definition(ctx, &service.task_definition)?))
}

fn repositories(ctx: Ctx, definition: &TaskDefinition) -> impl Iterator<Item = Feed> {
    let uris = definition.containers.iter().map(|container| ImageUri::parse(&container.image));
    uris.filter(|uri| uri.ecr().is_some()).map(move |uri| Feed::RepositoryImages(ctx, uri.name().into()))
}

fn wanted(place: &Place, cx: &Cx, visible: &[&Offer], _: Option<&Offer>, out: &mut Vec<Wanted>) {
    let (Some(ctx), Some(cluster), Some(arn)) = (place.ctx, &place.cluster, &place.service) else { return };
    let mut want = |feed: Feed, focus: bool| out.push(Wanted::Poll { feed, focus });
    want(Feed::Service(ctx, arn.clone()), true);
    want(Feed::Tasks(ctx, cluster.clone()), false);
    if let Some(service) = cx.store.service(ctx, cluster, arn) {
        want(Feed::TaskDefinition(ctx, service.task_definition.clone()), true);
    }
    if let Some((ctx, definition)) = definition(place, cx) {
        let mut feeds: Vec<Feed> = repositories(ctx, definition).collect();
        feeds.dedup();
        for feed in feeds {
            want(feed, true);
        }
        // Of an index only its platforms tell what runs it and what a scan found: of what is on screen, each once.
        for row in visible {
            let name = ImageUri::parse(&row.current).name();
            out.extend(index_of(&name, &row.image).map(|index| Wanted::Poll { feed: Feed::ImageIndex(ctx, index), focus: false }));
            out.extend(row.scanned.as_ref().map(|(reference, ..)| Wanted::Trickle { feed: Feed::Image(ctx, reference.clone()) }));
        }
    }
}

/// Digests and the services whose tasks run them, in the whole cluster.
fn running(place: &Place, cx: &Cx) -> HashMap<Str, BTreeMap<String, usize>> {
    let mut found: HashMap<Str, BTreeMap<String, usize>> = HashMap::new();
    let tasks = place.ctx.zip(place.cluster.as_ref()).and_then(|(ctx, cluster)| cx.store.tasks(ctx, cluster)).unwrap_or_default();
    for task in tasks.iter().filter(|task| !task.stopped()) {
        for digest in task.containers.iter().filter_map(|container| container.digest.as_ref()) {
            *found.entry(digest.clone()).or_default().entry(task.service().unwrap_or(&task.group).to_owned()).or_default() += 1;
        }
    }
    found
}

fn rows(place: &Place, cx: &Cx) -> Vec<Offer> {
    let (Some((ctx, definition)), Some(service)) = (definition(place, cx), &place.service) else { return Vec::new() };
    let running = running(place, cx);
    let mut rows = Vec::new();
    for container in &definition.containers {
        let uri = ImageUri::parse(&container.image);
        let mut offer = |reference: Option<Str>, tag: Str, image: &Image| {
            let held = |digest: &str| matches!(cx.store.holds(ctx, &uri.name(), image, digest), Holds::Itself | Holds::Platform(_));
            let mut runs: Vec<String> = running.iter().filter(|(digest, _)| held(digest)).flat_map(|(_, services)| services.keys().cloned()).collect();
            runs.sort();
            runs.dedup();
            let index = index_of(&uri.name(), image).and_then(|index| cx.store.image_index(ctx, &index));
            let scanned = index.and_then(|index| foremost(index, &|digest| running.contains_key(digest))).map(|(digest, platform)| {
                let reference: Str = format!("{}@{digest}", uri.name()).into();
                let image = cx.store.image(ctx, &reference).cloned();
                (reference, platform.to_owned(), image)
            });
            let here = runs.iter().any(|name| name == service.name());
            runs.sort_by_key(|name| name != service.name());
            let rank = i64::try_from(rows.len()).unwrap_or(i64::MAX);
            rows.push(Offer { container: container.name.clone(), current: container.image.clone(), reference, tag, image: image.clone(), scanned, runs, here, rank });
        };
        let listed = if uri.ecr().is_some() { cx.store.repository_images(ctx, &uri.name().into()) } else { None };
        for image in listed.map_or(&[][..], |listed| &listed.images) {
            for tag in &image.tags {
                offer(Some(format!("{}:{tag}", uri.name()).into()), tag.clone(), image);
            }
            if image.tags.is_empty() {
                offer(Some(format!("{}@{}", uri.name(), image.digest).into()), "no tag".into(), image);
            }
        }
        offer(None, "".into(), &Image::default());
    }
    rows
}

fn preview(place: &Place, row: &Offer, width: usize, cx: &Cx) -> Vec<Line<'static>> {
    let line = |label, text: String, role| frame::field(label, &text, width, role, cx.theme);
    // What tells two images of one repository apart stands at the end.
    let ends = |text: &str| text::fit_middle(text, width.saturating_sub(13).max(20)).into_owned();
    let mut lines = vec![line("now", ends(&row.current), Role::Dim)];
    match &row.reference {
        Some(reference) => {
            lines.push(line("new", ends(reference), Role::Text));
            let pushed = row.image.pushed_at.map_or(String::new(), |at| format!("pushed {} · ", age::clock(at, cx)));
            lines.push(line("image", format!("{pushed}{}", row.image.digest), Role::Dim));
            if let Some((_, platform, image)) = &row.scanned {
                let found: Vec<String> = row.found().iter().map(|(severity, n)| format!("{n} {}", severity.to_lowercase())).collect();
                let found = match image {
                    None => "…".to_owned(),
                    Some(_) if found.is_empty() => "not scanned".to_owned(),
                    Some(_) => found.join(" "),
                };
                lines.push(line("scan", format!("{found} · of {platform}: an index is not scanned itself"), Role::Dim));
            }
        }
        None => lines.push(line("new", "a tag, a digest or a whole reference that you type".to_owned(), Role::Text)),
    }
    let listed = definition(place, cx).and_then(|(ctx, _)| cx.store.repository_images(ctx, &ImageUri::parse(&row.current).name().into()));
    if let Some(listed) = listed {
        let cut = if listed.cut { " · only the newest of those read are listed" } else { "" };
        lines.push(line("tags", format!("{}{cut}", listed.mutability.as_deref().unwrap_or("")), Role::Dim));
    }
    lines
}

fn facts<'a>(target: &'a Target, cx: &Cx<'a>) -> Facts<'a> {
    Facts { store: cx.store, fleet: cx.fleet, config: cx.config, ctx: target.ctx, cluster: &target.cluster, now: cx.now }
}

/// The task definition that is meant by what was typed: an ARN, or a family with or without a revision where the service is.
pub(super) fn definition_named(service: &Arn, text: &str) -> Result<Arn, String> {
    let text = text.trim();
    if text.starts_with("arn:") {
        return if text.contains(":task-definition/") { Ok(Arn::from(text)) } else { Err(format!("{text} is no task definition")) };
    }
    let (family, number) = text.split_once(':').map_or((text, None), |(family, number)| (family, Some(number)));
    let letters = family.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if family.is_empty() || !letters || number.is_some_and(|number| number.parse::<u32>().is_err()) {
        return Err(format!("{text} is no task definition: family or family:revision"));
    }
    let (head, _) = service.as_str().split_once(":service/").ok_or("the account of the service is not known")?;
    Ok(Arn(format!("{head}:task-definition/{text}").into()))
}

/// What is meant by what was typed beside the reference that runs: a whole reference, a digest, or a tag of the same repository.
fn typed(text: &str, current: &str) -> Result<String, String> {
    let (text, name) = (text.trim(), ImageUri::parse(current).name());
    let hex = |digest: &str| digest.len() == 64 && digest.bytes().all(|b| b.is_ascii_hexdigit());
    if let Some(digest) = text.strip_prefix("sha256:") {
        return if hex(digest) { Ok(format!("{name}@{text}")) } else { Err(format!("{text} is no digest: 64 hexadecimal digits follow sha256:")) };
    }
    if text.contains('/') {
        return if text.contains(char::is_whitespace) { Err("an image reference has no blanks".to_owned()) } else { Ok(text.to_owned()) };
    }
    let tag = text.strip_prefix(':').unwrap_or(text);
    // As the registries' own grammar has it.
    let first = tag.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    if !first || tag.len() > 128 || !tag.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-')) {
        return Err(format!("{text} is no tag: letters, digits, _ . - and at most 128 of them"));
    }
    Ok(format!("{name}:{tag}"))
}

impl Deploy {
    fn dialog(&self, container: &Str, reference: Str) -> Reaction {
        let (Some(ctx), Some(cluster), Some(arn)) = (self.place.ctx, &self.place.cluster, &self.place.service) else { return Reaction::Ignored };
        let target = Target { ctx, cluster: cluster.clone(), arn: arn.clone() };
        Reaction::Change(vec![target], Box::new(Wish::DeployImage(vec![(container.clone(), reference)])))
    }
}

impl View for Deploy {
    of_table!(wanted, sync, choose, peel, draw, click, status);

    fn act(&mut self, action: Action, cx: &Cx) -> Reaction {
        match (action, self.table.row()) {
            (Action::Open, Some(Offer { reference: Some(reference), container, .. })) => self.dialog(container, reference.clone()),
            (Action::Open, Some(row)) => {
                let asked = (row.container.clone(), row.current.clone());
                let start = ImageUri::parse(&row.current).tag.map_or(String::new(), |tag| tag.to_string());
                self.asked = Some(asked);
                Reaction::Ask(Prompt::Image, start)
            }
            (Action::Mark | Action::MarkRange, _) => Reaction::Ignored,
            _ => self.table.act(action, cx),
        }
    }

    fn input(&mut self, prompt: Prompt, text: &str, done: bool, cx: &Cx) -> Reaction {
        if prompt != Prompt::Image {
            return self.table.input(prompt, text, done, cx);
        }
        let Some((container, current)) = self.asked.clone().filter(|_| done && !text.trim().is_empty()) else { return Reaction::Redraw };
        match typed(text, &current) {
            Ok(reference) => self.dialog(&container, reference.into()),
            Err(why) => Reaction::Refuse(why),
        }
    }

    fn can(&self, action: Action, cx: &Cx) -> Option<bool> {
        if matches!(action, Action::Mark | Action::MarkRange | Action::Unmark) { Some(false) } else { self.table.can(action, cx) }
    }
}

#[cfg(test)]
mod tests {
    use super::{definition_named, typed};
    use crate::model::Arn;

    #[test]
    fn a_task_definition_is_named_by_its_family_its_revision_or_its_arn() {
        let service = Arn::from("arn:aws:ecs:eu-west-1:123456789012:service/shop/pay");
        let head = "arn:aws:ecs:eu-west-1:123456789012:task-definition/";
        for text in ["pay", "pay:7", "my_pay-2:10"] {
            assert_eq!(definition_named(&service, &format!(" {text} ")), Ok(Arn::from(&*format!("{head}{text}"))));
        }
        let arn = format!("{head}other:3");
        assert_eq!(definition_named(&service, &arn), Ok(Arn::from(&*arn)));
        for wrong in ["", "pay:", "pay:x", "a b", "arn:aws:ecs:eu-west-1:123456789012:service/shop/pay", "pay:1:2"] {
            assert!(definition_named(&service, wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_tag_a_digest_or_a_whole_reference_can_be_typed() {
        let current = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/checkout:3f9ac1e";
        let name = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/checkout";
        let digest = format!("sha256:{}", "ab".repeat(32));
        assert_eq!(typed(" v1.2 ", current), Ok(format!("{name}:v1.2")));
        assert_eq!(typed(":v1.2", current), Ok(format!("{name}:v1.2")));
        assert_eq!(typed(&digest, current), Ok(format!("{name}@{digest}")));
        assert_eq!(typed("public.ecr.aws/nginx/nginx:1.27", current), Ok("public.ecr.aws/nginx/nginx:1.27".to_owned()));
        for wrong in ["sha256:12", "-v1", "v 1", "v1:2", "ü", "a/b c", &"x".repeat(129)] {
            assert!(typed(wrong, current).is_err(), "{wrong}");
        }
    }
}
