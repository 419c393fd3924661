//! What counts when texts, codes and containers say different things.

use super::*;
use proptest::prelude::*;

fn ended(name: &str, reason: &str, exit_code: Option<i64>, essential: bool) -> Ended {
    Ended { name: name.into(), reason: reason.into(), exit_code, essential: Some(essential) }
}

fn stop(code: &str, reason: &str, containers: &[Ended]) -> Explanation {
    stopped(&Stop { reason: reason.into(), stop_code: code.into(), containers: containers.to_vec(), of_service: Some(true) })
}

#[test]
fn every_cause_has_one_word_of_its_own() {
    let words: std::collections::HashSet<&str> = Cause::all().map(Cause::word).collect();
    assert_eq!(words.len(), 53);
    for cause in Cause::all() {
        assert_eq!(Cause::of_word(cause.word()), Some(cause));
    }
}

#[test]
fn a_scale_in_is_normal_whatever_the_exit_code() {
    for code in [0, 1, 137, 143] {
        let told = stop(
            "ServiceSchedulerInitiated",
            "Scaling activity initiated by (deployment ecs-svc/12)",
            &[ended("app", "", Some(code), true)],
        );
        assert_eq!((told.cause, told.cause.normal()), (Cause::NormalScaleIn, true), "{code}");
    }
}

#[test]
fn memory_beats_everything_that_is_said_beside_it() {
    for (code, reason) in [
        ("ServiceSchedulerInitiated", "Scaling activity initiated by (deployment ecs-svc/12)"),
        ("EssentialContainerExited", "Essential container in task exited"),
        ("UserInitiated", "Task stopped by user"),
        ("ServiceSchedulerInitiated", "Task failed ELB health checks in (target-group web)"),
    ] {
        let worker = ended("worker", "OutOfMemoryError: Container killed due to memory usage", Some(137), true);
        let told = stop(code, reason, &[ended("nginx", "", Some(0), true), worker]);
        assert_eq!(told.cause, Cause::OutOfMemory, "{reason}");
        assert!(told.says.contains("worker") && told.says.contains("137"), "{}", told.says);
    }
}

#[test]
fn without_the_word_of_memory_137_is_a_kill_and_139_a_crash() {
    let of = |code| stop("EssentialContainerExited", "Essential container in task exited", &[ended("app", "", Some(code), true)]).cause;
    assert_eq!(of(137), Cause::SignalKillTimeout);
    assert_eq!(of(139), Cause::Segfault);
    assert_eq!(of(1), Cause::AppExit);
    assert_eq!(of(0), Cause::AppExit, "a service wants a program that stays");
    assert_eq!(of(3_221_225_477), Cause::Segfault);
    assert_eq!(of(-1_073_741_819), Cause::Segfault, "the same read as signed");
}

#[test]
fn the_container_that_failed_is_named_and_those_that_followed_are_not_blamed() {
    let told = stop(
        "EssentialContainerExited",
        "Essential container in task exited",
        &[ended("nginx", "", Some(137), true), ended("app", "", Some(1), true), ended("blackbox", "", Some(143), true)],
    );
    assert_eq!(told.cause, Cause::AppExit);
    assert!(told.says.starts_with("container app exited with code 1"), "{}", told.says);
    assert!(told.says.ends_with("nginx and blackbox only followed"), "{}", told.says);
}

#[test]
fn an_essential_container_is_to_blame_before_a_sidecar_that_ended_badly_when_stopped() {
    let told = stop(
        "EssentialContainerExited",
        "Essential container in task exited",
        &[ended("sidecar", "", Some(1), false), ended("app", "", Some(139), true)],
    );
    assert_eq!(told.cause, Cause::Segfault);
    let told = stop(
        "EssentialContainerExited",
        "Essential container in task exited",
        &[ended("proxy", "", Some(143), true), ended("app", "", Some(0), true)],
    );
    assert!(told.says.starts_with("container app exited with code 0"), "{}", told.says);
}

#[test]
fn a_task_that_failed_to_start_is_explained_by_its_container() {
    let told = stop(
        "TaskFailedToStart",
        "Task failed to start",
        &[
            ended("nginx", "", None, true),
            ended(
                "app",
                "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref docker.io/acme/api:v7: docker.io/acme/api:v7: not found",
                None,
                true,
            ),
        ],
    );
    assert_eq!(told.cause, Cause::ImageNotFound);
    assert!(told.says.contains("acme/api:v7") && told.says.contains("container app"), "{}", told.says);
}

#[test]
fn that_a_container_did_not_stop_at_once_says_less_than_its_code() {
    let slow = "CannotStopContainerError: Error response from daemon: tried to kill container, but did not receive an exit event";
    let of = |code| stop("EssentialContainerExited", "Essential container in task exited", &[ended("app", slow, code, true)]);
    assert_eq!(of(Some(137)).cause, Cause::SignalKillTimeout);
    assert_eq!(of(Some(139)).cause, Cause::Segfault);
    assert_eq!(of(None).cause, Cause::SignalKillTimeout, "without a code the text is all there is");
}

#[test]
fn a_text_that_is_known_but_has_no_cause_outweighs_nothing() {
    let config = "unable to download firelens s3 config file: unable to download s3 config a.conf from bucket b: NoSuchKey";
    let told = container(config, None);
    assert_eq!((told.cause, told.confidence), (Cause::Other, Confidence::High));
    assert!(told.says.contains("a.conf in bucket b"), "{}", told.says);
    let told =
        stop("TaskFailedToStart", config, &[ended("app", "OutOfMemoryError: Container killed due to memory usage", Some(137), true)]);
    assert_eq!(told.cause, Cause::OutOfMemory);
}

#[test]
fn a_right_that_is_missing_is_no_role_that_cannot_be_assumed() {
    let of = |action: &str| {
        event(&format!(
            "IAM permissions policies have been misconfigured. Role (arn:aws:iam::1:role/infra) is not authorized to perform: ({action})."
        ))
    };
    let told = of("elasticloadbalancing:DescribeTargetHealth");
    assert_eq!(told.cause, Cause::Other);
    assert!(told.says.contains("elasticloadbalancing:DescribeTargetHealth") && told.next_check.contains("infra"), "{told:?}");
    assert_eq!(of("sts:AssumeRole").cause, Cause::RoleUnassumable);
}

#[test]
fn who_refuses_is_what_to_check() {
    for (words, whose) in [
        ("with an explicit deny in a service control policy", "the organization's service control policy"),
        ("with an explicit deny in a resource-based policy", "the policy of the thing itself"),
        ("with an explicit deny in a permissions boundary", "the permissions boundary of the role exec"),
        ("because no permissions boundary allows the ssm:GetParameters action", "the permissions boundary of the role exec"),
        ("because no VPC endpoint policy allows the ssm:GetParameters action", "the policy of the VPC endpoint"),
        ("because no identity-based policy allows the ssm:GetParameters action", "ssm:GetParameters or secretsmanager:GetSecretValue"),
    ] {
        let user = "AccessDeniedException: User: arn:aws:sts::1:assumed-role/exec/1a is not authorized to perform: ssm:GetParameters on resource: \
                    arn:aws:ssm:eu-north-1:1:parameter/a";
        let told = stop("TaskFailedToStart", &format!("Fetching secret data from SSM Parameter Store: {user} {words}"), &[]);
        assert_eq!(told.cause, Cause::SecretDenied, "{words}");
        assert!(told.next_check.starts_with(&format!("check {whose}")), "{words}: {}", told.next_check);
    }
}

#[test]
fn a_person_s_own_words_are_not_taken_for_the_scheduler_s() {
    let told = stop("UserInitiated", "bouncing it, it eats CPU", &[ended("app", "", Some(143), true)]);
    assert_eq!(told.cause, Cause::UserStopped);
    assert!(told.says.contains("bouncing it, it eats CPU"), "{}", told.says);
}

#[test]
fn a_text_that_nobody_knows_is_shown_as_it_is() {
    for text in ["Frobnication of the whatsit did not converge", "", "   "] {
        for told in [stop("", text, &[]), event(text), target(text), container(text, None)] {
            assert_eq!((told.cause, told.confidence), (Cause::Other, Confidence::Low), "{text:?}");
            assert!(told.says == text || told.says == "AWS gives no reason", "{}", told.says);
        }
    }
}

#[test]
fn a_text_in_the_wrong_field_is_still_understood() {
    let told = stop("", "(service web) was unable to place a task because no container instance met all of its requirements.", &[]);
    assert_eq!(told.cause, Cause::PlacementNoInstances);
    assert_eq!(event("Target.Timeout").cause, Cause::ElbHealthCheck);
}

#[test]
fn names_of_things_do_not_decide() {
    for text in
        ["(service secret-efs-mount) has reached a steady state.", "(service parameter-store) (deployment ecs-svc/7) deployment completed."]
    {
        assert!(event(text).cause.normal(), "{text}");
    }
    let told = event(
        "(service ssm-proxy) (task 0123456789abcdef) (port 8443) is unhealthy in (target-group ssm-proxy) due to (reason Request timed out)",
    );
    assert_eq!(told.cause, Cause::ElbHealthCheck);
    assert!(told.says.contains("8443") && told.says.contains("ssm-proxy"), "{}", told.says);
}

proptest! {
    #[test]
    fn any_text_is_explained_in_one_line_and_always_alike(words in proptest::collection::vec(
        prop_oneof![
            "\\PC{0,12}",
            Just("CannotPullContainerError:".to_owned()),
            Just("unable to pull secrets or registry auth: [".to_owned()),
            Just("not found {image}] (service ".to_owned()),
            Just("i/o timeout\n".to_owned()),
            Just("from bucket volume 'x-y-9 service ( -_".to_owned()),
        ],
        0..12,
    ), code in proptest::option::of(any::<i64>())) {
        let text = words.join(" ");
        let told = [stop("TaskFailedToStart", &text, &[ended("app", &text, code, true)]), event(&text), target(&text), container(&text, code)];
        for told in &told {
            prop_assert!(!told.says.trim().is_empty() && !told.says.contains('\n'), "{:?}", told);
        }
        prop_assert_eq!(&told[1], &event(&text));
    }
}
