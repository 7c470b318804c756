//! Presets; `d2l` beside what the guide says.

use crate::common::{Learned, folder, job, learned, one_by_one, raw_rows, write};
use pairloom::config::Config;
use pairloom::optimizer::Optimizer;
use pairloom::preset::{self, Preset};
use pairloom::schema::Schema;
use pairloom::train::{SchemaSource, train};
use std::collections::HashMap;

/// 400 rows in the shape of the guide's advertising data, of which some values are rare.
fn advertising() -> String {
    let line = |i: usize| {
        let cells = (1..=34).map(|field| {
            let value = (i * (field + 3) * 7919 / 13) % (5 * field) / (1 + i % 3);
            format!("f{field}_{value:x}")
        });
        let label = u8::from(i * i % 7 < 2);
        format!("{label}\t{}\n", cells.collect::<Vec<_>>().join("\t"))
    };
    (0..400).map(line).collect()
}

#[test]
fn the_d2l_preset_counts_and_numbers_as_the_guide_does() {
    // "Dive into Deep Learning", section on CTR data: a value that is there fewer than 4 times in
    // its column gets the column's default id; every column has its own ids after those of the
    // columns before it, and one default id.
    let (schema, config) = preset::get(Preset::D2l);
    assert_eq!(
        (config.factors, config.optimizer, config.learning_rate, config.batch_size),
        (Some(20), Optimizer::AdamDense, Some(0.02), Some(2048))
    );
    assert_eq!((config.epochs, config.min_count, config.hash_bits), (30, 4, None));
    let text = advertising();
    let mut counts: Vec<HashMap<&str, usize>> = vec![HashMap::new(); 34];
    for line in text.lines() {
        for (field, cell) in line.split('\t').skip(1).enumerate() {
            *counts[field].entry(cell).or_default() += 1;
        }
    }
    let kept: Vec<usize> =
        counts.iter().map(|counts| counts.values().filter(|&&n| n >= 4).count()).collect();
    assert!(kept.iter().zip(&counts).any(|(&kept, all)| kept < all.len()), "no rare values");
    let (names, rows) = raw_rows("train.tsv", &text, schema.format);
    let Learned { encoding, train, .. } = learned(&schema, &config, &rows, &[false; 400]);
    assert_eq!(encoding.features(), kept.iter().map(|kept| kept + 1).sum::<usize>());
    for (row, line) in text.lines().enumerate() {
        let mut cells = line.split('\t');
        assert_eq!(train.label(row), (cells.next().unwrap().parse().unwrap(), 1.0));
        let ids = train.row(row).ids;
        assert_eq!((ids.len(), train.row(row).values.len()), (34, 0));
        let mut start = 0;
        for (field, cell) in cells.enumerate() {
            let range = start..start + 1 + kept[field] as u32;
            assert!(range.contains(&ids[field]));
            let is_default = ids[field] == range.start;
            assert_eq!(is_default, counts[field][cell] < 4, "{cell}");
            start = range.end;
        }
    }
    assert_eq!(one_by_one(&encoding, &schema, &names, &mut rows.iter()), train);
}

#[test]
fn the_d2l_preset_trains_on_a_headerless_tsv() {
    let folder = folder();
    let data = write(&folder, "train.tsv", advertising());
    let (schema, config) = preset::get(Preset::D2l);
    let mut job = job(&data, &Config { epochs: 2, ..config });
    job.schema = SchemaSource::Given(schema);
    let trained = train(&job, &mut |_| true).unwrap();
    assert_eq!(trained.model.unwrap().history.len(), 2);
}

#[test]
fn every_preset_is_a_schema_that_can_be_written_and_read() {
    for preset in Preset::ALL {
        let (schema, config) = preset::get(preset);
        schema.check().and(config.check()).unwrap();
        let text = schema.to_toml().unwrap();
        assert_eq!(Schema::from_toml("s.toml", &text).unwrap(), schema, "{}", preset.name());
    }
}
