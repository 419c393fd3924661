//! A real shell in a pseudo-terminal.

use super::World;
use super::channel::OUTPUT;
use midwatch::sim::Shell;
use serde_json::json;
use std::time::Duration;

fn folder_of(text: &str) -> String {
    let from = text.find("/midwatch-exec-").unwrap();
    let begin = text[..from].rfind(['\n', ' ', '=']).map_or(0, |at| at + 1);
    text[begin..].lines().next().unwrap().trim_end().to_owned()
}

#[test]
fn a_command_runs_in_an_empty_folder_with_the_containers_surroundings() {
    let world = World::small(Shell::Real);
    let (granted, mut channel) = world.open("/bin/sh -c 'pwd; ls -a | wc -l; env; tty; echo done-$?'");
    assert_eq!(granted["containerName"], "app");
    assert_eq!(granted["interactive"], true);
    assert!(granted["containerArn"].as_str().unwrap().contains(":container/payments-prod/"));
    assert!(granted["session"]["sessionId"].as_str().unwrap().starts_with("ecs-execute-command-"));
    channel.until("the end", |channel| channel.closed.is_some());
    let said = channel.text();
    let folder = folder_of(&said);
    for wanted in ["\r\n2\r\n", "TERM=xterm-256color", "LANG=C.UTF-8", "AWS_EXECUTION_ENV=AWS_ECS_FARGATE", "/dev/", "done-0\r\n"] {
        assert!(said.contains(wanted), "{wanted:?} in {said}");
    }
    assert!(said.contains(&format!("HOME={folder}\r\n")), "{said}");
    assert!(!said.contains("CARGO_"), "the owner's environment stays outside: {said}");
    assert_eq!(channel.closed.as_deref(), Some(""));
    channel.until("the socket's end", |channel| channel.ended.is_some());
    let end = std::time::Instant::now() + super::channel::PATIENCE;
    while std::path::Path::new(&folder).exists() {
        assert!(std::time::Instant::now() < end, "{folder} is still there");
        std::thread::yield_now();
    }
}

#[test]
fn numbers_flags_and_pieces_are_the_agents() {
    let world = World::small(Shell::Real);
    let (_, mut channel) = world.open("sh -c 'i=0; while [ $i -lt 300 ]; do printf \"é€😀 %s\\n\" $i; i=$((i+1)); done'");
    channel.until("the end", |channel| channel.closed.is_some());
    let outputs: Vec<_> = channel.seen.iter().filter(|message| message.kind == OUTPUT).collect();
    assert_eq!(channel.seen[0].kind, "start_publication");
    assert_eq!((outputs[0].sequence, outputs[0].flags, outputs[0].holds), (0, 1, 1));
    assert!(outputs[1..].iter().all(|message| message.flags == 0 && message.payload.len() <= 1024));
    assert!(outputs.iter().all(|message| std::str::from_utf8(&message.payload).is_ok()), "no character is cut");
    let lines: Vec<String> = (0..300).map(|i| format!("é€😀 {i}\r\n")).collect();
    assert_eq!(channel.text(), lines.concat());
}

#[test]
fn keys_signals_and_sizes_reach_the_program() {
    let world = World::small(Shell::Real);
    let (_, mut channel) = world.open("/bin/sh");
    channel.until("a prompt", |channel| !channel.output.is_empty());
    channel.size(91, 17);
    channel.keys("stty size\r");
    channel.says("17 91");
    // Not at the prompt, where a trap may wait for the next line; and no word of it stands in the line as it is echoed.
    let traps = r#"trap 'echo it-w\"\"as-INT' INT; trap 'echo it-w\"\"as-QUIT; exit' QUIT"#;
    channel.keys(&format!("exec sh -c \"{traps}; echo rea''dy; while :; do sleep 0.05; done\"\r"));
    channel.says("ready");
    channel.keys("\x03");
    channel.says("it-was-INT");
    channel.keys("\x1c");
    channel.says("it-was-QUIT");
    channel.until("the end", |channel| channel.closed.is_some());
}

#[test]
fn a_program_that_is_not_there_is_told_in_the_agents_words() {
    let world = World::small(Shell::Real);
    for (command, words) in [
        ("nosuchshell", "Unable to start command: Failed to start pty: exec: \"nosuchshell\": executable file not found in $PATH"),
        ("/bin/nosuch -l", "Unable to start command: Failed to start pty: fork/exec /bin/nosuch: no such file or directory"),
    ] {
        let (_, mut channel) = world.open(command);
        channel.until("the end", |channel| channel.closed.is_some());
        assert_eq!(channel.closed.as_deref(), Some(&*format!("\n----------ERROR-------\n{words}")));
    }
}

#[test]
fn a_program_is_killed_with_all_that_it_started_when_its_session_ends() {
    let world = World::small(Shell::Real);
    let (granted, mut channel) = world.open("/bin/sh");
    channel.until("a prompt", |channel| !channel.output.is_empty());
    channel.keys("set -m; sleep 4711 & echo job-$!-\r");
    channel.until("the job", |channel| channel.text().contains("\njob-"));
    let said = channel.text();
    let job: i32 = said.split("\njob-").nth(1).unwrap().split('-').next().unwrap().parse().unwrap();
    let job = rustix::process::Pid::from_raw(job).unwrap();
    assert!(rustix::process::test_kill_process(job).is_ok());
    let (status, _) = world.ssm("TerminateSession", granted["session"]["sessionId"].as_str().unwrap());
    assert_eq!(status, 200);
    channel.until("the end", |channel| channel.closed.is_some());
    let end = std::time::Instant::now() + super::channel::PATIENCE;
    while rustix::process::test_kill_process(job).is_ok() {
        assert!(std::time::Instant::now() < end, "the job lives on");
        std::thread::yield_now();
    }
}

#[test]
fn the_shell_dies_with_its_task() {
    let world = World::small(Shell::Real);
    let (granted, mut channel) = world.open("/bin/sh");
    channel.until("a prompt", |channel| !channel.output.is_empty());
    world.ecs("StopTask", &json!({"cluster": world.cluster, "task": granted["taskArn"]}));
    world.sim.step(Duration::from_mins(5));
    channel.until("the end", |channel| channel.closed.is_some());
    assert_eq!(channel.closed.as_deref(), Some(""));
}

#[test]
fn twenty_idle_minutes_end_a_session_and_each_hour_a_connection() {
    let world = World::small(Shell::Real);
    let (granted, mut channel) = world.open("/bin/sh");
    channel.until("a prompt", |channel| !channel.output.is_empty());
    for _ in 0..4 {
        world.sim.step(Duration::from_mins(19));
        let before = channel.output.len();
        channel.keys("\r");
        if channel.ended.is_none() {
            channel.until("an echo, or the goodbye", |channel| channel.output.len() > before || channel.ended.is_some());
        }
    }
    channel.until("the goodbye", |channel| channel.ended.is_some());
    assert_eq!(channel.ended, Some((1000, "Bye".to_owned())));
    let session = granted["session"]["sessionId"].as_str().unwrap();
    let (status, resumed) = world.ssm("ResumeSession", session);
    assert_eq!((status, &resumed["SessionId"]), (200, &json!(session)));
    let text = |key: &str| resumed[key].as_str().unwrap();
    channel.reopen(world.sim.addr(), &world.keys, text("StreamUrl"), text("TokenValue"));
    channel.keys("echo still-$((40+2))\r");
    channel.says("still-42");
    world.sim.step(Duration::from_mins(20));
    channel.until("the end", |channel| channel.closed.is_some());
    assert_eq!(channel.closed.as_deref(), Some("Your session timed out due to inactivity and has been terminated."));
    channel.until("the socket's end", |channel| channel.ended.is_some());
    let end = std::time::Instant::now() + super::channel::PATIENCE;
    loop {
        let (status, resumed) = world.ssm("ResumeSession", session);
        assert_eq!(status, 200);
        if resumed["TokenValue"] == "" {
            break;
        }
        assert!(std::time::Instant::now() < end, "the session is not over: {resumed}");
        world.sim.step(Duration::from_secs(1));
    }
    let (status, refused) = world.ssm("ResumeSession", "ecs-execute-command-0123456789abcdef0");
    assert_eq!((status, &refused["__type"]), (400, &json!("DoesNotExistException")));
}

#[test]
fn a_container_has_room_for_two_sessions_and_each_end_makes_room() {
    let world = World::small(Shell::Real);
    let task = world.task();
    let (first, mut one) = world.open("/bin/sh");
    let (_, mut two) = world.open("/bin/sh");
    let (status, refused) = world.execute(&task, "/bin/sh");
    assert_eq!((status, &refused["__type"]), (400, &json!("TargetNotConnectedException")));
    assert_eq!(refused["message"], "The execute command failed due to an internal error. Try again later.");
    world.ssm("TerminateSession", first["session"]["sessionId"].as_str().unwrap());
    one.until("the end", |channel| channel.closed.is_some());
    let end = std::time::Instant::now() + super::channel::PATIENCE;
    while world.execute(&task, "/bin/sh").0 != 200 {
        assert!(std::time::Instant::now() < end, "no place became free");
        // Calls are counted by the virtual clock.
        world.sim.step(Duration::from_secs(1));
    }
    two.until("a prompt", |channel| !channel.output.is_empty());
}

#[test]
fn early_input_is_acknowledged_and_lost_and_late_input_is_not() {
    let world = World::small(Shell::Real);
    let mut channel = world.open_saying("cat", "lost\r");
    channel.until("the acknowledgement", |channel| channel.acknowledged.contains(&0));
    channel.until("the program's time", |channel| channel.seen.iter().any(|message| message.kind == "start_publication"));
    // Whether the program is there yet is seen by what it repeats.
    let end = std::time::Instant::now() + super::channel::PATIENCE;
    while !channel.text().contains("kept") {
        assert!(std::time::Instant::now() < end);
        channel.keys("kept\r");
        let sent = channel.acknowledged.len() + channel.waiting();
        channel.until("an acknowledgement", |channel| channel.acknowledged.len() >= sent);
    }
    assert!(!channel.text().contains("lost"), "{}", channel.text());
}

#[test]
fn what_comes_twice_or_too_early_reaches_the_program_once_and_in_order() {
    let world = World::small(Shell::Real);
    let mut channel = world.open_saying("sh -c 'stty -echo; echo ready; exec cat'", "x\r");
    channel.until("the acknowledgement", |channel| !channel.acknowledged.is_empty());
    let message =
        |sequence: i64, text: &str| super::channel::write("input_stream_data", sequence, 0, uuid::Uuid::new_v4(), 1, text.as_bytes());
    // Out of order until the program is there: acknowledged, and kept.
    let (two, three) = (message(2, "two\r"), message(3, "three\r"));
    channel.frame(2, &three);
    channel.frame(2, &two);
    channel.until("both are acknowledged", |channel| [2, 3].iter().all(|n| channel.acknowledged.contains(n)));
    channel.says("ready\r\n");
    let one = message(1, "one\r");
    channel.frame(2, &one);
    channel.frame(2, &two);
    channel.frame(2, &one);
    channel.says("three\r\n");
    assert_eq!(channel.text(), "ready\r\none\r\ntwo\r\nthree\r\n");
    channel.until("again acknowledged", |channel| channel.acknowledged.iter().filter(|n| **n == 1).count() >= 2);
}

#[test]
fn a_megabyte_comes_out_as_it_was_written_though_the_client_is_slow() {
    let world = World::small(Shell::Real);
    let (_, mut channel) = world.open("sh -c 'stty raw; yes 0123456789abcde | head -c 1000000'");
    channel.acknowledges = false;
    channel
        .until("as much as may be on its way", |channel| channel.seen.iter().filter(|m| m.kind == OUTPUT && m.sequence == 255).count() > 0);
    assert!(channel.seen.iter().all(|message| message.sequence < 256), "unacknowledged output is bounded");
    channel.acknowledges = true;
    channel.until("the end", |channel| channel.closed.is_some());
    assert_eq!(channel.output.len(), 1_000_000);
    assert!(channel.output.chunks(16).all(|line| b"0123456789abcde\n".starts_with(line)));
}

/// By its own end, not at the next start: a folder may hold what somebody typed.
#[test]
fn a_simulator_that_is_told_to_end_takes_the_folders_of_its_shells_with_it() {
    let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_midwatch"))
        .args(["sim", "--scenario", "small", "--speed", "0", "--shell"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(program.stdout.as_mut().unwrap()), &mut line).unwrap();
    let addr: std::net::SocketAddr = line.trim().strip_prefix("listening on http://").unwrap().parse().unwrap();
    let contexts = midwatch::sim::contexts(&midwatch::sim::Options { scenario: "small".to_owned(), ..Default::default() }).unwrap();
    let keys = contexts.into_iter().find(|context| context.name == "acme-prod").unwrap();
    let cluster = "payments-prod";
    let list = json!({"cluster": cluster, "serviceName": "checkout"});
    let (_, listed) = super::send(addr, &super::call(addr, &keys, "ecs", "AmazonEC2ContainerServiceV20141113.ListTasks", &list));
    let task = listed["taskArns"][0].as_str().unwrap();
    let (status, granted) = super::execute(addr, &keys, cluster, task, "app", "/bin/sh -c 'pwd; echo do''ne; cat'");
    assert_eq!(status, 200, "{granted}");
    let of = |key: &str| granted["session"][key].as_str().unwrap();
    let mut channel = super::Channel::open(addr, &keys, of("streamUrl"), of("tokenValue"));
    channel.until("the folder", |channel| channel.text().contains("done\r\n"));
    let folder = folder_of(&channel.text());
    assert!(std::path::Path::new(&folder).is_dir(), "{folder}");
    assert!(folder.contains(&format!("midwatch-exec-{}-", program.id())), "{folder}");
    let id = rustix::process::Pid::from_raw(i32::try_from(program.id()).unwrap()).unwrap();
    rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
    assert!(program.wait().unwrap().success());
    assert!(!std::path::Path::new(&folder).exists(), "{folder} is still there");
}
