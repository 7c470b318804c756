//! Model files of released versions are read alike by every later one. `data/v1/make.sh` says
//! how its files were made.

use pairloom::Model;
use pairloom::input;
use pairloom::parallel::Threads;
use pairloom::predict::PredictOptions;

#[test]
fn version_1_predicts_what_it_predicted() {
    let file = |name: &str| format!("{}/tests/it/data/v1/{name}", env!("CARGO_MANIFEST_DIR"));
    let model = Model::load(&file("model.pairloom")).unwrap();
    let (data, threads) = (file("rows.csv"), Threads::new(1).unwrap());
    let mut reader = input::open_as(&data, model.schema.format).unwrap();
    let mut found = Vec::new();
    let options = PredictOptions::default();
    let collect = |piece: &pairloom::predict::Piece| {
        found.extend_from_slice(&piece.predictions);
        Ok(())
    };
    model.predict_rows(&mut *reader, &data, &options, &threads, collect).unwrap();
    let expected = std::fs::read_to_string(file("predictions.txt")).unwrap();
    let expected: Vec<f64> = expected.lines().map(|line| line.parse().unwrap()).collect();
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        // Logarithms and exponentials may differ in the last bits between platforms.
        assert!((found - expected).abs() <= 1e-6 * expected, "{found} {expected}");
    }
}
