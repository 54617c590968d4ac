//! What all plots are drawn with: colours, font, texts and lines. Places and sizes are in pixels.

use anyhow::{Result, anyhow};
use plotters::coord::Shift;
use plotters::prelude::{DrawingArea, IntoDrawingArea, PathElement, RGBColor, Rectangle, SVGBackend, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontDesc, FontStyle, FontTransform, IntoFont, ShapeStyle, TextStyle};

use super::text::shortened;

pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub(super) type Drawn = Result<(), Box<dyn std::error::Error + Send + Sync>>;
/// From the left and from the top.
pub(super) type Place = (i32, i32);

/// The colour of text and of what stands for itself.
pub(super) const INK: RGBColor = RGBColor(31, 41, 55);
pub(super) const PAPER: RGBColor = RGBColor(255, 255, 255);
pub(super) const MUTED: RGBColor = RGBColor(107, 114, 128);
pub(super) const GRID: RGBColor = RGBColor(229, 231, 235);
/// Of the tolerance.
const BAND: RGBColor = RGBColor(219, 234, 247);

/// Left edge of what is written above a plot.
pub(super) const MARGIN: i32 = 20;
/// Family and a size that every text replaces by its own.
const FONT: (&str, i32) = ("Helvetica, Arial, sans-serif", 12);

/// What a text looks like: size, colour, and which side of its place it begins at.
pub(super) type Look = (i32, RGBColor, HPos);

/// A picture of this width and height as SVG. `name` says what is drawn.
///
/// # Errors
/// Where it can't be drawn.
pub(super) fn picture(name: &str, size: (u32, u32), draw: impl FnOnce(&Area<'_>) -> Drawn) -> Result<String> {
    let mut text = String::new();
    let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
    let drawn = area.fill(&PAPER).map_err(Into::into).and_then(|()| draw(&area)).and_then(|()| Ok(area.present()?));
    drawn.map_err(|error| anyhow!("the {name} could not be drawn: {error}"))?;
    drop(area);
    Ok(text)
}

/// What is said above a plot.
pub(super) fn head(area: &Area<'_>, title: &str, origin: &str) -> Drawn {
    let bold = FONT.into_font().style(FontStyle::Bold);
    written(area, &shortened(title, 88), (MARGIN, 24), (18, INK, HPos::Left), bold)?;
    write(area, &shortened(origin, 130), (MARGIN, 46), (12, MUTED, HPos::Left))
}

pub(super) fn write(area: &Area<'_>, text: &str, at: Place, look: Look) -> Drawn {
    written(area, text, at, look, FONT.into_font())
}

/// A text that is read from below.
pub(super) fn write_upwards(area: &Area<'_>, text: &str, at: Place, look: Look) -> Drawn {
    written(area, text, at, look, FONT.into_font().transform(FontTransform::Rotate270))
}

fn written(area: &Area<'_>, text: &str, at: Place, (size, colour, side): Look, font: FontDesc<'_>) -> Drawn {
    // The backend divides by 1.24.
    let style = TextStyle::from(font.resize(f64::from(size) * 1.24)).color(&colour).pos(Pos::new(side, VPos::Center));
    area.draw(&Text::new(text.to_owned(), at, style))?;
    Ok(())
}

/// A line through these places, so many pixels wide.
pub(super) fn stroke(area: &Area<'_>, path: &[Place], (colour, width): (RGBColor, u32)) -> Drawn {
    area.draw(&PathElement::new(path.to_vec(), outline(colour, width)))?;
    Ok(())
}

/// What a line, or a shape that is not filled, is drawn with.
pub(super) fn outline(colour: RGBColor, width: u32) -> ShapeStyle {
    ShapeStyle { color: colour.to_rgba(), filled: false, stroke_width: width }
}

/// The tolerance, between two opposite corners.
pub(super) fn band(area: &Area<'_>, corners: [Place; 2]) -> Drawn {
    area.draw(&Rectangle::new(corners, BAND.filled()))?;
    Ok(())
}

/// What the tolerance looks like, in a legend.
pub(super) fn band_legend(area: &Area<'_>, (x, y): Place) -> Drawn {
    band(area, [(x, y - 7), (x + 16, y + 7)])?;
    write(area, "tolerance", (x + 22, y), (12, INK, HPos::Left))
}
