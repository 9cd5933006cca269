//! Colours, dashes, markers and sizes: the one place that says how figures look.

/// Red, green, blue.
pub type Rgb = [u8; 3];

/// Light on white, or the same on a dark ground.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// For paper and pages.
    #[default]
    Light,
    /// For dark pages.
    Dark,
}

/// The size of type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Style {
    /// As in a two-column paper.
    #[default]
    Paper,
    /// Bigger type and heavier lines, for slides.
    Talk,
}

/// A theme and a style; a [`Theme`] alone means paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Look {
    /// Light or dark.
    pub theme: Theme,
    /// Paper or talk.
    pub style: Style,
}

impl From<Theme> for Look {
    fn from(theme: Theme) -> Self {
        Look { theme, style: Style::Paper }
    }
}

/// A dash pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dash {
    Solid,
    Long,
    Short,
    Mixed,
    Dots,
}

/// A marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Circle,
    Square,
    Up,
    Diamond,
    Down,
    Pentagon,
}

/// How a line is drawn; `width` in points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stroke {
    pub colour: Rgb,
    pub alpha: f64,
    pub width: f64,
    pub dash: Dash,
}

/// A look resolved to colours and sizes (points).
#[derive(Debug, Clone)]
pub struct Ink {
    pub ground: Rgb,
    pub text: Rgb,
    pub faint: Rgb,
    pub grid: Rgb,
    pub size: f64,
    pub weight: f64,
    palette: [Rgb; 7],
}

/// What tells one series from another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeriesStyle {
    pub colour: Rgb,
    pub dash: Dash,
    pub shape: Shape,
}

impl Ink {
    pub fn new(look: Look) -> Ink {
        // Okabe and Ito's colours without black and yellow, whose contrast with the ground is too low.
        let (blue, vermillion, green, purple) = ([0, 114, 178], [213, 94, 0], [0, 158, 115], [204, 121, 167]);
        let (sky, orange) = ([86, 180, 233], [230, 159, 0]);
        let (size, weight) = if look.style == Style::Talk { (14.0, 1.45) } else { (10.0, 1.0) };
        match look.theme {
            Theme::Light => Ink {
                ground: [255; 3],
                text: [28, 28, 30],
                faint: [110, 110, 115],
                grid: [230, 230, 232],
                palette: [blue, vermillion, green, purple, orange, sky, [90, 90, 95]],
                size,
                weight,
            },
            Theme::Dark => Ink {
                ground: [17, 20, 26],
                text: [222, 226, 232],
                faint: [150, 155, 163],
                grid: [44, 50, 60],
                palette: [sky, orange, green, purple, vermillion, blue, [170, 174, 182]],
                size,
                weight,
            },
        }
    }

    /// The style of series `i` of `n`: a palette up to seven, viridis beyond.
    pub fn series(&self, i: usize, n: usize) -> SeriesStyle {
        let dashes = [Dash::Solid, Dash::Long, Dash::Short, Dash::Mixed];
        let shapes = [Shape::Circle, Shape::Square, Shape::Up, Shape::Diamond, Shape::Down, Shape::Pentagon];
        let colour =
            if n <= self.palette.len() { self.palette[i % 7] } else { viridis(0.9 * i as f64 / (n - 1) as f64) };
        SeriesStyle { colour, dash: dashes[i % 4], shape: shapes[i % 6] }
    }

    /// The stroke of a line of theory, the `i`-th of a figure.
    pub fn theory(&self, i: usize) -> Stroke {
        let dash = [Dash::Short, Dash::Dots, Dash::Mixed, Dash::Long][i % 4];
        Stroke { colour: self.text, alpha: 1.0, width: 0.9 * self.weight, dash }
    }
}

/// Viridis (Smith and van der Walt 2015) at `t` ∈ [0, 1], from control points.
pub fn viridis(t: f64) -> Rgb {
    const POINTS: [Rgb; 11] = [
        [68, 1, 84],
        [72, 36, 117],
        [65, 68, 135],
        [53, 95, 141],
        [42, 120, 142],
        [33, 145, 140],
        [34, 168, 132],
        [68, 191, 112],
        [122, 209, 81],
        [189, 223, 38],
        [253, 231, 37],
    ];
    between(&POINTS, t)
}

/// Blue, white, red (after ColorBrewer RdBu) at `t` ∈ [0, 1], the middle being zero.
pub fn diverging(t: f64) -> Rgb {
    const POINTS: [Rgb; 9] = [
        [5, 48, 97],
        [33, 102, 172],
        [67, 147, 195],
        [146, 197, 222],
        [247, 247, 247],
        [244, 165, 130],
        [214, 96, 77],
        [178, 24, 43],
        [103, 0, 31],
    ];
    between(&POINTS, t)
}

fn between(points: &[Rgb], t: f64) -> Rgb {
    let place = t.clamp(0.0, 1.0) * (points.len() - 1) as f64;
    let i = (place as usize).min(points.len() - 2);
    let part = place - i as f64;
    std::array::from_fn(|c| {
        let (a, b) = (f64::from(points[i][c]), f64::from(points[i + 1][c]));
        (a + (b - a) * part).round() as u8
    })
}
