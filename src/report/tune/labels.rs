//! Where the names of points go, so that none covers another name or a point.

use crate::report::text::width;

/// Which side of its place a text begins at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// The text ends there.
    Left,
    /// The text begins there.
    Right,
    /// The text's middle is there.
    Middle,
}

/// A name in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Labelled {
    pub(super) at: (i32, i32),
    pub(super) side: Side,
    pub(super) text: String,
}

impl Labelled {
    /// Whether it stands so far off its point that a line has to lead there.
    pub(super) fn is_far(&self, point: (i32, i32)) -> bool {
        (self.at.1 - point.1).abs() >= FAR[0]
    }
}

/// Left, top, right, bottom.
pub(super) type Frame = (i32, i32, i32, i32);

/// Half the height of a line, and half the side of the square that a point takes.
const HALF_LINE: i32 = 8;
const POINT: i32 = 7;

/// How far off, across and down, a name may stand when there is no room beside its point.
const FAR: [i32; 4] = [26, 44, 62, 80];
/// What a character of 12 pixels takes, rather too much than too little: which font a reader has is not known.
const ADVANCE: usize = 7;

/// A name that looks for a place.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    /// The point that it names.
    pub(super) point: (i32, i32),
    pub(super) text: String,
    /// Whether its point is on the front, which has its free side on the left. Such a name may also stand far off.
    pub(super) front: bool,
    /// The side that is better: 1 below the point, -1 above it.
    pub(super) down: i32,
}

/// A place for each name of 12 pixels beside its point, inside the frame and clear of `lines`; `None` where every place is
/// taken. Those that come first choose first.
pub(super) fn placed(wanted: &[Wanted], lines: &[Frame], frame: Frame) -> Vec<Option<Labelled>> {
    let points = wanted.iter().map(|Wanted { point: (x, y), .. }| (x - POINT, y - POINT, x + POINT, y + POINT));
    let mut taken: Vec<Frame> = points.chain(lines.iter().copied()).collect();
    let place = |wanted: &Wanted| {
        let free = |covers: &Frame| inside(*covers, frame) && !taken.iter().any(|other| overlap(*covers, *other));
        let (found, covers) = places(wanted).into_iter().find(|(_, covers)| covers.iter().all(free))?;
        taken.extend(covers);
        Some(found)
    };
    wanted.iter().map(place).collect()
}

/// The places for a name, the best first, with what text and line cover there.
fn places(Wanted { point: (x, y), text, front, down }: &Wanted) -> Vec<(Labelled, Vec<Frame>)> {
    let reach = i32::try_from(width(text) * ADVANCE).unwrap_or(0);
    let beside = [(12, 0), (10, 12 * down), (10, -12 * down)];
    let on_right = beside.map(|(dx, dy)| ((x + dx, y + dy), Side::Right));
    let on_left = beside.map(|(dx, dy)| ((x - dx, y + dy), Side::Left));
    let middle = [18 * down, -18 * down].map(|dy| ((*x, y + dy), Side::Middle));
    let far = FAR.map(|away| ((x - away, y + down * away), Side::Left)).into_iter().filter(|_| *front);
    let sides = if *front { [on_left, on_right] } else { [on_right, on_left] };
    let all = sides.into_iter().flatten().chain(middle).chain(far);
    all.map(|(at, side)| {
        let label = Labelled { at, side, text: text.clone() };
        let mut covers = vec![covered(&label, reach)];
        if label.is_far((*x, *y)) {
            // The line, in pieces.
            let away = (POINT + 3..at.1.abs_diff(*y) as i32 - 4).step_by(4);
            covers.extend(away.map(|away| (x - away - 2, y + down * away - 2, x - away + 2, y + down * away + 2)));
        }
        (label, covers)
    })
    .collect()
}

fn covered(Labelled { at, side, .. }: &Labelled, reach: i32) -> Frame {
    let from = match side {
        Side::Left => at.0 - reach,
        Side::Right => at.0,
        Side::Middle => at.0 - reach / 2,
    };
    (from, at.1 - HALF_LINE, from + reach, at.1 + HALF_LINE)
}

fn inside(covers: Frame, frame: Frame) -> bool {
    covers.0 >= frame.0 && covers.1 >= frame.1 && covers.2 <= frame.2 && covers.3 <= frame.3
}

fn overlap(one: Frame, other: Frame) -> bool {
    one.0 < other.2 && other.0 < one.2 && one.1 < other.3 && other.1 < one.3
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Frame = (0, 0, 600, 400);

    fn covered(label: &Labelled) -> Frame {
        super::covered(label, i32::try_from(width(&label.text) * ADVANCE).unwrap())
    }

    fn wanted(point: (i32, i32), text: String) -> Wanted {
        Wanted { point, text, front: false, down: 1 }
    }

    #[test]
    fn names_cover_neither_each_other_nor_points_nor_lines_nor_the_frame() {
        let mut rng = fastrand::Rng::with_seed(9);
        for _ in 0..100 {
            let draw = |rng: &mut fastrand::Rng| {
                let point = (rng.i32(0..600), rng.i32(0..400));
                Wanted {
                    front: rng.bool(),
                    down: if rng.bool() { 1 } else { -1 },
                    ..wanted(point, "n".repeat(rng.usize(3..30)))
                }
            };
            let all: Vec<Wanted> = (0..rng.usize(1..60)).map(|_| draw(&mut rng)).collect();
            let line = (0, 199, 600, 201);
            let found: Vec<Labelled> = placed(&all, &[line], FRAME).into_iter().flatten().collect();
            for (at, label) in found.iter().enumerate() {
                assert!(inside(covered(label), FRAME), "{label:?}");
                let points =
                    all.iter().map(|w| (w.point.0 - POINT, w.point.1 - POINT, w.point.0 + POINT, w.point.1 + POINT));
                let others = found[at + 1..].iter().map(covered).chain(points).chain([line]);
                assert!(others.into_iter().all(|other| !overlap(covered(label), other)), "{label:?} of {found:?}");
            }
        }
    }

    #[test]
    fn a_point_alone_has_its_name_on_the_side_that_it_wants_unless_the_edge_is_near() {
        let side = |x, front| {
            let alone = Wanted { front, ..wanted((x, 200), "lto=fat".to_owned()) };
            placed(&[alone], &[], FRAME)[0].clone().unwrap().side
        };
        assert_eq!((side(100, false), side(590, false)), (Side::Right, Side::Left));
        assert_eq!((side(100, true), side(10, true)), (Side::Left, Side::Right));
    }

    #[test]
    fn who_comes_first_chooses_first_and_who_has_no_room_goes_without() {
        let found = placed(&vec![wanted((300, 200), "x".repeat(40)); 12], &[], FRAME);
        assert!(found[0].is_some() && found[11].is_none());
    }
}
