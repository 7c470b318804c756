//! A GPU that is lost in mid-run.

use super::*;
use crate::config::Config;
use crate::fit::{Checkpoints, Fit, FitEvent, Run, Stop};
use crate::store::Store;
use crate::{Error, Result};
use std::time::Duration;

/// Settings of a run over rows of [`Case::PLAIN`], which are not learned from elsewhere.
fn config() -> Config {
    Config {
        factors: Some(8),
        loss: Some(Loss::Logistic),
        learning_rate: Some(0.1),
        batch_size: Some(64),
        epochs: 3,
        patience: 0,
        ..Config::default()
    }
}

/// Trains on a device that is lost after so many kernels.
fn train(after: u64, checkpoints: &Checkpoints) -> Result<(Fit, usize)> {
    let case = Case::PLAIN;
    let rows = case.rows(400, 26);
    let (weights, settings) = (case.weights::<Plain>(), case.settings(&rows));
    let machine = Plain::new(&case.plan());
    let most = LargestBatch { rows: 64, entries: 800 };
    let open = |shape| Emulated::that_is_lost(shape, after);
    let mut gpu = Gpu::new(machine, case.model, &weights, settings, most, open)?;
    let (config, valid, train) = (config(), Store::default(), Store::from(rows));
    let run = Run {
        train: &train,
        most_entries: 800,
        valid: &valid,
        config: &config,
        negatives: None,
        target: &case.target(),
        before: 0,
        keeps_best: true,
        checkpoints: Some(checkpoints),
    };
    let mut batches = 0;
    let fit = run.fit(&mut gpu, &mut |event| {
        batches += usize::from(matches!(event, FitEvent::Batch { .. }));
        true
    })?;
    Ok((fit, batches))
}

#[test]
fn the_checkpoint_stays_and_another_device_goes_on_to_the_same_bits() {
    if emulated::compiler().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let to = |name: &str, resume| Checkpoints { path: file(name), every: Duration::ZERO, resume };
    let (whole, batches) = train(u64::MAX, &to("whole", false)).unwrap();
    assert_eq!((whole.stop.clone(), batches), (Stop::Finished, 21));
    let whole = whole.weights.unwrap();
    // At once; in a step, of which all have some 30 kernels; and in a later epoch.
    for (at, after) in [0, 100, 250, 450].into_iter().enumerate() {
        let name = format!("lost {at}");
        let Err(Error::Device(message)) = train(after, &to(&name, false)).map(|_| ()) else {
            panic!("it was not lost after {after} kernels");
        };
        let is_kept = std::path::Path::new(&file(&name)).exists();
        assert_eq!(is_kept, after > 0, "{message}");
        assert_eq!(message.contains("--resume goes on from there"), is_kept, "{message}");
        assert!(message.starts_with("the GPU has failed: "), "{message}");
        let (resumed, more) = train(u64::MAX, &to(&name, true)).unwrap();
        assert!((more < batches) == is_kept, "{more}");
        let resumed = resumed.weights.unwrap();
        assert!(resumed.factors.floats() == whole.factors.floats(), "after {after} kernels");
        assert!(resumed.linear.floats() == whole.linear.floats() && resumed.bias == whole.bias);
    }
}
