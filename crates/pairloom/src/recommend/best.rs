//! The best items of one context among some, while their scores come by.

use super::recommender::Scored;
use super::tiles::not_below;
use std::cmp::Ordering;

/// Items that may be among the best by what is known so far are kept up to this number before their rows are
/// scored to know more. Many items with nearly the same score take no more memory than this.
const MOST: usize = 1 << 14;

/// Items that may be among the best.
#[derive(Debug)]
pub(super) struct Best {
    wanted: usize,
    /// How far the product and a row's score may be apart.
    margin: f64,
    /// What the product leaves out: the context's own score.
    own: f64,
    /// Items whose product is below this are not among the best.
    floor: f32,
    /// Products, and their items.
    found: Vec<(f32, u32)>,
    /// The best of those whose rows were scored, in order.
    sure: Vec<Scored>,
    /// How many of `found` there may be before they are sorted out.
    room: usize,
}

impl Best {
    pub(super) fn new(wanted: usize, margin: f64, own: f32) -> Self {
        let room = 2 * wanted + 128;
        let (found, sure) = (Vec::new(), Vec::new());
        let floor = f32::NEG_INFINITY;
        Best { wanted, margin, own: own.into(), floor, found, sure, room }
    }

    /// Takes the products of the items from `first` on, but for those that are not `allowed`.
    pub(super) fn take(
        &mut self,
        first: usize,
        products: &[f32],
        allowed: impl Fn(u32) -> bool,
        mut score: impl FnMut(u32) -> f32,
    ) {
        not_below(products, self.floor, |at, chunk| {
            for (item, &product) in (first + at..).zip(chunk) {
                let is_below = product < self.floor;
                if !is_below && allowed(item as u32) {
                    self.found.push((product, item as u32));
                }
            }
            if self.found.len() > self.room {
                self.sort_out();
                if self.found.len() > MOST {
                    self.make_sure(&mut score);
                }
                self.room = self.room.max(2 * self.found.len());
            }
            self.floor
        });
    }

    /// Takes over what was found among other items.
    pub(super) fn join(&mut self, other: Best) {
        self.found.extend(other.found);
        self.sure.extend(other.sure);
        self.floor = self.floor.max(other.floor);
    }

    /// The best items in order.
    pub(super) fn done(mut self, mut score: impl FnMut(u32) -> f32) -> Vec<Scored> {
        self.sort_out();
        self.make_sure(&mut score);
        self.sure
    }

    /// Drops items that are surely not among the best: `2 margin` below as many as are wanted.
    fn sort_out(&mut self) {
        if self.margin.is_finite() && self.found.len() > self.wanted {
            let down = |a: &(f32, u32), b: &(f32, u32)| b.0.total_cmp(&a.0);
            let (_, &mut (last, _), _) = self.found.select_nth_unstable_by(self.wanted - 1, down);
            self.raise(f64::from(last) - 2.0 * self.margin);
        }
        let floor = self.floor;
        self.found.retain(|(product, _)| {
            let is_below = *product < floor;
            !is_below
        });
    }

    /// Scores the rows of what was found, and keeps the best.
    fn make_sure(&mut self, score: &mut impl FnMut(u32) -> f32) {
        let scored = self.found.drain(..).map(|(_, item)| Scored { item, score: score(item) });
        self.sure.extend(scored);
        // What is no number is not dropped, so that it is found.
        self.sure.sort_unstable_by(order);
        self.sure.truncate(self.wanted);
        if let Some(last) = self.sure.get(self.wanted - 1) {
            self.raise(f64::from(last.score) - self.own - self.margin);
        }
    }

    fn raise(&mut self, floor: f64) {
        let floor = (floor as f32).next_down();
        if floor > self.floor {
            self.floor = floor;
        }
    }
}

/// The greater score first, and before all what is no number; of equal ones, the item that the catalogue has first.
fn order(a: &Scored, b: &Scored) -> Ordering {
    // 0 and -0 are equal.
    let [less, more] = [a, b].map(|scored| match scored.score.is_nan() {
        true => f32::INFINITY,
        false => scored.score + 0.0,
    });
    more.total_cmp(&less).then(a.item.cmp(&b.item))
}
