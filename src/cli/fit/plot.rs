use crate::error::{InputError, Result};
use crate::experiment::fit::Fitted;
use crate::record::figure_spec::{FigureSpec, OneOrMany, PanelKind, PanelSpec, ProfileStyle, Scale, Shift};
use crate::record::table::Table;
use crate::record::write_file;
use crate::report::figure::png;
use crate::report::{Theme, render};
use std::path::Path;

/// Beyond so many entries a vector is a line and not stems.
const STEMS: usize = 256;

/// The figure as the bytes of an SVG, or of a PNG if `path` says so: a small record beside it, drawn and removed.
pub fn draw(path: &Path, shape: &[usize], fitted: &Fitted) -> Result<Vec<u8>> {
    let folder = path.with_extension(format!("record{}", std::process::id()));
    let cannot = |e: std::io::Error| InputError::new(format!("cannot write {}: {e}", folder.display()));
    std::fs::create_dir_all(&folder).map_err(cannot)?;
    let svg = record(&folder, shape, fitted).and_then(|()| render(&folder, &figure(shape, fitted), Theme::Light));
    std::fs::remove_dir_all(&folder).map_err(cannot)?;
    let svg = svg?;
    if path.extension().is_some_and(|e| e == "png") { png(&svg) } else { Ok(svg.into_bytes()) }
}

fn record(folder: &Path, shape: &[usize], fitted: &Fitted) -> Result<()> {
    let mut runs = Table::new(["status"]);
    runs.push(vec![fitted.status.name().into()]);
    let mut vectors = Table::new(["step", "quantity", "index", "value"]);
    // Of a signal, the other half of the spectrum is its mirror image.
    let shown = if shape.len() == 2 { fitted.spectrum.len() } else { fitted.spectrum.len() / 2 + 1 };
    for (quantity, values) in [("predictor", &fitted.predictor[..]), ("spectrum", &fitted.spectrum[..shown])] {
        let largest = values.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
        for (index, value) in values.iter().enumerate() {
            vectors.push(vec![0_usize.into(), quantity.into(), index.into(), (value / largest).into()]);
        }
    }
    for (name, table) in [("runs.csv", &runs), ("trace.csv", &fitted.trace), ("vectors.csv", &vectors)] {
        write_file(&folder.join(name), table.to_csv().as_bytes())?;
    }
    Ok(())
}

fn figure(shape: &[usize], fitted: &Fitted) -> FigureSpec {
    let vector = |quantity: &str, title: &str, index: &str, label: &str, shift| {
        let base = PanelSpec { title: title.into(), quantity: Some(quantity.into()), ..PanelSpec::default() };
        match *shape {
            [h, w] => PanelSpec {
                kind: PanelKind::Images,
                span: Some(1),
                shape: Some([h, w]),
                colour_label: Some(label.into()),
                shift,
                ..base
            },
            _ => PanelSpec {
                kind: PanelKind::Profile,
                style: (fitted.predictor.len() > STEMS).then_some(ProfileStyle::Line),
                x_label: Some(index.into()),
                y_label: Some(label.into()),
                ..base
            },
        }
    };
    let (column, label, scale) = match fitted.certified_gap {
        Some(_) => ("certified_gap", "certified gap", Scale::Log),
        None => ("regularized_margin", "margin / R(β)", Scale::Linear),
    };
    let course = PanelSpec {
        kind: PanelKind::Lines,
        title: label.into(),
        x: Some("q".into()),
        y: Some(OneOrMany::One(column.into())),
        x_label: Some("q = −log loss".into()),
        y_label: Some(label.into()),
        x_scale: Some(Scale::Log),
        y_scale: Some(scale),
        ..PanelSpec::default()
    };
    let panels = vec![
        vector("predictor", "predictor", "feature", "β / max|β|", None),
        vector("spectrum", "in frequency", "frequency", "|β̂| / max|β̂|", Some(Shift::Fft)),
        course,
    ];
    FigureSpec { name: "fit".into(), columns: Some(3), panels, ..FigureSpec::default() }
}
