//! Training on more rows than there is memory for.

use crate::common::{bytes, folder, job, model, path, plain_config, refusal, trained};
use pairloom::config::Config;
use pairloom::fit::{Checkpoints, FitEvent, Stop};
use pairloom::input::Format;
use pairloom::parallel::Threads;
use pairloom::synth::{Synth, SynthConfig};
use pairloom::train::{Event, Job, train};
use std::time::Duration;
use tempfile::TempDir;

const TSV: Format = Format::Csv { delimiter: '\t', header: false };

/// A click log sorted by its label, the worst that an order can be.
fn sorted_clicks(folder: &TempDir, rows: u64) -> String {
    let file = path(folder, "clicks.tsv");
    let config = SynthConfig { rows, fields: 10, features: 2000, ..SynthConfig::default() };
    Synth::new(&config, Threads::new(2).unwrap()).unwrap().write_file(TSV, &file).unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_by_key(|line| line.as_bytes()[0]);
    std::fs::write(&file, lines.join("\n")).unwrap();
    file
}

/// So little memory that the rows must go to a file; or as much as they need.
fn clicks(folder: &TempDir, little: bool) -> Job {
    let memory = little.then_some(43 << 20);
    let config =
        Config { memory, epochs: 2, min_count: 2, batch_size: Some(256), ..plain_config() };
    let temp_dir = folder.path().to_str().unwrap().into();
    Job { temp_dir, ..job(&path(folder, "clicks.tsv"), &config) }
}

fn log_loss(job: &Job) -> f64 {
    model(job).history.last().unwrap().valid.as_ref().unwrap().loss()
}

#[test]
fn a_file_sorted_by_its_label_is_learned_from_as_well_as_in_memory() {
    let folder = folder();
    sorted_clicks(&folder, 150_000);
    let (little, much) = (clicks(&folder, true), clicks(&folder, false));
    let disk = |job: &Job| trained(job).start.unwrap().disk_bytes;
    assert!(disk(&little) > 6 << 20, "{}", disk(&little));
    assert_eq!(disk(&much), 0);
    // Orders of seeds and windows differ by .0018 (standard deviation of a run): hence a mean.
    let mean = |job: &Job| {
        let of =
            |seed| log_loss(&Job { config: Config { seed, ..job.config.clone() }, ..job.clone() });
        (0..3).map(of).sum::<f64>() / 3.0
    };
    let (little, much) = (mean(&little), mean(&much));
    assert!((little - much).abs() < 0.003 && much < 0.5, "{little} {much}");
    // The temporary file has no name, and so nothing of it is left.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn the_bits_do_not_depend_on_threads_and_a_resumed_run_has_them_too() {
    let folder = folder();
    sorted_clicks(&folder, 120_000);
    let plain = clicks(&folder, true);
    let expected = bytes(&model(&plain));
    assert!(bytes(&model(&Job { threads: 3, ..plain.clone() })) == expected);
    for events in [2, 150, 300, 700] {
        let checkpoints =
            Checkpoints { path: path(&folder, "checkpoint"), every: Duration::MAX, resume: false };
        let mut job = Job { checkpoints: Some(checkpoints), ..plain.clone() };
        let mut heard = 0;
        let stopped = train(&job, &mut |event| {
            heard += usize::from(matches!(event, Event::Fit(FitEvent::Batch { .. })));
            heard < events
        });
        assert_eq!(stopped.unwrap().stop, Stop::Interrupted);
        job.checkpoints.as_mut().unwrap().resume = true;
        assert!(bytes(&model(&job)) == expected, "{events}");
    }
}

#[test]
fn memory_that_the_model_takes_alone_is_refused() {
    let folder = folder();
    sorted_clicks(&folder, 1000);
    let mut job = clicks(&folder, false);
    job.config.memory = Some(1 << 20);
    let error = refusal(&job);
    assert!(error.contains("memory (--memory) must be at least 32."), "{error}");
    job.config.memory = Some(43 << 20);
    assert_eq!(trained(&job).start.unwrap().disk_bytes, 0);
}

#[test]
fn a_folder_that_takes_no_files_is_named() {
    let folder = folder();
    sorted_clicks(&folder, 120_000);
    let error = refusal(&Job { temp_dir: "/nowhere".into(), ..clicks(&folder, true) });
    assert!(error.starts_with("a temporary file in /nowhere: "), "{error}");
}
