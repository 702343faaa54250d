//! What stands beside the encrypted element: anybody on the way may have put it there, so that none of it is content.

use omemo::Version;

use crate::over::Stores;
use crate::puppet::Puppet;
use crate::stage::*;

/// Rule 21: what is sensitive counts inside the envelope alone.
fn rule_21_nothing_outside_the_envelope_is_content<S: Stores>(mut stores: S, version: Version) {
    let mut hub = omemo_tests::hub::Hub::new(1);
    let juliet = hub.join(JULIET, stores.make(), omemo_tests::hub::speaks(&[version]));
    let mut puppet = Puppet::new(version, MALLORY, 5);
    hub.strangers.push(MALLORY.into());
    puppet.meet(&hub, JULIET, hub.id(juliet));
    let injected = [
        "<body xmlns='jabber:client'>outside</body>",
        "<reactions xmlns='urn:xmpp:reactions:0' id='1'><reaction>!</reaction></reactions>",
        "<envelope xmlns='urn:xmpp:sce:1'><content><body xmlns='jabber:client'>in the clear</body></content><rpad/></envelope>",
        "<content xmlns='urn:xmpp:sce:1'><body xmlns='jabber:client'>in the clear</body></content>",
        "<subject xmlns='jabber:client'>outside</subject>",
    ];
    for element in injected {
        let before = puppet.text("inside");
        let mut stanza = before.clone();
        stanza.append_child(xml(element));
        assert_eq!(read(&hub.deliver(juliet, &stanza)), ["inside"], "{element}");
        let shown = hub.devices[juliet.0].messages.last().unwrap();
        assert_eq!(shown.content.len(), 1, "{element}: {:?}", shown.content);
    }
    hub.settle();
    // an envelope that nobody encrypted says nothing, wherever it stands
    let before = hub.dump(juliet);
    for element in injected {
        let stanza = xml(&format!(
            "<message xmlns='jabber:client' from='{MALLORY}/x' id='p'>{element}</message>"
        ));
        assert!(hub.deliver(juliet, &stanza).is_empty(), "{element}");
        let inside = xml(&format!(
            "<message xmlns='jabber:client' from='{MALLORY}/x' id='p'><encrypted xmlns='{}'>\
             <header sid='5'/>{element}</encrypted></message>",
            namespace(version)
        ));
        assert!(read(&hub.deliver(juliet, &inside)).is_empty(), "{element}");
    }
    assert_eq!(hub.dump(juliet), before);
}

over_versions!(rule_21_nothing_outside_the_envelope_is_content);
