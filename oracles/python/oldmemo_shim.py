"""Oldmemo (legacy) behind the protocol of test-vectors/PROTOCOL.md. tests/peers/requirements.txt names its packages.

Oldmemo is someone else's work (AGPL-3.0), and it is run from its package as a test peer: no part of it is in this
project or in what it ships, and this file, which runs with it, is not shipped either.
"""

import types

import oldmemo.oldmemo
import xeddsa

import memo
import shim

oldmemo.oldmemo.secrets = shim.Secrets({16: "payload-key", 12: "payload-iv"})


class Oldmemo(memo.Memo):
    name = "Oldmemo"
    protocol = "legacy"

    # Oldmemo holds identities as Ed25519. Their sign bit matters for nothing but signatures, and comes with those.

    def read_key(self, key):
        return self.library.StateImpl.parse_public_key(key)

    def write_key(self, key):
        return self.library.StateImpl.serialize_public_key(key)

    def read_identity(self, key, sign=False):
        return xeddsa.curve25519_pub_to_ed25519_pub(self.read_key(key), sign)

    def write_identity(self, key):
        return self.write_key(xeddsa.ed25519_pub_to_curve25519_pub(key))

    def do_decode_key(self, input):
        return {"public": shim.ask(self.read_key, bytes.fromhex(input["key"]))}

    def signer(self, identity_key, signature):
        """The identity and the signature as Ed25519 has them: the last bit of the one on the wire is the key's sign."""
        if len(signature) != 64:
            raise shim.Refused("a signature has 64 bytes")
        identity = shim.ask(self.read_identity, identity_key, bool(signature[63] & 0x80))
        return identity, signature[:63] + bytes([signature[63] & 0x7F])

    @staticmethod
    def bundle_signature(bundle):
        signature = bundle.signed_pre_key_sig
        return signature[:63] + bytes([signature[63] | bundle.identity_key[31] & 0x80])

    @staticmethod
    def order_identities(sender, receiver, _):
        return sender, receiver

    @staticmethod
    def is_exchange(frame):
        """Field 2 is `baseKey` in PreKeySignalMessage and `counter` in SignalMessage. The version stands before."""
        return shim.wire_type(frame[1:], 2) == 2

    def read_exchange(self, frame):
        return self.library.KeyExchangeImpl.parse(frame, False)

    @staticmethod
    def write_exchange(exchange, frame):
        return exchange.serialize(frame)[0]

    def content(self, input):
        """An `iv` that is missing is for the library to refuse."""
        iv = bytes.fromhex(input["iv"]) if "iv" in input else None
        return self.library.ContentImpl(bytes.fromhex(input["payload"]), iv)

    @staticmethod
    def content_fields(content):
        return {"payload": content.ciphertext, "iv": content.initialization_vector}

    def parse_message(self, element):
        return shim.ask(self.etree.parse_message, element, "peer@example.org", "me@example.org", KnowsEverybody())

    @staticmethod
    def key_fields(key):
        return {"rid": key.device_id, "key": key.key}


class KnowsEverybody:
    """Stands for the session manager, which Oldmemo's parser asks for the sign of the sender's identity key."""

    async def get_device_information(self, _):
        return [types.SimpleNamespace(device_id=Anything(), identity_key=bytes(32))]


class Anything:
    def __eq__(self, _):
        return True


if __name__ == "__main__":
    shim.serve(Oldmemo())
