//! The page itself: its sections in their order, and their text as HTML.

use super::{Epoch, Figure, Importance, Report, SCHEMA_HEADER, Table, charts, svg, worth};

/// The page.
pub fn html(report: &Report<'_>) -> String {
    let importance = report.importance.as_ref().map_or(String::new(), importance);
    let training = training(report) + &settings(report) + &schema(report);
    let body = evaluation(report) + &importance + &training;
    let command = report.command.as_deref().unwrap_or_default();
    page("pairloom report", &report.title, &report.lead, command, &report.summary, &body)
}

/// A page of its own: heading, a sentence, what repeats it, key figures, and the rest.
pub(super) fn page(
    over: &str,
    title: &str,
    lead: &str,
    command: &str,
    summary: &[Figure],
    body: &str,
) -> String {
    let header = header(over, title, lead, command, summary);
    let title = escape(title);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta http-equiv=\"Content-Security-Policy\" \
         content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>\n{}</style>\n</head>\n<body>\n<main>\n{header}{body}\
         <footer>Drawn by pairloom. This page is complete in itself: no scripts, no network.\
         </footer>\n</main>\n</body>\n</html>\n",
        include_str!("style.css"),
    )
}

fn header(over: &str, title: &str, lead: &str, command: &str, summary: &[Figure]) -> String {
    let tiles: String = summary.iter().map(tile).collect();
    let tiles = wrap("<dl class=\"tiles\">\n", &tiles, "</dl>\n");
    let lead = wrap("<p class=\"lead\">", &escape(lead), "</p>\n");
    let command = wrap("<pre><code>", &escape(command), "</code></pre>\n");
    let title = escape(title);
    format!(
        "<header>\n<p class=\"over\">{over}</p>\n<h1>{title}</h1>\n{lead}{command}</header>\n{tiles}"
    )
}

fn tile(Figure { name, value, note }: &Figure) -> String {
    let (name, value) = (escape(name), escape(value));
    let note = wrap("<dd class=\"beside\">", &escape(note), "</dd>");
    format!("<div><dt>{name}</dt><dd>{value}</dd>{note}</div>\n")
}

fn training(report: &Report<'_>) -> String {
    if report.history.is_empty() {
        return String::new();
    }
    let cards = charts::training(report).concat() + &epochs(report);
    section("Training", &format!("<div class=\"grid\">\n{cards}</div>\n"))
}

/// The numbers behind the learning curves.
fn epochs(report: &Report<'_>) -> String {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in report.history.iter().flat_map(|epoch| &epoch.valid) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let mut header = vec!["epoch".to_string(), format!("train {}", report.loss_name)];
    header.extend(names.iter().map(|name| format!("valid {name}")));
    header.push("learning rate".to_string());
    let row = |epoch: &Epoch| {
        let is_kept = report.kept_epoch == Some(epoch.epoch);
        let kept = if is_kept { format!(" ({})", charts::kept(report)) } else { String::new() };
        let mut row = vec![format!("{}{kept}", epoch.epoch), svg::number(epoch.train_loss)];
        row.extend(names.iter().map(|name| {
            let pair = epoch.valid.iter().find(|pair| pair.0 == *name);
            svg::number(pair.map_or(f64::NAN, |pair| pair.1))
        }));
        row.push(svg::number(epoch.learning_rate));
        row
    };
    let table = table("Epochs", &header, report.history.iter().map(row));
    format!("<div class=\"card numbers\">\n<h3>Epochs</h3>\n{table}</div>\n")
}

fn evaluation(report: &Report<'_>) -> String {
    let segments: String = report.segments.iter().map(segments).collect();
    let figures = pairs("Metrics", &report.metrics) + &segments;
    let Some(evaluation) = &report.evaluation else {
        return if figures.is_empty() { figures } else { section("Evaluation", &figures) };
    };
    let cards = match charts::evaluation(&evaluation.kind) {
        Ok(charts) => charts.concat(),
        Err(error) => {
            let reason = error.to_string();
            let reason = escape(reason.trim_start_matches("evaluation: "));
            format!("<p class=\"card note\">Nothing to draw: {reason}.</p>\n")
        }
    };
    let cards = format!("<div class=\"grid\">\n{cards}{figures}</div>\n");
    section(&evaluation.title, &cards)
}

/// Bars and maps, and the numbers behind them.
fn importance(of: &Importance) -> String {
    let note = wrap("<p class=\"note\">", &escape(&of.note), "</p>\n");
    let bars = of.bars.iter().enumerate().map(|(n, bars)| worth::bars(bars, &format!("bars{n}")));
    let maps = of.maps.iter().enumerate().map(|(n, map)| worth::map(map, &format!("map{n}")));
    let cards: String = bars.chain(maps).collect();
    let tables: String = of.tables.iter().map(segments).collect();
    section(&of.title, &format!("{note}<div class=\"grid\">\n{cards}{tables}</div>\n"))
}

fn segments(Table { title, header, rows }: &Table) -> String {
    let title = escape(title);
    let table = table(&title, header, rows);
    format!("<div class=\"card numbers wide\">\n<h3>{title}</h3>\n{table}</div>\n")
}

fn settings(report: &Report<'_>) -> String {
    let settings = pairs("", &report.settings);
    if settings.is_empty() { settings } else { section("Settings", &settings) }
}

/// The columns, folded when they would push the end of the page out of reach.
fn schema(report: &Report<'_>) -> String {
    if report.schema.is_empty() {
        return String::new();
    }
    let table = table("Columns", &SCHEMA_HEADER, &report.schema);
    let (open, count) = (if report.schema.len() > 24 { "" } else { " open" }, report.schema.len());
    let noun = if count == 1 { "column" } else { "columns" };
    let fold = format!("<details{open}>\n<summary>{count} {noun}</summary>\n{table}</details>\n");
    section("Columns", &format!("<div class=\"card\">\n{fold}</div>\n"))
}

pub(super) fn section(title: &str, body: &str) -> String {
    format!("<section>\n<h2>{}</h2>\n{body}</section>\n", escape(title))
}

/// A card of names and values, empty without any.
fn pairs(title: &str, pairs: &[(String, String)]) -> String {
    let row = |(name, value): &(String, String)| {
        format!("<div><dt>{}</dt><dd>{}</dd></div>\n", escape(name), escape(value))
    };
    let rows: String = pairs.iter().map(row).collect();
    let title = wrap("<h3>", title, "</h3>\n");
    wrap(&format!("<div class=\"card\">\n{title}<dl class=\"pairs\">\n"), &rows, "</dl>\n</div>\n")
}

/// A table that scrolls within its card rather than widening the page.
pub(super) fn table<H: AsRef<str>, R: AsRef<[C]>, C: AsRef<str>>(
    name: &str,
    header: &[H],
    rows: impl IntoIterator<Item = R>,
) -> String {
    let head: String = header
        .iter()
        .map(|cell| format!("<th scope=\"col\">{}</th>", escape(cell.as_ref())))
        .collect();
    let row = |row: R| {
        let cells = row.as_ref().iter().map(|cell| format!("<td>{}</td>", escape(cell.as_ref())));
        format!("<tr>{}</tr>\n", cells.collect::<String>())
    };
    let rows: String = rows.into_iter().map(row).collect();
    format!(
        "<div class=\"scroll\" role=\"region\" aria-label=\"{name}\" tabindex=\"0\">\n<table>\n\
         <thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n</div>\n"
    )
}

/// `inner` between its tags, or nothing at all.
fn wrap(open: &str, inner: &str, close: &str) -> String {
    if inner.is_empty() { String::new() } else { [open, inner, close].concat() }
}

/// Text as HTML shows it, in an element or a quoted attribute.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}
