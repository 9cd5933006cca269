//! One inline SVG out of a light and a dark drawing of the same figure.

/// The colours in which the light and the dark theme differ, as CSS variables `--c0`, `--c1`, ….
#[derive(Debug, Default)]
pub struct Palette(Vec<[String; 2]>);

impl Palette {
    /// The drawing with every colour that the two do not share as a variable.
    ///
    /// The drawings come from the same code and differ in nothing but the six digits of some colours.
    pub fn themed(&mut self, light: &str, dark: &str) -> String {
        let mut out = String::with_capacity(light.len());
        for (i, (light, dark)) in light.split('#').zip(dark.split('#')).enumerate() {
            match (light.split_at_checked(6), dark.split_at_checked(6)) {
                (Some((light, rest)), Some((dark, _))) if i > 0 && light != dark => {
                    out.push_str(&format!("var(--c{}){rest}", self.place([light, dark])));
                }
                _ => out.extend([if i > 0 { "#" } else { "" }, light]),
            }
        }
        out
    }

    fn place(&mut self, pair: [&str; 2]) -> usize {
        self.0.iter().position(|known| *known == pair).unwrap_or_else(|| {
            self.0.push(pair.map(str::to_owned));
            self.0.len() - 1
        })
    }

    /// The variables' values in the light (0) or dark (1) theme.
    pub fn css(&self, theme: usize) -> String {
        self.0.iter().enumerate().map(|(i, pair)| format!("--c{i}:#{};", pair[theme])).collect()
    }
}

/// The same picture in fewer bytes: polylines, polygons and rectangles as relative paths, equal neighbours joined.
pub fn compact(svg: &str) -> String {
    let mut out = String::with_capacity(svg.len() / 2);
    let mut open: Option<String> = None;
    for line in svg.lines().chain([""]) {
        let (look, path) = match path(line) {
            Some((_, path)) if path.is_empty() => continue,
            Some((look, path)) => (Some(look), path),
            None => (None, String::new()),
        };
        // Where shapes are translucent, their overlap must be painted twice.
        let joins = open.is_some() && look == open && !line.contains(" opacity=");
        if open.is_some() && !joins {
            out.push_str("\"/>");
        }
        match &look {
            Some(_) if joins => out.push_str(&path),
            Some(look) => out.push_str(&format!("<path{look} d=\"{path}")),
            None => out.push_str(line),
        }
        open = look;
    }
    out
}

/// The attributes of a shape but its geometry, and the geometry as path data; `None` for anything else.
fn path(line: &str) -> Option<(String, String)> {
    let (tag, attributes) = line.strip_prefix('<')?.strip_suffix("/>")?.split_once(' ')?;
    let (mut look, mut data) = (String::new(), String::new());
    let mut place = [""; 4];
    for attribute in attributes.split_inclusive("\" ").map(str::trim) {
        let (name, value) = attribute.split_once("=\"")?;
        let value = value.strip_suffix('"')?;
        match (tag, name) {
            ("polyline" | "polygon", "points") => data = relative(value)?,
            ("rect", "x") => place[0] = value,
            ("rect", "y") => place[1] = value,
            ("rect", "width") => place[2] = value,
            ("rect", "height") => place[3] = value,
            ("polyline" | "polygon" | "rect", _) => look.push_str(&format!(" {attribute}")),
            _ => return None,
        }
    }
    let [x, y, width, height] = place;
    match tag {
        "polygon" if !data.is_empty() => data.push('z'),
        "rect" => data = format!("M{x} {y}h{width}v{height}h-{width}z"),
        _ => (),
    }
    Some((look, data))
}

/// `x,y x,y …` (integers) as a move and relative lines.
fn relative(points: &str) -> Option<String> {
    let mut out = String::new();
    let mut last: Option<[i32; 2]> = None;
    for point in points.split_whitespace() {
        let (x, y) = point.split_once(',')?;
        let [x, y]: [i32; 2] = [x.parse().ok()?, y.parse().ok()?];
        match last {
            None => out.push_str(&format!("M{x} {y}l")),
            // A minus sign separates.
            Some([a, b]) => [x - a, y - b].into_iter().for_each(|step| {
                let space = if step < 0 || out.ends_with('l') { "" } else { " " };
                out.push_str(&format!("{space}{step}"));
            }),
        }
        last = Some([x, y]);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_themed_drawing_resolves_to_both() {
        let light = r##"<g fill="#FFFFFF"/><g fill="#0072B2"/><text>a #1 & #FFFFFF</text><g fill="#009E73"/>"##;
        let dark = light.replace("g fill=\"#FFFFFF", "g fill=\"#11141A").replace("0072B2", "56B4E9");
        let mut palette = Palette::default();
        let themed = palette.themed(light, &dark);
        assert_eq!(themed.matches("var(").count(), 2);
        for (theme, drawing) in [light, &dark].into_iter().enumerate() {
            let css = palette.css(theme);
            let resolved = css.split_terminator(';').fold(themed.clone(), |svg, rule| {
                let (name, value) = rule.split_once(':').unwrap();
                svg.replace(&format!("var({name})"), value)
            });
            assert_eq!(resolved, drawing);
        }
    }

    #[test]
    fn shapes_become_paths() {
        let line =
            |points: &str| format!("<polyline fill=\"none\" stroke=\"#1\" stroke-width=\"6\" points=\"{points}\"/>\n");
        let lines = line("1,2 3,1 3,5 ") + &line("") + &line("0,0 9,9 ");
        let expected = "<path fill=\"none\" stroke=\"#1\" stroke-width=\"6\" d=\"M1 2l2-1 0 4M0 0l9 9\"/>";
        assert_eq!(compact(&lines), expected);
        let rects = "<rect x=\"1\" y=\"2\" width=\"3\" height=\"4\" fill=\"#2\"/>\n<text>1 < 2</text>";
        assert_eq!(compact(rects), "<path fill=\"#2\" d=\"M1 2h3v4h-3z\"/><text>1 < 2</text>");
        let veiled = "<polygon opacity=\"0.2\" points=\"1,1 2,2 \"/>\n".repeat(2);
        assert_eq!(compact(&veiled), "<path opacity=\"0.2\" d=\"M1 1l1 1z\"/>".repeat(2));
    }
}
