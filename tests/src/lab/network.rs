//! A loopback network that nobody else uses.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};

use super::Domain;

/// The ports are the usual ones, since the addresses are our own. The DNS port is above 1023, for users other than root.
pub(super) const C2S_PORT: u16 = 5222;
pub(super) const TLS_PORT: u16 = 5223;
pub(super) const S2S_PORT: u16 = 5269;
pub(super) const HTTP_PORT: u16 = 5280;
const DNS_PORT: u16 = 10053;

/// How often to draw before giving up; a single draw fails only when another lab has the same of 16,000 networks.
const DRAWS: usize = 20;

/// `127.x.y.0/24`, as ours.
#[derive(Debug)]
pub(super) struct Network {
    prefix: [u8; 3],
    /// The socket of the DNS stub, bound first: who holds it holds the network.
    pub(super) dns: UdpSocket,
}

impl Network {
    pub(super) fn find() -> Self {
        for _ in 0..DRAWS {
            let [x, y, ..] = RandomState::new().build_hasher().finish().to_le_bytes();
            let prefix = [127, 64 + x % 64, y];
            let Ok(dns) = UdpSocket::bind(address(prefix, 9, DNS_PORT)) else {
                continue;
            };
            let free = |port| {
                Domain::ALL
                    .iter()
                    .all(|domain| TcpListener::bind(address(prefix, domain.number(), port)).is_ok())
            };
            if [C2S_PORT, TLS_PORT, S2S_PORT, HTTP_PORT]
                .into_iter()
                .all(free)
            {
                return Self { prefix, dns };
            }
        }
        panic!(
            "no loopback network was free; are other programs listening on all addresses at port {C2S_PORT}?"
        );
    }

    /// The address of server 1, 2, …
    pub(super) fn server(&self, number: u8) -> Ipv4Addr {
        let [a, b, c] = self.prefix;
        Ipv4Addr::new(a, b, c, number)
    }

    pub(super) fn nobody(&self) -> SocketAddr {
        address(self.prefix, 8, C2S_PORT)
    }

    pub(super) fn dns_address(&self) -> SocketAddr {
        address(self.prefix, 9, DNS_PORT)
    }
}

fn address([a, b, c]: [u8; 3], host: u8, port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::new(a, b, c, host), port))
}
