//! `pairloom recommend`.

use crate::args::InputArgs;
use crate::catalogue::{CatalogueArgs, Opening};
use crate::predict::write_csv;
use crate::screen::{notice, thousands};
use crate::{output, parse};
use pairloom::file::{self, write_whole};
use pairloom::input;
use pairloom::interaction::Side;
use pairloom::parallel::Threads;
use pairloom::recommend::{
    Catalogue, ContextOptions, Contexts, Filter, Recommender, Request, Scored, Seen, for_each_piece,
};
use pairloom::{Error, Model, Result};

/// Arguments of `pairloom recommend`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The model, of CSV or TSV with a header
    model: String,
    /// Rows with the contexts' columns: all features of the model that are not the item's. Rows that are alike
    /// in these are one context, and columns of items are left alone, so training rows may be given
    contexts: String,
    /// Items that may be recommended: a row for each, of rows that name the same item the first. An item that
    /// the model has not seen is scored by its other features
    #[arg(long, value_name = "FILE")]
    items: String,
    /// Items for each context
    #[arg(long, value_name = "N", default_value_t = 10)]
    top: usize,
    #[command(flatten)]
    catalogue: CatalogueArgs,
    /// Only items with this value in a column of theirs; where the model takes several values from a cell, with
    /// this one among them. Of several filters all must hold
    #[arg(long, value_name = "COLUMN=VALUE", value_parser = parse::filter)]
    filter: Vec<Filter>,
    /// File to write to; - for standard output. It is a CSV with a header, best items first
    #[arg(long, short, value_name = "FILE", default_value = "-")]
    output: String,
    /// Columns of the contexts to write [default: those of the model's, and those by which
    /// they are known]
    #[arg(long, value_name = "COLUMN,..", value_delimiter = ',')]
    keep: Vec<String>,
    /// Columns of the items to write after the item
    #[arg(long, value_name = "COLUMN,..", value_delimiter = ',')]
    keep_item: Vec<String>,
    /// Threads, 0 for one a core
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
    /// Write one JSON object a line; JSON is UTF-8, and bytes of a cell that are not are replaced
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    input: InputArgs,
}

/// Runs `pairloom recommend`.
pub fn run(args: &Args) -> Result<()> {
    let files: Vec<&String> =
        [&args.contexts, &args.items].into_iter().chain(&args.catalogue.seen).collect();
    let inputs: Vec<&String> = std::iter::once(&args.model).chain(files.iter().copied()).collect();
    output::check(&[&args.output], &inputs)?;
    if files.iter().filter(|file| **file == "-").count() > 1 {
        return Err(Error::usage("standard input (-) can be one of the files only"));
    }
    if args.catalogue.seen.is_none() && !args.catalogue.by.is_empty() {
        return Err(Error::usage("--by says how --seen knows a context: name that file too"));
    }
    let (model, threads) = (Model::load(&args.model)?, Threads::new(args.threads)?);
    let opening = Opening { model: &model, input: &args.input, threads: &threads };
    let mut keep = args.keep_item.clone();
    for Filter { column, .. } in &args.filter {
        if !keep.contains(column) {
            keep.push(column.clone());
        }
    }
    let catalogue = args.catalogue.items(opening, &args.items, keep)?;
    let among = match args.filter.is_empty() {
        true => None,
        false => Some(catalogue.matching(&args.filter)?),
    };
    let seen = args.catalogue.seen(opening, &catalogue)?;
    let lines = Lines::new(args, &model, &catalogue, &seen)?;
    let recommender = Recommender::new(&model, &catalogue, &threads)?;
    let mut without = 0;
    let outcome = write_whole(&args.output, |out| {
        let (mut text, name) = (lines.header(), input::name(&args.contexts));
        let mut reader = opening.open(&args.contexts)?;
        let options = ContextOptions { keep: lines.keep.clone(), on_error: args.input.on_error() };
        for_each_piece(&recommender, &mut *reader, name, &options, &[&seen], |contexts| {
            let left_out = contexts.seen(&seen);
            let among = among.as_deref();
            let request = Request { contexts: contexts.rows(), seen: &left_out, among };
            let top = recommender.top(&request, args.top, &threads)?;
            without += top.iter().filter(|items| items.is_empty()).count();
            lines.write(contexts, &top, &mut text);
            let written = out.write_all(&text).and_then(|()| out.flush());
            text.clear();
            written.map_err(|e| Error::io(file::name(&args.output), e))
        })
    })?;
    args.catalogue.tell(&outcome, input::name(&args.contexts), &seen);
    if without > 0 {
        let contexts = if without == 1 { "context has" } else { "contexts have" };
        let without = thousands(without as i64);
        notice(&format!("{without} {contexts} nothing left: all items that may come were seen"));
    }
    Ok(())
}

/// What is written: columns of the context, the rank, the item and its columns, the prediction.
struct Lines<'a> {
    model: &'a Model,
    catalogue: &'a Catalogue,
    json: bool,
    keep: Vec<String>,
    names: Vec<String>,
}

impl<'a> Lines<'a> {
    /// Refuses columns that would be one in what is written.
    fn new(args: &Args, model: &'a Model, catalogue: &'a Catalogue, seen: &Seen) -> Result<Self> {
        let columns = catalogue.columns();
        let mut keep = args.keep.clone();
        if keep.is_empty() {
            keep.extend(columns.names(model, Side::Context).map(String::from));
            for name in seen.by() {
                if !keep.contains(name) && !args.keep_item.contains(name) {
                    keep.push(name.clone());
                }
            }
        }
        let mut names = keep.clone();
        names.extend(["rank".into(), columns.id().into()]);
        names.extend(args.keep_item.iter().cloned());
        names.push("prediction".into());
        let twice = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name));
        if let Some((_, name)) = twice {
            return Err(Error::usage(format!(
                "two columns to write are called '{name}': say others with --keep and --keep-item, or rename one"
            )));
        }
        Ok(Lines { model, catalogue, json: args.json, keep, names })
    }

    fn header(&self) -> Vec<u8> {
        let mut text = Vec::new();
        if !self.json {
            write_csv(self.names.iter().map(|name| name.as_bytes()), &mut text);
        }
        text
    }

    /// The lines of some contexts.
    fn write(&self, contexts: &Contexts, top: &[Vec<Scored>], text: &mut Vec<u8>) {
        for (context, items) in top.iter().enumerate() {
            for (rank, Scored { item, score }) in (1u64..).zip(items) {
                let (rank, prediction) = (rank, self.model.prediction(*score));
                let number = rank.to_string();
                let own = [number.as_bytes(), self.catalogue.name(*item)];
                // The catalogue also keeps what it is filtered by.
                let shown = self.names.len() - self.keep.len() - 3;
                let kept = self.catalogue.kept(*item).take(shown);
                let cells = contexts.kept(context).chain(own).chain(kept);
                if self.json {
                    self.write_json(cells, rank, prediction, text);
                } else {
                    let prediction = prediction.to_string();
                    write_csv(cells.chain([prediction.as_bytes()]), text);
                }
            }
        }
    }

    fn write_json<'c>(
        &self,
        cells: impl Iterator<Item = &'c [u8]>,
        rank: u64,
        prediction: f64,
        text: &mut Vec<u8>,
    ) {
        let cell = |cell: &[u8]| String::from_utf8_lossy(cell).into_owned().into();
        let cells = self.names.iter().cloned().zip(cells.map(cell));
        let mut object: serde_json::Map<String, serde_json::Value> = cells.collect();
        object.insert("rank".into(), rank.into());
        object.insert("prediction".into(), prediction.into());
        text.extend_from_slice(serde_json::Value::from(object).to_string().as_bytes());
        text.push(b'\n');
    }
}
