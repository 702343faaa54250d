//! `aesgcm` links and bodies.

use crate::{AesgcmLink, Cipher, FileKey, LinkError, SharedMedia, Thumbnail};

/// The example of XEP-0454.
const PLACE: &str =
    "download.montague.tld/4a771ac1-f0b2-4a4a-9700-f2a26fa2bb67/tr%C3%A8s%20cool.jpg";
const IV: &str = "8c3d050e9386ec173861778f";
const KEY: &str = "68e9af38a97aaf82faa4063b4d0878a61261534410c8a84331eaac851759f587";

fn example() -> String {
    format!("aesgcm://{PLACE}#{IV}{KEY}")
}

fn key() -> FileKey {
    let bytes = |digits| hex::decode(digits).unwrap();
    FileKey::parse(Cipher::Aes256Gcm, &bytes(KEY), &bytes(IV)).unwrap()
}

#[test]
fn quirk_35_the_key_is_the_last_64_digits_of_88_or_96() {
    let long = "00112233445566778899aabbccddeeff";
    for iv in [IV, long] {
        for digits in [format!("{iv}{KEY}"), format!("{iv}{KEY}").to_uppercase()] {
            let link = AesgcmLink::parse(&format!("aesgcm://{PLACE}#{digits}")).unwrap();
            assert_eq!(hex::encode(link.key().key()), KEY);
            assert_eq!(hex::encode(link.key().iv()), iv);
            assert_eq!(link.key().cipher(), Cipher::Aes256Gcm);
            assert_eq!(link.url(), format!("https://{PLACE}"));
            assert_eq!(*link.fragment(), digits.to_lowercase());
        }
    }
}

#[test]
fn quirk_35_other_lengths_are_refused() {
    for length in (0..130).filter(|length| ![88, 96].contains(length)) {
        let text = format!("aesgcm://{PLACE}#{}", "a".repeat(length));
        assert_eq!(
            AesgcmLink::parse(&text),
            Err(LinkError::KeyDigits),
            "{length}"
        );
    }
    let wrong = |digits: String| AesgcmLink::parse(&format!("aesgcm://{PLACE}#{digits}"));
    for digits in [
        format!("{IV}{}g", &KEY[1..]),
        format!("{IV}{} ", &KEY[1..]),
        format!("+{}{KEY}", &IV[1..]),
        // Of 88 bytes, and of fewer characters.
        format!("{IV}{}\u{e9}", &KEY[2..]),
    ] {
        assert_eq!(digits.len(), 88);
        assert_eq!(wrong(digits), Err(LinkError::KeyDigits));
    }
}

#[test]
fn a_link_is_made_of_an_https_url_and_read_back() {
    let link = AesgcmLink::new(&format!("https://{PLACE}"), key()).unwrap();
    assert_eq!(*link.to_text(), example());
    assert_eq!(example().parse(), Ok(link.clone()));
    assert_eq!(link.file().key(), &key());
    let shouted = example().replacen("aesgcm", "AESGCM", 1);
    assert_eq!(AesgcmLink::parse(&shouted), Ok(link));
}

#[test]
fn what_is_no_link_is_refused_with_the_reason() {
    for (text, reason) in [
        (String::new(), LinkError::Scheme),
        (example().replacen("aesgcm", "https", 1), LinkError::Scheme),
        (example().replacen("://", ":/", 1), LinkError::Scheme),
        (format!(" {}", example()), LinkError::Scheme),
        (format!("aesgcm://{PLACE}"), LinkError::NoKey),
        (format!("aesgcm://{PLACE}?{IV}{KEY}"), LinkError::NoKey),
        (format!("{} ", example()), LinkError::KeyDigits),
        (format!("{}#{IV}{KEY}", example()), LinkError::KeyDigits),
        (format!("aesgcm:///file#{IV}{KEY}"), LinkError::Url),
        (format!("aesgcm://#{IV}{KEY}"), LinkError::Url),
        (format!("aesgcm://a/ b#{IV}{KEY}"), LinkError::Url),
        (format!("aesgcm://a/\u{7}#{IV}{KEY}"), LinkError::Url),
    ] {
        assert_eq!(AesgcmLink::parse(&text).unwrap_err(), reason, "{text}");
    }
    for (url, reason) in [
        (format!("http://{PLACE}"), LinkError::NotHttps),
        (PLACE.to_owned(), LinkError::NotHttps),
        ("https://".to_owned(), LinkError::Url),
        (format!("https://{PLACE}#part"), LinkError::Url),
        (format!("https://{PLACE}\nmore"), LinkError::Url),
    ] {
        assert_eq!(AesgcmLink::new(&url, key()).unwrap_err(), reason, "{url}");
    }
    for cipher in [Cipher::Aes128Gcm, Cipher::Aes256Cbc] {
        let outcome = AesgcmLink::new("https://a/b", super::key(cipher));
        assert_eq!(outcome, Err(LinkError::Cipher));
    }
}

#[test]
fn a_body_is_a_link_alone_or_with_one_image() {
    let link = AesgcmLink::parse(&example()).unwrap();
    let plain = SharedMedia::parse(&example()).unwrap();
    assert_eq!((&plain.link, &plain.thumbnail), (&link, &None));

    let body = format!("{}\ndata:image/jpeg,/9j/4AAQSkZJRg==", example());
    let media = SharedMedia::parse(&body).unwrap();
    let thumbnail = media.thumbnail.clone().unwrap();
    assert_eq!(thumbnail.media_type, "image/jpeg");
    assert_eq!(thumbnail.data, *b"\xff\xd8\xff\xe0\x00\x10JFIF");
    assert_eq!(*media.to_body(), body);
    let marked = body.replace("jpeg,", "jpeg;base64,");
    assert_eq!(SharedMedia::parse(&marked), Ok(media));
    let built = SharedMedia::new(link, Some(Thumbnail::jpeg(thumbnail.data)));
    assert_eq!(*built.to_body(), body);
}

#[test]
fn a_body_with_anything_else_is_a_text() {
    let link = example();
    for (body, reason) in [
        (format!("Look: {link}"), LinkError::Scheme),
        (format!("\n{link}"), LinkError::Scheme),
        (format!("{link} and this"), LinkError::KeyDigits),
        (
            format!("{link}\r\ndata:image/jpeg,AAAA"),
            LinkError::KeyDigits,
        ),
        (format!("{link}\n"), LinkError::Thumbnail),
        (format!("{link}\nnice, is it not?"), LinkError::Thumbnail),
        (format!("{link}\n{link}"), LinkError::Thumbnail),
        (
            format!("{link}\n\ndata:image/jpeg,AAAA"),
            LinkError::Thumbnail,
        ),
        (
            format!("{link}\ndata:image/jpeg,AAAA\n"),
            LinkError::Thumbnail,
        ),
        (format!("{link}\ndata:image/jpeg,"), LinkError::Thumbnail),
        (format!("{link}\ndata:image/,AAAA"), LinkError::Thumbnail),
        (format!("{link}\ndata:text/html,AAAA"), LinkError::Thumbnail),
        (
            format!("{link}\ndata:image/jpeg,A*AA"),
            LinkError::Thumbnail,
        ),
        (
            format!("{link}\ndata:image/svg+xml;charset=x,AAAA"),
            LinkError::Thumbnail,
        ),
    ] {
        assert_eq!(SharedMedia::parse(&body).unwrap_err(), reason, "{body}");
    }
}

#[test]
fn a28_no_link_is_shown_for_debugging() {
    let media = SharedMedia::parse(&example()).unwrap();
    let shown = format!("{media:?}");
    assert!(shown.contains("redacted"));
    for secret in ["montague", "cool", &KEY[..6], &IV[..6], "104, 233"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
