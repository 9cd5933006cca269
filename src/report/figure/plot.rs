//! What a panel holds once its kind has been worked out: marks at positions, axes, legend keys, a colour bar.

use plotters::style::text_anchor::{HPos, VPos};

use super::axis::Axis;
use super::canvas::{self, Canvas, Type};
use super::frame::Frame;
use super::style::{Dash, Ink, Rgb, SeriesStyle, Shape, Stroke};

/// Something drawn at positions of the axes; `dx` is a sideways move in points.
pub enum Mark {
    Line {
        points: Vec<[f64; 2]>,
        stroke: Stroke,
    },
    /// A horizontal line over the whole width.
    Level {
        y: f64,
        stroke: Stroke,
    },
    /// A line that does not widen the axes.
    Guide {
        points: Vec<[f64; 2]>,
        stroke: Stroke,
    },
    /// Between two lines that share x: (x, low, high).
    Band {
        points: Vec<[f64; 3]>,
        colour: Rgb,
    },
    Dot {
        at: [f64; 2],
        dx: f64,
        shape: Shape,
        size: f64,
        colour: Rgb,
        alpha: f64,
    },
    /// A horizontal bar of half-width `half` points.
    Bar {
        at: [f64; 2],
        dx: f64,
        half: f64,
        stroke: Stroke,
    },
    /// A line from `base` up or down to a point.
    Stem {
        at: [f64; 2],
        base: f64,
        dx: f64,
        stroke: Stroke,
    },
    Cell {
        from: [f64; 2],
        to: [f64; 2],
        colour: Rgb,
    },
    /// Words centred above a point.
    Words {
        at: [f64; 2],
        words: String,
    },
    /// A dotted vertical line with words along it.
    Vertical {
        x: f64,
        words: String,
    },
}

impl Stroke {
    /// The same without dashes.
    pub fn solid(self) -> Stroke {
        Stroke { dash: Dash::Solid, ..self }
    }
}

impl Ink {
    /// Type in the text colour, `scale` times the base size.
    pub fn words(&self, scale: f64, anchor: HPos, vertical: VPos) -> Type {
        Type { size: scale * self.size, colour: self.text, anchor, vertical, bold: false, upright: false }
    }
}

/// An entry of the legend.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    pub label: String,
    pub stroke: Option<Stroke>,
    pub shape: Option<(Shape, Rgb)>,
}

impl Key {
    pub fn series(label: String, style: SeriesStyle, line: Option<f64>) -> Key {
        let stroke = line.map(|width| Stroke { colour: style.colour, alpha: 1.0, width, dash: style.dash });
        Key { label, stroke, shape: Some((style.shape, style.colour)) }
    }
}

/// A colour scale beside the data.
pub struct ColourBar {
    pub axis: Axis,
    pub limits: [f64; 2],
    pub map: fn(f64) -> Rgb,
}

/// A panel ready to be laid out.
#[derive(Default)]
pub struct Plot {
    pub title: String,
    pub x: Axis,
    pub y: Axis,
    pub marks: Vec<Mark>,
    pub keys: Vec<Key>,
    pub bar: Option<ColourBar>,
    /// Width and height in points where positions are points and there are no axes (images).
    pub bare: Option<[f64; 2]>,
    /// Both axes get the same limits.
    pub same_limits: bool,
}

impl Plot {
    /// Whether nothing was measured.
    pub fn is_empty(&self) -> bool {
        self.marks.iter().all(|m| matches!(m, Mark::Words { .. } | Mark::Vertical { .. } | Mark::Level { .. }))
    }

    /// Limits of both axes from the marks.
    pub fn limits(&self) -> ([f64; 2], [f64; 2]) {
        let mut ends = [[f64::INFINITY, f64::NEG_INFINITY]; 2];
        let mut take = |p: [f64; 2]| {
            for (end, v) in ends.iter_mut().zip(p) {
                // A NaN coordinate widens nothing.
                *end = [end[0].min(v), end[1].max(v)];
            }
        };
        for mark in &self.marks {
            match mark {
                Mark::Line { points, .. } => points.iter().for_each(|p| take(*p)),
                Mark::Band { points, .. } => {
                    points.iter().flat_map(|[x, a, b]| [[*x, *a], [*x, *b]]).for_each(&mut take)
                }
                Mark::Dot { at, .. } | Mark::Bar { at, .. } => take(*at),
                Mark::Stem { at, base, .. } => {
                    take(*at);
                    take([at[0], if base.is_finite() { *base } else { f64::NAN }]);
                }
                Mark::Level { y, .. } => take([f64::NAN, *y]),
                Mark::Cell { from, to, .. } => [*from, *to].into_iter().for_each(&mut take),
                Mark::Guide { .. } | Mark::Words { .. } | Mark::Vertical { .. } => (),
            }
        }
        let [x, y] = ends;
        if self.same_limits {
            let both = self.x.limits(x[0].min(y[0]), x[1].max(y[1]));
            return (self.x.fixed.unwrap_or(both), self.y.fixed.unwrap_or(both));
        }
        (self.x.limits(x[0], x[1]), self.y.limits(y[0], y[1]))
    }

    /// Draws the axes and the marks into the frame.
    pub fn draw(&self, canvas: &mut Canvas, frame: &Frame, ink: &Ink) {
        if self.bare.is_none() {
            self.grid(canvas, frame, ink);
        }
        let w = ink.weight;
        for mark in &self.marks {
            match mark {
                Mark::Line { points, stroke } | Mark::Guide { points, stroke } => frame.line(canvas, points, stroke),
                Mark::Level { y, stroke } => frame.line(canvas, &[[frame.x[0], *y], [frame.x[1], *y]], stroke),
                Mark::Band { points, colour } => {
                    let side = |k: usize| points.iter().map(move |p| frame.at(frame.clamp([p[0], p[k]])));
                    canvas.area(&side(1).chain(side(2).rev()).collect::<Vec<_>>(), *colour, 0.18);
                }
                Mark::Dot { at, dx, shape, size, colour, alpha } if frame.holds(*at) => {
                    let p = frame.at(*at);
                    canvas.marker([p[0] + dx, p[1]], *shape, *size * w, *colour, *alpha);
                }
                Mark::Bar { at, dx, half, stroke } if frame.holds(*at) => {
                    let p = frame.at(*at);
                    canvas.line(&[[p[0] + dx - half, p[1]], [p[0] + dx + half, p[1]]], stroke);
                }
                Mark::Stem { at, base, dx, stroke } if frame.holds([at[0], frame.y[0]]) => {
                    let (a, b) = (frame.at(frame.clamp([at[0], *base])), frame.at(frame.clamp(*at)));
                    canvas.line(&[[a[0] + dx, a[1]], [b[0] + dx, b[1]]], stroke);
                }
                Mark::Cell { from, to, colour } => {
                    let (a, b) = (frame.at(frame.clamp(*from)), frame.at(frame.clamp(*to)));
                    // On the PNG's pixels, with a little overlap: neither seams nor ragged edges.
                    let snap = |v: f64| (2.0 * v).round() / 2.0;
                    let end = [(b[0] + 0.5).min(frame.left + frame.width), (a[1] + 0.5).min(frame.top + frame.height)];
                    canvas.rect([a[0], b[1]].map(snap), end.map(snap), *colour);
                }
                Mark::Words { at, words } => {
                    let p = frame.at(*at);
                    canvas.text(words, p, ink.words(0.9, HPos::Center, VPos::Bottom));
                }
                Mark::Vertical { x, words } if frame.holds([*x, frame.y[0]]) => {
                    let (a, b) = (frame.at([*x, frame.y[0]]), frame.at([*x, frame.y[1]]));
                    let colour = if self.bar.is_some() { [255; 3] } else { ink.faint };
                    canvas.line(&[a, b], &Stroke { colour, ..ink.theory(1) });
                    let how = Type { upright: true, colour, ..ink.words(0.85, HPos::Right, VPos::Bottom) };
                    canvas.text(words, [b[0] - 1.0, b[1] + 3.0], how);
                }
                _ => (),
            }
        }
        if self.bare.is_none() {
            self.axes(canvas, frame, ink);
        }
        if self.is_empty() {
            let middle = [frame.left + frame.width / 2.0, frame.top + frame.height / 2.0];
            let how = Type { colour: ink.faint, ..ink.words(1.0, HPos::Center, VPos::Center) };
            canvas.text("no data", middle, how);
        }
    }

    fn grid(&self, canvas: &mut Canvas, f: &Frame, ink: &Ink) {
        let stroke = Stroke { colour: ink.grid, width: 0.6, ..ink.theory(0) }.solid();
        let (right, bottom) = (f.left + f.width, f.top + f.height);
        for (p, _) in f.x_ticks.major.iter().filter(|_| self.x.categories.is_empty()) {
            let x = f.at([*p, f.y[0]])[0];
            canvas.line(&[[x, f.top], [x, bottom]], &stroke);
        }
        for (p, _) in f.y_ticks.major.iter().filter(|_| !self.y.tight) {
            let y = f.at([f.x[0], *p])[1];
            canvas.line(&[[f.left, y], [right, y]], &stroke);
        }
    }

    fn axes(&self, canvas: &mut Canvas, f: &Frame, ink: &Ink) {
        let stroke = Stroke { width: 0.8 * ink.weight, ..ink.theory(0) }.solid();
        let thin = Stroke { width: 0.5 * ink.weight, ..stroke };
        let (right, bottom, s) = (f.left + f.width, f.top + f.height, ink.size);
        canvas.line(&[[f.left, f.top], [f.left, bottom], [right, bottom]], &stroke);
        for x in f.x_ticks.minor.iter().map(|p| f.at([*p, f.y[0]])[0]) {
            canvas.line(&[[x, bottom], [x, bottom + 2.0]], &thin);
        }
        for y in f.y_ticks.minor.iter().map(|p| f.at([f.x[0], *p])[1]) {
            canvas.line(&[[f.left - 2.0, y], [f.left, y]], &thin);
        }
        let scale = self.x_label_scale(f, ink);
        for (p, label) in &f.x_ticks.major {
            let x = f.at([*p, f.y[0]])[0];
            canvas.line(&[[x, bottom], [x, bottom + 4.0]], &stroke);
            for (i, line) in self.x_label_lines(label, f, ink).iter().enumerate() {
                let y = bottom + 6.0 + 1.1 * s * i as f64;
                canvas.text(line, [x, y], ink.words(scale, HPos::Center, VPos::Top));
            }
        }
        for (p, label) in &f.y_ticks.major {
            let y = f.at([f.x[0], *p])[1];
            canvas.line(&[[f.left - 4.0, y], [f.left, y]], &stroke);
            canvas.text(label, [f.left - 6.0, y], ink.words(1.0, HPos::Right, VPos::Center));
        }
    }

    /// A category's name broken to the room it has.
    pub fn x_label_lines(&self, label: &str, f: &Frame, ink: &Ink) -> Vec<String> {
        if self.x.categories.is_empty() {
            return vec![label.to_owned()];
        }
        canvas::wrap(label, self.x_label_scale(f, ink) * ink.size, self.slot(f))
    }

    /// The room of a category.
    fn slot(&self, f: &Frame) -> f64 {
        f.width / self.x.categories.len().max(1) as f64 - 4.0
    }

    /// Smaller type where a word of a category is wider than its room.
    fn x_label_scale(&self, f: &Frame, ink: &Ink) -> f64 {
        let words = self.x.categories.iter().flat_map(|c| c.split_whitespace());
        let widest = words.map(|w| canvas::width(w, ink.size)).fold(1.0, f64::max);
        (self.slot(f) / widest).clamp(0.6, 1.0)
    }
}
