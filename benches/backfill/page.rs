//! The report: parts, their figures against what is wanted, the page.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use crate::{Outcome, Scale};

/// A bound.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Want {
    AtLeast(f64),
    AtMost(f64),
}

/// A figure and its bound.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    what: &'static str,
    figure: f64,
    want: Want,
}

/// A drawing beside the page.
pub(crate) struct Plot {
    pub(crate) file: &'static str,
    pub(crate) about: &'static str,
    pub(crate) svg: String,
}

/// One part of the report.
pub(crate) struct Part {
    pub(crate) number: u32,
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) head: Vec<String>,
    pub(crate) table: Vec<Vec<String>>,
    pub(crate) lines: Vec<Line>,
    pub(crate) plots: Vec<Plot>,
}

impl Line {
    pub(crate) const fn new(what: &'static str, figure: f64, want: Want) -> Self {
        Self { what, figure, want }
    }

    fn met(&self) -> bool {
        match self.want {
            Want::AtLeast(bound) => self.figure >= bound,
            Want::AtMost(bound) => self.figure <= bound,
        }
    }

    fn cells(&self) -> [String; 4] {
        let bound = match self.want {
            Want::AtLeast(bound) => format!("at least {}", short(bound)),
            Want::AtMost(bound) => format!("at most {}", short(bound)),
        };
        [self.what.into(), short(self.figure), bound, if self.met() { "yes" } else { "**no**" }.into()]
    }
}

/// Says what was found.
pub(crate) fn verdict(parts: &[Part]) {
    println!();
    for part in parts {
        for line in &part.lines {
            let [what, figure, bound, met] = line.cells();
            println!("{} {what}: {figure} ({bound}): {met}", part.number);
        }
    }
}

/// Writes the page and its drawings; where only some parts ran, they take the place of
/// what the page says of them, and the others stay as they are.
pub(crate) fn write(setting: &str, scale: Scale, parts: &[Part]) -> Outcome<()> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let page = docs.join("benchmarks.md");
    let mut sections = sections(&std::fs::read_to_string(&page).unwrap_or_default());
    for part in parts {
        for plot in &part.plots {
            std::fs::create_dir_all(docs.join("plots"))?;
            std::fs::write(docs.join("plots").join(plot.file), &plot.svg)?;
        }
        sections.insert(part.number, section(setting, scale, part)?);
    }
    let sections: Vec<String> = sections.into_values().collect();
    std::fs::write(page, format!("{HEAD}\n{}", sections.join("\n")))?;
    println!("\nwritten: docs/benchmarks.md");
    Ok(())
}

/// What stands above the parts.
const HEAD: &str = "# Benchmarks

Written by `make bench`, which takes about three quarters of an hour; `BENCH_ONLY=3 make bench` measures a part of
it anew. Every figure is a ratio of what ran in turn in the same run, because machines differ and drift. The table
has a primary key, two indexes and packed pages; one column is worked out from another.
";

/// The parts that the page has, by their numbers.
fn sections(page: &str) -> BTreeMap<u32, String> {
    let parts = page.split("\n## ").skip(1);
    let number = |part: &str| part.split_once('.').and_then(|(number, _)| number.parse().ok());
    parts.filter_map(|part| Some((number(part)?, format!("## {}\n", part.trim_end())))).collect()
}

fn section(setting: &str, scale: Scale, part: &Part) -> Outcome<String> {
    let mut text = format!("## {}. {}\n\n{}\n\n", part.number, part.title, part.text);
    for plot in &part.plots {
        write!(text, "![{}](plots/{})\n\n", plot.about, plot.file)?;
    }
    text += &table(&part.head, &part.table);
    text += "\n";
    let head = ["", "figure", "wanted", "met"].map(str::to_owned);
    let lines: Vec<Vec<String>> = part.lines.iter().map(|line| line.cells().into()).collect();
    text += &table(&head, &lines);
    write!(
        text,
        "\n{setting}; BENCH_ROWS={}, BENCH_LARGE={}, BENCH_ROUNDS={}, BENCH_SECONDS={}.\n",
        scale.rows, scale.large, scale.rounds, scale.seconds
    )?;
    Ok(text)
}

fn table(head: &[String], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let rule = vec!["---".to_owned(); head.len()];
    let rows: String = rows.iter().map(|cells| line(cells)).collect();
    line(head) + &line(&rule) + &rows
}

fn short(value: f64) -> String {
    if value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}

/// A count with its thousands apart.
pub(crate) fn thousand(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bytes in mebibytes.
pub(crate) fn mebibytes(bytes: f64) -> String {
    format!("{:.1} MiB", bytes / 1_048_576.0)
}
