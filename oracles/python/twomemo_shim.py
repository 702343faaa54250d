"""Twomemo (omemo:2) behind the protocol of test-vectors/PROTOCOL.md. tests/peers/requirements.txt names its packages.

Twomemo is someone else's work (MIT), and it is run from its package as a test peer: no part of it is in this project.
"""

import twomemo.twomemo

import memo
import shim

twomemo.twomemo.secrets = shim.Secrets({32: "payload-key"})


class Twomemo(memo.Memo):
    name = "Twomemo"
    protocol = "omemo:2"

    # Twomemo takes and gives all keys as they are on the wire: Ed25519 for identities, Curve25519 for the others.

    @staticmethod
    def read_key(key):
        return key

    write_key = read_identity = write_identity = read_key

    @staticmethod
    def signer(identity_key, signature):
        return identity_key, signature

    @staticmethod
    def bundle_signature(bundle):
        return bundle.signed_pre_key_sig

    @staticmethod
    def order_identities(sender, receiver, input):
        return (sender, receiver) if input["sender_initiated"] else (receiver, sender)

    @staticmethod
    def is_exchange(frame):
        """Field 1 is `pk_id` in OMEMOKeyExchange and `mac` in OMEMOAuthenticatedMessage."""
        return shim.wire_type(frame, 1) == 0

    def read_exchange(self, frame):
        return self.library.KeyExchangeImpl.parse(frame)

    @staticmethod
    def write_exchange(exchange, frame):
        return exchange.serialize(frame)

    def content(self, input):
        return self.library.ContentImpl(bytes.fromhex(input["payload"]))

    @staticmethod
    def content_fields(content):
        return {"payload": content.ciphertext}

    def do_parse_message(self, input):
        element = shim.ask(memo.ET.fromstring, input["xml"])
        message = shim.ask(self.etree.parse_message, element, "peer@example.org")
        order = [
            (keys.get("jid"), int(key.get("rid")))
            for keys in element.iter(f"{self.etree.NS}keys")
            for key in keys.iter(f"{self.etree.NS}key")
        ]
        keys = [
            {
                "jid": material.bare_jid,
                "rid": material.device_id,
                "key": exchange.serialize(material.serialize()) if exchange else material.serialize(),
            }
            for material, exchange in message.keys
        ]
        output = {"sid": message.device_id, "keys": memo.in_document_order(keys, order)}
        if not message.content.empty:
            output["payload"] = message.content.ciphertext
        return output


if __name__ == "__main__":
    shim.serve(Twomemo())
