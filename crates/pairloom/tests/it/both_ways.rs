//! The two ways from raw rows to ids, learned from interned rows and row by row as for predictions,
//! give the same: before and after a trip through a file.

use crate::common::{
    CSV, Learned, folder, learned, one_by_one, path, plain_config, raw_rows, schema,
};
use pairloom::Model;
use pairloom::batch::BLOCK_ROWS;
use pairloom::config::Config;
use pairloom::encode::Transform;
use pairloom::input::{Format, RawRow};
use pairloom::loss::Loss;
use pairloom::model::Weights;
use pairloom::schema::{Role, Schema};
use proptest::prelude::*;
use proptest::sample::select;

/// Checks both ways, the file between them, and that ids stay in their fields.
fn check(schema: &Schema, config: &Config, names: &[String], rows: &[RawRow], held_out: &[bool]) {
    let Learned { encoding, train, valid } = learned(schema, config, rows, held_out);
    let part = |held: bool| {
        let rows = rows.iter().zip(held_out).filter(move |(_, h)| **h == held);
        rows.map(|(row, _)| row)
    };
    assert_eq!(one_by_one(&encoding, schema, names, &mut part(false)), train);
    assert_eq!(one_by_one(&encoding, schema, names, &mut part(true)), valid);
    let features = encoding.features();
    for row in 0..train.len() {
        assert!(train.row(row).ids.iter().all(|&id| (id as usize) < features));
    }
    let loss = if encoding.target.is_binary() { Loss::Logistic } else { Loss::Squared };
    let config = Config { loss: Some(loss), ..config.clone() };
    let weights = Weights::init(&config, &vec![1; features], encoding.starts(), &[0.0]).unwrap();
    let (schema, history) = (schema.clone(), Vec::new());
    let model = Model { schema, encoding, config, history, epoch: 0, calibration: None, weights };
    let folder = folder();
    let path = path(&folder, "model");
    model.save(&path).unwrap();
    let loaded = Model::load(&path).unwrap();
    assert_eq!(one_by_one(&loaded.encoding, &loaded.schema, names, &mut part(false)), train);
    assert_eq!(one_by_one(&loaded.encoding, &loaded.schema, names, &mut part(true)), valid);
}

fn settings() -> impl Strategy<Value = Config> {
    let hash_bits = prop_oneof![3 => Just(None), 1 => (1u8..6).prop_map(Some)];
    (hash_bits, 1u32..4, 4usize..9, select(Transform::ALL.to_vec()), any::<bool>()).prop_map(
        |(hash_bits, min_count, bins, numeric_transform, squared)| Config {
            hash_bits,
            min_count,
            bins: Some(bins),
            numeric_transform,
            loss: squared.then_some(Loss::Squared),
            ..plain_config()
        },
    )
}

/// Which of `rows` rows are held out: not the first two, of which each has a label of its own.
fn held_out(rows: usize) -> impl Strategy<Value = Vec<bool>> {
    prop::collection::vec(prop::bool::weighted(0.3), rows).prop_map(|mut held| {
        held[..2].fill(false);
        held
    })
}

fn csv_row() -> impl Strategy<Value = String> {
    let one = select(vec!["a", "b", "c", "", " a", "a ", "caf\u{e9}", "A", "0", "\"x,\"\"y\""]);
    let item = select(vec!["x", "y", "z", "", " y ", "w"]);
    let multi = prop::collection::vec(item, 0..6).prop_map(|items| items.join("|"));
    let number = select(vec![
        "", "NA", "1", "-2.5", "1e3", "7", "0", "-0", "2", " 3.25 ", "?", "100", "9e9",
    ]);
    let weight = select(vec!["1", "2", "0", "0.5"]);
    // A group has a name.
    let group = one.clone().prop_map(|name| if name.is_empty() { "g" } else { name });
    (select(vec!["0", "1", "1.0", "+1"]), weight, group, one, multi, number)
        .prop_map(|(y, w, g, c, m, n)| format!("{y},{w},{g},{c},{m},{n},text\n"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn both_ways_give_the_same_rows_of_csv(
        (lines, held_out) in prop::collection::vec(csv_row(), 2..40)
            .prop_flat_map(|lines| (Just(lines.clone()), held_out(lines.len()))),
        config in settings(),
        roles in prop::collection::vec(select(vec![Role::Categorical, Role::Ignore]), 2),
        weighted in any::<bool>(),
        own_transform in prop::option::of(select(Transform::ALL.to_vec())),
        own_bits in prop::option::of(1u8..4),
    ) {
        let mut text = String::from("y,w,g,c,m,n,t\n0,1,a,a,x,1,t\n1,1,b,b,y|x,2,t\n");
        lines[2..].iter().for_each(|line| text.push_str(line));
        let weight = if weighted { Role::Weight } else { Role::Numeric };
        let mut schema = schema(&[
            ("y", Role::Label),
            ("w", weight),
            ("g", Role::Group),
            ("c", Role::Categorical),
            ("m", Role::Multi),
            ("n", Role::Numeric),
            ("t", roles[0]),
        ]);
        schema.columns[5].transform = own_transform;
        schema.columns[3].hash_bits = own_bits;
        schema.columns[4].min_count = own_bits.map(u32::from);
        schema.columns[5].bins = Some(4);
        let (names, rows) = raw_rows("rows.csv", &text, CSV);
        check(&schema, &config, &names, &rows, &held_out);
    }

    #[test]
    fn both_ways_give_the_same_rows_of_pairs(
        lines in prop::collection::vec(
            prop::collection::vec(
                (
                    select(vec![0u32, 1, 5, u32::MAX]),
                    select(vec![0u64, 1, 7, 8, (1 << 32) + 3, u64::MAX]),
                    select(vec!["1", "0.5", "-2", "0"]),
                ),
                0..8,
            ),
            2..30,
        ),
        held in held_out(30),
        config in settings(),
        with_fields in any::<bool>(),
    ) {
        let mut text = String::new();
        for (i, line) in lines.iter().enumerate() {
            text.push_str(if i % 2 == 0 { "1" } else { "-1" });
            for (field, index, value) in line {
                let field = if with_fields { format!("{field}:") } else { String::new() };
                text.push_str(&format!(" {field}{index}:{value}"));
            }
            text.push('\n');
        }
        let format = if with_fields { Format::Libffm } else { Format::Libsvm };
        let roles = [("label", Role::Label), ("qid", Role::Ignore), ("pairs", Role::Pairs)];
        let schema = Schema { format, ..schema(&roles) };
        let (names, rows) = raw_rows("rows", &text, format);
        check(&schema, &config, &names, &rows, &held[..lines.len()]);
    }
}

/// Blocks are encoded on all threads; here there are several, and the last ones are not full.
#[test]
fn rows_of_several_blocks_are_encoded_both_ways() {
    let row = |i: usize| format!("{},c{},t{}|u{},{}.5\n", i % 2, i % 97, i % 5, i % 5, i % 19);
    let text: String = (0..3 * BLOCK_ROWS + 7).map(row).collect();
    let (names, rows) = raw_rows("rows.csv", &format!("y,c,m,n\n{text}"), CSV);
    let roles = [Role::Label, Role::Categorical, Role::Multi, Role::Numeric];
    let columns: Vec<(&str, Role)> = ["y", "c", "m", "n"].into_iter().zip(roles).collect();
    // Training rows fill their blocks to the last place, those held out do not.
    let held_out: Vec<bool> = (0..rows.len()).map(|i| i >= 2 * BLOCK_ROWS).collect();
    check(&schema(&columns), &plain_config(), &names, &rows, &held_out);
}
