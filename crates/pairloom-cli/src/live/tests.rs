use super::course::{Course, Done};
use super::frame::frame;
use super::window::{LEAST, Paint};
use console::{measure_text_width, strip_ansi_codes};

/// Epochs of (training loss, validation loss, AUC, accuracy).
const EPOCHS: [[f64; 4]; 5] = [
    [0.50, 0.45, 0.80, 0.90],
    [0.40, 0.40, 0.84, 0.91],
    [0.32, 0.38, 0.86, 0.90],
    [0.28, 0.39, 0.85, 0.89],
    [0.26, 0.41, 0.84, 0.88],
];

fn course(epochs: &[[f64; 4]]) -> Course {
    let (loss, quality) = ("log loss", ["AUC", "accuracy"]);
    let mut course =
        Course { loss, quality, has_valid: true, most: 50, rows: 1000, ..Course::default() };
    for (epoch, [train, valid, auc, accuracy]) in (1..).zip(epochs) {
        let quality = [Some(*auc), Some(*accuracy)];
        course.epoch(Done { epoch, train: *train, valid: Some(*valid), quality });
    }
    course.rate = 1_234_567.0;
    course
}

fn plain(course: &Course, columns: usize, rows: usize) -> Vec<String> {
    let lines = frame(course, columns, rows, Paint(false));
    lines.iter().map(|line| line.trim_end().to_string()).collect()
}

#[test]
fn the_smallest_picture() {
    let mut course = course(&EPOCHS);
    course.batch(6, 250, 0.24);
    insta::assert_snapshot!("smallest", plain(&course, 40, 12).join("\n"));
}

#[test]
fn figures_of_the_validation_rows_have_charts_of_their_own() {
    let mut course = course(&EPOCHS);
    course.over = Some(12.34);
    insta::assert_snapshot!("two_above", plain(&course, 60, 20).join("\n"));
    insta::assert_snapshot!("two_beside", plain(&course, 80, 14).join("\n"));
}

#[test]
fn the_first_epoch_is_seen_as_it_goes_on() {
    let mut course = course(&[]);
    (1..=6).for_each(|i| course.batch(1, 100 * i, 0.7 / (i as f64).sqrt()));
    insta::assert_snapshot!("first_epoch", plain(&course, 40, 12).join("\n"));
}

#[test]
fn every_size_is_kept_to() {
    for epochs in 0..EPOCHS.len() {
        let mut course = course(&EPOCHS[..epochs]);
        course.batch(1 + epochs as u32, 500, 0.3);
        for columns in (1..130).step_by(3) {
            for rows in 1..40 {
                let lines = frame(&course, columns, rows, Paint(true));
                assert!(lines.len() < rows.max(2), "{columns} x {rows}");
                let widest = lines.iter().map(|line| measure_text_width(line)).max().unwrap_or(0);
                assert!(widest <= columns, "{columns} x {rows}: {lines:#?}");
                let has_chart =
                    lines.iter().any(|line| line.contains("validation") && line.contains('x'));
                assert_eq!(has_chart, columns >= LEAST.0 && rows >= LEAST.1, "{columns} x {rows}");
            }
        }
    }
}

#[test]
fn colour_adds_nothing_that_is_not_there_without() {
    let course = course(&EPOCHS);
    let coloured = frame(&course, 100, 30, Paint(true));
    assert!(coloured.join("").contains("\u{1b}[3"));
    let stripped: Vec<_> =
        coloured.iter().map(|line| strip_ansi_codes(line).trim_end().to_string()).collect();
    assert_eq!(stripped, plain(&course, 100, 30));
    assert!(!frame(&course, 100, 30, Paint(false)).join("").contains('\u{1b}'));
}

#[test]
fn a_training_without_validation_rows_has_one_curve() {
    let mut course = course(&[]);
    course.has_valid = false;
    for epoch in 1..=3 {
        let train = 1.0 / f64::from(epoch);
        course.epoch(Done { epoch, train, valid: None, quality: [None; 2] });
    }
    let picture = plain(&course, 100, 30).join("\n");
    assert!(picture.contains("training") && !picture.contains("validation"), "{picture}");
    assert!(!picture.contains("AUC"), "{picture}");
}

#[test]
fn no_figure_is_too_odd() {
    for odd in [f64::NAN, f64::INFINITY, -1e300, 1e300, 0.0, 5e-324, f64::MAX, f64::MIN] {
        let mut epochs = EPOCHS;
        epochs[1] = [odd; 4];
        epochs[3] = [-odd; 4];
        for epochs in [&epochs[..], &[[odd; 4]; 3]] {
            let lines = plain(&course(epochs), 100, 30);
            assert!(lines.iter().all(|line| measure_text_width(line) <= 100), "{odd}: {lines:#?}");
        }
    }
}

#[test]
fn a_long_first_epoch_keeps_its_whole_course_in_little_room() {
    let mut course = course(&[]);
    course.rows = 100_000;
    (1..=100_000).for_each(|rows| course.batch(1, rows, 0.5));
    assert!((300..=402).contains(&course.running.len()), "{}", course.running.len());
    assert!(course.running[0].0 < 0.01 && course.training().len() == course.running.len());
    assert_eq!(course.running.last(), Some(&(1.0, 0.5)));
}

#[test]
fn a_run_that_goes_on_begins_where_it_was_stopped() {
    let mut course = course(&[]);
    course.batch(7, 400, 0.5);
    assert_eq!((course.epochs(), course.training()), ((6, 7), vec![(6.4, 0.5)]));
}
