//! Consistent colours (XEP-0392), so that fingerprints look the same in every client: the hue of a
//! group of digits is the beginning of its SHA-1, in HSLuv with full saturation.

use std::env;
use std::io::IsTerminal;

use omemo::Fingerprint;
use sha1::{Digest, Sha1};

/// What the terminal can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Palette {
    Plain,
    Colours256,
    TrueColour,
}

impl Palette {
    /// What standard output can show; `NO_COLOR` is respected.
    pub(crate) fn of_stdout() -> Self {
        Self::choose(std::io::stdout().is_terminal(), |name| {
            env::var(name).unwrap_or_default()
        })
    }

    fn choose(is_terminal: bool, variable: impl Fn(&str) -> String) -> Self {
        let term = variable("TERM");
        if !is_terminal || !variable("NO_COLOR").is_empty() || term.is_empty() || term == "dumb" {
            Self::Plain
        } else if matches!(variable("COLORTERM").as_str(), "truecolor" | "24bit") {
            Self::TrueColour
        } else {
            Self::Colours256
        }
    }

    /// A text in the colour that belongs to it.
    pub(crate) fn paint(self, text: &str) -> String {
        self.paint_as(text, text)
    }

    /// A text in the colour that belongs to another, such as a name's in its owner's.
    pub(crate) fn paint_as(self, text: &str, key: &str) -> String {
        let [red, green, blue] = rgb(key);
        match self {
            Self::Plain => text.to_owned(),
            Self::Colours256 => {
                let index = cube(red, green, blue);
                format!("\x1b[38;5;{index}m{text}\x1b[0m")
            }
            Self::TrueColour => format!("\x1b[38;2;{red};{green};{blue}m{text}\x1b[0m"),
        }
    }

    /// A text in bold.
    pub(crate) fn strong(self, text: &str) -> String {
        self.style("1", text)
    }

    /// A text that stands back.
    pub(crate) fn faint(self, text: &str) -> String {
        self.style("2", text)
    }

    fn style(self, code: &str, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Colours256 | Self::TrueColour => format!("\x1b[{code}m{text}\x1b[0m"),
        }
    }

    /// Eight groups of eight digits, each in its colour.
    pub(crate) fn fingerprint(self, fingerprint: &Fingerprint) -> String {
        fingerprint
            .groups()
            .map(|group| self.paint(&group))
            .join(" ")
    }
}

/// The colour of a text (XEP-0392 §5).
fn rgb(text: &str) -> [u8; 3] {
    hsluv(angle(text), 100.0, 50.0).map(byte)
}

/// The hue in degrees: the first two bytes of the SHA-1, little-endian (XEP-0392 §5.1).
fn angle(text: &str) -> f64 {
    let digest = Sha1::digest(text.as_bytes());
    let [low, high, ..] = <[u8; 20]>::from(digest);
    f64::from(u16::from_le_bytes([low, high])) / 65536.0 * 360.0
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float becomes an integer by saturation, and this one is between 0 and 255"
)]
fn byte(channel: f64) -> u8 {
    (channel.clamp(0.0, 1.0) * 255.0).round() as u8
}

/// The nearest colour of the 6 × 6 × 6 cube of 256-colour terminals.
fn cube(red: u8, green: u8, blue: u8) -> u8 {
    let [red, green, blue] = [red, green, blue].map(|channel| (channel / 43).min(5));
    16 + 36 * red + 6 * green + blue
}

/// sRGB from XYZ (D65), as HSLuv has it.
const TO_RGB: [[f64; 3]; 3] = [
    [
        3.240_969_941_904_521,
        -1.537_383_177_570_093,
        -0.498_610_760_293,
    ],
    [
        -0.969_243_636_280_87,
        1.875_967_501_507_72,
        0.041_555_057_407_175,
    ],
    [
        0.055_630_079_696_993,
        -0.203_976_958_888_97,
        1.056_971_514_242_878,
    ],
];
const WHITE_U: f64 = 0.197_830_006_642_83;
const WHITE_V: f64 = 0.468_319_994_938_79;
const KAPPA: f64 = 903.296_296_3;
const EPSILON: f64 = 0.008_856_451_7;

/// HSLuv to linear steps and back to sRGB: hue in degrees, saturation and lightness to 100.
fn hsluv(hue: f64, saturation: f64, lightness: f64) -> [f64; 3] {
    let chroma = max_chroma(lightness, hue) / 100.0 * saturation;
    let (sin, cos) = hue.to_radians().sin_cos();
    let (u, v) = (chroma * cos, chroma * sin);
    let y = if lightness > 8.0 {
        ((lightness + 16.0) / 116.0).powi(3)
    } else {
        lightness / KAPPA
    };
    let u = u / (13.0 * lightness) + WHITE_U;
    let v = v / (13.0 * lightness) + WHITE_V;
    let x = 9.0 * y * u / (4.0 * v);
    let z = (9.0 * y - 15.0 * v * y - v * x) / (3.0 * v);
    TO_RGB.map(|[a, b, c]| gamma(a * x + b * y + c * z))
}

fn gamma(linear: f64) -> f64 {
    if linear <= 0.003_130_8 {
        12.92 * linear
    } else {
        1.055 * linear.powf(1.0 / 2.4) - 0.055
    }
}

/// The largest chroma of this lightness and hue that sRGB can show: the distance to the nearest
/// of six lines, where one channel is 0 or 1.
fn max_chroma(lightness: f64, hue: f64) -> f64 {
    let third = (lightness + 16.0).powi(3) / 1_560_896.0;
    let scaled = if third > EPSILON {
        third
    } else {
        lightness / KAPPA
    };
    let (sin, cos) = hue.to_radians().sin_cos();
    let mut nearest = f64::INFINITY;
    for [a, b, c] in TO_RGB {
        for limit in [0.0, 1.0] {
            let top1 = (284_517.0 * a - 94_839.0 * c) * scaled;
            let top2 = (838_422.0 * c + 769_860.0 * b + 731_718.0 * a) * lightness * scaled
                - 769_860.0 * limit * lightness;
            let bottom = (632_260.0 * c - 126_452.0 * b) * scaled + 126_452.0 * limit;
            let length = top2 / bottom / (sin - top1 / bottom * cos);
            if length >= 0.0 {
                nearest = nearest.min(length);
            }
        }
    }
    nearest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors of XEP-0392 §13.2.
    #[test]
    fn colours_are_those_of_the_specification() {
        for (text, degrees, expected) in [
            ("Romeo", 327.255_249, [0.865, 0.0, 0.686]),
            ("juliet@capulet.lit", 209.410_400, [0.0, 0.515, 0.573]),
            ("😺", 331.199_341, [0.872, 0.0, 0.659]),
            ("council", 359.994_507, [0.918, 0.0, 0.394]),
        ] {
            assert!((angle(text) - degrees).abs() < 1e-5, "{text}");
            let found = hsluv(angle(text), 100.0, 50.0);
            for (found, expected) in found.iter().zip(expected) {
                assert!(
                    (found - expected).abs() < 1e-3,
                    "{text}: {found} {expected}"
                );
            }
        }
    }

    #[test]
    fn terminals_get_what_they_can_show() {
        let choose = |terminal, settings: &[(&str, &str)]| {
            Palette::choose(terminal, |name| {
                let found = settings.iter().find(|(key, _)| *key == name);
                found.map_or(String::new(), |(_, value)| (*value).to_owned())
            })
        };
        let xterm = ("TERM", "xterm-256color");
        assert_eq!(choose(false, &[xterm]), Palette::Plain);
        assert_eq!(choose(true, &[xterm]), Palette::Colours256);
        assert_eq!(
            choose(true, &[xterm, ("COLORTERM", "truecolor")]),
            Palette::TrueColour
        );
        assert_eq!(choose(true, &[xterm, ("NO_COLOR", "1")]), Palette::Plain);
        assert_eq!(choose(true, &[("TERM", "dumb")]), Palette::Plain);
    }

    #[test]
    fn plain_fingerprints_are_plain() {
        let fingerprint = Fingerprint::new([7; 32]);
        assert_eq!(
            Palette::Plain.fingerprint(&fingerprint),
            fingerprint.to_string()
        );
        let painted = Palette::TrueColour.fingerprint(&fingerprint);
        assert_eq!(painted.matches("\x1b[38;2;").count(), 8);
    }
}
