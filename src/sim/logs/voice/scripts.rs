//! Programs with frameworks that talk at length and leave stack traces of many lines: Spring Boot, PHP, Python.

use super::{Meaning, Ms, Speaker, when};
use crate::sim::rng::Rng;
use crate::sim::scenario::Voice;

/// Puts a meaning into lines.
pub(super) fn say(speaker: &Speaker<'_>, rng: &mut Rng, at: Ms, meaning: &Meaning) -> Vec<String> {
    match speaker.container.voice {
        Voice::Php => php(speaker, rng, at, meaning),
        Voice::Python => python(speaker, rng, at, meaning),
        _ => java(speaker, rng, at, meaning),
    }
}

fn java(speaker: &Speaker<'_>, rng: &mut Rng, at: Ms, meaning: &Meaning) -> Vec<String> {
    let thread = format!("nio-8080-exec-{}", 1 + rng.below(24));
    match meaning {
        Meaning::Request(request) => {
            let text = format!("{} {} -> {} in {} ms", request.method, request.path, request.status, request.millis);
            let level = if request.status >= 500 { "error" } else { "info" };
            vec![java_remark(speaker, at, level, &thread, "web.RequestLog", &text)]
        }
        Meaning::Work(text) => vec![java_remark(speaker, at, "info", "scheduling-1", "jobs.Scheduler", text)],
        Meaning::Warning(text) => vec![java_remark(speaker, at, "warn", &thread, "service.Gateway", text)],
        Meaning::Trouble(trouble, request) => {
            let text = format!("Servlet.service() for {} {} threw exception", request.method, request.path);
            let mut lines = vec![java_remark(speaker, at, "error", &thread, "web.ErrorHandler", &text), trouble.java.to_owned()];
            let package = package(speaker);
            for (class, method) in [
                ("persistence.Repository", "find"),
                ("service.Gateway", "load"),
                ("service.Gateway", "lambda$call$3"),
                ("web.Controller", "show"),
            ] {
                let file = class.split('.').next_back().unwrap_or(class);
                lines.push(format!("\tat {package}.{class}.{method}({file}.java:{})", 30 + rng.below(400)));
            }
            lines.push("\tat org.springframework.web.servlet.FrameworkServlet.service(FrameworkServlet.java:885)".to_owned());
            lines.push("\tat java.base/java.lang.Thread.run(Thread.java:1583)".to_owned());
            lines.push(format!("Caused by: {}", trouble.cause));
            lines.push("\tat java.base/sun.nio.ch.NioSocketImpl.timedRead(NioSocketImpl.java:278)".to_owned());
            lines.push(format!("\t... {} common frames omitted", 20 + rng.below(60)));
            lines
        }
    }
}

pub(super) fn java_remark(speaker: &Speaker<'_>, at: Ms, level: &str, thread: &str, logger: &str, text: &str) -> String {
    // Spring Boot has no FATAL.
    let level = if level == "fatal" { "ERROR".to_owned() } else { level.to_uppercase() };
    let logger = format!("{}.{logger}", package(speaker).replacen("com.acme", "c.a", 1));
    format!("{} {level:>5} 1 --- [{}] [{thread:>15}] {logger:<40} : {text}", when(at, "%Y-%m-%dT%H:%M:%S.%3fZ"), speaker.noun)
}

fn package(speaker: &Speaker<'_>) -> String {
    format!("com.acme.{}", speaker.noun)
}

pub(super) fn java_banner(speaker: &Speaker<'_>, at: Ms, version: &str) -> Vec<String> {
    let mut lines: Vec<String> = [
        "  .   ____          _            __ _ _",
        " /\\\\ / ___'_ __ _ _(_)_ __  __ _ \\ \\ \\ \\",
        "( ( )\\___ | '_ | '_| | '_ \\/ _` | \\ \\ \\ \\",
        " \\\\/  ___)| |_)| | | | | || (_| |  ) ) ) )",
        "  '  |____| .__|_| |_|_| |_\\__, | / / / /",
        " =========|_|==============|___/=/_/_/_/",
        " :: Spring Boot ::                (v3.5.8)",
    ]
    .map(str::to_owned)
    .to_vec();
    let texts = [
        format!("Starting Application v{version} using Java 21.0.9 with PID 1 (/app/app.jar started by app in /app)"),
        "No active profile set, falling back to 1 default profile: \"default\"".to_owned(),
        "HikariPool-1 - Start completed.".to_owned(),
        "Tomcat started on port 8080 (http) with context path '/'".to_owned(),
        "Started Application in 11.482 seconds (process running for 12.207)".to_owned(),
    ];
    let first = at + 60 * Ms::try_from(lines.len()).unwrap_or_default();
    lines.extend(texts.iter().zip(0..).map(|(text, nth)| java_remark(speaker, first + nth * 60, "info", "main", "Application", text)));
    lines
}

fn php(speaker: &Speaker<'_>, rng: &mut Rng, at: Ms, meaning: &Meaning) -> Vec<String> {
    let stamp = when(at, "%Y-%m-%dT%H:%M:%S.%6f+00:00");
    match meaning {
        Meaning::Request(request) if rng.chance(600) => {
            vec![format!(
                "{} -  {} \"{} /index.php\" {}",
                request.client,
                when(at, "%d/%b/%Y:%H:%M:%S +0000"),
                request.method,
                request.status
            )]
        }
        Meaning::Request(request) => vec![format!(
            "[{stamp}] request.INFO: Matched route \"{0}_show\". {{\"route\":\"{0}_show\",\"request_uri\":\"{1}\",\"method\":\"{2}\"}} []",
            speaker.noun, request.path, request.method
        )],
        Meaning::Work(text) => vec![format!("[{stamp}] app.INFO: {text} [] []")],
        Meaning::Warning(text) => vec![format!("[{stamp}] app.WARNING: {text} [] []")],
        Meaning::Trouble(trouble, request) => vec![
            format!(
                "[{}] PHP Fatal error:  Uncaught RuntimeException: {} in /var/www/src/{}/Repository.php:{}",
                when(at, "%d-%b-%Y %H:%M:%S UTC"),
                trouble.text,
                speaker.noun,
                20 + rng.below(200)
            ),
            "Stack trace:".to_owned(),
            format!(
                "#0 /var/www/src/{}/Controller.php({}): App\\Repository->find({})",
                speaker.noun,
                20 + rng.below(90),
                request.id % 100_000
            ),
            "#1 /var/www/vendor/symfony/http-kernel/HttpKernel.php(183): App\\Controller->show()".to_owned(),
            "#2 /var/www/vendor/symfony/http-kernel/HttpKernel.php(76): Symfony\\Component\\HttpKernel\\HttpKernel->handleRaw()".to_owned(),
            "#3 /var/www/public/index.php(5): require_once('/var/www/vendor...')".to_owned(),
            "#4 {main}".to_owned(),
            "  thrown in /var/www/vendor/autoload_runtime.php on line 29".to_owned(),
        ],
    }
}

pub(super) fn php_banner(at: Ms) -> Vec<String> {
    let stamp = when(at, "%d-%b-%Y %H:%M:%S");
    vec![format!("[{stamp}] NOTICE: fpm is running, pid 1"), format!("[{stamp}] NOTICE: ready to handle connections")]
}

fn python(speaker: &Speaker<'_>, rng: &mut Rng, at: Ms, meaning: &Meaning) -> Vec<String> {
    match meaning {
        Meaning::Request(request) => vec![format!(
            "{} - - [{}] \"{} {} HTTP/1.1\" {} {} \"-\" \"python-requests/2.32.5\"",
            request.client,
            when(at, "%d/%b/%Y:%H:%M:%S +0000"),
            request.method,
            request.path,
            request.status,
            request.bytes
        )],
        Meaning::Work(text) => vec![python_remark(at, "info", text)],
        Meaning::Warning(text) => vec![python_remark(at, "warning", text)],
        Meaning::Trouble(trouble, request) => {
            let line = 20 + rng.below(200);
            vec![
                python_remark(at, "error", &format!("Error handling request {}", request.path)),
                "Traceback (most recent call last):".to_owned(),
                "  File \"/usr/local/lib/python3.13/site-packages/gunicorn/workers/sync.py\", line 134, in handle".to_owned(),
                "    self.handle_request(listener, req, client, addr)".to_owned(),
                format!("  File \"/app/{}/views.py\", line {line}, in show", speaker.noun),
                format!("    return load({})", request.id % 100_000),
                format!("  File \"/app/{}/store.py\", line {}, in load", speaker.noun, line / 2),
                "    row = session.execute(query).one()".to_owned(),
                trouble.python.to_owned(),
            ]
        }
    }
}

pub(super) fn python_remark(at: Ms, level: &str, text: &str) -> String {
    let level = match level {
        "warn" => "WARNING".to_owned(),
        "fatal" => "CRITICAL".to_owned(),
        other => other.to_uppercase(),
    };
    format!("[{}] [7] [{level}] {text}", when(at, "%Y-%m-%d %H:%M:%S +0000"))
}

pub(super) fn python_banner(at: Ms) -> Vec<String> {
    let stamp = when(at, "%Y-%m-%d %H:%M:%S +0000");
    let line = |pid: u32, text: &str| format!("[{stamp}] [{pid}] [INFO] {text}");
    vec![
        line(1, "Starting gunicorn 23.0.0"),
        line(1, "Listening at: http://0.0.0.0:8000 (1)"),
        line(1, "Using worker: gthread"),
        line(7, "Booting worker with pid: 7"),
    ]
}
