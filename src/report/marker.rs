//! Shape and colour of a verdict's marker. Shapes alone tell them apart; the colours are those of Okabe & Ito (2008), which stay
//! distinct under the common kinds of colour blindness.

use plotters::element::{Circle, Polygon, Rectangle};
use plotters::prelude::RGBColor;
use plotters::style::Color;

use super::drawing::{Area, Drawn, MUTED, PAPER, Place, stroke};
use super::line::Standing;

/// The colour of a verdict.
pub(super) const fn tint(standing: Standing) -> RGBColor {
    match standing {
        Standing::Regressed | Standing::Accepted => RGBColor(213, 94, 0),
        Standing::Improved => RGBColor(0, 114, 178),
        Standing::Undecided => RGBColor(160, 80, 140),
        Standing::Tolerated | Standing::Unchanged | Standing::SameCode => MUTED,
    }
}

/// Draws a verdict's marker: regressed a triangle (an open one where it was accepted), improved a disc, undecided an open diamond, tolerated an open square,
/// unchanged a full one, same code two strokes.
pub(super) fn marker(area: &Area<'_>, standing: Standing, (x, y): Place) -> Drawn {
    let colour = tint(standing);
    match standing {
        Standing::Regressed => {
            area.draw(&Polygon::new(vec![(x, y - 7), (x + 7, y + 5), (x - 7, y + 5)], colour.filled()))?
        }
        Standing::Improved => area.draw(&Circle::new((x, y), 6, colour.filled()))?,
        Standing::Accepted => outlined(area, vec![(x, y - 7), (x + 7, y + 5), (x - 7, y + 5)], colour)?,
        Standing::Undecided => {
            let corners = vec![(x, y - 7), (x + 7, y), (x, y + 7), (x - 7, y)];
            outlined(area, corners, colour)?;
        }
        Standing::Tolerated => {
            let corners = vec![(x - 5, y - 5), (x + 5, y - 5), (x + 5, y + 5), (x - 5, y + 5)];
            outlined(area, corners, colour)?;
        }
        Standing::Unchanged => area.draw(&Rectangle::new([(x - 4, y - 4), (x + 4, y + 4)], colour.filled()))?,
        Standing::SameCode => {
            for height in [y - 3, y + 3] {
                stroke(area, &[(x - 6, height), (x + 6, height)], (colour, 2))?;
            }
        }
    }
    Ok(())
}

/// An open shape hides the line behind it.
fn outlined(area: &Area<'_>, corners: Vec<Place>, colour: RGBColor) -> Drawn {
    area.draw(&Polygon::new(corners.clone(), PAPER.filled()))?;
    let closed: Vec<Place> = corners.iter().chain(&corners[..2]).copied().collect();
    stroke(area, &closed, (colour, 2))
}
