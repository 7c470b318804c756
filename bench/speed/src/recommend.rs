//! The best items of a large catalogue, beside the product of matrices alone and scoring row by row.

use crate::clock::{self, Spent};
use crate::figures::Figures;
use crate::{Result, Size};
use ndarray::{ArrayView2, ArrayViewMut2, ShapeError, linalg::general_mat_mul};
use pairloom::Model;
use pairloom::batch::Rows;
use pairloom::input::{self, Reader};
use pairloom::parallel::Threads;
use pairloom::recommend::{
    Catalogue, CatalogueOptions, Columns, ContextOptions, Recommender, Request, Seen,
    for_each_piece,
};
use pairloom::schema::{Column, Role, Schema};
use pairloom::train::{Job, SchemaSource, train};
use std::hint::black_box;

/// Whether the lengths of a product fit.
type Fits = std::result::Result<(), ShapeError>;

/// Factors of a vector, and items for each context.
const FACTORS: usize = 32;
const TOP: usize = 10;

/// Items have so many ids, which leaves most of a million alone with theirs.
const ITEM_BITS: u8 = 22;
const USER_BITS: u8 = 16;

/// Contexts and items of a tile of the product alone: the fastest of those tried.
const TILE: [usize; 2] = [256, 1024];

/// Measures all three in turns, on one thread and on two.
pub fn measure(size: Size) -> Result<Figures> {
    let (items, contexts) = (size.rows / 2 * 5, size.rows / 400);
    let mut figures = Figures::default();
    let model = model()?;
    let two = Threads::new(2)?;
    let catalogue = catalogue(&model, items)?;
    let recommender = Recommender::new(&model, &catalogue, &two)?;
    let asking = asking(&recommender, contexts)?;
    let (a, b) = (numbers(contexts), numbers(items));
    let rows = rows(&catalogue, &model, size.rows)?;
    let request = Request { contexts: &asking, seen: &[], among: None };
    figures.fact("items", items);
    figures.fact("contexts", contexts);
    for _ in 0..size.repeats {
        for count in [1, 2] {
            let threads = Threads::new(count)?;
            let seconds = |spent: Spent| if count == 1 { spent.cpu } else { spent.wall };
            let mut add = |name: &str, pairs: usize, spent: Spent| {
                figures.add(&format!("{name}, {count} threads"), pairs as f64 / seconds(spent));
            };
            let (_, spent) = clock::process(|| Ok(recommender.top(&request, TOP, &threads)?))?;
            add("top", items * contexts, spent);
            let (_, spent) = clock::process(|| product(&a, &b, &threads))?;
            add("product", items * contexts, spent);
            let (_, spent) = clock::process(|| Ok(black_box(model.scores(&rows, &threads))))?;
            add("rows", rows.len(), spent);
        }
    }
    Ok(figures)
}

/// The product of all contexts with all items, each tile of which is forgotten at once.
fn product(a: &[f32], b: &[f32], threads: &Threads) -> Result<()> {
    let share = threads.share(b.len() / FACTORS) * FACTORS;
    let parts = threads.map(b.chunks(share).collect(), |part| -> Fits {
        let mut to = vec![0.0; TILE[0] * TILE[1]];
        for items in part.chunks(TILE[1] * FACTORS) {
            for contexts in a.chunks(TILE[0] * FACTORS) {
                tile(contexts, items, &mut to)?;
                black_box(&to);
            }
        }
        Ok(())
    });
    Ok(parts.into_iter().collect::<Fits>()?)
}

fn tile(a: &[f32], b: &[f32], to: &mut [f32]) -> Fits {
    let (rows, columns) = (a.len() / FACTORS, b.len() / FACTORS);
    let a = ArrayView2::from_shape((rows, FACTORS), a)?;
    let b = ArrayView2::from_shape((columns, FACTORS), b)?;
    let to = &mut to[..rows * columns];
    let mut to = ArrayViewMut2::from_shape((rows, columns), to)?;
    general_mat_mul(1.0, &a, &b.t(), 0.0, &mut to);
    Ok(())
}

/// So many vectors.
fn numbers(vectors: usize) -> Vec<f32> {
    (0..vectors * FACTORS).map(|i| number(i as u64)).collect()
}

/// A number around 0 that looks random (the finalizer of MurmurHash3).
fn number(i: u64) -> f32 {
    let key = (i ^ (i >> 33)).wrapping_mul(0xFF51_AFD7_ED55_8CCD);
    let key = (key ^ (key >> 33)).wrapping_mul(0xC4CE_B9FE_1A85_EC53);
    (key >> 40) as f32 / (1u64 << 23) as f32 - 1.0
}

/// A machine of users and items whose weights look random.
fn model() -> Result<Model> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("clicks.csv").to_string_lossy().into_owned();
    let lines = (0..500).map(|i| format!("{},u{i},i{}\n", i % 2, i * 7));
    std::fs::write(&path, format!("click,user,item\n{}", lines.collect::<String>()))?;
    let hashed =
        |name, bits| Column { hash_bits: Some(bits), ..Column::new(name, Role::Categorical) };
    let columns = vec![
        Column::new("click", Role::Label),
        hashed("user", USER_BITS),
        hashed("item", ITEM_BITS),
    ];
    let format = input::Format::Csv { delimiter: ',', header: true };
    let mut job = Job::new(path);
    job.schema = SchemaSource::Given(Schema { format, positive: None, item: Vec::new(), columns });
    (job.config.epochs, job.config.factors) = (1, Some(FACTORS));
    let mut model = train(&job, &mut |_| true)?.model.ok_or("no epoch was completed")?;
    let weights = &mut model.weights;
    for (table, scale) in [(&mut weights.linear, 0.5), (&mut weights.factors, 0.3)] {
        let floats = table.floats_mut().iter_mut().enumerate();
        floats.for_each(|(i, x)| *x = scale * number(i as u64));
    }
    Ok(model)
}

/// Rows of one column, as a file in memory.
fn reader(name: &str, letter: char, rows: usize) -> Result<Box<dyn Reader>> {
    let lines = (0..rows).map(|i| format!("{letter}{i}\n"));
    let text = format!("{name}\n{}", lines.collect::<String>());
    let options = input::OpenOptions {
        format: Some(input::FormatName::Csv),
        header: Some(true),
        delimiter: Some(','),
        ..Default::default()
    };
    Ok(input::from_bytes(name, text, &options)?)
}

fn catalogue(model: &Model, items: usize) -> Result<Catalogue> {
    let columns = Columns::new(model, &["item".into()])?;
    let (mut reader, options) = (reader("item", 'i', items)?, CatalogueOptions::default());
    Ok(Catalogue::read(model, columns, &mut *reader, "items", &options)?)
}

fn asking(recommender: &Recommender<'_>, contexts: usize) -> Result<Rows> {
    let (mut reader, options) = (reader("user", 'u', contexts)?, ContextOptions::default());
    let mut all = Rows::new();
    let seen = Seen::default();
    for_each_piece(recommender, &mut *reader, "users", &options, &[&seen], |piece| {
        for i in 0..piece.rows().len() {
            piece.rows().row(i).features().for_each(|(id, x)| all.push(id, x));
            all.finish(0.0, 1.0);
        }
        Ok(())
    })?;
    Ok(all)
}

/// Whole rows of one context with items.
fn rows(catalogue: &Catalogue, model: &Model, count: usize) -> Result<Rows> {
    let offset = model.encoding.fields.get(1).ok_or("two fields")?.offset;
    let mut rows = Rows::new();
    for item in 0..count.min(catalogue.len()) {
        rows.push(7, 1.0);
        let bits = number(item as u64).to_bits() as u64 * 2_654_435_761;
        rows.push(offset + (bits % (1 << ITEM_BITS)) as u32, 1.0);
        rows.finish(0.0, 1.0);
    }
    Ok(rows)
}
