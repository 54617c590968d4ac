//! `[matrix]`: the axes, and what is left out.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use crate::plan::fault::{Fault, Refusal, instead};
use crate::plan::values::{
    AllocatorWord, CargoName, Debug, DesignWord, EnvName, Linker, Lto, OptLevel, Panic, Positive, Text, Whole, Written,
};
use crate::plan::{Axis, DesignKind, Exclusion, Knob, Matrix, Setting, Variant};

/// The keys of the table that are no axes.
const NO_AXES: [&str; 3] = ["design", "resolution", "exclude"];

/// Where the axes come from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Axes {
    /// The defaults: they give way to the baseline variant.
    Default,
    /// The user's file: every value is meant.
    File,
}

/// Makes two layers ready to be laid over each other: a file that names an axis ends all of the defaults, and single values
/// in its exclusions become lists of one.
pub(super) fn settle<'a>(defaults: &mut DeTable<'a>, file: &mut DeTable<'a>) -> Axes {
    let Some(DeValue::Table(matrix)) = file.get_mut("matrix").map(Spanned::get_mut) else { return Axes::Default };
    if let Some(DeValue::Array(exclusions)) = matrix.get_mut("exclude").map(Spanned::get_mut) {
        exclusions.iter_mut().for_each(|exclusion| list_values(exclusion.get_mut()));
    }
    if matrix.keys().all(|key| NO_AXES.contains(&key.get_ref().as_ref())) {
        return Axes::Default;
    }
    if let Some(DeValue::Table(matrix)) = defaults.get_mut("matrix").map(Spanned::get_mut) {
        Knob::ALL.iter().for_each(|knob| drop(matrix.remove(knob.as_str())));
    }
    Axes::File
}

/// Turns single values of an exclusion into lists of one.
fn list_values(exclusion: &mut DeValue<'_>) {
    let DeValue::Table(knobs) = exclusion else { return };
    let of_lists = [Knob::Features, Knob::Rustflags].map(Knob::as_str);
    for (knob, value) in knobs.iter_mut() {
        let several = match value.get_ref() {
            DeValue::Array(values) if of_lists.contains(&knob.get_ref().as_ref()) => {
                !values.is_empty() && values.iter().all(|value| value.get_ref().is_array())
            }
            other => other.is_array(),
        };
        if !several {
            let mut list = DeArray::new();
            list.push(value.clone());
            *value.get_mut() = DeValue::Array(list);
        }
    }
}

/// A knob, the place of its values, and the values with theirs.
struct WireAxis {
    knob: Knob,
    place: Range<usize>,
    values: Vec<Spanned<Setting>>,
}

impl WireAxis {
    fn read<'de, A: MapAccess<'de>>(knob: Knob, map: &mut A) -> Result<Self, A::Error> {
        match knob {
            Knob::Profile => Self::of(knob, map, |value: Text<CargoName>| Setting::Profile(value.0)),
            Knob::Lto => Self::of(knob, map, |value: Text<Lto>| Setting::Lto(value.0)),
            Knob::CodegenUnits => Self::of(knob, map, |value: Positive| Setting::CodegenUnits(value.0)),
            Knob::OptLevel => Self::of(knob, map, |value: Text<OptLevel>| Setting::OptLevel(value.0)),
            Knob::Panic => Self::of(knob, map, |value: Text<Panic>| Setting::Panic(value.0)),
            Knob::Debug => Self::of(knob, map, |value: Text<Debug>| Setting::Debug(value.0)),
            Knob::TargetCpu => Self::of(knob, map, Setting::TargetCpu),
            Knob::Linker => Self::of(knob, map, |value: Text<Linker>| Setting::Linker(value.0)),
            Knob::FramePointers => Self::of(knob, map, Setting::FramePointers),
            Knob::Allocator => Self::of(knob, map, |value: Text<AllocatorWord>| Setting::Allocator(value.0)),
            Knob::Pgo => Self::of(knob, map, Setting::Pgo),
            Knob::Bolt => Self::of(knob, map, Setting::Bolt),
            Knob::Features => Self::of(knob, map, Setting::Features),
            Knob::Rustflags => Self::of(knob, map, Setting::Rustflags),
            Knob::Env => Self::of(knob, map, |env: BTreeMap<EnvName, String>| {
                Setting::Env(env.into_iter().map(|(name, value)| (name.0, value)).collect())
            }),
        }
    }

    fn of<'de, T, A>(knob: Knob, map: &mut A, setting: impl Fn(T) -> Setting) -> Result<Self, A::Error>
    where
        T: Deserialize<'de>,
        A: MapAccess<'de>,
    {
        let values: Spanned<Vec<Spanned<T>>> = map.next_value()?;
        let place = values.span();
        let set = |value: Spanned<T>| Spanned::new(value.span(), setting(value.into_inner()));
        Ok(Self { knob, place, values: values.into_inner().into_iter().map(set).collect() })
    }

    /// The axis with its values alone; there has to be one.
    fn settled(self) -> Result<Axis, Fault> {
        if self.values.is_empty() {
            let help = "name a value, or leave the key out";
            return Err(Fault::new(self.place, format!("no value of {} is named", self.knob), help));
        }
        Ok(Axis { knob: self.knob, values: self.values.into_iter().map(Spanned::into_inner).collect() })
    }
}

/// A knob as a key.
struct KnobKey;

impl Written for KnobKey {
    type Value = Knob;
    const WHAT: &'static str = "a knob";

    fn read(text: &str) -> Result<Knob, Refusal> {
        let known = Knob::ALL.map(Knob::as_str);
        Knob::ALL.into_iter().find(|knob| knob.as_str() == text).ok_or_else(|| unknown(text, &known))
    }
}

/// A key of `[matrix]`.
enum Key {
    Design,
    Resolution,
    Exclude,
    Axis(Knob),
}

impl Written for Key {
    type Value = Self;
    const WHAT: &'static str = "a key";

    fn read(text: &str) -> Result<Self, Refusal> {
        match text {
            "design" => Ok(Self::Design),
            "resolution" => Ok(Self::Resolution),
            "exclude" => Ok(Self::Exclude),
            knob => KnobKey::read(knob).map(Self::Axis).map_err(|_| {
                let known: Vec<&str> = NO_AXES.into_iter().chain(Knob::ALL.map(Knob::as_str)).collect();
                unknown(knob, &known)
            }),
        }
    }
}

fn unknown(key: &str, known: &[&str]) -> Refusal {
    Refusal::new(format!("unknown key {key:?}"), instead(key, known))
}

/// The table as it stands.
pub(super) struct WireMatrix {
    design: DesignKind,
    resolution: u8,
    axes: Vec<WireAxis>,
    exclude: Vec<Spanned<WireExclusion>>,
}

impl<'de> Deserialize<'de> for WireMatrix {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MatrixVisitor)
    }
}

struct MatrixVisitor;

impl<'de> Visitor<'de> for MatrixVisitor {
    type Value = WireMatrix;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<WireMatrix, A::Error> {
        let (mut design, mut resolution, mut axes, mut exclude) = (None, None, Vec::new(), Vec::new());
        while let Some(Text(key)) = map.next_key::<Text<Key>>()? {
            match key {
                Key::Design => design = Some(map.next_value::<Text<DesignWord>>()?.0),
                Key::Resolution => resolution = u8::try_from(map.next_value::<Whole<3, 5>>()?.0).ok(),
                Key::Exclude => exclude = map.next_value()?,
                Key::Axis(knob) => axes.push(WireAxis::read(knob, &mut map)?),
            }
        }
        axes.sort_by_key(|axis: &WireAxis| axis.knob);
        let missing = |key| A::Error::missing_field(key);
        Ok(WireMatrix {
            design: design.ok_or_else(|| missing("design"))?,
            resolution: resolution.ok_or_else(|| missing("resolution"))?,
            axes,
            exclude,
        })
    }
}

/// The knobs of an exclusion.
struct WireExclusion(Vec<WireAxis>);

impl<'de> Deserialize<'de> for WireExclusion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ExclusionVisitor)
    }
}

struct ExclusionVisitor;

impl<'de> Visitor<'de> for ExclusionVisitor {
    type Value = WireExclusion;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(r#"a table such as { pgo = true, opt-level = ["s", "z"] }"#)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<WireExclusion, A::Error> {
        let mut knobs = Vec::new();
        while let Some(Text(knob)) = map.next_key::<Text<KnobKey>>()? {
            knobs.push(WireAxis::read(knob, &mut map)?);
        }
        knobs.sort_by_key(|axis: &WireAxis| axis.knob);
        Ok(WireExclusion(knobs))
    }
}

/// The matrix around a baseline variant.
pub(super) fn matrix(wire: WireMatrix, baseline: &Variant, origin: Axes) -> Result<Matrix, Fault> {
    let WireMatrix { design, resolution, axes, exclude } = wire;
    let axes = match origin {
        Axes::Default => axes.into_iter().filter_map(|axis| beside(axis, baseline)).collect(),
        Axes::File => axes.into_iter().map(|axis| checked(axis, baseline)).collect::<Result<Vec<_>, _>>()?,
    };
    let exclusion = |wire| exclusion(wire, &axes, baseline);
    let exclude = exclude.into_iter().map(exclusion).collect::<Result<_, _>>()?;
    Ok(Matrix { design, resolution, axes, exclude })
}

/// What the baseline variant does not have of an axis; `None` where that is nothing.
fn beside(axis: WireAxis, baseline: &Variant) -> Option<Axis> {
    let values: Vec<_> = axis.values.into_iter().map(Spanned::into_inner).filter(|v| !baseline.has(v)).collect();
    (!values.is_empty()).then_some(Axis { knob: axis.knob, values })
}

/// An axis of the file: its values differ from the baseline variant's own and from each other.
fn checked(axis: WireAxis, baseline: &Variant) -> Result<Axis, Fault> {
    for (at, value) in axis.values.iter().enumerate() {
        let setting = value.get_ref();
        if baseline.has(setting) {
            let problem = format!("the baseline variant {:?} has {} already", baseline.name.as_str(), quoted(setting));
            return Err(Fault::at(value, problem, "remove it: the baseline variant's own value is tried anyway"));
        }
        let with = baseline.with(setting);
        if axis.values[..at].iter().any(|before| with.has(before.get_ref())) {
            return Err(Fault::at(value, format!("{} stands twice", quoted(setting)), "remove one of them"));
        }
    }
    axis.settled()
}

/// An exclusion: every value of it can be met, and it does not leave out the baseline variant.
fn exclusion(wire: Spanned<WireExclusion>, axes: &[Axis], baseline: &Variant) -> Result<Exclusion, Fault> {
    let place = wire.span();
    let knobs = wire.into_inner().0;
    if knobs.is_empty() {
        let help = r#"name what does not go together, such as { pgo = true, opt-level = "s" }"#;
        return Err(Fault::new(place, "an exclusion without a knob", help));
    }
    for value in knobs.iter().flat_map(|knob| &knob.values) {
        known(value, axes, baseline)?;
    }
    let exclusion = Exclusion { knobs: knobs.into_iter().map(WireAxis::settled).collect::<Result<_, _>>()? };
    if exclusion.hits(baseline) {
        let problem = format!("this leaves out the baseline variant {:?} itself", baseline.name.as_str());
        return Err(Fault::new(place, problem, "add a value that the baseline variant does not have"));
    }
    Ok(exclusion)
}

/// Refuses a value that no cell has.
fn known(value: &Spanned<Setting>, axes: &[Axis], baseline: &Variant) -> Result<(), Fault> {
    let setting = value.get_ref();
    let with = baseline.with(setting);
    let tried = || axes.iter().filter(|axis| axis.knob == setting.knob()).flat_map(|axis| &axis.values);
    if baseline.has(setting) || tried().any(|tried| with.has(tried)) {
        return Ok(());
    }
    let own = baseline.settings();
    let own = own.iter().filter(|own| own.knob() == setting.knob());
    let values: Vec<String> = own.chain(tried()).map(Setting::value).collect();
    let help = match values.as_slice() {
        [] => format!("no cell sets {}: add an axis, or remove it", setting.knob()),
        values => instead(&setting.value(), values),
    };
    Err(Fault::at(value, format!("{} is nowhere in the matrix", quoted(setting)), help))
}

/// As in `lto "fat"`.
fn quoted(setting: &Setting) -> String {
    format!("{} {:?}", setting.knob(), setting.value())
}
