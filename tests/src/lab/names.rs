//! A tiny DNS server: A and SRV records for the lab's names, NXDOMAIN for all else.

use std::collections::HashMap;
use std::net::Ipv4Addr;

use super::Domain;
use super::network::{Network, S2S_PORT};

const TYPE_A: u16 = 1;
const TYPE_SRV: u16 = 33;
const CLASS_IN: u16 = 1;
/// "authoritative answer" and, in the second, "no such name".
const FLAGS_FOUND: u16 = 0x8480;
const FLAGS_UNKNOWN: u16 = 0x8483;
const RECURSION_DESIRED: u16 = 0x0100;
const HEADER: usize = 12;

/// What a name stands for.
enum Record {
    Address(Ipv4Addr),
    Service(u16, String),
}

/// Answers in a thread that ends with the process.
pub(super) fn serve(network: &Network) {
    let mut zone = HashMap::new();
    for domain in Domain::ALL {
        zone.insert(
            domain.name().to_owned(),
            Record::Address(network.server(domain.number())),
        );
        // An address for a target: ejabberd asks us where the service is, but the system for the address of a name.
        for name in [domain.name().to_owned(), format!("rooms.{}", domain.name())] {
            let service = Record::Service(S2S_PORT, network.server(domain.number()).to_string());
            zone.insert(format!("_xmpp-server._tcp.{name}"), service);
        }
    }
    let socket = network
        .dns
        .try_clone()
        .expect("a second handle of the DNS socket");
    std::thread::spawn(move || {
        let mut query = [0; 512];
        while let Ok((length, asker)) = socket.recv_from(&mut query) {
            if let Some(answer) = answer(&query[..length], &zone) {
                // Whoever asks and goes away does not matter to us.
                let _ = socket.send_to(&answer, asker);
            }
        }
    });
}

fn answer(query: &[u8], zone: &HashMap<String, Record>) -> Option<Vec<u8>> {
    let (name, end) = parse_name(query)?;
    let question = query.get(HEADER..end + 4)?;
    let kind = u16::from_be_bytes(query.get(end..end + 2)?.try_into().ok()?);
    let found = zone.get(&name);
    let data = match found {
        Some(Record::Address(address)) if kind == TYPE_A => Some(address.octets().to_vec()),
        Some(Record::Service(port, target)) if kind == TYPE_SRV => {
            // priority 0, weight 0
            let mut data = vec![0, 0, 0, 0];
            data.extend(port.to_be_bytes());
            for label in target.split('.') {
                data.push(u8::try_from(label.len()).ok()?);
                data.extend(label.as_bytes());
            }
            data.push(0);
            Some(data)
        }
        _ => None,
    };
    let asked = u16::from_be_bytes(query.get(2..4)?.try_into().ok()?) & RECURSION_DESIRED;
    let flags = asked
        | if found.is_some() {
            FLAGS_FOUND
        } else {
            FLAGS_UNKNOWN
        };

    let mut answer = query.get(..2)?.to_vec();
    for word in [flags, 1, u16::from(data.is_some()), 0, 0] {
        answer.extend(word.to_be_bytes());
    }
    answer.extend(question);
    if let Some(data) = data {
        // the name, by reference to the question; then type, class, a minute to live
        answer.extend([0xc0, 0x0c]);
        for word in [kind, CLASS_IN, 0, 60, u16::try_from(data.len()).ok()?] {
            answer.extend(word.to_be_bytes());
        }
        answer.extend(data);
    }
    Some(answer)
}

/// The first question's name in lower case, and where it ends.
fn parse_name(query: &[u8]) -> Option<(String, usize)> {
    let mut labels = Vec::new();
    let mut at = HEADER;
    loop {
        let length = usize::from(*query.get(at)?);
        at += 1;
        if length == 0 {
            return Some((labels.join("."), at));
        }
        labels.push(String::from_utf8_lossy(query.get(at..at + length)?).to_lowercase());
        at += length;
    }
}
