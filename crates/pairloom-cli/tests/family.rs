//! Every model on two real data sets, by the command and by the library.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests too.

mod common;

use common::Room;
use pairloom::interaction::Kind;
use pairloom::metric::Metrics;
use pairloom::train::{Job, SchemaSource, train};

/// A data set that a model is trained on.
struct Set {
    file: &'static str,
    bytes: &'static [u8],
    label: &'static str,
    /// The columns that `mf` may see.
    two: [&'static str; 2],
    columns: Vec<String>,
}

fn sets() -> [Set; 2] {
    let names = |text: &str| text.split(',').map(String::from).collect();
    [
        Set {
            file: "shoppers.csv",
            bytes: include_bytes!("../data/online_shoppers_intention.csv"),
            label: "Revenue",
            two: ["Month", "TrafficType"],
            columns: names(
                "Administrative,Administrative_Duration,Informational,Informational_Duration,\
                 ProductRelated,ProductRelated_Duration,BounceRates,ExitRates,PageValues,SpecialDay,\
                 Month,OperatingSystems,Browser,Region,TrafficType,VisitorType,Weekend",
            ),
        },
        Set {
            file: "bank.csv.gz",
            bytes: include_bytes!("data/bank-marketing.csv.gz"),
            label: "Class",
            two: ["V2", "V16"],
            columns: (1..=16).map(|number| format!("V{number}")).collect(),
        },
    ]
}

#[test]
fn every_model_learns_two_real_sets_by_command_and_library() {
    let room = Room::new();
    for set in sets() {
        room.write(set.file, set.bytes);
        for &kind in Kind::ALL {
            let ignored: Vec<String> = match kind {
                Kind::Mf => {
                    let others =
                        set.columns.iter().filter(|name| !set.two.contains(&name.as_str()));
                    others.cloned().collect()
                }
                _ => Vec::new(),
            };
            let (file, label, name) = (set.file, set.label, kind.name());
            let left_out = match ignored.is_empty() {
                true => String::new(),
                false => format!("--ignore {}", ignored.join(",")),
            };
            room.ok(&format!(
                "train {file} --label {label} --model {name} --epochs 3 --seed 7 {left_out} \
                 --report report.html"
            ));
            let mut job = Job::new(room.path(file).to_str().unwrap());
            job.config.model = kind;
            (job.config.epochs, job.config.seed) = (3, 7);
            let SchemaSource::Infer(hints) = &mut job.schema else {
                panic!("schemas are inferred")
            };
            (hints.label, hints.ignore) = (Some(label.into()), ignored);
            let model = train(&job, &mut |_| true).unwrap().model.unwrap();
            model.save(room.path("twin").to_str().unwrap()).unwrap();
            assert!(room.read("twin") == room.read("model.pairloom"), "{file} {name}");
            let Some(Metrics::Binary(measured)) = &model.kept_epoch().unwrap().valid else {
                panic!()
            };
            // Two columns out of sixteen say less.
            let auc = measured.auc.unwrap();
            let least = if kind == Kind::Mf { 0.6 } else { 0.87 };
            assert!(auc > least, "{file} {name}: {auc}");
            assert!(room.text("report.html").contains(kind.title()), "{file} {name}");
            assert_eq!(room.ok(&format!("predict model.pairloom {file} -o scores")).err, "");
            let scores = room.text("scores");
            assert!(scores.lines().all(|p| (0.0..1.0).contains(&p.parse::<f64>().unwrap())));
        }
    }
}
