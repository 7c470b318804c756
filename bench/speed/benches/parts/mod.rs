//! The pieces of work that both micro-benchmarks measure, each small enough for valgrind.

use pairloom::Config;
use pairloom::backend::{Backend, Cpu, StepSettings};
use pairloom::batch::Rows;
use pairloom::encode::{Dictionary, Target};
use pairloom::input::{self, FormatName, OpenOptions, RawRow};
use pairloom::interaction::{Fields, Fm, Interaction, Lanes, Plan};
use pairloom::loss::Loss;
use pairloom::model::Weights;
use pairloom::optimizer::Optimizer;
use pairloom::parallel::Threads;
use pairloom::{Error, Result};

/// Rows of a batch, and features of a row.
pub const BATCH: usize = 256;
const FIELDS: u32 = 39;
const FEATURES: u32 = 1 << 14;

/// A batch whose features repeat as in a click log: the square of a uniform number is often small.
pub fn batch() -> Rows {
    let mut rows = Rows::new();
    for row in 0..BATCH as u32 {
        for field in 0..FIELDS {
            let hash = (row * FIELDS + field).wrapping_mul(0x9E37_79B9) >> 16;
            let share = hash as f32 / 65_536.0;
            rows.push((share * share * share * (FEATURES - 1) as f32) as u32, 1.0);
        }
        rows.finish((row % 4 == 0).into(), 1.0);
    }
    rows
}

/// A model with vectors of the type `L`, and so wide.
pub fn model<L: Lanes + 'static>(width: usize, optimizer: Optimizer) -> Result<Box<dyn Backend>> {
    let rows = batch();
    let mut counts = vec![0; FEATURES as usize];
    rows.count(&mut counts);
    let interaction = Fm::<L>::new(&Plan::of(width));
    let config = Config {
        factors: Some(interaction.width()),
        optimizer,
        loss: Some(Loss::Logistic),
        init_stdev: Some(0.05),
        l2_linear: 1.0,
        l2_factors: Some(40.0),
        ..Config::default()
    };
    let weights = Weights::init(&config, &counts, Fields::default(), &[0.0])?;
    let target = Target::Binary { negative: Some("0".into()), positive: "1".into() };
    let settings = StepSettings::new(&config, target, counts);
    Ok(Box::new(Cpu::<_, f32>::new(interaction, &weights, settings, Threads::new(1)?)?))
}

/// One step over the batch.
pub fn step(model: &mut dyn Backend, rows: &Rows) -> f64 {
    let order: [u32; BATCH] = std::array::from_fn(|i| i as u32);
    model.step(rows, &order, 0.01).map_or(f64::NAN, |learned| learned.loss)
}

/// Lines of text in one of the formats.
pub fn text(format: FormatName) -> Vec<u8> {
    let rows = batch();
    let mut text = String::new();
    for i in 0..rows.len() {
        text.push_str(if i % 4 == 0 { "1" } else { "0" });
        for (field, id) in rows.row(i).ids.iter().enumerate() {
            text.push_str(&match format {
                FormatName::Libsvm => format!(" {id}:1"),
                FormatName::Libffm => format!(" {field}:{id}:1"),
                FormatName::Csv => format!(",{id}"),
                _ => format!("\t{id}"),
            });
        }
        text.push('\n');
    }
    text.into_bytes()
}

/// The number of cells and pairs in a text.
pub fn tokenise(text: Vec<u8>, format: FormatName) -> Result<usize> {
    let options = OpenOptions { format: Some(format), ..OpenOptions::default() };
    let mut reader = input::from_bytes("text", text, &options)?;
    let (mut row, mut tokens) = (RawRow::new(), 0);
    while reader.read(&mut row)? {
        tokens += row.len() + row.pairs().len();
    }
    Ok(tokens)
}

/// Words like the values of a click log.
pub fn words() -> Vec<String> {
    batch()
        .blocks()
        .iter()
        .flat_map(|block| block.ids())
        .map(|id| format!("{:x}", id.wrapping_mul(0x9E37_79B9)))
        .collect()
}

/// Numbers of words, new ones included.
pub fn intern(words: &[String]) -> Result<Dictionary, Error> {
    let mut dictionary = Dictionary::default();
    words.iter().try_for_each(|word| dictionary.insert(word.as_bytes()).map(|_| ()))?;
    Ok(dictionary)
}

/// How many of the words a dictionary has.
pub fn look_up(dictionary: &Dictionary, words: &[String]) -> usize {
    words.iter().filter(|word| dictionary.get(word.as_bytes()).is_some()).count()
}
