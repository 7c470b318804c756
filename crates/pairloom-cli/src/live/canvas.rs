//! Curves in characters: dots of braille, two beside and four above each other in a place, and marks.

use super::chart::Pen;
use super::window::Paint;

/// Places of a window, empty at first.
pub struct Canvas {
    columns: usize,
    rows: usize,
    cells: Vec<Cell>,
}

#[derive(Clone, Copy, Default)]
struct Cell {
    dots: u8,
    mark: Option<char>,
    pen: Option<Pen>,
}

/// The bits of the dots of a place (Unicode, block Braille Patterns), row by row.
const BITS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

impl Canvas {
    /// So many places beside and above each other.
    pub fn new(columns: usize, rows: usize) -> Self {
        Canvas { columns, rows, cells: vec![Cell::default(); columns * rows] }
    }

    /// Draws a curve through points, whose coordinates are 0 at the left and the bottom, 1 at the right
    /// and the top.
    pub fn curve(&mut self, points: &[(f64, f64)], pen: Pen) {
        let places: Vec<_> = points.iter().map(|point| self.place(*point)).collect();
        for pair in places.windows(2) {
            self.segment(pair[0], pair[1], pen);
        }
        if let [(x, y)] = places[..] {
            self.segment((x - 1.0, y), (x + 1.0, y), pen);
        }
        for (x, y) in places {
            if let (Some(mark), Some(cell)) = (pen.mark, self.cell(x, y)) {
                (cell.mark, cell.pen) = (Some(mark), Some(pen));
            }
        }
    }

    /// The dot of a point, counted from the left and the top.
    fn place(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let last = |dots: usize| dots.saturating_sub(1) as f64;
        ((x * last(2 * self.columns)).round(), ((1.0 - y) * last(4 * self.rows)).round())
    }

    fn segment(&mut self, from: (f64, f64), to: (f64, f64), pen: Pen) {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let steps = dx.abs().max(dy.abs()).clamp(1.0, 10_000.0) as usize;
        for step in (0..=steps).step_by(pen.every) {
            let share = step as f64 / steps as f64;
            let (x, y) = (from.0 + share * dx, from.1 + share * dy);
            if let Some(cell) = self.cell(x, y) {
                cell.dots |= BITS[y.round() as usize % 4][x.round() as usize % 2];
                cell.pen = Some(pen);
            }
        }
    }

    /// The place that a dot is in, if it is on the canvas.
    fn cell(&mut self, x: f64, y: f64) -> Option<&mut Cell> {
        let (x, y) = (x.round(), y.round());
        let inside = x >= 0.0 && y >= 0.0 && x < 2.0 * self.columns as f64;
        let at = (y as usize / 4).checked_mul(self.columns)?.checked_add(x as usize / 2)?;
        self.cells.get_mut(at).filter(|_| inside)
    }

    /// A row of places as text.
    pub fn row(&self, row: usize, paint: Paint) -> String {
        let cells = self.cells.iter().skip(row * self.columns).take(self.columns);
        let text = |cell: &Cell| match (cell.mark, cell.dots, cell.pen) {
            (Some(mark), _, Some(pen)) => paint.with(pen.colour, mark),
            (_, dots @ 1.., Some(pen)) => paint.with(pen.colour, braille(dots)),
            _ => " ".into(),
        };
        cells.map(text).collect()
    }
}

fn braille(dots: u8) -> char {
    char::from_u32(0x2800 + u32::from(dots)).unwrap_or(' ')
}
