//! Learning an encoding from interned rows.

use super::as_numbers::AsNumbers;
use super::learner::Learner;
use super::target::learn_target;
use super::training::{Part, Training};
use super::{Encoding, Field, Target};
use crate::config::Config;
use crate::data::{Block, Cells, Interned, InternedColumn};
use crate::parallel::Threads;
use crate::schema::{Role, Schema};
use crate::{Error, Result, memory};

/// Learns from the rows that are not held out, as is said of each of them; `classes` are all that labels may be, if
/// that is known beforehand. `file` is the name of the rows in errors, and
/// `goes_on` is asked again and again whether to.
///
/// # Errors
/// [`Error::Data`] if the labels cannot be learned from, [`Error::Usage`] if they are not what the
/// settings or the schema say or if there would be more than 2^32 ids.
pub fn learn(
    (interned, held_out): (&Interned, &[bool]),
    schema: &Schema,
    config: &Config,
    classes: Option<&[String]>,
    file: &str,
    threads: &Threads,
    goes_on: &mut dyn FnMut() -> Result<()>,
) -> Result<Encoding> {
    let target = match classes {
        Some(classes) => {
            let target = Target::of_classes(classes, schema)?;
            target.check_labels(&interned.labels, file)?;
            target
        }
        None => learn_target(interned, held_out, schema, config, file)?,
    };
    let training = Training::of(interned, held_out, schema)?;
    let is_number = |column: &&InternedColumn| {
        let role = schema.columns[column.column].role;
        column.values.are_numbers() && role != Role::Ignore
    };
    let numbers = interned.columns.iter().filter(is_number).count();
    let bins = config.bins_of(training.copies, numbers);
    let learner = |column| Learner::new(column, schema, config, bins);
    let mut learners: Vec<Learner<'_>> = interned.columns.iter().map(learner).collect();
    let labels = AsNumbers::new(&interned.labels, &target);
    let part = |block: &Block<'_>| training.part(block, held_out, &labels);
    interned.walk(threads, |blocks| {
        goes_on()?;
        let seen = threads.map(blocks.iter().collect(), |block| {
            Ok((part(block), block.cells(&interned.columns)?))
        });
        let seen: Vec<(Part, Vec<Cells<'_>>)> = seen.into_iter().collect::<Result<_>>()?;
        let add = |(at, learner): (usize, &mut Learner<'_>)| {
            seen.iter().try_for_each(|(part, cells)| learner.add(&cells[at], part))
        };
        threads.map(learners.iter_mut().enumerate().collect(), add).into_iter().collect()
    })?;
    let fields = threads.map(learners, |learner| learner.done(&target));
    let fields: Vec<Vec<Field>> = fields.into_iter().collect::<Result<_>>()?;
    let fields = fields.into_iter().flatten().collect();
    let encoding = Encoding { target, fields: with_offsets(fields)? };
    let vectors = encoding.features() as u64 * encoding.target.classes() as u64;
    u32::try_from(vectors).map_err(|_| too_many())?;
    Ok(encoding)
}

fn with_offsets(mut fields: Vec<Field>) -> Result<Vec<Field>> {
    let mut next = 0;
    for field in &mut fields {
        field.offset = next;
        let end = u64::from(next) + field.len();
        next = u32::try_from(end).map_err(|_| too_many())?;
    }
    Ok(fields)
}

fn too_many() -> Error {
    let remedy = memory::FEWER_FEATURES;
    Error::usage(format!("more than 2^32 features, each counted once a class: {remedy}"))
}
