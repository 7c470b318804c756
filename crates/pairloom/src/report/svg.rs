//! A little chart builder: axes with round ticks, lines, dots and bars as SVG text.
//!
//! Colours, widths and fonts are classes that the page's style sheet fills in, so that one chart
//! serves light and dark. Title and legend are HTML around the drawing, since HTML wraps on narrow
//! screens and SVG does not. Points that are not finite are skipped, so no NaN reaches the page.

use super::page::escape;

const WIDTH: f64 = 440.0;
const HEIGHT: f64 = 302.0;
/// The least.
const LEFT: f64 = 52.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 36.0;
const BOTTOM: f64 = 46.0;

/// One axis: its range and the places to write numbers at.
pub(super) struct Axis {
    label: String,
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) ticks: Vec<f64>,
    step: f64,
}

impl Axis {
    /// A range of whole ticks that holds all finite values; 0 to 1 without any.
    pub(super) fn around(label: &str, values: impl IntoIterator<Item = f64>) -> Self {
        // Beyond 1e300 the width of the range itself could overflow.
        let finite = values.into_iter().filter(|value| value.abs() < 1e300);
        let range = finite.fold(None, |range: Option<(f64, f64)>, value| {
            let (low, high) = range.unwrap_or((value, value));
            Some((low.min(value), high.max(value)))
        });
        let (low, high) = range.unwrap_or((0.0, 1.0));
        let wide = high - low > 1e-9 * high.abs().max(low.abs());
        let pad = if wide { 0.0 } else { (0.1 * high.abs()).max(1e-3) };
        let (low, high) = (low - pad, high + pad);
        let step = round_step((high - low) / 5.0);
        // The small allowance keeps 0.3 / 0.1 from counting as more than three steps.
        let (first, last) = ((low / step + 1e-6).floor(), (high / step - 1e-6).ceil());
        let ticks = (0..=(last - first) as u32).map(|n| (first + f64::from(n)) * step + 0.0);
        Axis {
            label: label.to_string(),
            low: first * step,
            high: last * step,
            ticks: ticks.collect(),
            step,
        }
    }

    /// From `low` to `high` with ticks at whole numbers only.
    pub(super) fn whole(label: &str, low: u32, high: u32) -> Self {
        let step = round_step(f64::from(high.saturating_sub(low)) / 8.0).max(1.0) as u32;
        let first = low.checked_next_multiple_of(step).unwrap_or(low);
        let ticks = (first..=high).step_by(step as usize).map(f64::from).collect();
        let pad = if low == high { 1.0 } else { 0.0 };
        let (low, high) = (f64::from(low) - pad, f64::from(high) + pad);
        Axis { label: label.to_string(), low, high, ticks, step: f64::from(step) }
    }

    /// How far along the axis a value lies, from 0 to 1.
    fn place(&self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }

    fn text(&self, tick: f64) -> String {
        let largest = self.low.abs().max(self.high.abs());
        let text = if largest >= 1e6 || self.step < 1e-5 {
            let digits = (largest / self.step).log10().ceil().clamp(0.0, 4.0);
            format!("{tick:.*e}", digits as usize)
        } else {
            grouped(format!("{tick:.*}", (-self.step.log10()).ceil().max(0.0) as usize))
        };
        text.replace('-', "\u{2212}")
    }
}

/// Digits with the thousands apart.
fn grouped(mut digits: String) -> String {
    let first = usize::from(digits.starts_with('-'));
    let end = digits.find('.').unwrap_or(digits.len());
    (first + 1..end).rev().skip(2).step_by(3).for_each(|at| digits.insert(at, ','));
    digits
}

/// 1, 2 or 5 times a power of ten, no smaller than `raw`.
fn round_step(raw: f64) -> f64 {
    if raw <= 0.0 {
        return 1.0;
    }
    let power = 10f64.powf(raw.log10().floor());
    let factor = [1.0, 2.0, 5.0].into_iter().find(|f| f * power >= raw * 0.999).unwrap_or(10.0);
    factor * power
}

/// A drawing under construction. `class` arguments name a series in the style sheet.
pub(super) struct Chart {
    title: String,
    x: Axis,
    y: Axis,
    /// Where the y axis is: the longest of its numbers has room beside it.
    left: f64,
    marks: String,
    legend: String,
}

impl Chart {
    pub(super) fn new(title: &str, x: Axis, y: Axis) -> Self {
        let longest = y.ticks.iter().map(|&tick| y.text(tick).chars().count()).max().unwrap_or(0);
        let left = LEFT.max(12.0 + 7.0 * longest as f64);
        Chart { title: title.to_string(), x, y, left, marks: String::new(), legend: String::new() }
    }

    /// Names a series beneath the title.
    pub(super) fn key(&mut self, class: &str, name: &str) {
        self.legend.push_str(&format!("<span class=\"key {class}\">{}</span>\n", escape(name)));
    }

    /// Names a series whose points have a shape of their own.
    pub(super) fn key_of_shape(&mut self, class: &str, name: &str) {
        let shape = shape(class, (0.0, 0.0), 5.0);
        self.legend.push_str(&format!(
            "<span class=\"key shape {class}\"><svg viewBox=\"-7 -7 14 14\" aria-hidden=\"true\">\
             <path class=\"dot {class}\" d=\"{shape}\"/></svg>{}</span>\n",
            escape(name)
        ));
    }

    /// A point in the shape of its series, whose pointer text is `note`; `aside` units of the drawing from its place,
    /// so that it hides no other one.
    pub(super) fn point(&mut self, class: &str, point: (f64, f64), aside: f64, note: &str) {
        if let Some((x, y)) = self.place(point) {
            self.marks.push_str(&format!(
                "<path class=\"dot {class}\" d=\"{}\"><title>{}</title></path>\n",
                shape(class, (x + aside, y), 5.0),
                escape(note)
            ));
        }
    }

    /// From one height to another, as far aside as the point.
    pub(super) fn whisker(&mut self, class: &str, x: f64, [low, high]: [f64; 2], aside: f64) {
        if let (Some((x, low)), Some((_, high))) = (self.place((x, low)), self.place((x, high))) {
            let x = x + aside;
            self.marks.push_str(&format!(
                "<path class=\"line whisker {class}\" d=\"M{x:.1} {low:.1}V{high:.1}\"/>\n"
            ));
        }
    }

    pub(super) fn line(&mut self, class: &str, points: &[(f64, f64)]) {
        let places: Vec<String> = points
            .iter()
            .filter_map(|&point| self.place(point))
            .map(|(x, y)| format!("{x:.1},{y:.1}"))
            .collect();
        if places.len() > 1 {
            let places = places.join(" ");
            self.marks
                .push_str(&format!("<polyline class=\"line {class}\" points=\"{places}\"/>\n"));
        }
    }

    /// A circle whose pointer text is `note`.
    pub(super) fn dot(&mut self, class: &str, point: (f64, f64), radius: f64, note: &str) {
        if let Some((x, y)) = self.place(point) {
            self.marks.push_str(&format!(
                "<circle class=\"dot {class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius:.1}\">\
                 <title>{}</title></circle>\n",
                escape(note)
            ));
        }
    }

    /// Bars from the bottom up, of equal width across the whole x axis.
    pub(super) fn bars(&mut self, class: &str, heights: &[f64], note: impl Fn(usize) -> String) {
        let width = (self.x.high - self.x.low) / heights.len().max(1) as f64;
        for (index, height) in heights.iter().enumerate().filter(|pair| *pair.1 > 0.0) {
            let left = self.x.low + width * index as f64;
            let corners = (self.place((left, *height)), self.place((left + width, self.y.low)));
            if let (Some((x, y)), Some((right, bottom))) = corners {
                let (width, height) = ((right - x - 1.0).max(0.5), (bottom - y).max(0.7));
                let y = bottom - height;
                self.marks.push_str(&format!(
                    "<rect class=\"bar {class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" \
                     height=\"{height:.1}\"><title>{}</title></rect>\n",
                    escape(&note(index))
                ));
            }
        }
    }

    /// A vertical dashed line with words above it, where no curve can run through them.
    pub(super) fn mark(&mut self, at: f64, words: &str) {
        if let Some((x, bottom)) = self.place((at, self.y.low)) {
            let anchor = match self.x.place(at) {
                ..0.25 => "start",
                0.75.. => "end",
                _ => "middle",
            };
            self.marks.push_str(&format!(
                "<line class=\"guide\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{bottom:.1}\"/>\n\
                 <text class=\"mark\" x=\"{:.1}\" y=\"{}\" text-anchor=\"{anchor}\">{}</text>\n",
                x,
                TOP - 5.0,
                escape(words)
            ));
        }
    }

    fn place(&self, point: (f64, f64)) -> Option<(f64, f64)> {
        let (x, y) = (self.x.place(point.0), self.y.place(point.1));
        let place = (
            self.left + x * (WIDTH - self.left - RIGHT),
            HEIGHT - BOTTOM - y * (HEIGHT - TOP - BOTTOM),
        );
        (place.0.is_finite() && place.1.is_finite()).then_some(place)
    }

    /// The chart as a card; `description` says in words what it shows.
    pub(super) fn render(&self, id: &str, description: &str) -> String {
        let (title, description) = (escape(&self.title), escape(description));
        format!(
            "<figure class=\"card\">\n<figcaption><h3>{title}</h3>\n<p class=\"legend\">\n{}</p>\
             </figcaption>\n<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
             aria-labelledby=\"{id}-title {id}-desc\">\n<title id=\"{id}-title\">{title}</title>\n\
             <desc id=\"{id}-desc\">{description}</desc>\n{}{}</svg>\n</figure>\n",
            self.legend,
            self.frame(),
            self.marks
        )
    }

    /// Grid lines, numbers and names of the axes.
    fn frame(&self) -> String {
        let (left, right, bottom) = (self.left, WIDTH - RIGHT, HEIGHT - BOTTOM);
        let mut frame = String::new();
        for &tick in &self.y.ticks {
            let y = self.place((self.x.low, tick)).unwrap_or_default().1;
            frame.push_str(&format!(
                "<line class=\"grid-line\" x1=\"{left}\" x2=\"{right}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
                 <text class=\"tick\" x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\n",
                left - 8.0,
                y + 4.0,
                self.y.text(tick)
            ));
        }
        for &tick in &self.x.ticks {
            let x = self.place((tick, self.y.low)).unwrap_or_default().0;
            frame.push_str(&format!(
                "<line class=\"axis\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{bottom}\" y2=\"{}\"/>\
                 <text class=\"tick\" x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
                bottom + 4.0,
                bottom + 18.0,
                self.x.text(tick)
            ));
        }
        frame.push_str(&format!(
            "<line class=\"axis\" x1=\"{left}\" x2=\"{right}\" y1=\"{bottom}\" y2=\"{bottom}\"/>\n\
             <text class=\"name\" x=\"0\" y=\"13\">{}</text>\n\
             <text class=\"name\" x=\"{right}\" y=\"{}\" text-anchor=\"end\">{}</text>\n",
            escape(&self.y.label),
            HEIGHT - 8.0,
            escape(&self.x.label)
        ));
        frame
    }
}

/// The outline of the points of a series, so that colour is not all that tells them apart.
fn shape(class: &str, (x, y): (f64, f64), r: f64) -> String {
    let outline = |corners: &[(f64, f64)]| {
        let corners: Vec<String> =
            corners.iter().map(|(a, b)| format!("{:.1} {:.1}", x + a * r, y + b * r)).collect();
        format!("M{}Z", corners.join("L"))
    };
    match class {
        "b" => outline(&[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)]),
        "c" => outline(&[(0.0, -1.2), (1.15, 0.8), (-1.15, 0.8)]),
        "d" => outline(&[(0.0, -1.3), (1.3, 0.0), (0.0, 1.3), (-1.3, 0.0)]),
        "e" => outline(&[(0.0, 1.2), (1.15, -0.8), (-1.15, -0.8)]),
        "f" => outline(&[(-1.3, -0.6), (1.3, -0.6), (1.3, 0.6), (-1.3, 0.6)]),
        "g" => outline(&[(-0.6, -1.3), (0.6, -1.3), (0.6, 1.3), (-0.6, 1.3)]),
        "h" => outline(&[(-1.1, -1.1), (1.1, 1.1), (1.1, -1.1), (-1.1, 1.1)]),
        _ => format!("M{:.1} {y:.1}a{r} {r} 0 1 0 {w} 0a{r} {r} 0 1 0 -{w} 0Z", x - r, w = 2.0 * r),
    }
}

/// A number for people: four significant digits, a dash if there is none.
pub fn number(value: f64) -> String {
    if !value.is_finite() {
        return "\u{2013}".to_string();
    }
    let size = value.abs();
    if size == 0.0 {
        return "0".to_string();
    }
    let text = if (1e-3..1e6).contains(&size) {
        let decimals = if size < 1.0 { 4.0 } else { (3.0 - size.log10().floor()).max(0.0) };
        grouped(format!("{value:.*}", decimals as usize))
    } else {
        format!("{value:.3e}")
    };
    text.replace('-', "\u{2212}")
}
