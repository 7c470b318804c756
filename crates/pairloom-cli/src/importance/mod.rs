//! `pairloom explain --importance`: what columns, pairs of columns and pairs of values are worth.

mod page;

use crate::catalogue::Opening;
use crate::explain::Args;
use crate::screen::{
    Screen, figure, metric_title, notice_skipped, notice_unseen, one_line, thousands, write_text,
};
use pairloom::explain::{Importance, ImportanceOptions, Names, ValuePair, Worse};
use pairloom::report::html;
use pairloom::{Result, input};

/// Places that a name may take in a table.
const NAME: usize = 40;

/// Looks for what is important, and says so.
pub fn run(args: &Args, opening: Opening<'_>, screen: &mut Screen) -> Result<()> {
    let Opening { model, threads, .. } = opening;
    let options = ImportanceOptions {
        rows: args.sample,
        repeats: args.repeats,
        top: args.top,
        seed: args.seed,
        on_error: args.input.on_error(),
    };
    let (mut reader, name) = (opening.open(&args.data)?, input::name(&args.data));
    let found = model.importance(&mut *reader, name, &options, threads, &mut || true)?;
    notice_skipped(&found.outcome.skipped);
    notice_unseen(&found.outcome.unseen);
    let told = Told { names: Names::new(model), found: &found };
    screen.text(&format!("on {name}: {}", told.rows()))?;
    let tables = [
        ("columns", told.fields(args.top)),
        ("pairs of columns", told.pairs(args.top)),
        ("pairs of values", told.values()),
    ];
    for (title, rows) in tables {
        if rows.len() > 1 {
            screen.text(&format!("\n{title}:"))?;
            screen.table(&rows, true)?;
        }
    }
    for product in &found.products {
        let weight = figure(Some(product.weight));
        screen.text(&format!("\nproducts of {} features: {weight} in the mean", product.order))?;
    }
    if let Some(file) = &args.report {
        write_text(file, &html(&told.page(model, &args.model, name)))?;
        screen.text(&format!("\nwrote {file}"))?;
    }
    screen.json(&found.to_json(model))
}

/// What was found, and the names of what it was found of.
struct Told<'a> {
    names: Names<'a>,
    found: &'a Importance,
}

impl Told<'_> {
    /// On which rows, and how good the model is there.
    fn rows(&self) -> String {
        let Importance { rows, of, metrics, loss, quality, .. } = self.found;
        let of = match *rows as u64 == *of {
            true => format!("{} rows", thousands(*of as i64)),
            false => {
                format!("{} of {} rows, drawn", thousands(*rows as i64), thousands(*of as i64))
            }
        };
        let figures = metrics.iter().filter(|(name, _)| name == loss || Some(*name) == *quality);
        let figures =
            figures.map(|(name, value)| format!("{} {}", metric_title(name), figure(value)));
        format!("{of}, {}", figures.collect::<Vec<_>>().join(", "))
    }

    fn field(&self, field: usize) -> String {
        one_line(&self.names.field(field), NAME)
    }

    fn pair(&self, [one, other]: [usize; 2]) -> String {
        format!("{} x {}", self.field(one), self.field(other))
    }

    /// The headings of what becomes worse.
    fn worse(&self) -> Vec<String> {
        let names = std::iter::once(self.found.loss).chain(self.found.quality);
        let heading = |name| [format!("{} worse by", metric_title(name)), "+-".into()];
        names.flat_map(heading).collect()
    }

    fn fields(&self, top: usize) -> Vec<Vec<String>> {
        let mut header = [vec!["".into()], self.worse()].concat();
        header.extend(["own", "pairs", "spread"].map(String::from));
        let rows = self.found.fields.iter().take(top).map(|of| {
            let mut row = vec![self.field(of.field)];
            row.extend(worse(Some(of.loss), of.quality, self.found.quality.is_some()));
            row.extend([of.own, of.pairs, of.spread].map(|number| figure(Some(number))));
            row
        });
        std::iter::once(header).chain(rows).collect()
    }

    fn pairs(&self, top: usize) -> Vec<Vec<String>> {
        let mut header = vec!["".into(), "mean size".into(), "spread".into()];
        header.extend(self.worse());
        let rows = self.found.pairs.iter().take(top).map(|of| {
            let mut row = vec![self.pair(of.fields)];
            row.extend([of.weight, of.spread].map(|number| figure(Some(number))));
            row.extend(worse(of.loss, of.quality, self.found.quality.is_some()));
            row
        });
        std::iter::once(header).chain(rows).collect()
    }

    fn values(&self) -> Vec<Vec<String>> {
        let header = ["", "adds", "mean size", "rows"].map(String::from).to_vec();
        let row = |of: &ValuePair| {
            let name = of.ids.map(|id| one_line(&self.names.feature(id), NAME)).join(" x ");
            let [adds, in_all] = [of.contribution, of.weight].map(|number| figure(Some(number)));
            vec![name, adds, in_all, thousands(of.rows as i64)]
        };
        std::iter::once(header).chain(self.found.values.iter().map(row)).collect()
    }
}

/// The cells of what becomes worse.
fn worse(loss: Option<Worse>, quality: Option<Worse>, has_quality: bool) -> Vec<String> {
    let cells = |of: Option<Worse>| [of.map(|of| of.mean), of.map(|of| of.deviation)].map(figure);
    let mut row = cells(loss).to_vec();
    if has_quality {
        row.extend(cells(quality));
    }
    row
}
