//! The small shell of the simulator's own.

use super::World;
use midwatch::sim::Shell;

#[test]
fn it_says_what_it_is_and_answers_what_people_try_first() {
    let world = World::small(Shell::Builtin);
    let (_, mut channel) = world.open("/bin/sh");
    channel.says("/app # ");
    assert!(channel.text().contains("no program of this machine runs"));
    channel.keys("cat /etc/os-release\r");
    channel.says("PRETTY_NAME=\"Alpine Linux");
    channel.keys("whoami; ls /\r");
    channel.says("root\r\napp\r\nbin\r\n");
    channel.keys("exit\r");
    channel.until("the end", |channel| channel.closed.is_some());
    assert_eq!(channel.closed.as_deref(), Some(""));
}

#[test]
fn nothing_of_the_machine_is_to_be_seen() {
    let world = World::small(Shell::Builtin);
    let (_, mut channel) = world.open("sh -c 'cat /etc/passwd /proc/self/environ; ls /home; id'");
    channel.until("the end", |channel| channel.closed.is_some());
    let said = channel.text();
    assert!(said.contains("root:x:0:0:root:/root:/bin/sh\r\nnobody"), "{said}");
    assert!(said.contains("can't open '/proc/self/environ'") && said.contains("ls: /home: No such file"), "{said}");
}

#[test]
fn ctrl_c_ends_what_never_ends() {
    let world = World::small(Shell::Builtin);
    let (_, mut channel) = world.open("sh");
    channel.says("/app # ");
    channel.keys("yes\r");
    channel.says("y\r\ny\r\ny\r\n");
    channel.keys("\x03");
    channel.says("^C\r\n/app # ");
    channel.keys("sleep 100000\r");
    channel.says("sleep 100000\r\n");
    channel.keys("\x03");
    channel.until("two prompts more", |channel| channel.text().matches("^C\r\n/app # ").count() == 2);
}

#[test]
fn a_line_can_be_mended_before_it_is_entered() {
    let world = World::small(Shell::Builtin);
    let (_, mut channel) = world.open("sh");
    channel.says("/app # ");
    channel.keys("echo wrongé\x7f\x7f\x7f\x7f\x7f\x7frighté\r");
    channel.says("\r\nrighté\r\n");
}

#[test]
fn programs_that_it_has_not_are_not_there() {
    let world = World::small(Shell::Builtin);
    let (_, mut channel) = world.open("bash");
    channel.until("the end", |channel| channel.closed.is_some());
    let words =
        "\n----------ERROR-------\nUnable to start command: Failed to start pty: exec: \"bash\": executable file not found in $PATH";
    assert_eq!(channel.closed.as_deref(), Some(words));
}
