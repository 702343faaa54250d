use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use omemo::{Element, Ticket};
use tokio::io::{BufStream, DuplexStream, duplex};
use tokio_xmpp::parsers::stream_features::StreamFeatures;
use tokio_xmpp::parsers::{bind, ns, sm, starttls};
use tokio_xmpp::xmlstream::{StreamHeader, Timeouts, XmlStream, accept_stream, initiate_stream};

use super::*;

/// The server's side of a stream, which a test plays by hand.
struct Server(XmlStream<BufStream<DuplexStream>, Element>);

impl Server {
    async fn read(&mut self) -> Element {
        loop {
            match self.0.next().await.unwrap() {
                Ok(element) => return element,
                Err(ReadError::SoftTimeout) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }

    async fn expect(&mut self, name: &str) -> Element {
        let element = self.read().await;
        assert_eq!(element.name(), name, "{}", String::from(&element));
        element
    }

    async fn write(&mut self, xml: &str) {
        let element: Element = xml.parse().unwrap();
        self.0.send(&element).await.unwrap();
    }

    /// The end of a login without resumption.
    async fn bind(&mut self) {
        let iq = self.expect("iq").await;
        let id = iq.attr("id").unwrap();
        self.write(&format!(
            "<iq xmlns='jabber:client' type='result' id='{id}'>\
             <bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>a@b/c</jid></bind></iq>"
        ))
        .await;
    }

    async fn enable(&mut self) {
        self.expect("enable").await;
        self.write("<enabled xmlns='urn:xmpp:sm:3' id='s1' resume='true'/>")
            .await;
    }
}

fn features(managed: bool) -> StreamFeatures {
    StreamFeatures {
        bind: Some(bind::BindFeature { required: false }),
        stream_management: managed.then_some(sm::StreamManagement { optional: false }),
        starttls: None::<starttls::StartTls>,
        ..StreamFeatures::default()
    }
}

/// Both ends of a fresh stream.
async fn pair() -> (Xml, Server) {
    let (ours, theirs) = duplex(65_536);
    let timeouts = Timeouts {
        read_timeout: Duration::from_secs(1),
        response_timeout: Duration::from_secs(2),
    };
    let header = || StreamHeader {
        from: None,
        to: None,
        id: Some("x".into()),
    };
    let server = async {
        accept_stream(BufStream::new(theirs), ns::JABBER_CLIENT, timeouts)
            .await
            .unwrap()
            .send_header(header())
            .await
            .unwrap()
            .send_features(&features(true))
            .await
            .unwrap()
    };
    let client = async {
        let pending = initiate_stream(BufStream::new(ours), ns::JABBER_CLIENT, header(), timeouts);
        let (_, xml) = pending.await.unwrap().recv_features().await.unwrap();
        xml
    };
    let (server, client): (XmlStream<_, Element>, XmlStream<_, Element>) =
        tokio::join!(server, client);
    (client.box_stream(), Server(server))
}

fn message(id: &str) -> Element {
    format!("<message xmlns='jabber:client' id='{id}'/>")
        .parse()
        .unwrap()
}

/// Runs the link and the server's part until the latter is done.
async fn play<T>(link: &mut Link, part: impl Future<Output = T>) -> T {
    tokio::select! {
        done = part => done,
        other = link.next() => panic!("unexpected: {other:?}"),
    }
}

async fn online(managed: bool) -> (Link, Server) {
    let (xml, mut server) = pair().await;
    let server_part = async {
        server.bind().await;
        if managed {
            server.enable().await;
        }
        server
    };
    let features = features(managed);
    let (established, server) = tokio::join!(Link::establish(xml, &features, None), server_part);
    let established = established.unwrap();
    assert!(!established.resumed);
    assert_eq!(established.link.jid().as_str(), "a@b/c");
    (established.link, server)
}

#[tokio::test(start_paused = true)]
async fn receipts_come_from_the_servers_counter() {
    let (mut link, mut server) = online(true).await;
    link.send(message("m1"), Some(Ticket::new(1)));
    link.send(message("m2"), Some(Ticket::new(2)));
    play(&mut link, async {
        server.expect("message").await;
        server.expect("message").await;
        server.expect("r").await;
        server.write("<a xmlns='urn:xmpp:sm:3' h='1'/>").await;
    })
    .await;
    let Ok(Arrival::Receipts(tickets)) = link.next().await else {
        panic!("no receipts");
    };
    assert_eq!(tickets, [Ticket::new(1)]);
}

#[tokio::test(start_paused = true)]
async fn the_server_hears_how_much_was_handled() {
    let (mut link, mut server) = online(true).await;
    server.write("<message xmlns='jabber:client'/>").await;
    server.write("<r xmlns='urn:xmpp:sm:3'/>").await;
    assert!(matches!(link.next().await, Ok(Arrival::Stanza(_))));
    let answer = play(&mut link, server.expect("a")).await;
    assert_eq!(answer.attr("h"), Some("1"));
}

#[tokio::test(start_paused = true)]
async fn a_resumed_stream_gets_what_the_server_does_not_have() {
    let (mut link, mut server) = online(true).await;
    for number in 1..=3 {
        link.send(message(&format!("m{number}")), Some(Ticket::new(number)));
    }
    play(&mut link, async {
        for _ in 0..3 {
            server.expect("message").await;
        }
    })
    .await;
    drop(server);
    assert!(link.next().await.is_err());
    link.send(message("m4"), Some(Ticket::new(4)));
    let suspended = link.suspend().unwrap();

    let (xml, mut server) = pair().await;
    let server_part = async {
        let resume = server.expect("resume").await;
        assert_eq!(resume.attr("previd"), Some("s1"));
        server
            .write("<resumed xmlns='urn:xmpp:sm:3' h='1' previd='s1'/>")
            .await;
        server
    };
    let features = features(true);
    let (established, mut server) = tokio::join!(
        Link::establish(xml, &features, Some(suspended)),
        server_part
    );
    let Established {
        mut link,
        resumed,
        receipts,
    } = established.unwrap();
    assert!(resumed);
    assert_eq!(receipts, [Ticket::new(1)]);
    play(&mut link, async {
        for id in ["m2", "m3", "m4"] {
            assert_eq!(server.expect("message").await.attr("id"), Some(id));
        }
        server.expect("r").await;
        server.write("<a xmlns='urn:xmpp:sm:3' h='4'/>").await;
    })
    .await;
    let Ok(Arrival::Receipts(tickets)) = link.next().await else {
        panic!("no receipts");
    };
    assert_eq!(tickets, [2, 3, 4].map(Ticket::new));
}

#[tokio::test(start_paused = true)]
async fn a_refused_resumption_binds_anew_and_forgets_the_queue() {
    let (mut link, mut server) = online(true).await;
    link.send(message("m1"), Some(Ticket::new(1)));
    link.send(message("m2"), Some(Ticket::new(2)));
    play(&mut link, async {
        server.expect("message").await;
        server.expect("message").await;
    })
    .await;
    let suspended = link.suspend().unwrap();

    let (xml, mut server) = pair().await;
    let server_part = async {
        server.expect("resume").await;
        server
            .write("<failed xmlns='urn:xmpp:sm:3' h='1'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>")
            .await;
        server.bind().await;
        server.enable().await;
        server
    };
    let features = features(true);
    let (established, mut server) = tokio::join!(
        Link::establish(xml, &features, Some(suspended)),
        server_part
    );
    let Established {
        mut link,
        resumed,
        receipts,
    } = established.unwrap();
    assert!(!resumed);
    assert_eq!(receipts, [Ticket::new(1)], "the server said that it has it");
    link.send(message("m3"), None);
    let first = play(&mut link, server.expect("message")).await;
    assert_eq!(first.attr("id"), Some("m3"));
}

#[tokio::test(start_paused = true)]
async fn without_counters_a_ping_brings_the_receipts() {
    let (mut link, mut server) = online(false).await;
    link.send(message("m1"), Some(Ticket::new(1)));
    let id = play(&mut link, async {
        server.expect("message").await;
        server.expect("iq").await.attr("id").unwrap().to_owned()
    })
    .await;
    server
        .write(&format!(
            "<iq xmlns='jabber:client' type='result' id='{id}'/>"
        ))
        .await;
    let Ok(Arrival::Receipts(tickets)) = link.next().await else {
        panic!("no receipts");
    };
    assert_eq!(tickets, [Ticket::new(1)]);
    assert!(link.suspend().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_is_asked_and_then_given_up() {
    let (mut link, mut server) = online(true).await;
    play(&mut link, server.expect("r")).await;
    let Err(Lost(reason)) = link.next().await else {
        panic!("not lost");
    };
    assert_eq!(reason, "the server fell silent");
}

#[tokio::test(start_paused = true)]
async fn an_orderly_end_is_a_receipt_and_loses_nothing() {
    let (mut link, mut server) = online(true).await;
    link.send(message("m1"), Some(Ticket::new(1)));
    let server_part = async {
        server.expect("a").await;
        server.expect("message").await;
        while !matches!(
            server.0.next().await,
            Some(Err(ReadError::StreamFooterReceived))
        ) {}
        server
            .write("<message xmlns='jabber:client' id='late'/>")
            .await;
        server.0.shutdown().await.unwrap();
    };
    let (farewell, ()) = tokio::join!(link.close(), server_part);
    assert_eq!(farewell.receipts, [Ticket::new(1)]);
    assert_eq!(farewell.late.len(), 1);

    let (mut link, mut server) = online(true).await;
    link.send(message("m1"), Some(Ticket::new(1)));
    let server_part = async {
        server.expect("a").await;
        server.expect("message").await;
        drop(server);
    };
    let (farewell, ()) = tokio::join!(link.close(), server_part);
    assert!(farewell.receipts.is_empty(), "nobody said that it arrived");
}

#[tokio::test(start_paused = true)]
async fn a_stream_error_says_why() {
    let (mut link, mut server) = online(true).await;
    server
        .write(
            "<stream:error xmlns:stream='http://etherx.jabber.org/streams'>\
             <conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
        )
        .await;
    let Err(Lost(reason)) = link.next().await else {
        panic!("not lost");
    };
    assert!(reason.contains("conflict"), "{reason}");
}
