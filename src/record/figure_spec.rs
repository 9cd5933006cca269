//! What a figure shows: the `[[figure]]` blocks of an experiment's TOML.
//!
//! A figure reads three tables of a record: `runs.csv` (one row a run), `trace.csv` (one row a run and step) and
//! `vectors.csv` (one row a run, step, quantity and index). A column that the panel's own table does not have is looked
//! up in the trace of the same run and step, then in the runs. Labels and captions may hold `^{…}` and `_{…}`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::{InputError, Result};

/// One figure, written as `<name>.svg` and `<name>.png`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FigureSpec {
    /// File stem.
    pub name: String,
    /// What the reader should see, in a sentence or two.
    #[serde(default)]
    pub caption: String,
    /// Panels side by side; default 1 for a single panel, 2 up to four panels (and for five or more, 3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub columns: Option<usize>,
    /// The panels, filled row by row; `[[figure.panel]]` in TOML.
    #[serde(rename = "panel")]
    pub panels: Vec<PanelSpec>,
}

impl FigureSpec {
    /// Refuses a name that is no file stem, a figure without panels, and fields that a panel's kind does not use.
    ///
    /// # Errors
    /// The message names the figure, the panel, the field and the kinds that use it.
    pub fn check(&self) -> Result<()> {
        let place = format!("figure `{}`", self.name);
        if self.name.is_empty() || !self.name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        {
            return Err(
                InputError::value("name", &self.name, "letters, digits, `-`, `_` and `.`", "Rename it.").at(place)
            );
        }
        if self.panels.is_empty() {
            return Err(InputError::new("there is no panel. Add a `[[figure.panel]]`.").at(place));
        }
        for (i, panel) in self.panels.iter().enumerate() {
            panel.check().map_err(|e| e.at(format!("{place}, panel {}", i + 1)))?;
        }
        Ok(())
    }
}

impl PanelSpec {
    fn check(&self) -> Result<()> {
        use PanelKind::{Bars, Heatmap, Images, Lines, Points, Profile, Scatter};
        let fields: [(&str, bool, &[PanelKind]); 16] = [
            ("x", self.x.is_some(), &[Lines, Points, Bars, Scatter, Heatmap]),
            ("y", self.y.is_some(), &[Lines, Points, Bars, Scatter, Heatmap]),
            ("series", self.series.is_some(), &[Lines, Points, Bars, Scatter, Profile, Images]),
            ("spread", self.spread.is_some(), &[Lines]),
            ("reference", !self.reference.is_empty(), &[Lines, Points, Bars]),
            ("vertical", !self.vertical.is_empty(), &[Lines, Heatmap]),
            ("quantity", self.quantity.is_some(), &[Profile, Heatmap, Images]),
            ("step", self.step.is_some(), &[Scatter, Profile, Images]),
            ("style", self.style.is_some(), &[Profile]),
            ("shift", self.shift.is_some(), &[Profile, Heatmap, Images]),
            ("normalise", self.normalise, &[Profile, Images]),
            ("colour_scale", self.colour_scale.is_some(), &[Heatmap, Images]),
            ("colour_label", self.colour_label.is_some(), &[Heatmap, Images]),
            ("colour_range", self.colour_range.is_some(), &[Heatmap, Images]),
            ("colours", self.colours.is_some(), &[Heatmap, Images]),
            ("shape", self.shape.is_some(), &[Images]),
        ];
        for (field, given, kinds) in fields {
            if given && !kinds.contains(&self.kind) {
                let kinds = kinds.iter().map(|k| format!("{k:?}").to_lowercase()).collect::<Vec<_>>().join(", ");
                return Err(InputError::new(format!("`{field}` is used by {kinds} only. Remove it or change `kind`.")));
            }
        }
        Ok(())
    }
}

/// One panel. Which fields a kind uses is said at [`PanelKind`]; the others are refused.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PanelSpec {
    /// What is drawn.
    pub kind: PanelKind,
    /// Short title next to the panel's letter.
    pub title: String,
    /// Grid columns this panel takes; default 1 (`images`: the whole width).
    pub span: Option<usize>,
    /// The table to read, if not the kind's own: `runs`, `trace` or `vectors`.
    pub from: Option<Source>,
    /// Rows kept: column = value, or a list of values.
    #[serde(rename = "where")]
    pub filter: BTreeMap<String, OneOrMany<Scalar>>,
    /// Horizontal column (`scatter` of vectors: a quantity).
    pub x: Option<String>,
    /// Vertical column, or several of them, which then are the series (`scatter` of vectors: a quantity).
    pub y: Option<OneOrMany<String>>,
    /// Axis label; default the column's name.
    pub x_label: Option<String>,
    /// Axis label; default the column's name.
    pub y_label: Option<String>,
    /// `linear` (default), `log`, `ln` or `category`; `lines` and `heatmap` over `step` are `log` by default.
    pub x_scale: Option<Scale>,
    /// `linear` (default), `log` or `ln`.
    pub y_scale: Option<Scale>,
    /// Limits in the column's own unit; default the data with some room.
    pub x_range: Option<[f64; 2]>,
    /// Limits in the column's own unit; default the data with some room.
    pub y_range: Option<[f64; 2]>,
    /// Column whose values get a colour, a dash and a marker each (`images`: a tile each).
    pub series: Option<String>,
    /// Legend entry (tile title) with columns in braces, e.g. `"depth {depth}"`; default the series value.
    pub legend: Option<String>,
    /// Words for raw values in legends, categories and tile titles, e.g. `{ fc = "fully connected" }`.
    pub labels: BTreeMap<String, String>,
    /// How several runs of one series are shown (`lines`).
    pub spread: Option<Spread>,
    /// Dashed lines of theory.
    pub reference: Vec<Reference>,
    /// Dotted vertical lines at a given x.
    pub vertical: Vec<Vertical>,
    /// The `quantity` of vectors.csv that is drawn, or the column of runs.csv.
    pub quantity: Option<String>,
    /// The last recorded step up to this one; default the last.
    pub step: Option<u64>,
    /// Stems (default) or a line (`profile`).
    pub style: Option<ProfileStyle>,
    /// Rotation of the index.
    pub shift: Option<Shift>,
    /// Divide every vector by its largest modulus.
    pub normalise: bool,
    /// `linear` (default) or `log`.
    pub colour_scale: Option<Scale>,
    /// Label of the colour bar; default the quantity.
    pub colour_label: Option<String>,
    /// Limits of the colours in the data's own unit.
    pub colour_range: Option<[f64; 2]>,
    /// `diverging` about 0 or `sequential`; default `diverging` if a value is negative.
    pub colours: Option<Colours>,
    /// Height and width of an image (row-major).
    pub shape: Option<[usize; 2]>,
}

/// The kinds of panel, each with the fields it uses beside `title`, `span`, `from`, `where`, `legend` and `labels`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PanelKind {
    /// A metric along a run (trace): `x`, `y`, `series`, `spread`, `reference`, `vertical`.
    #[default]
    Lines,
    /// A final metric against a parameter (runs), a point a run and a bar at the median: `x`, `y`, `series`, `reference`.
    Points,
    /// A final metric in each category (runs), a bar at the median, a whisker from the least run to the greatest, and the
    /// value where there is room: `x`, `y`, `series`, `reference` (by `value`).
    Bars,
    /// Column against column (runs) or quantity against quantity (vectors) with the identity: `x`, `y`, `series`, `step`.
    Scatter,
    /// A vector against its index (vectors): `quantity`, `series`, `step`, `style`, `shift`, `normalise`.
    Profile,
    /// A vector over time (vectors), or with `y` a final metric against two parameters (`from = "runs"`); the median over
    /// runs: `quantity`, `x`, `y`, `shift`, `vertical`, `colour_…`.
    Heatmap,
    /// Vectors as images (vectors), the first run of each `series`: `quantity`, `shape`, `step`, `shift`, `normalise`, `colour…`.
    Images,
}

/// A table of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// `runs.csv`
    Runs,
    /// `trace.csv`
    Trace,
    /// `vectors.csv`
    Vectors,
}

/// How a column's values become a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scale {
    /// The value itself.
    #[default]
    Linear,
    /// log₁₀ of the value; values ≤ 0 are left out.
    Log,
    /// The column holds natural logarithms (such as `log_loss`); drawn like `log`, with ticks 10^{k}.
    Ln,
    /// Every value its own place, in order.
    Category,
}

/// How several runs of one series are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Spread {
    /// A thin line a run, and their median: at shared x, else between the points where all runs are.
    #[default]
    Runs,
    /// The median with the band from minimum to maximum, where at least half of the runs have a value (all, if x is not shared).
    Band,
}

/// A dashed line of theory: exactly one of `value`, `column`, `slope` and `inverse_log` is given.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Reference {
    /// y is constant.
    pub value: Option<f64>,
    /// y is the median of this column: of each series (`lines`), of each series and x (`points`).
    pub column: Option<String>,
    /// y ∝ x^slope.
    pub slope: Option<f64>,
    /// y ∝ 1/ln x, if true.
    pub inverse_log: bool,
    /// A point [x, y] on the curve; default the end of the first series (`points`: needed).
    pub through: Option<[f64; 2]>,
    /// Legend entry; none if empty.
    pub label: String,
}

/// A dotted vertical line.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vertical {
    /// Where.
    pub x: f64,
    /// Written along it.
    #[serde(default)]
    pub label: String,
}

/// The look of a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProfileStyle {
    /// A stem from zero to the median and a dot a run.
    #[default]
    Stems,
    /// The median as a line, with the band over runs.
    Line,
}

/// A rotation of the index 0 … D−1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shift {
    /// Frequency zero in the middle: index −⌊D/2⌋ … (images: along both sides).
    Fft,
    /// The entry of largest modulus at 0 (profiles).
    Peak,
}

/// A family of colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Colours {
    /// Blue, white, red, symmetric about 0.
    Diverging,
    /// Viridis.
    Sequential,
}

/// A value or a list of values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany<T> {
    /// `"a"`
    One(T),
    /// `["a", "b"]`
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    /// The values.
    pub fn as_slice(&self) -> &[T] {
        match self {
            OneOrMany::One(value) => std::slice::from_ref(value),
            OneOrMany::Many(values) => values,
        }
    }
}

/// A value in a `where` filter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    /// `true`, which a table holds as words.
    Bool(bool),
    /// A number.
    Number(f64),
    /// Words.
    Text(String),
}
