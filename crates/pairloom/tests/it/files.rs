//! Model files: what is loaded is what was saved, to the byte; a file that was cut off, altered or
//! is something else is refused in words and never read in part; and saving never leaves anything
//! but the old file or the new one.

use crate::common;
use crate::common::container::{CHECKSUM, header_end, joined, parts, reseal};
use crate::common::{
    all_kinds, all_kinds_model, all_kinds_schema, bytes, folder, job, model, path, plain_config,
    predictions, trained, write,
};
use pairloom::config::Config;
use pairloom::encode::Transform;
use pairloom::file::FORMAT_VERSION;
use pairloom::fit::Checkpoints;
use pairloom::input::{self};
use pairloom::parallel::Threads;
use pairloom::precision::Precision;
use pairloom::predict::EvaluateOptions;
use pairloom::reading::OnError;
use pairloom::train::{Job, SchemaSource};
use pairloom::{Error, Model, Result};
use rand::RngExt;
use rand::seq::IndexedRandom;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::time::Duration;
use xxhash_rust::xxh3::xxh3_128;

fn load(path: &str, bytes: &[u8]) -> Result<Model> {
    fs::write(path, bytes).unwrap();
    Model::load(path)
}

/// The message of a file that must be refused as a model, without its name.
fn refusal(path: &str, bytes: &[u8]) -> String {
    match load(path, bytes) {
        Err(Error::ModelFile { file, message }) if file == path => message,
        Err(other) => panic!("another error: {other}"),
        Ok(_) => panic!("accepted"),
    }
}

#[test]
fn what_is_loaded_is_what_was_saved() {
    let folder = folder();
    let data = write(&folder, "rows.csv", all_kinds(200));
    for numeric_transform in Transform::ALL {
        for (factors, linear) in [(0, true), (1, true), (8, false), (17, true)] {
            let config = Config {
                numeric_transform,
                factors: Some(factors),
                linear,
                epochs: 1,
                ..plain_config()
            };
            let mut schema = all_kinds_schema();
            schema.columns[3].transform = None;
            let model = model(&Job { schema: SchemaSource::Given(schema), ..job(&data, &config) });
            let first = path(&folder, "first");
            model.save(&first).unwrap();
            let loaded = Model::load(&first).unwrap();
            assert_eq!(loaded.schema.columns.len(), model.schema.columns.len());
            assert_eq!(loaded.config, model.config);
            assert_eq!(loaded.history, model.history);
            assert_eq!(loaded.epoch, model.epoch);
            assert_eq!(loaded.weights.bias, model.weights.bias);
            assert_eq!(loaded.weights.linear.floats(), model.weights.linear.floats());
            assert_eq!(loaded.weights.factors.floats(), model.weights.factors.floats());
            let (before, after) = (predictions(&model).unwrap(), predictions(&loaded).unwrap());
            assert!(before.len() == 60 && before == after, "{numeric_transform:?} {factors}");
            assert!(bytes(&loaded) == fs::read(&first).unwrap(), "{numeric_transform:?} {factors}");
        }
    }
}

#[test]
fn the_file_is_a_safetensors_file() {
    let model = all_kinds_model();
    let file = bytes(&model);
    let tensors = safetensors::SafeTensors::deserialize(&file).unwrap();
    let features = model.encoding.features();
    let shape = |name| tensors.tensor(name).unwrap().shape().to_vec();
    assert_eq!(shape("bias"), [1]);
    assert_eq!(shape("linear"), [features]);
    // Some are of values that no row has.
    let says = |vector: &&[f32]| vector.iter().any(|&v| v != 0.0);
    let some = model.weights.factors.vectors::<f32>().filter(says).count();
    assert!(some * (8 + 1) < features * 8, "ids and vectors take less");
    assert_eq!(shape("factors"), [some, 8]);
    assert_eq!(shape("factors.ids"), [some]);
    let sum = tensors.tensor("xxh3_128").unwrap().data().to_vec();
    assert_eq!(sum, xxh3_128(&file[..file.len() - CHECKSUM]).to_be_bytes());
    assert!(file.ends_with(&sum));
    let document = parts(&file).1;
    assert_eq!(document["format_version"], FORMAT_VERSION);
    assert_eq!(document["kind"], "model");
    // Its twin: what safetensors itself would have written.
    let metadata = safetensors::SafeTensors::read_metadata(&file).unwrap().1;
    let twin = safetensors::serialize(tensors.tensors(), metadata.metadata().clone());
    assert!(twin.unwrap() == file);
}

#[test]
fn every_truncation_is_refused() {
    let folder = folder();
    let path = path(&folder, "model");
    all_kinds_model().save(&path).unwrap();
    let file = File::options().write(true).open(&path).unwrap();
    for length in (0..file.metadata().unwrap().len()).rev() {
        file.set_len(length).unwrap();
        match Model::load(&path) {
            Err(Error::ModelFile { file, message }) => {
                assert!(file == path && !message.is_empty() && !message.contains('\n'));
            }
            Err(other) => panic!("{length}: {other}"),
            Ok(_) => panic!("{length} bytes were accepted"),
        }
    }
}

#[test]
fn more_bytes_at_the_end_are_refused() {
    let folder = folder();
    let path = path(&folder, "model");
    let mut bytes = bytes(&all_kinds_model());
    bytes.push(0);
    refusal(&path, &bytes);
    reseal(&mut bytes);
    refusal(&path, &bytes);
}

#[test]
fn every_flip_of_a_single_bit_is_refused() {
    let folder = folder();
    let path = path(&folder, "model");
    let bytes = bytes(&all_kinds_model());
    assert!((4_000..20_000).contains(&bytes.len()), "{}", bytes.len());
    fs::write(&path, &bytes).unwrap();
    let file = File::options().write(true).open(&path).unwrap();
    for (at, &byte) in bytes.iter().enumerate() {
        for bit in 0..8 {
            file.write_all_at(&[byte ^ (1 << bit)], at as u64).unwrap();
            match Model::load(&path) {
                Err(Error::ModelFile { file, message }) => {
                    assert!(file == path && !message.is_empty() && !message.contains('\n'));
                }
                Err(other) => panic!("bit {bit} of byte {at}: {other}"),
                Ok(_) => panic!("bit {bit} of byte {at}: accepted"),
            }
        }
        file.write_all_at(&[byte], at as u64).unwrap();
    }
    Model::load(&path).unwrap();
}

#[test]
fn what_is_no_model_is_refused_in_words() {
    let folder = folder();
    let path = path(&folder, "file");
    let model = bytes(&all_kinds_model());
    let (header, document, data) = parts(&model);
    assert_eq!(refusal(&path, b""), "the file is empty");
    for other in ["label,c\n1,a\n", "{}", "\0\0\0\0\0\0\0\0", "\x08\0\0\0\0\0\0\0{}      "] {
        let message = refusal(&path, other.as_bytes());
        let known = message.starts_with("not a pairloom model, or cut off or damaged")
            || message.starts_with("a safetensors file, but not one of pairloom's");
        assert!(known, "{message}");
    }
    // A file of another library's weights.
    let floats = safetensors::tensor::TensorView::new(safetensors::Dtype::F32, vec![2], &[0; 8]);
    let no_metadata: Option<HashMap<String, String>> = None;
    let foreign = safetensors::serialize([("weight", floats.unwrap())], no_metadata).unwrap();
    let message = "a safetensors file, but not one of pairloom's: train one with pairloom train";
    assert_eq!(refusal(&path, &foreign), message);
    // One of a later version is refused as that, before anything else about it is looked at.
    let mut newer = document.clone();
    newer["format_version"] = json!(FORMAT_VERSION + 1);
    newer["document"] = json!("of a shape that nobody knows yet");
    assert_eq!(
        refusal(&path, &joined(header.clone(), &newer, &data)),
        format!(
            "it has format version {} and this pairloom reads up to {FORMAT_VERSION}: use a newer \
             pairloom",
            FORMAT_VERSION + 1
        )
    );
    let mut unknown = document.clone();
    unknown["kind"] = json!("poem");
    assert_eq!(
        refusal(&path, &joined(header.clone(), &unknown, &data)),
        "this is a poem, not a model"
    );
    unknown.as_object_mut().unwrap().remove("format_version");
    let message = "it has no format version: it is damaged";
    assert_eq!(refusal(&path, &joined(header.clone(), &unknown, &data)), message);
    let mut altered = model.clone();
    let at = altered.len() - CHECKSUM - 1;
    altered[at] ^= 1;
    let message = "its checksum is wrong: it was altered or damaged after saving";
    assert_eq!(refusal(&path, &altered), message);
    // What `joined` makes is accepted, so the refusals above are not of its making.
    load(&path, &joined(header, &document, &data)).unwrap();
}

#[test]
fn what_is_no_file_is_refused_as_that() {
    let folder = folder();
    let missing = path(&folder, "missing");
    let of = |path: &str| Model::load(path).unwrap_err();
    assert!(matches!(of(&missing), Error::Io { file, .. } if file == missing));
    let name = folder.path().to_str().unwrap();
    assert!(matches!(of(name), Error::Io { file, .. } if file == name));
    let null = of("/dev/null").to_string();
    assert!(null.starts_with("/dev/null: "), "{null}");
}

#[test]
fn a_checkpoint_is_no_model() {
    let folder = folder();
    let data = write(&folder, "rows.csv", all_kinds(200));
    let file = path(&folder, "checkpoint");
    let checkpoints =
        Some(Checkpoints { path: file.clone(), every: Duration::ZERO, resume: false });
    trained(&Job { checkpoints, ..job(&data, &plain_config()) });
    let message = Model::load(&file).unwrap_err().to_string();
    assert_eq!(message, format!("{file}: this is a checkpoint, not a model"));
}

#[test]
fn a_checkpoint_that_cannot_be_of_the_run_is_refused() {
    let folder = folder();
    let data = write(&folder, "rows.csv", all_kinds(200));
    let file = path(&folder, "checkpoint");
    let checkpoints = Some(Checkpoints { path: file.clone(), every: Duration::ZERO, resume: true });
    let job = Job { checkpoints, ..job(&data, &plain_config()) };
    trained(&job);
    let (header, document, data) = parts(&fs::read(&file).unwrap());
    for (place, value) in [("rows", 1u64 << 40), ("epoch", 0)] {
        let mut altered = document.clone();
        altered["document"]["progress"][place] = json!(value);
        fs::write(&file, joined(header.clone(), &altered, &data)).unwrap();
        match pairloom::train::train(&job, &mut |_| true) {
            Err(Error::ModelFile { message, .. }) => assert!(message.contains("damaged")),
            other => panic!("{place}: {other:?}"),
        }
    }
}

/// Loads a mutant; if it is accepted, uses it in every way.
fn try_out(path: &str, bytes: &[u8]) -> bool {
    match load(path, bytes) {
        Err(Error::ModelFile { file, .. }) => {
            assert_eq!(file, path);
            false
        }
        Err(other) => panic!("{other}"),
        Ok(model) => {
            let _ = predictions(&model);
            let mut reader =
                input::from_bytes("rows.csv", all_kinds(20), &Default::default()).unwrap();
            let threads = Threads::new(1).unwrap();
            let skip = EvaluateOptions { on_error: OnError::Skip, ..EvaluateOptions::default() };
            let _ = model.evaluate(&mut *reader, "rows.csv", &skip, &threads);
            for id in 0..model.encoding.features() as u32 {
                let _ = model.encoding.describe(id);
            }
            let _ = model.schema.to_toml();
            true
        }
    }
}

#[test]
fn altered_bytes_under_a_right_checksum_are_refused_or_harmless() {
    let folder = folder();
    let path = path(&folder, "mutant");
    let good = bytes(&all_kinds_model());
    let header = header_end(&good);
    let mut random = common::random(17);
    let mut accepted = 0;
    for round in 0..4000 {
        let mut mutant = good.clone();
        // Half of the edits are in the header, which is text, the others in the tensors.
        let range = if round % 2 == 0 { 0..header } else { header..good.len() - CHECKSUM };
        for _ in 0..random.random_range(1..4) {
            let at = random.random_range(range.clone());
            mutant[at] = match random.random_range(0..4) {
                0 => random.random(),
                1 => random.random_range(b'0'..=b'9'),
                2 => mutant[at] ^ (1 << random.random_range(0..8)),
                _ => *[0, 0xff, 0x7f, b'"', b',', b'-', b'e'].choose(&mut random).unwrap(),
            };
        }
        reseal(&mut mutant);
        accepted += u32::from(try_out(&path, &mutant));
    }
    // Another weight is as good a model: only the checksum could tell. But not most of them.
    assert!((200..3600).contains(&accepted), "{accepted}");
}

/// Every place in a JSON value, as a pointer.
fn places(value: &Value, here: String, all: &mut Vec<String>) {
    all.push(here.clone());
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(i, v)| places(v, format!("{here}/{i}"), all));
        }
        Value::Object(fields) => {
            fields.iter().for_each(|(name, v)| places(v, format!("{here}/{name}"), all));
        }
        _ => {}
    }
}

fn mutate(value: &mut Value, random: &mut impl RngExt) {
    let mut all = Vec::new();
    places(value, String::new(), &mut all);
    let place = all.choose(random).unwrap().clone();
    let donor = value.pointer(all.choose(random).unwrap()).cloned().unwrap();
    let wild = [
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1),
        json!(30),
        json!(65536),
        json!(u32::MAX),
        json!(u64::MAX),
        json!(1e308),
        json!(-5e-324),
        json!(0.5),
        json!(""),
        json!("\u{0}|\""),
        json!("x".repeat(300)),
        json!([]),
        json!({}),
        donor,
    ];
    let (parent, name) = place.rsplit_once('/').unwrap_or(("", ""));
    match (random.random_range(0..5), value.pointer_mut(parent)) {
        (0, Some(Value::Object(fields))) => {
            fields.remove(name);
        }
        (0, Some(Value::Array(items))) => {
            // The whole value has no place in a parent, and no name.
            if let Ok(at) = name.parse() {
                items.remove(at);
            }
        }
        (1, Some(Value::Array(items))) => {
            let item = items.choose(random).cloned();
            items.extend(item);
        }
        _ => *value.pointer_mut(&place).unwrap() = wild.choose(random).unwrap().clone(),
    }
}

#[test]
fn altered_documents_under_a_right_checksum_are_refused_or_harmless() {
    let folder = folder();
    let path = path(&folder, "mutant");
    let (header, document, data) = parts(&bytes(&all_kinds_model()));
    let mut random = common::random(18);
    let mut accepted = 0;
    for round in 0..6000 {
        let (mut header, mut document, mut data) = (header.clone(), document.clone(), data.clone());
        let tensors = || header.as_object().unwrap().keys().filter(|name| *name != "__metadata__");
        match round % 5 {
            // The list of tensors: shapes, types, offsets, names.
            0 => {
                let name = tensors().collect::<Vec<_>>().choose(&mut random).unwrap().to_string();
                mutate(&mut header[&name], &mut random);
            }
            // Where a dictionary's values end.
            1 => {
                let is_ends = |name: &&String| name.ends_with(".ends");
                let name = tensors().filter(is_ends).collect::<Vec<_>>();
                let name = name.choose(&mut random).unwrap().to_string();
                let start = header[&name]["data_offsets"][0].as_u64().unwrap() as usize;
                let end = header[&name]["data_offsets"][1].as_u64().unwrap() as usize;
                let at = start + 8 * random.random_range(0..(end - start) / 8);
                let wild = [0, 1, 3, 1 << 20, u64::MAX, 1 << 63];
                data[at..at + 8].copy_from_slice(&wild.choose(&mut random).unwrap().to_le_bytes());
            }
            // A weight that is not finite.
            2 => {
                let name = ["linear", "factors", "bias"].choose(&mut random).unwrap();
                let start = header[name]["data_offsets"][0].as_u64().unwrap() as usize;
                let wild = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX];
                let wild = wild.choose(&mut random).unwrap();
                data[start..start + 4].copy_from_slice(&wild.to_le_bytes());
            }
            // Schema, settings, encoding, history.
            _ => {
                for _ in 0..random.random_range(1..3) {
                    mutate(&mut document, &mut random);
                }
            }
        }
        accepted += u32::from(try_out(&path, &joined(header, &document, &data)));
    }
    assert!((40..4800).contains(&accepted), "{accepted}");
}

#[test]
fn weights_that_are_not_finite_are_refused() {
    let folder = folder();
    let path = path(&folder, "model");
    let (header, document, data) = parts(&bytes(&all_kinds_model()));
    for name in ["bias", "linear", "factors"] {
        for wild in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut data = data.clone();
            let end = header[name]["data_offsets"][1].as_u64().unwrap() as usize;
            data[end - 4..end].copy_from_slice(&wild.to_le_bytes());
            let message = refusal(&path, &joined(header.clone(), &document, &data));
            assert_eq!(message, format!("tensor '{name}' has values that are not finite"));
        }
    }
}

#[test]
fn factors_of_another_precision_than_the_settings_say_are_refused() {
    let folder = folder();
    let file = path(&folder, "model");
    let data = write(&folder, "rows.csv", all_kinds(200));
    let of = |precision| model(&job(&data, &Config { precision, epochs: 1, ..plain_config() }));
    for (precision, other, found) in
        [(Precision::Bf16, "f32", "BF16"), (Precision::F32, "bf16", "F32")]
    {
        let (header, mut document, data) = parts(&bytes(&of(precision)));
        load(&file, &joined(header.clone(), &document, &data)).unwrap();
        let settings = &mut document["document"]["config"]["precision"];
        assert_eq!(*settings, precision.name());
        *settings = json!(other);
        let message = refusal(&file, &joined(header.clone(), &document, &data));
        assert!(message.starts_with(&format!("tensor 'factors' is {found} [")), "{message}");
        document["document"]["config"]["precision"] = json!("f8");
        let message = refusal(&file, &joined(header, &document, &data));
        assert!(message.contains("unknown variant `f8`"), "{message}");
    }
    // Files from before there was a choice are of 32-bit floats.
    let (header, mut document, data) = parts(&bytes(&of(Precision::F32)));
    document["document"]["config"].as_object_mut().unwrap().remove("precision");
    load(&file, &joined(header, &document, &data)).unwrap();
    // An infinite bfloat16.
    let (header, document, mut data) = parts(&bytes(&of(Precision::Bf16)));
    let end = header["factors"]["data_offsets"][1].as_u64().unwrap() as usize;
    data[end - 2..end].copy_from_slice(&0x7F80u16.to_le_bytes());
    let message = refusal(&file, &joined(header, &document, &data));
    assert_eq!(message, "tensor 'factors' has values that are not finite");
}
