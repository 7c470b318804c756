//! Weights that an L1 penalty makes 0, and files without them: they are smaller, say the same to the
//! bit, and are refused when their ids are not those of a model.

use crate::common;
use crate::common::container::{joined, parts};
use crate::common::{folder, job, model, path, plain_config, small_clicks, write};
use pairloom::config::Config;
use pairloom::interaction::Kind;
use pairloom::optimizer::Optimizer;
use pairloom::precision::{Bf16, Precision, Stored};
use pairloom::table::Table;
use pairloom::{Error, Model};
use std::fs;

const STRENGTHS: [f64; 4] = [0.0, 0.5, 4.0, 1e5];

/// Settings under which weights become 0.
fn sparse(l1: f64) -> Config {
    let optimizer = Optimizer::Ftrl;
    Config { optimizer, l1_linear: l1, l1_factors: l1, factors: Some(6), ..plain_config() }
}

/// All numbers of a table, as the bits of floats.
fn numbers(table: &Table) -> Vec<u32> {
    match table.precision() {
        Precision::F32 => table.floats().iter().map(|x| x.to_bits()).collect(),
        Precision::Bf16 => table.numbers::<Bf16>().iter().map(|x| x.load().to_bits()).collect(),
    }
}

fn of(model: &Model) -> Vec<u32> {
    [numbers(&model.weights.linear), numbers(&model.weights.factors)].concat()
}

#[test]
fn more_of_l1_leaves_more_out_and_the_file_says_the_same() {
    let folder = folder();
    let (data, file) = (write(&folder, "clicks.csv", small_clicks(3000)), path(&folder, "model"));
    for kind in [Kind::Fm, Kind::Ffm] {
        for precision in Precision::ALL {
            let (mut zeros, mut sizes) = (Vec::new(), Vec::new());
            for l1 in STRENGTHS {
                let config = Config { model: kind, precision, ..sparse(l1) };
                let model = model(&job(&data, &config));
                model.save(&file).unwrap();
                sizes.push(fs::metadata(&file).unwrap().len());
                let (loaded, kept) = (Model::load(&file).unwrap(), of(&model));
                assert!(of(&loaded) == kept, "{kind:?} {precision:?} {l1}");
                assert!(common::bytes(&loaded) == fs::read(&file).unwrap());
                zeros.push(kept.iter().filter(|&&bits| bits == 0).count());
            }
            let what = format!("{kind:?} {precision:?}: {zeros:?} {sizes:?}");
            assert!(zeros.is_sorted_by(|a, b| a < b), "{what}");
            assert!(sizes[3] < sizes[2] && sizes[2] < sizes[0], "{what}");
        }
    }
}

#[test]
fn what_is_said_to_be_zero_is_zero() {
    let folder = folder();
    let data = write(&folder, "clicks.csv", small_clicks(3000));
    let model = model(&job(&data, &sparse(1e5)));
    assert!(of(&model).iter().all(|&bits| bits == 0), "nothing is worth so much");
    let (header, _, _) = parts(&common::bytes(&model));
    assert_eq!(header["factors"]["shape"], serde_json::json!([0, 6]));
    assert_eq!(header["linear.ids"]["shape"], serde_json::json!([0]));
}

#[test]
fn ids_that_are_not_those_of_a_model_are_refused() {
    let folder = folder();
    let (data, file) = (write(&folder, "clicks.csv", small_clicks(3000)), path(&folder, "model"));
    let model = model(&job(&data, &sparse(4.0)));
    let features = model.encoding.features() as u32;
    let (header, document, data) = parts(&common::bytes(&model));
    let refusal = |header: &serde_json::Value, data: &[u8]| {
        fs::write(&file, joined(header.clone(), &document, data)).unwrap();
        match Model::load(&file) {
            Err(Error::ModelFile { message, .. }) => message,
            other => panic!("{other:?}"),
        }
    };
    for name in ["linear", "factors"] {
        let ids = format!("{name}.ids");
        let place = |at: usize| header[&ids]["data_offsets"][at].as_u64().unwrap() as usize;
        let (start, end) = (place(0), place(1));
        let id = |at: usize| u32::from_le_bytes(data[at..at + 4].try_into().unwrap());
        assert!(end - start >= 8, "there are two of them");
        let wrong = [(start, id(start + 4)), (start, u32::MAX), (end - 4, features), (end - 4, 0)];
        for (at, id) in wrong {
            let mut data = data.clone();
            data[at..at + 4].copy_from_slice(&id.to_le_bytes());
            let expected = format!("'{ids}' is no list of ascending numbers less than {features}");
            let message = refusal(&header, &data);
            assert!(message.contains(&expected), "{message}");
        }
        // As many numbers of another kind; and without the ids, too few vectors.
        let mut other = header.clone();
        other[&ids]["dtype"] = "F32".into();
        assert!(refusal(&other, &data).contains(&format!("'{ids}' is F32")));
        let mut other = header.clone();
        let tensor = other.as_object_mut().unwrap().remove(&ids).unwrap();
        other["unknown"] = tensor;
        assert!(refusal(&other, &data).contains(&format!("tensor '{name}' is F32")));
    }
}
