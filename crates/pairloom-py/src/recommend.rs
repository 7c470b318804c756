//! The best items of a catalogue.

use super::failure::{failed, guarded};
use super::model::Model;
use super::rows::Rows;
use pairloom::Model as Trained;
use pairloom::interaction::Side;
use pairloom::parallel::Threads;
use pairloom::reading::OnError;
use pairloom::recommend::{
    Catalogue, CatalogueOptions, Columns, ContextOptions, Filter, Recommender, Request, Seen,
    for_each_piece,
};
use pyo3::prelude::*;

/// The columns of what is recommended: of contexts, of items, and of the two together.
#[derive(Default)]
struct Found {
    contexts: Vec<Vec<String>>,
    ranks: Vec<u32>,
    items: Vec<String>,
    kept: Vec<Vec<String>>,
    predictions: Vec<f64>,
}

/// Columns by name.
type Table = Vec<(String, Vec<String>)>;

/// Columns of contexts, ranks, the item's column, kept columns of items, predictions.
type Recommended = (Table, Vec<u32>, (String, Vec<String>), Table, Vec<f64>);

/// The best items of a catalogue for each context: the columns of contexts, ranks, the item's name, its kept columns,
/// and predictions.
#[pyfunction]
#[pyo3(signature = (model, contexts, items, top, item=vec![], seen=None, by=vec![], filters=vec![], keep=vec![], keep_item=vec![], threads=0))]
#[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
pub fn recommend(
    py: Python<'_>,
    model: &Model,
    contexts: &Rows,
    items: &Rows,
    top: usize,
    item: Vec<String>,
    seen: Option<&Rows>,
    by: Vec<String>,
    filters: Vec<(String, String)>,
    keep: Vec<String>,
    keep_item: Vec<String>,
    threads: usize,
) -> PyResult<Recommended> {
    let of = &*model.of;
    let one = Threads::new(1).map_err(failed)?;
    let all = catalogue(py, of, items, item, &keep_item, &filters)?;
    let seen = match seen {
        None => Seen::default(),
        Some(rows) => rows.read_texts_for(py, of, &one, |reader| {
            Seen::read(of, &all, reader, rows.name(), &by, false, OnError::Stop)
        })?,
    };
    let filters: Vec<Filter> = filters.into_iter().map(filter).collect();
    let among = guarded(py, || match filters.is_empty() {
        true => Ok(None),
        false => all.matching(&filters).map(Some),
    })?;
    let keep = match keep.is_empty() {
        true => all.columns().names(of, Side::Context).map(String::from).collect(),
        false => keep,
    };
    let mut found = Found::default();
    let threads = &Threads::new(threads).map_err(failed)?;
    contexts.read_texts_for(py, of, threads, |reader| {
        let recommender = Recommender::new(of, &all, threads)?;
        let options = ContextOptions { keep: keep.clone(), on_error: OnError::Stop };
        for_each_piece(&recommender, reader, contexts.name(), &options, &[&seen], |piece| {
            let left_out = piece.seen(&seen);
            let among = among.as_deref();
            let request = Request { contexts: piece.rows(), seen: &left_out, among };
            let best = recommender.top(&request, top, threads)?;
            for (at, scored) in best.iter().enumerate() {
                let context: Vec<String> = piece.kept(at).map(text).collect();
                for (rank, one) in (1..).zip(scored) {
                    found.contexts.push(context.clone());
                    found.ranks.push(rank);
                    found.items.push(text(all.name(one.item)));
                    found.kept.push(all.kept(one.item).take(keep_item.len()).map(text).collect());
                    found.predictions.push(of.prediction(one.score));
                }
            }
            Ok(())
        })
    })?;
    let id = all.columns().id().to_string();
    Ok((
        table(keep, found.contexts),
        found.ranks,
        (id, found.items),
        table(keep_item, found.kept),
        found.predictions,
    ))
}

/// Reads the items, with what is kept of them and filtered by.
fn catalogue(
    py: Python<'_>,
    model: &Trained,
    items: &Rows,
    item: Vec<String>,
    keep: &[String],
    filters: &[(String, String)],
) -> PyResult<Catalogue> {
    let mut keep = keep.to_vec();
    let more = filters.iter().map(|(column, _)| column);
    keep.extend(more.filter(|column| !keep.contains(column)).cloned().collect::<Vec<_>>());
    let (name, threads) = (items.name(), Threads::new(1).map_err(failed)?);
    items.read_texts_for(py, model, &threads, |reader| {
        let known = if item.is_empty() { &model.schema.item } else { &item };
        let columns = match known.is_empty() {
            true => Columns::found(model, name, reader.columns())?,
            false => Columns::of_file(model, known, name, reader.columns())?,
        };
        let options = CatalogueOptions { keep, on_error: OnError::Stop };
        Catalogue::read(model, columns, reader, name, &options)
    })
}

fn filter((column, value): (String, String)) -> Filter {
    Filter { column, value }
}

fn text(cell: &[u8]) -> String {
    String::from_utf8_lossy(cell).into_owned()
}

/// Rows of cells as columns with these names.
fn table(names: Vec<String>, rows: Vec<Vec<String>>) -> Table {
    let mut columns: Table = names.into_iter().map(|name| (name, Vec::new())).collect();
    for row in rows {
        columns.iter_mut().zip(row).for_each(|((_, column), cell)| column.push(cell));
    }
    columns
}
