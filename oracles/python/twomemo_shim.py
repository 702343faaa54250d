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

    def parse_message(self, element):
        return shim.ask(self.etree.parse_message, element, "peer@example.org")

    @staticmethod
    def key_fields(key):
        return {"jid": key.bare_jid, "rid": key.device_id, "key": key.key}


if __name__ == "__main__":
    shim.serve(Twomemo())
