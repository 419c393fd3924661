//! The command line held to what it takes, refuses and says.

use super::*;

fn line(text: &str) -> Result<Request, Stop> {
    parse(std::iter::once("midwatch").chain(text.split_whitespace()))
}

fn open(text: &str) -> Open {
    match line(text) {
        Ok(Request::Open(open)) => open,
        other => panic!("{text}: {other:?}"),
    }
}

fn sim(text: &str) -> Sim {
    match line(text) {
        Ok(Request::Sim(sim)) => sim,
        other => panic!("{text}: {other:?}"),
    }
}

fn explain(arguments: &[&str]) -> Explain {
    match parse([&["midwatch", "explain"], arguments].concat()) {
        Ok(Request::Explain(explain)) => explain,
        other => panic!("{arguments:?}: {other:?}"),
    }
}

fn world(scenario: &str) -> World {
    World { scenario: scenario.to_owned(), set: Vec::new(), seed: 1, speed: 1.0 }
}

#[test]
fn nothing_asked_means_the_account_of_the_environment() {
    assert_eq!(open(""), Open::default());
}

#[test]
fn profiles_and_regions_keep_their_order_and_lose_repeats() {
    let open = open("--profile prod -p stage --profile prod --region eu-west-1 -r us-east-1");
    assert_eq!(open.profiles, ["prod", "stage"]);
    assert_eq!(open.regions, ["eu-west-1", "us-east-1"]);
}

#[test]
fn every_option_of_the_ui_is_read() {
    let open = open("-c payments -s checkout --endpoint-url http://127.0.0.1:4566/ --theme mono --config a.toml --log-file b.log");
    assert_eq!(open.cluster.as_deref(), Some("payments"));
    assert_eq!(open.service.as_deref(), Some("checkout"));
    assert_eq!(open.endpoint_url.as_deref(), Some("http://127.0.0.1:4566"));
    assert_eq!(open.theme.as_deref(), Some("mono"));
    assert_eq!(open.config, Some(PathBuf::from("a.toml")));
    assert_eq!(open.log_file, Some(PathBuf::from("b.log")));
    assert_eq!((open.read_only, open.dry_run), (false, false));
}

#[test]
fn what_may_be_changed_is_said_by_flags() {
    let open = open("--read-only --demo --dry-run");
    assert_eq!((open.read_only, open.dry_run, open.demo.is_some()), (true, true, true));
}

#[test]
fn the_demo_does_not_swallow_the_flag_that_follows() {
    let open_demo = open("--demo --cluster payments");
    assert_eq!((open_demo.demo, open_demo.cluster.as_deref()), (Some(world("seeds")), Some("payments")));
    assert_eq!(open("--demo large").demo, Some(world("large")));
    assert_eq!(open("--demo=./mine.toml --theme mono").demo, Some(world("./mine.toml")));
}

#[test]
fn the_demo_and_the_simulator_take_the_same_options() {
    let wanted = World {
        scenario: "large".to_owned(),
        set: vec![
            ("services".to_owned(), "2000".to_owned()),
            ("tasks".to_owned(), "10000".to_owned()),
            ("clusters".to_owned(), "50".to_owned()),
        ],
        seed: 7,
        speed: 60.0,
    };
    let options = "--set services=2000,tasks=10000 --set clusters=50 --seed 7 --speed 60x";
    assert_eq!(open(&format!("--demo large {options}")).demo.as_ref(), Some(&wanted));
    assert_eq!(sim(&format!("sim --scenario large {options}")).world, wanted);
}

#[test]
fn the_simulator_has_its_own_options() {
    let plain = sim("sim");
    assert_eq!((plain.world, plain.listen.to_string(), plain.list), (world("seeds"), "127.0.0.1:0".to_owned(), false));
    assert!(!plain.shell && sim("sim --shell").shell, "a real shell is for who asks for it");
    let full = sim("sim --listen localhost:4566 --list");
    assert_eq!((full.listen.to_string(), full.list), ("127.0.0.1:4566".to_owned(), true));
}

#[test]
fn mistakes_are_one_line_with_code_2() {
    for (text, wanted) in [
        ("--profil prod", "unexpected argument '--profil' found; a similar argument exists: '--profile'"),
        ("--region eu-wset-1", "invalid value 'eu-wset-1' for '--region <R>': did you mean eu-west-1?"),
        ("--region Ireland", "invalid value 'Ireland' for '--region <R>': a region looks like eu-west-1"),
        ("--endpoint-url localhost:4566", "invalid value 'localhost:4566' for '--endpoint-url <URL>': write it like http://127.0.0.1:4566"),
        ("--seed 7", "--seed is about the embedded AWS: use it with --demo or with midwatch sim"),
        ("--demo --profile prod", "the argument '--demo [<SCENARIO>]' cannot be used with '--profile <P>'"),
        ("--demo large --set services", "invalid value 'services' for '--set <K=V,…>': write NAME=VALUE, as in services=500"),
        ("--demo --seed x", "invalid value 'x' for '--seed <N>': a whole number is needed, such as 7"),
        ("--demo --speed -1", "unexpected argument '-1' found"),
        ("sim --listen 0.0.0.0:80", "invalid value '0.0.0.0:80' for '--listen <127.0.0.1:PORT>': only an address of this machine"),
        (
            "smi",
            "unknown command 'smi'; there are exec, cp, forward, doctor, watch, explain and sim, and a cluster is opened with --cluster",
        ),
        ("--theme", "a value is required for '--theme <T>' but none was supplied"),
    ] {
        let stop = line(text).expect_err("a mistake");
        assert_eq!(stop.code, 2, "{text}");
        assert!(!stop.text.contains('\n') && stop.text.starts_with(&format!("midwatch: {wanted}")), "{text}: {}", stop.text);
    }
}

#[test]
fn a_huge_or_hostile_argument_stays_one_short_clean_line() {
    let huge = format!("--{}", "x".repeat(1_000_000));
    let stop = parse(["midwatch", &huge]).expect_err("no such flag");
    assert!(stop.text.len() < 600, "{}", stop.text.len());
    let stop = parse(["midwatch", "--region", "\u{1b}[31mred\n"]).expect_err("no such region");
    assert!(!stop.text.contains(['\u{1b}', '\n']), "{}", stop.text);
}

#[test]
fn urls_are_checked_as_far_as_they_can_be() {
    for fine in ["http://127.0.0.1:4566", "https://ecs.eu-west-1.amazonaws.com", "http://[::1]:4566", "http://host/path"] {
        assert_eq!(url(fine).as_deref(), Ok(fine));
    }
    for wrong in ["", "http://", "ftp://x", "http://:80", "http://host:0", "http://host:99999", "http://ho st", "http://host:port"] {
        assert!(url(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_new_region_is_accepted_and_a_misspelt_one_is_not() {
    for fine in ["eu-west-1", "us-gov-west-1", "eu-west-9", "nz-north-1", "eusc-de-east-1", "us-iso-east-1"] {
        assert!(check_region(fine).is_ok(), "{fine}");
    }
    for wrong in ["eu-west", "euwest1", "EU-WEST-1", "eu-west-1a", "eu--1", "", "eu-west-10"] {
        assert!(check_region(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn the_help_is_for_people() {
    let stop = line("--help").expect_err("help");
    assert_eq!(stop.code, 0);
    for part in [
        "Usage: midwatch",
        "Where to look:",
        "How it looks and works:",
        "The embedded AWS:",
        "Examples:",
        "NO_COLOR",
        "--demo [<SCENARIO>]",
    ] {
        assert!(stop.text.contains(part), "{part} is missing in\n{}", stop.text);
    }
    assert_eq!(line("sim --help").map_err(|stop| stop.code), Err(0));
    assert!(line("--version").expect_err("version").text.starts_with("midwatch "));
}

#[test]
fn texts_to_explain_are_taken_together_and_as_they_are() {
    let asked = explain(&["--reason", "-x (it's me)", "--exit-code", "0xC0000005", "--stop-code", "UserInitiated", "--json"]);
    assert_eq!(asked.texts.reason.as_deref(), Some("-x (it's me)"));
    assert_eq!((asked.texts.exit_code, asked.texts.stop_code.as_deref(), asked.json), (Some(0xC000_0005), Some("UserInitiated"), true));
    for code in [0, 255, 1067, 3_221_225_477, -1_073_741_819, -1] {
        assert_eq!(explain(&["--exit-code", &code.to_string()]).texts.exit_code, Some(code));
    }
    let asked = explain(&["services.json", "tasks.json"]);
    assert_eq!((asked.files.len(), asked.texts), (2, Texts::default()));
}

#[test]
fn files_and_texts_do_not_mix_and_an_exit_code_has_32_bits() {
    for line in [
        "explain a.json --event x",
        "explain --exit-code 4294967296",
        "explain --exit-code -2147483649",
        "explain --exit-code 1.5",
        "explain --exit-code 16000",
        "explain --exit-code 99999",
    ] {
        let stop = self::line(line).unwrap_err();
        assert_eq!((stop.code, stop.text.lines().count()), (2, 1), "{line}: {}", stop.text);
    }
}

#[test]
fn a_session_names_its_task_and_what_follows_two_dashes_is_the_command() {
    let exec = |arguments: &[&str]| match parse([&["midwatch", "exec"], arguments].concat()) {
        Ok(Request::Exec(exec)) => exec,
        other => panic!("{arguments:?}: {other:?}"),
    };
    let asked = exec(&["0d7c", "-c", "payments", "--container", "app", "--profile", "prod", "--", "ls", "-l", "--", "a b"]);
    assert_eq!((&*asked.task, asked.at.cluster.as_deref(), asked.at.container.as_deref()), ("0d7c", Some("payments"), Some("app")));
    assert_eq!(asked.command, ["ls", "-l", "--", "a b"]);
    assert_eq!(exec(&["0d7c", "--demo", "--seed", "3"]).at.demo.unwrap().seed, 3);
    assert_eq!(exec(&["0d7c"]).command, [""; 0]);
    for wrong in [
        &["midwatch", "exec"][..],
        &["midwatch", "exec", "0d7c", "ls"],
        &["midwatch", "exec", "0d7c", "--", ""],
        &["midwatch", "exec", "0d7c", "--seed", "3"],
    ] {
        assert_eq!(parse(wrong.iter()).unwrap_err().code, 2, "{wrong:?}");
    }
}
