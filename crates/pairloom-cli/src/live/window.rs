//! The terminal behind standard error, in which a picture is drawn again in its own place.

use console::{Color, Style, Term, measure_text_width};
use std::io;

/// Places and rows of the smallest terminal that has room for a chart.
pub const LEAST: (usize, usize) = (40, 12);

/// Whether there are colours.
#[derive(Debug, Clone, Copy)]
pub struct Paint(pub bool);

impl Paint {
    /// Text in a colour, if there are colours.
    pub fn with(self, colour: Color, text: impl std::fmt::Display) -> String {
        Style::new().fg(colour).force_styling(self.0).apply_to(text).to_string()
    }
}

/// A terminal, and what of the picture stands in it.
pub struct Window {
    term: Term,
    paint: Paint,
    /// Places that each line of the picture takes.
    drawn: Vec<usize>,
}

impl Window {
    /// The window of standard error; `None` if that is no terminal, one that cannot move its cursor,
    /// or one that is too small.
    pub fn open() -> Option<Self> {
        // What is buffered is written at once, so that no half of a picture is seen.
        let term = Term::buffered_stderr();
        let (rows, columns) =
            term.size_checked().filter(|_| term.is_term() && !console::is_dumb())?;
        let fits = usize::from(columns) >= LEAST.0 && usize::from(rows) >= LEAST.1;
        let paint = Paint(term.features().colors_supported());
        fits.then(|| Window { term, paint, drawn: Vec::new() })
    }

    /// Draws in the place of what was drawn before: `picture` makes lines for (columns, rows). The cursor is
    /// left visible below it, so that whatever ends the command leaves the terminal as it should be.
    pub fn draw(&mut self, picture: impl Fn(usize, usize, Paint) -> Vec<String>) -> io::Result<()> {
        let (rows, columns) = self.term.size_checked().unwrap_or((0, 0));
        let (rows, columns) = (usize::from(rows), usize::from(columns).max(1));
        // In a window that became narrower, a line takes several rows.
        let taken = |width: &usize| width.div_ceil(columns).max(1);
        let above: usize = self.drawn.iter().map(taken).sum();
        let lines = picture(columns, rows, self.paint);
        if above > 0 {
            self.term.move_cursor_up(above)?;
        }
        for line in &lines {
            self.term.clear_line()?;
            self.term.write_line(line)?;
        }
        // Not before, as some terminals keep what is cleared from the top of the screen on.
        self.term.clear_to_end_of_screen()?;
        self.drawn = lines.iter().map(|line| measure_text_width(line)).collect();
        self.term.flush()
    }
}
