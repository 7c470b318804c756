//! One chart: a title with a legend, curves, and numbers at two sides.

use super::axis::Axis;
use super::canvas::Canvas;
use super::window::Paint;
use console::Color;

/// What a curve is drawn with. Colour alone tells no two of them apart.
#[derive(Debug, Clone, Copy)]
pub struct Pen {
    /// What stands at each point.
    pub mark: Option<char>,
    /// One dot in so many is drawn.
    pub every: usize,
    pub colour: Color,
    /// A piece of it, for the legend.
    sample: &'static str,
}

/// A line.
pub const TRAINING: Pen =
    Pen { mark: None, every: 1, colour: Color::Cyan, sample: "\u{28e4}\u{28e4}" };
/// Crosses with sparse dots between them.
pub const VALIDATION: Pen = Pen { mark: Some('x'), every: 4, colour: Color::Yellow, sample: "x" };

/// A curve and its name.
pub struct Series {
    pub name: &'static str,
    pub pen: Pen,
    /// (epochs, value); those that are not finite are left out.
    pub points: Vec<(f64, f64)>,
}

/// What a chart is of.
pub struct Chart {
    pub title: &'static str,
    pub series: Vec<Series>,
    /// The first and the last epoch.
    pub epochs: (u32, u32),
}

/// Places that numbers at the left take at the least: "epoch" stands below them.
const LEFT: usize = 5;
/// Rows that are no curve: title, axis and its numbers.
const FRAME: usize = 3;

impl Chart {
    /// Lines of so many places, as many as there are rows.
    pub fn draw(&self, columns: usize, rows: usize, paint: Paint) -> Vec<String> {
        let rows = rows.saturating_sub(FRAME).max(1);
        let y = Axis::around(self.points().map(|point| point.1), rows.div_ceil(2));
        let numbers = numbers(&y, rows);
        let left = numbers.iter().map(String::len).max().unwrap_or(0).max(LEFT);
        let columns = columns.saturating_sub(left + 1).max(1);
        let x = Axis::epochs(self.epochs.0, self.epochs.1, columns / 6);
        let canvas = self.canvas(columns, rows, &x, &y);
        let line = |(row, number): (usize, &String)| {
            let side = if number.is_empty() { '\u{2502}' } else { '\u{2524}' };
            format!("{number:>left$}{side}{}", canvas.row(row, paint)).trim_end().to_string()
        };
        let mut lines = vec![self.legend(paint)];
        lines.extend(numbers.iter().enumerate().map(line));
        let [axis, below] = foot(&x, columns);
        lines.push(format!("{:left$}\u{2514}{axis}", ""));
        lines.push(format!("{:>left$} {below}", "epoch"));
        lines
    }

    fn points(&self) -> impl Iterator<Item = (f64, f64)> {
        let all = self.series.iter().flat_map(|series| series.points.iter().copied());
        all.filter(|point| point.1.is_finite())
    }

    fn canvas(&self, columns: usize, rows: usize, x: &Axis, y: &Axis) -> Canvas {
        let mut canvas = Canvas::new(columns, rows);
        for series in &self.series {
            let points = series.points.iter().filter(|point| point.1.is_finite());
            let points: Vec<_> =
                points.map(|(at, value)| (x.share(*at), y.share(*value))).collect();
            canvas.curve(&points, series.pen);
        }
        canvas
    }

    fn legend(&self, paint: Paint) -> String {
        let key = |series: &Series| {
            format!("  {} {}", paint.with(series.pen.colour, series.pen.sample), series.name)
        };
        self.title.to_string() + &self.series.iter().map(key).collect::<String>()
    }
}

/// The number beside each row, or nothing.
fn numbers(y: &Axis, rows: usize) -> Vec<String> {
    let mut numbers = vec![String::new(); rows];
    for tick in y.ticks() {
        let row = ((1.0 - y.share(tick)) * (4 * rows - 1) as f64).round() as usize / 4;
        if let Some(number) = numbers.get_mut(row).filter(|number| number.is_empty()) {
            *number = y.label(tick);
        }
    }
    numbers
}

/// The axis, and the numbers below it.
fn foot(x: &Axis, columns: usize) -> [String; 2] {
    let (mut axis, mut below) = (vec!['\u{2500}'; columns], vec![' '; columns]);
    for tick in x.ticks() {
        let number: Vec<char> = x.label(tick).chars().collect();
        let at = (x.share(tick) * columns.saturating_sub(1) as f64).round() as usize;
        let begin = at.saturating_sub(number.len() / 2).min(columns.saturating_sub(number.len()));
        let around = begin.saturating_sub(1)..(begin + number.len() + 1).min(columns);
        // Numbers that would touch another are left out.
        if below[around].iter().all(|place| *place == ' ') {
            below.iter_mut().skip(begin).zip(number).for_each(|(place, digit)| *place = digit);
            axis[at] = '\u{252c}';
        }
    }
    [axis, below].map(|line| line.into_iter().collect::<String>().trim_end().to_string())
}
