//! Figures as calls of short Python functions, one a kind of panel, which the notebook defines where it uses them.

use super::python::{mathtext, number, selected, string, template, wanted, words};
use super::sheet::Sheet;
use crate::record::figure_spec::{
    Colours, FigureSpec, OneOrMany, PanelKind, PanelSpec, ProfileStyle, Reference, Scale, Shift, Source, Spread,
};
use crate::report::figure::source;
use crate::report::markdown::markup;
use std::f64::consts::LN_10;

/// Code that loads the tables that the figures read.
pub fn tables(figures: &[FigureSpec]) -> String {
    let reads = |wanted: &[Source]| figures.iter().flat_map(|f| &f.panels).any(|p| wanted.contains(&source(p)));
    let mut out = include_str!("python/load.py").to_owned();
    if reads(&[Source::Trace, Source::Vectors]) {
        out += include_str!("python/trace.py");
    }
    if reads(&[Source::Vectors]) {
        out += include_str!("python/vectors.py");
    }
    out
}

/// The functions that the figures call.
pub fn helpers(figures: &[FigureSpec]) -> String {
    use PanelKind::{Bars, Heatmap, Images, Lines, Points, Profile, Scatter};
    let any = |test: &dyn Fn(&PanelSpec) -> bool| figures.iter().flat_map(|f| &f.panels).any(test);
    let kind = |kinds: &[PanelKind]| any(&|p| kinds.contains(&p.kind));
    let pairs = any(&|p| p.kind == Scatter && source(p) == Source::Vectors);
    let parts = [
        (true, include_str!("python/style.py")),
        (kind(&[Lines]), include_str!("python/lines.py")),
        (kind(&[Points]), include_str!("python/points.py")),
        (kind(&[Bars]), include_str!("python/bars.py")),
        (kind(&[Scatter]), include_str!("python/scatter.py")),
        (kind(&[Heatmap, Images]), include_str!("python/colours.py")),
        (kind(&[Profile, Images]) || pairs, include_str!("python/last.py")),
        (pairs, include_str!("python/pairs.py")),
        (kind(&[Profile]), include_str!("python/profile.py")),
        (kind(&[Heatmap]), include_str!("python/heatmap.py")),
        (any(&|p| p.kind == Heatmap && p.y.is_some()), include_str!("python/phases.py")),
        (kind(&[Images]), include_str!("python/images.py")),
        (any(&|p| p.reference.iter().any(|r| r.slope.is_some() || r.inverse_log)), include_str!("python/law.py")),
        (any(&|p| p.kind == Lines && p.reference.iter().any(|r| r.column.is_some())), include_str!("python/levels.py")),
        (any(&|p| p.kind == Points && p.reference.iter().any(|r| r.column.is_some())), include_str!("python/ticks.py")),
    ];
    parts.iter().filter(|p| p.0).map(|p| p.1).collect::<Vec<_>>().join("\n\n")
}

/// A text cell and a code cell for each figure.
pub fn figure_cells(sheet: &mut Sheet, figures: &[FigureSpec]) {
    for (n, figure) in figures.iter().enumerate() {
        let n = n + 1;
        sheet.text(&format!("caption-{n}"), &format!("**Figure `{}`.** {}", figure.name, markup(&figure.caption)));
        let mut code = String::new();
        // Images stand on sheets of their own; what is between them shares one.
        for group in figure.panels.chunk_by(|a, b| a.kind != PanelKind::Images && b.kind != PanelKind::Images) {
            if !code.is_empty() {
                code.push('\n');
            }
            if let [panel] = group
                && panel.kind == PanelKind::Images
            {
                code +=
                    &format!("fig = {}\nfig.suptitle({})\nshow(fig)\n", images(panel), string(&mathtext(&panel.title)));
                continue;
            }
            let columns = figure.columns.unwrap_or(if group.len() <= 4 { 2 } else { 3 }).clamp(1, 4).min(group.len());
            let rows = group.len().div_ceil(columns);
            code += &format!(
                "fig, axes = plt.subplots({rows}, {columns}, figsize=({}, {}), layout=\"constrained\", squeeze=False)\n",
                number(0.2 + 4.4 * columns as f64),
                number(0.4 + 3.2 * rows as f64)
            );
            for (i, one) in group.iter().enumerate() {
                code += &format!("\nax = axes[{}, {}]\n{}", i / columns, i % columns, panel(one));
            }
            for i in group.len()..rows * columns {
                code += &format!("axes[{}, {}].remove()\n", i / columns, i % columns);
            }
            code += "\nshow(fig)\n";
        }
        sheet.code(&format!("figure-{n}"), &code);
    }
}

/// Scales of both axes, defaults filled in.
fn scales(panel: &PanelSpec) -> (Scale, Scale) {
    let over_step = matches!(panel.kind, PanelKind::Lines | PanelKind::Heatmap)
        && matches!(panel.x.as_deref(), None | Some("step"));
    let x = panel.x_scale.unwrap_or(match panel.kind {
        _ if over_step => Scale::Log,
        PanelKind::Scatter => panel.y_scale.unwrap_or_default(),
        _ => Scale::Linear,
    });
    let as_x = if panel.kind == PanelKind::Scatter { x } else { Scale::Linear };
    (x, panel.y_scale.unwrap_or(as_x))
}

/// `axes`, the drawing, lines of theory.
fn panel(panel: &PanelSpec) -> String {
    let (x, y) = scales(panel);
    let mut out = axes(panel, x, y);
    let mut data = selected(table(panel), &panel.filter, wanted);
    let ys = panel.y.as_ref().map_or(&[][..], OneOrMany::as_slice);
    for (scale, columns) in [(x, panel.x.as_slice()), (y, ys)] {
        if scale == Scale::Ln {
            let each = |c: &String| format!("**{{{0}: {data}[{0}] / np.log(10)}}", string(c));
            data = format!("{data}.assign({})", columns.iter().map(each).collect::<Vec<_>>().join(", "));
        }
    }
    let across = || string(panel.x.as_deref().unwrap_or("step"));
    let up = || match ys {
        [one] => string(one),
        several => format!("[{}]", several.iter().map(|y| string(y)).collect::<Vec<_>>().join(", ")),
    };
    let step = panel.step.map_or(String::new(), |s| format!(", step={s}"));
    let quantity = string(panel.quantity.as_deref().unwrap_or_default());
    let rest = series(panel);
    let category = if x == Scale::Category { ", category=True" } else { "" };
    let end = if panel.reference.iter().any(|r| (r.slope.is_some() || r.inverse_log) && r.through.is_none()) {
        "end = "
    } else {
        ""
    };
    out += &match panel.kind {
        PanelKind::Lines => {
            let spread = if panel.spread == Some(Spread::Band) { ", spread=\"band\"" } else { "" };
            format!("{end}lines(ax, {data}, {}, {}{rest}{spread})\n", across(), up())
        }
        PanelKind::Points => format!("points(ax, {data}, {}, {}{rest}{category})\n", across(), up()),
        PanelKind::Bars => format!("bars(ax, {data}, {}, {}{rest})\n", across(), up()),
        PanelKind::Scatter if source(panel) == Source::Vectors => {
            format!("scatter(ax, pairs(last({data}{step})), {}, {}{rest})\n", across(), up())
        }
        PanelKind::Scatter => format!("scatter(ax, {data}, {}, {}{rest})\n", across(), up()),
        PanelKind::Profile => {
            let style = if panel.style == Some(ProfileStyle::Line) { ", style=\"line\"" } else { "" };
            format!("profile(ax, last({data}, {quantity}{step}){rest}{style}{})\n", turned(panel))
        }
        PanelKind::Heatmap if !ys.is_empty() => {
            let what = format!("{}, {}, {quantity}, {}", across(), up(), colour_label(panel));
            format!("phases(ax, {data}, {what}{})\n", colours(panel))
        }
        PanelKind::Heatmap => {
            let data = format!("{data}.query({})", string(&format!("quantity == {quantity}")));
            format!("heatmap(ax, {data}, {}, {}{})\n", across(), colour_label(panel), colours(panel) + &turned(panel))
        }
        PanelKind::Images => String::new(),
    };
    for reference in &panel.reference {
        out += &theory(panel, reference, &data, (x, y), category);
    }
    for vertical in &panel.vertical {
        let at = in_unit(x, vertical.x);
        out += &format!("ax.axvline({at}, color=\"0.5\", linestyle=\":\", linewidth=0.9)\n");
        out += &format!(
            "ax.text({at}, 0.98, {}, transform=ax.get_xaxis_transform(), rotation=90, ha=\"right\", va=\"top\")\n",
            string(&mathtext(&vertical.label))
        );
    }
    out
}

fn table(panel: &PanelSpec) -> &'static str {
    match source(panel) {
        Source::Runs => "runs",
        Source::Trace => "trace",
        Source::Vectors => "vectors",
    }
}

/// A value of the spec where the notebook draws it.
fn in_unit(scale: Scale, value: f64) -> String {
    number(if scale == Scale::Ln { value / LN_10 } else { value })
}

fn axes(panel: &PanelSpec, x: Scale, y: Scale) -> String {
    let default = |kind, other: &str| if kind { "index".to_owned() } else { other.replace('_', " ") };
    let vector = matches!(panel.kind, PanelKind::Profile | PanelKind::Heatmap);
    let one = match panel.y.as_ref().map(OneOrMany::as_slice) {
        Some([one]) => one.as_str(),
        _ => "",
    };
    let profile = panel.kind == PanelKind::Profile;
    let across = panel.x_label.clone().unwrap_or_else(|| default(profile, panel.x.as_deref().unwrap_or("step")));
    let value = if profile { panel.quantity.as_deref().unwrap_or("value") } else { one };
    let up = panel.y_label.clone().unwrap_or_else(|| default(vector && !profile, value));
    let mut out = format!("ax.set(title={}", string(&mathtext(&panel.title)));
    for (axis, label, scale, range) in [("x", across, x, panel.x_range), ("y", up, y, panel.y_range)] {
        out += &format!(", {axis}label={}", string(&mathtext(&label)));
        if scale == Scale::Log {
            out += &format!(", {axis}scale=\"log\"");
        }
        if let Some([low, high]) = range {
            out += &format!(", {axis}lim=({}, {})", in_unit(scale, low), in_unit(scale, high));
        }
    }
    out += ")\n";
    for (axis, scale) in [("x", x), ("y", y)] {
        if scale == Scale::Ln {
            out += &format!("ax.{axis}axis.set_major_formatter(\"$10^{{{{{{x:.0f}}}}}}$\")\n");
        }
    }
    out
}

fn series(panel: &PanelSpec) -> String {
    let mut out = panel.series.as_ref().map_or(String::new(), |s| format!(", series={}", string(s)));
    let fill = if panel.series.is_some() { template } else { mathtext };
    out += &panel.legend.as_ref().map_or(String::new(), |l| format!(", legend={}", string(&fill(l))));
    if !panel.labels.is_empty() {
        out += &format!(", labels={}", words(&panel.labels));
    }
    out
}

/// Keywords that rotate and scale a vector.
fn turned(panel: &PanelSpec) -> String {
    let shift = match panel.shift {
        None => "",
        Some(Shift::Fft) => ", shift=\"fft\"",
        Some(Shift::Peak) => ", shift=\"peak\"",
    };
    format!("{shift}{}", if panel.normalise { ", normalise=True" } else { "" })
}

fn colour_label(panel: &PanelSpec) -> String {
    let label = panel.colour_label.as_deref().or(panel.quantity.as_deref()).unwrap_or_default();
    format!("label={}", string(&mathtext(label)))
}

/// Keywords for the map from values to colours.
fn colours(panel: &PanelSpec) -> String {
    let log = matches!(panel.colour_scale, Some(Scale::Log | Scale::Ln));
    let norm = match panel.colour_range {
        Some([low, high]) => {
            format!(", norm={}({}, {})", if log { "LogNorm" } else { "Normalize" }, number(low), number(high))
        }
        None => if log { ", norm=\"log\"" } else { "" }.to_owned(),
    };
    let map = match panel.colours {
        Some(Colours::Diverging) => ", cmap=\"RdBu_r\"",
        Some(Colours::Sequential) => ", cmap=\"viridis\"",
        None => "",
    };
    norm + map
}

fn images(panel: &PanelSpec) -> String {
    let [h, w] = panel.shape.unwrap_or_default();
    let step = panel.step.map_or(String::new(), |s| format!(", step={s}"));
    format!(
        "images(last({}, {}{step}), ({h}, {w}), {}{}{})",
        selected("vectors", &panel.filter, wanted),
        string(panel.quantity.as_deref().unwrap_or_default()),
        colour_label(panel),
        series(panel),
        colours(panel) + &turned(panel)
    )
}

/// A dashed line of theory.
fn theory(panel: &PanelSpec, reference: &Reference, data: &str, (x, y): (Scale, Scale), category: &str) -> String {
    let label = string(&mathtext(&reference.label));
    if let Some(value) = reference.value {
        let at = in_unit(y, value);
        return format!("ax.axhline({at}, color=\"black\", linestyle=\"--\", linewidth=0.9, label={label})\n");
    }
    if let Some(column) = &reference.column {
        let across = string(panel.x.as_deref().unwrap_or("step"));
        return match panel.kind {
            PanelKind::Points => format!("ticks(ax, {data}, {across}, {}, {label}{category})\n", string(column)),
            _ => {
                let by = panel.series.as_ref().map_or("None".to_owned(), |s| string(s));
                format!("levels(ax, {data}, {}, {by}, {label})\n", string(column))
            }
        };
    }
    let through =
        reference.through.map_or("end".to_owned(), |[a, b]| format!("({}, {})", in_unit(x, a), in_unit(y, b)));
    let slope = reference.slope.map_or(String::new(), |s| format!(", slope={}", number(s)));
    let decades: String = [("x", x), ("y", y)].into_iter().filter(|a| a.1 == Scale::Ln).map(|a| a.0).collect();
    let decades = if decades.is_empty() { decades } else { format!(", decades={}", string(&decades)) };
    format!("law(ax, {through}{slope}, label={label}{decades})\n")
}
