//! Waiting for a signal: who ends by one that it does not hear leaves behind what it has started.

use std::time::Duration;

/// How often the server is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Returns when the system wants the process to end, or `over` says so.
pub(super) fn wait(over: &dyn Fn() -> bool) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let Ok(runtime) = runtime else {
        // Without one no signal is heard: whoever ends the process leaves what there is.
        while !over() {
            std::thread::sleep(LOOK);
        }
        return;
    };
    runtime.block_on(async {
        let mut look = tokio::time::interval(LOOK);
        let told = told();
        tokio::pin!(told);
        while !over() {
            tokio::select! {
                () = &mut told => return,
                _ = look.tick() => {}
            }
        }
    });
}

#[cfg(unix)]
async fn told() {
    use tokio::signal::unix::{SignalKind, signal};
    let kinds = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()];
    let [Ok(mut terminate), Ok(mut interrupt), Ok(mut hangup)] = kinds.map(signal) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        _ = hangup.recv() => {}
    }
}

#[cfg(not(unix))]
async fn told() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}
