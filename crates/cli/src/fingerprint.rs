//! `omemo fingerprint`: our own key, for others to compare.

use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};

use crate::colour::Palette;
use crate::failure::Failure;
use crate::home::Home;
use crate::report::{Report, uri};

pub(crate) fn fingerprint(home: &Home, with_qr: bool, report: Report) -> Result<(), Failure> {
    let account = home.account()?;
    let (jid, device, fingerprint) = (account.jid(), account.device(), account.fingerprint());
    let qr = if with_qr {
        Some(qr(&uri(jid, device, &fingerprint), report.palette)?)
    } else {
        None
    };
    Ok(report.fingerprint(jid, device, &fingerprint, qr.as_deref())?)
}

/// A QR code in half blocks: dark on light where colours can be had; else light blocks on what is
/// most likely a dark terminal.
fn qr(text: &str, palette: Palette) -> Result<String, Failure> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L)
        .map_err(|error| Failure::told(format!("no QR code can hold this: {error}")))?;
    let mut image = code.render::<Dense1x2>();
    if palette == Palette::Plain {
        image
            .dark_color(Dense1x2::Light)
            .light_color(Dense1x2::Dark);
        return Ok(image.build());
    }
    let lines = image.build();
    let lines = lines
        .lines()
        .map(|line| format!("\x1b[30;107m{line}\x1b[0m"));
    Ok(lines.collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_a_square_of_half_blocks() {
        let plain = qr("xmpp:a@b?omemo-sid-1=00", Palette::Plain).unwrap();
        let width = plain.lines().next().unwrap().chars().count();
        assert_eq!(plain.lines().count(), width.div_ceil(2));
        assert!(plain.chars().all(|c| " █▀▄\n".contains(c)), "{plain}");
        let painted = qr("xmpp:a@b?omemo-sid-1=00", Palette::TrueColour).unwrap();
        assert_eq!(painted.lines().count(), plain.lines().count());
    }
}
