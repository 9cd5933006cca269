use super::Size;
use super::expect::Claim;
use super::kinds::{Config, Kind};
use crate::error::{InputError, Result};
use crate::record::figure_spec::FigureSpec;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use toml::{Table, Value};

/// Bump when the numbers that a spec gives change, so that old runs are not taken for new ones.
pub(super) const NUMERICS_EPOCH: u32 = 3;
/// The most runs one experiment may have.
const MAX_RUNS: usize = 100_000;

/// One experiment as written in `experiments/<paper>/<NN-slug>.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// What is computed for each run.
    pub kind: Kind,
    /// Headline.
    pub title: String,
    /// What the reader wants to know.
    pub question: String,
    /// What the paper claims, in a sentence.
    pub claim: String,
    /// Where it claims it.
    pub source: String,
    /// What is done, and how to read the outcome; paragraphs, with $…$ for mathematics.
    pub prose: String,
    /// The sizes that it has; one that needs files to be fetched has only `full`.
    #[serde(default = "all_sizes", skip_serializing_if = "is_every")]
    pub sizes: Vec<Size>,
    /// Whether runs that diverge are part of the question.
    #[serde(default)]
    pub may_diverge: bool,
    /// The configuration of a run, as far as the grid does not vary it.
    pub run: Table,
    /// Dotted keys of `run`, each with the values it takes: runs are their product. A value may be a table with a `label`;
    /// the label is the column's entry and the rest is merged into `run`: under the key, or, for `run.<column>`, at its top.
    pub grid: Table,
    /// Changes to `run` and `grid` for a size.
    #[serde(default)]
    pub size: BTreeMap<String, Change>,
    /// What must come out, fixed before the run.
    #[serde(default, rename = "expect")]
    pub claims: Vec<Claim>,
    /// How it is drawn.
    #[serde(default, rename = "figure")]
    pub figures: Vec<FigureSpec>,
    /// The file's text.
    #[serde(skip)]
    pub text: String,
}

/// What a size changes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Change {
    /// Merged into `run`.
    pub run: Table,
    /// Axes that replace the grid's.
    pub grid: Table,
    /// Processor seconds that it took its author, for an estimate before the first run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
}

/// A spec at one size, its runs checked.
#[derive(Debug, Clone)]
pub struct ResolvedSpec {
    /// Paper and experiment, e.g. `gunasekar2018/02-convolutional-depth-2`.
    pub id: String,
    /// The spec.
    pub spec: Spec,
    /// The size.
    pub size: Size,
    /// Hash of everything that decides the record: spec, size, numerics epoch.
    pub hash: String,
    /// The runs, in grid order.
    pub runs: Vec<Run>,
    /// The parameter columns of runs.csv, in grid order.
    pub parameters: Vec<String>,
    /// Processor seconds that it took its author, if that is known.
    pub seconds: Option<f64>,
}

/// One run of the grid.
#[derive(Debug, Clone)]
pub struct Run {
    /// Hash of (experiment, resolved configuration with its seed, numerics epoch).
    pub id: String,
    /// The values of the grid's axes, in the order of [`ResolvedSpec::parameters`].
    pub values: Vec<Value>,
    /// The configuration, checked.
    pub config: Config,
}

impl Spec {
    /// Reads a spec; `place` names the file in errors.
    pub fn parse(text: &str, place: &str) -> Result<Self> {
        let mut spec: Self = toml::from_str(text).map_err(|e| {
            // The message shows the line, which may be of any length.
            let lines: Vec<String> = e.to_string().trim().lines().map(|l| l.chars().take(200).collect()).collect();
            InputError::new(lines.join("\n")).at(place)
        })?;
        if let Some(unknown) = spec.size.keys().find(|k| !["smoke", "quick", "full"].contains(&k.as_str())) {
            return Err(
                InputError::value("size", unknown, "smoke, quick or full", "Rename the [size.…] block.").at(place)
            );
        }
        spec.text = text.to_owned();
        Ok(spec)
    }

    /// Whether it has this size.
    pub fn is_at(&self, size: Size) -> bool {
        self.sizes.contains(&size)
    }

    /// The spec at a size: every run of the grid, checked.
    pub fn resolve(&self, id: &str, size: Size) -> Result<ResolvedSpec> {
        self.resolve_at(id, size).map_err(|e| e.at(format!("experiments/{id}.toml ({} size)", size.name())))
    }

    fn resolve_at(&self, id: &str, size: Size) -> Result<ResolvedSpec> {
        let (mut base, mut grid) = (self.run.clone(), self.grid.clone());
        if let Some(change) = self.size.get(size.name()) {
            merge(&mut base, &change.run);
            change.grid.iter().for_each(|(k, v)| drop(grid.insert(k.clone(), v.clone())));
        }
        let axes = axes(&grid)?;
        let parameters: Vec<String> =
            axes.iter().map(|(key, _)| key.rsplit('.').next().unwrap_or(key).to_owned()).collect();
        if let Some(twice) = (1..parameters.len()).find(|&i| parameters[..i].contains(&parameters[i])) {
            let remedy = "Vary one of them through a table with a label.";
            return Err(InputError::value("grid", &parameters[twice], "the last word of one axis only", remedy));
        }
        let mut runs = vec![];
        for choice in product(&axes) {
            let (mut config, mut values) = (base.clone(), vec![]);
            for (key, value) in choice {
                values.push(set(&mut config, key, value)?);
            }
            let checked = self.kind.check(&config)?;
            let canonical =
                serde_json::to_string(&(id, &checked, NUMERICS_EPOCH)).map_err(|e| InputError::new(e.to_string()))?;
            runs.push(Run { id: short_hash(&canonical), values, config: checked });
        }
        let columns = [vec!["steps"], parameters.iter().map(String::as_str).collect(), self.kind.metrics()].concat();
        if let Some(claim) = self.claims.iter().find(|c| !columns.contains(&c.metric.as_str())) {
            let allowed = format!("a number that these runs have: {}", columns.join(", "));
            return Err(InputError::value("expect.metric", &claim.metric, &allowed, "Correct the name."));
        }
        for name in self.claims.iter().flat_map(|c| c.filter.keys().chain(c.versus.keys()).chain(c.minus.keys())) {
            if !parameters.contains(name) {
                let allowed = format!("one of the grid's columns: {}", parameters.join(", "));
                return Err(InputError::value("expect.where", name, &allowed, "Correct the name."));
            }
        }
        self.figures.iter().try_for_each(FigureSpec::check)?;
        let everything =
            serde_json::to_string(&(self, size, NUMERICS_EPOCH)).map_err(|e| InputError::new(e.to_string()))?;
        let (hash, spec) = (short_hash(&everything), self.clone());
        let seconds = self.size.get(size.name()).and_then(|change| change.seconds);
        Ok(ResolvedSpec { id: id.into(), spec, size, hash, runs, parameters, seconds })
    }
}

impl ResolvedSpec {
    /// (paper, experiment).
    pub fn names(&self) -> (&str, &str) {
        self.id.split_once('/').unwrap_or(("", &self.id))
    }
}

fn all_sizes() -> Vec<Size> {
    Size::ALL.to_vec()
}

fn is_every(sizes: &[Size]) -> bool {
    sizes == Size::ALL
}

fn short_hash(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex()[..12].to_owned()
}

fn axes(grid: &Table) -> Result<Vec<(&str, &Vec<Value>)>> {
    let mut runs = 1_usize;
    let mut axes = vec![];
    for (key, values) in grid {
        let remedy = "Give the axis a list, e.g. seed = [0, 1, 2].";
        let list = values.as_array().filter(|a| !a.is_empty());
        let list = list.ok_or_else(|| {
            InputError::value(&format!("grid.{key}"), values, "a list with at least one value", remedy)
        })?;
        runs = runs.saturating_mul(list.len());
        axes.push((key.as_str(), list));
    }
    if runs > MAX_RUNS {
        return Err(InputError::value(
            "grid",
            format!("{runs} runs"),
            &format!("at most {MAX_RUNS}"),
            "Use fewer values.",
        ));
    }
    Ok(axes)
}

/// Every combination of the axes' values, the last axis fastest.
fn product<'a>(axes: &[(&'a str, &'a Vec<Value>)]) -> Vec<Vec<(&'a str, &'a Value)>> {
    axes.iter().fold(vec![vec![]], |rows, (key, values)| {
        rows.iter().flat_map(|row| values.iter().map(|v| [row.as_slice(), &[(*key, v)]].concat())).collect()
    })
}

/// Puts one value of an axis into a run's table; returns what its column says.
fn set(table: &mut Table, key: &str, value: &Value) -> Result<Value> {
    let (mut value, mut shown) = (value.clone(), value.clone());
    if let Value::Table(t) = &mut value {
        let remedy = "Add e.g. label = \"planted\".";
        let label = t.remove("label").filter(Value::is_str);
        shown =
            label.ok_or_else(|| InputError::value(&format!("grid.{key}"), &shown, "a table with a `label`", remedy))?;
    }
    // `run.<column>` is merged into the whole run.
    let place = if key.starts_with("run.") { "" } else { key };
    let path = place.rsplit('.').filter(|k| !k.is_empty());
    let change = path.fold(value, |v, k| Value::Table(Table::from_iter([(k.to_owned(), v)])));
    if let Value::Table(change) = change {
        merge(table, &change);
    }
    Ok(shown)
}

/// Puts `change` over `table`, table by table.
fn merge(table: &mut Table, change: &Table) {
    for (key, value) in change {
        match (table.get_mut(key), value) {
            (Some(Value::Table(old)), Value::Table(new)) => merge(old, new),
            _ => drop(table.insert(key.clone(), value.clone())),
        }
    }
}
