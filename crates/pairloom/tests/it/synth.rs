//! The synthetic click log: its bytes, its statistics, and what it refuses.

use pairloom::input::Format;
use pairloom::parallel::Threads;
use pairloom::synth::{Synth, SynthConfig, SynthSummary};
use pairloom::{Error, Result};
use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;

const TSV: Format = Format::Csv { delimiter: '\t', header: false };

fn synth(config: &SynthConfig) -> Result<Synth> {
    Synth::new(config, Threads::new(0)?)
}

fn text(config: &SynthConfig, format: Format) -> (String, SynthSummary) {
    written(&synth(config).unwrap(), format)
}

fn written(synth: &Synth, format: Format) -> (String, SynthSummary) {
    let mut out = Vec::new();
    let summary = synth.write(format, &mut out, "memory").unwrap();
    (String::from_utf8(out).unwrap(), summary)
}

fn small() -> SynthConfig {
    SynthConfig { rows: 3000, fields: 5, features: 500, ..SynthConfig::default() }
}

/// Labels and cells of a log in TSV.
fn cells(log: &str) -> Vec<(u8, Vec<&str>)> {
    let rows = log.lines().map(|line| {
        let mut cells = line.split('\t');
        (cells.next().unwrap().parse().unwrap(), cells.collect())
    });
    rows.collect()
}

fn refusal(config: SynthConfig) -> String {
    match synth(&config) {
        Err(Error::Usage(message)) => message,
        Err(other) => panic!("not a usage error: {other}"),
        Ok(_) => panic!("accepted: {config:?}"),
    }
}

#[test]
fn the_share_of_positives_is_as_asked() {
    for (positives, seed) in [(0.22, 1), (0.5, 2), (0.03, 3), (0.9, 4)] {
        let config = SynthConfig { rows: 60_000, positives, seed, ..SynthConfig::default() };
        let (log, summary) = text(&config, TSV);
        let ones = log.lines().filter(|line| line.starts_with('1')).count() as f64;
        let share = ones / 60_000.0;
        assert_eq!(summary.positives, Some(share));
        // Sampling error of these labels and of the 65,536 pilot rows, added as variances.
        let deviation = (positives * (1.0 - positives) * (1.0 / 60_000.0 + 1.0 / 65_536.0)).sqrt();
        assert!((share - positives).abs() < 3.0 * deviation, "{positives}: {share}");
    }
}

#[test]
fn values_follow_zipf() {
    let config = SynthConfig {
        rows: 200_000,
        cardinalities: vec![2000],
        zipf: (1.2, 1.2),
        factors: 0,
        ..SynthConfig::default()
    };
    let (log, _) = text(&config, TSV);
    let mut counts: HashMap<&str, u32> = HashMap::new();
    for (_, row) in cells(&log) {
        *counts.entry(row[0]).or_default() += 1;
    }
    let mut counts: Vec<f64> = counts.into_values().map(f64::from).collect();
    counts.sort_unstable_by(|a, b| b.total_cmp(a));
    // Least squares in log-log over the ranks that are seen often enough to be in order.
    let points: Vec<(f64, f64)> =
        (0..100).map(|i| (f64::from(i + 1).ln(), counts[i as usize].ln())).collect();
    let mean = |f: fn(&(f64, f64)) -> f64| points.iter().map(f).sum::<f64>() / 100.0;
    let (x, y) = (mean(|p| p.0), mean(|p| p.1));
    let slope = points.iter().map(|p| (p.0 - x) * (p.1 - y)).sum::<f64>()
        / points.iter().map(|p| (p.0 - x).powi(2)).sum::<f64>();
    assert!((slope + 1.2).abs() < 0.03, "{slope}");
}

/// The bytes are part of the promise: whatever changes them changes every log made from a seed.
#[test]
fn bytes_are_the_same_forever() {
    let config = SynthConfig { rows: 3, fields: 3, features: 60, ..SynthConfig::default() };
    assert_eq!(
        text(&config, Format::Libsvm).0,
        "1 6:1 54:1 60:1\n0 11:1 53:1 57:1\n0 5:1 41:1 60:1\n"
    );
    let csv = Format::Csv { delimiter: ',', header: false };
    let rows = [
        "1,bfc86e6a,23e30a26,bbee4c92",
        "0,3c373b2b,4cf121c1,e98cf7e2",
        "0,807581da,9a700209,bbee4c92",
    ];
    assert!(text(&config, csv).0.lines().eq(rows));
    // XXH3 of a longer log: of all that is drawn, down to the rare values and close labels.
    let config = SynthConfig { rows: 20_000, ..SynthConfig::default() };
    let sum = xxhash_rust::xxh3::xxh3_64(text(&config, TSV).0.as_bytes());
    assert_eq!(sum, 0x11D3_C7D8_1F6E_2D22, "{sum:#x}");
}

#[test]
fn same_seed_same_bytes_on_any_number_of_threads() {
    let config = SynthConfig { rows: 10_000, ..small() };
    let on = |threads| written(&Synth::new(&config, Threads::new(threads).unwrap()).unwrap(), TSV);
    let one = on(1);
    assert!(one == on(3));
    assert!(one.0 != text(&SynthConfig { seed: 9, ..config.clone() }, TSV).0);
}

#[test]
fn a_shorter_log_is_the_start_of_a_longer_one() {
    let long = text(&small(), TSV).0;
    for rows in [0, 1, 1023, 1024, 1025, 2999] {
        let short = text(&SynthConfig { rows, ..small() }, TSV).0;
        assert_eq!(short.lines().count() as u64, rows);
        assert!(long.starts_with(&short));
    }
}

/// Mean label per value of the first column, for values seen often.
fn means(log: &str) -> HashMap<String, f64> {
    let mut sums: HashMap<String, (f64, f64)> = HashMap::new();
    for (label, row) in cells(log) {
        let sum = sums.entry(row[0].to_string()).or_default();
        *sum = (sum.0 + f64::from(label), sum.1 + 1.0);
    }
    sums.retain(|_, sum| sum.1 >= 300.0);
    sums.into_iter().map(|(value, (ones, n))| (value, ones / n)).collect()
}

/// Pearson's, over the values that both have.
fn correlation(a: &HashMap<String, f64>, b: &HashMap<String, f64>) -> f64 {
    let pairs: Vec<(f64, f64)> =
        a.iter().filter_map(|(value, &x)| Some((x, *b.get(value)?))).collect();
    assert!(pairs.len() > 40, "{}", pairs.len());
    let mean =
        |f: &dyn Fn(&(f64, f64)) -> f64| pairs.iter().map(f).sum::<f64>() / pairs.len() as f64;
    let (x, y) = (mean(&|p| p.0), mean(&|p| p.1));
    mean(&|p| (p.0 - x) * (p.1 - y))
        / (mean(&|p| (p.0 - x).powi(2)) * mean(&|p| (p.1 - y).powi(2))).sqrt()
}

#[test]
fn samples_are_of_one_model() {
    let config = SynthConfig {
        rows: 150_000,
        cardinalities: vec![200, 5, 10],
        zipf: (0.5, 0.5),
        linear_spread: 1.5,
        ..SynthConfig::default()
    };
    let train = text(&config, TSV).0;
    let test = text(&SynthConfig { sample: 1, ..config.clone() }, TSV).0;
    assert!(train != test);
    let (train, test) = (means(&train), means(&test));
    assert!(correlation(&train, &test) > 0.9);
    let other = means(&text(&SynthConfig { seed: 2, ..config }, TSV).0);
    assert!(correlation(&train, &other) < 0.5);
}

#[test]
fn the_best_score_beats_the_constant() {
    for factors in [0, 1, 8] {
        let config = SynthConfig { rows: 50_000, factors, ..SynthConfig::default() };
        let (_, summary) = text(&config, TSV);
        let (best, drawn) = (summary.best_log_loss.unwrap(), summary.drawn_log_loss.unwrap());
        let constant = summary.constant_log_loss.unwrap();
        assert!(best < constant - 0.02 && drawn < constant - 0.02, "{summary:?}");
        // Entropy and drawn loss differ by chance only: a row's loss has a deviation under 0.7.
        assert!((best - drawn).abs() < 3.0 * 0.7 / 50_000f64.sqrt());
        assert!(summary.auc_exact && summary.best_auc.unwrap() > 0.6);
    }
}

#[test]
fn without_spread_nothing_beats_the_constant() {
    let config = SynthConfig { linear_spread: 0.0, interaction_spread: 0.0, ..small() };
    let (_, summary) = text(&config, TSV);
    assert_eq!(summary.best_auc, Some(0.5));
    // The entropy of 0.22: -(0.22 ln 0.22 + 0.78 ln 0.78).
    assert!((summary.best_log_loss.unwrap() - 0.526_908).abs() < 1e-5);
}

#[test]
fn formats_say_the_same() {
    let (tsv, tsv_summary) = text(&small(), TSV);
    let (csv, _) = text(&small(), Format::Csv { delimiter: ',', header: true });
    let (svm, svm_summary) = text(&small(), Format::Libsvm);
    let (ffm, ffm_summary) = text(&small(), Format::Libffm);
    assert!(csv == format!("label,c1,c2,c3,c4,c5\n{}", tsv.replace('\t', ",")));
    assert!(tsv_summary == svm_summary && svm_summary == ffm_summary);
    let mut cell_of: HashMap<&str, (usize, &str)> = HashMap::new();
    let lines = svm.lines().zip(ffm.lines());
    for ((label, row), (svm, ffm)) in cells(&tsv).into_iter().zip(lines) {
        let mut wide = label.to_string();
        let mut last = 0;
        for (field, (cell, pair)) in row.into_iter().zip(svm.split(' ').skip(1)).enumerate() {
            let index = pair.strip_suffix(":1").unwrap();
            // A feature index stands for one cell of one column, and indices ascend.
            assert_eq!(*cell_of.entry(index).or_insert((field, cell)), (field, cell));
            let number: u32 = index.parse().unwrap();
            assert!(number > last && number <= 500);
            last = number;
            wide += &format!(" {field}:{index}:1");
        }
        assert_eq!(svm.split(' ').count(), 6);
        assert_eq!(ffm, wide);
    }
}

#[test]
fn no_rows_are_a_legal_log() {
    let none = SynthConfig { rows: 0, ..small() };
    let (log, summary) = text(&none, Format::Csv { delimiter: ',', header: true });
    assert_eq!(log, "label,c1,c2,c3,c4,c5\n");
    assert_eq!((summary.rows, summary.positives, summary.best_auc), (0, None, None));
    assert_eq!((summary.best_log_loss, summary.constant_log_loss), (None, None));
}

#[test]
fn sizes_are_as_asked() {
    let spread = synth(&SynthConfig::default()).unwrap();
    let sizes: Vec<u32> = spread.cardinalities().collect();
    assert_eq!((sizes.len(), sizes.iter().sum::<u32>()), (34, 1 << 18));
    assert_eq!(sizes.iter().min(), Some(&4));
    assert!(!sizes.is_sorted());
    let each = SynthConfig { cardinalities: vec![7, 2, 30], ..SynthConfig::default() };
    let (log, summary) = text(&each, TSV);
    assert_eq!((summary.fields, summary.features), (3, 39));
    for (column, most) in [7, 2, 30].into_iter().enumerate() {
        let values: HashSet<&str> = cells(&log).into_iter().map(|(_, row)| row[column]).collect();
        assert_eq!(values.len(), most);
    }
}

#[test]
fn settings_that_cannot_work_are_refused_by_name() {
    let usual = SynthConfig::default;
    for positives in [0.0, 1.0, -0.1, 1.5, f64::NAN] {
        assert!(
            refusal(SynthConfig { positives, ..usual() })
                .starts_with("positives (--positives) must be ")
        );
    }
    for zipf in [(-0.1, 1.0), (1.3, 1.1), (1.0, 11.0), (f64::NAN, 1.0), (1.0, f64::INFINITY)] {
        assert!(refusal(SynthConfig { zipf, ..usual() }).starts_with("zipf (--zipf) must be "));
    }
    for spread in [-1.0, 101.0, f64::NAN] {
        let linear = SynthConfig { linear_spread: spread, ..usual() };
        assert!(refusal(linear).starts_with("linear_spread (--linear-spread) must be "));
        let interaction = SynthConfig { interaction_spread: spread, ..usual() };
        assert!(
            refusal(interaction).starts_with("interaction_spread (--interaction-spread) must be ")
        );
    }
    for fields in [0, 65_537, usize::MAX] {
        assert!(
            refusal(SynthConfig { fields, ..usual() }).starts_with("fields (--fields) must be ")
        );
    }
    let few = refusal(SynthConfig { features: 67, ..usual() });
    assert!(few.starts_with("features (--features) must be at least 68"), "{few}");
    for features in [1 << 32, u64::MAX] {
        assert!(
            refusal(SynthConfig { features, ..usual() })
                .starts_with("features (--features) must be ")
        );
    }
    for sizes in [vec![5, 1], vec![0], vec![u64::MAX, 2], vec![1 << 31, 1 << 31]] {
        let message = refusal(SynthConfig { cardinalities: sizes, ..usual() });
        assert!(message.starts_with("cardinalities (--cardinalities) must be "), "{message}");
    }
    let wide = SynthConfig { cardinalities: vec![2; 65_537], ..usual() };
    assert!(refusal(wide).starts_with("cardinalities (--cardinalities) must be "));
}

#[test]
fn a_model_that_does_not_fit_is_refused_with_its_size() {
    for factors in [1 << 40, usize::MAX] {
        let error = synth(&SynthConfig { factors, ..small() }).err().unwrap();
        assert!(matches!(error, Error::Memory(_)));
        assert!(error.to_string().contains("iB of memory"), "{error}");
    }
}

#[test]
fn delimiters_that_would_be_read_as_text_are_refused() {
    let synth = synth(&small()).unwrap();
    for delimiter in ['a', '7', '"', '\n', '\u{e9}'] {
        let format = Format::Csv { delimiter, header: false };
        let error = synth.write(format, &mut Vec::new(), "memory").unwrap_err();
        assert!(matches!(error, Error::Usage(_)), "{delimiter:?}");
    }
}

#[test]
fn files_appear_when_they_are_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.tsv");
    let synth = synth(&small()).unwrap();
    fs::write(&path, "old").unwrap();
    // Refused while writing: the old file stays and no other is left behind.
    let wrong = Format::Csv { delimiter: 'x', header: false };
    assert!(synth.write_file(wrong, path.to_str().unwrap()).is_err());
    assert_eq!(fs::read_to_string(&path).unwrap(), "old");
    synth.write_file(TSV, path.to_str().unwrap()).unwrap();
    assert!(fs::read_to_string(&path).unwrap() == text(&small(), TSV).0);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    for bad in [folder.path(), &folder.path().join("no/such")] {
        let error = synth.write_file(TSV, bad.to_str().unwrap()).unwrap_err().to_string();
        assert!(error.starts_with(&bad.display().to_string()), "{error}");
    }
}

#[cfg(unix)]
#[test]
fn new_files_have_usual_permissions_and_links_are_followed() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let (made, log) = (folder.path().join("made"), folder.path().join("log"));
    fs::File::create(&made).unwrap();
    let synth = synth(&small()).unwrap();
    synth.write_file(TSV, log.to_str().unwrap()).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&log), mode(&made));
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&made, &link).unwrap();
    synth.write_file(TSV, link.to_str().unwrap()).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(fs::read(&made).unwrap() == fs::read(&log).unwrap());
}

#[cfg(target_os = "linux")]
#[test]
fn devices_are_written_straight_and_a_full_disk_is_an_error() {
    let synth = synth(&small()).unwrap();
    assert_eq!(synth.write_file(TSV, "/dev/null").unwrap().rows, 3000);
    let error = synth.write_file(TSV, "/dev/full").unwrap_err();
    assert!(matches!(&error, Error::Io { file, .. } if file == "/dev/full"), "{error}");
}
