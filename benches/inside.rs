//! What lies inside a frame, measured by criterion: the filter over a long table, the sanitiser, the cut of a text to its cell.
//!
//! `cargo bench --bench inside`. Nothing here is asserted: the figures depend on the machine.

use criterion::Criterion;
use midwatch::filter::Query;
use midwatch::text;
use std::hint::black_box;

/// Rows of the longest list that the program is built for.
const ROWS: usize = 10_000;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    filter(&mut criterion);
    sanitiser(&mut criterion);
    criterion.final_summary();
}

fn filter(criterion: &mut Criterion) {
    let rows: Vec<String> =
        (0..ROWS).map(|n| format!("{n:08x} service:checkout-{} checkout:{n} 10.0.{}.{}", n % 97, n / 256 % 256, n % 256)).collect();
    for text in ["check", "chkout9", "re:checkout-1[0-9]", "!checkout-9"] {
        let query = Query::parse(text, &[]).expect("the queries of this bench are sound");
        let kept = || rows.iter().filter(|row| query.matches(row, &|_| None)).count();
        criterion.bench_function(&format!("filter {ROWS} rows by {text}"), |bench| bench.iter(|| black_box(kept())));
    }
}

fn sanitiser(criterion: &mut Criterion) {
    let plain = "2026-11-21T03:11:40Z ERROR heap exhausted order=88213 ".repeat(4);
    let hostile = "\u{1b}[31mred\u{202e}desrever\u{7}\t\u{200b}".repeat(12);
    criterion.bench_function("clean a plain line", |bench| bench.iter(|| text::clean(black_box(&plain))));
    criterion.bench_function("clean a hostile line", |bench| bench.iter(|| text::clean(black_box(&hostile))));
    criterion.bench_function("fit a name into 20 cells", |bench| bench.iter(|| text::fit(black_box(&plain), 20).len()));
}
