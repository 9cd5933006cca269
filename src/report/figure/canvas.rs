//! Lines, areas and words on a plotters SVG canvas, in points of 1/72 inch with fractions.
//!
//! plotters' coordinates are integers: the canvas is `K` times larger and its viewBox scales it back. Dashes, superscripts
//! and the font family are added here, because the back end has none of them.

use std::sync::Once;

use plotters::prelude::{DrawingBackend, IntoFont, SVGBackend, ShapeStyle, TextStyle};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontStyle, FontTransform, RGBAColor, register_font};
use resvg::{tiny_skia, usvg};

use super::style::{Dash, Rgb, Shape, Stroke};
use crate::error::{InputError, Result};

const K: f64 = 10.0;
pub const FAMILY: &str = "DejaVu Sans";
/// Ascent plus descent of the font over its em: `ab_glyph` scales by the one, SVG by the other.
const LINE_HEIGHT: f64 = 1.164;
const REGULAR: &[u8] = include_bytes!("../../../assets/fonts/DejaVuSans.ttf");
const BOLD: &[u8] = include_bytes!("../../../assets/fonts/DejaVuSans-Bold.ttf");
const OBLIQUE: &[u8] = include_bytes!("../../../assets/fonts/DejaVuSans-Oblique.ttf");
pub const FONTS: [&[u8]; 3] = [REGULAR, BOLD, OBLIQUE];

/// How words are set.
#[derive(Clone, Copy)]
pub struct Type {
    pub size: f64,
    pub colour: Rgb,
    pub anchor: HPos,
    pub vertical: VPos,
    pub bold: bool,
    pub upright: bool,
}

/// A sheet of `width` × `height` points that collects SVG.
pub struct Canvas<'a> {
    back: SVGBackend<'a>,
}

fn at(p: [f64; 2]) -> (i32, i32) {
    ((p[0] * K).round() as i32, (p[1] * K).round() as i32)
}

fn paint(colour: Rgb, alpha: f64, width: f64) -> ShapeStyle {
    let [r, g, b] = colour;
    ShapeStyle { color: RGBAColor(r, g, b, alpha), filled: true, stroke_width: (width * K).round() as u32 }
}

/// Runs `draw` on a fresh canvas and returns the SVG, `title` and `description` included.
pub fn sheet(width: f64, height: f64, title: &str, description: &str, draw: impl FnOnce(&mut Canvas)) -> String {
    let mut raw = String::new();
    let mut canvas = Canvas { back: SVGBackend::with_string(&mut raw, ((width * K) as u32, (height * K) as u32)) };
    draw(&mut canvas);
    drop(canvas);
    finish(&raw, width, height, title, description)
}

// The back end writes to memory, where nothing can fail; hence the `let _`.
impl Canvas<'_> {
    pub fn line(&mut self, points: &[[f64; 2]], stroke: &Stroke) {
        let style = paint(stroke.colour, stroke.alpha, stroke.width);
        let pattern: &[f64] = match stroke.dash {
            Dash::Solid => return drop(self.back.draw_path(points.iter().copied().map(at), &style)),
            Dash::Long => &[6.0, 2.5],
            Dash::Short => &[3.2, 2.0],
            Dash::Dots => &[1.2, 1.8],
            Dash::Mixed => &[6.0, 1.8, 1.4, 1.8],
        };
        for piece in dashes(points, pattern) {
            let _ = self.back.draw_path(piece.into_iter().map(at), &style);
        }
    }

    pub fn area(&mut self, points: &[[f64; 2]], colour: Rgb, alpha: f64) {
        let _ = self.back.fill_polygon(points.iter().copied().map(at), &paint(colour, alpha, 0.0));
    }

    pub fn rect(&mut self, from: [f64; 2], to: [f64; 2], colour: Rgb) {
        let _ = self.back.draw_rect(at(from), at(to), &paint(colour, 1.0, 0.0), true);
    }

    pub fn marker(&mut self, p: [f64; 2], shape: Shape, size: f64, colour: Rgb, alpha: f64) {
        let turn = std::f64::consts::TAU;
        let (corners, phase, scale) = match shape {
            Shape::Circle => {
                let _ = self.back.draw_circle(at(p), (size * K) as u32, &paint(colour, alpha, 0.0), true);
                return;
            }
            Shape::Square => (4, turn / 8.0, 1.25),
            Shape::Up => (3, -turn / 4.0, 1.3),
            Shape::Diamond => (4, 0.0, 1.35),
            Shape::Down => (3, turn / 4.0, 1.3),
            Shape::Pentagon => (5, -turn / 4.0, 1.2),
        };
        let corner = |i: i32| {
            let angle = phase + turn * f64::from(i) / f64::from(corners);
            [p[0] + scale * size * angle.cos(), p[1] + scale * size * angle.sin()]
        };
        self.area(&(0..corners).map(corner).collect::<Vec<_>>(), colour, alpha);
    }

    pub fn text(&mut self, words: &str, p: [f64; 2], how: Type) {
        let style = if how.bold { FontStyle::Bold } else { FontStyle::Normal };
        // plotters' SVG back end divides the size by 1.24.
        let mut font = (FAMILY, how.size * K * 1.24).into_font().style(style);
        if how.upright {
            font = font.transform(FontTransform::Rotate270);
        }
        let colour = paint(how.colour, 1.0, 0.0).color;
        let style = TextStyle::from(font).color(&colour).pos(Pos::new(how.anchor, how.vertical));
        // The font has no U+1D4DB, but U+2112, which looks the same.
        let _ = self.back.draw_text(&words.replace('𝓛', "ℒ"), &style, at(p));
    }
}

/// Cuts a polyline into the drawn pieces of a dash pattern (on, off, …; points).
fn dashes(points: &[[f64; 2]], pattern: &[f64]) -> Vec<Vec<[f64; 2]>> {
    let mut pieces = Vec::new();
    let (mut slot, mut left) = (0, pattern[0]);
    let mut piece: Vec<[f64; 2]> = points.first().copied().into_iter().collect();
    for pair in points.windows(2) {
        let (a, b) = (pair[0], pair[1]);
        let length = (b[0] - a[0]).hypot(b[1] - a[1]);
        let mut done = 0.0;
        while length - done > left {
            done += left;
            let p = [a[0] + (b[0] - a[0]) * done / length, a[1] + (b[1] - a[1]) * done / length];
            if slot % 2 == 0 {
                piece.push(p);
                pieces.push(std::mem::take(&mut piece));
            } else {
                piece = vec![p];
            }
            slot = (slot + 1) % pattern.len();
            left = pattern[slot];
        }
        left -= length - done;
        if slot % 2 == 0 {
            piece.push(b);
        }
    }
    pieces.extend((piece.len() > 1).then_some(piece));
    pieces
}

/// The width of words in points; `^{…}` and `_{…}` count at 70 %.
pub fn width(words: &str, size: f64) -> f64 {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| {
        for (style, bytes) in [(FontStyle::Normal, REGULAR), (FontStyle::Bold, BOLD), (FontStyle::Oblique, OBLIQUE)] {
            let _ = register_font(FAMILY, style, bytes);
        }
    });
    let font = (FAMILY, 100.0 * LINE_HEIGHT).into_font();
    let piece = |(text, level): (&str, i8)| {
        let at_hundred = font.layout_box(text).map_or(60 * text.chars().count() as i32, |(_, corner)| corner.0);
        f64::from(at_hundred) / 100.0 * if level == 0 { size } else { 0.7 * size }
    };
    pieces(words).into_iter().map(piece).sum()
}

/// Words broken at spaces so that no line is wider than `limit` points, if that is possible.
pub fn wrap(words: &str, size: f64, limit: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words.split_whitespace() {
        match lines.last_mut() {
            Some(line) if width(&format!("{line} {word}"), size) <= limit => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Splits `a^{b}_{c}` into (text, level) with level +1 raised, −1 lowered.
pub fn pieces(words: &str) -> Vec<(&str, i8)> {
    let mut out = Vec::new();
    let mut rest = words;
    while let Some(start) = [rest.find("^{"), rest.find("_{")].into_iter().flatten().min() {
        let Some(length) = rest[start..].find('}') else { break };
        out.push((&rest[..start], 0));
        out.push((&rest[start + 2..start + length], if rest[start..].starts_with('^') { 1 } else { -1 }));
        rest = &rest[start + length + 1..];
    }
    out.push((rest, 0));
    out.retain(|(text, _)| !text.is_empty());
    out
}

fn spans(line: &str) -> String {
    let mut out = String::new();
    let mut shift = 0.0;
    for (text, level) in pieces(line) {
        let (target, scale): (f64, f64) = [(0.21, 0.7), (0.0, 1.0), (-0.385, 0.7)][(level + 1) as usize];
        let dy = (target - shift) / scale;
        match (level, dy == 0.0) {
            (0, true) => out.push_str(text),
            (0, false) => out.push_str(&format!("<tspan dy=\"{dy:.3}em\">{text}</tspan>")),
            _ => out.push_str(&format!("<tspan dy=\"{dy:.3}em\" font-size=\"70%\">{text}</tspan>")),
        }
        shift = target;
    }
    out
}

/// Escapes words for XML.
pub fn escape(words: &str) -> String {
    words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Physical size, one font family on the root, tspans, title and description; attributes equal to their default go.
fn finish(raw: &str, width: f64, height: f64, title: &str, description: &str) -> String {
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {} {}\" \
         font-family=\"'{FAMILY}', Verdana, sans-serif\" stroke-linejoin=\"round\">\n<title>{}</title>\n<desc>{}</desc>\n",
        (width * K) as u32,
        (height * K) as u32,
        escape(title),
        escape(description)
    );
    let family = format!(" font-family=\"{FAMILY}\"");
    // The back end puts the words of a text element on a line of their own, escaped: only tags begin with '<'.
    for line in raw.lines().skip(1) {
        if line.starts_with('<') {
            out.push_str(&line.replace(&family, "").replace(" opacity=\"1\"", "").replace(" stroke=\"none\"", ""));
            if !line.starts_with("<text") {
                out.push('\n');
            }
        } else {
            out.push_str(&spans(line));
        }
    }
    out
}

/// The SVG as PNG at twice its size, set in the bundled font.
pub fn png(svg: &str) -> Result<Vec<u8>> {
    rasterise(svg, &FONTS)
}

fn rasterise(svg: &str, fonts: &[&[u8]]) -> Result<Vec<u8>> {
    let mut options = usvg::Options { font_family: FAMILY.to_owned(), ..Default::default() };
    for font in fonts {
        options.fontdb_mut().load_font_data(font.to_vec());
    }
    let bad = |e: String| InputError::new(format!("the figure could not be turned into a PNG: {e}"));
    let tree = usvg::Tree::from_str(svg, &options).map_err(|e| bad(e.to_string()))?;
    let size = tree.size();
    let (w, h) = ((size.width() * 2.0).ceil() as u32, (size.height() * 2.0).ceil() as u32);
    let mut pixels = tiny_skia::Pixmap::new(w, h).ok_or_else(|| bad(format!("its size is {w} × {h} pixels")))?;
    resvg::render(&tree, tiny_skia::Transform::from_scale(2.0, 2.0), &mut pixels.as_mut());
    pixels.encode_png().map_err(|e| bad(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_appear() {
        let how =
            Type { size: 10.0, colour: [0; 3], anchor: HPos::Left, vertical: VPos::Top, bold: false, upright: false };
        let with = sheet(80.0, 20.0, "", "", |c| c.text("β̂ ≤ 10^{−3}", [2.0, 2.0], how));
        let without = sheet(80.0, 20.0, "", "", |_| ());
        assert!(with.contains("<tspan"));
        assert_ne!(png(&with).unwrap(), png(&without).unwrap());
        assert_eq!(rasterise(&with, &[]).unwrap(), png(&without).unwrap());
        assert!(width("mmm", 10.0) > 25.0 && width("x^{2}", 10.0) < width("x2", 10.0));
    }
}
