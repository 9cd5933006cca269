//! From positions to points on the sheet, and clipping.

use super::axis::Ticks;
use super::canvas::Canvas;
use super::style::Stroke;

/// The box of the data in points, with what the axes show.
pub struct Frame {
    pub left: f64,
    pub top: f64,
    pub width: f64,
    pub height: f64,
    pub x: [f64; 2],
    pub y: [f64; 2],
    pub x_ticks: Ticks,
    pub y_ticks: Ticks,
}

impl Frame {
    pub fn at(&self, p: [f64; 2]) -> [f64; 2] {
        [
            self.left + (p[0] - self.x[0]) / (self.x[1] - self.x[0]) * self.width,
            self.top + self.height * (1.0 - (p[1] - self.y[0]) / (self.y[1] - self.y[0])),
        ]
    }

    pub fn holds(&self, p: [f64; 2]) -> bool {
        let within = |v: f64, [lo, hi]: [f64; 2]| v >= lo - 1e-9 * (hi - lo) && v <= hi + 1e-9 * (hi - lo);
        within(p[0], self.x) && within(p[1], self.y)
    }

    pub fn clamp(&self, p: [f64; 2]) -> [f64; 2] {
        [p[0].clamp(self.x[0], self.x[1]), p[1].clamp(self.y[0], self.y[1])]
    }

    /// The part of a segment inside the frame (Liang and Barsky 1984).
    fn clip(&self, a: [f64; 2], b: [f64; 2]) -> Option<([f64; 2], [f64; 2])> {
        let (mut from, mut to) = (0.0f64, 1.0f64);
        for (i, [lo, hi]) in [self.x, self.y].into_iter().enumerate() {
            let d = b[i] - a[i];
            for (p, q) in [(-d, a[i] - lo), (d, hi - a[i])] {
                if p == 0.0 && q < 0.0 {
                    return None;
                }
                if p < 0.0 {
                    from = from.max(q / p);
                } else if p > 0.0 {
                    to = to.min(q / p);
                }
            }
        }
        let along = |t: f64| [a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])];
        (from <= to).then(|| (along(from), along(to)))
    }

    /// A polyline of positions, clipped.
    pub fn line(&self, canvas: &mut Canvas, points: &[[f64; 2]], stroke: &Stroke) {
        let mut run: Vec<[f64; 2]> = Vec::new();
        for pair in points.windows(2) {
            let Some((a, b)) = self.clip(pair[0], pair[1]) else { continue };
            let (a, b) = (self.at(a), self.at(b));
            if run.last().is_none_or(|last| (last[0] - a[0]).hypot(last[1] - a[1]) > 1e-6) {
                canvas.line(&std::mem::take(&mut run), stroke);
                run.push(a);
            }
            run.push(b);
        }
        canvas.line(&run, stroke);
    }
}
