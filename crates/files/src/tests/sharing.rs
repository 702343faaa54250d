//! Elements of XEP-0447 and XEP-0448.

use minidom::Element;

use super::{key, open, seal};
use crate::{
    Cipher, Disposition, EncryptedSource, FileHash, FileMetadata, FileSharing, KeyError,
    MetadataThumbnail, SharingError, Sources,
};

/// The example of XEP-0448.
const EXAMPLE: &str = "<file-sharing xmlns='urn:xmpp:sfs:0'>
  <file xmlns='urn:xmpp:file:metadata:0'>
    <media-type>image/jpeg</media-type>
    <name>summit.jpg</name>
    <size>3032449</size>
    <dimension>4096x2160</dimension>
    <hash xmlns='urn:xmpp:hashes:2' algo='sha3-256'>2XarmwTlNxDAMkvymloX3S5+VbylNrJt/l5QyPa+YoU=</hash>
    <hash xmlns='urn:xmpp:hashes:2' algo='id-blake2b256'>2AfMGH8O7UNPTvUVAM9aK13mpCY=</hash>
    <desc>Photo from the summit.</desc>
    <thumbnail xmlns='urn:xmpp:thumbs:1' uri='cid:sha1+ffd7c8d28e9c5e82afea41f97108c6b4@bob.xmpp.org' media-type='image/png' width='128' height='96'/>
  </file>
  <sources>
    <encrypted xmlns='urn:xmpp:esfs:0' cipher='urn:xmpp:ciphers:aes-256-gcm-nopadding:0'>
      <key>SuRJ2agVm/pQbJQlPq/B23Xt1YOOJCcEGJA5HrcYOGQ=</key>
      <iv>T8RDMBaiqn6Ci4Nw</iv>
      <hash xmlns='urn:xmpp:hashes:2' algo='sha3-256'>BgKI2gp2kNCRsARNvhFmw5kFf9BBo2pTbV2D8XHTMWI=</hash>
      <hash xmlns='urn:xmpp:hashes:2' algo='id-blake2b256'>id4cnqqy9/ssfCkM4vYSkiXXrlE=</hash>
      <sources xmlns='urn:xmpp:sfs:0'>
        <url-data xmlns='http://jabber.org/protocol/url-data' target='https://download.montague.lit/4a771ac1/encrypted.jpg' />
      </sources>
    </encrypted>
    <jinglepub xmlns='urn:xmpp:jinglepub:1' from='romeo@montague.lit/resource' id='9559976B-3FBF-4E7E-B457-2DAA225972BB'>
      <description xmlns='urn:xmpp:jingle:apps:file-transfer:5' />
    </jinglepub>
  </sources>
</file-sharing>";

fn read(text: &str) -> Result<FileSharing, SharingError> {
    FileSharing::parse(&text.parse::<Element>().unwrap())
}

#[test]
fn the_example_of_the_specification_is_read() {
    let sharing = read(EXAMPLE).unwrap();
    assert_eq!((&sharing.id, sharing.disposition), (&None, None));
    let file = &sharing.file;
    assert_eq!(file.name.as_deref(), Some("summit.jpg"));
    assert_eq!(file.media_type.as_deref(), Some("image/jpeg"));
    assert_eq!(file.size, Some(3_032_449));
    assert_eq!(file.desc.as_deref(), Some("Photo from the summit."));
    assert_eq!(file.hashes[0].algo, "sha3-256");
    assert_eq!(file.hashes[0].value.len(), 32);
    assert_eq!(file.thumbnails[0].width, Some(128));
    assert!(sharing.has_hash());
    let [source] = &sharing.sources.encrypted[..] else {
        panic!("{sharing:?}");
    };
    assert_eq!(source.key.cipher(), Cipher::Aes256Gcm);
    assert_eq!((source.key.key().len(), source.key.iv().len()), (32, 12));
    assert_eq!(source.hashes.len(), 2);
    assert_eq!(
        source.sources.urls,
        ["https://download.montague.lit/4a771ac1/encrypted.jpg"]
    );
    assert!(sharing.sources.urls.is_empty() && sharing.sources.refused.is_empty());
    assert_eq!(sharing.encrypted_file(source).size(), Some(3_032_449));
}

#[test]
fn what_was_written_is_read_back() {
    for cipher in Cipher::ALL {
        let (ciphertext, sealed) = seal(&key(cipher), b"a photo", &[]);
        let mut sharing = FileSharing::of(&sealed, vec!["https://a.example/?x=1&y='2'".to_owned()]);
        sharing.id = Some("one".to_owned());
        sharing.disposition = Some(Disposition::Inline);
        sharing.sources.urls.push("https://b.example/".to_owned());
        let mut thumbnail = MetadataThumbnail::new("cid:1".to_owned());
        (thumbnail.media_type, thumbnail.height) = (Some("image/png".to_owned()), Some(9));
        let file = FileMetadata {
            name: Some("<&>\u{202e}.jpg".to_owned()),
            media_type: Some("image/jpeg".to_owned()),
            date: Some("2026-11-22T16:00:00Z".to_owned()),
            desc: Some("a\nb".to_owned()),
            width: Some(4096),
            height: Some(2160),
            length: Some(u64::MAX),
            thumbnails: vec![thumbnail],
            ..sharing.file.clone()
        };
        sharing.file = file;
        let text = String::from(&sharing.to_element());
        // Many clients understand default namespaces alone.
        assert!(!text.contains("xmlns:"), "{text}");
        let back = read(&text).unwrap();
        assert_eq!(back, sharing);
        let source = &back.sources.encrypted[0];
        assert_eq!(
            open(&back.encrypted_file(source), &ciphertext, &[]).unwrap(),
            b"a photo"
        );
    }
}

/// One `<encrypted/>` among others.
fn with_source(source: &str) -> FileSharing {
    let text = EXAMPLE.replacen("<sources>", &format!("<sources>{source}"), 1);
    let sharing = read(&text).unwrap();
    assert_eq!(sharing.sources.encrypted.len(), 1, "the good one stays");
    sharing
}

#[test]
fn a_damaged_source_is_left_out_with_its_reason() {
    let iv = "<iv>T8RDMBaiqn6Ci4Nw</iv>";
    let key = "<key>SuRJ2agVm/pQbJQlPq/B23Xt1YOOJCcEGJA5HrcYOGQ=</key>";
    let sources = "<sources xmlns='urn:xmpp:sfs:0'/>";
    let cipher = "urn:xmpp:ciphers:aes-256-gcm-nopadding:0";
    let gcm128 = "urn:xmpp:ciphers:aes-128-gcm-nopadding:0";
    let (lacking, twice) = (
        |child| SharingError::Missing {
            parent: "encrypted",
            child,
        },
        |child| SharingError::Twice {
            parent: "encrypted",
            child,
        },
    );
    let cases = [
        (cipher, format!("{iv}{sources}"), lacking("key")),
        (cipher, format!("{key}{sources}"), lacking("iv")),
        (cipher, format!("{key}{iv}"), lacking("sources")),
        (cipher, format!("{key}{key}{iv}{sources}"), twice("key")),
        (cipher, format!("{key}{iv}{iv}{sources}"), twice("iv")),
        (
            cipher,
            format!("<key>*</key>{iv}{sources}"),
            SharingError::Base64("key"),
        ),
        (
            cipher,
            format!("<key>AAAA</key>{iv}{sources}"),
            KeyError::KeyLength {
                found: 3,
                expected: 32,
            }
            .into(),
        ),
        (
            cipher,
            format!("{key}<iv>AAAA</iv>{sources}"),
            KeyError::IvLength {
                found: 3,
                cipher: Cipher::Aes256Gcm,
            }
            .into(),
        ),
        (
            gcm128,
            format!("{key}{iv}{sources}"),
            KeyError::KeyLength {
                found: 32,
                expected: 16,
            }
            .into(),
        ),
        (
            "urn:xmpp:ciphers:rot13:0",
            format!("{key}{iv}{sources}"),
            SharingError::Cipher("urn:xmpp:ciphers:rot13:0".to_owned()),
        ),
        (
            cipher,
            format!("{key}{iv}{sources}<hash xmlns='urn:xmpp:hashes:2'/>"),
            SharingError::Attribute {
                element: "hash",
                attribute: "algo",
            },
        ),
    ];
    for (cipher, inside, reason) in cases {
        let source =
            format!("<encrypted xmlns='urn:xmpp:esfs:0' cipher='{cipher}'>{inside}</encrypted>");
        assert_eq!(with_source(&source).sources.refused, [reason], "{source}");
    }
    let nameless = "<encrypted xmlns='urn:xmpp:esfs:0'/>";
    let reason = SharingError::Attribute {
        element: "encrypted",
        attribute: "cipher",
    };
    assert_eq!(with_source(nameless).sources.refused, [reason]);
    let nowhere = "<url-data xmlns='http://jabber.org/protocol/url-data'/>";
    let reason = SharingError::Attribute {
        element: "url-data",
        attribute: "target",
    };
    assert_eq!(with_source(nowhere).sources.refused, [reason]);
}

#[test]
fn what_is_unknown_is_passed_over() {
    let text = EXAMPLE
        .replacen(
            "<file-sharing ",
            "<file-sharing disposition='sideways' more='1' ",
            1,
        )
        .replacen(
            "<size>",
            "<hash xmlns='urn:xmpp:hashes:2' algo='whirlpool'>AAAA</hash><smell/><size> ",
            1,
        )
        .replacen("<key>SuRJ", "<key>\n  SuRJ ", 1)
        .replacen(
            "<sources>",
            "<sources><carrier-pigeon xmlns='urn:example'/>",
            1,
        );
    let sharing = read(&text).unwrap();
    assert_eq!(sharing.disposition, None);
    assert_eq!(sharing.file.size, Some(3_032_449));
    assert_eq!(sharing.file.hashes.len(), 3);
    assert_eq!(sharing.sources.encrypted.len(), 1);
    assert!(sharing.sources.refused.is_empty());
}

#[test]
fn what_is_wrong_is_refused_with_the_reason() {
    let twice = |parent, child| SharingError::Twice { parent, child };
    for (text, reason) in [
        (
            EXAMPLE.replace("urn:xmpp:sfs:0", "urn:xmpp:sfs:9"),
            SharingError::Element("file-sharing"),
        ),
        (
            EXAMPLE.replace("urn:xmpp:file:metadata:0", "urn:x"),
            SharingError::Missing {
                parent: "file-sharing",
                child: "file",
            },
        ),
        (
            EXAMPLE.replace("3032449", "3 MB"),
            SharingError::Number("size"),
        ),
        (
            EXAMPLE.replace("3032449", "-1"),
            SharingError::Number("size"),
        ),
        (
            EXAMPLE.replace("3032449", "18446744073709551616"),
            SharingError::Number("size"),
        ),
        (
            EXAMPLE.replace("<size>", "<size>1</size><size>"),
            twice("file", "size"),
        ),
        (
            EXAMPLE.replace("<name>", "<name>a</name><name>"),
            twice("file", "name"),
        ),
        (
            EXAMPLE.replace("2XarmwT", "*"),
            SharingError::Base64("hash"),
        ),
        (
            EXAMPLE.replace("</file-sharing>", "<sources/></file-sharing>"),
            twice("file-sharing", "sources"),
        ),
    ] {
        assert_eq!(read(&text).unwrap_err(), reason, "{text}");
    }
}

/// As other devices attach them (XEP-0447 §"Attaching a source").
#[test]
fn sources_may_come_later() {
    let without = EXAMPLE.split("<sources>").next().unwrap().to_owned() + "</file-sharing>";
    let sharing = read(&without).unwrap();
    assert_eq!(sharing.sources, Sources::default());
    assert!(!String::from(&sharing.to_element()).contains("sources"));

    let attached = "<sources xmlns='urn:xmpp:sfs:0' id='one'>
        <url-data xmlns='http://jabber.org/protocol/url-data' target='https://a.example/b'/></sources>";
    let attached = Sources::parse(&attached.parse().unwrap()).unwrap();
    assert_eq!(
        (attached.id.as_deref(), attached.urls.len()),
        (Some("one"), 1)
    );
    assert_eq!(Sources::parse(&attached.to_element()), Ok(attached));

    let source = EncryptedSource::new(
        key(Cipher::Aes256Cbc),
        vec!["https://a.example/c".to_owned()],
    );
    assert_eq!(EncryptedSource::parse(&source.to_element()), Ok(source));
}

#[test]
fn only_a_hash_that_is_checked_counts() {
    let mut sharing = read(EXAMPLE).unwrap();
    sharing.file.hashes = vec![FileHash::new("sha-1".to_owned(), vec![0; 20])];
    assert!(!sharing.has_hash());
}

#[test]
fn a28_no_element_is_shown_for_debugging() {
    let shown = format!("{:?}", read(EXAMPLE).unwrap());
    for secret in ["summit", "montague", "SuRJ", "T8RD", "74, 228", "79, 196"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
